#include "taskmanager/task_phase.h"

#include <gtest/gtest.h>

namespace clepsydra {
namespace {

constexpr TaskPhase kAll[] = {TaskPhase::kCreated,   TaskPhase::kDeploying, TaskPhase::kRunning,
                              TaskPhase::kFinishing, TaskPhase::kFinished,  TaskPhase::kCanceling,
                              TaskPhase::kCanceled,  TaskPhase::kFailed};

TEST(TaskPhaseTest, an_end_is_never_left_and_every_other_phase_is) {
  for (const TaskPhase from : kAll) {
    bool is_left = false;
    for (const TaskPhase to : kAll) is_left = is_left || may_move(from, to);
    EXPECT_EQ(is_left, !has_ended(from)) << task_phase_name(from);
  }
}

TEST(TaskPhaseTest, every_phase_but_the_first_is_reached_and_none_stays) {
  for (const TaskPhase to : kAll) {
    bool is_reached = false;
    for (const TaskPhase from : kAll) is_reached = is_reached || may_move(from, to);
    EXPECT_EQ(is_reached, to != TaskPhase::kCreated) << task_phase_name(to);
    EXPECT_FALSE(may_move(to, to)) << task_phase_name(to);
  }
}

TEST(TaskPhaseTest, a_task_cannot_finish_without_giving_out_what_it_holds) {
  EXPECT_FALSE(may_move(TaskPhase::kRunning, TaskPhase::kFinished));
  EXPECT_TRUE(may_move(TaskPhase::kRunning, TaskPhase::kFinishing));
  EXPECT_FALSE(may_move(TaskPhase::kCanceling, TaskPhase::kFinished));
}

}  // namespace
}  // namespace clepsydra
