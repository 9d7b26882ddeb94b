#include "sql/logical/window_columns.h"

#include <algorithm>
#include <utility>

namespace clepsydra::sql {
namespace {

bool contains(const std::vector<int>& columns, int column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

// Output columns that are input columns `from[i]`, as bounds.
WindowColumns through(const WindowColumns& input, const std::vector<int>& from) {
  WindowColumns out;
  out.window = input.window;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const int column = static_cast<int>(i);
    const std::optional<WindowBound> bound = input.bound_of(from[i]);
    if (!bound) continue;
    switch (*bound) {
      case WindowBound::kStart:
        out.starts.push_back(column);
        break;
      case WindowBound::kEnd:
        out.ends.push_back(column);
        break;
      case WindowBound::kTime:
        out.times.push_back(column);
        break;
    }
  }
  return out;
}

std::vector<int> plain_columns(const ProjectNode& project) {
  std::vector<int> from;
  for (const ExpressionPtr& expression : project.expressions) {
    from.push_back(expression->kind() == Expression::Kind::kColumn ? expression->column_index()
                                                                   : -1);
  }
  return from;
}

}  // namespace

std::optional<WindowBound> WindowColumns::bound_of(int column) const {
  if (contains(starts, column)) return WindowBound::kStart;
  if (contains(ends, column)) return WindowBound::kEnd;
  if (contains(times, column)) return WindowBound::kTime;
  return std::nullopt;
}

std::optional<WindowColumns> window_columns(const PlanNode& plan) {
  switch (plan.kind) {
    case PlanKind::kWindowTableFunction: {
      const int first = plan.input()->schema->size();
      return WindowColumns{
          plan.as<WindowTableFunctionNode>().window, {first}, {first + 1}, {first + 2}};
    }
    case PlanKind::kFilter:
      return window_columns(*plan.input());
    case PlanKind::kProject: {
      const auto input = window_columns(*plan.input());
      if (!input) return std::nullopt;
      return through(*input, plain_columns(plan.as<ProjectNode>()));
    }
    case PlanKind::kAggregate: {
      const auto input = window_columns(*plan.input());
      if (!input) return std::nullopt;
      return through(*input, plan.as<AggregateNode>().keys);
    }
    case PlanKind::kWindowAggregate: {
      const auto& aggregate = plan.as<WindowAggregateNode>();
      WindowColumns out;
      out.window = aggregate.window;
      int column = static_cast<int>(aggregate.keys.size() + aggregate.calls.size());
      for (const WindowBound bound : aggregate.bounds) {
        (bound == WindowBound::kStart ? out.starts
         : bound == WindowBound::kEnd ? out.ends
                                      : out.times)
            .push_back(column++);
      }
      return out;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace clepsydra::sql
