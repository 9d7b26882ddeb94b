#include "base/random.h"

#include <cstdint>
#include <random>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"

namespace clepsydra {

__extension__ using Uint128 = unsigned __int128;

Random::Random(std::uint64_t seed) : seed_(seed) {
  // splitmix64, as the authors of xoshiro recommend for filling its state.
  std::uint64_t counter = seed;
  for (std::uint64_t& word : state_) {
    word = mix64(counter);
    counter += 0x9E3779B97F4A7C15ULL;
  }
}

Random Random::from_entropy() {
  std::random_device device;
  const auto high = static_cast<std::uint64_t>(device());
  return Random((high << 32) | device());
}

std::uint64_t Random::uniform(std::uint64_t bound) {
  CLP_CHECK(bound > 0);
  // Lemire's multiplication method: the high half of a 128-bit product, rejecting what would be
  // biased.
  Uint128 product = static_cast<Uint128>(next_u64()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t rejected = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < rejected) {
      product = static_cast<Uint128>(next_u64()) * bound;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

std::int64_t Random::uniform_between(std::int64_t low, std::int64_t high) {
  CLP_CHECK(low <= high);
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t drawn = span == UINT64_MAX ? next_u64() : uniform(span + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + drawn);
}

Random Random::fork(std::string_view name) const {
  return Random(hash64_with_seed(name, mix64(seed_)));
}

}  // namespace clepsydra
