#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "sql/catalog/option_check.h"
#include "sql/logical/plan_identity.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {
namespace {

// Columns that the table declares NOT NULL: a NULL in them fails the job, also where the query's
// type promises none, as that of a DECIMAL that overflows. With the enforcer DROP the plan has a
// filter, and there are none.
std::vector<int> columns_to_check(const SinkNode& sink, NotNullEnforcer enforcer) {
  std::vector<int> columns;
  if (enforcer == NotNullEnforcer::kDrop) return columns;
  int position = 0;
  for (const TableColumn& column : sink.table->columns) {
    if (!column.is_persisted()) continue;
    if (!column.type.nullable()) columns.push_back(position);
    ++position;
  }
  return columns;
}

TableOptions connector_options(const TableOptions& options) {
  TableOptions own;
  for (const auto& [key, value] : options) {
    const bool of_planner =
        key == kScanParallelism || key == kSinkParallelism || key.starts_with("scan.watermark.");
    if (!of_planner) own.emplace(key, value);
  }
  return own;
}

Result<ValueTree> sink_spec(const SinkNode& sink, const TableConnector& connector) {
  const TableOptions options = connector_options(sink.options);
  if (sink.table->partition_keys.empty()) {
    return connector.sink_spec(options, *sink.table->physical);
  }
  CLP_CHECK(connector.partitioned_sink() != nullptr);  // Checked when it was created.
  return connector.partitioned_sink()->partitioned_sink_spec(options, *sink.table->physical,
                                                             partition_key_names(*sink.table));
}

// All rows of a primary key to one writer, so that they are written in their order.
Lowering::Exchange exchange_by_key(const SinkNode& sink, bool changes_parallelism, int parallelism,
                                   SinkKeyedShuffle when) {
  const bool is_wanted =
      when == SinkKeyedShuffle::kForce || (when == SinkKeyedShuffle::kAuto && changes_parallelism);
  if (sink.table->primary_key.empty() || !is_wanted || parallelism == 1) return {};
  Lowering::Exchange exchange{Partitioning::kHash, {}};
  for (const int column : sink.table->primary_key) {
    exchange.keys.push_back(
        sink.input()->schema->find(sink.table->columns[static_cast<std::size_t>(column)].name));
  }
  return exchange;
}

// All rows of a partition to one writer, when the table says so.
Result<Lowering::Exchange> exchange_by_partition(const SinkNode& sink, int parallelism) {
  const auto option = sink.options.find("sink.shuffle-by-partition.enable");
  if (sink.table->partition_keys.empty() || option == sink.options.end() || parallelism == 1) {
    return Lowering::Exchange{};
  }
  CLP_ASSIGN_OR_RETURN(const bool is_enabled,
                       parse_option_value<bool>(option->first, option->second));
  if (!is_enabled) return Lowering::Exchange{};
  Lowering::Exchange exchange{Partitioning::kHash, {}};
  for (const std::string& name : partition_key_names(*sink.table)) {
    exchange.keys.push_back(sink.input()->schema->find(name));
  }
  return exchange;
}

}  // namespace

Result<Lowering::Lowered> lower_sink(const PlanPtr& node, Lowering& lowering) {
  const auto& sink = node->as<SinkNode>();
  const BindEnvironment& environment = lowering.environment();
  CLP_ASSIGN_OR_RETURN(const Lowering::Lowered input, lowering.lower(sink.input()));
  const TableConnector* connector =
      environment.connectors.find_connector(sink.options.at("connector"));
  CLP_CHECK(connector != nullptr);
  OperatorSpec spec;
  spec.kind = "sink_writer";
  spec.uid = make_uid(spec.kind, sink_identity(sink));
  spec.name = fmt::format("Sink: {}", sink.table->path.object);
  spec.inputs = {sink.input()->schema};
  CLP_ASSIGN_OR_RETURN(ValueTree tree, sink_spec(sink, *connector));
  if (sink.replaced) connector->set_replaced(*sink.replaced, tree);
  spec.options = ValueTree::map();
  spec.options.set("sink", std::move(tree));
  spec.options.set("not_null",
                   lower_integers(columns_to_check(sink, environment.settings.not_null_enforcer)));
  int parallelism = lowering.parallelism_of(input);
  if (const auto it = sink.options.find(std::string(kSinkParallelism)); it != sink.options.end()) {
    CLP_ASSIGN_OR_RETURN(parallelism,
                         parse_option_value<std::int32_t>(kSinkParallelism, it->second));
    parallelism = std::clamp(parallelism, 1, environment.settings.max_parallelism);
  }
  CLP_ASSIGN_OR_RETURN(Lowering::Exchange exchange, exchange_by_partition(sink, parallelism));
  if (exchange.partitioning == Partitioning::kForward) {
    exchange = exchange_by_key(sink, parallelism != lowering.parallelism_of(input), parallelism,
                               environment.settings.sink_keyed_shuffle);
  }
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), parallelism, input, exchange)}};
}

}  // namespace clepsydra::sql
