// Event time at the source of a stream, and where streams meet.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/batch.h"

namespace clepsydra {

// Merges the watermarks of several inputs. An idle or finished input does not hold time back; the
// merged watermark never passes what an input that can still speak allows, and never goes back;
// when none is active but one is idle, the output is idle and keeps its watermark; it goes to
// kMaxWatermark only when every input has finished.
class WatermarkMerger {
 public:
  explicit WatermarkMerger(int inputs);
  // Each returns true when watermark() or idle() changed.
  bool advance(int input, std::int64_t watermark);  // Also makes an idle input active.
  bool set_idle(int input, bool idle);
  bool finish(int input);
  [[nodiscard]] std::int64_t watermark() const { return merged_; }
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] bool all_finished() const { return finished_ == static_cast<int>(inputs_.size()); }
  // The input that holds time back most (smallest watermark among the active), or -1.
  [[nodiscard]] int slowest_input() const;

 private:
  enum class Phase : std::uint8_t { kActive, kIdle, kFinished };
  struct Input {
    std::int64_t watermark = kMinWatermark;
    Phase phase = Phase::kActive;
  };
  bool update();
  std::vector<Input> inputs_;
  std::int64_t merged_ = kMinWatermark;
  bool idle_ = false;
  int finished_ = 0;
};

}  // namespace clepsydra
