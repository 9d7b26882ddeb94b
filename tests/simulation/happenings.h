// What has happened in simulated jobs, counted: shows that each kind of fault does happen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace clepsydra::testing {

enum class Happening : std::uint8_t {
  // To processes.
  kDeath,            // Between two steps.
  kDeathInRecovery,  // Before any task had begun.
  kDeathInFileOperation,
  kPowerCut,
  // To tasks.
  kSourceError,
  kSinkError,
  kPreparationError,  // A sink at a barrier.
  kLocalStoreError,
  kRegionAlone,  // An attempt of one region while another ran on; a lower bound.
  // To storage.
  kReadError,
  kWriteError,
  kRenameError,
  kTornWrite,
  kLostAnswer,
  kStaleListing,
  kSlowStorage,
  kDiskFull,
  kRot,
  kWentBack,  // Behind what was visible, because of rot.
  // To input; the first four are counted by job.
  kOutOfOrder,
  kLateRows,
  kKeyFlips,
  kIdleSplit,
  kStall,
  // To what runs.
  kSlowSink,      // By life.
  kBackpressure,  // By life: a task has waited for room.
  kClockJump,
  kCheckpointTimeout,
  // What people do.
  kCancel,
  kSavepoint,
  kStop,
  kDrain,
  kFailedDrain,
  kHalfDrain,  // Of these: its savepoint was complete.
  kRescale,
  kOtherTasks,  // What was one task is two, or the other way round.
  kOtherBackend,
};
inline constexpr std::size_t kHappenings = static_cast<std::size_t>(Happening::kOtherBackend) + 1;

// "deaths in recovery"
std::string_view happening_name(Happening happening);

class Happenings {
 public:
  void add(Happening happening, std::int64_t times = 1) {
    counts_[static_cast<std::size_t>(happening)] += times;
  }
  void add(const Happenings& other) {
    for (std::size_t i = 0; i < kHappenings; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::int64_t of(Happening happening) const {
    return counts_[static_cast<std::size_t>(happening)];
  }
  // "3 deaths, 1 power cuts, ...", in lines.
  [[nodiscard]] std::string describe() const;

 private:
  std::array<std::int64_t, kHappenings> counts_{};
};

}  // namespace clepsydra::testing
