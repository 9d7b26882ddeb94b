// What a channel held when a barrier overtook it.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/batch.h"
#include "stream/stream_element.h"

namespace clepsydra {

// Where the consumer stood, and what came between there and the barrier: batches, watermarks and
// words about idleness, in order. Of barriers and of the end of the channel nothing is kept but
// `has_ended`.
struct InFlightChannel {
  bool has_spoken = false;
  bool is_idle = false;
  bool has_ended = false;  // Before the barrier.
  std::int64_t watermark = kMinWatermark;
  std::vector<StreamElement> elements = {};
};

// Rows that are under way to a task that is restored: they are delivered before anything live.
// Their producer may have other splits now: what the live channels say of event time begins anew.
struct RecoveredChannel {
  int input = 0;
  // Whose it was, as far as it belongs to this task now. Each former subtask had its own view of
  // event time, and its rows are judged by that.
  int former_consumer = 0;
  InFlightChannel content = {};
};

}  // namespace clepsydra
