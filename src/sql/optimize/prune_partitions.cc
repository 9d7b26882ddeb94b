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

// Types whose values have one text each, and the order of that type. The text of others depends on
// the zone, is rounded or is padded.
bool has_exact_text(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
      return true;
    case TypeKind::kVarchar:
      return type.length() == DataType::string().length();
    default:
      return type.is_integer();
  }
}

// The literal as a value of a key of this type; nothing when no key can have it.
std::optional<std::string> text_of(const Expression& value, const DataType& key) {
  if (value.kind() != Expression::Kind::kLiteral || value.literal_value().is_null(0)) {
    return std::nullopt;
  }
  if (key.is_integer()) {
    const std::optional<std::int64_t> number = integer_value(value);
    const int bits = 8 * key.fixed_width() - 1;
    if (!number || (bits < 63 && (*number < -(std::int64_t{1} << bits) ||
                                  *number >= (std::int64_t{1} << bits)))) {
      return std::nullopt;
    }
  } else if (key.is_character() ? !value.type().is_character() : !value.type().same_values(key)) {
    return std::nullopt;
  }
  std::string text;
  append_value_text(value.literal_value(), 0, {}, text);
  return text;
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

// The column of the scan that is compared, itself or cast to a wider whole number, when it is a
// key.
const TableColumn* key_of(const ScanNode& scan, const Expression& operand) {
  const Expression* column = &operand;
  if (operand.kind() == Expression::Kind::kCall && operand.name() == "CAST" &&
      operand.type().is_integer() && operand.argument(0)->type().is_integer() &&
      operand.type().fixed_width() >= operand.argument(0)->type().fixed_width()) {
    column = operand.argument(0).get();
  }
  if (column->kind() != Expression::Kind::kColumn) return nullptr;
  const int index = scan.columns[static_cast<std::size_t>(column->column_index())];
  const std::vector<int>& keys = scan.table->partition_keys;
  if (std::find(keys.begin(), keys.end(), index) == keys.end()) return nullptr;
  const TableColumn& found = scan.table->columns[static_cast<std::size_t>(index)];
  return has_exact_text(found.type) ? &found : nullptr;
}

// A column of the folders' names compared with literals; nothing for what is more than that.
std::optional<PartitionCondition> comparison_of(const ScanNode& scan, const Expression& call) {
  std::optional<Kind> kind = kind_of(call.name());
  if (!kind || call.arguments().empty()) return std::nullopt;
  std::vector<ExpressionPtr> arguments = call.arguments();
  if (arguments.size() == 2 && arguments[0]->kind() == Expression::Kind::kLiteral) {
    std::swap(arguments[0], arguments[1]);
    kind = turned_around(*kind);
  }
  const TableColumn* key = key_of(scan, *arguments[0]);
  if (key == nullptr) return std::nullopt;
  PartitionCondition condition{.column = key->name, .kind = *kind};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::optional<std::string> text = text_of(*arguments[i], key->type);
    if (!text) return std::nullopt;
    condition.values.push_back(*std::move(text));
  }
  const bool is_test = *kind == Kind::kIsNull || *kind == Kind::kIsNotNull;
  if (condition.values.empty() != is_test) return std::nullopt;
  return condition;
}

// Also a = 1 OR a IN (2, 3), and NOT (a = 1).
std::optional<PartitionCondition> condition_of(const ScanNode& scan, const Expression& conjunct) {
  if (conjunct.kind() != Expression::Kind::kCall) return std::nullopt;
  if (conjunct.name() == "NOT") {
    std::optional<PartitionCondition> inner = condition_of(scan, *conjunct.argument(0));
    if (!inner || inner->kind != Kind::kOneOf || inner->values.size() != 1) return std::nullopt;
    inner->kind = Kind::kNotEqual;
    return inner;
  }
  if (conjunct.name() != "OR") return comparison_of(scan, conjunct);
  std::optional<PartitionCondition> all;
  for (const ExpressionPtr& part : conjunct.arguments()) {
    std::optional<PartitionCondition> one = condition_of(scan, *part);
    if (!one || one->kind != Kind::kOneOf) return std::nullopt;
    if (!all) {
      all = std::move(one);
      continue;
    }
    if (all->column != one->column) return std::nullopt;
    all->values.insert(all->values.end(), one->values.begin(), one->values.end());
  }
  return all;
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
