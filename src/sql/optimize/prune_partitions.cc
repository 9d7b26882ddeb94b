#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/optimize/rules.h"
#include "stream/value_text.h"

namespace clepsydra::sql {
namespace {

using Kind = PartitionCondition::Kind;

// Types whose values have one text each, and the order of that type.
bool has_exact_text(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kDecimal:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return true;
    default:
      return false;
  }
}

std::optional<Kind> kind_of(const std::string& function) {
  if (function == "=" || function == "IN") return Kind::kOneOf;
  if (function == "<>") return Kind::kNotEqual;
  if (function == "<") return Kind::kLess;
  if (function == "<=") return Kind::kLessOrEqual;
  if (function == ">") return Kind::kGreater;
  if (function == ">=") return Kind::kGreaterOrEqual;
  if (function == "IS NULL") return Kind::kIsNull;
  if (function == "IS NOT NULL") return Kind::kIsNotNull;
  return std::nullopt;
}

// 5 < x is x > 5.
Kind turned_around(Kind kind) {
  switch (kind) {
    case Kind::kLess:
      return Kind::kGreater;
    case Kind::kLessOrEqual:
      return Kind::kGreaterOrEqual;
    case Kind::kGreater:
      return Kind::kLess;
    case Kind::kGreaterOrEqual:
      return Kind::kLessOrEqual;
    default:
      return kind;
  }
}

// Name of the key that a column of the scan is.
std::optional<std::string> key_of(const ScanNode& scan, const Expression& column) {
  if (column.kind() != Expression::Kind::kColumn) return std::nullopt;
  const int index = scan.columns[static_cast<std::size_t>(column.column_index())];
  const std::vector<int>& keys = scan.table->partition_keys;
  if (std::find(keys.begin(), keys.end(), index) == keys.end()) return std::nullopt;
  const TableColumn& found = scan.table->columns[static_cast<std::size_t>(index)];
  if (!has_exact_text(found.type)) return std::nullopt;
  return found.name;
}

// A column of the folders' names compared with literals; nothing for what is more than that.
std::optional<PartitionCondition> condition_of(const ScanNode& scan, const Expression& conjunct) {
  if (conjunct.kind() != Expression::Kind::kCall || conjunct.arguments().empty()) {
    return std::nullopt;
  }
  std::optional<Kind> kind = kind_of(conjunct.name());
  if (!kind) return std::nullopt;
  std::vector<ExpressionPtr> arguments = conjunct.arguments();
  if (arguments.size() == 2 && arguments[1]->kind() == Expression::Kind::kColumn) {
    std::swap(arguments[0], arguments[1]);
    kind = turned_around(*kind);
  }
  std::optional<std::string> key = key_of(scan, *arguments[0]);
  if (!key) return std::nullopt;
  PartitionCondition condition{.column = *std::move(key), .kind = *kind};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Expression& value = *arguments[i];
    if (value.kind() != Expression::Kind::kLiteral || value.literal_value().is_null(0) ||
        !has_exact_text(value.type()) ||
        value.type().physical() != arguments[0]->type().physical()) {
      return std::nullopt;
    }
    append_value_text(value.literal_value(), 0, {}, condition.values.emplace_back());
  }
  const bool is_test = *kind == Kind::kIsNull || *kind == Kind::kIsNotNull;
  if (condition.values.empty() != is_test) return std::nullopt;
  return condition;
}

}  // namespace

Result<PlanRoots> prune_partitions(const PlanRoots& roots, const BindEnvironment&) {
  const auto consumers = count_consumers(roots);
  return rewrite_bottom_up(
      roots, [&](const PlanPtr& node, const PlanNode& original) -> Result<PlanPtr> {
        const auto* filter = node->as_if<FilterNode>();
        const auto* scan = filter == nullptr ? nullptr : filter->input()->as_if<ScanNode>();
        if (scan == nullptr || consumers.at(original.input().get()) > 1) return node;
        std::vector<PartitionCondition> conditions;
        for (const ExpressionPtr& conjunct : split_conjunction(filter->condition)) {
          std::optional<PartitionCondition> condition = condition_of(*scan, *conjunct);
          if (condition) conditions.push_back(*std::move(condition));
        }
        if (conditions.empty()) return node;
        auto pruned =
            std::make_shared<ScanNode>(scan->table, scan->options, scan->columns, scan->schema);
        pruned->partition_conditions = std::move(conditions);
        return std::make_shared<FilterNode>(std::move(pruned), filter->condition);
      });
}

}  // namespace clepsydra::sql
