#include "connectors/filesystem/partition_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/utf8.h"
#include "connectors/filesystem/file_spec.h"
#include "connectors/filesystem/partition_path.h"
#include "stream/column_builder.h"
#include "stream/value_order.h"
#include "stream/value_text.h"

namespace clepsydra {
Result<PartitionColumns> PartitionColumns::make(const FileSourceSpec& spec) {
  PartitionColumns columns;
  columns.pool_ = MemoryPool::make_root("partitions");
  columns.folder_ = spec.path;
  columns.keys_ = spec.partition_keys;
  columns.default_name_ = spec.default_partition;
  for (const PartitionCondition& condition : spec.conditions) {
    Condition own;
    own.key = spec.partition_keys->find(condition.column);
    own.kind = condition.kind;
    if (own.key < 0) {
      return Status::invalid_argument(
          fmt::format("the table is not partitioned by '{}'", condition.column));
    }
    const DataType type = spec.partition_keys->field(own.key).type.with_nullable(false);
    for (const std::string& text : condition.values) {
      ColumnBuilder builder(type, *columns.pool_);
      CLP_RETURN_IF_ERROR(append_parsed_value(text, builder, nullptr));
      CLP_ASSIGN_OR_RETURN(Column value, builder.finish());
      own.values.push_back(std::move(value));
    }
    const bool is_test = own.kind == PartitionCondition::Kind::kIsNull ||
                         own.kind == PartitionCondition::Kind::kIsNotNull;
    if (own.values.empty() != is_test) {
      return Status::invalid_argument(
          fmt::format("a condition on partition column '{}' is broken", condition.column));
    }
    columns.conditions_.push_back(std::move(own));
  }
  return columns;
}

Result<Column> PartitionColumns::value(int i, std::string_view text, MemoryPool& pool) const {
  const Field& key = keys_->field(i);
  ColumnBuilder builder(key.type, pool);
  if (text == default_name_ || text.empty()) {
    if (!key.type.nullable()) {
      return Status::invalid_argument(fmt::format(
          "partition '{}' stands for NULL, and column '{}' is {}",
          partition_path({{key.name, std::string(text)}}), key.name, key.type.to_string()));
    }
    builder.append_null();
    return builder.finish();
  }
  // A time stamp may have been written as the reference does, "2024-01-31T07:00".
  std::string spaced(text);
  if (key.type.is_timestamp() && text.size() > 10 && text[10] == 'T') spaced[10] = ' ';
  const Status parsed = append_parsed_value(spaced, builder, nullptr);
  if (parsed.is_ok()) return builder.finish();
  return Status::invalid_argument(fmt::format("partition '{}' has no value of type {}: {}",
                                              clip(partition_path({{key.name, spaced}}), 64),
                                              key.type.to_string(), parsed.message()));
}

bool PartitionColumns::is_met(const Condition& condition, const Column& value) {
  using enum PartitionCondition::Kind;
  if (value.is_null(0)) return condition.kind == kIsNull;
  const auto order = [&] { return compare_values(value, 0, condition.values[0], 0); };
  switch (condition.kind) {
    case kOneOf:
      return std::any_of(
          condition.values.begin(), condition.values.end(),
          [&](const Column& other) { return compare_values(value, 0, other, 0) == 0; });
    case kNotEqual:
      return order() != 0;
    case kLess:
      return order() < 0;
    case kLessOrEqual:
      return order() <= 0;
    case kGreater:
      return order() > 0;
    case kGreaterOrEqual:
      return order() >= 0;
    case kIsNull:
      return false;
    case kIsNotNull:
      return true;
  }
  return true;
}

Result<bool> PartitionColumns::is_read(int i, std::string_view text) const {
  std::optional<Column> column;
  for (const Condition& condition : conditions_) {
    if (condition.key != i) continue;
    if (!column) {
      CLP_ASSIGN_OR_RETURN(column, value(i, text, *pool_));
    }
    if (!is_met(condition, *column)) return false;
  }
  return true;
}

Result<std::vector<Column>> PartitionColumns::values_of(std::string_view path,
                                                        MemoryPool& pool) const {
  std::vector<Column> values;
  if (size() == 0) return values;
  std::string_view below = path.substr(std::min(folder_.size(), path.size()));
  for (int i = 0; i < size(); ++i) {
    while (below.starts_with('/')) below.remove_prefix(1);
    const std::size_t end = std::min(below.find('/'), below.size());
    const std::optional<std::string> text = partition_value(below.substr(0, end), key(i));
    if (!text) {
      return Status::data_loss(
          fmt::format("file '{}' is in no folder of a partition '{}=...'", path, key(i)));
    }
    CLP_ASSIGN_OR_RETURN(Column column, value(i, *text, pool));
    values.push_back(std::move(column));
    below.remove_prefix(end);
  }
  return values;
}

}  // namespace clepsydra
