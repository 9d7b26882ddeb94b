// Whole lives of jobs in random orders of events: tasks, messages, blocking work and time are
// played by hand, with failures of everything. Whatever happens, the sink has every row once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "checkpoint/checkpoint_codec.h"
#include "clepsydra/connector_runtime.h"
#include "jobmanager/job_supervisor.h"
#include "jobmanager/recorded_orders_rpc.h"
#include "jobmanager/taskmanager_client_rpc.h"
#include "stream/split_codec.h"

namespace clepsydra {
namespace {

using testing::RecordedOrder;
using testing::RecordingTransport;

constexpr int kRegionsMax = 3;  // Tasks of kSubtasks subtasks that are not connected.
constexpr int kSubtasks = 2;
constexpr int kSplits = 3;
constexpr int kRowsPerSplit = 12;

// The world outside of all processes.
struct Outside {
  std::multiset<int> rows;  // That are visible.
  std::set<std::string> committed;
  std::set<std::string> taken_back;
  std::vector<std::string> mistakes;  // Of the engine.
  std::function<bool()> answers;      // False: this call of a committer fails.
};

// "<name>|1,2,3"
std::vector<int> rows_of(const std::string& committable) {
  std::vector<int> rows;
  for (std::size_t at = committable.find('|'); at + 1 < committable.size();) {
    rows.push_back(std::atoi(committable.c_str() + at + 1));
    at = std::min(committable.find(',', at + 1), committable.size());
  }
  return rows;
}

class OutsideCommitter final : public SinkCommitter {
 public:
  explicit OutsideCommitter(Outside& outside) : outside_(outside) {}
  Status commit(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) {
      if (!outside_.answers()) return Status::unavailable("the sink does not answer");
      if (outside_.taken_back.contains(committable)) {
        outside_.mistakes.push_back("commits what it took back: " + committable);
      }
      if (outside_.committed.insert(committable).second) {
        for (const int row : rows_of(committable)) outside_.rows.insert(row);
      }
      // Done, but nobody is told.
      if (!outside_.answers()) return Status::unavailable("the answer was lost");
    }
    return Status::ok();
  }
  void abort(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) {
      if (outside_.committed.contains(committable)) {
        outside_.mistakes.push_back("takes back what is visible: " + committable);
      }
      outside_.taken_back.insert(committable);
    }
  }

 private:
  Outside& outside_;
};

class OutsideSink final : public Sink {
 public:
  explicit OutsideSink(Outside& outside) : outside_(outside) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& /*context*/) const override {
    return Status::unimplemented("the test plays the writers");
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::make_unique<OutsideCommitter>(outside_);
  }

 private:
  Outside& outside_;
};

// Split s has the rows s * 100 and up; its payload is the next one.
class CountingEnumerator final : public SplitEnumerator {
 public:
  Status start(SplitEnumeratorContext& /*context*/) override {
    for (int split = 0; split < kSplits; ++split) {
      left_.push_back({std::to_string(split), "0"});
    }
    return Status::ok();
  }
  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    if (left_.empty()) {
      context.signal_no_more_splits(subtask);
      return Status::ok();
    }
    context.assign_split(subtask, std::move(left_.front()));
    left_.pop_front();
    return Status::ok();
  }
  Status on_timer(SplitEnumeratorContext& /*context*/) override { return Status::ok(); }
  void add_splits_back(std::vector<SourceSplit> splits) override {
    for (SourceSplit& split : splits) left_.push_back(std::move(split));
  }
  [[nodiscard]] std::string snapshot() const override {
    return splits_to_tree(std::vector<SourceSplit>(left_.begin(), left_.end())).encode();
  }
  Status restore(const std::string& snapshot, SplitEnumeratorContext& /*context*/) override {
    CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
    CLP_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, splits_from_tree(tree));
    left_.assign(splits.begin(), splits.end());
    return Status::ok();
  }

 private:
  std::deque<SourceSplit> left_;
};

class CountingSource final : public Source {
 public:
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return std::make_unique<CountingEnumerator>();
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& /*split*/,
                                                  const SourceContext& /*context*/) const override {
    return Status::unimplemented("the test plays the readers");
  }
};

class OutsideConnectors final : public ConnectorRuntime {
 public:
  explicit OutsideConnectors(Outside& outside) : outside_(outside) {}
  Result<std::unique_ptr<Source>> make_source(const ValueTree& /*spec*/) const override {
    return std::make_unique<CountingSource>();
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& /*spec*/) const override {
    return std::make_unique<OutsideSink>(outside_);
  }

 private:
  Outside& outside_;
};

// One task: a source chained to a sink.
struct PlayedTask {
  bool is_live = true;
  bool has_asked = false;
  bool no_more = false;
  std::map<std::string, int> splits;  // What it reads, and the next row of each.
  std::vector<int> written;           // Since the last barrier.
  std::vector<std::string> prepared;  // And not handed over.
  int prepares = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    graph_.name = "job";
    const int regions = 1 + static_cast<int>(random_.uniform(kRegionsMax));
    for (int region = 0; region < regions; ++region) graph_.vertices.push_back(make_vertex(region));
    outside_.answers = [this] { return !has_faults_ || !one_in(15); };
    files_.set_fault_hook([this](FileOperation, const std::string&) {
      return has_faults_ && one_in(60) ? Status::unavailable("the disk does not answer")
                                       : Status::ok();
    });
    has_folder_ = !one_in(4);
  }

  // The life of a job over all its processes; what is wrong with it.
  std::string live() {
    start_process();
    for (int step = 0; step < 60'000; ++step) {
      if (step == 4'000) has_faults_ = false;  // From here on it must come to its end.
      if (!outside_.mistakes.empty()) return outside_.mistakes.front();
      if (has_ended(job_->phase())) {
        if (job_->phase() == JobPhase::kFinished && !is_stopped()) return judge();
        // A savepoint that is complete makes up for what could not be committed after it.
        if (!is_stopped()) {
          return fmt::format("the job has ended as {}: {}", job_phase_name(job_->phase()),
                             job_->status().error.to_string());
        }
        go_on_from_savepoint();
      }
      take_step();
    }
    return fmt::format("it does not come to its end: {}", job_phase_name(job_->phase()));
  }

  [[nodiscard]] int processes() const { return processes_; }
  [[nodiscard]] int attempts() const { return attempts_; }
  [[nodiscard]] int checkpoints() const { return checkpoints_; }
  [[nodiscard]] int savepoints() const { return savepoints_; }

 private:
  static JobVertex make_vertex(int region) {
    JobVertex vertex;
    vertex.id = fmt::format("{:032x}", region + 1);
    vertex.name = fmt::format("Source -> Sink {}", region);
    vertex.parallelism = kSubtasks;
    vertex.operators.resize(2);
    const SchemaPtr schema = make_schema({{"row", DataType::big_int(), ""}});
    const std::string uid = std::to_string(region);
    vertex.operators[0].spec = {"source", "source " + uid, "Source", {}, schema, {}};
    vertex.operators[0].spec.options.set("source", ValueTree::map());
    vertex.operators[1].spec = {"sink_writer", "sink " + uid, "Sink", {schema}, nullptr, {}};
    vertex.operators[1].spec.options.set("sink", ValueTree::map());
    vertex.operators[1].producer = 0;
    return vertex;
  }
  bool one_in(std::uint64_t n) { return random_.uniform(n) == 0; }
  [[nodiscard]] int regions() const { return static_cast<int>(graph_.vertices.size()); }
  SubtaskIndex random_task() {
    return {static_cast<int>(random_.uniform(graph_.vertices.size())),
            static_cast<int>(random_.uniform(kSubtasks))};
  }

  void start_process() {
    ++processes_;
    JobId::Bytes bytes{};
    bytes[0] = static_cast<std::uint8_t>(processes_);
    bytes[1] = static_cast<std::uint8_t>(processes_ >> 8);
    id_ = JobId(bytes);
    Configuration configuration;
    configuration.set("execution.checkpointing.interval", "20 ms");
    configuration.set("execution.checkpointing.timeout", "100 ms");
    configuration.set("execution.checkpointing.tolerable-failed-checkpoints",
                      std::to_string(random_.uniform(4)));
    configuration.set("execution.checkpointing.max-concurrent-checkpoints",
                      std::to_string(1 + random_.uniform(3)));
    configuration.set("execution.checkpointing.num-retained",
                      std::to_string(1 + random_.uniform(3)));
    configuration.set("restart-strategy.type", "fixed-delay");
    configuration.set("restart-strategy.fixed-delay.delay", "5 ms");
    configuration.set("restart-strategy.fixed-delay.attempts", "1000000");
    if (has_folder_) configuration.set("execution.checkpointing.dir", "/checkpoints");
    if (!path_.empty()) {
      configuration.set("execution.state-recovery.path", path_);
      if (one_in(2)) configuration.set("execution.state-recovery.claim-mode", "CLAIM");
    }
    JobServices services;
    services.clock = &clock_;
    services.file_system = &files_;
    services.connectors = &connectors_;
    services.memory = memory_.get();
    services.task_manager = &task_manager_;
    services.random = random_.fork(fmt::format("process {}", processes_));
    services.schedule = [this](const JobId&, std::int64_t delay_ms, std::function<void()> call) {
      timers_.emplace(clock_.monotonic_ns() + delay_ms * 1'000'000, std::move(call));
    };
    services.run_blocking = [this](const JobId&, std::function<Status()> work,
                                   std::function<void(const Status&)> done) {
      work_.emplace_back(std::move(work), std::move(done));
    };
    services.on_change = [] {};
    auto made = JobSupervisor::make(id_, graph_, std::move(configuration), std::move(services));
    CLP_CHECK_MSG(made.is_ok(), made.status().to_string());
    job_ = *std::move(made);
    const Status started = job_->start();
    CLP_CHECK_MSG(started.is_ok(), started.to_string());
  }

  // Everything of the process but files and the sink is gone.
  void kill_process() {
    note_progress();
    // Only a process that has completed a checkpoint has anything to go on from; one that was
    // stopping has its savepoint.
    if (is_stopped()) {
      path_ = job_->savepoint(stop_request_)->location;
    } else if (!last_path_.empty()) {
      path_ = last_path_;
    }
    forget_process();
    start_process();
  }
  void forget_process() {
    job_.reset();
    timers_.clear();
    work_.clear();
    transport_.orders.clear();
    answers_.clear();
    tasks_.clear();
    attempt_of_.clear();
    last_path_.clear();
    is_stopping_ = false;
  }
  void go_on_from_savepoint() {
    const SavepointStatus answer = *job_->savepoint(stop_request_);
    CLP_CHECK_MSG(answer.has_ended && answer.status.is_ok(), answer.status.to_string());
    note_progress();
    path_ = answer.location;
    forget_process();
    ++savepoints_;
    start_process();
  }
  bool is_stopped() {
    if (!is_stopping_) return false;
    const auto answer = job_->savepoint(stop_request_);
    return answer.is_ok() && answer->has_ended && answer->status.is_ok();
  }
  void note_progress() {
    const JobStatus status = job_->status();
    attempts_ += status.attempt + 1;
    checkpoints_ += static_cast<int>(status.checkpoints.completed);
    // The folder of the job: the newest one in it is found by the next process.
    if (has_own_metadata()) last_path_ = "/checkpoints/" + id_.to_string();
  }
  bool has_own_metadata() {
    const bool had_faults = std::exchange(has_faults_, false);
    bool found = false;
    const auto entries = files_.list("/checkpoints/" + id_.to_string());
    if (entries.is_ok()) {
      for (const FileInfo& entry : *entries) {
        found = found || *files_.exists(fmt::format("/checkpoints/{}/{}/_metadata", id_.to_string(),
                                                    entry.name));
      }
    }
    has_faults_ = had_faults;
    return found;
  }

  void take_step() {
    if (has_faults_) play_faults();
    // Which of those that have something to do.
    switch (random_.uniform(8)) {
      case 0:
      case 1:
        if (!transport_.orders.empty()) {
          const RecordedOrder order = std::move(transport_.orders.front());
          transport_.orders.pop_front();
          obey(order);
        }
        break;
      case 2:
      case 3:
        if (!answers_.empty()) {
          const std::function<void()> answer = std::move(answers_.front());
          answers_.pop_front();
          answer();
        }
        break;
      case 4:
        if (!work_.empty()) {
          const auto [work, done] = std::move(work_.front());
          work_.pop_front();
          done(work());
        }
        break;
      case 5:
        pass_time();
        break;
      default:
        step_task(random_task());
        break;
    }
  }

  void pass_time() {
    clock_.advance_ns(static_cast<std::int64_t>(random_.uniform(2'000'000)));
    if (timers_.empty() || timers_.begin()->first > clock_.monotonic_ns()) return;
    const auto timer = timers_.extract(timers_.begin());
    timer.mapped()();
  }

  void play_faults() {
    if (one_in(400)) fail_task(random_task());
    if (has_folder_ && one_in(1500)) kill_process();
    if (one_in(500)) (void)job_->request_savepoint("/savepoints", SavepointThen::kGoOn);
    if (one_in(1000) && !is_stopping_ && job_->phase() == JobPhase::kRunning) {
      stop_request_ = job_->request_savepoint("/savepoints", SavepointThen::kStop);
      is_stopping_ = true;
    }
    // It was refused or has failed: the job goes on.
    if (is_stopping_) {
      const auto answer = job_->savepoint(stop_request_);
      if (!answer.is_ok() || (answer->has_ended && !answer->status.is_ok())) is_stopping_ = false;
    }
  }

  // ---- The TaskManager ----

  PlayedTask* live_task(SubtaskIndex index) {
    const auto found = tasks_.find(index);
    return found == tasks_.end() || !found->second.is_live ? nullptr : &found->second;
  }
  SubtaskRef ref(SubtaskIndex index) const {
    return {id_, attempt_of_.at(index.vertex), index.vertex, index.subtask};
  }

  void obey(const RecordedOrder& order) {
    using Kind = RecordedOrder::Kind;
    if (order.kind == Kind::kDeploy) {
      deploy(order);
      return;
    }
    const auto deployed =
        std::find_if(attempt_of_.begin(), attempt_of_.end(),
                     [&](const auto& each) { return each.second == order.attempt; });
    if (deployed == attempt_of_.end()) return;
    const int vertex = deployed->first;
    switch (order.kind) {
      case Kind::kCancel:
        for (int subtask = 0; subtask < kSubtasks; ++subtask) {
          const SubtaskIndex index{vertex, subtask};
          if (live_task(index) != nullptr) end_task(index, SubtaskEnd::Outcome::kCanceled, {});
        }
        break;
      case Kind::kSplits:
        if (PlayedTask* task = live_task(order.task)) {
          for (const SourceSplit& split : order.splits) {
            task->splits[split.id] = std::stoi(split.payload);
          }
          task->no_more = task->no_more || order.no_more_splits;
          task->has_asked = order.splits.empty() && !order.no_more_splits;
        }
        break;
      case Kind::kTrigger:
        for (const SubtaskIndex& index : order.tasks) snapshot_task(index, order);
        break;
      default:
        break;
    }
  }

  void deploy(const RecordedOrder& order) {
    CLP_CHECK(order.vertices.size() == 1);
    const int vertex = order.vertices[0];
    std::erase_if(tasks_, [&](const auto& task) {
      CLP_CHECK(task.first.vertex != vertex || !task.second.is_live);
      return task.first.vertex == vertex;
    });
    attempt_of_[vertex] = order.attempt;
    if (has_faults_ && one_in(10)) {
      answers_.emplace_back([this, attempt = order.attempt] {
        job_->deployed(attempt, Status::unavailable("no room"));
      });
      return;
    }
    for (int subtask = 0; subtask < kSubtasks; ++subtask) tasks_[{vertex, subtask}] = {};
    answers_.emplace_back(
        [this, attempt = order.attempt] { job_->deployed(attempt, Status::ok()); });
    for (const TaskRestore& restore : order.restores) {
      if (!restore.has_finished) continue;
      end_task({restore.vertex, restore.subtask}, SubtaskEnd::Outcome::kFinished, {});
    }
  }

  void step_task(SubtaskIndex index) {
    PlayedTask* task = live_task(index);
    if (task == nullptr) return;
    if (task->splits.empty()) {
      if (task->no_more) {
        prepare(index, *task);
        end_task(index, SubtaskEnd::Outcome::kFinished, {});
      } else if (!task->has_asked) {
        task->has_asked = true;
        answers_.emplace_back([this, from = ref(index)] { job_->splits_requested(from); });
      }
      return;
    }
    auto split = std::next(task->splits.begin(),
                           static_cast<std::ptrdiff_t>(random_.uniform(task->splits.size())));
    if (split->second == kRowsPerSplit) {
      task->splits.erase(split);
      return;
    }
    if (!one_in(4)) return;  // Slow enough for some checkpoints.
    task->written.push_back(index.vertex * 1000 + std::stoi(split->first) * 100 + split->second);
    ++split->second;
  }

  void prepare(SubtaskIndex index, PlayedTask& task) {
    if (task.written.empty()) return;
    std::string text = fmt::format("{}/{}/{}/{}/{}|", processes_, attempt_of_[index.vertex],
                                   index.vertex, index.subtask, task.prepares++);
    for (const int row : std::exchange(task.written, {})) text += std::to_string(row) + ",";
    text.pop_back();
    task.prepared.push_back(std::move(text));
  }

  void snapshot_task(SubtaskIndex index, const RecordedOrder& order) {
    PlayedTask* task = live_task(index);
    if (task == nullptr) return;
    prepare(index, *task);
    if (has_faults_ && one_in(12)) {
      answers_.emplace_back([this, from = ref(index), id = order.checkpoint] {
        job_->checkpoint_declined(from, id, Status::unavailable("cannot write"));
      });
      return;
    }
    TaskSnapshot snapshot;
    OperatorSnapshot& source = snapshot.operators.emplace_back();
    source.op = 0;
    for (const auto& [id, next] : task->splits) {
      source.splits.push_back({id, std::to_string(next), "as far as " + std::to_string(next)});
    }
    OperatorSnapshot& sink = snapshot.operators.emplace_back();
    sink.op = 1;
    sink.committables = std::exchange(task->prepared, {});
    answers_.emplace_back(
        [this, from = ref(index), id = order.checkpoint, bytes = encode_task_snapshot(snapshot)] {
          job_->checkpoint_acknowledged(from, id, bytes);
        });
  }

  void fail_task(SubtaskIndex index) {
    if (live_task(index) == nullptr) return;
    end_task(index, SubtaskEnd::Outcome::kFailed, Status::internal("a task has failed"));
  }

  void end_task(SubtaskIndex index, SubtaskEnd::Outcome outcome, Status status) {
    PlayedTask& task = tasks_[index];
    task.is_live = false;
    SubtaskEnd end;
    end.subtask = ref(index);
    end.outcome = outcome;
    end.status = std::move(status);
    if (!task.prepared.empty()) end.committables.push_back({1, std::move(task.prepared)});
    answers_.emplace_back([this, end = std::move(end)] { job_->subtask_ended(end); });
  }

  std::string judge() {
    note_progress();
    std::multiset<int> expected;
    for (int region = 0; region < regions(); ++region) {
      for (int split = 0; split < kSplits; ++split) {
        for (int row = 0; row < kRowsPerSplit; ++row) {
          expected.insert(region * 1000 + split * 100 + row);
        }
      }
    }
    if (outside_.rows != expected) {
      std::string text = "the sink has";
      for (const int row : outside_.rows) text += " " + std::to_string(row);
      return text;
    }
    // Nothing is left of the job's checkpoints, unless it could not be removed.
    if (has_folder_ && !has_faults_ && *files_.exists("/checkpoints/" + id_.to_string())) {
      return "the job has finished and its folder is still there";
    }
    return "";
  }

  Random random_;
  bool has_faults_ = true;
  bool has_folder_ = true;
  Outside outside_;
  SimulatedClock clock_{1'700'000'000'000};
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> memory_ = MemoryPool::make_root("test");
  OutsideConnectors connectors_{outside_};
  RecordingTransport transport_;
  TaskManagerClient task_manager_{transport_, "jobmanager", "taskmanager"};
  JobGraph graph_;

  JobId id_;
  std::unique_ptr<JobSupervisor> job_;
  std::multimap<std::int64_t, std::function<void()>> timers_;
  std::deque<std::pair<std::function<Status()>, std::function<void(const Status&)>>> work_;
  std::deque<std::function<void()>> answers_;  // On their way to the JobManager.
  std::map<int, int> attempt_of_;              // By vertex: the last one that was deployed.
  std::map<SubtaskIndex, PlayedTask> tasks_;
  std::string path_;       // What the process started from.
  std::string last_path_;  // What the next one would start from.
  bool is_stopping_ = false;
  std::int64_t stop_request_ = 0;
  int processes_ = 0;
  int attempts_ = 0;
  int checkpoints_ = 0;
  int savepoints_ = 0;
};

TEST(JobSupervisorSeedsTest, every_row_is_visible_once_whatever_fails) {
  // Others: CLEPSYDRA_SEED=7, with CLEPSYDRA_SEEDS=1000 so many from there on.
  // NOLINTBEGIN(concurrency-mt-unsafe): nobody writes the environment.
  const char* only = std::getenv("CLEPSYDRA_SEED");
  const char* count = std::getenv("CLEPSYDRA_SEEDS");
  // NOLINTEND(concurrency-mt-unsafe)
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t last = only == nullptr    ? 400
                             : count == nullptr ? first
                                                : first + std::strtoull(count, nullptr, 10) - 1;
  int processes = 0;
  int attempts = 0;
  int checkpoints = 0;
  int savepoints = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    World world(seed);
    const std::string wrong = world.live();
    ASSERT_EQ(wrong, "") << "seed " << seed;
    processes += world.processes();
    attempts += world.attempts();
    checkpoints += world.checkpoints();
    savepoints += world.savepoints();
  }
  if (only != nullptr) return;
  // What the seeds have been through, so that nobody takes an idle test for a good one.
  EXPECT_GT(processes, 450);
  EXPECT_GT(attempts, 1000);
  EXPECT_GT(checkpoints, 1500);
  EXPECT_GT(savepoints, 20);
  RecordProperty("processes", processes);
  RecordProperty("attempts", attempts);
  RecordProperty("checkpoints", checkpoints);
}

}  // namespace
}  // namespace clepsydra
