#include "jobmanager/job_phase.h"

#include <gtest/gtest.h>

namespace clepsydra {
namespace {

constexpr JobPhase kAll[] = {JobPhase::kCreated, JobPhase::kRunning,   JobPhase::kFinishing,
                             JobPhase::kFailing, JobPhase::kCanceling, JobPhase::kFinished,
                             JobPhase::kFailed,  JobPhase::kCanceled};

TEST(JobPhaseTest, an_end_is_never_left_and_every_other_phase_is) {
  for (const JobPhase from : kAll) {
    bool is_left = false;
    for (const JobPhase to : kAll) is_left = is_left || may_move(from, to);
    EXPECT_EQ(is_left, !has_ended(from)) << job_phase_name(from);
  }
}

TEST(JobPhaseTest, sinks_are_settled_before_every_end) {
  for (const JobPhase from : {JobPhase::kCreated, JobPhase::kRunning}) {
    for (const JobPhase end : {JobPhase::kFinished, JobPhase::kFailed, JobPhase::kCanceled}) {
      EXPECT_FALSE(may_move(from, end)) << job_phase_name(from) << " " << job_phase_name(end);
    }
  }
  // What is being committed cannot be cancelled any more, but it can fail.
  EXPECT_FALSE(may_move(JobPhase::kFinishing, JobPhase::kCanceling));
  EXPECT_TRUE(may_move(JobPhase::kFinishing, JobPhase::kFailing));
}

}  // namespace
}  // namespace clepsydra
