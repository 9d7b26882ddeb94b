// A task's part in checkpoints whose barriers overtake: sends them, and keeps what they overtook.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/fwd.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "stream/data_type.h"
#include "stream/stream_element.h"
#include "taskmanager/checkpoint_orders.h"
#include "taskmanager/in_flight_codec.h"
#include "taskmanager/state_upload.h"
#include "taskmanager/task_id.h"

namespace clepsydra {

class InputGate;
class OutputGate;

// What it works on; all of it outlives it.
struct TaskInFlightParts {
  // Who is at the other end of a channel of the gate.
  struct InputEnd {
    int edge = 0;
    int producer = 0;
    SchemaPtr schema = nullptr;  // Of what the edge sends.
  };
  struct OutputEnd {
    OutputGate* gate = nullptr;
    int edge = 0;
    int first_consumer = 0;  // Of the gate's first channel; the others follow.
    bool may_be_overtaken = false;
    SchemaPtr schema = nullptr;
  };
  TaskId task;
  bool is_enabled = false;
  std::int64_t overtake_after_ms = 0;
  std::int64_t inline_bytes_max = 0;
  const Clock* clock = nullptr;
  FileSystem* files = nullptr;
  BlockingPool* blocking_pool = nullptr;
  MemoryPool* pool = nullptr;
  InputGate* gate = nullptr;     // Null of a source.
  std::vector<InputEnd> inputs;  // By channel of the gate.
  std::vector<OutputEnd> outputs;
};

// From begin() on, which is where the state is frozen, it waits until the gate knows what every
// channel has in flight and no barrier stands in a backlog any more, and writes both, beside the
// task's other work.
//
// Threads: the task's.
class TaskInFlight {
 public:
  // What a task keeps in flight for one checkpoint at most; it pins that much memory.
  static constexpr std::int64_t kBytesMax = 256 << 20;

  explicit TaskInFlight(TaskInFlightParts parts) : parts_(std::move(parts)) {}

  void set_waker(Waker waker) { waker_ = std::move(waker); }

  // The barriers of such a checkpoint overtake, sooner or later.
  [[nodiscard]] bool overtakes(CheckpointKind kind) const {
    return parts_.is_enabled && kind == CheckpointKind::kCheckpoint;
  }
  // When its barriers do not wait any longer.
  [[nodiscard]] std::int64_t overtakes_at_ns(std::int64_t timestamp_ms) const;

  // What was delivered so far is before the checkpoint.
  void begin(const TaskCheckpointOrder& order);
  // To all outputs, of any checkpoint.
  Status send(const BarrierSignal& barrier);

  struct Progress {
    bool has_more = false;     // To be written now.
    bool is_complete = false;  // Or nothing has begun.
  };
  Result<Progress> write(bool has_time);
  // Begun, and not all of it is known yet.
  [[nodiscard]] bool is_gathering() const { return order_.has_value() && !has_gathered_; }
  // Encoded, and not in a file.
  [[nodiscard]] std::int64_t encoded_bytes() const;
  // When a barrier that waits in a backlog overtakes.
  [[nodiscard]] std::int64_t wake_deadline_ns() const;
  // Once it is complete; begin() may be called again.
  std::vector<InFlightFile> take_files(std::int64_t& written_bytes);
  void abandon();

 private:
  struct Piece {
    InFlightFile file;
    std::unique_ptr<InFlightEncoder> encoder;  // Null when it is encoded to its end.
    std::string bytes;
    std::int64_t written_bytes = 0;
    std::shared_ptr<StateUpload> upload;
    bool is_there = false;
  };

  [[nodiscard]] bool has_waiting_barrier() const;
  void overtake();
  // True: everything is known.
  Result<bool> gather();
  void add_piece(int edge, bool is_output, const SchemaPtr& schema,
                 std::vector<InFlightOf> channels);
  // True: there is more to write now.
  Result<bool> encode(Piece& piece, bool has_time);
  void upload(Piece& piece);

  const TaskInFlightParts parts_;
  Waker waker_;
  std::optional<TaskCheckpointOrder> order_;
  bool has_sent_ = false;
  bool has_gathered_ = false;
  std::vector<Piece> pieces_;  // By edge and end.
  std::size_t next_ = 0;       // Piece to encode.
};

}  // namespace clepsydra
