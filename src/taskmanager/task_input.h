// What a task reads: channels (input_driver.h) or the splits of a source (source_driver.h).
#pragma once

#include <cstdint>

#include "base/executor.h"
#include "clepsydra/status.h"
#include "stream/batch.h"
#include "stream/stream_element.h"

namespace clepsydra {

// Threads: the task's.
class TaskInput {
 public:
  enum class State : std::uint8_t {
    kBatch,         // `batch` of `input`, with the marks of the task's event time.
    kAgain,         // No batch, but idle() or has_started() may have changed: poll again.
    kBarrier,       // `barrier` of `channel`; not of a source.
    kEndOfChannel,  // Nothing more comes from `channel`; as kAgain. Not of a source.
    kNothing,       // Nothing now: poll again after a wake or at wake_deadline_ns().
    kEnd,           // Nothing ever again; the last mark was kMaxWatermark.
  };
  struct Next {
    State state = State::kNothing;
    int input = 0;
    int channel = 0;
    Batch batch{};
    BarrierSignal barrier{};
  };

  virtual ~TaskInput() = default;
  virtual Result<Next> poll() = 0;
  // False while it is unknown whether anything will come at all.
  [[nodiscard]] virtual bool has_started() const = 0;
  // Nothing comes and event time is not held back, but both may change.
  [[nodiscard]] virtual bool idle() const = 0;
  [[nodiscard]] virtual std::int64_t watermark() const = 0;
  [[nodiscard]] virtual std::int64_t wake_deadline_ns() const { return Steppable::kNever; }
};

}  // namespace clepsydra
