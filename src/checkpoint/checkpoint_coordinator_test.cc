#include "checkpoint/checkpoint_coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/coordinator_test_job.h"

namespace clepsydra {
namespace {

using testing::all_of;
using testing::graph;
using testing::kAll;
using testing::kLog0;
using testing::kLog1;
using testing::kSink0;
using testing::kSink1;
using testing::kSource0;
using testing::kSource1;
using testing::prepared;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

CheckpointOptions every_second() {
  CheckpointOptions options;
  options.interval_ms = 1000;
  options.timeout_ms = 10'000;
  options.is_incremental = false;
  return options;
}

TaskSnapshot snapshot_with(std::vector<std::string> committables) {
  TaskSnapshot snapshot;
  snapshot.operators = prepared(std::move(committables));
  return snapshot;
}

template <typename Action>
Action only(const CheckpointActions& actions) {
  const std::vector<Action> found = all_of<Action>(actions);
  EXPECT_THAT(found, SizeIs(1));
  return found.size() == 1 ? found.front() : Action();
}

class CheckpointCoordinatorTest : public ::testing::Test {
 protected:
  void make(CheckpointOptions options, CheckpointId first_id = 1) {
    coordinator_.emplace(std::move(options), testing::topology(graph()),
                         "0123456789abcdef0123456789abcdef", first_id, clock_);
    EXPECT_THAT(coordinator_->start_region(0, 0, false), IsEmpty());
  }

  CheckpointActions after_ms(std::int64_t ms) {
    clock_.advance_ms(ms);
    return coordinator_->on_time();
  }
  // When the next thing is due, from now.
  std::optional<std::int64_t> wake_in_ms() const {
    const auto wake = coordinator_->wake_at_ns();
    if (!wake) return std::nullopt;
    return (*wake - clock_.monotonic_ns()) / 1'000'000;
  }
  CheckpointActions acknowledge(CheckpointId id, SubtaskIndex task, TaskSnapshot snapshot = {}) {
    return coordinator_->acknowledged(attempt_, task, id, std::move(snapshot));
  }
  // All tasks of `tasks`, after the enumerators; the actions of the last call.
  CheckpointActions acknowledge_all(CheckpointId id,
                                    const std::vector<SubtaskIndex>& tasks = kAll) {
    CheckpointActions last = coordinator_->triggered(id, {{0, 0, "left"}});
    for (const SubtaskIndex task : tasks) last = acknowledge(id, task);
    return last;
  }
  // Triggers, acknowledges and stores the next one.
  CheckpointActions complete_next(std::int64_t ms = 1000) {
    const TriggerTasks trigger = only<TriggerTasks>(after_ms(ms));
    only<StoreMetadata>(acknowledge_all(trigger.id));
    return coordinator_->metadata_stored(trigger.id, "place");
  }
  CheckpointActions finish(SubtaskIndex task,
                           const std::vector<OperatorSnapshot>& committables = {}) {
    return coordinator_->task_finished(attempt_, task, committables);
  }

  SimulatedClock clock_;
  std::optional<CheckpointCoordinator> coordinator_;
  int attempt_ = 0;
};

// ---- A checkpoint's life ----

TEST_F(CheckpointCoordinatorTest, a_checkpoint_goes_from_its_trigger_to_its_end) {
  make(every_second(), 5);
  EXPECT_EQ(wake_in_ms(), 1000);
  EXPECT_THAT(after_ms(999), IsEmpty());
  const auto trigger = only<TriggerTasks>(after_ms(1));
  EXPECT_EQ(trigger.id, 5);
  EXPECT_EQ(trigger.kind, CheckpointKind::kCheckpoint);
  EXPECT_EQ(trigger.timestamp_ms, clock_.now_ms());
  EXPECT_EQ(trigger.folder, "");
  EXPECT_TRUE(trigger.as_base);  // Not incremental.
  EXPECT_THAT(trigger.tasks, ElementsAre(kSource0, kSource1));

  for (const SubtaskIndex task : kAll) {
    TaskSnapshot snapshot;
    snapshot.operators.resize(1);
    snapshot.operators[0].files = {{"shared/" + std::to_string(task.vertex), "", 100, 1}};
    snapshot.written_bytes = 10;
    EXPECT_THAT(acknowledge(5, task, snapshot), IsEmpty());
  }
  clock_.advance_ms(70);
  const auto store = only<StoreMetadata>(coordinator_->triggered(5, {{0, 0, "left"}}));
  EXPECT_TRUE(coordinator_->is_storing());
  EXPECT_EQ(store.metadata.id, 5);
  EXPECT_EQ(store.metadata.job_id, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(store.metadata.job_name, "job");
  ASSERT_THAT(store.metadata.vertices, SizeIs(3));
  EXPECT_EQ(store.metadata.vertices[0].operators[0],
            (CheckpointMetadata::Operator{"uid source", "source", "source", "left"}));
  EXPECT_EQ(store.metadata.vertices[2].subtasks[1].operators[0].files[0].path, "shared/2");
  EXPECT_EQ(store.metadata.vertices[2].max_parallelism, 128);

  const auto complete = only<CompleteCheckpoint>(coordinator_->metadata_stored(5, "/chk-5"));
  EXPECT_EQ(complete.metadata, store.metadata);
  EXPECT_EQ(complete.location, "/chk-5");
  EXPECT_TRUE(complete.tell_completed);
  EXPECT_FALSE(coordinator_->is_storing());
  EXPECT_EQ(coordinator_->pending(), 0);
  const CheckpointCounts& counts = coordinator_->counts();
  EXPECT_EQ(counts.completed, 1);
  EXPECT_EQ(counts.last_completed, 5);
  EXPECT_EQ(counts.last_duration_ms, 70);
  EXPECT_EQ(counts.last_state_bytes, 600);
  EXPECT_EQ(counts.last_written_bytes, 60);
  EXPECT_EQ(counts.last_location, "/chk-5");
}

TEST_F(CheckpointCoordinatorTest, without_an_interval_nothing_happens_by_itself) {
  make(CheckpointOptions());
  EXPECT_EQ(wake_in_ms(), std::nullopt);
  EXPECT_THAT(after_ms(1'000'000'000), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, enumerators_are_waited_for) {
  make(every_second());
  after_ms(1000);
  for (const SubtaskIndex task : kAll) EXPECT_THAT(acknowledge(1, task), IsEmpty());
  EXPECT_THAT(all_of<StoreMetadata>(coordinator_->triggered(1, {})), SizeIs(1));
}

TEST_F(CheckpointCoordinatorTest, one_at_a_time_and_the_next_as_soon_as_there_is_room) {
  make(every_second());
  after_ms(1000);
  EXPECT_THAT(after_ms(1000), IsEmpty());
  EXPECT_EQ(wake_in_ms(), 9000);  // Only the timeout.
  clock_.advance_ms(500);
  acknowledge_all(1);
  const CheckpointActions actions = coordinator_->metadata_stored(1, "");
  EXPECT_EQ(only<TriggerTasks>(actions).id, 2);
  EXPECT_THAT(after_ms(999), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, a_pause_is_kept_after_the_end_of_one) {
  CheckpointOptions options = every_second();
  options.min_pause_ms = 700;
  make(options);
  after_ms(1000);
  clock_.advance_ms(800);
  acknowledge_all(1);
  EXPECT_THAT(all_of<TriggerTasks>(coordinator_->metadata_stored(1, "")), IsEmpty());
  EXPECT_EQ(wake_in_ms(), 700);
  EXPECT_THAT(after_ms(699), IsEmpty());
  EXPECT_EQ(only<TriggerTasks>(after_ms(1)).id, 2);
}

TEST_F(CheckpointCoordinatorTest, several_may_be_under_way_and_complete_in_order) {
  CheckpointOptions options = every_second();
  options.max_concurrent = 2;
  make(options);
  after_ms(1000);
  EXPECT_EQ(only<TriggerTasks>(after_ms(1000)).id, 2);
  EXPECT_THAT(after_ms(1000), IsEmpty());
  EXPECT_EQ(only<StoreMetadata>(acknowledge_all(1)).metadata.id, 1);
  EXPECT_THAT(acknowledge_all(2), IsEmpty());  // One is stored at a time.
  const CheckpointActions actions = coordinator_->metadata_stored(1, "");
  EXPECT_EQ(only<CompleteCheckpoint>(actions).metadata.id, 1);
  EXPECT_EQ(only<StoreMetadata>(actions).metadata.id, 2);
}

TEST_F(CheckpointCoordinatorTest, one_that_completes_makes_older_ones_useless) {
  CheckpointOptions options = every_second();
  options.max_concurrent = 2;
  make(options);
  after_ms(1000);
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"prepared for 1"}));
  only<StoreMetadata>(acknowledge_all(2));
  const CheckpointActions actions = coordinator_->metadata_stored(2, "");
  EXPECT_EQ(only<AbortCheckpoint>(actions).id, 1);
  // What was prepared at the barrier before is part of it, and is committed with it.
  EXPECT_THAT(only<CompleteCheckpoint>(actions).commit,
              ElementsAre(SinkCommittables{1, 0, {"prepared for 1"}}));
  EXPECT_EQ(coordinator_->counts().failed, 0);
  after_ms(1000);
  only<StoreMetadata>(acknowledge_all(3));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(3, "")).commit, IsEmpty());
}

// ---- Failures ----

TEST_F(CheckpointCoordinatorTest, one_that_takes_too_long_is_aborted) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 1;
  make(options);
  after_ms(1000);
  TaskSnapshot snapshot;
  snapshot.operators.resize(1);
  snapshot.operators[0].files = {{"shared/a", "", 1, 1}, inline_state("x")};
  acknowledge(1, kSink0, snapshot);
  EXPECT_THAT(after_ms(9999), IsEmpty());
  const CheckpointActions actions = after_ms(1);
  const auto abort = only<AbortCheckpoint>(actions);
  EXPECT_EQ(abort.id, 1);
  EXPECT_EQ(abort.reason.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(abort.reason.message()), HasSubstr("longer than 10 s"));
  ASSERT_THAT(abort.files, SizeIs(1));
  EXPECT_EQ(abort.files[0].path, "shared/a");
  EXPECT_EQ(only<TriggerTasks>(actions).id, 2);  // The interval has long passed.
  EXPECT_EQ(coordinator_->counts().failed, 1);
}

TEST_F(CheckpointCoordinatorTest, what_is_being_stored_does_not_time_out) {
  make(every_second());
  after_ms(1000);
  acknowledge_all(1);
  EXPECT_THAT(after_ms(20'000), IsEmpty());
  EXPECT_EQ(only<CompleteCheckpoint>(coordinator_->metadata_stored(1, "")).metadata.id, 1);
}

TEST_F(CheckpointCoordinatorTest, more_failures_in_a_row_than_tolerated_fail_the_attempt) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 2;
  make(options);
  const auto fail_next = [this] {
    const auto trigger = only<TriggerTasks>(after_ms(1000));
    return coordinator_->declined(0, kSink1, trigger.id, Status::unavailable("disk is full"));
  };
  EXPECT_THAT(fail_next(), SizeIs(1));
  EXPECT_THAT(fail_next(), SizeIs(1));
  complete_next();  // That ends the row.
  EXPECT_THAT(fail_next(), SizeIs(1));
  EXPECT_THAT(fail_next(), SizeIs(1));
  const CheckpointActions last = fail_next();
  EXPECT_THAT(all_of<AbortCheckpoint>(last), SizeIs(1));
  const Status reason = only<FailAttempt>(last).reason;
  EXPECT_EQ(reason.code(), StatusCode::kAborted);
  EXPECT_THAT(std::string(reason.message()), HasSubstr("disk is full"));
  EXPECT_THAT(std::string(reason.message()), HasSubstr("task 'sink' (2/2)"));
  EXPECT_THAT(std::string(reason.message()), HasSubstr("3 in a row, tolerated: 2"));
  EXPECT_THAT(after_ms(100'000), IsEmpty());  // Nothing until the next attempt.
}

TEST_F(CheckpointCoordinatorTest, by_default_the_first_failure_fails_the_attempt) {
  make(every_second());
  after_ms(1000);
  only<FailAttempt>(coordinator_->trigger_failed(1, Status::unavailable("nobody is there")));
}

TEST_F(CheckpointCoordinatorTest, giving_way_to_a_newer_one_is_no_failure) {
  make(every_second());
  after_ms(1000);
  const CheckpointActions actions =
      coordinator_->declined(0, kSink1, 1, Status::cancelled("a newer barrier came"));
  EXPECT_EQ(only<AbortCheckpoint>(actions).id, 1);
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
  EXPECT_EQ(coordinator_->counts().failed, 0);
}

TEST_F(CheckpointCoordinatorTest, metadata_that_cannot_be_stored_are_a_failure) {
  make(every_second());
  after_ms(1000);
  acknowledge_all(1);
  const CheckpointActions actions =
      coordinator_->metadata_failed(1, Status::resource_exhausted("disk is full"));
  EXPECT_EQ(only<AbortCheckpoint>(actions).reason.code(), StatusCode::kResourceExhausted);
  only<FailAttempt>(actions);
}

TEST_F(CheckpointCoordinatorTest, operators_that_a_task_does_not_have_are_a_failure) {
  make(every_second());
  after_ms(1000);
  TaskSnapshot wrong;
  wrong.operators.resize(1);
  wrong.operators[0].op = 1;
  EXPECT_EQ(only<AbortCheckpoint>(acknowledge(1, kSink0, wrong)).reason.code(),
            StatusCode::kInvalidArgument);
}

TEST_F(CheckpointCoordinatorTest, answers_that_concern_nobody_change_nothing) {
  make(every_second());
  after_ms(1000);
  EXPECT_THAT(coordinator_->acknowledged(1, kSink0, 1, {}), IsEmpty());  // Another attempt.
  EXPECT_THAT(coordinator_->acknowledged(0, {7, 0}, 1, {}), IsEmpty());
  EXPECT_THAT(coordinator_->acknowledged(0, {1, 2}, 1, {}), IsEmpty());
  EXPECT_THAT(acknowledge(9, kSink0), IsEmpty());  // Not begun.
  EXPECT_THAT(coordinator_->declined(1, kSink0, 1, Status::internal("")), IsEmpty());
  EXPECT_THAT(coordinator_->declined(0, kSink0, 9, Status::internal("")), IsEmpty());
  EXPECT_THAT(coordinator_->task_finished(1, kSink0, {}), IsEmpty());
  EXPECT_THAT(coordinator_->trigger_failed(9, Status::internal("")), IsEmpty());
  for (const SubtaskIndex task : kAll) {
    acknowledge(1, task);
    EXPECT_THAT(acknowledge(1, task), IsEmpty());  // Twice.
    EXPECT_THAT(coordinator_->declined(0, task, 1, Status::internal("")), IsEmpty());
  }
  only<StoreMetadata>(coordinator_->triggered(1, {}));
}

// ---- What sinks prepared ----

TEST_F(CheckpointCoordinatorTest, a_completed_checkpoint_commits_what_it_has) {
  make(every_second());
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"a", "b"}));
  acknowledge(1, kSink1, snapshot_with({"c"}));
  acknowledge(1, kLog0, snapshot_with({"d"}));
  only<StoreMetadata>(acknowledge_all(1));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(1, "")).commit,
              ElementsAre(SinkCommittables{1, 0, {"a", "b", "c"}}, SinkCommittables{2, 0, {"d"}}));
}

TEST_F(CheckpointCoordinatorTest, what_was_prepared_for_an_aborted_one_is_in_the_next) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 5;
  make(options);
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  coordinator_->declined(0, kSink1, 1, Status::unavailable(""));
  // The answer of a task that did not know it yet.
  EXPECT_THAT(acknowledge(1, kLog0, snapshot_with({"late"})), IsEmpty());
  EXPECT_THAT(acknowledge(1, kLog0, snapshot_with({"late"})), IsEmpty());
  EXPECT_THAT(acknowledge(1, kSink0, snapshot_with({"a"})), IsEmpty());

  after_ms(1000);
  acknowledge(2, kSink0, snapshot_with({"a", "b"}));  // It says "a" again: it is there once.
  const auto store = only<StoreMetadata>(acknowledge_all(2));
  EXPECT_EQ(store.metadata.vertices[1].subtasks[0].operators, prepared({"a", "b"}));
  EXPECT_EQ(store.metadata.vertices[2].subtasks[0].operators, prepared({"late"}));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(2, "")).commit,
              ElementsAre(SinkCommittables{1, 0, {"a", "b"}}, SinkCommittables{2, 0, {"late"}}));
  // And in no other.
  const CheckpointActions third = complete_next();
  EXPECT_THAT(only<CompleteCheckpoint>(third).commit, IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, files_of_a_late_answer_are_nobodys) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 5;
  make(options);
  after_ms(1000);
  coordinator_->declined(0, kSink1, 1, Status::unavailable(""));
  TaskSnapshot late;
  late.operators.resize(1);
  late.operators[0].files = {{"shared/late", "", 1, 1}, inline_state("x")};
  const auto discard = only<DiscardFiles>(acknowledge(1, kSink0, late));
  EXPECT_EQ(discard.id, 1);
  ASSERT_THAT(discard.files, SizeIs(1));
  EXPECT_EQ(discard.files[0].path, "shared/late");
}

TEST_F(CheckpointCoordinatorTest, what_is_in_no_completed_checkpoint_goes_with_the_attempt) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 5;
  make(options);
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  coordinator_->declined(0, kSink1, 1, Status::unavailable(""));
  after_ms(1000);
  acknowledge(2, kSink0, snapshot_with({"b"}));
  const CheckpointActions actions = coordinator_->end_all(Status::aborted("a task failed"));
  EXPECT_EQ(only<AbortCheckpoint>(actions).id, 2);
  EXPECT_THAT(only<DiscardCommittables>(actions).committables,
              ElementsAre(SinkCommittables{1, 0, {"a", "b"}}));
}

// ---- Attempts ----

TEST_F(CheckpointCoordinatorTest, ids_ascend_over_attempts_and_old_answers_do_not_count) {
  make(every_second());
  after_ms(1000);
  coordinator_->end_all(Status::aborted("a task failed"));
  EXPECT_THAT(after_ms(5000), IsEmpty());
  EXPECT_EQ(wake_in_ms(), std::nullopt);
  EXPECT_THAT(coordinator_->start_region(0, 1, false), IsEmpty());
  EXPECT_EQ(wake_in_ms(), 1000);
  EXPECT_EQ(only<TriggerTasks>(after_ms(1000)).id, 2);
  coordinator_->triggered(2, {});
  for (const SubtaskIndex task : kAll) {
    EXPECT_THAT(coordinator_->acknowledged(0, task, 2, {}), IsEmpty());
  }
  attempt_ = 1;
  only<StoreMetadata>(acknowledge_all(2));
}

TEST_F(CheckpointCoordinatorTest, what_is_being_stored_when_the_attempt_ends_may_still_complete) {
  make(every_second());
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  acknowledge_all(1);
  EXPECT_THAT(coordinator_->end_all(Status::aborted("a task failed")), IsEmpty());
  EXPECT_TRUE(coordinator_->is_storing());
  const CheckpointActions actions = coordinator_->metadata_stored(1, "");
  EXPECT_THAT(only<CompleteCheckpoint>(actions).commit, ElementsAre(SinkCommittables{1, 0, {"a"}}));
  EXPECT_THAT(all_of<DiscardCommittables>(actions), IsEmpty());
  EXPECT_FALSE(coordinator_->is_storing());
  EXPECT_THAT(coordinator_->start_region(0, 1, false), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, or_fail_and_then_its_committables_go_too) {
  make(every_second());
  after_ms(1000);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  acknowledge_all(1);
  coordinator_->end_all(Status::aborted("a task failed"));
  const CheckpointActions actions = coordinator_->metadata_failed(1, Status::unavailable(""));
  EXPECT_EQ(only<AbortCheckpoint>(actions).id, 1);
  EXPECT_THAT(only<DiscardCommittables>(actions).committables,
              ElementsAre(SinkCommittables{1, 0, {"a"}}));
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, the_first_ones_after_a_foreign_restore_are_bases) {
  CheckpointOptions options = every_second();
  options.is_incremental = true;
  options.tolerable_failures = 1;
  make(options);
  EXPECT_FALSE(only<TriggerTasks>(after_ms(1000)).as_base);
  coordinator_->end_all(Status::aborted(""));
  coordinator_->start_region(0, 1, /*first_is_base=*/true);
  attempt_ = 1;
  EXPECT_TRUE(only<TriggerTasks>(after_ms(1000)).as_base);
  coordinator_->declined(1, kSink0, 2, Status::unavailable(""));
  EXPECT_TRUE(only<TriggerTasks>(after_ms(1000)).as_base);
  acknowledge_all(3);
  coordinator_->metadata_stored(3, "");
  EXPECT_FALSE(only<TriggerTasks>(after_ms(1000)).as_base);
}

// ---- Regions ----

constexpr SubtaskIndex kOther0{4, 0};

// Of two regions: the tasks of the second one are kSecondRegion.
class CheckpointRegionsTest : public CheckpointCoordinatorTest {
 protected:
  CheckpointRegionsTest() {
    const JobGraph job = testing::graph_of_two_regions();
    CheckpointOptions options = every_second();
    options.tolerable_failures = 1;
    coordinator_.emplace(std::move(options), testing::topology(job), "job", 1, clock_);
    EXPECT_THAT(coordinator_->start_region(0, 0, false), IsEmpty());
    EXPECT_THAT(coordinator_->start_region(1, 1, false), IsEmpty());
  }
  CheckpointActions acknowledge_second(CheckpointId id, int attempt) {
    CheckpointActions last;
    for (const SubtaskIndex task : testing::kSecondRegion) {
      last = coordinator_->acknowledged(attempt, task, id, {});
    }
    return last;
  }
};

TEST_F(CheckpointRegionsTest, one_that_fails_leaves_the_others_what_they_prepared) {
  only<TriggerTasks>(after_ms(1000));
  acknowledge(1, kSink0, snapshot_with({"a"}));
  coordinator_->acknowledged(1, kOther0, 1, snapshot_with({"lost"}));
  const CheckpointActions actions = coordinator_->end_region(1, Status::aborted("a task failed"));
  EXPECT_EQ(only<AbortCheckpoint>(actions).id, 1);
  EXPECT_THAT(only<DiscardCommittables>(actions).committables,
              ElementsAre(SinkCommittables{4, 0, {"lost"}}));
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
  // Nothing begins while it is away, and its old tasks are not heard.
  EXPECT_THAT(after_ms(5000), IsEmpty());
  EXPECT_EQ(wake_in_ms(), std::nullopt);
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(1, "/s", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kUnavailable);
  // A checkpoint is overdue for the others: it begins at once.
  EXPECT_EQ(only<TriggerTasks>(coordinator_->start_region(1, 2, false)).id, 2);
  acknowledge_all(2);
  EXPECT_THAT(acknowledge_second(2, 1), IsEmpty());
  only<StoreMetadata>(acknowledge_second(2, 2));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(2, "")).commit,
              ElementsAre(SinkCommittables{1, 0, {"a"}}));
}

TEST_F(CheckpointRegionsTest, what_is_being_stored_when_one_fails_may_have_its_part) {
  only<TriggerTasks>(after_ms(1000));
  coordinator_->acknowledged(1, kOther0, 1, snapshot_with({"kept"}));
  acknowledge_all(1);
  acknowledge_second(1, 1);
  ASSERT_TRUE(coordinator_->is_storing());
  EXPECT_THAT(coordinator_->end_region(1, Status::aborted("a task failed")), IsEmpty());
  const CheckpointActions actions = coordinator_->metadata_stored(1, "");
  EXPECT_THAT(only<CompleteCheckpoint>(actions).commit,
              ElementsAre(SinkCommittables{4, 0, {"kept"}}));
  EXPECT_THAT(all_of<DiscardCommittables>(actions), IsEmpty());
}

TEST_F(CheckpointRegionsTest, or_not_and_then_it_is_taken_back) {
  only<TriggerTasks>(after_ms(1000));
  acknowledge(1, kSink0, snapshot_with({"a"}));
  coordinator_->acknowledged(1, kOther0, 1, snapshot_with({"lost"}));
  acknowledge_all(1);
  acknowledge_second(1, 1);
  coordinator_->end_region(1, Status::aborted("a task failed"));
  const CheckpointActions actions = coordinator_->metadata_failed(1, Status::unavailable(""));
  EXPECT_THAT(only<DiscardCommittables>(actions).committables,
              ElementsAre(SinkCommittables{4, 0, {"lost"}}));
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
}

TEST_F(CheckpointRegionsTest, tasks_that_have_finished_run_again_only_in_the_region_that_failed) {
  finish(kSource0);
  finish(kSource1);
  coordinator_->task_finished(1, {3, 0}, {});
  coordinator_->end_region(1, Status::aborted("a task failed"));
  const auto first = all_of<TriggerTasks>(coordinator_->start_region(1, 2, false));
  EXPECT_THAT(first, IsEmpty());
  EXPECT_THAT(only<TriggerTasks>(after_ms(1000)).tasks,
              ElementsAre(kSink0, kSink1, kLog0, kLog1, SubtaskIndex{3, 0}, SubtaskIndex{3, 1}));
}

// ---- Tasks that finish ----

TEST_F(CheckpointCoordinatorTest, tasks_that_have_finished_are_in_the_next_one_as_finished) {
  make(every_second());
  EXPECT_THAT(finish(kSource0), IsEmpty());
  EXPECT_THAT(finish(kLog0, prepared({"the end of log 0"})), IsEmpty());
  const auto trigger = only<TriggerTasks>(after_ms(1000));
  EXPECT_THAT(trigger.tasks, ElementsAre(kSource1));
  const auto store =
      only<StoreMetadata>(acknowledge_all(trigger.id, {kSource1, kSink0, kSink1, kLog1}));
  const auto& log = store.metadata.vertices[2];
  EXPECT_TRUE(log.subtasks[0].has_finished);
  EXPECT_EQ(log.subtasks[0].operators, prepared({"the end of log 0"}));
  EXPECT_FALSE(log.subtasks[1].has_finished);
  EXPECT_TRUE(store.metadata.vertices[0].subtasks[0].has_finished);
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(1, "")).commit,
              ElementsAre(SinkCommittables{2, 0, {"the end of log 0"}}));
}

TEST_F(CheckpointCoordinatorTest, tasks_whose_producers_have_all_finished_are_triggered) {
  make(every_second());
  finish(kSource1);
  EXPECT_THAT(only<TriggerTasks>(after_ms(1000)).tasks, ElementsAre(kSource0, kLog1));
  acknowledge_all(1, {kSource0, kSink0, kSink1, kLog0, kLog1});
  coordinator_->metadata_stored(1, "");
  finish(kSource0);
  EXPECT_THAT(only<TriggerTasks>(after_ms(1000)).tasks, ElementsAre(kSink0, kSink1, kLog0, kLog1));
}

TEST_F(CheckpointCoordinatorTest, a_task_that_finishes_without_its_answer_spoils_a_checkpoint) {
  make(every_second());
  after_ms(1000);
  acknowledge(1, kSource0);
  EXPECT_THAT(finish(kSource0), IsEmpty());  // It has answered: no harm.
  const CheckpointActions actions = finish(kSource1);
  EXPECT_THAT(std::string(only<AbortCheckpoint>(actions).reason.message()),
              HasSubstr("'source' (2/2) finished"));
  EXPECT_EQ(coordinator_->counts().failed, 0);
  EXPECT_EQ(wake_in_ms(), CheckpointCoordinator::kRetryMs);
  EXPECT_EQ(only<TriggerTasks>(after_ms(CheckpointCoordinator::kRetryMs)).id, 2);
}

TEST_F(CheckpointCoordinatorTest, what_a_task_prepared_at_its_end_is_not_in_an_older_checkpoint) {
  make(every_second());
  after_ms(1000);
  acknowledge(1, kLog0, snapshot_with({"before the barrier"}));
  finish(kLog0, prepared({"after the barrier"}));
  EXPECT_EQ(only<StoreMetadata>(acknowledge_all(1)).metadata.vertices[2].subtasks[0].operators,
            prepared({"before the barrier"}));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(1, "")).commit,
              ElementsAre(SinkCommittables{2, 0, {"before the barrier"}}));
  after_ms(1000);
  only<StoreMetadata>(acknowledge_all(2, {kSource0, kSource1, kSink0, kSink1, kLog1}));
  EXPECT_THAT(only<CompleteCheckpoint>(coordinator_->metadata_stored(2, "")).commit,
              ElementsAre(SinkCommittables{2, 0, {"after the barrier"}}));
}

TEST_F(CheckpointCoordinatorTest, after_the_last_task_there_is_a_last_checkpoint) {
  make(every_second());
  for (const SubtaskIndex task : {kSource0, kSource1, kSink0, kLog0, kLog1}) finish(task);
  const CheckpointActions actions = finish(kSink1, prepared({"the last"}));
  EXPECT_THAT(only<TriggerTasks>(actions).tasks, IsEmpty());
  const auto store = only<StoreMetadata>(coordinator_->triggered(1, {{0, 0, "nothing left"}}));
  EXPECT_EQ(store.metadata.vertices[1].subtasks[1].operators, prepared({"the last"}));
  const CheckpointActions last = coordinator_->metadata_stored(1, "");
  EXPECT_THAT(only<CompleteCheckpoint>(last).commit,
              ElementsAre(SinkCommittables{1, 0, {"the last"}}));
  EXPECT_THAT(only<AllFinished>(last).commit, IsEmpty());
  EXPECT_THAT(after_ms(100'000), IsEmpty());
  EXPECT_EQ(wake_in_ms(), std::nullopt);
}

TEST_F(CheckpointCoordinatorTest, one_under_way_at_the_end_comes_before_the_last) {
  make(every_second());
  after_ms(1000);
  for (const SubtaskIndex task : kAll) acknowledge(1, task);
  for (const SubtaskIndex task : kAll) EXPECT_THAT(finish(task), IsEmpty());
  only<StoreMetadata>(coordinator_->triggered(1, {}));
  const CheckpointActions actions = coordinator_->metadata_stored(1, "");
  EXPECT_THAT(all_of<AllFinished>(actions), IsEmpty());
  EXPECT_EQ(only<TriggerTasks>(actions).id, 2);
}

TEST_F(CheckpointCoordinatorTest,
       a_last_checkpoint_that_fails_is_tried_again_as_often_as_tolerated) {
  CheckpointOptions options = every_second();
  options.tolerable_failures = 1;
  options.max_concurrent = 3;
  make(options);
  for (const SubtaskIndex task : kAll) finish(task);
  coordinator_->triggered(1, {});
  EXPECT_THAT(coordinator_->metadata_failed(1, Status::unavailable("")), SizeIs(1));
  EXPECT_EQ(wake_in_ms(), 1000);
  EXPECT_EQ(only<TriggerTasks>(after_ms(1000)).id, 2);
  coordinator_->triggered(2, {});
  EXPECT_EQ(wake_in_ms(), std::nullopt);
  only<FailAttempt>(coordinator_->metadata_failed(2, Status::unavailable("")));
}

TEST_F(CheckpointCoordinatorTest, without_checkpoints_what_is_left_is_committed_at_the_end) {
  make(CheckpointOptions());
  for (const SubtaskIndex task : {kSource0, kSource1, kSink0, kLog0, kLog1}) finish(task);
  EXPECT_THAT(only<AllFinished>(finish(kSink1, prepared({"x"}))).commit,
              ElementsAre(SinkCommittables{1, 0, {"x"}}));
}

TEST_F(CheckpointCoordinatorTest, checkpoints_may_end_with_the_first_task) {
  CheckpointOptions options = every_second();
  options.after_tasks_finish = false;
  make(options);
  finish(kLog0, prepared({"x"}));
  EXPECT_THAT(after_ms(5000), IsEmpty());
  EXPECT_EQ(wake_in_ms(), std::nullopt);
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(1, "/s", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kFailedPrecondition);
  CheckpointActions last;
  for (const SubtaskIndex task : {kSource0, kSource1, kSink0, kSink1, kLog1}) last = finish(task);
  EXPECT_THAT(only<AllFinished>(last).commit, ElementsAre(SinkCommittables{2, 0, {"x"}}));
}

// ---- Savepoints ----

TEST_F(CheckpointCoordinatorTest, a_savepoint_is_answered_and_nothing_builds_upon_it) {
  CheckpointOptions options = every_second();
  options.is_incremental = true;
  make(options);
  const auto trigger =
      only<TriggerTasks>(coordinator_->request_savepoint(77, "/savepoint", SavepointThen::kGoOn));
  EXPECT_EQ(trigger.kind, CheckpointKind::kSavepoint);
  EXPECT_EQ(trigger.folder, "/savepoint");
  EXPECT_TRUE(trigger.as_base);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  const auto store = only<StoreMetadata>(acknowledge_all(1));
  EXPECT_EQ(store.folder, "/savepoint");
  EXPECT_EQ(store.metadata.kind, CheckpointKind::kSavepoint);
  const CheckpointActions actions = coordinator_->metadata_stored(1, "/savepoint");
  const auto complete = only<CompleteCheckpoint>(actions);
  EXPECT_FALSE(complete.tell_completed);
  EXPECT_THAT(complete.commit, IsEmpty());
  const auto answer = only<AnswerSavepoint>(actions);
  EXPECT_EQ(answer.request, 77);
  EXPECT_TRUE(answer.status.is_ok());
  EXPECT_EQ(answer.location, "/savepoint");
  // Its committables are in the next checkpoint, which commits them.
  const CheckpointActions next = complete_next();
  EXPECT_THAT(only<CompleteCheckpoint>(next).commit, ElementsAre(SinkCommittables{1, 0, {"a"}}));
}

TEST_F(CheckpointCoordinatorTest, what_a_savepoint_has_is_not_taken_back) {
  make(every_second());
  coordinator_->request_savepoint(1, "/savepoint", SavepointThen::kGoOn);
  acknowledge(1, kSink0, snapshot_with({"in the savepoint"}));
  acknowledge_all(1);
  coordinator_->metadata_stored(1, "/savepoint");
  after_ms(1000);
  acknowledge(2, kSink0, snapshot_with({"later"}));
  EXPECT_THAT(only<DiscardCommittables>(coordinator_->end_all(Status::aborted(""))).committables,
              ElementsAre(SinkCommittables{1, 0, {"later"}}));
}

TEST_F(CheckpointCoordinatorTest, savepoints_wait_for_room_and_come_before_the_next_checkpoint) {
  make(every_second());
  after_ms(1000);
  EXPECT_THAT(coordinator_->request_savepoint(1, "/a", SavepointThen::kGoOn), IsEmpty());
  EXPECT_THAT(coordinator_->request_savepoint(2, "/b", SavepointThen::kGoOn), IsEmpty());
  clock_.advance_ms(2000);
  acknowledge_all(1);
  EXPECT_EQ(only<TriggerTasks>(coordinator_->metadata_stored(1, "")).folder, "/a");
  acknowledge_all(2);
  EXPECT_EQ(only<TriggerTasks>(coordinator_->metadata_stored(2, "/a")).folder, "/b");
  acknowledge_all(3);
  EXPECT_EQ(only<TriggerTasks>(coordinator_->metadata_stored(3, "/b")).kind,
            CheckpointKind::kCheckpoint);
}

TEST_F(CheckpointCoordinatorTest, a_savepoint_that_fails_does_not_fail_the_job) {
  make(every_second());
  coordinator_->request_savepoint(5, "/a", SavepointThen::kGoOn);
  const CheckpointActions actions =
      coordinator_->declined(0, kSink0, 1, Status::unavailable("no disk"));
  EXPECT_EQ(only<AbortCheckpoint>(actions).folder, "/a");
  EXPECT_THAT(std::string(only<AnswerSavepoint>(actions).status.message()), HasSubstr("no disk"));
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
  complete_next();
}

TEST_F(CheckpointCoordinatorTest, savepoints_are_answered_when_the_attempt_ends) {
  make(every_second());
  coordinator_->request_savepoint(1, "/a", SavepointThen::kGoOn);
  coordinator_->request_savepoint(2, "/b", SavepointThen::kStop);
  const auto answers = all_of<AnswerSavepoint>(coordinator_->end_all(Status::aborted("x")));
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers[0].request, 1);
  EXPECT_EQ(answers[1].request, 2);
  EXPECT_EQ(answers[1].status.code(), StatusCode::kAborted);
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(3, "/c", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kUnavailable);
}

TEST_F(CheckpointCoordinatorTest, stopping_commits_what_the_savepoint_has_and_stops_the_job) {
  make(every_second());
  EXPECT_EQ(only<TriggerTasks>(coordinator_->request_savepoint(1, "/a", SavepointThen::kStop)).then,
            SavepointThen::kStop);
  // Nothing else begins.
  EXPECT_THAT(after_ms(5000), IsEmpty());
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(2, "/b", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kFailedPrecondition);
  acknowledge(1, kSink0, snapshot_with({"a"}));
  acknowledge_all(1);
  const CheckpointActions actions = coordinator_->metadata_stored(1, "/a");
  EXPECT_THAT(only<CompleteCheckpoint>(actions).commit, ElementsAre(SinkCommittables{1, 0, {"a"}}));
  EXPECT_TRUE(only<AnswerSavepoint>(actions).status.is_ok());
  EXPECT_EQ(only<StopJob>(actions).location, "/a");
  EXPECT_TRUE(std::holds_alternative<StopJob>(actions.back()));
  EXPECT_THAT(after_ms(100'000), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, a_job_goes_on_when_stopping_it_has_failed) {
  make(every_second());
  coordinator_->request_savepoint(1, "/a", SavepointThen::kStop);
  const CheckpointActions actions = coordinator_->declined(0, kSink0, 1, Status::unavailable(""));
  EXPECT_FALSE(only<AnswerSavepoint>(actions).status.is_ok());
  EXPECT_THAT(all_of<FailAttempt>(actions), IsEmpty());
  EXPECT_EQ(only<TriggerTasks>(after_ms(1000)).kind, CheckpointKind::kCheckpoint);
}

TEST_F(CheckpointCoordinatorTest, but_restarts_when_it_was_drained) {
  make(every_second());
  coordinator_->request_savepoint(1, "/a", SavepointThen::kDrain);
  only<FailAttempt>(coordinator_->declined(0, kSink0, 1, Status::unavailable("")));
}

TEST_F(CheckpointCoordinatorTest, savepoints_need_a_folder_and_a_bounded_queue) {
  make(every_second());
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(1, "", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kInvalidArgument);
  after_ms(1000);  // There is no room.
  for (std::size_t i = 0; i < CheckpointCoordinator::kSavepointsQueuedMax; ++i) {
    EXPECT_THAT(coordinator_->request_savepoint(2, "/a", SavepointThen::kGoOn), IsEmpty());
  }
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(3, "/a", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kResourceExhausted);
}

TEST_F(CheckpointCoordinatorTest, a_job_that_has_finished_takes_no_savepoint) {
  make(CheckpointOptions());
  for (const SubtaskIndex task : kAll) finish(task);
  EXPECT_EQ(only<AnswerSavepoint>(coordinator_->request_savepoint(3, "/a", SavepointThen::kGoOn))
                .status.code(),
            StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace clepsydra
