#include "sql/lower/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "sql/logical/expression_rewrite.h"

namespace clepsydra::sql {
namespace {

// Deeper trees do not decode: two levels of a value tree per call.
constexpr int kExpressionDepthMax = 90;

}  // namespace

Result<ValueTree> lower_expression(const Expression& expression) {
  if (depth_of(expression) > kExpressionDepthMax) {
    return Status::invalid_argument(fmt::format(
        "an expression is nested more than {} deep, casts counted", kExpressionDepthMax));
  }
  return expression_to_tree(expression);
}

Result<ValueTree> lower_expressions(const std::vector<ExpressionPtr>& expressions) {
  ValueTree list = ValueTree::list();
  for (const ExpressionPtr& expression : expressions) {
    CLP_ASSIGN_OR_RETURN(ValueTree tree, lower_expression(*expression));
    list.add(std::move(tree));
  }
  return list;
}

ValueTree lower_integers(const std::vector<int>& values) {
  ValueTree list = ValueTree::list();
  for (const int value : values) list.add(value);
  return list;
}

ValueTree lower_window(const WindowSpec& window) {
  ValueTree tree = ValueTree::map();
  switch (window.kind) {
    case WindowKind::kTumble:
      tree.set("kind", "tumble");
      break;
    case WindowKind::kHop:
      tree.set("kind", "hop");
      tree.set("slide_ms", window.step_ms);
      break;
    case WindowKind::kCumulate:
      tree.set("kind", "cumulate");
      tree.set("step_ms", window.step_ms);
      break;
  }
  tree.set("size_ms", window.size_ms);
  tree.set("offset_ms", window.offset_ms);
  tree.set("zone", window.zone);
  return tree;
}

bool Lowering::is_source(const PlanNode& node) const {
  if (node.kind == PlanKind::kScan || node.kind == PlanKind::kWatermark) return true;
  return node.kind == PlanKind::kProject && node.input()->kind == PlanKind::kScan &&
         !is_shared(*node.input());
}

int Lowering::parallelism_of(const Lowered& input) const {
  int parallelism = 1;
  for (const int node : input.nodes) {
    parallelism = std::max(parallelism, graph_.nodes[static_cast<std::size_t>(node)].parallelism);
  }
  return parallelism;
}

std::string make_uid(std::string_view kind, std::uint64_t identity) {
  return fmt::format("{}-{:016x}", kind, identity);
}

void Lowering::identify(OperatorSpec& spec, const Lowered& input) {
  if (spec.uid.empty()) {
    std::string content = spec.kind;
    for (const int node : input.nodes) {
      content += "\n" + graph_.nodes[static_cast<std::size_t>(node)].spec.uid;
    }
    spec.uid = make_uid(spec.kind, hash64(content));
  }
  // Equal operators (two sinks of one table) are told apart by their order.
  if (const int copies = ++uids_[spec.uid]; copies > 1) spec.uid += fmt::format("-{}", copies);
  spec.name += fmt::format("[{}]", graph_.nodes.size() + 1);
}

int Lowering::add_source(OperatorSpec spec, int parallelism) {
  identify(spec, {});
  StreamNode node;
  node.spec = std::move(spec);
  node.parallelism = parallelism;
  node.max_parallelism = environment_.settings.max_parallelism;
  return graph_.add(std::move(node));
}

int Lowering::add_operator(OperatorSpec spec, int parallelism, const Lowered& input,
                           const Exchange& exchange) {
  identify(spec, input);
  StreamNode node;
  node.spec = std::move(spec);
  node.parallelism = parallelism;
  node.max_parallelism = environment_.settings.max_parallelism;
  const int to = graph_.add(std::move(node));
  for (const int from : input.nodes) {
    StreamEdge edge;
    edge.from = from;
    edge.to = to;
    edge.partitioning = exchange.partitioning;
    edge.keys = exchange.keys;
    if (edge.partitioning == Partitioning::kForward &&
        graph_.nodes[static_cast<std::size_t>(from)].parallelism != parallelism) {
      edge.partitioning = parallelism == 1 ? Partitioning::kGlobal : Partitioning::kRebalance;
    }
    graph_.connect(std::move(edge));
  }
  return to;
}

Result<Lowering::Lowered> Lowering::lower(const PlanPtr& node) {
  if (const auto it = done_.find(node.get()); it != done_.end()) return it->second;
  const auto lower_new = [&]() -> Result<Lowered> {
    if (is_source(*node)) return lower_source(node, *this);
    switch (node->kind) {
      case PlanKind::kValues:
        return lower_values(node, *this);
      case PlanKind::kFilter:
      case PlanKind::kProject:
        return lower_calc(node, *this);
      case PlanKind::kWindowTableFunction:
        return lower_window_table_function(node, *this);
      case PlanKind::kWindowAggregate:
        return lower_window_aggregate(node, *this);
      case PlanKind::kUnionAll:
        return lower_union_all(node, *this);
      case PlanKind::kSink:
        return lower_sink(node, *this);
      case PlanKind::kCollect:
        return lower_collect(node, *this);
      case PlanKind::kScan:
      case PlanKind::kWatermark:
      case PlanKind::kAggregate:
        break;
    }
    return Status::internal("a plan node was not lowered");
  };
  CLP_ASSIGN_OR_RETURN(Lowered lowered, lower_new());
  done_.emplace(node.get(), lowered);
  return lowered;
}

Result<StreamGraph> lower_plans(const PlanRoots& roots, const BindEnvironment& environment,
                                std::string name,
                                std::vector<std::pair<std::string, std::string>> configuration) {
  Lowering lowering(environment, roots);
  for (const PlanPtr& root : roots) CLP_RETURN_IF_ERROR(lowering.lower(root).status());
  StreamGraph graph = std::move(lowering.graph());
  graph.name = environment.settings.pipeline_name;
  if (graph.name.empty()) graph.name = std::move(name);
  graph.configuration = std::move(configuration);
  CLP_RETURN_IF_ERROR(graph.validate());
  return graph;
}

}  // namespace clepsydra::sql
