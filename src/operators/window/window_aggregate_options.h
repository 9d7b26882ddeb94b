// What the plan says about a window aggregation, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "graph/operator_spec.h"
#include "operators/operator_registry.h"
#include "operators/window/aggregate_row.h"
#include "operators/window/window_columns.h"
#include "operators/window/window_spec.h"
#include "operators/window/window_time.h"

namespace clepsydra {

enum class AggregatePhase : std::uint8_t { kLocal, kGlobal, kSingle };

struct WindowAggregateOptions {
  AggregatePhase phase = AggregatePhase::kSingle;
  WindowSpec window;
  WindowTime time;
  int time_column = -1;  // -1: processing time.
  std::vector<int> keys;
  std::vector<DataType> key_types;
  AggregateRow aggregates;
  std::vector<WindowProperty> properties;

  // Of an input of partial results: where the ends of slices are; row counts and accumulators
  // follow.
  [[nodiscard]] int slice_end_column() const { return static_cast<int>(keys.size()); }

  // InvalidArgument for options that do not fit each other or the schemas.
  static Result<WindowAggregateOptions> from_spec(const OperatorSpec& spec);
};

Result<OperatorPtr> make_local_window_aggregate(WindowAggregateOptions options,
                                                const OperatorSpec& spec, OperatorContext& context);
Result<OperatorPtr> make_keyed_window_aggregate(WindowAggregateOptions options,
                                                const OperatorSpec& spec, OperatorContext& context);

}  // namespace clepsydra
