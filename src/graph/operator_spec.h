// What an operator is, as data. The planner writes it, a registry in the runtime builds from it;
// neither knows the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "stream/data_type.h"

namespace clepsydra {

struct OperatorSpec {
  std::string kind;  // Registered name: "calc", "window_aggregate", "sink_writer", "source".
  std::string uid;   // Stable across plans that compute the same; state is found by it.
  std::string name;  // For people: "Calc[filter=(price > 10)]".
  std::vector<SchemaPtr> inputs;  // Empty for sources.
  SchemaPtr output;               // Null for sinks.
  ValueTree options;              // What the kind documents in its file in operators/.
};

}  // namespace clepsydra
