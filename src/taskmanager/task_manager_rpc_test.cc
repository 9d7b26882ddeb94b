// A TaskManager from outside: messages in, messages out, on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "base/simulated_worker_pool.h"
#include "base/transport.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/checkpoint_storage.h"
#include "clepsydra/connector_runtime.h"
#include "control.pb.h"
#include "graph/job_graph.h"
#include "graph/job_graph_codec.h"
#include "operators/operator_registry.h"
#include "state/state_backend.h"
#include "taskmanager/result_exchange.h"
#include "taskmanager/task_manager.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::schema_of;
using ::testing::SizeIs;

constexpr std::int64_t kMs = 1'000'000;

// The numbers of "3-9" that are left, 9 not among them, a few at a time and then a rest.
class NumbersReader final : public SplitReader {
 public:
  NumbersReader(std::int64_t next, std::int64_t end, const Clock& clock)
      : next_(next), end_(end), clock_(clock) {}

  Result<Poll> poll(std::int64_t /*rows_max*/, Batch& batch) override {
    if (clock_.monotonic_ns() < rests_until_ns_) {
      return Poll{PollState::kNothingYet, rests_until_ns_};
    }
    std::vector<std::string> rows;
    for (int i = 0; i < 3 && next_ < end_; ++i) rows.push_back(std::to_string(next_++));
    if (rows.empty()) return Poll{PollState::kEndOfSplit, 0};
    batch = batch_of("n BIGINT", std::vector<std::string_view>(rows.begin(), rows.end()));
    rests_until_ns_ = clock_.monotonic_ns() + kMs / 10;
    return Poll{PollState::kRows, 0};
  }
  [[nodiscard]] std::string position() const override {
    return std::to_string(next_) + "-" + std::to_string(end_);
  }

 private:
  std::int64_t next_;
  const std::int64_t end_;
  const Clock& clock_;
  std::int64_t rests_until_ns_ = 0;
};

class NumbersSource final : public Source {
 public:
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    const std::size_t dash = split.payload.find('-');
    return std::make_unique<NumbersReader>(
        std::stoll(split.payload), std::stoll(split.payload.substr(dash + 1)), *context.clock);
  }
};

class NumbersConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& /*spec*/) const override {
    return std::make_unique<NumbersSource>();
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& /*spec*/) const override {
    return Status::unimplemented("not in this test");
  }
};

// Adds the numbers up in its state; the sum is what it hands over at its end.
class SumOperator final : public Operator {
 public:
  SumOperator(std::int64_t* sum, OperatorContext& context) : sum_(sum), context_(&context) {}
  Status process(int /*input*/, Batch batch, Output& /*output*/) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      *sum_ += batch.column(0).values<std::int64_t>()[row];
    }
    return Status::ok();
  }
  Status finish(Output& /*output*/) override {
    context_->hand_over_committables({std::to_string(*sum_)});
    return Status::ok();
  }

 private:
  std::int64_t* sum_;
  OperatorContext* context_;
};

Result<OperatorPtr> make_sum(const OperatorSpec& spec, OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(
      std::int64_t * sum,
      context.state->open_number(spec.options.get_string_or("state", "sum"), 0, NumberMerge::kSum));
  return std::make_unique<SumOperator>(sum, context);
}

class TaskManagerTest : public ::testing::TestWithParam<std::uint64_t> {
 public:
  ~TaskManagerTest() override {
    for (int attempt = 0; attempt < 5; ++attempt) cancel(attempt);
    EXPECT_TRUE(wait([&] { return task_manager_->live_tasks() == 0; }));
  }

 protected:
  TaskManagerTest() : workers_(clock_, {.seed = GetParam()}) {
    registry_.add({.kind = "sum", .inputs = 1, .make = make_sum});
    EXPECT_TRUE(files_.create_directories("/job").is_ok());
    EXPECT_TRUE(
        transport_.listen("jobmanager", [this](const Message& message) { receive(message.bytes); })
            .is_ok());
    TaskManagerOptions options;
    options.transport = &transport_;
    options.worker_pool = &workers_;
    options.memory = memory_;
    options.environment.clock = &clock_;
    options.environment.file_system = &files_;
    options.environment.blocking_pool = &io_;
    options.environment.connectors = &connectors_;
    options.environment.operators = &registry_;
    options.environment.state_backends = &StateBackendRegistry::built_in();
    options.environment.results = &results_;
    options.environment.configuration = Configuration();
    task_manager_ = *TaskManager::start(std::move(options));
  }

  // Source -> sum.
  void deploy(int attempt, const std::vector<TaskRestore>& restores = {}) {
    deploy_vertices(attempt, {}, restores);
  }
  // Twice when `vertices` are named.
  void deploy_vertices(int attempt, const std::vector<int>& vertices,
                       const std::vector<TaskRestore>& restores = {}) {
    JobGraph graph;
    graph.name = "job";
    std::vector<std::string> kinds = {"source", "sum"};
    if (!vertices.empty()) kinds.insert(kinds.end(), {"source", "sum"});
    for (const std::string& kind : kinds) {
      JobVertex& vertex = graph.vertices.emplace_back();
      vertex.id = std::string(31, '0') + std::to_string(graph.vertices.size());
      vertex.name = kind;
      ChainedOperator& op = vertex.operators.emplace_back();
      op.spec.kind = kind;
      op.spec.uid = graph.vertices.size() <= 2 ? kind : kind + " 2";
      op.spec.name = kind;
      if (kind == "sum") op.spec.inputs = {schema_of("n BIGINT")};
      if (kind == "source") op.spec.output = schema_of("n BIGINT");
      op.spec.options.set("source", ValueTree::map()).set("state", state_name_);
    }
    for (int source = 0; source < static_cast<int>(kinds.size()); source += 2) {
      graph.edges.push_back({.from_vertex = source,
                             .from_operator = 0,
                             .to_vertex = source + 1,
                             .to_input = 0,
                             .partitioning = Partitioning::kForward,
                             .keys = {}});
    }
    for (const auto& [key, value] : configuration_) graph.configuration.emplace_back(key, value);
    proto::ToTaskManager message;
    write_job(attempt, *message.mutable_deploy()->mutable_job());
    message.mutable_deploy()->set_job_graph(encode_job_graph(graph));
    for (const int vertex : vertices) {
      message.mutable_deploy()->add_vertices(static_cast<std::uint32_t>(vertex));
    }
    for (const TaskRestore& restore : restores) {
      message.mutable_deploy()->add_restores(encode_task_restore(restore));
    }
    send(message);
  }
  void cancel(int attempt) {
    proto::ToTaskManager message;
    write_job(attempt, *message.mutable_cancel_job()->mutable_job());
    send(message);
  }
  void assign(int attempt, const std::vector<SourceSplit>& splits, bool no_more = true,
              int vertex = 0) {
    proto::ToTaskManager message;
    proto::AssignSplits& assign = *message.mutable_assign_splits();
    assign.mutable_task()->set_job(kJob);
    assign.mutable_task()->set_attempt(static_cast<std::uint32_t>(attempt));
    assign.mutable_task()->set_vertex(static_cast<std::uint32_t>(vertex));
    for (const SourceSplit& split : splits) {
      proto::Split& out = *assign.add_splits();
      out.set_id(split.id);
      out.set_payload(split.payload);
      out.set_progress(split.progress);
    }
    assign.set_no_more_splits(no_more);
    send(message);
  }
  void trigger(int attempt, CheckpointId id, bool in_file = true) {
    proto::ToTaskManager message;
    proto::TriggerCheckpoint& trigger = *message.mutable_trigger_checkpoint();
    write_job(attempt, *trigger.mutable_job());
    trigger.set_checkpoint(id);
    if (in_file) trigger.set_folder("/job");
    trigger.add_tasks();  // The source.
    send(message);
  }
  static void write_job(int attempt, proto::JobRef& out) {
    out.set_job(kJob);
    out.set_attempt(static_cast<std::uint32_t>(attempt));
  }
  void send(const proto::ToTaskManager& message) {
    ASSERT_TRUE(transport_.send("jobmanager", "taskmanager", message.SerializeAsString()).is_ok());
  }
  void receive(const std::string& bytes) {
    proto::ToJobManager message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    if (message.has_metrics_report()) return;
    if (message.has_split_request()) ++split_requests_;
    if (message.has_checkpoint_acknowledged()) {
      const auto& acknowledged = message.checkpoint_acknowledged();
      (acknowledged.task().vertex() == 0 ? of_source_ : of_sum_) =
          *decode_task_snapshot(acknowledged.snapshot());
    }
    received_.push_back(std::move(message));
  }
  bool wait(const std::function<bool()>& predicate) {
    return workers_.run_until(predicate) == SimulationEnd::kSatisfied;
  }
  // "deployed 0 OK", "0 ended 1 FINISHED 45", ...
  std::vector<std::string> received(proto::ToJobManager::KindCase kind) {
    std::vector<std::string> lines;
    for (const proto::ToJobManager& message : received_) {
      if (message.kind_case() != kind) continue;
      if (message.has_deployed()) {
        lines.push_back(std::to_string(message.deployed().job().attempt()) + ": " +
                        (message.deployed().status().code() == 0
                             ? "OK"
                             : message.deployed().status().message()));
      } else if (message.has_task_ended()) {
        const proto::TaskEnded& ended = message.task_ended();
        std::string line = std::to_string(ended.task().attempt()) + ": " +
                           std::to_string(ended.task().vertex()) + " " +
                           proto::TaskOutcome_Name(ended.outcome());
        for (const auto& of : ended.committables()) line += " " + of.committables(0);
        lines.push_back(line);
      } else if (message.has_checkpoint_acknowledged()) {
        lines.push_back(std::to_string(message.checkpoint_acknowledged().checkpoint()) + " by " +
                        std::to_string(message.checkpoint_acknowledged().task().vertex()));
      }
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  std::vector<std::string> ended() { return received(proto::ToJobManager::kTaskEnded); }
  std::vector<std::string> deployed() { return received(proto::ToJobManager::kDeployed); }
  std::vector<std::string> acknowledged() {
    return received(proto::ToJobManager::kCheckpointAcknowledged);
  }
  // Runs 0-999 in attempt 0 until some of it is read, takes checkpoint 1 and cancels.
  void run_to_checkpoint(std::int64_t after_ns) {
    deploy(0);
    EXPECT_TRUE(wait([&] { return split_requests_ == 1; }));
    assign(0, {{"all", "0-1000", ""}});
    workers_.run_for_ns(after_ns);
    trigger(0, 1);
    EXPECT_TRUE(wait([&] { return acknowledged().size() == 2; }));
    workers_.run_for_ns(kMs);
    cancel(0);
    EXPECT_TRUE(wait([&] { return ended().size() == 2; }));
  }
  [[nodiscard]] TaskRestore sum_restore() const {
    TaskRestore restore;
    restore.vertex = 1;
    restore.folder = "/job";
    restore.operators.push_back({.op = 0, .parts = {{of_sum_.operators.at(0).files}}});
    return restore;
  }

  inline static const std::string kJob = std::string(16, '\xab');
  SimulatedClock clock_;
  SimulatedWorkerPool workers_;
  SimulatedBlockingPool io_{workers_};
  SimulatedTransport transport_{workers_, {.seed = GetParam(), .limits = {}}};
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> memory_ = MemoryPool::make_root("test");
  ResultExchange results_{[] {}};
  NumbersConnectors connectors_;
  OperatorRegistry registry_;
  std::string state_name_ = "sum";
  std::vector<std::pair<std::string, std::string>> configuration_ = {
      // Even a number goes into a file.
      {"execution.checkpointing.data-inline-threshold", "0 b"}};
  std::unique_ptr<TaskManager> task_manager_;
  std::vector<proto::ToJobManager> received_;
  int split_requests_ = 0;
  TaskSnapshot of_source_;
  TaskSnapshot of_sum_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, TaskManagerTest, ::testing::Range<std::uint64_t>(1, 21));

TEST_P(TaskManagerTest, a_new_attempt_goes_on_where_the_checkpoint_was) {
  run_to_checkpoint(static_cast<std::int64_t>(GetParam()) * 700'000);
  ASSERT_THAT(of_source_.operators, SizeIs(1));
  ASSERT_THAT(of_source_.operators[0].splits, SizeIs(1));
  EXPECT_NE(of_source_.operators[0].splits[0].payload, "0-1000");
  deploy(1, {sum_restore()});
  ASSERT_TRUE(wait([&] { return split_requests_ == 2; }));
  assign(1, of_source_.operators[0].splits);
  ASSERT_TRUE(wait([&] { return ended().size() == 4; }));
  EXPECT_THAT(deployed(), ElementsAre("0: OK", "1: OK"));
  // 0 + 1 + ... + 999.
  EXPECT_EQ(ended()[3], "1: 1 FINISHED 499500");
}

TEST_P(TaskManagerTest, splits_that_come_after_a_trigger_are_not_in_that_checkpoint) {
  deploy(0);
  ASSERT_TRUE(wait([&] { return split_requests_ == 1; }));
  assign(0, {{"a", "0-50", ""}}, false);
  if (GetParam() % 2 == 0) workers_.run_for_ns(kMs);
  trigger(0, 1);
  assign(0, {{"b", "50-100", ""}});
  ASSERT_TRUE(wait([&] { return acknowledged().size() == 2; }));
  ASSERT_THAT(of_source_.operators[0].splits, SizeIs(1));
  EXPECT_EQ(of_source_.operators[0].splits[0].id, "a");
}

TEST_P(TaskManagerTest,
       a_checkpoint_before_the_first_split_has_none_and_the_first_word_goes_first) {
  deploy(0);
  ASSERT_TRUE(wait([&] { return split_requests_ == 1; }));
  trigger(0, 1);
  ASSERT_TRUE(wait([&] { return !acknowledged().empty(); }));
  EXPECT_THAT(acknowledged(), ElementsAre("1 by 0"));
  EXPECT_THAT(of_source_.operators, IsEmpty());
  assign(0, {{"a", "0-50", ""}});
  ASSERT_TRUE(wait([&] { return ended().size() == 2; }));
  EXPECT_THAT(acknowledged(), ElementsAre("1 by 0", "1 by 1"));
  EXPECT_THAT(ended(), ElementsAre("0: 0 FINISHED", "0: 1 FINISHED 1225"));
}

TEST_P(TaskManagerTest, a_new_attempt_waits_for_the_tasks_of_the_one_before) {
  deploy(0);
  ASSERT_TRUE(wait([&] { return split_requests_ == 1; }));
  assign(0, {{"a", "0-1000", ""}});
  workers_.run_for_ns(kMs);
  cancel(0);
  deploy(1);
  ASSERT_TRUE(wait([&] { return deployed().size() == 2; }));
  EXPECT_THAT(deployed(), ElementsAre("0: OK", "1: OK"));
  EXPECT_THAT(ended(), ElementsAre("0: 0 CANCELED", "0: 1 CANCELED"));
  // What was meant for the attempt before does nothing.
  assign(0, {{"a", "0-1000", ""}});
  trigger(0, 1);
  cancel(0);
  assign(1, {{"a", "0-10", ""}});
  ASSERT_TRUE(wait([&] { return ended().size() == 4; }));
  EXPECT_EQ(ended()[3], "1: 1 FINISHED 45");
  EXPECT_THAT(acknowledged(), IsEmpty());
}

TEST_P(TaskManagerTest, parts_of_a_job_come_and_go_on_their_own) {
  deploy_vertices(0, {0, 1});
  deploy_vertices(1, {2, 3});
  ASSERT_TRUE(wait([&] { return split_requests_ == 2; }));
  assign(0, {{"a", "0-1000", ""}});
  assign(1, {{"a", "0-1000", ""}}, false, 2);
  workers_.run_for_ns(kMs);
  cancel(0);
  deploy_vertices(2, {0, 1});
  ASSERT_TRUE(wait([&] { return deployed().size() == 3 && split_requests_ >= 3; }));
  EXPECT_THAT(deployed(), ElementsAre("0: OK", "1: OK", "2: OK"));
  EXPECT_THAT(ended(), ElementsAre("0: 0 CANCELED", "0: 1 CANCELED"));
  assign(2, {{"a", "0-10", ""}});
  assign(1, {{"b", "1000-1001", ""}}, true, 2);
  ASSERT_TRUE(wait([&] { return ended().size() == 6; }));
  EXPECT_EQ(ended()[3], "1: 3 FINISHED 500500");
  EXPECT_EQ(ended()[5], "2: 1 FINISHED 45");
  EXPECT_TRUE(wait([&] { return task_manager_->live_tasks() == 0; }));
}

TEST_P(TaskManagerTest, parts_of_a_job_that_cannot_be_built_on_their_own_are_refused) {
  deploy_vertices(0, {0, 3});
  deploy_vertices(1, {1, 0});
  deploy_vertices(2, {4});
  deploy_vertices(3, {0, 1});
  ASSERT_TRUE(wait([&] { return deployed().size() == 4; }));
  EXPECT_THAT(deployed()[0], HasSubstr("vertex 0 without vertex 1"));
  EXPECT_THAT(deployed()[1], HasSubstr("vertex 0 is out of order"));
  EXPECT_THAT(deployed()[2], HasSubstr("vertex 4 is out of order or not one of 4"));
  EXPECT_EQ(deployed()[3], "3: OK");
}

TEST_P(TaskManagerTest, an_attempt_that_is_there_already_is_refused) {
  deploy(1);
  deploy(1);
  deploy(0);
  ASSERT_TRUE(wait([&] { return deployed().size() == 3; }));
  EXPECT_THAT(deployed()[0], HasSubstr("0: tasks of job abababab"));
  EXPECT_EQ(deployed()[1], "1: OK");
  EXPECT_THAT(deployed()[2], HasSubstr("run already"));
}

TEST_P(TaskManagerTest, an_attempt_that_is_cancelled_while_it_restores_ends) {
  run_to_checkpoint(5 * kMs);
  deploy(1, {sum_restore()});
  cancel(1);
  ASSERT_TRUE(wait([&] { return ended().size() == 4; }));
  EXPECT_EQ(ended()[2], "1: 0 CANCELED");
  EXPECT_EQ(ended()[3], "1: 1 CANCELED");
}

TEST_P(TaskManagerTest, files_that_are_missing_or_damaged_are_named) {
  run_to_checkpoint(5 * kMs);
  const std::string path = of_sum_.operators.at(0).files.at(0).path;
  TaskRestore restore = sum_restore();
  restore.operators[0].parts[0].snapshots[0].checksum ^= 1;
  deploy(1, {restore});
  ASSERT_TRUE(wait([&] { return deployed().size() == 2; }));
  EXPECT_THAT(deployed()[1], HasSubstr("restoring sum (1/1)"));
  EXPECT_THAT(deployed()[1], HasSubstr(path));
  ASSERT_TRUE(files_.remove("/job/" + path).is_ok());
  deploy(2, {sum_restore()});
  ASSERT_TRUE(wait([&] { return deployed().size() == 3; }));
  EXPECT_THAT(deployed()[2], HasSubstr("'/job/" + path + "' is missing"));
  restore.subtask = 7;
  deploy(3, {restore});
  ASSERT_TRUE(wait([&] { return deployed().size() == 4; }));
  EXPECT_THAT(deployed()[3], HasSubstr("subtask 7"));
  EXPECT_EQ(task_manager_->live_tasks(), 0);
}

TEST_P(TaskManagerTest, state_that_no_operator_uses_is_refused_unless_told_otherwise) {
  run_to_checkpoint(5 * kMs);
  state_name_ = "total";
  deploy(1, {sum_restore()});
  ASSERT_TRUE(wait([&] { return deployed().size() == 2; }));
  EXPECT_THAT(deployed()[1], HasSubstr("operator 'sum' does not use the restored state 'sum'"));
  configuration_.emplace_back("execution.state-recovery.ignore-unclaimed-state", "true");
  deploy(2, {sum_restore()});
  ASSERT_TRUE(wait([&] { return deployed().size() == 3; }));
  EXPECT_EQ(deployed()[2], "2: OK");
}

TEST_P(TaskManagerTest, tasks_that_had_finished_end_at_once_and_do_nothing_again) {
  run_to_checkpoint(5 * kMs);
  TaskRestore source;
  source.has_finished = true;
  deploy(1, {source, sum_restore()});
  ASSERT_TRUE(wait([&] { return ended().size() == 4; }));
  EXPECT_EQ(ended()[2], "1: 0 FINISHED");
  EXPECT_THAT(ended()[3], HasSubstr("1: 1 FINISHED "));  // With the sum until the checkpoint.
  EXPECT_EQ(split_requests_, 1);
  TaskRestore sum = source;
  sum.vertex = 1;
  deploy(2, {source, sum});
  ASSERT_TRUE(wait([&] { return ended().size() == 6; }));
  EXPECT_EQ(ended()[5], "2: 1 FINISHED");
}

TEST_P(TaskManagerTest, without_a_folder_state_travels_in_the_messages) {
  deploy(0);
  ASSERT_TRUE(wait([&] { return split_requests_ == 1; }));
  assign(0, {{"all", "0-1000", ""}});
  workers_.run_for_ns(5 * kMs);
  trigger(0, 1, false);
  ASSERT_TRUE(wait([&] { return acknowledged().size() == 2; }));
  EXPECT_THAT(of_sum_.operators.at(0).files.at(0).path, IsEmpty());
  cancel(0);
  TaskRestore restore = sum_restore();
  restore.folder = "";
  deploy(1, {restore});
  ASSERT_TRUE(wait([&] { return split_requests_ == 2; }));
  assign(1, of_source_.operators[0].splits);
  ASSERT_TRUE(wait([&] { return ended().size() == 4; }));
  EXPECT_EQ(ended()[3], "1: 1 FINISHED 499500");
}

}  // namespace
}  // namespace clepsydra
