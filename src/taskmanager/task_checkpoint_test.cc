// Tasks and their checkpoints, on virtual time: what is part of one, what it holds up, what ends
// it.
#include "taskmanager/task_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "base/simulated_worker_pool.h"
#include "checkpoint/checkpoint_storage.h"
#include "network/input_gate.h"
#include "operators/operator_registry.h"
#include "state/state_backend.h"
#include "taskmanager/input_driver.h"
#include "taskmanager/task_loop.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::schema_of;
using ::testing::SizeIs;
using testing::test_pool;

// A list that only grows: a snapshot is its lines, or those since the last one confirmed.
class LinesState final : public KeyedStateBackend {
 public:
  class Snapshot final : public StateSnapshot {
   public:
    Snapshot(LinesState& state, bool is_base)
        : state_(state),
          is_base_(is_base),
          next_(is_base ? 0 : state.confirmed_),
          end_(state.lines.size()) {
      state_.is_frozen_ = true;
    }
    ~Snapshot() override { state_.is_frozen_ = false; }
    Result<bool> write_some(std::int64_t rows_max, std::string& out) override {
      if (state_.fails_to_write) return Status::internal("cannot encode");
      ++state_.pieces_written;
      const std::size_t before = out.size();
      for (std::int64_t i = 0; i < rows_max && next_ < end_; ++i) {
        out += state_.lines[next_++] + "\n";
      }
      state_.largest_piece = std::max(state_.largest_piece, out.size() - before);
      if (next_ == end_) state_.written_ = end_;
      return next_ == end_;
    }
    [[nodiscard]] bool is_base() const override { return is_base_; }
    [[nodiscard]] std::size_t outdated() const override { return state_.outdated; }

   private:
    LinesState& state_;
    const bool is_base_;
    std::size_t next_;
    const std::size_t end_;
  };

  Status restore(RestoredState state) override {
    for (const RestoredState::Part& part : state.parts) {
      for (const SnapshotBytes& bytes : part.snapshots) {
        std::string room;
        CLP_ASSIGN_OR_RETURN(const std::string_view snapshot, bytes.read(0, bytes.size(), room));
        std::size_t begin = 0;
        for (std::size_t end = snapshot.find('\n'); end != std::string_view::npos;
             end = snapshot.find('\n', begin)) {
          lines.emplace_back(snapshot.substr(begin, end - begin));
          begin = end + 1;
        }
      }
    }
    return Status::ok();
  }
  [[nodiscard]] std::vector<std::string> unclaimed() const override { return {}; }
  Result<std::unique_ptr<StateSnapshot>> freeze(bool as_base) override {
    if (is_frozen_) return Status::failed_precondition("frozen already");
    return std::make_unique<Snapshot>(*this, as_base || confirmed_ == 0);
  }
  void confirm(bool completed) override {
    EXPECT_FALSE(is_frozen_) << "confirmed while another snapshot is written";
    if (completed) confirmed_ = written_;
  }
  Result<std::int64_t*> open_number(std::string_view, std::int64_t, NumberMerge) override {
    return Status::unimplemented("not in this test");
  }
  Result<std::vector<std::string>*> open_list(std::string_view, ListMode) override {
    return &lines;
  }
  Result<KeyedRows*> open_rows(KeyedRowsSpec) override {
    return Status::unimplemented("not in this test");
  }
  TimerService& open_timers(std::string_view) override { std::abort(); }

  std::vector<std::string> lines;
  bool fails_to_write = false;
  std::size_t outdated = 0;  // As its snapshots say.
  int pieces_written = 0;
  std::size_t largest_piece = 0;

 private:
  bool is_frozen_ = false;
  std::size_t confirmed_ = 0;
  std::size_t written_ = 0;
};

// Remembers every row in its state at once and passes it on only when it is flushed, one row per
// step; of large batches only the first row, so that tests with much state take no time. At a
// barrier it hands over "<rows so far>" when there were any since the last.
class HoldingOperator final : public Operator {
 public:
  HoldingOperator(std::vector<std::string>* lines, OperatorContext& context, bool fails)
      : lines_(lines), context_(&context), fails_(fails) {}

  Status process(int /*input*/, Batch batch, Output& output) override {
    for (const std::string& line : lines_of(batch)) {
      if (line.starts_with("@")) return output.emit(std::move(batch));
      lines_->push_back(line);
      if (batch.rows() < 1000 || held_.empty()) held_.push_back(line);
    }
    return Status::ok();
  }
  [[nodiscard]] bool has_pending() const override { return is_giving_; }
  Status resume(Output& output) override { return give(output); }
  Status flush(Output& output) override { return give(output); }
  Status finish(Output& output) override {
    hand_over();
    return give(output);
  }
  Status prepare_checkpoint() override {
    EXPECT_THAT(held_, IsEmpty()) << "prepared before everything was flushed";
    if (fails_) return Status::internal("cannot prepare");
    hand_over();
    return Status::ok();
  }

 private:
  Status give(Output& output) {
    is_giving_ = held_.size() > 1;
    if (held_.empty()) return Status::ok();
    const std::string line = held_.front();
    held_.erase(held_.begin());
    return output.emit(batch_of("k BIGINT", {line}));
  }
  void hand_over() {
    if (lines_->size() == handed_over_) return;
    handed_over_ = lines_->size();
    context_->hand_over_committables({std::to_string(handed_over_)});
  }

  std::vector<std::string>* lines_;
  OperatorContext* context_;
  const bool fails_;
  std::size_t handed_over_ = 0;
  std::vector<std::string> held_;
  bool is_giving_ = false;
};

Result<OperatorPtr> make_holding(const OperatorSpec& spec, OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(std::vector<std::string> * lines,
                       context.state->open_list("lines", ListMode::kSplit));
  return std::make_unique<HoldingOperator>(lines, context,
                                           spec.options.get_bool_or("fails", false));
}

class RecordingEvents final : public TaskEvents {
 public:
  void request_splits(const TaskId& /*task*/) override {}
  void report_alignment(const TaskId& /*task*/, std::int64_t /*watermark*/) override {}
  void task_ended(TaskEnd end) override { ends.push_back(std::move(end)); }
  void checkpoint_acknowledged(const TaskId& /*task*/, CheckpointId checkpoint,
                               const TaskSnapshot& snapshot) override {
    acknowledged.emplace_back(checkpoint, snapshot);
    order.push_back("acknowledged " + std::to_string(checkpoint));
  }
  void checkpoint_declined(const TaskId& /*task*/, CheckpointId checkpoint,
                           const Status& reason) override {
    declined.emplace_back(checkpoint, reason);
    order.push_back("declined " + std::to_string(checkpoint) + ": " + reason.to_string());
  }

  std::vector<TaskEnd> ends;
  std::vector<std::pair<CheckpointId, TaskSnapshot>> acknowledged;
  std::vector<std::pair<CheckpointId, Status>> declined;
  std::vector<std::string> order;
};

class TaskCheckpointTest : public ::testing::Test {
 public:
  ~TaskCheckpointTest() override { close(); }

 protected:
  TaskCheckpointTest() {
    registry_.add({.kind = "holding", .inputs = 1, .make = make_holding});
    EXPECT_TRUE(files_.create_directories("/job").is_ok());
    EXPECT_TRUE(files_.create_directories("/savepoint").is_ok());
  }

  // A task with one channel per input and one output.
  void open(int channels, RestoredState restored = {}) {
    close();
    inputs_.clear();
    TaskParts parts;
    parts.id = {JobId(), 3, 1, attempt_};
    parts.name = "task";
    parts.clock = &clock_;
    parts.events = &events_;
    parts.mailbox = std::make_unique<Mailbox>();
    parts.has_finished_before = has_finished_before_;
    parts.pools.push_back(pool_of_memory_->make_child("holding", memory_bytes_max_));
    auto state = std::make_unique<LinesState>();
    state_ = state.get();
    ASSERT_TRUE(state_->restore(std::move(restored)).is_ok());
    parts.states.push_back(std::move(state));
    parts.committables = std::make_unique<std::vector<OperatorCommittables>>();
    std::vector<InputGate::Channel> gate_channels;
    for (int i = 0; i < channels; ++i) {
      inputs_.push_back(std::make_shared<LocalChannel>(1 << 20));
      gate_channels.push_back({inputs_.back(), 0, options_.overtakes});
      if (options_.overtakes) parts.input_ends.push_back({0, i, schema_of("k BIGINT")});
    }
    auto input =
        std::make_unique<InputDriver>(InputGate(std::move(gate_channels), {schema_of("k BIGINT")}));
    parts.gate = &input->gate();
    parts.input = std::move(input);
    output_ = std::make_shared<LocalChannel>(output_bytes_max_);
    OutputGateOptions options;
    options.schema = schema_of("k BIGINT");
    options.rows_max = 1;
    options.pool = &test_pool();
    parts.outputs.push_back(std::make_unique<GateOutput>(std::make_unique<OutputGate>(
        std::move(options), std::vector<std::shared_ptr<LocalChannel>>{output_})));
    OperatorChain::Link link;
    link.spec.kind = "holding";
    link.spec.name = "holding";
    link.spec.inputs = {schema_of("k BIGINT")};
    link.spec.options = ValueTree::map().set("fails", fails_to_prepare_);
    auto chain = OperatorChain::make(
        {link},
        {.context = [&](int op, const OperatorSpec&) -> Result<OperatorContext> {
           OperatorContext context;
           context.pool = &test_pool();
           context.state = parts.states[0].get();
           context.hand_over_committables = [to = parts.committables.get(),
                                             op](std::vector<std::string> committables) {
             to->push_back({op, std::move(committables)});
           };
           return context;
         },
         .outputs = [&](int) { return std::vector<Output*>{parts.outputs[0].get()}; }},
        registry_);
    ASSERT_TRUE(chain.is_ok()) << chain.status().to_string();
    parts.chain = *std::move(chain);
    parts.checkpoint_options = options_;
    parts.files = &files_;
    parts.blocking_pool = &io_;
    orders_ = std::make_shared<CheckpointOrders>();
    parts.checkpoint_orders = orders_;
    task_ = std::make_unique<Task>(std::move(parts));
    const Waker waker =
        workers_.add(task_.get(), {.on_done = [this] { is_done_ = true; }, .name = "task"});
    for (const auto& channel : inputs_) channel->set_wakers(Waker(), waker);
    output_->set_wakers(waker, Waker());
    task_->start(waker);
    for (int i = 0; i < channels; ++i) send(i, IdleSignal{false});
    run();
    EXPECT_THAT(take(), ElementsAre("active"));
  }
  // The task is cancelled and gone.
  void close() {
    if (task_ == nullptr) return;
    if (!is_done_) task_->mailbox().post_cancel();
    run();
    EXPECT_TRUE(is_done_);
    is_done_ = false;
    task_.reset();
  }

  void run() { workers_.run_until_idle(); }
  void push(int channel, std::string_view row) {
    StreamElement element = batch_of("k BIGINT", {row});
    ASSERT_TRUE(inputs_[static_cast<std::size_t>(channel)]->try_push(element, 8));
  }
  // Rows from `begin` on, in one batch.
  void push_rows(int channel, int begin, int count) {
    std::vector<std::string> rows;
    for (int i = 0; i < count; ++i) rows.push_back(std::to_string(begin + i));
    StreamElement element =
        batch_of("k BIGINT", std::vector<std::string_view>(rows.begin(), rows.end()));
    ASSERT_TRUE(inputs_[static_cast<std::size_t>(channel)]->try_push(element, 8));
  }
  void send(int channel, Signal signal) {
    StreamElement element = signal;
    ASSERT_TRUE(inputs_[static_cast<std::size_t>(channel)]->try_push(element, 0));
  }
  // What the JobManager tells everybody before the first barrier.
  void order(CheckpointId id, CheckpointKind kind = CheckpointKind::kCheckpoint,
             bool as_base = false) {
    kind_ = kind;
    orders_->add({.id = id,
                  .timestamp_ms = 1000 * id,
                  .kind = kind,
                  .folder = kind == CheckpointKind::kSavepoint ? "/savepoint" : folder_,
                  .as_base = as_base});
  }
  void barrier(int channel, CheckpointId id) { send(channel, BarrierSignal{id, 1000 * id, kind_}); }
  void checkpoint(CheckpointId id, CheckpointKind kind = CheckpointKind::kCheckpoint) {
    order(id, kind);
    for (int i = 0; i < static_cast<int>(inputs_.size()); ++i) barrier(i, id);
    run();
  }
  void announce(int channel, CheckpointId id) {
    inputs_[static_cast<std::size_t>(channel)]->announce({id, 1000 * id, kind_});
  }
  void end(CheckpointId id, bool completed) {
    task_->mailbox().post_checkpoint_ended(id, completed);
    run();
  }
  // All that the task has sent: rows, "barrier 1", ...
  std::vector<std::string> take() {
    std::vector<std::string> taken;
    while (true) {
      StreamElement element;
      if (!output_->try_pop(element)) {
        run();
        if (!output_->try_pop(element)) return taken;
      }
      if (const Batch* batch = as_batch(element)) {
        for (const std::string& line : lines_of(*batch)) taken.push_back(line);
      } else if (const auto* of = as_signal<BarrierSignal>(element)) {
        EXPECT_EQ(of->timestamp_ms, 1000 * of->checkpoint_id);
        EXPECT_EQ(of->kind, kind_);
        taken.push_back("barrier " + std::to_string(of->checkpoint_id));
      } else if (const auto* idle = as_signal<IdleSignal>(element)) {
        taken.emplace_back(idle->idle ? "idle" : "active");
      } else if (const auto* watermark = as_signal<WatermarkSignal>(element)) {
        EXPECT_EQ(watermark->watermark, kMaxWatermark);
        taken.emplace_back("end of time");
      } else if (as_signal<EndOfInputSignal>(element) != nullptr) {
        taken.emplace_back("end");
      }
    }
  }
  // The state that the last acknowledgement would bring back.
  std::vector<std::string> restored_lines() {
    LinesState state;
    EXPECT_TRUE(state.restore(acknowledged_state()).is_ok());
    return state.lines;
  }
  RestoredState acknowledged_state() {
    RestoredState restored;
    for (const StateFile& file : last_files()) {
      Result<std::string> bytes = read_state(files_, last_folder(), file);
      EXPECT_TRUE(bytes.is_ok()) << bytes.status().to_string();
      if (restored.parts.empty()) restored.parts.emplace_back();
      if (bytes.is_ok()) restored.parts[0].snapshots.emplace_back(*std::move(bytes));
    }
    return restored;
  }
  std::vector<StateFile> last_files() {
    const TaskSnapshot& snapshot = events_.acknowledged.back().second;
    return snapshot.operators.empty() ? std::vector<StateFile>() : snapshot.operators[0].files;
  }
  std::string last_folder() { return kind_ == CheckpointKind::kSavepoint ? "/savepoint" : folder_; }
  std::vector<std::string> last_committables() {
    const TaskSnapshot& snapshot = events_.acknowledged.back().second;
    return snapshot.operators.empty() ? std::vector<std::string>()
                                      : snapshot.operators[0].committables;
  }
  std::vector<std::string> files_in(const std::string& folder) {
    std::vector<std::string> names;
    const Result<std::vector<FileInfo>> listed = files_.list(folder);
    if (!listed.is_ok()) return names;
    for (const FileInfo& file : *listed) names.push_back(file.name);
    return names;
  }
  static std::vector<std::string> numbers(int begin, int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(std::to_string(begin + i));
    return all;
  }

  SimulatedClock clock_;
  SimulatedWorkerPool workers_{clock_, {.seed = 7}};
  SimulatedBlockingPool io_{workers_};
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> pool_of_memory_ = MemoryPool::make_root("test");
  OperatorRegistry registry_;
  RecordingEvents events_;
  TaskCheckpointOptions options_;
  std::string folder_ = "/job";
  std::int64_t output_bytes_max_ = 1 << 20;
  std::int64_t memory_bytes_max_ = MemoryPool::kUnlimited;
  bool fails_to_prepare_ = false;
  bool has_finished_before_ = false;
  int attempt_ = 0;
  CheckpointKind kind_ = CheckpointKind::kCheckpoint;
  std::vector<std::shared_ptr<LocalChannel>> inputs_;
  std::shared_ptr<LocalChannel> output_;
  std::shared_ptr<CheckpointOrders> orders_;
  LinesState* state_ = nullptr;
  bool is_done_ = false;
  std::unique_ptr<Task> task_;
};

TEST_F(TaskCheckpointTest, the_barrier_goes_behind_what_operators_held_and_before_what_comes_next) {
  open(1);
  push_rows(0, 1, 3);
  order(5);
  barrier(0, 5);
  push(0, "9");
  run();
  EXPECT_THAT(take(), ElementsAre("1", "2", "3", "barrier 5", "9"));
  ASSERT_THAT(events_.acknowledged, SizeIs(1));
  EXPECT_EQ(events_.acknowledged[0].first, 5);
  EXPECT_THAT(restored_lines(), ElementsAre("1", "2", "3"));
  // Little state is in the acknowledgement.
  EXPECT_THAT(last_files(), ElementsAre(StateFile{"", "1\n2\n3\n", 6, hash64("1\n2\n3\n")}));
  EXPECT_THAT(files_in("/job"), IsEmpty());
}

// Event time goes on without who is idle: rows that come after would be late.
TEST_F(TaskCheckpointTest, what_operators_hold_goes_before_idleness) {
  open(1);
  push(0, "1");
  push(0, "2");
  send(0, IdleSignal{true});
  EXPECT_THAT(take(), ElementsAre("1", "2", "idle"));
}

TEST_F(TaskCheckpointTest, rows_behind_the_first_barrier_wait_for_the_last) {
  open(2);
  order(1);
  barrier(0, 1);
  push(0, "10");
  push(1, "1");
  run();
  EXPECT_THAT(take(), ElementsAre("1"));
  clock_.advance_ms(20);
  push(1, "2");
  barrier(1, 1);
  push(1, "20");
  run();
  const std::vector<std::string> taken = take();
  EXPECT_THAT(taken, ::testing::IsSupersetOf({"2", "barrier 1", "10", "20"}));
  EXPECT_EQ(taken[1], "barrier 1");
  EXPECT_THAT(restored_lines(), ElementsAre("1", "2"));
  EXPECT_GE(events_.acknowledged[0].second.alignment_ns, 20'000'000);
}

TEST_F(TaskCheckpointTest, at_least_once_holds_nobody) {
  options_.exactly_once = false;
  open(2);
  order(1);
  barrier(0, 1);
  push(0, "10");
  run();
  EXPECT_THAT(take(), ElementsAre("10"));
  barrier(1, 1);
  EXPECT_THAT(take(), ElementsAre("barrier 1"));
  EXPECT_THAT(restored_lines(), ElementsAre("10"));
}

TEST_F(TaskCheckpointTest, large_state_goes_into_a_file_in_pieces_while_rows_go_on) {
  open(1);
  push_rows(0, 0, 20'000);
  run();
  take();
  order(4);
  barrier(0, 4);
  push(0, "77");
  run();
  EXPECT_THAT(take(), ElementsAre("barrier 4", "77"));
  EXPECT_GE(state_->pieces_written, 4);
  ASSERT_THAT(events_.order, ElementsAre("acknowledged 4"));
  ASSERT_THAT(last_files(), SizeIs(1));
  EXPECT_EQ(last_files()[0].path,
            state_file_path(4, CheckpointKind::kCheckpoint, true, 0, 3, 1, 0));
  EXPECT_EQ(restored_lines(), numbers(0, 20'000));
  EXPECT_EQ(events_.acknowledged[0].second.written_bytes, last_files()[0].bytes);
}

TEST_F(TaskCheckpointTest, rows_that_are_large_are_written_in_steps_of_bounded_bytes) {
  open(1);
  for (int i = 0; i < 400; ++i) state_->lines.emplace_back(64 << 10, 'x');
  checkpoint(1);
  ASSERT_THAT(events_.acknowledged, SizeIs(1));
  // The first step finds out that rows are large, the next ones know.
  EXPECT_LE(state_->largest_piece, 64U * 65U << 10);
  EXPECT_GE(state_->pieces_written, 10);
  EXPECT_EQ(restored_lines().size(), 400);
}

TEST_F(TaskCheckpointTest, what_is_encoded_is_counted_as_the_tasks_memory) {
  memory_bytes_max_ = 10 << 20;
  open(1);
  for (int i = 0; i < 300; ++i) state_->lines.emplace_back(64 << 10, 'x');
  checkpoint(1);
  ASSERT_THAT(events_.acknowledged, SizeIs(1));  // It was written as it was encoded.
  EXPECT_EQ(pool_of_memory_->used_bytes(), 0);
  EXPECT_GT(pool_of_memory_->peak_bytes(), 1 << 20);
  EXPECT_LE(pool_of_memory_->peak_bytes(), 10 << 20);
  // A row that does not fit is a refusal, not the end of the task.
  state_->lines.emplace_back(11 << 20, 'y');
  checkpoint(2);
  ASSERT_THAT(events_.declined, SizeIs(1));
  EXPECT_EQ(pool_of_memory_->used_bytes(), 0);
  push(0, {"8"});
  run();
  EXPECT_FALSE(is_done_);
}

TEST_F(TaskCheckpointTest, full_backpressure_stops_neither_the_barrier_nor_the_writing) {
  output_bytes_max_ = LocalChannel::kElementBytesMin;
  open(1);
  push_rows(0, 0, 20'000);
  push_rows(0, 20'000, 3);
  order(4);
  barrier(0, 4);
  push_rows(0, 30'000, 3);
  run();
  // Nobody reads: the rows wait one by one, and the barrier behind them.
  EXPECT_THAT(events_.order, IsEmpty());
  for (int i = 0; i < 4; ++i) {
    StreamElement element;
    ASSERT_TRUE(output_->try_pop(element));
    run();
  }
  // The ring holds the barrier; there is no room for anything behind it.
  EXPECT_FALSE(output_->has_room());
  EXPECT_THAT(events_.order, ElementsAre("acknowledged 4"));
  EXPECT_EQ(restored_lines(), numbers(0, 20'003));
  EXPECT_THAT(take(), ElementsAre("barrier 4", "30000", "30001", "30002"));
}

TEST_F(TaskCheckpointTest, what_changed_is_added_to_what_is_known_to_be_complete) {
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(1);
  end(1, true);
  push_rows(0, 10'000, 5);
  checkpoint(2);
  ASSERT_THAT(last_files(), SizeIs(2));
  EXPECT_EQ(last_files()[0].path, state_file_path(1, kind_, true, 0, 3, 1, 0));
  EXPECT_EQ(last_files()[1].inline_bytes, "10000\n10001\n10002\n10003\n10004\n");
  EXPECT_EQ(events_.acknowledged.back().second.written_bytes, 30);
  // 2 never completes: 3 has its changes too, and does not build upon it.
  end(2, false);
  push(0, "10005");
  checkpoint(3);
  ASSERT_THAT(last_files(), SizeIs(2));
  EXPECT_EQ(restored_lines(), numbers(0, 10'006));
  end(3, true);
  // Nothing new: nothing is added.
  checkpoint(4);
  EXPECT_THAT(last_files(), SizeIs(2));
  EXPECT_EQ(restored_lines(), numbers(0, 10'006));
  EXPECT_EQ(events_.acknowledged.back().second.written_bytes, 0);
}

TEST_F(TaskCheckpointTest, one_whose_end_nobody_has_told_is_not_built_upon) {
  open(1);
  push_rows(0, 0, 10);
  checkpoint(1);
  end(1, true);
  push(0, "10");
  checkpoint(2);
  push(0, "11");
  checkpoint(3);
  EXPECT_EQ(restored_lines(), numbers(0, 12));
  // Too late: 3 was made without it, and 4 must not miss what 3 has.
  end(2, true);
  end(3, true);
  push(0, "12");
  checkpoint(4);
  EXPECT_EQ(restored_lines(), numbers(0, 13));
  EXPECT_THAT(last_files(), SizeIs(3));
}

// What the task would build upon is older than the last one that completed, and may be gone.
TEST_F(TaskCheckpointTest, after_one_whose_end_came_too_late_everything_is_written_anew) {
  open(1);
  push_rows(0, 0, 10);
  checkpoint(1);
  end(1, true);
  push(0, "10");
  checkpoint(2);
  push(0, "11");
  checkpoint(3);
  end(2, true);
  end(3, false);
  push(0, "12");
  checkpoint(4);
  EXPECT_EQ(restored_lines(), numbers(0, 13));
  EXPECT_THAT(last_files(), SizeIs(1));
  end(4, true);
  push(0, "13");
  checkpoint(5);
  EXPECT_EQ(restored_lines(), numbers(0, 14));
  EXPECT_THAT(last_files(), SizeIs(2));
}

TEST_F(TaskCheckpointTest, a_newer_one_waits_until_the_one_before_is_written) {
  open(1);
  push_rows(0, 0, 100'000);
  run();
  take();
  order(1);
  order(2);
  barrier(0, 1);
  push(0, "100000");
  barrier(0, 2);
  push(0, "100001");
  run();
  EXPECT_THAT(take(), ElementsAre("barrier 1", "100000", "barrier 2", "100001"));
  ASSERT_THAT(events_.order, ElementsAre("acknowledged 1", "acknowledged 2"));
  EXPECT_EQ(restored_lines(), numbers(0, 100'001));
  events_.acknowledged.pop_back();
  EXPECT_EQ(restored_lines(), numbers(0, 100'000));
}

TEST_F(TaskCheckpointTest, outdated_files_leave_the_chain_with_the_checkpoint_that_makes_them_so) {
  open(1);
  for (CheckpointId id = 1; id <= 3; ++id) {
    push_rows(0, static_cast<int>(10 * id), 5);
    checkpoint(id);
    end(id, true);
  }
  const std::vector<StateFile> before = last_files();
  ASSERT_THAT(before, SizeIs(3));
  state_->outdated = 2;
  push_rows(0, 40, 5);
  checkpoint(4);
  ASSERT_THAT(last_files(), SizeIs(2));
  EXPECT_EQ(last_files()[0], before[2]);
  end(4, false);
  // It came to nothing, so all are there again.
  state_->outdated = 0;
  checkpoint(5);
  ASSERT_THAT(last_files(), SizeIs(4));
  EXPECT_EQ(last_files()[0], before[0]);
  EXPECT_THAT(restored_lines(), SizeIs(20));
}

TEST_F(TaskCheckpointTest, every_one_is_a_base_when_asked_for) {
  options_.incremental = false;
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(1);
  end(1, true);
  checkpoint(2);
  ASSERT_THAT(last_files(), SizeIs(1));
  EXPECT_EQ(last_files()[0].path, state_file_path(2, kind_, false, 0, 3, 1, 0));
  options_.incremental = true;
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(3);
  end(3, true);
  order(4, CheckpointKind::kCheckpoint, true);
  barrier(0, 4);
  run();
  EXPECT_THAT(last_files(), SizeIs(1));
}

TEST_F(TaskCheckpointTest, a_savepoint_has_everything_and_is_never_built_upon) {
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(1);
  end(1, true);
  push(0, "10000");
  checkpoint(2, CheckpointKind::kSavepoint);
  ASSERT_THAT(last_files(), SizeIs(1));
  EXPECT_EQ(last_files()[0].path, state_file_path(2, kind_, true, 0, 3, 1, 0));
  EXPECT_EQ(restored_lines(), numbers(0, 10'001));
  end(2, true);
  push(0, "10001");
  checkpoint(3);
  ASSERT_THAT(last_files(), SizeIs(2));
  EXPECT_EQ(last_files()[0].path, state_file_path(1, kind_, true, 0, 3, 1, 0));
  EXPECT_EQ(restored_lines(), numbers(0, 10'002));
}

TEST_F(TaskCheckpointTest, without_a_folder_everything_is_in_the_acknowledgement) {
  folder_ = "";
  open(1);
  push_rows(0, 0, 20'000);
  checkpoint(1);
  EXPECT_EQ(restored_lines(), numbers(0, 20'000));
  EXPECT_THAT(last_files()[0].path, IsEmpty());
  EXPECT_THAT(files_in("/job"), IsEmpty());
}

TEST_F(TaskCheckpointTest, state_that_does_not_fit_into_a_message_is_refused) {
  folder_ = "";
  open(1);
  state_->lines.emplace_back(33 << 20, 'x');
  checkpoint(1);
  ASSERT_THAT(events_.declined, SizeIs(1));
  EXPECT_THAT(events_.declined[0].second.to_string(), HasSubstr("'execution.checkpointing.dir'"));
  // What is added to is counted with what is new.
  state_->lines.assign(1, std::string(20 << 20, 'x'));
  checkpoint(2);
  end(2, true);
  checkpoint(3);
  ASSERT_THAT(last_files(), SizeIs(1));
  EXPECT_GT(last_files()[0].bytes, 20 << 20);
}

TEST_F(TaskCheckpointTest, an_aborted_alignment_lets_all_channels_go_on) {
  open(2);
  order(1);
  barrier(0, 1);
  push(0, "10");
  run();
  EXPECT_THAT(take(), IsEmpty());
  end(1, false);
  EXPECT_THAT(take(), ElementsAre("10"));
  barrier(1, 1);
  push(1, "20");
  EXPECT_THAT(take(), ElementsAre("20"));
  EXPECT_THAT(events_.order, IsEmpty());
  checkpoint(2);
  EXPECT_THAT(take(), ElementsAre("barrier 2"));
  EXPECT_THAT(events_.order, ElementsAre("acknowledged 2"));
  EXPECT_THAT(restored_lines(), ElementsAre("10", "20"));
}

TEST_F(TaskCheckpointTest, an_abort_while_it_is_written_leaves_no_file_and_loses_no_change) {
  open(1);
  push_rows(0, 0, 300'000);
  run();
  take();
  // At every moment between the barrier and the acknowledgement.
  CheckpointId id = 0;
  for (std::int64_t after_ns = 10'000;; after_ns += after_ns / 2) {
    order(++id);
    barrier(0, id);
    workers_.run_for_ns(after_ns);
    if (!events_.order.empty()) break;
    end(id, false);
    EXPECT_THAT(events_.order, IsEmpty());
    EXPECT_THAT(files_in("/job/shared"), IsEmpty()) << "after " << after_ns << " ns";
    push(0, std::to_string(299'999 + id));
    run();
    take();
  }
  EXPECT_GT(id, 8);
  EXPECT_EQ(restored_lines(), numbers(0, 300'000 + static_cast<int>(id) - 1));
}

TEST_F(TaskCheckpointTest, an_abort_of_what_was_acknowledged_leaves_the_file_to_the_job_manager) {
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(1);
  end(1, false);
  EXPECT_THAT(files_in("/job/shared"), SizeIs(1));
}

TEST_F(TaskCheckpointTest, storage_that_fails_is_a_refusal_and_the_task_goes_on) {
  open(1);
  push_rows(0, 0, 10'000);
  for (const FileOperation operation :
       {FileOperation::kCreateDirectories, FileOperation::kOpenForWrite, FileOperation::kAppend,
        FileOperation::kSync, FileOperation::kClose, FileOperation::kSyncDirectory}) {
    const auto id = static_cast<CheckpointId>(events_.declined.size() + 1);
    files_.fail_operation(1, Status::resource_exhausted("disk full"), operation);
    checkpoint(id);
    ASSERT_THAT(events_.declined, SizeIs(static_cast<std::size_t>(id)));
    EXPECT_EQ(events_.declined.back().first, id);
    EXPECT_THAT(events_.declined.back().second.to_string(), HasSubstr("disk full"));
    EXPECT_THAT(files_in("/job/shared"), IsEmpty());
    end(id, false);
  }
  push(0, "10000");
  checkpoint(100);
  EXPECT_THAT(events_.acknowledged, SizeIs(1));
  EXPECT_EQ(restored_lines(), numbers(0, 10'001));
}

TEST_F(TaskCheckpointTest, state_that_cannot_be_encoded_is_a_refusal) {
  open(1);
  push(0, "1");
  state_->fails_to_write = true;
  checkpoint(1);
  ASSERT_THAT(events_.declined, SizeIs(1));
  EXPECT_THAT(events_.declined[0].second.to_string(), HasSubstr("cannot encode"));
  EXPECT_THAT(take(), ElementsAre("1", "barrier 1"));
  state_->fails_to_write = false;
  checkpoint(2);
  EXPECT_THAT(restored_lines(), ElementsAre("1"));
}

TEST_F(TaskCheckpointTest, operators_that_cannot_prepare_fail_the_task) {
  fails_to_prepare_ = true;
  open(1);
  push(0, "1");
  checkpoint(1);
  ASSERT_THAT(events_.ends, SizeIs(1));
  EXPECT_EQ(events_.ends[0].phase, TaskPhase::kFailed);
  EXPECT_THAT(events_.ends[0].status.to_string(), HasSubstr("cannot prepare"));
}

TEST_F(TaskCheckpointTest, what_operators_prepared_is_handed_over_once) {
  open(1);
  push(0, "1");
  checkpoint(1);
  EXPECT_THAT(last_committables(), ElementsAre("1"));
  // What a refused checkpoint would have had goes with the next.
  push(0, "2");
  state_->fails_to_write = true;
  checkpoint(2);
  state_->fails_to_write = false;
  push(0, "3");
  checkpoint(3);
  EXPECT_THAT(last_committables(), ElementsAre("2", "3"));
  end(3, true);
  push(0, "4");
  state_->fails_to_write = true;
  checkpoint(4);
  push(0, "5");
  send(0, EndOfInputSignal{});
  run();
  take();
  ASSERT_THAT(events_.ends, SizeIs(1));
  ASSERT_THAT(events_.ends[0].committables, SizeIs(2));
  EXPECT_THAT(events_.ends[0].committables[0].committables, ElementsAre("4"));
  EXPECT_THAT(events_.ends[0].committables[1].committables, ElementsAre("5"));
}

TEST_F(TaskCheckpointTest, a_task_that_ends_writes_to_the_end_what_it_had_frozen) {
  open(1);
  push_rows(0, 0, 20'000);
  order(1);
  barrier(0, 1);
  push(0, "30000");
  send(0, EndOfInputSignal{});
  run();
  take();
  EXPECT_THAT(events_.order, ElementsAre("acknowledged 1"));
  EXPECT_EQ(restored_lines(), numbers(0, 20'000));
  ASSERT_THAT(events_.ends, SizeIs(1));
  EXPECT_EQ(events_.ends[0].phase, TaskPhase::kFinished);
}

TEST_F(TaskCheckpointTest, a_task_that_is_cancelled_leaves_no_file) {
  open(1);
  push_rows(0, 0, 300'000);
  run();
  take();
  order(1);
  barrier(0, 1);
  workers_.run_until([&] { return state_->pieces_written > 40; });
  task_->mailbox().post_cancel();
  run();
  ASSERT_THAT(events_.ends, SizeIs(1));
  task_.reset();
  is_done_ = false;
  run();
  EXPECT_THAT(events_.order, IsEmpty());
  EXPECT_THAT(files_in("/job/shared"), IsEmpty());
}

TEST_F(TaskCheckpointTest, an_ended_channel_counts_as_aligned) {
  open(2);
  order(1);
  barrier(0, 1);
  push(0, "10");
  push(1, "1");
  send(1, EndOfInputSignal{});
  EXPECT_THAT(take(), ElementsAre("1", "barrier 1", "10"));
  EXPECT_THAT(restored_lines(), ElementsAre("1"));
}

TEST_F(TaskCheckpointTest, a_trigger_waits_for_the_last_rows_of_producers_that_have_ended) {
  open(2);
  send(0, EndOfInputSignal{});
  run();
  order(1);
  task_->mailbox().post_trigger(*orders_->find(1));
  run();
  EXPECT_THAT(events_.order, IsEmpty());
  push(1, "1");
  send(1, EndOfInputSignal{});
  run();
  EXPECT_THAT(take(), ElementsAre("end of time", "1", "barrier 1", "end"));
  EXPECT_THAT(restored_lines(), ElementsAre("1"));
}

TEST_F(TaskCheckpointTest, a_task_that_has_read_everything_refuses_triggers) {
  output_bytes_max_ = LocalChannel::kElementBytesMin;
  open(1);
  push_rows(0, 0, 5);
  send(0, EndOfInputSignal{});
  run();
  StreamElement element;
  ASSERT_TRUE(output_->try_pop(element));
  EXPECT_NE(as_signal<WatermarkSignal>(element), nullptr);
  run();
  // It gives out what it held, one row at a time.
  order(1);
  task_->mailbox().post_trigger(*orders_->find(1));
  run();
  ASSERT_THAT(events_.declined, SizeIs(1));
  EXPECT_EQ(events_.declined[0].second.code(), StatusCode::kCancelled);  // No failure.
  EXPECT_THAT(take(), ElementsAre("0", "1", "2", "3", "4", "end"));
}

TEST_F(TaskCheckpointTest, a_barrier_without_an_order_is_refused) {
  open(1);
  barrier(0, 8);
  push(0, "1");
  EXPECT_THAT(take(), ElementsAre("1"));
  ASSERT_THAT(events_.declined, SizeIs(1));
  EXPECT_THAT(events_.declined[0].second.to_string(), HasSubstr("without an order"));
}

// The channel that announced the third knows no more where the barrier of the second stood.
TEST_F(TaskCheckpointTest, one_that_has_begun_is_given_up_for_a_newer_one_that_overtakes) {
  options_.overtakes = true;
  open(2);
  push_rows(0, 0, 50'000);
  run();
  take();
  order(1);
  announce(0, 1);
  announce(1, 1);
  workers_.run_until([&] { return state_->pieces_written > 0; });
  order(2);
  announce(0, 2);
  workers_.run_until([&] { return state_->pieces_written > 4; });
  EXPECT_THAT(events_.order, IsEmpty());
  push(0, "50000");
  order(3);
  announce(0, 3);
  announce(1, 3);
  run();
  EXPECT_THAT(take(), ElementsAre("barrier 1", "barrier 3", "50000"));
  EXPECT_THAT(events_.order,
              ElementsAre(HasSubstr("declined 2: "), "acknowledged 1", "acknowledged 3"));
}

// Else those behind it finish before they know that event time is at its end, and what they give
// out then is in no savepoint.
TEST_F(TaskCheckpointTest, one_that_had_finished_tells_the_end_of_time_before_a_drain) {
  has_finished_before_ = true;
  open(1);
  kind_ = CheckpointKind::kSavepoint;
  orders_->add(
      {.id = 1, .timestamp_ms = 1000, .kind = kind_, .folder = "/savepoint", .drains = true});
  barrier(0, 1);
  run();
  EXPECT_THAT(take(), ElementsAre("end of time", "barrier 1"));
  send(0, EndOfInputSignal{});
  run();
  EXPECT_THAT(take(), ElementsAre("end"));
}

TEST_F(TaskCheckpointTest, a_restored_task_goes_on_exactly_and_begins_with_a_base) {
  open(1);
  push_rows(0, 0, 10'000);
  checkpoint(1);
  end(1, true);
  push_rows(0, 10'000, 10);
  checkpoint(2);
  push_rows(0, 20'000, 5);  // Lost with the attempt.
  run();
  attempt_ = 1;
  open(1, acknowledged_state());
  EXPECT_EQ(state_->lines, numbers(0, 10'010));
  push_rows(0, 10'010, 5);
  checkpoint(3);
  EXPECT_EQ(restored_lines(), numbers(0, 10'015));
  ASSERT_THAT(last_files(), SizeIs(1));
  EXPECT_EQ(last_files()[0].path, state_file_path(3, kind_, true, 1, 3, 1, 0));
}

}  // namespace
}  // namespace clepsydra
