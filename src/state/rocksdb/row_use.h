// Which rows are worth keeping in memory: those that are used often, and have been of late.
#pragma once

#include <array>
#include <cstdint>

namespace clepsydra {

// Time goes on as what is in memory is replaced: kTurnover ticks for all of it. Each step in which
// a row is used counts half as much kHalfLife ticks later. What that adds up to is kept as a time,
// the row's worth: a row that was used once, then, would be worth as much. So worths need no
// ageing, and the least one goes first. They are numbers of 24 bits that go round; none is further
// from now than half of that. Threads: the owner of the state.
class RowUse {
 public:
  static constexpr std::uint32_t kMarkMask = (1U << 7) - 1;
  static constexpr int kTurnover = 64;

  RowUse();

  // Of the current step, never 0; comes again after some steps.
  [[nodiscard]] std::uint32_t mark() const { return mark_; }
  void end_step() { mark_ = mark_ % kMarkMask + 1; }
  // Rows of so many bytes came into memory, where there is room for `room_bytes`.
  void pass(std::int64_t bytes, std::int64_t room_bytes);

  [[nodiscard]] std::uint32_t now() const { return now_; }
  // How far a worth is from now; below zero it is less than that of a row used once, now.
  [[nodiscard]] std::int32_t from_now(std::uint32_t worth) const {
    return static_cast<std::int32_t>((worth - now_) << 8) >> 8;
  }
  // After one more use, now.
  [[nodiscard]] std::uint32_t used_again(std::uint32_t worth) const {
    const std::int32_t distance = from_now(worth);
    const std::uint32_t place =
        static_cast<std::uint32_t>(distance < 0 ? -distance : distance) / kBucket;
    const std::uint32_t more = place < kBuckets ? more_[place] : 0;
    return ((distance > 0 ? worth : now_) + more) & kWorthMask;
  }

 private:
  static constexpr std::uint32_t kWorthMask = (1U << 24) - 1;
  static constexpr int kHalfLife = 4 * kTurnover;
  static constexpr std::uint32_t kBucket = 16;
  // Beyond eight half-lives one use adds less than a tick.
  static constexpr std::uint32_t kBuckets = 8 * kHalfLife / kBucket;

  std::uint32_t mark_ = 1;
  std::uint32_t now_ = 0;
  std::int64_t passed_ = 0;  // Bytes, times kTurnover, since the last tick.
  std::array<std::uint16_t, kBuckets> more_{};
};

}  // namespace clepsydra
