#include "base/bits.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace clepsydra {
namespace {

// Bits [offset, offset + count) as the low bits of a word; 1 <= count <= 8. Reads no byte without
// such a bit.
std::uint8_t load_bits(const std::uint8_t* bitmap, std::int64_t offset, int count) {
  const auto shift = static_cast<unsigned>(offset & 7);
  unsigned word = bitmap[offset >> 3];
  if (shift + static_cast<unsigned>(count) > 8) {
    word |= static_cast<unsigned>(bitmap[(offset >> 3) + 1]) << 8;
  }
  return static_cast<std::uint8_t>((word >> shift) & ((1U << count) - 1));
}

}  // namespace

std::int64_t count_set_bits(const std::uint8_t* bitmap, std::int64_t offset, std::int64_t length) {
  std::int64_t count = 0;
  std::int64_t i = offset;
  const std::int64_t end = offset + length;
  for (; i < end && (i & 7) != 0; ++i) count += get_bit(bitmap, i) ? 1 : 0;
  for (; end - i >= 64; i += 64) count += std::popcount(load_le<std::uint64_t>(bitmap + (i >> 3)));
  for (; i < end; ++i) count += get_bit(bitmap, i) ? 1 : 0;
  return count;
}

void copy_bits(const std::uint8_t* source, std::int64_t from, std::uint8_t* target, std::int64_t to,
               std::int64_t length) {
  for (; length > 0 && (to & 7) != 0; --length) put_bit(target, to++, get_bit(source, from++));
  if ((from & 7) == 0) {
    const std::int64_t bytes = length >> 3;
    if (bytes > 0) {
      std::memcpy(target + (to >> 3), source + (from >> 3), static_cast<std::size_t>(bytes));
    }
    from += bytes << 3;
    to += bytes << 3;
    length &= 7;
  } else {
    for (; length >= 8; length -= 8, from += 8, to += 8) {
      target[to >> 3] = load_bits(source, from, 8);
    }
  }
  for (; length > 0; --length) put_bit(target, to++, get_bit(source, from++));
}

void fill_bits(std::uint8_t* bitmap, std::int64_t offset, std::int64_t length, bool value) {
  for (; length > 0 && (offset & 7) != 0; --length) put_bit(bitmap, offset++, value);
  const std::int64_t bytes = length >> 3;
  if (bytes > 0) {
    std::memset(bitmap + (offset >> 3), value ? 0xFF : 0, static_cast<std::size_t>(bytes));
  }
  offset += bytes << 3;
  for (length &= 7; length > 0; --length) put_bit(bitmap, offset++, value);
}

}  // namespace clepsydra
