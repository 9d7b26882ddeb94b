#include "state/hashmap/hashmap_rows.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/hashmap/rows_images.h"

namespace clepsydra {

Status HashmapRows::find_or_insert(StateNamespace ns, const KeyBatch& keys,
                                   std::span<std::byte*> values) {
  CLP_CHECK(keys.columns.size() == spec_.key_types.size());
  const EncodedKeys encoded = encoder_.encode(shape_.layout, keys);
  RowTable& rows = table(ns);
  Status status = rows.find_or_insert(keys, encoded, values);
  if (!rows.early().empty()) [[unlikely]]
    save_early(ns, rows);
  return status;
}

Status HashmapRows::find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) {
  CLP_CHECK(keys.columns.size() == spec_.key_types.size());
  if (const RowTable* found = find_table(ns)) {
    found->find(keys, encoder_.encode(shape_.layout, keys), values);
  } else {
    std::fill_n(values.begin(), keys.count, nullptr);
  }
  return Status::ok();
}

Status HashmapRows::find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                                        std::span<std::byte*> values) {
  RowTable& rows = table(ns);
  Status status = rows.find_or_insert_same(from, values);
  if (!rows.early().empty()) [[unlikely]]
    save_early(ns, rows);
  return status;
}

std::int64_t HashmapRows::scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) {
  const RowTable* found = find_table(ns);
  return found != nullptr ? found->scan(cursor, values) : 0;
}

std::int64_t HashmapRows::visit_in_memory(StateNamespace ns, Cursor& cursor,
                                          std::span<std::byte*> values) {
  const RowTable* const rows = find_table(ns);
  return rows != nullptr ? rows->scan(cursor, values) : 0;
}

Status HashmapRows::find_entries(StateNamespace ns, const EntryRanges& ranges,
                                 FoundEntries& found) {
  encode(ranges);
  found.clear();
  RowTable* const rows = find_table(ns);
  if (rows == nullptr) {
    found.ends.assign(static_cast<std::size_t>(ranges.keys.count), 0);
  } else {
    collect(*rows, ranges, found);
  }
  return Status::ok();
}

const EncodedRanges& HashmapRows::encode(const EntryRanges& ranges) {
  CLP_CHECK(shape_.entries != nullptr);
  CLP_CHECK(ranges.keys.columns.size() == shape_.entries->outer_layout().types().size());
  ranges_.encode(*shape_.entries, ranges);
  return ranges_;
}

void HashmapRows::collect(RowTable& table, const EntryRanges& ranges, FoundEntries& found) {
  const auto count = static_cast<std::size_t>(ranges.keys.count);
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(0, ranges.limit));
  groups_.resize(count);
  table.entries()->find_groups(ranges.keys, ranges_.outer(), groups_);
  for (const EntryIndex::Group* group : groups_) {
    if (group != nullptr) group->entries.ask_for();
  }
  for (std::size_t i = 0; i < count; ++i) {
    found_.clear();
    if (groups_[i] != nullptr && limit > 0) {
      groups_[i]->entries.collect(*shape_.entries, ranges_.from(i), ranges_.to(i), ranges.backwards,
                                  limit, found_);
    }
    for (RowHeader* row : found_) {
      __builtin_prefetch(row);
      found.values.push_back(shape_.value_of(row));
    }
    found.ends.push_back(found.values.size());
  }
}

Status HashmapRows::read_keys(std::span<std::byte* const> values, MemoryPool& pool,
                              std::vector<Column>& out) const {
  std::vector<const RowHeader*> rows;
  rows.reserve(values.size());
  for (std::byte* value : values) rows.push_back(shape_.row_of(value));
  return shape_.layout.read(rows, pool, out);
}

void HashmapRows::prepare_write(StateNamespace ns, std::span<std::byte* const> values) {
  if (values.empty()) return;
  RowTable& rows = table(ns);
  rows.prepare_write(values);
  if (!rows.early().empty()) save_early(ns, rows);
}

void HashmapRows::erase(StateNamespace ns, std::span<std::byte* const> values) {
  if (values.empty()) return;
  RowTable& rows = table(ns);
  rows.prepare_erase(values);
  if (!rows.early().empty()) save_early(ns, rows);
  rows.erase(values);
}

void HashmapRows::drop(StateNamespace ns) {
  const auto found = tables_.find(ns);
  if (found == tables_.end()) return;
  if (last_ == found->second.get()) last_ = nullptr;
  if (found->second->is_known()) note_dropped(ns);
  if (images_ != nullptr && found->second->has_images()) {
    images_->take_dropped(ns, std::move(found->second));
  }
  tables_.erase(found);
}

std::int64_t HashmapRows::row_count(StateNamespace ns) const {
  const RowTable* found = find_table(ns);
  return found != nullptr ? found->row_count() : 0;
}

std::vector<StateNamespace> HashmapRows::namespaces() const {
  std::vector<StateNamespace> all;
  all.reserve(tables_.size());
  for (const auto& [ns, rows] : tables_) all.push_back(ns);
  return all;
}

Status HashmapRows::read_columns(std::span<std::byte* const> values, MemoryPool& pool,
                                 std::vector<Column>& out) const {
  CLP_RETURN_IF_ERROR(read_keys(values, pool, out));
  return spec_.codec->write(values, pool, out);
}

std::vector<StateNamespace> HashmapRows::dropped(std::uint32_t after, std::uint32_t until) const {
  std::vector<StateNamespace> all;
  for (const Dropped& epoch : dropped_) {
    if (epoch.epoch <= after || epoch.epoch > until) continue;
    all.insert(all.end(), epoch.namespaces.begin(), epoch.namespaces.end());
  }
  return all;
}

RowTable* HashmapRows::table_from(StateNamespace& ns) const {
  const auto found = tables_.lower_bound(ns);
  if (found == tables_.end()) return nullptr;
  ns = found->first;
  return found->second.get();
}

std::unique_ptr<RowTable> HashmapRows::make_table() {
  return std::make_unique<RowTable>(shape_, *epochs_, *pool_);
}

RowTable* HashmapRows::find_table(StateNamespace ns) const {
  if (last_ != nullptr && last_namespace_ == ns) return last_;
  const auto found = tables_.find(ns);
  return found != tables_.end() ? found->second.get() : nullptr;
}

RowTable& HashmapRows::table(StateNamespace ns) {
  if (last_ != nullptr && last_namespace_ == ns) return *last_;
  std::unique_ptr<RowTable>& place = tables_[ns];
  if (!place) place = make_table();
  last_namespace_ = ns;
  last_ = place.get();
  return *last_;
}

void HashmapRows::save_early(StateNamespace ns, RowTable& table) {
  images_->take_early(ns, table.early());
  table.early().clear();
}

void HashmapRows::note_dropped(StateNamespace ns) {
  if (dropped_.empty() || dropped_.back().epoch != epochs_->current()) {
    std::erase_if(dropped_, [served = epochs_->served()](const Dropped& epoch) {
      return epoch.epoch <= served;
    });
    dropped_.push_back({.epoch = epochs_->current(), .namespaces = {}});
  }
  std::vector<StateNamespace>& namespaces = dropped_.back().namespaces;
  if (namespaces.size() < kDroppedMax) {
    namespaces.push_back(ns);
  } else {
    epochs_->lose_changes(epochs_->current());
  }
}

}  // namespace clepsydra
