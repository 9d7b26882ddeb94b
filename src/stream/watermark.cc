#include "stream/watermark.h"

#include <algorithm>

#include "base/check.h"

namespace clepsydra {

WatermarkMerger::WatermarkMerger(int inputs) : inputs_(static_cast<std::size_t>(inputs)) {
  CLP_CHECK(inputs > 0);
}

bool WatermarkMerger::advance(int input, std::int64_t watermark) {
  Input& at = inputs_[static_cast<std::size_t>(input)];
  if (at.phase == Phase::kFinished) return false;
  const bool was_active = at.phase == Phase::kActive;
  // An active input ahead of the merged watermark does not hold it back, now or after this.
  const bool may_change = !was_active || at.watermark <= merged_;
  at.phase = Phase::kActive;
  at.watermark = std::max(at.watermark, watermark);
  return (may_change || at.watermark == kMaxWatermark) && update();
}

bool WatermarkMerger::set_idle(int input, bool idle) {
  Input& at = inputs_[static_cast<std::size_t>(input)];
  const Phase phase = idle ? Phase::kIdle : Phase::kActive;
  if (at.phase == Phase::kFinished || at.phase == phase) return false;
  at.phase = phase;
  return update();
}

bool WatermarkMerger::finish(int input) {
  Input& at = inputs_[static_cast<std::size_t>(input)];
  if (at.phase == Phase::kFinished) return false;
  at.phase = Phase::kFinished;
  ++finished_;
  return update();
}

bool WatermarkMerger::update() {
  std::int64_t smallest = kMaxWatermark;  // Among active inputs.
  bool any_idle = false;
  for (const Input& input : inputs_) {
    if (input.phase == Phase::kActive) smallest = std::min(smallest, input.watermark);
    any_idle = any_idle || (input.phase == Phase::kIdle && input.watermark != kMaxWatermark);
  }
  // An active input at kMaxWatermark has no more to say: it counts as finished here.
  const bool none_active = smallest == kMaxWatermark;
  const bool idle = none_active && any_idle;
  const std::int64_t merged = idle ? merged_ : std::max(merged_, smallest);
  const bool changed = merged != merged_ || idle != idle_;
  merged_ = merged;
  idle_ = idle;
  return changed;
}

int WatermarkMerger::slowest_input() const {
  int slowest = -1;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].phase != Phase::kActive) continue;
    if (slowest < 0 ||
        inputs_[i].watermark < inputs_[static_cast<std::size_t>(slowest)].watermark) {
      slowest = static_cast<int>(i);
    }
  }
  return slowest;
}

}  // namespace clepsydra
