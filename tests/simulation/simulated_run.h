// A job from its first start to its end, over as many lives as faults leave it, all drawn from one
// seed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "happenings.h"
#include "oracle.h"
#include "simulated_life.h"
#include "simulated_machine.h"
#include "workload.h"

namespace clepsydra::testing {

struct RunReport {
  std::string problem;  // Empty: all is well.
  std::string story;    // A line for each life.
  std::uint64_t trace = 0;
  std::int64_t lives = 0;
  std::int64_t restored = 0;  // Lives that went on from a snapshot.
  std::int64_t attempts = 0;
  std::int64_t checkpoints = 0;
  std::int64_t failed_checkpoints = 0;
  std::int64_t cuts_checked = 0;
  std::int64_t rows = 0;
  std::int64_t steps = 0;
  std::int64_t file_operations = 0;
  std::int64_t local_store_operations = 0;
  std::int64_t virtual_ms = 0;
  // The longest that a job has taken to its end when nothing went wrong any more.
  std::int64_t healed_ms_max = 0;
  Happenings happened;

  void add(const RunReport& other);
};

// What a seed stands for.
struct Scenario {
  Workload workload;
  std::vector<Branch> branches;
  Promise promise = Promise::kExactlyOnce;
  // Sources have a parallelism of their own in each life, so that what is one task in one life is
  // two in the next.
  bool rebalances = false;
  int lives_max = 1;  // With faults; a last one without follows.
  [[nodiscard]] std::string describe() const;
};
Scenario draw_scenario(std::uint64_t seed);

// What the lives of a run are like, from life 1.
struct RunPlan {
  std::function<LifeOptions(int life)> options;
  // Of the lives up to Scenario::lives_max; those after them have none.
  std::function<LifeFaults(int life)> faults;
  // Of the lives after them; empty: nothing happens.
  std::function<LifeFaults(int life)> peace = {};
  // What becomes of the disk when a process has died.
  std::function<void(SimulatedMachine& machine)> after_death;
  // And after any life that had faults.
  std::function<void(SimulatedMachine& machine)> after_life;
};
RunReport run_scenario(const Scenario& scenario, const RunPlan& plan, std::uint64_t seed);

// Draws all of it.
RunReport run_seed(std::uint64_t seed);

}  // namespace clepsydra::testing
