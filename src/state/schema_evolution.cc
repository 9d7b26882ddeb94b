#include "state/schema_evolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/type_widening.h"

namespace clepsydra {
namespace {

int find_field(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return field.name == name; });
  return found == fields.end() ? -1 : static_cast<int>(found - fields.begin());
}

// Fields by the names that they have now.
Result<std::vector<Field>> renamed_fields(const StoredSchema& stored, const KeyedRowsSpec& spec,
                                          std::span<const FieldRename> renames,
                                          std::vector<std::string>& changes) {
  std::vector<Field> fields = stored.fields;
  for (const FieldRename& rename : renames) {
    if (rename.state != spec.name) continue;
    const int from = find_field(stored.fields, rename.from);
    if (find_field(spec.codec->fields(), rename.to) < 0) {
      return Status::failed_precondition(
          fmt::format("state '{}' has no field '{}' that '{}' could have become", spec.name,
                      rename.to, rename.from));
    }
    const bool is_there = find_field(stored.fields, rename.to) >= 0;
    // A checkpoint of the job since it was renamed.
    if (from < 0 && is_there) continue;
    if (from < 0) {
      return Status::failed_precondition(
          fmt::format("state '{}' was stored without a field '{}', which is said to have become "
                      "'{}'",
                      spec.name, rename.from, rename.to));
    }
    if (find_field(fields, rename.to) >= 0) {
      return Status::failed_precondition(
          fmt::format("field '{}' of state '{}' cannot have become '{}': there is another one of "
                      "that name",
                      rename.from, spec.name, rename.to));
    }
    fields[static_cast<std::size_t>(from)].name = rename.to;
    changes.push_back(
        fmt::format("state '{}': field '{}' is named '{}' now", spec.name, rename.from, rename.to));
  }
  return fields;
}

}  // namespace

Result<SchemaEvolution> SchemaEvolution::plan(const StoredSchema& stored, const KeyedRowsSpec& spec,
                                              std::span<const FieldRename> renames,
                                              MemoryPool& pool) {
  SchemaEvolution evolution;
  evolution.state_ = spec.name;
  CLP_RETURN_IF_ERROR(evolution.plan_keys(stored, spec));
  CLP_RETURN_IF_ERROR(evolution.plan_fields(stored, spec, renames));
  CLP_RETURN_IF_ERROR(evolution.find_initials(spec, pool));
  return evolution;
}

Status SchemaEvolution::plan_keys(const StoredSchema& stored, const KeyedRowsSpec& spec) {
  if (stored.key_types.size() != spec.key_types.size()) {
    return Status::failed_precondition(
        fmt::format("state '{}' was stored with {} keys and has {} now", spec.name,
                    stored.key_types.size(), spec.key_types.size()));
  }
  if (stored.entry_columns != spec.entry_columns) {
    return Status::failed_precondition(fmt::format(
        "state '{}' was stored with {} of its key columns telling entries apart and cannot be "
        "restored with {}",
        spec.name, stored.entry_columns, spec.entry_columns));
  }
  for (std::size_t i = 0; i < spec.key_types.size(); ++i) {
    const DataType& from = stored.key_types[i];
    const DataType& to = spec.key_types[i];
    if (!can_widen_key(from, to)) {
      return Status::failed_precondition(
          fmt::format("key {} of state '{}' was stored as {} and cannot be restored as {}", i + 1,
                      spec.name, from.name(), to.name()));
    }
    if (!from.same_values(to)) {
      changes_.push_back(
          fmt::format("state '{}': key {} {} -> {}", spec.name, i + 1, from.name(), to.name()));
    }
    keys_.push_back({static_cast<int>(i), fmt::format("key {}", i + 1), to, {}});
  }
  return Status::ok();
}

Status SchemaEvolution::plan_fields(const StoredSchema& stored, const KeyedRowsSpec& spec,
                                    std::span<const FieldRename> renames) {
  CLP_ASSIGN_OR_RETURN(const std::vector<Field> former,
                       renamed_fields(stored, spec, renames, changes_));
  if (Status status = spec.codec->check_stored(former); !status.is_ok()) {
    return status.with_context(fmt::format("state '{}' cannot be restored", spec.name));
  }
  // Of several fields of one name, each is the next one.
  std::vector<bool> is_used(former.size());
  const auto take_field = [&](std::string_view name) {
    for (std::size_t i = 0; i < former.size(); ++i) {
      if (is_used[i] || former[i].name != name) continue;
      is_used[i] = true;
      return static_cast<int>(i);
    }
    return -1;
  };
  for (const Field& field : spec.codec->fields()) {
    Source& source = fields_.emplace_back();
    source.name = fmt::format("field '{}'", field.name);
    source.type = field.type;
    const int found = take_field(field.name);
    if (found < 0) {
      changes_.push_back(fmt::format("state '{}': field '{}' {} is new", spec.name, field.name,
                                     field.type.name()));
      continue;
    }
    source.stored = static_cast<int>(stored.key_types.size()) + found;
    const DataType& from = former[static_cast<std::size_t>(found)].type;
    if (!can_widen(from, field.type)) {
      return Status::failed_precondition(
          fmt::format("field '{}' of state '{}' was stored as {} and cannot be restored as {}",
                      field.name, spec.name, from.name(), field.type.name()));
    }
    if (!from.same_values(field.type)) {
      changes_.push_back(fmt::format("state '{}': field '{}' {} -> {}", spec.name, field.name,
                                     from.name(), field.type.name()));
    }
  }
  for (std::size_t i = 0; i < former.size(); ++i) {
    if (is_used[i]) continue;
    changes_.push_back(fmt::format("state '{}': field '{}' {} is dropped", spec.name,
                                   former[i].name, former[i].type.name()));
  }
  return Status::ok();
}

Status SchemaEvolution::find_initials(const KeyedRowsSpec& spec, MemoryPool& pool) {
  const bool is_needed = std::any_of(fields_.begin(), fields_.end(), [](const Source& source) {
    return source.stored < 0 && !source.type.nullable();
  });
  if (!is_needed) return Status::ok();
  // In words, as values are 8-byte aligned.
  std::vector<std::int64_t> zero(static_cast<std::size_t>(spec.value_bytes) / 8 + 1);
  std::byte* const value = reinterpret_cast<std::byte*>(zero.data());
  std::vector<Column> columns;
  CLP_RETURN_IF_ERROR(spec.codec->write({&value, 1}, pool, columns));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].stored < 0 && !fields_[i].type.nullable()) fields_[i].initial = columns[i];
  }
  return Status::ok();
}

Result<Column> SchemaEvolution::convert(const Source& source, const Column& column,
                                        MemoryPool& pool) const {
  if (!source.type.nullable() && column.null_count() > 0) {
    return Status::failed_precondition(
        fmt::format("{} of state '{}' is NOT NULL now, but NULL was stored", source.name, state_));
  }
  if (column.type() == source.type) return column;
  Result<Column> wide = widen(column, source.type, pool);
  if (wide.is_ok()) return wide;
  return wide.status().with_context(fmt::format("{} of state '{}'", source.name, state_));
}

Result<std::vector<Column>> SchemaEvolution::convert_keys(std::span<const Column> stored,
                                                          MemoryPool& pool) const {
  std::vector<Column> columns;
  for (const Source& key : keys_) {
    CLP_ASSIGN_OR_RETURN(Column column,
                         convert(key, stored[static_cast<std::size_t>(key.stored)], pool));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::vector<Column>> SchemaEvolution::convert_rows(std::span<const Column> stored,
                                                          std::int64_t rows,
                                                          MemoryPool& pool) const {
  CLP_ASSIGN_OR_RETURN(std::vector<Column> columns, convert_keys(stored, pool));
  for (const Source& field : fields_) {
    Result<Column> column =
        field.stored >= 0 ? convert(field, stored[static_cast<std::size_t>(field.stored)], pool)
        : field.initial.has_value() ? repeat_row(field.initial, 0, rows, pool)
                                    : make_null_column(field.type, rows, pool);
    if (!column.is_ok()) return column.status();
    columns.push_back(*std::move(column));
  }
  return columns;
}

}  // namespace clepsydra
