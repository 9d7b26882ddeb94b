#include "seeds.h"

#include <cstdlib>
#include <numeric>
#include <random>
#include <string>

namespace clepsydra::testing {
namespace {

std::uint64_t number_of(const char* variable, std::uint64_t fallback) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody writes the environment.
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::stoull(text);
}

}  // namespace

std::vector<std::uint64_t> seeds(int count) {
  // Short enough to be typed again.
  static const std::uint64_t kFirst =
      number_of("CLEPSYDRA_SIMULATION_SEED", std::random_device()() % 1'000'000'000);
  static const std::uint64_t kFactor = number_of("CLEPSYDRA_SIMULATION_FACTOR", 1);
  std::vector<std::uint64_t> seeds(static_cast<std::uint64_t>(count) * kFactor);
  std::iota(seeds.begin(), seeds.end(), kFirst);
  return seeds;
}

}  // namespace clepsydra::testing
