// Comparisons as other families build them: BETWEEN, IN, NULLIF, simple CASE.
#pragma once

#include <string_view>

#include "clepsydra/status.h"
#include "functions/expression.h"

namespace clepsydra {

// `a` and `b` compared by "=", "<>", "<", "<=", ">" or ">=", with the conversions of the reference.
Result<ExpressionPtr> compare(std::string_view name, ExpressionPtr a, ExpressionPtr b);

}  // namespace clepsydra
