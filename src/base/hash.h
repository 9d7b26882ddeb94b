// Hashes. hash64() and checksum64() are XXH3: part of stored formats, so they
// never change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/random.h"

namespace clepsydra {

// XXH3, 64 bits.
std::uint64_t hash64(const void* data, std::size_t size);
inline std::uint64_t hash64(std::string_view bytes) {
  return hash64(bytes.data(), bytes.size());
}
// Names of their own, because hash64("text", 7) would hash seven bytes.
std::uint64_t hash64_with_seed(const void* data, std::size_t size, std::uint64_t seed);
inline std::uint64_t hash64_with_seed(std::string_view bytes, std::uint64_t seed) {
  return hash64_with_seed(bytes.data(), bytes.size(), seed);
}

// The checksum of stored and sent blocks: XXH3 of the bytes.
inline std::uint64_t checksum64(std::span<const std::uint8_t> bytes) {
  return hash64(bytes.data(), bytes.size());
}

// XXH3 over pieces.
class Hasher64 {
 public:
  Hasher64();
  ~Hasher64();
  Hasher64(const Hasher64&) = delete;
  Hasher64& operator=(const Hasher64&) = delete;
  void update(const void* data, std::size_t size);
  void update(std::string_view bytes) { update(bytes.data(), bytes.size()); }
  // Equals hash64() of all bytes so far.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  void* state_;
};

// Folds one hash into another; order matters.
constexpr std::uint64_t combine_hashes(std::uint64_t a, std::uint64_t b) {
  return mix64(a ^ (b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2)));
}

// CRC-32 (polynomial of zip, gzip, PNG), continuing from `crc`.
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0);

}  // namespace clepsydra
