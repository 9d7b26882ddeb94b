// Random events for the coordinator, as a cluster might send them and as it would not: what comes
// out must keep what checkpoint_coordinator.h promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "checkpoint/checkpoint_coordinator.h"
#include "checkpoint/coordinator_test_job.h"

namespace clepsydra {
namespace {

using testing::all_of;
using testing::graph;
using testing::graph_of_two_regions;
using testing::kAll;
using testing::kSecondRegion;
using testing::prepared;
using testing::topology;

// Sends events as a cluster might, and many that it would not, and holds what comes out against
// what must always be true.
class RandomRun {
 public:
  // How often what came out, over many runs: a test that never gets there says nothing.
  struct Seen {
    int completed = 0;
    int savepoints = 0;
    int overtaken_savepoints = 0;  // Complete after a checkpoint that began later.
    int aborted = 0;
    int failed_attempts = 0;
    int stopped = 0;
    int all_finished = 0;
    int discarded = 0;
    int restarted_regions = 0;
  };

  RandomRun(std::uint64_t seed, Seen& seen)
      : seen_(seen),
        random_(seed),
        options_(random_options()),
        coordinator_(options_, topology(regions_.size() == 1 ? graph() : graph_of_two_regions()),
                     "job", 1, clock_) {
    if (regions_.size() > 1)
      tasks_.insert(tasks_.end(), kSecondRegion.begin(), kSecondRegion.end());
    start();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    wind_up();
  }

 private:
  struct Region {
    int attempt = 0;
    bool runs = false;
  };
  struct Running {
    CheckpointKind kind = CheckpointKind::kCheckpoint;
    std::int64_t begun_ms = 0;
    std::set<SubtaskIndex> missing;
    bool is_triggered = false;
    bool is_storing = false;
  };

  CheckpointOptions random_options() {
    CheckpointOptions options;
    options.interval_ms = chance(5) ? 0 : random_.uniform_between(10, 500);
    options.timeout_ms = random_.uniform_between(10, 1000);
    options.min_pause_ms = chance(2) ? 0 : random_.uniform_between(0, 300);
    options.max_concurrent = static_cast<int>(random_.uniform_between(1, 3));
    options.tolerable_failures = static_cast<int>(random_.uniform_between(0, 4));
    options.after_tasks_finish = !chance(5);
    options.is_incremental = chance(2);
    return options;
  }
  bool chance(std::uint64_t one_in) { return random_.uniform(one_in) == 0; }
  SubtaskIndex random_task() { return tasks_[random_.uniform(tasks_.size())]; }
  static std::size_t region_of(SubtaskIndex task) { return task.vertex >= 3 ? 1 : 0; }
  Region& region(SubtaskIndex task) { return regions_[region_of(task)]; }
  static bool is_sink(SubtaskIndex task) { return task.vertex != 0 && task.vertex != 3; }
  // Any id that was given, or one that was not yet.
  CheckpointId random_id() { return random_.uniform_between(0, newest_ + 1); }
  std::int64_t now_ms() const { return clock_.monotonic_ns() / 1'000'000; }

  void start() {
    runs_ = true;
    finished_.clear();
    answered_.clear();
    for (std::size_t r = 0; r < regions_.size(); ++r) start_region(r);
  }
  void start_region(std::size_t r) {
    // What it prepared before is not left behind, for it will come again.
    for (const std::string& name : live_) {
      if (name.starts_with(std::to_string(r) + ":")) {
        EXPECT_TRUE(is_settled(name)) << name;
      }
    }
    regions_[r] = {regions_[r].attempt + 1, true};
    apply(coordinator_.start_region(r, regions_[r].attempt, chance(2)));
  }
  void stop_all() {
    runs_ = false;
    for (Region& each : regions_) each.runs = false;
  }
  bool is_settled(const std::string& name) const {
    return committed_.contains(name) || discarded_.contains(name) || in_savepoints_.contains(name);
  }

  void step() {
    switch (random_.uniform(30)) {
      case 0:
      case 1:
        clock_.advance_ms(random_.uniform_between(0, 200));
        return apply(coordinator_.on_time());
      case 2: {
        // Exactly when it asks to be woken: then something must be due, or it would ask for ever.
        const auto wake = coordinator_.wake_at_ns();
        if (!wake) return;
        clock_.advance_to_ns(*wake);
        const CheckpointActions actions = coordinator_.on_time();
        EXPECT_FALSE(actions.empty());
        return apply(actions);
      }
      case 3:
        return decline(random_task());
      case 4:
        return chance(ends_early_ ? 1 : 10) ? finish_task(random_task()) : void();
      case 5:
        return chance(do_all_run() ? 20 : 1) ? end_or_start() : void();
      case 6:
        return chance(2) ? ask_savepoint() : void();
      case 7:
        return answer_store();
      case 8:
        return stray_events();
      default:
        return answer_one();
    }
  }

  // The next thing that a running checkpoint waits for.
  void answer_one() {
    if (running_.empty()) return;
    auto it = running_.begin();
    std::advance(it, static_cast<std::int64_t>(random_.uniform(running_.size())));
    const CheckpointId id = it->first;
    Running& running = it->second;
    if (running.is_storing) return;
    if (!running.is_triggered && chance(2)) {
      if (chance(20)) return apply(coordinator_.trigger_failed(id, Status::unavailable("send")));
      running.is_triggered = true;
      return apply(coordinator_.triggered(id, {{0, 0, "left"}}));
    }
    if (running.missing.empty()) return;
    auto task = running.missing.begin();
    std::advance(task, static_cast<std::int64_t>(random_.uniform(running.missing.size())));
    acknowledge(id, *task);
  }

  void decline(SubtaskIndex task) {
    apply(coordinator_.declined(
        region(task).attempt, task, random_id(),
        chance(2) ? Status::cancelled("newer") : Status::unavailable("broken")));
  }

  void acknowledge(CheckpointId id, SubtaskIndex task) {
    if (!region(task).runs) return;
    if (const auto it = running_.find(id); it != running_.end()) it->second.missing.erase(task);
    TaskSnapshot snapshot;
    if (is_sink(task)) {
      // A sink hands over each thing once, with its first answer after it.
      const std::string name = std::to_string(region_of(task)) + ":" + std::to_string(task.vertex) +
                               "/" + std::to_string(task.subtask) + "/" +
                               std::to_string(++prepared_);
      if (answered_[task] < id) {
        answered_[task] = id;
        snapshot.operators = prepared({name});
        live_.insert(name);
      }
    }
    apply(coordinator_.acknowledged(region(task).attempt, task, id, std::move(snapshot)));
  }

  void finish_task(SubtaskIndex task) {
    if (!region(task).runs || !finished_.insert(task).second) return;
    std::vector<OperatorSnapshot> last;
    if (is_sink(task)) {
      const std::string name =
          std::to_string(region_of(task)) + ":end " + std::to_string(++prepared_);
      live_.insert(name);
      last = prepared({name});
    }
    for (auto& [id, running] : running_) running.missing.erase(task);
    apply(coordinator_.task_finished(region(task).attempt, task, last));
  }

  void end_or_start() {
    const std::size_t r = random_.uniform(regions_.size());
    if (runs_ && regions_.size() > 1 && regions_[r].runs && !has_finished(r)) {
      end_region(r);
    } else if (runs_ && !do_all_run()) {
      if (coordinator_.is_storing()) return;
      ++seen_.restarted_regions;
      start_region(regions_[0].runs ? 1 : 0);
    } else if (runs_) {
      stop_all();
      apply(coordinator_.end_all(Status::aborted("a task failed")));
    } else if (!coordinator_.is_storing() && !stopped_) {
      start();
    }
  }

  bool do_all_run() const {
    return std::all_of(regions_.begin(), regions_.end(), [](const Region& r) { return r.runs; });
  }

  // A task that has ended cannot fail.
  bool has_finished(std::size_t r) const {
    return std::all_of(tasks_.begin(), tasks_.end(), [&](SubtaskIndex task) {
      return region_of(task) != r || finished_.contains(task);
    });
  }

  void end_region(std::size_t r) {
    regions_[r].runs = false;
    const auto is_lost = [&](SubtaskIndex task) { return region_of(task) == r; };
    std::erase_if(finished_, is_lost);
    std::erase_if(answered_, [&](const auto& each) { return is_lost(each.first); });
    if (!regions_[1 - r].runs) runs_ = false;
    apply(coordinator_.end_region(r, Status::aborted("a task failed")));
  }

  void ask_savepoint() {
    const auto then = static_cast<SavepointThen>(chance(4) ? 1 + random_.uniform(2) : 0);
    asked_.insert(++requests_);
    apply(coordinator_.request_savepoint(requests_, "/s" + std::to_string(requests_), then));
  }

  void answer_store() {
    for (auto& [id, running] : running_) {
      if (!running.is_storing) continue;
      if (chance(5)) return apply(coordinator_.metadata_failed(id, Status::unavailable("disk")));
      return apply(coordinator_.metadata_stored(id, "place"));
    }
  }

  // Of an old attempt, of tasks that are not there, of ids that are over: nothing may come of it.
  void stray_events() {
    const CheckpointId id = random_id();
    const SubtaskIndex task = random_task();
    const int old = region(task).runs ? region(task).attempt - 1 : region(task).attempt;
    EXPECT_TRUE(coordinator_.acknowledged(old, task, id, {}).empty());
    EXPECT_TRUE(coordinator_.acknowledged(regions_[0].attempt, {9, 9}, id, {}).empty());
    EXPECT_TRUE(coordinator_.declined(old, task, id, Status::internal("")).empty());
    EXPECT_TRUE(coordinator_.task_finished(old, task, {}).empty());
    if (running_.contains(id)) return;
    // Something that was due all the time may begin now, but nothing ends.
    const CheckpointActions none = coordinator_.trigger_failed(id, Status::internal(""));
    EXPECT_TRUE(all_of<AbortCheckpoint>(none).empty());
    apply(none);
  }

  void apply(const CheckpointActions& actions) {
    for (const CheckpointAction& action : actions) {
      std::visit([this](const auto& a) { carry_out(a); }, action);
    }
    EXPECT_EQ(coordinator_.pending(), static_cast<int>(running_.size()));
    for (const auto& [id, running] : running_) {
      // Nobody waits longer than agreed, if the clock is asked.
      EXPECT_TRUE(running.is_storing || running.missing.empty() || !runs_ ||
                  coordinator_.wake_at_ns().has_value());
    }
  }

  void carry_out(const TriggerTasks& trigger) {
    EXPECT_TRUE(runs_);
    for (const Region& each : regions_) EXPECT_TRUE(each.runs);
    EXPECT_GT(trigger.id, newest_);
    newest_ = trigger.id;
    EXPECT_LT(static_cast<int>(running_.size()), options_.max_concurrent);
    const bool is_savepoint = trigger.kind == CheckpointKind::kSavepoint;
    EXPECT_EQ(is_savepoint, !trigger.folder.empty());
    EXPECT_TRUE(trigger.as_base || (options_.is_incremental && !is_savepoint));
    if (!is_savepoint && last_completed_ms_ && options_.min_pause_ms > 0 &&
        finished_.size() < tasks_.size()) {
      EXPECT_GE(now_ms() - *last_completed_ms_, options_.min_pause_ms);
    }
    for (const SubtaskIndex task : trigger.tasks) EXPECT_FALSE(finished_.contains(task));
    Running& running = running_[trigger.id];
    running.kind = trigger.kind;
    running.begun_ms = now_ms();
    for (const SubtaskIndex task : tasks_) {
      if (!finished_.contains(task)) running.missing.insert(task);
    }
  }

  void carry_out(const StoreMetadata& store) {
    ASSERT_TRUE(running_.contains(store.metadata.id));
    for (const auto& [id, running] : running_) EXPECT_FALSE(running.is_storing);
    Running& running = running_[store.metadata.id];
    EXPECT_TRUE(running.missing.empty());
    EXPECT_TRUE(running.is_triggered);
    running.is_storing = true;
    storing_ = store.metadata;
  }

  void carry_out(const CompleteCheckpoint& complete) {
    const CheckpointId id = complete.metadata.id;
    EXPECT_TRUE(running_.contains(id) && running_[id].is_storing);
    EXPECT_EQ(complete.metadata, storing_);
    EXPECT_EQ(complete.tell_completed, complete.metadata.kind == CheckpointKind::kCheckpoint);
    running_.erase(id);
    last_completed_ms_ = now_ms();
    const std::vector<SinkCommittables> all = committables_of(complete.metadata);
    for (const SinkCommittables& sink : all) {
      for (const std::string& name : sink.committables) EXPECT_TRUE(live_.contains(name)) << name;
    }
    if (complete.tell_completed) {
      EXPECT_EQ(complete.commit, all);
    }
    commit(complete.commit);
    if (complete.tell_completed) {
      ++seen_.completed;
      newest_completed_ = std::max(newest_completed_, id);
    } else {
      ++seen_.savepoints;
      if (id < newest_completed_) ++seen_.overtaken_savepoints;
      for (const SinkCommittables& sink : all) {
        in_savepoints_.insert(sink.committables.begin(), sink.committables.end());
      }
    }
  }

  // Each thing once, and nothing that was taken back; a savepoint that is older than a completed
  // checkpoint has things that were committed with that.
  void commit(const std::vector<SinkCommittables>& sinks) {
    for (const SinkCommittables& sink : sinks) {
      for (const std::string& name : sink.committables) {
        EXPECT_TRUE(live_.contains(name)) << name;
        EXPECT_FALSE(discarded_.contains(name)) << name;
        EXPECT_TRUE(committed_.insert(name).second || in_savepoints_.contains(name)) << name;
      }
    }
  }

  void carry_out(const AbortCheckpoint& abort) {
    EXPECT_TRUE(running_.contains(abort.id));
    EXPECT_FALSE(abort.reason.is_ok());
    running_.erase(abort.id);
    ++seen_.aborted;
  }

  void carry_out(const DiscardCommittables& discard) {
    for (const SinkCommittables& sink : discard.committables) {
      for (const std::string& name : sink.committables) {
        EXPECT_FALSE(committed_.contains(name)) << name;
        EXPECT_FALSE(in_savepoints_.contains(name)) << name;
        discarded_.insert(name);
        ++seen_.discarded;
      }
    }
  }

  void carry_out(const DiscardFiles& /*discard*/) {}

  void carry_out(const AnswerSavepoint& answer) {
    EXPECT_EQ(asked_.erase(answer.request), 1U);  // Once.
  }

  void carry_out(const FailAttempt& /*fail*/) {
    EXPECT_TRUE(runs_);
    stop_all();
    ++seen_.failed_attempts;
  }

  void carry_out(const StopJob& /*stop*/) {
    stop_all();
    stopped_ = true;
    ++seen_.stopped;
  }

  void carry_out(const AllFinished& all) {
    EXPECT_TRUE(runs_);
    EXPECT_EQ(finished_.size(), tasks_.size());
    commit(all.commit);
    // Nothing that was handed over in this attempt is left behind.
    for (const std::string& name : live_) {
      EXPECT_TRUE(is_settled(name)) << name;
    }
    ++seen_.all_finished;
  }

  // Every pending one ends, everybody is answered, and what was prepared is committed or taken
  // back.
  void wind_up() {
    if (runs_) {
      stop_all();
      apply(coordinator_.end_all(Status::aborted("the end")));
    }
    while (coordinator_.is_storing()) answer_store();
    EXPECT_TRUE(running_.empty());
    EXPECT_TRUE(asked_.empty());
    EXPECT_FALSE(coordinator_.wake_at_ns().has_value());
    for (const std::string& name : live_) {
      EXPECT_TRUE(is_settled(name)) << name;
    }
  }

  Seen& seen_;
  Random random_;
  SimulatedClock clock_;
  CheckpointOptions options_;
  std::vector<Region> regions_ = std::vector<Region>(chance(2) ? 1 : 2);
  std::vector<SubtaskIndex> tasks_ = kAll;
  CheckpointCoordinator coordinator_;
  const bool ends_early_ = chance(3);
  bool runs_ = false;  // Some region.
  bool stopped_ = false;
  CheckpointId newest_ = 0;
  CheckpointId newest_completed_ = 0;
  std::map<CheckpointId, Running> running_;
  CheckpointMetadata storing_;
  std::set<SubtaskIndex> finished_;
  std::map<SubtaskIndex, CheckpointId> answered_;
  std::optional<std::int64_t> last_completed_ms_;
  std::int64_t requests_ = 0;
  std::set<std::int64_t> asked_;
  int prepared_ = 0;
  std::set<std::string> live_;
  std::set<std::string> committed_;
  std::set<std::string> discarded_;
  std::set<std::string> in_savepoints_;
};

TEST(CheckpointCoordinatorRandomTest, keeps_its_promises_whatever_happens) {
  RandomRun::Seen seen;
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SCOPED_TRACE(seed);
    RandomRun(seed, seen).run(400);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_GT(seen.completed, 5000);
  EXPECT_GT(seen.savepoints, 1000);
  EXPECT_GT(seen.overtaken_savepoints, 20);
  EXPECT_GT(seen.aborted, 5000);
  EXPECT_GT(seen.failed_attempts, 500);
  EXPECT_GT(seen.stopped, 200);
  EXPECT_GT(seen.all_finished, 100);
  EXPECT_GT(seen.discarded, 1000);
  EXPECT_GT(seen.restarted_regions, 300);
}

}  // namespace
}  // namespace clepsydra
