// A text that is equal for plans that compute the same.
#pragma once

#include <string>

#include "sql/logical/plan.h"

namespace clepsydra::sql {

// What the node itself does, without its inputs.
std::string node_digest(const PlanNode& node);

}  // namespace clepsydra::sql
