#include "base/hash.h"

#include <xxhash.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include "base/check.h"

namespace clepsydra {

std::uint64_t hash64(const void* data, std::size_t size) {
  return XXH3_64bits(data, size);
}

std::uint64_t hash64_with_seed(const void* data, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

Hasher64::Hasher64() : state_(XXH3_createState()) {
  CLP_CHECK(state_ != nullptr);
  XXH3_64bits_reset(static_cast<XXH3_state_t*>(state_));
}

Hasher64::~Hasher64() {
  XXH3_freeState(static_cast<XXH3_state_t*>(state_));
}

void Hasher64::update(const void* data, std::size_t size) {
  if (size > 0) XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), data, size);
}

std::uint64_t Hasher64::digest() const {
  return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_));
}

std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc) {
  return static_cast<std::uint32_t>(::crc32_z(crc, bytes.data(), bytes.size()));
}

}  // namespace clepsydra
