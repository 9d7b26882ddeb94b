// Random numbers from a seed: the same seed gives the same run.
#pragma once

#include <cstdint>
#include <string_view>

namespace clepsydra {

// A counter-based generator: distinct inputs give independent-looking outputs
// (splitmix64's finaliser).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// xoshiro256**. Not for secrets. One thread at a time: give each user its own
// fork().
class Random {
 public:
  explicit Random(std::uint64_t seed);
  // Seeded by the operating system; the only entropy source of the project.
  static Random from_entropy();

  std::uint64_t next_u64() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound), without bias. Requires bound > 0.
  std::uint64_t uniform(std::uint64_t bound);
  // Uniform in [low, high], both included. Requires low <= high.
  std::int64_t uniform_between(std::int64_t low, std::int64_t high);
  // Uniform in [0, 1), 53 bits.
  double uniform_double() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

  // An independent generator that depends on this one's seed and `name`, not on
  // how many numbers were drawn: adding a user does not change the numbers of
  // the others.
  [[nodiscard]] Random fork(std::string_view name) const;

 private:
  static constexpr std::uint64_t rotate_left(std::uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
  }

  std::uint64_t seed_;
  std::uint64_t state_[4];
};

}  // namespace clepsydra
