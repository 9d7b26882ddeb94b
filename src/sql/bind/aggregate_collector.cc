#include "sql/bind/aggregate_collector.h"

#include <utility>

namespace clepsydra::sql {
namespace {

bool equal(const ExpressionPtr& a, const ExpressionPtr& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool equal(const BoundAggregate& a, const BoundAggregate& b) {
  if (a.function != b.function || a.distinct != b.distinct || !equal(a.filter, b.filter) ||
      a.arguments.size() != b.arguments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.arguments.size(); ++i) {
    if (!equal(a.arguments[i], b.arguments[i])) return false;
  }
  return true;
}

}  // namespace

ExpressionPtr AggregateCollector::add(BoundAggregate aggregate) {
  std::size_t index = 0;
  while (index < calls_.size() && !equal(calls_[index], aggregate)) ++index;
  if (index == calls_.size()) calls_.push_back(std::move(aggregate));
  return Expression::column(kPlaceholderBase + static_cast<int>(index), calls_[index].type,
                            calls_[index].function);
}

}  // namespace clepsydra::sql
