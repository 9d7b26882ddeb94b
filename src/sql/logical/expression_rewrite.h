// Bound expressions taken apart and put together again.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "functions/expression.h"

namespace clepsydra::sql {

// Every column replaced by the expression at its index. Calls without columns are shared, not
// copied.
ExpressionPtr substitute(const ExpressionPtr& expression,
                         std::span<const ExpressionPtr> replacements);
// Every column index i becomes columns[i] (>= 0 for those that occur); types stay.
ExpressionPtr remap_columns(const ExpressionPtr& expression, std::span<const int> columns);
// Calls `visit` for every column that occurs, repeats included.
void for_each_column(const Expression& expression, const std::function<void(int)>& visit);
bool has_columns(const Expression& expression);
// Nodes of the tree, at most `limit`.
int count_nodes(const Expression& expression, int limit);
int depth_of(const Expression& expression);

// a AND b AND c as {a, b, c}.
std::vector<ExpressionPtr> split_conjunction(const ExpressionPtr& condition);
// The reverse, balanced; null for none.
ExpressionPtr make_conjunction(std::span<const ExpressionPtr> conjuncts);

}  // namespace clepsydra::sql
