#include "jobmanager/job_phase.h"

#include <gtest/gtest.h>

namespace clepsydra {
namespace {

constexpr JobPhase kAll[] = {JobPhase::kCreated,  JobPhase::kRunning,   JobPhase::kFinishing,
                             JobPhase::kFailing,  JobPhase::kCanceling, JobPhase::kRestarting,
                             JobPhase::kFinished, JobPhase::kFailed,    JobPhase::kCanceled};

TEST(JobPhaseTest, an_end_is_never_left_and_every_other_phase_is) {
  for (const JobPhase from : kAll) {
    bool is_left = false;
    for (const JobPhase to : kAll) is_left = is_left || may_move(from, to);
    EXPECT_EQ(is_left, !has_ended(from)) << job_phase_name(from);
  }
}

TEST(JobPhaseTest, sinks_are_settled_before_every_end) {
  for (const JobPhase from : {JobPhase::kCreated, JobPhase::kRunning, JobPhase::kRestarting}) {
    for (const JobPhase end : {JobPhase::kFinished, JobPhase::kFailed, JobPhase::kCanceled}) {
      EXPECT_FALSE(may_move(from, end)) << job_phase_name(from) << " " << job_phase_name(end);
    }
  }
  // What is being committed cannot be cancelled any more, but it can fail.
  EXPECT_FALSE(may_move(JobPhase::kFinishing, JobPhase::kCanceling));
  EXPECT_TRUE(may_move(JobPhase::kFinishing, JobPhase::kFailing));
}

TEST(JobPhaseTest, whatever_may_fail_may_be_tried_again_and_whatever_is_tried_again_may_fail) {
  for (const JobPhase from : {JobPhase::kCreated, JobPhase::kRunning, JobPhase::kFinishing}) {
    EXPECT_TRUE(may_move(from, JobPhase::kRestarting)) << job_phase_name(from);
  }
  for (const JobPhase to : {JobPhase::kRunning, JobPhase::kFailing, JobPhase::kCanceling}) {
    EXPECT_TRUE(may_move(JobPhase::kRestarting, to)) << job_phase_name(to);
  }
  // The decision to give up is final.
  EXPECT_FALSE(may_move(JobPhase::kFailing, JobPhase::kRestarting));
  EXPECT_FALSE(may_move(JobPhase::kCanceling, JobPhase::kRestarting));
}

}  // namespace
}  // namespace clepsydra
