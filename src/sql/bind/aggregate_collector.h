// The aggregate calls of one SELECT, each once.
#pragma once

#include <string>
#include <vector>

#include "functions/expression.h"
#include "sql/ast/location.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

struct BoundAggregate {
  std::string function;  // Canonical name.
  std::vector<ExpressionPtr> arguments;
  ExpressionPtr filter;  // May be null.
  bool distinct = false;
  DataType type;
  ast::SourceRange range;
};

// While a SELECT is bound, an aggregate call stands in expressions as a column from
// kPlaceholderBase on; the select binder replaces it by the column of the aggregation.
class AggregateCollector {
 public:
  static constexpr int kPlaceholderBase = 1 << 24;

  // The placeholder; equal calls get the same one.
  ExpressionPtr add(BoundAggregate aggregate);
  [[nodiscard]] const std::vector<BoundAggregate>& calls() const { return calls_; }

 private:
  std::vector<BoundAggregate> calls_;
};

}  // namespace clepsydra::sql
