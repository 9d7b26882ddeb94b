// Scan, computed columns and watermark: one source operator.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "sql/catalog/option_check.h"
#include "sql/logical/plan_identity.h"
#include "sql/lower/lowering.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {
namespace {

struct SourceParts {
  const ScanNode* scan = nullptr;
  const ProjectNode* project = nullptr;      // May be null.
  const WatermarkNode* watermark = nullptr;  // May be null.
};

// Whether a projection above a scan can be part of the source itself.
SourceParts parts_of(const PlanNode& node) {
  SourceParts parts;
  const PlanNode* next = &node;
  if (next->kind == PlanKind::kWatermark) {
    parts.watermark = &next->as<WatermarkNode>();
    next = next->input().get();
  }
  if (next->kind == PlanKind::kProject) {
    parts.project = &next->as<ProjectNode>();
    next = next->input().get();
  }
  parts.scan = &next->as<ScanNode>();
  return parts;
}

bool is_planner_option(std::string_view key) {
  return key == kWatermarkEmitStrategy || key == kWatermarkIdleTimeout ||
         key == kWatermarkAlignmentGroup || key == kWatermarkAlignmentMaxDrift ||
         key == kWatermarkAlignmentInterval || key == kScanParallelism || key == kSinkParallelism;
}

std::string text_option(const TableOptions& options, std::string_view key,
                        std::string_view fallback) {
  const auto it = options.find(std::string(key));
  return it == options.end() ? std::string(fallback) : it->second;
}

Result<std::int64_t> millis_option(const TableOptions& options, std::string_view key) {
  const std::string text = text_option(options, key, "");
  if (text.empty()) return std::int64_t{0};
  CLP_ASSIGN_OR_RETURN(const Duration duration, parse_option_value<Duration>(key, text));
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// The physical columns as a connector is told of them: pruned ROW types where they were pruned.
Schema told_schema(const ScanNode& scan) {
  std::vector<Field> fields = scan.table->physical->fields();
  for (std::size_t i = 0; i < scan.columns.size(); ++i) {
    const TableColumn& column = scan.table->columns[static_cast<std::size_t>(scan.columns[i])];
    if (column.role != ColumnRole::kPhysical) continue;
    for (Field& field : fields) {
      if (field.name == column.name) field.type = scan.schema->fields()[i].type;
    }
  }
  return Schema(std::move(fields));
}

Result<ValueTree> scan_spec(const SourceParts& parts, const TableConnector& connector,
                            bool is_batch) {
  ScanRequest request;
  for (const int index : parts.scan->columns) {
    const TableColumn& column = parts.scan->table->columns[static_cast<std::size_t>(index)];
    if (column.role == ColumnRole::kMetadata) {
      request.metadata.push_back(column.metadata_key);
    } else {
      request.columns.push_back(column.name);
    }
  }
  request.has_watermark = parts.watermark != nullptr && !is_batch;
  request.partition_keys = partition_key_names(*parts.scan->table);
  request.partition_conditions = parts.scan->partition_conditions;
  TableOptions options;
  for (const auto& [key, value] : parts.scan->options) {
    if (!is_planner_option(key)) options.emplace(key, value);
  }
  return connector.scan_spec(options, told_schema(*parts.scan), request);
}

// The produced schema must be the one that the expressions were bound to.
Status check_produced(const ValueTree& spec, const ScanNode& scan) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, spec.get("schema"));
  CLP_ASSIGN_OR_RETURN(const SchemaPtr produced, schema_from_tree(tree));
  bool same = produced->size() == scan.schema->size();
  for (int i = 0; same && i < produced->size(); ++i) {
    same = produced->field(i).type.same_values(scan.schema->field(i).type);
  }
  if (same) return Status::ok();
  return Status::internal(fmt::format("connector of table '{}' produces {} where {} was asked for",
                                      scan.table->path.object, produced->to_string(),
                                      scan.schema->to_string()));
}

}  // namespace

Result<Lowering::Lowered> lower_source(const PlanPtr& node, Lowering& lowering) {
  const SourceParts parts = parts_of(*node);
  const BindEnvironment& environment = lowering.environment();
  const TableOptions& options = parts.scan->options;
  const bool is_batch = environment.settings.is_batch;
  const TableConnector* connector = environment.connectors.find_connector(options.at("connector"));
  CLP_CHECK(connector != nullptr);

  OperatorSpec spec;
  spec.kind = "source";
  spec.uid = make_uid(spec.kind, source_identity(*parts.scan, environment.connectors));
  spec.name = fmt::format("Source: {}", parts.scan->table->path.object);
  spec.output = node->schema;
  CLP_ASSIGN_OR_RETURN(ValueTree source, scan_spec(parts, *connector, is_batch));
  CLP_RETURN_IF_ERROR(check_produced(source, *parts.scan));
  CLP_ASSIGN_OR_RETURN(const bool bounded, connector->is_bounded(options));
  spec.options = ValueTree::map();
  spec.options.set("source", std::move(source));
  if (parts.project != nullptr) {
    CLP_ASSIGN_OR_RETURN(ValueTree projection, lower_expressions(parts.project->expressions));
    spec.options.set("projection", std::move(projection));
  }
  spec.options.set("rowtime",
                   parts.watermark == nullptr || is_batch ? -1 : parts.watermark->rowtime);
  if (parts.watermark != nullptr && !is_batch) {
    CLP_ASSIGN_OR_RETURN(ValueTree watermark, lower_expression(*parts.watermark->expression));
    spec.options.set("watermark", std::move(watermark));
    spec.options.set("watermark_emit", text_option(options, kWatermarkEmitStrategy, "on-periodic"));
  }
  std::int64_t idle_timeout_ms = environment.settings.source_idle_timeout_ms;
  if (options.contains(std::string(kWatermarkIdleTimeout))) {
    CLP_ASSIGN_OR_RETURN(idle_timeout_ms, millis_option(options, kWatermarkIdleTimeout));
  }
  spec.options.set("idle_timeout_ms", idle_timeout_ms);
  spec.options.set("alignment_group", text_option(options, kWatermarkAlignmentGroup, ""));
  CLP_ASSIGN_OR_RETURN(const std::int64_t drift_ms,
                       millis_option(options, kWatermarkAlignmentMaxDrift));
  spec.options.set("alignment_max_drift_ms", drift_ms);
  spec.options.set("bounded", bounded);

  int parallelism = environment.settings.parallelism;
  if (options.contains(std::string(kScanParallelism))) {
    CLP_ASSIGN_OR_RETURN(
        parallelism, parse_option_value<std::int32_t>(kScanParallelism,
                                                      options.at(std::string(kScanParallelism))));
  }
  parallelism = std::clamp(parallelism, 1, environment.settings.max_parallelism);
  return Lowering::Lowered{{lowering.add_source(std::move(spec), parallelism)}};
}

}  // namespace clepsydra::sql
