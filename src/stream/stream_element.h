// What flows through a channel: a batch or a signal.
#pragma once

#include <cstdint>
#include <variant>

#include "stream/batch.h"

namespace clepsydra {

// Alone only when no batch is open; otherwise a watermark is a mark in the batch.
struct WatermarkSignal {
  std::int64_t watermark;
  friend bool operator==(const WatermarkSignal&, const WatermarkSignal&) = default;
};
// The channel does not hold event time back until its next batch or watermark (idle), or again
// does.
struct IdleSignal {
  bool idle;
  friend bool operator==(const IdleSignal&, const IdleSignal&) = default;
};
enum class CheckpointKind : std::uint8_t { kCheckpoint = 0, kSavepoint = 1 };
struct BarrierSignal {
  std::int64_t checkpoint_id;
  std::int64_t timestamp_ms;
  CheckpointKind kind;
  friend bool operator==(const BarrierSignal&, const BarrierSignal&) = default;
};
struct LatencyMarkerSignal {
  std::int64_t marked_ns;   // Clock::monotonic_ns() at the source.
  std::uint64_t source_id;  // Hash of the source operator's uid.
  std::int32_t subtask;
  friend bool operator==(const LatencyMarkerSignal&, const LatencyMarkerSignal&) = default;
};
// Nothing follows on this channel.
struct EndOfInputSignal {
  friend bool operator==(const EndOfInputSignal&, const EndOfInputSignal&) = default;
};

using Signal =
    std::variant<WatermarkSignal, IdleSignal, BarrierSignal, LatencyMarkerSignal, EndOfInputSignal>;
using StreamElement = std::variant<Batch, Signal>;

inline const Batch* as_batch(const StreamElement& element) {
  return std::get_if<Batch>(&element);
}
template <typename S>
const S* as_signal(const StreamElement& element) {
  const auto* signal = std::get_if<Signal>(&element);
  return signal ? std::get_if<S>(signal) : nullptr;
}

}  // namespace clepsydra
