#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/logical/window_columns.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

// Substituting a column by what computes it must not make a condition huge.
constexpr int kConditionNodesMax = 2000;
constexpr int kDepthMax = 60;

PlanPtr filtered(PlanPtr input, const std::vector<ExpressionPtr>& conjuncts) {
  if (conjuncts.empty()) return input;
  return std::make_shared<FilterNode>(std::move(input), make_conjunction(conjuncts));
}

class FilterPushDown {
 public:
  explicit FilterPushDown(const FunctionRegistry& functions) : functions_(functions) {}

  // `input` filtered by all conjuncts, each as deep as it can go.
  PlanPtr push(const PlanPtr& input, std::vector<ExpressionPtr> conjuncts) {
    if (conjuncts.empty()) return input;
    switch (input->kind) {
      case PlanKind::kFilter:
        return push_into_filter(*input, std::move(conjuncts));
      case PlanKind::kProject:
        return push_through_project(input, std::move(conjuncts));
      case PlanKind::kWindowTableFunction:
        return push_through_window(input, std::move(conjuncts));
      case PlanKind::kAggregate:
        return push_through_aggregate(input, std::move(conjuncts));
      case PlanKind::kUnionAll:
        return push_through_union(input, std::move(conjuncts));
      default:
        return filtered(input, conjuncts);
    }
  }

 private:
  [[nodiscard]] bool may_move(const Expression& conjunct) const {
    return functions_.is_deterministic(conjunct);
  }

  PlanPtr push_into_filter(const PlanNode& filter, std::vector<ExpressionPtr> conjuncts) {
    // The inner filter's conditions come first: they may guard the outer ones.
    std::vector<ExpressionPtr> all = split_conjunction(filter.as<FilterNode>().condition);
    all.insert(all.end(), conjuncts.begin(), conjuncts.end());
    return push(filter.input(), std::move(all));
  }

  PlanPtr push_through_project(const PlanPtr& node, std::vector<ExpressionPtr> conjuncts) {
    const auto& project = node->as<ProjectNode>();
    std::vector<ExpressionPtr> moved;
    std::vector<ExpressionPtr> kept;
    for (ExpressionPtr& conjunct : conjuncts) {
      bool movable = may_move(*conjunct);
      for_each_column(*conjunct, [&](int column) {
        movable = movable && may_move(*project.expressions[static_cast<std::size_t>(column)]);
      });
      ExpressionPtr below;
      if (movable) below = substitute(conjunct, project.expressions);
      movable = movable && count_nodes(*below, kConditionNodesMax) < kConditionNodesMax &&
                depth_of(*below) <= kDepthMax;
      if (movable) {
        moved.push_back(std::move(below));
      } else {
        kept.push_back(std::move(conjunct));
      }
    }
    if (moved.empty()) return filtered(node, kept);
    return filtered(with_inputs(node, {push(node->input(), std::move(moved))}), kept);
  }

  PlanPtr push_through_window(const PlanPtr& node, std::vector<ExpressionPtr> conjuncts) {
    const int inner = node->input()->schema->size();
    return split_and_push(
        node, std::move(conjuncts), [&](int column) { return column < inner; },
        [](const ExpressionPtr& conjunct) { return conjunct; });
  }

  PlanPtr push_through_aggregate(const PlanPtr& node, std::vector<ExpressionPtr> conjuncts) {
    const auto& aggregate = node->as<AggregateNode>();
    const std::optional<WindowColumns> windows = window_columns(*node->input());
    // A condition on a window bound stays: below, it would part the window function from the
    // aggregation.
    const auto is_plain_key = [&](int column) {
      return static_cast<std::size_t>(column) < aggregate.keys.size() &&
             !(windows && windows->bound_of(aggregate.keys[static_cast<std::size_t>(column)]));
    };
    return split_and_push(
        node, std::move(conjuncts), is_plain_key,
        [&](const ExpressionPtr& conjunct) { return remap_columns(conjunct, aggregate.keys); });
  }

  template <typename IsBelow, typename Move>
  PlanPtr split_and_push(const PlanPtr& node, std::vector<ExpressionPtr> conjuncts,
                         const IsBelow& is_below, const Move& move) {
    std::vector<ExpressionPtr> moved;
    std::vector<ExpressionPtr> kept;
    for (ExpressionPtr& conjunct : conjuncts) {
      bool movable = may_move(*conjunct);
      for_each_column(*conjunct, [&](int column) { movable = movable && is_below(column); });
      if (movable) {
        moved.push_back(move(conjunct));
      } else {
        kept.push_back(std::move(conjunct));
      }
    }
    if (moved.empty()) return filtered(node, kept);
    return filtered(with_inputs(node, {push(node->input(), std::move(moved))}), kept);
  }

  PlanPtr push_through_union(const PlanPtr& node, std::vector<ExpressionPtr> conjuncts) {
    std::vector<ExpressionPtr> moved;
    std::vector<ExpressionPtr> kept;
    for (ExpressionPtr& conjunct : conjuncts) {
      (may_move(*conjunct) ? moved : kept).push_back(std::move(conjunct));
    }
    if (moved.empty()) return filtered(node, kept);
    std::vector<PlanPtr> inputs;
    for (const PlanPtr& input : node->inputs) inputs.push_back(push(input, moved));
    return filtered(with_inputs(node, std::move(inputs)), kept);
  }

  const FunctionRegistry& functions_;
};

}  // namespace

Result<PlanRoots> push_down_filters(const PlanRoots& roots, const BindEnvironment& environment) {
  FilterPushDown push_down(environment.functions);
  return rewrite_bottom_up(roots, [&](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> {
    if (node->kind != PlanKind::kFilter) return node;
    return push_down.push(node->input(), split_conjunction(node->as<FilterNode>().condition));
  });
}

}  // namespace clepsydra::sql
