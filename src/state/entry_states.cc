#include "state/entry_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
// ---- MapState ----

Result<MapState> MapState::open(KeyedStateBackend& backend, EntryStateSpec spec, MemoryPool& pool) {
  Result<std::shared_ptr<ValueColumns>> values = ValueColumns::make(std::move(spec.values));
  if (!values.is_ok()) {
    return values.status().with_context(fmt::format("state '{}'", spec.name));
  }
  const std::size_t outer_columns = spec.key_types.size();
  std::vector<DataType> key_types = std::move(spec.key_types);
  key_types.insert(key_types.end(), spec.entry_types.begin(), spec.entry_types.end());
  if (spec.entry_types.empty()) {
    return Status::invalid_argument(
        fmt::format("state '{}' has nothing to tell its entries apart by", spec.name));
  }
  CLP_ASSIGN_OR_RETURN(
      KeyedRows* const rows,
      backend.open_rows({.name = std::move(spec.name),
                         .key_types = std::move(key_types),
                         .value_bytes = (*values)->value_bytes(),
                         .codec = *values,
                         .entry_columns = static_cast<int>(spec.entry_types.size()),
                         .directions = std::move(spec.directions),
                         .ttl = spec.ttl}));
  return MapState(*rows, *std::move(values), outer_columns, pool);
}

// Good until the next call.
KeyBatch MapState::whole_keys(const KeyBatch& keys, std::span<const Column> entries) {
  columns_.assign(keys.columns.begin(), keys.columns.end());
  columns_.insert(columns_.end(), entries.begin(), entries.end());
  const auto rows = static_cast<std::size_t>(entries[0].length());
  entry_hashes_.resize(rows);
  hashes_.resize(rows);
  hash_rows(entries, entries[0].length(), entry_hashes_.data());
  hash_entries({keys.hashes, rows}, entry_hashes_, hashes_.data());
  return {.columns = columns_, .hashes = hashes_.data(), .rows = keys.rows, .count = keys.count};
}

Status MapState::find_or_insert(StateNamespace ns, const KeyBatch& keys,
                                std::span<const Column> entries, std::vector<std::byte*>& found) {
  found.resize(static_cast<std::size_t>(keys.count));
  return rows_->find_or_insert(ns, whole_keys(keys, entries), found);
}

Status MapState::find(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
                      std::vector<std::byte*>& found) {
  found.resize(static_cast<std::size_t>(keys.count));
  return rows_->find(ns, whole_keys(keys, entries), found);
}

Status MapState::put(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
                     std::span<const Column> values) {
  CLP_RETURN_IF_ERROR(find_or_insert(ns, keys, entries, found_));
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, rows_->memory(ns));
  return values_->set(values, keys.rows, found_, *memory);
}

Status MapState::get(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
                     std::vector<Column>& values, std::vector<const std::byte*>& found) {
  CLP_RETURN_IF_ERROR(find(ns, keys, entries, found_));
  found.assign(found_.begin(), found_.end());
  return values_->write(found_, *pool_, values);
}

Status MapState::erase(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries) {
  CLP_RETURN_IF_ERROR(find(ns, keys, entries, found_));
  keep_each_once(found_);
  return erase_rows(ns, found_);
}

Status MapState::erase_rows(StateNamespace ns, std::span<std::byte* const> rows) {
  return clepsydra::erase_rows(*rows_, *values_, ns, rows);
}

Status MapState::range(StateNamespace ns, const EntryRanges& ranges, EntryColumns& found) {
  found.entries.clear();
  found.values.clear();
  CLP_RETURN_IF_ERROR(rows_->find_entries(ns, ranges, ranges_));
  std::vector<Column> keys;
  CLP_RETURN_IF_ERROR(rows_->read_keys(ranges_.values, *pool_, keys));
  found.entries.assign(keys.begin() + static_cast<std::ptrdiff_t>(outer_columns_), keys.end());
  CLP_RETURN_IF_ERROR(values_->write(ranges_.values, *pool_, found.values));
  found.ends = ranges_.ends;
  return Status::ok();
}

// A piece at a time, so that what is erased never has to be in memory as a whole.
Result<std::int64_t> MapState::erase_range(StateNamespace ns, const EntryRanges& ranges) {
  std::int64_t erased = 0;
  std::int64_t left = ranges.limit;
  EntryRanges piece = ranges;
  while (left > 0) {
    piece.limit = std::min(
        left, std::max<std::int64_t>(1, kErasedMax / std::max<std::int64_t>(1, ranges.keys.count)));
    CLP_RETURN_IF_ERROR(rows_->find_entries(ns, piece, ranges_));
    if (ranges_.values.empty()) break;
    // A key may be there more than once.
    keep_each_once(ranges_.values);
    CLP_RETURN_IF_ERROR(erase_rows(ns, ranges_.values));
    erased += static_cast<std::int64_t>(ranges_.values.size());
    left -= piece.limit;
  }
  return erased;
}

Status MapState::clear(StateNamespace ns, const KeyBatch& keys) {
  return erase_range(ns, {.keys = keys}).status();
}

// ---- MultisetState ----

Result<MultisetState> MultisetState::open(KeyedStateBackend& backend, EntryStateSpec spec,
                                          MemoryPool& pool) {
  CLP_CHECK(spec.values.empty());
  spec.values.push_back({"count", DataType::big_int().with_nullable(false), {}});
  CLP_ASSIGN_OR_RETURN(MapState map, MapState::open(backend, std::move(spec), pool));
  return MultisetState(std::move(map));
}

Status MultisetState::add(StateNamespace ns, const KeyBatch& keys, std::span<const Column> elements,
                          std::span<const std::int64_t> deltas, std::span<std::int64_t> counts) {
  CLP_RETURN_IF_ERROR(map_.find_or_insert(ns, keys, elements, found_));
  Status status;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    std::int64_t& count = map_.values().number(found_[i], 0);
    if (__builtin_add_overflow(count, deltas[i], &count)) {
      status = Status::out_of_range("a multiset has more than 2^63 of one element");
    }
    counts[i] = count;
  }
  std::erase_if(found_, [this](std::byte* row) { return map_.values().number(row, 0) != 0; });
  if (found_.empty()) return status;
  keep_each_once(found_);
  CLP_RETURN_IF_ERROR(map_.erase_rows(ns, found_));
  return status;
}

Status MultisetState::count(StateNamespace ns, const KeyBatch& keys,
                            std::span<const Column> elements, std::span<std::int64_t> counts) {
  CLP_RETURN_IF_ERROR(map_.find(ns, keys, elements, found_));
  for (std::size_t i = 0; i < found_.size(); ++i) {
    counts[i] = found_[i] != nullptr ? map_.values().number(found_[i], 0) : 0;
  }
  return Status::ok();
}

// ---- AppendLog ----

Result<AppendLog> AppendLog::open(KeyedStateBackend& backend, EntryStateSpec spec,
                                  MemoryPool& pool) {
  CLP_CHECK(spec.entry_types.empty() && spec.directions.empty());
  spec.entry_types.push_back(id_type());
  const std::string counter = spec.name + ".next-id";
  CLP_ASSIGN_OR_RETURN(MapState map, MapState::open(backend, std::move(spec), pool));
  // The greatest of all former subtasks is above every id that this one's keys may have.
  CLP_ASSIGN_OR_RETURN(std::int64_t* const next_id,
                       backend.open_number(counter, 0, NumberMerge::kMax));
  return AppendLog(std::move(map), *next_id, pool);
}

Status AppendLog::append(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values,
                         std::span<std::int64_t> ids) {
  // Where each row of the columns stands; those that are not of this call stay 0.
  const std::int64_t rows = keys.columns.empty()
                                ? (values.empty() ? keys.count : values[0].length())
                                : keys.columns[0].length();
  ColumnBuilder builder(id_type(), *pool_);
  builder.reserve(rows);
  std::vector<std::int64_t> by_row(static_cast<std::size_t>(rows), 0);
  for (std::int64_t i = 0; i < keys.count; ++i) {
    const std::int64_t id = (*next_id_)++;
    ids[static_cast<std::size_t>(i)] = id;
    by_row[static_cast<std::size_t>(keys.rows != nullptr ? keys.rows[i] : i)] = id;
  }
  for (const std::int64_t id : by_row) builder.append(id);
  CLP_ASSIGN_OR_RETURN(const Column column, builder.finish());
  return map_.put(ns, keys, {&column, 1}, values);
}

// ---- ListState ----

Result<ListState> ListState::open(KeyedStateBackend& backend, EntryStateSpec spec,
                                  MemoryPool& pool) {
  CLP_ASSIGN_OR_RETURN(AppendLog log, AppendLog::open(backend, std::move(spec), pool));
  return ListState(std::move(log));
}

Status ListState::add(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values) {
  ids_.resize(static_cast<std::size_t>(keys.count));
  return log_.append(ns, keys, values, ids_);
}

Status ListState::update(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values) {
  CLP_RETURN_IF_ERROR(log_.clear(ns, keys));
  return add(ns, keys, values);
}

}  // namespace clepsydra
