// Window aggregations as a planner would write them, for tests and benchmarks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/operator_spec.h"

namespace clepsydra::testing {

struct AggregatePlan {
  std::string function;
  std::vector<int> arguments = {};
  DataType type = {};
  bool distinct = false;
  int filter = -1;
};

struct WindowPlan {
  std::string input = "k STRING, v INT, ts TIMESTAMP(3)";
  ValueTree window = {};
  int time_column = 2;
  std::vector<int> keys = {0};
  std::vector<AggregatePlan> aggregates = {};
  std::vector<std::string> outputs = {"window_start", "window_end"};
  DataType output_type = DataType::timestamp(3).with_nullable(false);
};

ValueTree int_list(const std::vector<int>& values);

ValueTree tumble_window(std::int64_t size_ms, std::int64_t offset_ms = 0,
                        std::string_view zone = "");
ValueTree hop_window(std::int64_t size_ms, std::int64_t slide_ms, std::int64_t offset_ms = 0);
ValueTree cumulate_window(std::int64_t size_ms, std::int64_t step_ms, std::int64_t offset_ms = 0);

AggregatePlan count_star();
// Over the INT column `column`.
AggregatePlan aggregate_int(std::string_view function, int column);

// One operator, or a local and a global one.
std::vector<OperatorSpec> window_aggregate_specs(const WindowPlan& plan, bool two_phase);

}  // namespace clepsydra::testing
