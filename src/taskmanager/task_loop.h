// A task: the operators of one chain, fed from a source or from channels, step by step.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "clepsydra/status.h"
#include "network/output_gate.h"
#include "operators/operator.h"
#include "operators/operator_chain.h"
#include "taskmanager/mailbox.h"
#include "taskmanager/result_exchange.h"
#include "taskmanager/source_driver.h"
#include "taskmanager/step_aside.h"
#include "taskmanager/task_checkpoint.h"
#include "taskmanager/task_events.h"
#include "taskmanager/task_id.h"
#include "taskmanager/task_input.h"
#include "taskmanager/task_metrics.h"
#include "taskmanager/task_phase.h"

namespace clepsydra {

class Clock;
class KeyedStateBackend;
class MemoryPool;

// What an operator of a chain emits, into a gate.
class GateOutput final : public Output {
 public:
  explicit GateOutput(std::unique_ptr<OutputGate> gate) : gate_(std::move(gate)) {}
  Status emit(Batch batch) override {
    has_emitted_ = true;
    return gate_->emit(batch);
  }
  // Whether anything was emitted since the last call.
  bool take_emitted() { return std::exchange(has_emitted_, false); }
  [[nodiscard]] OutputGate& gate() { return *gate_; }

 private:
  std::unique_ptr<OutputGate> gate_;
  bool has_emitted_ = false;
};

// Everything a task is made of; deployment.cc puts it together. Destroyed from the last to the
// first.
struct TaskParts {
  TaskId id;
  std::string name;  // "Window -> Sink: out (2/4)"
  const Clock* clock = nullptr;
  TaskEvents* events = nullptr;
  std::unique_ptr<Mailbox> mailbox;

  // One per operator; a source has no state.
  std::vector<std::shared_ptr<MemoryPool>> pools;
  std::vector<std::unique_ptr<KeyedStateBackend>> states;

  std::vector<std::unique_ptr<GateOutput>> outputs;
  std::vector<std::unique_ptr<ResultChannel::Sender>> senders;
  std::unique_ptr<TaskInput> input;
  SourceDriver* source = nullptr;  // The input, when it is one.
  // Filled by the sink writers at barriers and as they finish.
  std::unique_ptr<std::vector<OperatorCommittables>> committables;
  std::unique_ptr<OperatorChain> chain;

  // For its checkpoint.
  TaskCheckpointOptions checkpoint_options;
  FileSystem* files = nullptr;
  BlockingPool* blocking_pool = nullptr;
  std::shared_ptr<LocalCopies> local_copies;  // Null: none are kept.
  std::shared_ptr<const CheckpointOrders> checkpoint_orders;
  InputGate* gate = nullptr;  // Of the input, when it is no source.
  // Where barriers may overtake: by channel of the gate, and by output.
  std::vector<TaskInFlightParts::InputEnd> input_ends;
  std::vector<TaskInFlightParts::OutputEnd> output_ends;
  // It had finished before the checkpoint that the job goes on from: its operators are not asked
  // for anything, it only says so to its consumers.
  bool has_finished_before = false;
};

// One step: mail first, then a piece of what a checkpoint has frozen, then room in the outputs,
// then what operators left behind, then a checkpoint that begins, then processing time, then one
// batch of input. A task takes input only when all its outputs have room, so what it emits needs no
// bound but that of one step. Only what must go before a checkpoint that does not wait for room
// goes on without, up to a bound of its own.
//
// A batch of more rows than state has memory for in one step is taken in several.
//
// What operators and checkpoints do may read state that is on a disk. Then it is done on an I/O
// thread, a piece at a time, and the task waits: steps in between do nothing, mail is read after
// it, and the worker thread has other tasks to step.
//
// Threads: step() and wake_deadline_ns() one at a time; start(), mailbox() and metrics() any.
class Task final : public Steppable {
 public:
  explicit Task(TaskParts parts);
  ~Task() override;

  // Lets the task run: `waker` is its own, from WorkerPool::add(). Before that a step does nothing.
  void start(Waker waker);
  StepResult step() override;
  [[nodiscard]] std::int64_t wake_deadline_ns() const override { return wake_deadline_ns_; }

  [[nodiscard]] const TaskId& id() const { return parts_.id; }
  [[nodiscard]] const std::string& name() const { return parts_.name; }
  [[nodiscard]] Mailbox& mailbox() { return *parts_.mailbox; }
  [[nodiscard]] const TaskMetrics& metrics() const { return metrics_; }

 private:
  using Waiting = TaskMetricsSnapshot::Waiting;
  static constexpr std::int64_t kPublishEveryNs = 50'000'000;
  // While a checkpoint waits for memory.
  static constexpr std::int64_t kWriteAgainNs = 1'000'000;
  // A step that takes longer than it should.
  static constexpr std::int64_t kLongStepNs = 2'000'000;
  static constexpr int kPiecesBesideWorkMax = 1000;
  // What may wait for room while a checkpoint is prepared that does not wait.
  static constexpr std::int64_t kOverdraftBytesMax = 16 << 20;

  Status read_mail();
  Result<StepResult> run();
  // A piece that works on state, and the end of the step: at once, or aside.
  template <typename Piece>
  Result<StepResult> work(Piece piece);
  template <typename Piece>
  Status work_measured(Piece& piece);
  // A piece of the checkpoint; after a long step, which a sink may have waited in, as many as take
  // as long, or a checkpoint would need as many steps as ever and each of them that time.
  void write_beside_work();
  // False: nobody takes it.
  bool work_aside(std::function<Status()> piece);
  // State may be on a disk.
  [[nodiscard]] bool may_block() const;
  // Of a task that is stepped to prepare a checkpoint.
  Result<StepResult> prepare_checkpoint();
  // Before a savepoint that ends the job.
  Result<StepResult> drain();
  Result<StepResult> take_input();
  Result<StepResult> take_batch(TaskInput::Next next);
  // The next rows of a batch that state has no memory for in one step.
  Result<StepResult> take_rest();
  [[nodiscard]] std::int64_t step_rows_max() const;
  Result<StepResult> finish();
  Status finish_chain();
  Result<StepResult> wait_for(Waiting waiting);
  // Asks the gates for a wake; false: there is something to do already.
  bool prepare_to_wait();
  bool make_room();
  // For the sake of a checkpoint that overtakes, though there is no room.
  [[nodiscard]] bool may_overdraw() const;
  // Tells the consumers whether this task's input is idle: at first, and when that has changed.
  [[nodiscard]] bool must_flush_before_idling() const;
  Result<StepResult> flush_held_rows();
  Status announce_idleness();
  Status end_step();
  Status send(const Signal& signal);
  StepResult end(TaskPhase phase, const Status& status);
  void move_to(TaskPhase phase);
  [[nodiscard]] std::int64_t next_wake_ns() const;
  // Of processing time; kMaxWatermark: none.
  [[nodiscard]] std::int64_t next_timer_ms() const;
  [[nodiscard]] TaskMetricsSnapshot collect_metrics() const;
  // Counts the time since the last call for what the task waited for; from now on it waits for
  // `next`.
  void account_time(Waiting next);

  TaskParts parts_;
  Waker waker_;
  TaskCheckpoint checkpoint_;
  TaskMetrics metrics_;
  std::atomic<bool> started_{false};

  // The task's thread only.
  TaskPhase phase_ = TaskPhase::kCreated;
  Waiting waiting_ = Waiting::kInput;
  Waiting next_waiting_ = Waiting::kInput;  // Of a step that returns kBlocked.
  bool has_announced_ = false;
  bool announced_idle_ = false;
  bool has_flushed_ = false;   // Since the last input.
  bool is_finishing_ = false;  // The chain was told.
  bool has_drained_ = false;   // The source reads nothing more.
  bool has_sent_end_ = false;
  struct Rest {
    int input = 0;
    Batch batch = {};
    std::int64_t row = 0;  // The first one that is left.
  };
  std::optional<Rest> rest_;
  // What was last written aside of a checkpoint was more than nothing; else, when to try again.
  bool has_written_ = true;
  std::int64_t write_again_ns_ = kNever;
  std::int64_t worked_ns_ = 0;  // In the last step that did.
  bool has_unpublished_ = false;
  std::int64_t wake_deadline_ns_ = kNever;
  std::int64_t last_ns_ = 0;  // Time up to here is accounted for.
  std::int64_t published_ns_ = 0;
  std::int64_t backpressured_ns_ = 0;
  std::int64_t busy_ns_ = 0;
  std::int64_t idle_ns_ = 0;
  // Null: the task waits for no piece of its own. Goes first, as the piece works on all above.
  std::unique_ptr<StepAside> aside_;
};

}  // namespace clepsydra
