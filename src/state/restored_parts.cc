#include "state/restored_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

// Rows of a block that are for this backend, by namespace.
class RunRows {
 public:
  // `has` tells whether a row's key is wanted.
  template <typename Has>
  void select(std::int64_t begin, std::int64_t count, Has&& has) {
    rows_.clear();
    for (std::int64_t row = begin; row < begin + count; ++row) {
      if (has(row)) rows_.push_back(static_cast<std::int32_t>(row));
    }
    values_.resize(rows_.size());
  }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] const std::vector<std::int32_t>& rows() const { return rows_; }
  [[nodiscard]] std::vector<std::byte*>& values() { return values_; }
  [[nodiscard]] KeyBatch keys(std::span<const Column> columns, const std::uint64_t* hashes) const {
    return {.columns = columns,
            .hashes = hashes,
            .rows = rows_.data(),
            .count = static_cast<std::int64_t>(rows_.size())};
  }

 private:
  std::vector<std::int32_t> rows_;
  std::vector<std::byte*> values_;
};

void hash_keys(const KeyedRowsSpec& spec, std::span<const Column> keys, std::int64_t rows,
               std::vector<std::uint64_t>& hashes) {
  hashes.resize(static_cast<std::size_t>(rows));
  const std::size_t outer = keys.size() - static_cast<std::size_t>(spec.entry_columns);
  hash_rows(keys.first(outer), rows, hashes.data());
  if (spec.entry_columns == 0) return;
  std::vector<std::uint64_t> entry_hashes(hashes.size());
  hash_rows(keys.subspan(outer), rows, entry_hashes.data());
  hash_entries(hashes, entry_hashes, hashes.data());
}

Status erase_rows(const KeyedRowsSpec& spec, KeyedRows& rows, StateNamespace ns,
                  const KeyBatch& keys, std::vector<std::byte*>& values) {
  CLP_RETURN_IF_ERROR(rows.find(ns, keys, values));
  std::erase(values, nullptr);
  // A key may have come and gone more than once.
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.empty()) return Status::ok();
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, rows.memory(ns));
  spec.codec->clear(values, *memory);
  rows.erase(ns, values);
  return Status::ok();
}

// `columns`: of the values, of all rows of the block.
Status insert_rows(const KeyedRowsSpec& spec, KeyedRows& rows, StateNamespace ns,
                   const KeyBatch& keys, std::span<const Column> columns, bool may_be_there,
                   std::vector<std::byte*>& values, MemoryPool& pool) {
  CLP_RETURN_IF_ERROR(rows.find_or_insert(ns, keys, values));
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, rows.memory(ns));
  if (may_be_there) spec.codec->clear(values, *memory);
  if (!columns.empty() && keys.count == columns[0].length()) {
    return spec.codec->read(columns, values, *memory);
  }
  std::vector<Column> selected;
  for (const Column& column : columns) {
    CLP_ASSIGN_OR_RETURN(
        Column part,
        gather(column, RowIndices(keys.rows, static_cast<std::size_t>(keys.count)), pool));
    selected.push_back(std::move(part));
  }
  return spec.codec->read(selected, values, *memory);
}

}  // namespace

Result<RestoredParts> RestoredParts::read(RestoredState state, KeyGroupRange key_groups,
                                          int max_parallelism) {
  RestoredParts restored;
  restored.key_groups_ = key_groups;
  restored.max_parallelism_ = max_parallelism;
  restored.renames_ = std::move(state.renames);
  for (RestoredState::Part& given : state.parts) {
    if (given.snapshots.empty()) continue;
    Part part;
    for (const SnapshotBytes& bytes : given.snapshots) {
      CLP_ASSIGN_OR_RETURN(StoredSnapshot snapshot, read_state_blocks(bytes));
      const StoredOrigin& origin = snapshot.origin;
      const bool may_begin = origin.is_base || origin.needed.has_value();
      if (part.snapshots.empty() ? !may_begin : origin.is_base) {
        return Status::data_loss(
            origin.is_base ? "a snapshot of all state follows another one of the same subtask"
                           : "a snapshot of changes has nothing before it that they change");
      }
      if (origin.max_parallelism != max_parallelism) {
        return Status::failed_precondition(
            fmt::format("state was stored with a maximum parallelism of {} and cannot be restored "
                        "with one of {}",
                        origin.max_parallelism, max_parallelism));
      }
      part.snapshots.push_back(std::move(snapshot));
    }
    const std::size_t before = part.snapshots.size() - 1;
    if (part.last().origin.needed.value_or(before) != before) {
      return Status::data_loss(
          fmt::format("a snapshot of changes needs {} others before it, and {} are there",
                      *part.last().origin.needed, before));
    }
    restored.parts_.push_back(std::move(part));
  }
  // All parts count, also when one was for exactly these key groups: see NumberMerge.
  return restored;
}

// Says once what has changed, as all parts and deltas have the same.
Result<SchemaEvolution> RestoredParts::plan(const StoredRows& stored, const KeyedRowsSpec& spec,
                                            MemoryPool& pool) {
  CLP_ASSIGN_OR_RETURN(SchemaEvolution evolution,
                       SchemaEvolution::plan(stored.schema, spec, renames_, pool));
  for (const std::string& change : evolution.changes()) {
    if (std::find(changes_.begin(), changes_.end(), change) == changes_.end()) {
      changes_.push_back(change);
    }
  }
  return evolution;
}

Status RestoredParts::restore_rows(const KeyedRowsSpec& spec, KeyedRows& rows, MemoryPool& pool) {
  claimed_rows_.insert(spec.name);
  // One without codec follows from others, whatever it was before.
  for (const Part& part : parts_) {
    if (spec.codec == nullptr) break;
    CLP_RETURN_IF_ERROR(restore_part(part, spec, rows, pool));
  }
  free_if_claimed();
  return Status::ok();
}

// Oldest first. Namespaces are shared with rows of other parts, so one that this part dropped is
// not dropped here: what it had in it before is left out.
Status RestoredParts::restore_part(const Part& part, const KeyedRowsSpec& spec, KeyedRows& rows,
                                   MemoryPool& pool) {
  std::map<StateNamespace, std::size_t> dropped_by;  // The last snapshot that did.
  for (std::size_t i = 0; i < part.snapshots.size(); ++i) {
    const StoredRows* stored = part.snapshots[i].find_state(spec.name);
    if (stored == nullptr) continue;
    for (const StateNamespace ns : stored->dropped) dropped_by[ns] = i;
  }
  const KeyGroupRange& groups = part.last().origin.key_groups;
  const bool has_all = groups.begin == key_groups_.begin && groups.end == key_groups_.end;
  std::vector<std::uint64_t> hashes;
  RunRows run_rows;
  // Calls apply(ns, keys) for the rows of each run that count.
  const auto for_each_run = [&](std::size_t snapshot, const StoredBatch& block,
                                std::span<const Column> keys, auto&& apply) -> Status {
    std::int64_t begin = 0;
    for (const NamespaceRun& run : block.runs) {
      const std::int64_t first = std::exchange(begin, begin + run.rows);
      const auto dropped = dropped_by.find(run.ns);
      if (dropped != dropped_by.end() && dropped->second > snapshot) continue;
      run_rows.select(first, run.rows, [&](std::int64_t row) {
        return has_all ||
               is_ours(key_group_of(hashes[static_cast<std::size_t>(row)], max_parallelism_));
      });
      if (run_rows.empty()) continue;
      CLP_RETURN_IF_ERROR(apply(run.ns, run_rows.keys(keys, hashes.data())));
      CLP_RETURN_IF_ERROR(rows.release_rows());
    }
    return Status::ok();
  };
  for (std::size_t i = 0; i < part.snapshots.size(); ++i) {
    const StoredRows* stored = part.snapshots[i].find_state(spec.name);
    if (stored == nullptr) continue;
    CLP_ASSIGN_OR_RETURN(const SchemaEvolution evolution, plan(*stored, spec, pool));
    for (const StoredBatch& block : stored->erased) {
      CLP_ASSIGN_OR_RETURN(const Batch batch, stored->decode_erased(block, pool));
      CLP_ASSIGN_OR_RETURN(const std::vector<Column> keys,
                           evolution.convert_keys(batch.columns(), pool));
      hash_keys(spec, keys, batch.rows(), hashes);
      CLP_RETURN_IF_ERROR(
          for_each_run(i, block, keys, [&](StateNamespace ns, const KeyBatch& erased) -> Status {
            return erase_rows(spec, rows, ns, erased, run_rows.values());
          }));
    }
    for (const StoredBatch& block : stored->rows) {
      CLP_ASSIGN_OR_RETURN(const Batch batch, stored->decode_rows(block, pool));
      CLP_ASSIGN_OR_RETURN(const std::vector<Column> converted,
                           evolution.convert_rows(batch.columns(), batch.rows(), pool));
      const std::span<const Column> columns(converted);
      const auto keys = columns.first(spec.key_types.size());
      hash_keys(spec, keys, batch.rows(), hashes);
      CLP_RETURN_IF_ERROR(for_each_run(
          i, block, keys, [&](StateNamespace ns, const KeyBatch& batch_keys) -> Status {
            return insert_rows(spec, rows, ns, batch_keys, columns.subspan(keys.size()),
                               i > 0 || !part.snapshots[i].origin.is_base, run_rows.values(), pool);
          }));
    }
    stored->snapshot.close();
  }
  return Status::ok();
}

std::optional<std::int64_t> RestoredParts::number(std::string_view name, NumberMerge merge) {
  claimed_numbers_.emplace(name);
  std::optional<std::int64_t> merged;
  for (const Part& part : parts_) {
    for (const auto& [stored_name, value] : part.last().numbers) {
      if (stored_name != name) continue;
      // A sum goes to whoever has the first of its key groups now.
      const bool is_elsewhere =
          merge == NumberMerge::kSum && !is_ours(part.last().origin.key_groups.begin);
      const std::int64_t added = is_elsewhere ? 0 : value;
      if (!merged) {
        merged = added;
      } else if (merge == NumberMerge::kSum) {
        merged = static_cast<std::int64_t>(static_cast<std::uint64_t>(*merged) +
                                           static_cast<std::uint64_t>(added));
      } else {
        merged = merge == NumberMerge::kMin ? std::min(*merged, added) : std::max(*merged, added);
      }
    }
  }
  free_if_claimed();
  return merged;
}

std::vector<KeyedStateBackend::RestoredNumber> RestoredParts::numbers(std::string_view name) const {
  std::vector<KeyedStateBackend::RestoredNumber> found;
  for (const Part& part : parts_) {
    for (const auto& [stored_name, value] : part.last().numbers) {
      if (stored_name == name) found.push_back({part.last().origin.key_groups, value});
    }
  }
  return found;
}

std::vector<std::string> RestoredParts::list(std::string_view name, ListMode mode) {
  claimed_lists_.emplace(name);
  std::vector<std::string> merged;
  bool has_copy = false;
  for (const Part& part : parts_) {
    // Item i belongs to the i-th of its key groups, over and over.
    const KeyGroupRange& groups = part.last().origin.key_groups;
    const int count = std::max(1, groups.end - groups.begin);
    for (const auto& [stored_name, items] : part.last().lists) {
      if (stored_name != name) continue;
      for (std::size_t i = 0; i < items.size(); ++i) {
        const int group = groups.begin + static_cast<int>(i % static_cast<std::size_t>(count));
        if (mode != ListMode::kSplit || is_ours(group)) merged.emplace_back(items[i]);
      }
      has_copy = true;
    }
    if (mode == ListMode::kBroadcast && has_copy) break;
  }
  free_if_claimed();
  return merged;
}

std::vector<std::string> RestoredParts::timer_names() const {
  std::set<std::string> names;
  for (const Part& part : parts_) {
    for (const auto& [name, timers] : part.last().timers) names.insert(name);
  }
  return {names.begin(), names.end()};
}

Status RestoredParts::restore_timers(std::string_view name, TimerService& timers) const {
  for (const Part& part : parts_) {
    for (const auto& [stored_name, stored] : part.last().timers) {
      if (stored_name != name) continue;
      for (const Timer& timer : stored) CLP_RETURN_IF_ERROR(timers.set(timer));
    }
  }
  return Status::ok();
}

void RestoredParts::claim_timers(std::string_view name) {
  claimed_timers_.emplace(name);
  free_if_claimed();
}

void RestoredParts::free_if_claimed() {
  if (unclaimed().empty()) parts_.clear();
}

std::vector<std::string> RestoredParts::unclaimed() const {
  std::set<std::string> names;
  for (const Part& part : parts_) {
    for (const StoredSnapshot& snapshot : part.snapshots) {
      for (const StoredRows& state : snapshot.states) {
        if (!claimed_rows_.contains(state.schema.name)) names.insert(state.schema.name);
      }
    }
    for (const auto& [name, value] : part.last().numbers) {
      if (!claimed_numbers_.contains(name)) names.insert(name);
    }
    for (const auto& [name, items] : part.last().lists) {
      if (!claimed_lists_.contains(name)) names.insert(name);
    }
    for (const auto& [name, timers] : part.last().timers) {
      if (!claimed_timers_.contains(name)) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace clepsydra
