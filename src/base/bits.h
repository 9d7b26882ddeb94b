// Bit and alignment arithmetic. Bitmaps: bit i is bit (i & 7) of byte (i >> 3),
// as in Arrow.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace clepsydra {

// `value` rounded up to a multiple of `alignment`, a power of two.
constexpr std::int64_t align_up(std::int64_t value, std::int64_t alignment) {
  return (value + alignment - 1) & -alignment;
}

constexpr bool is_power_of_two(std::int64_t value) {
  return value > 0 && (value & (value - 1)) == 0;
}

// Bytes of a bitmap of `bits` bits.
constexpr std::int64_t bitmap_bytes(std::int64_t bits) {
  return (bits + 7) >> 3;
}

inline bool get_bit(const std::uint8_t* bitmap, std::int64_t i) {
  return ((bitmap[i >> 3] >> (i & 7)) & 1) != 0;
}

inline void set_bit(std::uint8_t* bitmap, std::int64_t i) {
  bitmap[i >> 3] = static_cast<std::uint8_t>(bitmap[i >> 3] | (1U << (i & 7)));
}

inline void clear_bit(std::uint8_t* bitmap, std::int64_t i) {
  bitmap[i >> 3] = static_cast<std::uint8_t>(bitmap[i >> 3] & ~(1U << (i & 7)));
}

inline void put_bit(std::uint8_t* bitmap, std::int64_t i, bool value) {
  const auto mask = static_cast<std::uint8_t>(1U << (i & 7));
  const auto kept = static_cast<std::uint8_t>(bitmap[i >> 3] & ~mask);
  bitmap[i >> 3] = static_cast<std::uint8_t>(kept | (value ? mask : 0));
}

// Set bits among bits [offset, offset + length).
std::int64_t count_set_bits(const std::uint8_t* bitmap, std::int64_t offset, std::int64_t length);

// Copies bits [from, from + length) of `source` to bits [to, to + length) of
// `target`.
void copy_bits(const std::uint8_t* source, std::int64_t from, std::uint8_t* target, std::int64_t to,
               std::int64_t length);

// Sets bits [offset, offset + length) to `value`.
void fill_bits(std::uint8_t* bitmap, std::int64_t offset, std::int64_t length, bool value);

// Little-endian loads and stores at any address: every stored and sent format
// of ours is little endian.
template <typename T>
T load_le(const void* from) {
  static_assert(std::endian::native == std::endian::little,
                "big-endian machines need byte swaps here");
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void store_le(void* to, T value) {
  static_assert(std::endian::native == std::endian::little,
                "big-endian machines need byte swaps here");
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace clepsydra
