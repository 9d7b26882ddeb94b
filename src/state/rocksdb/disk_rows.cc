#include "state/rocksdb/disk_rows.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kScannedRowsMax = 1024;
// Of a row, at most.
constexpr std::int64_t kIndexBytes = 24;

}  // namespace

DiskRows::DiskRows(KeyedRowsSpec spec, RowShape shape, SnapshotEpochs& epochs,
                   std::shared_ptr<DiskSpace> space)
    : HashmapRows(std::move(spec), std::move(shape), epochs, space->pool()),
      space_(std::move(space)),
      records_(this->shape().layout, this->spec().value_bytes, this->spec().codec,
               this->shape().entries),
      scratch_(space_->pool()) {
  space_->add(this);
}

DiskRows::~DiskRows() {
  space_->remove(this);
}

std::unique_ptr<RowTable> DiskRows::make_table() {
  return std::make_unique<DiskTable>(space_, records_, scratch_, shape(), epochs(), pool());
}

DiskTable& DiskRows::disk_table(StateNamespace ns) {
  auto& found = static_cast<DiskTable&>(table(ns));
  warm_.insert_or_assign(ns, &found);
  return found;
}

DiskTable* DiskRows::find_disk_table(StateNamespace ns) {
  return find_table(ns) != nullptr ? &disk_table(ns) : nullptr;
}

template <typename Call>
Status DiskRows::with_room(Call&& call) {
  CLP_RETURN_IF_ERROR(space_->error());
  Status status = call();
  for (const bool all : {false, true}) {
    if (status.code() != StatusCode::kResourceExhausted) break;
    CLP_RETURN_IF_ERROR(space_->make_much_room(all));
    status = call();
  }
  // Of what a full pool has kept from coming in, nothing is lost.
  if (status.code() != StatusCode::kResourceExhausted) space_->fail(status);
  return status;
}

Status DiskRows::find_or_insert(StateNamespace ns, const KeyBatch& keys,
                                std::span<std::byte*> values) {
  CLP_CHECK(keys.columns.size() == spec().key_types.size());
  const EncodedKeys encoded = encode(keys);
  DiskTable& rows = disk_table(ns);
  const Status found = with_room([&]() -> Status {
    const Status fetched = rows.fetch(keys, encoded, values);
    save(ns, rows);
    CLP_RETURN_IF_ERROR(fetched);
    const std::int64_t before = rows.row_count();
    Status status = rows.find_or_insert(keys, encoded, values);
    save(ns, rows);
    rows.note_inserted(rows.row_count() - before);
    space_->note_added((rows.row_count() - before) * shape().row_bytes());
    return status;
  });
  CLP_RETURN_IF_ERROR(found);
  mark_used(rows, values.first(static_cast<std::size_t>(keys.count)));
  return Status::ok();
}

Status DiskRows::find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) {
  CLP_CHECK(keys.columns.size() == spec().key_types.size());
  CLP_RETURN_IF_ERROR(space_->error());
  DiskTable* const rows = find_disk_table(ns);
  if (rows == nullptr) {
    std::fill_n(values.begin(), keys.count, nullptr);
    return Status::ok();
  }
  const EncodedKeys encoded = encode(keys);
  if (rows->stored_rows() > 0) {
    CLP_RETURN_IF_ERROR(with_room([&] {
      Status fetched = rows->fetch(keys, encoded, values);
      save(ns, *rows);
      return fetched;
    }));
  }
  rows->find(keys, encoded, values);
  mark_used(*rows, values.first(static_cast<std::size_t>(keys.count)));
  return Status::ok();
}

Status DiskRows::find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                                     std::span<std::byte*> values) {
  DiskTable& rows = disk_table(ns);
  const Status found = with_room([&]() -> Status {
    const Status fetched = rows.fetch_same(from);
    save(ns, rows);
    CLP_RETURN_IF_ERROR(fetched);
    const std::int64_t before = rows.row_count();
    Status status = rows.find_or_insert_same(from, values);
    save(ns, rows);
    rows.note_inserted(rows.row_count() - before);
    space_->note_added((rows.row_count() - before) * shape().row_bytes());
    return status;
  });
  CLP_RETURN_IF_ERROR(found);
  mark_used(rows, values.first(from.size()));
  return Status::ok();
}

Status DiskRows::find_entries(StateNamespace ns, const EntryRanges& ranges, FoundEntries& found) {
  CLP_RETURN_IF_ERROR(space_->error());
  const EncodedRanges& encoded = encode(ranges);
  found.clear();
  DiskTable* const rows = find_disk_table(ns);
  if (rows == nullptr) {
    found.ends.assign(static_cast<std::size_t>(ranges.keys.count), 0);
    return Status::ok();
  }
  if (rows->stored_rows() > 0) {
    CLP_RETURN_IF_ERROR(with_room([&] {
      Status fetched = rows->fetch_entries(ranges, encoded);
      save(ns, *rows);
      return fetched;
    }));
  }
  collect(*rows, ranges, found);
  mark_used(*rows, found.values);
  return Status::ok();
}

std::int64_t DiskRows::scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) {
  DiskTable* const rows = find_disk_table(ns);
  if (rows == nullptr || !space_->error().is_ok()) return 0;
  const bool begins = cursor.page == 0 && cursor.row == 0;
  std::int64_t count = 0;
  if (cursor.row < 0 || (begins && rows->is_on_disk())) {
    const Status status = with_room([&] {
      Status scanned = rows->scan_all(cursor, values, count);
      save(ns, *rows);
      return scanned;
    });
    if (!status.is_ok()) {
      space_->fail(status);
      return 0;
    }
  } else {
    if (!begins && !rows->is_being_scanned()) {
      space_->fail(Status::internal("a scan over state went on after it had been left"));
      return 0;
    }
    count = rows->scan(cursor, values);
    rows->note_scan(count > 0);
  }
  mark_used(*rows, values.first(static_cast<std::size_t>(count)));
  return count;
}

std::int64_t DiskRows::visit_stored(StateNamespace ns, Cursor& cursor,
                                    std::span<std::byte*> values) {
  DiskTable* const rows = find_disk_table(ns);
  if (rows == nullptr || rows->stored_rows() == 0 || !space_->error().is_ok()) return 0;
  // Over the store, whatever is in memory: scan_all() knows its own cursors by this.
  if (cursor.row >= 0) cursor = {.page = 0, .row = -1};
  std::int64_t count = 0;
  const Status status = with_room([&] {
    Status scanned = rows->scan_all(cursor, values, count);
    save(ns, *rows);
    return scanned;
  });
  if (!status.is_ok()) {
    space_->fail(status);
    return 0;
  }
  return count;
}

void DiskRows::erase(StateNamespace ns, std::span<std::byte* const> values) {
  if (values.empty()) return;
  writes_.clear();
  disk_table(ns).note_erased(values, writes_);
  HashmapRows::erase(ns, values);
  if (writes_.empty()) return;
  if (const Status status = space_->store().write(writes_); !status.is_ok()) {
    space_->fail(status);
  }
}

void DiskRows::drop(StateNamespace ns) {
  warm_.erase(ns);
  HashmapRows::drop(ns);
}

std::int64_t DiskRows::row_count(StateNamespace ns) const {
  const auto* rows = static_cast<const DiskTable*>(find_table(ns));
  return rows != nullptr ? rows->row_count() + rows->stored_rows() : 0;
}

Status DiskRows::end_images_step() {
  if (!scratch_.values.empty()) records_.clear(scratch_.values, scratch_.memory);
  scratch_.clear();
  return space_->error();
}

void DiskRows::mark_used(const DiskTable& table, std::span<std::byte* const> values) const {
  const RowUse& use = space_->use();
  const std::uint32_t mark = use.mark();
  for (std::byte* value : values) {
    if (value == nullptr) continue;
    RowTrailer& trailer = table.trailer_of(value);
    if (trailer.mark() == mark) continue;
    trailer.set_used(mark, trailer.mark() == 0 ? use.now() : use.used_again(trailer.worth()));
  }
}

std::int64_t DiskRows::live_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& [ns, table] : warm_) bytes += table->live_bytes();
  return bytes;
}

std::int64_t DiskRows::rows_in_memory() const {
  std::int64_t rows = 0;
  for (const auto& [ns, table] : warm_) rows += table->row_count();
  return rows;
}

std::int64_t DiskRows::bytes_of_a_row() const {
  const std::int64_t rows = rows_in_memory();
  return std::max(shape().row_bytes() + kIndexBytes, rows > 0 ? live_bytes() / rows : 0);
}

void DiskRows::sample_worths(std::int64_t stride, std::vector<std::int32_t>& worths) const {
  std::vector<std::byte*> values(static_cast<std::size_t>(std::min(stride, kScannedRowsMax)));
  for (const auto& [ns, table] : warm_) {
    Cursor cursor;
    while (table->scan(cursor, values) > 0) {
      worths.push_back(space_->use().from_now(table->trailer_of(values[0]).worth()));
    }
  }
}

Status DiskRows::evict(std::int32_t worth_max, std::int64_t& excess, bool may_move) {
  // The table that is begun in its middle comes twice.
  for (std::size_t left = warm_.size() + 1; left > 0 && !warm_.empty() && excess > 0; --left) {
    auto at = warm_.lower_bound(next_evicted_);
    if (at == warm_.end()) at = warm_.begin();
    const auto [ns, table] = *at;
    bool has_ended = true;
    if (!table->is_being_scanned()) {
      CLP_ASSIGN_OR_RETURN(has_ended, evict_from(ns, *table, worth_max, excess));
      table->give_back(may_move);
    }
    if (has_ended || table->row_count() == 0) table->hand() = {};
    // Within a call, rows are about to come into one of them.
    const bool goes = may_move && table->row_count() == 0 && !table->is_being_scanned();
    at = goes ? warm_.erase(at) : (has_ended ? std::next(at) : at);
    next_evicted_ = at != warm_.end() ? at->first : std::numeric_limits<StateNamespace>::min();
  }
  return Status::ok();
}

Result<bool> DiskRows::evict_from(StateNamespace ns, DiskTable& table, std::int32_t worth_max,
                                  std::int64_t& excess) {
  const RowUse& use = space_->use();
  std::vector<std::byte*> found(
      static_cast<std::size_t>(std::min(kScannedRowsMax, table.row_count())));
  std::vector<std::byte*> low;
  while (excess > 0) {
    const auto count = static_cast<std::size_t>(table.scan(table.hand(), found));
    if (count == 0) return true;
    low.clear();
    for (std::byte* value : std::span(found).first(count)) {
      const RowTrailer& trailer = table.trailer_of(value);
      if (trailer.mark() != use.mark() && use.from_now(trailer.worth()) <= worth_max) {
        low.push_back(value);
      }
    }
    if (low.empty()) continue;
    const std::int64_t before = table.live_bytes();
    table.prepare_eviction(low);
    save(ns, table);
    CLP_RETURN_IF_ERROR(table.evict_to_store(low));
    excess -= before - table.live_bytes();
  }
  return false;
}

}  // namespace clepsydra
