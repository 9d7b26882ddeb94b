#include "sql/bind/partition_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "sql/bind/expression_binder.h"
#include "sql/bind/scope.h"
#include "stream/value_text.h"

namespace clepsydra::sql {
namespace {

// The column of the table that is meant, which must be one that it is partitioned by.
Result<int> find_key(const ast::Identifier& name, const CatalogTable& table,
                     const StatementText& text) {
  const std::vector<std::string> keys = partition_key_names(table);
  if (keys.empty()) {
    return text.invalid(name.range,
                        fmt::format("table '{}' is not partitioned", table.path.object));
  }
  if (std::find(keys.begin(), keys.end(), name.name) == keys.end()) {
    return text.not_found(name.range,
                          fmt::format("table '{}' is not partitioned by '{}', but by {}",
                                      table.path.object, name.name, name_list(keys)),
                          did_you_mean_name(name.name, keys));
  }
  return table.schema->find(name.name);
}

}  // namespace

Result<PartitionValues> bind_partition(const std::vector<ast::PartitionValue>& partition,
                                       const CatalogTable& table,
                                       const BindEnvironment& environment,
                                       const StatementText& text) {
  PartitionValues values;
  std::set<int> seen;
  const Scope nothing(make_schema({}), {});
  for (const ast::PartitionValue& part : partition) {
    CLP_ASSIGN_OR_RETURN(const int column, find_key(part.column, table, text));
    if (!seen.insert(column).second) {
      return text.invalid(part.column.range, fmt::format("'{}' is given twice", part.column.name));
    }
    if (part.value == nullptr) continue;  // Rows bring it along.
    ExpressionBinder binder(environment, text, nothing, nullptr, "PARTITION");
    CLP_ASSIGN_OR_RETURN(const ExpressionPtr value, binder.bind(*part.value));
    const DataType& type = table.schema->field(column).type;
    Result<ExpressionPtr> cast = environment.functions.cast(value, type, false);
    if (!cast.is_ok()) return text.at_place(part.value->range, cast.status());
    Result<ExpressionPtr> folded = fold(*cast, environment);
    if (!folded.is_ok()) return text.at_place(part.value->range, folded.status());
    if ((*folded)->kind() != Expression::Kind::kLiteral) {
      return text.invalid(part.value->range,
                          fmt::format("partition column '{}' needs a constant of type {}",
                                      part.column.name, type.to_string()));
    }
    values.emplace(column, *std::move(folded));
  }
  return values;
}

Result<std::map<std::string, std::string>> bind_partition_texts(
    const std::vector<ast::PartitionValue>& partition, const CatalogTable& table,
    const BindEnvironment& environment, const StatementText& text) {
  CLP_ASSIGN_OR_RETURN(const PartitionValues values,
                       bind_partition(partition, table, environment, text));
  std::map<std::string, std::string> texts;
  for (const auto& [column, value] : values) {
    const std::string& name = table.schema->field(column).name;
    if (value->literal_value().is_null(0)) {
      return text.invalid(partition.front().column.range,
                          fmt::format("no partition can be found by '{}' = NULL", name));
    }
    append_value_text(value->literal_value(), 0, {}, texts[name]);
  }
  return texts;
}

}  // namespace clepsydra::sql
