// A task's part in checkpoints. The only file of this room that knows what a barrier means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/fwd.h"
#include "base/memory_pool.h"
#include "checkpoint/barrier_aligner.h"
#include "checkpoint/checkpoint_types.h"
#include "checkpoint/overtaking_aligner.h"
#include "clepsydra/status.h"
#include "stream/stream_element.h"
#include "taskmanager/checkpoint_orders.h"
#include "taskmanager/mailbox.h"
#include "taskmanager/state_upload.h"
#include "taskmanager/task_events.h"
#include "taskmanager/task_id.h"
#include "taskmanager/task_in_flight.h"

namespace clepsydra {

class InputGate;
class KeyedStateBackend;
class OperatorChain;
class SourceDriver;
class StateSnapshot;

struct TaskCheckpointOptions {
  bool exactly_once = true;  // Else: channels are not held while others' barriers are awaited.
  bool incremental = true;   // What changed, not all of it, where there is something to add to.
  std::int64_t inline_bytes_max = 20 << 10;  // Less goes into the acknowledgement.
  // Barriers of checkpoints overtake, when a checkpoint is so old.
  bool overtakes = false;
  std::int64_t overtake_after_ms = 0;
};

// What it works on; all of it outlives it.
struct TaskCheckpointParts {
  TaskId task;
  TaskCheckpointOptions options;
  const Clock* clock = nullptr;
  TaskEvents* events = nullptr;
  FileSystem* files = nullptr;
  BlockingPool* blocking_pool = nullptr;
  std::shared_ptr<LocalCopies> local_copies;  // Null: none are kept.
  std::shared_ptr<const CheckpointOrders> orders;
  OperatorChain* chain = nullptr;
  std::vector<KeyedStateBackend*> states;  // By operator; null where there is none.
  InputGate* gate = nullptr;               // Null of a source.
  const SourceDriver* source = nullptr;    // Null of a task with channels.
  // Where operators leave what they prepared.
  std::vector<OperatorCommittables>* handed_over = nullptr;
  MemoryPool* pool = nullptr;
  std::vector<TaskInFlightParts::InputEnd> inputs;  // By channel of the gate.
  std::vector<TaskInFlightParts::OutputEnd> outputs;
};

// A checkpoint goes through the task like this:
//   begun      by a trigger, or as the barriers of all channels are there. The task takes no input;
//   flushed    operators gave out what must leave before the barrier, in as many steps as it takes;
//   frozen     operators have prepared, the barrier was sent on, the state of every operator frozen
//              in constant time, positions and committables noted. The task goes on;
//   written    beside the task's other work, a piece per step: small state into the
//              acknowledgement, the rest into files;
//   acknowledged.
// What goes wrong from "frozen" on is told (declined), and the task goes on. The checkpoint may be
// aborted at any moment. One is written at a time; a newer one waits for that, unless it was
// aborted.
//
// Where barriers may overtake, a checkpoint begins when the aligner says so, and does not wait for
// room in the outputs; it is acknowledged when what its barriers overtook is written too.
//
// What operators prepared is handed to the JobManager once: with the first acknowledgement after
// it, or with the end of the task.
//
// Threads: the task's.
class TaskCheckpoint {
 public:
  explicit TaskCheckpoint(TaskCheckpointParts parts);
  ~TaskCheckpoint();
  TaskCheckpoint(const TaskCheckpoint&) = delete;
  TaskCheckpoint& operator=(const TaskCheckpoint&) = delete;

  // Before the task is first stepped.
  void set_waker(Waker waker) {
    waker_ = std::move(waker);
    in_flight_.set_waker(waker_);
  }

  // From the JobManager.
  void trigger(TaskCheckpointOrder order);
  void end(const CheckpointEndMail& mail);
  // From the input.
  void take_barrier(int channel, const BarrierSignal& barrier);
  void end_of_channel(int channel);
  // Barriers that were announced, and the time at which they overtake: at the beginning of a step.
  void watch_channels();
  // The task's input has ended: nothing begins any more.
  void stop_beginning() { may_begin_ = false; }

  // True: the task takes no input and lets no timer fire. Once is_writing() is false it calls
  // prepare() whenever nothing is pending and its outputs have room.
  [[nodiscard]] bool is_preparing() const { return !begun_.empty(); }
  // The job ends with the one that is prepared: the operators finish before prepare() is called.
  [[nodiscard]] bool drains() const { return !begun_.empty() && begun_.front().order.drains; }
  // The checkpoint that is prepared does not wait for room: what is pending, and what was taken
  // from the channels and not delivered, goes on without.
  [[nodiscard]] bool overtakes_now() const;
  // Something that was taken from the channels belongs before the checkpoint.
  [[nodiscard]] bool needs_input() const;
  // The operators have not given out yet what must leave before the barrier: flush() is called
  // before prepare().
  [[nodiscard]] bool needs_flush() const { return !begun_.empty() && !begun_.front().is_flushed; }
  Status flush();
  // A barrier: to be sent to all outputs, after what was emitted. `may_send`: the task has said its
  // first word; else the barrier waits for take_waiting_barrier(). Errors are the task's.
  Result<std::optional<BarrierSignal>> prepare(bool may_send);
  // The first word was said: the barrier that goes behind it.
  std::optional<BarrierSignal> take_waiting_barrier() {
    return std::exchange(waiting_barrier_, std::nullopt);
  }

  // To all outputs, after what was emitted.
  Status send(const BarrierSignal& barrier) { return in_flight_.send(barrier); }
  // When it has to be stepped even if nobody wakes the task.
  [[nodiscard]] std::int64_t wake_deadline_ns() const;

  // Writes a piece of what is frozen; `has_time`: the task has nothing else to do. True: there is
  // more to write now; else a wake comes when there is again.
  bool write(bool has_time);
  // Something is frozen and not acknowledged.
  [[nodiscard]] bool is_writing() const { return writing_ != nullptr; }
  // write() reads state next, which may be on a disk.
  [[nodiscard]] bool reads_state() const;

  // At the end of the task: what was prepared and is in no acknowledgement.
  std::vector<OperatorCommittables> take_committables();

 private:
  struct Begun {
    TaskCheckpointOrder order;
    std::int64_t begun_ns = 0;
    std::int64_t alignment_ns = 0;
    bool is_flushed = false;
  };
  // The snapshots of one operator that make its state, oldest first.
  using Chain = std::vector<StateFile>;
  // An operator's state that is being written.
  struct Piece {
    int op = 0;
    KeyedStateBackend* state = nullptr;
    std::unique_ptr<StateSnapshot> snapshot;  // Null when it is encoded to its end.
    bool is_base = false;
    std::size_t outdated = 0;         // Files at the beginning of its chain.
    std::int64_t rows_per_step = 64;  // As many as keep to the bounds of a step.
    std::string bytes;                // Encoded and not uploaded.
    std::int64_t written_bytes = 0;
    std::shared_ptr<StateUpload> upload;  // Null as long as it may go into the acknowledgement.
    std::optional<StateFile> file;
  };
  struct Writing {
    TaskCheckpointOrder order;
    TaskSnapshot snapshot;
    std::vector<SourceSplit> splits;
    std::vector<Piece> pieces;
    std::size_t next = 0;  // Piece to encode.
    std::int64_t inline_bytes = 0;
  };
  // The last one acknowledged, as long as nobody knows whether it completes.
  struct Acknowledged {
    CheckpointId id = 0;
    std::vector<KeyedStateBackend*> states;
    std::vector<Chain> chains;  // By operator.
  };

  void follow(const BarrierAligner::Action& action, int channel);
  void follow(const OvertakingAligner::Action& action, int channel);
  void begin(CheckpointId id, std::int64_t alignment_ns);
  // Where barriers overtake there is one checkpoint at a time: those before `id` will not complete.
  void give_up_before(CheckpointId id);
  void begin(TaskCheckpointOrder order, std::int64_t alignment_ns);
  void freeze(const Begun& begun);
  [[nodiscard]] bool wants_base(std::size_t op, const TaskCheckpointOrder& order) const;
  // Encodes some more of a piece, bounded in rows, bytes and time. True: there is no room for more
  // now.
  Result<bool> encode(Piece& piece, bool has_time);
  // Counts what is encoded and not in a file as the task's memory.
  Status charge();
  // What was encoded goes into the upload, or, when that was all of little, into the answer.
  void put_away(Piece& piece);
  void upload(Piece& piece);
  // True: all files are there.
  Result<bool> collect_files();
  void acknowledge();
  // Gives up what is being written; the next checkpoint has what it would have had.
  void abandon();
  void forget_acknowledged(bool completed);
  // chains_ is what this checkpoint consists of, and it has completed.
  void confirm_local_copies(CheckpointId id);
  void take_handed_over();
  void decline(CheckpointId id, const Status& reason);

  const TaskCheckpointParts parts_;
  Waker waker_;
  TaskInFlight in_flight_;
  std::optional<BarrierAligner> aligner_;        // Of a task with channels.
  std::optional<OvertakingAligner> overtaking_;  // Of such a task, where barriers overtake.
  std::int64_t overtakes_at_ns_ = 0;             // What it aligns.
  CheckpointId aligning_ = 0;
  std::int64_t aligning_since_ns_ = 0;
  bool may_begin_ = true;

  std::deque<Begun> begun_;
  std::optional<BarrierSignal> waiting_barrier_;
  std::unique_ptr<Writing> writing_;
  Reservation encoded_;  // Of writing_.
  std::optional<Acknowledged> acknowledged_;
  // Acknowledged, and taken for not completed when the next one was frozen. If one of them has
  // completed after all, what chains_ has may be gone: the next one is written anew.
  std::set<CheckpointId> given_up_;
  bool is_behind_ = false;
  std::vector<Chain> chains_;  // By operator; of the last checkpoint known to be complete.
  std::vector<OperatorCommittables> prepared_;  // In no acknowledgement yet.
};

}  // namespace clepsydra
