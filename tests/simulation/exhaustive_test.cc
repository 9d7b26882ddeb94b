// One job whose every file operation fails once, in every way: checkpoints, a savepoint, a stop, a
// restore at another parallelism, the commits of two tables, and clearing up.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "base/random.h"
#include "simulated_run.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

Scenario small_job() {
  Scenario scenario;
  Random random(5);
  do {
    scenario.workload = draw_workload(random);
  } while (scenario.workload.rows() > 80 || scenario.workload.split_count() != 2 ||
           !scenario.workload.is_bounded || scenario.workload.idle_timeout_ms > 0 ||
           scenario.workload.duration_ms() < 60);
  scenario.branches = {{.has_windows = true, .two_phase = true}, {.is_partitioned = true}};
  scenario.lives_max = 8;
  return scenario;
}

LifeOptions options_of_life(int life) {
  LifeOptions options;
  options.parallelism = life % 2 + 1;
  options.configuration = {
      {"execution.checkpointing.interval", "15 ms"},
      {"execution.checkpointing.dir", SimulatedMachine::kCheckpoints},
      {"execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"},
      {"execution.checkpointing.tolerable-failed-checkpoints", "1000"},
      {"execution.checkpointing.data-inline-threshold", "0 b"},
      {"restart-strategy.type", "fixed-delay"},
      {"restart-strategy.fixed-delay.attempts", "1000"},
      {"restart-strategy.fixed-delay.delay", "5 ms"}};
  return options;
}

struct Outcome {
  RunReport report;
  std::int64_t operations = 0;
};

// The `fails_at`-th operation of all lives together fails; 0: none does.
Outcome run_with_fault(const Scenario& scenario, std::int64_t fails_at, FileFault fault,
                       bool cuts_power) {
  Outcome outcome;
  RunPlan plan;
  plan.options = options_of_life;
  plan.faults = [&](int life) {
    LifeFaults faults;
    faults.file_plan = [&, fails_at, fault](std::int64_t, FileOperation) {
      return ++outcome.operations == fails_at ? fault : FileFault::kNone;
    };
    if (life == 1) {
      faults.events = {{20 * kNsPerMs, LifeEventKind::kSavepoint},
                       {40 * kNsPerMs, LifeEventKind::kStop}};
    }
    return faults;
  };
  plan.after_death = [&](SimulatedMachine& machine) {
    if (cuts_power) machine.disk().drop_unsynced();
  };
  outcome.report = run_scenario(scenario, plan, 1);
  return outcome;
}

TEST(ExhaustiveTest, every_file_operation_fails_in_every_way_and_nothing_is_lost_or_twice) {
  ASSERT_TRUE(configure_logging({.level = LogLevel::kOff, .file = ""}).is_ok());
  const Scenario scenario = small_job();
  const Outcome whole = run_with_fault(scenario, 0, FileFault::kNone, false);
  ASSERT_EQ(whole.report.problem, "");
  EXPECT_EQ(whole.report.lives, 2);
  EXPECT_EQ(whole.report.happened.of(Happening::kSavepoint), 1);
  EXPECT_EQ(whole.report.happened.of(Happening::kStop), 1);
  EXPECT_GE(whole.report.checkpoints, 4);
  EXPECT_GT(whole.operations, 250);
  constexpr FileFault kFaults[] = {FileFault::kErrorBefore, FileFault::kErrorAfter,
                                   FileFault::kDeathBefore, FileFault::kDeathAfter};
  for (std::int64_t n = 1; n <= whole.operations; ++n) {
    for (const FileFault fault : kFaults) {
      const bool is_death = fault == FileFault::kDeathBefore || fault == FileFault::kDeathAfter;
      for (const bool cuts_power : {false, true}) {
        if (cuts_power && !is_death) continue;
        const Outcome outcome = run_with_fault(scenario, n, fault, cuts_power);
        ASSERT_EQ(outcome.report.problem, "")
            << fmt::format("operation {} of {}, fault {}, power cut {}\n{}", n, whole.operations,
                           static_cast<int>(fault), cuts_power, outcome.report.story);
        EXPECT_GE(outcome.operations, n);
      }
    }
  }
}

}  // namespace
}  // namespace clepsydra::testing
