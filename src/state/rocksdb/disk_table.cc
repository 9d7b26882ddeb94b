#include "state/rocksdb/disk_table.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

void append_big_endian(std::uint64_t value, int bytes, std::string& out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

// The first key after `key`.
std::string after(std::string_view key) {
  std::string next(key);
  next.push_back('\0');
  return next;
}

// The first key after all that begin with `prefix`, which has other bytes than 255.
std::string after_all(std::string prefix) {
  while (prefix.back() == '\xFF') prefix.pop_back();
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

constexpr std::size_t kRowPrefixBytes = 9;
constexpr std::size_t kChangePrefixBytes = 13;

}  // namespace

void ScratchRows::clear() {
  rows.clear();
  values.clear();
  entries.clear();
  texts.clear();
}

DiskTable::DiskTable(std::shared_ptr<DiskSpace> space, RowRecords& records, ScratchRows& scratch,
                     const RowShape& shape, SnapshotEpochs& epochs, MemoryPool& pool)
    : RowTable(shape, epochs, pool),
      space_(std::move(space)),
      records_(&records),
      scratch_(&scratch),
      pool_(&pool),
      id_(space_->next_table()) {}

DiskTable::~DiskTable() {
  if (!is_on_disk_) return;
  space_->later().erase_range(prefix(Part::kRow), prefix(Part::kEnd));
}

// ---- Keys ----

std::string DiskTable::prefix(Part part) const {
  std::string key;
  append_big_endian(id_, 8, key);
  key.push_back(static_cast<char>(part));
  return key;
}

std::string DiskTable::change_prefix(std::uint32_t epoch) const {
  std::string key = prefix(Part::kChange);
  append_big_endian(epoch, 4, key);
  return key;
}

void DiskTable::append_row_key(const RecordKey& key, std::string& out) const {
  append_big_endian(id_, 8, out);
  out.push_back(static_cast<char>(Part::kRow));
  records_->append_key(key, out);
}

// The keys of entries behind their prefix, and the rows of them that are in memory.
Status DiskTable::read_keys(const std::vector<StoreEntry>& entries, std::size_t prefix_bytes,
                            ReadKeys& keys, std::deque<std::string>& texts,
                            std::vector<std::byte*>& values) {
  const auto words = static_cast<std::size_t>(shape().layout.key_bytes() / 8);
  keys.hashes.resize(entries.size());
  keys.null_bits.resize(entries.size());
  keys.slots.resize(entries.size() * words + 1);  // Never without an address.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    RecordKey key;
    CLP_RETURN_IF_ERROR(records_->read_key(
        std::string_view(entries[i].key).substr(prefix_bytes),
        reinterpret_cast<std::byte*>(keys.slots.data() + i * words), key, texts));
    keys.hashes[i] = key.hash;
    keys.null_bits[i] = key.null_bits;
  }
  values.resize(entries.size());
  const KeyBatch batch{.columns = {},
                       .hashes = keys.hashes.data(),
                       .count = static_cast<std::int64_t>(entries.size())};
  find(batch,
       {.slots = reinterpret_cast<const std::byte*>(keys.slots.data()),
        .null_bits = keys.null_bits.data()},
       values);
  return Status::ok();
}

RecordKey DiskTable::read_key(const ReadKeys& keys, std::size_t i) const {
  const auto words = static_cast<std::size_t>(shape().layout.key_bytes() / 8);
  return {.hash = keys.hashes[i],
          .null_bits = keys.null_bits[i],
          .slots = reinterpret_cast<const std::byte*>(keys.slots.data() + i * words)};
}

// ---- From the store ----

Status DiskTable::fetch(const KeyBatch& keys, const EncodedKeys& encoded,
                        std::span<std::byte*> values) {
  if (stored_rows_ == 0) return Status::ok();
  find(keys, encoded, values);
  std::vector<RecordKey> missing;
  for (std::int64_t i = 0; i < keys.count; ++i) {
    if (values[static_cast<std::size_t>(i)] != nullptr) continue;
    missing.push_back({.hash = keys.hashes[keys.rows != nullptr ? keys.rows[i] : i],
                       .null_bits = encoded.null_bits != nullptr ? encoded.null_bits[i] : 0,
                       .slots = encoded.slots + i * shape().layout.key_bytes()});
  }
  return fetch_missing(missing);
}

Status DiskTable::fetch_same(std::span<std::byte* const> from) {
  if (stored_rows_ == 0) return Status::ok();
  ReadKeys keys;
  const auto words = static_cast<std::size_t>(shape().layout.key_bytes() / 8);
  keys.slots.resize(from.size() * words + 1);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const RowHeader& row = *shape().row_of(from[i]);
    keys.hashes.push_back(row.hash);
    keys.null_bits.push_back(row.null_bits);
    if (words > 0) std::memcpy(keys.slots.data() + i * words, &row + 1, words * 8);
  }
  std::vector<std::byte*> values(from.size());
  const KeyBatch batch{
      .columns = {}, .hashes = keys.hashes.data(), .count = static_cast<std::int64_t>(from.size())};
  return fetch(batch,
               {.slots = reinterpret_cast<const std::byte*>(keys.slots.data()),
                .null_bits = keys.null_bits.data()},
               values);
}

Status DiskTable::fetch_missing(std::span<const RecordKey> missing) {
  if (missing.empty()) return Status::ok();
  std::vector<std::pair<std::string, const RecordKey*>> wanted;
  wanted.reserve(missing.size());
  for (const RecordKey& key : missing) {
    append_row_key(key, wanted.emplace_back(std::string(), &key).first);
  }
  // In the store's order, each once.
  std::sort(wanted.begin(), wanted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  wanted.erase(std::unique(wanted.begin(), wanted.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; }),
               wanted.end());
  std::vector<std::string_view> views;
  views.reserve(wanted.size());
  for (const auto& [bytes, key] : wanted) views.emplace_back(bytes);
  StoreValues stored;
  CLP_RETURN_IF_ERROR(space_->store().multi_get(views, stored));
  std::vector<RecordKey> keys;
  std::vector<std::string_view> records;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!stored[i]) continue;
    keys.push_back(*wanted[i].second);
    records.push_back(*stored[i]);
  }
  std::vector<std::byte*> values;
  return load(keys, records, values);
}

Status DiskTable::fetch_entries(const EntryRanges& ranges, const EncodedRanges& encoded) {
  const auto count = static_cast<std::size_t>(ranges.keys.count);
  const std::int64_t outer_bytes = shape().entries->outer_layout().key_bytes();
  std::vector<EntryIndex::Group*> groups(count);
  this->entries()->find_groups(ranges.keys, encoded.outer(), groups);
  // By where it begins in the store, what is known of an outer key after this; it may be asked for
  // more than once.
  std::unordered_map<std::string, EntryIndex::Known> known;
  std::vector<const EntryIndex::Known*> known_of(count, nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    if (groups[i] != nullptr && groups[i]->known == EntryIndex::Known::kComplete) continue;
    const auto row = static_cast<std::int64_t>(i);
    std::string group = prefix(Part::kRow);
    records_->append_group(
        {.hash = ranges.keys.hashes[ranges.keys.rows != nullptr ? ranges.keys.rows[i] : row],
         .null_bits = encoded.outer().null_bits != nullptr ? encoded.outer().null_bits[i] : 0,
         .slots = encoded.outer().slots + row * outer_bytes},
        group);
    const auto before = groups[i] != nullptr ? groups[i]->known : EntryIndex::Known::kNothing;
    const auto at = known.try_emplace(group, before).first;
    known_of[i] = &at->second;
    if (at->second == EntryIndex::Known::kComplete) continue;
    CLP_RETURN_IF_ERROR(fetch_group(ranges, encoded, i, group, at->second));
  }
  this->entries()->find_groups(ranges.keys, encoded.outer(), groups);
  for (std::size_t i = 0; i < count; ++i) {
    if (groups[i] != nullptr && known_of[i] != nullptr) groups[i]->known = *known_of[i];
  }
  return Status::ok();
}

Status DiskTable::fetch_group(const EntryRanges& ranges, const EncodedRanges& encoded,
                              std::size_t i, const std::string& group, EntryIndex::Known& known) {
  const EntryOrder& order = *shape().entries;
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(0, ranges.limit));
  bool has_ended = false;
  if (known == EntryIndex::Known::kNothing) {
    CLP_RETURN_IF_ERROR(
        fetch_range(group, after_all(group), kWholeGroupMax, ranges.backwards, has_ended));
    known = has_ended ? EntryIndex::Known::kComplete : EntryIndex::Known::kLarge;
    if (has_ended) return Status::ok();
  }
  std::string begin = group;
  std::string end = group;
  const EntryBound from = encoded.from(i);
  order.append_ordered(from.key, begin);
  if (!from.is_included) begin = after_all(std::move(begin));
  const EntryBound to = encoded.to(i);
  order.append_ordered(to.key, end);
  if (to.is_included) end = after_all(std::move(end));
  CLP_RETURN_IF_ERROR(fetch_range(begin, end, limit, ranges.backwards, has_ended));
  if (has_ended && from.key.columns == 0 && to.key.columns == 0) {
    known = EntryIndex::Known::kComplete;
  }
  return Status::ok();
}

// The first entries of the store, where these are not in memory: the first ones of all are among
// them and those in memory.
Status DiskTable::fetch_range(const std::string& begin, const std::string& end, std::size_t limit,
                              bool backwards, bool& has_ended) {
  std::string first = begin;
  std::string last = end;
  std::vector<StoreEntry> entries;
  std::vector<std::byte*> values;
  while (!has_ended && limit > 0 && first < last) {
    const LocalStore::ScanLimits limits{
        .entries_max = std::min(limit, kReadRowsMax), .backwards = backwards, .is_repeated = true};
    CLP_RETURN_IF_ERROR(space_->store().scan(first, last, limits, entries));
    std::size_t bytes = 0;
    for (const StoreEntry& entry : entries) bytes += entry.key.size() + entry.value.size();
    has_ended = entries.size() < limits.entries_max && bytes < limits.bytes_max;
    if (entries.empty()) break;
    limit -= entries.size();
    (backwards ? last : first) = backwards ? entries.back().key : after(entries.back().key);
    ReadKeys keys;
    CLP_RETURN_IF_ERROR(load_missing(entries, keys, values));
  }
  return Status::ok();
}

// The rows of entries of the store, put into memory where they were not.
Status DiskTable::load_missing(const std::vector<StoreEntry>& entries, ReadKeys& keys,
                               std::vector<std::byte*>& values) {
  std::deque<std::string> texts;
  CLP_RETURN_IF_ERROR(read_keys(entries, kRowPrefixBytes, keys, texts, values));
  std::vector<RecordKey> missing;
  std::vector<std::string_view> records;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (values[i] != nullptr) continue;
    missing.push_back(read_key(keys, i));
    records.emplace_back(entries[i].value);
  }
  std::vector<std::byte*> loaded;
  CLP_RETURN_IF_ERROR(load(missing, records, loaded));
  std::size_t next_loaded = 0;
  for (std::byte*& value : values) {
    if (value == nullptr) value = loaded[next_loaded++];
  }
  return Status::ok();
}

// Puts rows that are in the store alone into memory, or none of them.
Status DiskTable::load(std::span<const RecordKey> keys, std::span<const std::string_view> records,
                       std::vector<std::byte*>& values) {
  values.clear();
  Status status;
  for (std::size_t i = 0; i < keys.size() && status.is_ok(); ++i) {
    std::uint32_t epoch = 0;
    RowHeader* row = nullptr;
    status = RowRecords::read_epoch(records[i], epoch);
    if (status.is_ok()) {
      status = RowTable::load(keys[i].hash, keys[i].slots, keys[i].null_bits, epoch, row);
    }
    if (status.is_ok()) values.push_back(shape().value_of(row));
  }
  if (status.is_ok()) status = records_->read(records, values, memory(), *pool_);
  if (!status.is_ok()) {
    records_->clear(values, memory());
    evict(values);
    return status;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    RowHeader* row = shape().row_of(values[i]);
    RowTrailer& trailer = trailer_of(values[i]);
    trailer.stored_epoch = row->epoch;
    trailer.set_stored();
    trailer.set_used(space_->use().mark(), space_->use().now());
    if (epochs().needs_image(*row)) {
      if (!has_gone_out(keys[i], row->epoch)) early().push_back(values[i]);
      row->epoch = epochs().written_mark();
    } else if (row->epoch == epochs().current()) {
      // Further writes in this epoch are not noticed.
      trailer.stored_epoch = 0;
    }
  }
  stored_rows_ -= static_cast<std::int64_t>(keys.size());
  space_->note_added(static_cast<std::int64_t>(keys.size()) * shape().row_bytes());
  return Status::ok();
}

// Whether the snapshot that is being written has come past a row in the store that it needs.
bool DiskTable::has_gone_out(const RecordKey& key, std::uint32_t epoch) const {
  if (walk_.frozen != epochs().frozen()) return false;
  if (walk_.is_done) return true;
  std::string place = is_new_to_snapshot() ? prefix(Part::kRow) : change_prefix(epoch);
  records_->append_key(key, place);
  return place < walk_.next;
}

// ---- To the store ----

void DiskTable::note_erased(std::span<std::byte* const> values, StoreWrites& writes) {
  std::string key;
  for (std::byte* value : values) {
    if (!trailer_of(value).is_stored()) {
      --unstored_rows_;
      continue;
    }
    key.clear();
    append_row_key(key_of(*shape().row_of(value)), key);
    writes.erase(key);
  }
}

void DiskTable::prepare_eviction(std::span<std::byte* const> values) {
  for (std::byte* value : values) {
    RowHeader* row = shape().row_of(value);
    if (!epochs().needs_image(*row)) continue;
    early().push_back(value);
    row->epoch = epochs().written_mark();
  }
}

Status DiskTable::evict_to_store(std::span<std::byte* const> values) {
  CLP_RETURN_IF_ERROR(store(values));
  records_->clear(values, memory());
  evict(values);
  stored_rows_ += static_cast<std::int64_t>(values.size());
  return Status::ok();
}

// Those that the store does not have as they are.
Status DiskTable::store(std::span<std::byte* const> values) {
  std::vector<std::byte*> changed;
  std::vector<std::uint32_t> changed_epochs;
  for (std::byte* value : values) {
    const RowHeader& row = *shape().row_of(value);
    if (row.epoch == trailer_of(value).stored_epoch) continue;
    changed.push_back(value);
    changed_epochs.push_back(row.epoch);
  }
  if (changed.empty()) return Status::ok();
  writes_.clear();
  std::string key;
  CLP_RETURN_IF_ERROR(
      records_->write(changed, changed_epochs, *pool_, [&](std::size_t i, std::string_view record) {
        const RecordKey row_key = key_of(*shape().row_of(changed[i]));
        key.clear();
        append_row_key(row_key, key);
        writes_.put(key, record);
        if (!epochs().is_tracking() || changed_epochs[i] <= epochs().served()) return;
        has_listed_changes_ = true;
        key = change_prefix(changed_epochs[i]);
        records_->append_key(row_key, key);
        writes_.put(key, {});
      }));
  is_on_disk_ = true;
  space_->note_written();
  CLP_RETURN_IF_ERROR(space_->store().write(writes_));
  for (std::size_t i = 0; i < changed.size(); ++i) {
    RowTrailer& trailer = trailer_of(changed[i]);
    if (!trailer.is_stored()) --unstored_rows_;
    trailer.set_stored();
    trailer.stored_epoch = changed_epochs[i] == epochs().current() ? 0 : changed_epochs[i];
  }
  return Status::ok();
}

Status DiskTable::store_new_rows() {
  std::vector<std::byte*> found(kReadRowsMax);
  std::vector<std::byte*> unstored;
  KeyedRows::Cursor cursor;
  while (unstored_rows_ > 0) {
    const auto count = static_cast<std::size_t>(scan(cursor, found));
    CLP_CHECK(count > 0);
    unstored.clear();
    for (std::byte* value : std::span(found).first(count)) {
      if (!trailer_of(value).is_stored()) unstored.push_back(value);
    }
    CLP_RETURN_IF_ERROR(store(unstored));
  }
  return Status::ok();
}

// ---- Scan ----

// The cursor: the hash of the last row, as far as the store is ordered by it, and below zero how
// many rows of that hash there were.
Status DiskTable::scan_all(KeyedRows::Cursor& cursor, std::span<std::byte*> values,
                           std::int64_t& count) {
  count = 0;
  CLP_RETURN_IF_ERROR(store_new_rows());
  std::uint64_t hash = static_cast<std::uint64_t>(cursor.row < 0 ? cursor.page : 0);
  std::int64_t of_hash = cursor.row < 0 ? -1 - cursor.row : 0;
  const int unordered_bits = 64 - 8 * records_->hash_bytes();
  std::string begin = prefix(Part::kRow);
  append_big_endian(hash >> unordered_bits, records_->hash_bytes(), begin);
  std::int64_t skipped = of_hash;
  // Nearly always the scan before goes on; many rows may have the same hash.
  if (of_hash > 0 && cursor.page == scanned_.page && cursor.row == scanned_.row) {
    begin = scan_next_;
    skipped = 0;
  }
  std::vector<StoreEntry> entries;
  while (true) {
    const LocalStore::ScanLimits limits{.entries_max =
                                            values.size() + static_cast<std::size_t>(skipped)};
    CLP_RETURN_IF_ERROR(space_->store().scan(begin, prefix(Part::kChange), limits, entries));
    if (entries.empty()) return Status::ok();
    begin = after(entries.back().key);
    const std::int64_t gone = std::min(skipped, static_cast<std::int64_t>(entries.size()));
    entries.erase(entries.begin(), entries.begin() + gone);
    skipped -= gone;
    if (!entries.empty()) break;
  }
  ReadKeys keys;
  std::vector<std::byte*> found;
  CLP_RETURN_IF_ERROR(load_missing(entries, keys, found));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    values[i] = found[i];
    const std::uint64_t ordered = keys.hashes[i] >> unordered_bits << unordered_bits;
    of_hash = ordered == hash ? of_hash + 1 : 1;
    hash = ordered;
  }
  count = static_cast<std::int64_t>(entries.size());
  cursor = {.page = static_cast<std::int64_t>(hash), .row = -1 - of_hash};
  scanned_ = cursor;
  scan_next_ = begin;
  return Status::ok();
}

// ---- For snapshots ----

bool DiskTable::has_images() const {
  if (epochs().frozen() != 0 && walk_.frozen == epochs().frozen()) return !walk_.is_done;
  return RowTable::has_images();
}

void DiskTable::start_images() {
  RowTable::start_images();
  walk_ = {.frozen = epochs().frozen()};
  walk_.next = is_new_to_snapshot() ? prefix(Part::kRow) : change_prefix(epochs().after() + 1);
  if (has_listed_changes_) {
    space_->later().erase_range(change_prefix(0), change_prefix(epochs().served() + 1));
  }
}

bool DiskTable::take_images(std::size_t values_max, std::int64_t& budget,
                            std::vector<std::byte*>& values) {
  if (!walk_.is_memory_done) {
    if (!RowTable::take_images(values_max, budget, values)) return false;
    walk_.is_memory_done = true;
  }
  while (!walk_.is_done && is_on_disk_ && budget > 0 && values.size() < values_max) {
    const Status status = is_new_to_snapshot() ? walk_rows(values_max, budget, values)
                                               : walk_changes(values_max, budget, values);
    if (status.is_ok()) continue;
    space_->fail(status);
    budget = 0;
    return false;
  }
  walk_.is_done = walk_.is_done || !is_on_disk_;
  return walk_.is_done;
}

// The walk's next entries, up to `end`: at most `entries_max`, counted off `budget`. None: it is
// done.
Status DiskTable::scan_on(std::string_view end, std::size_t entries_max, std::int64_t& budget,
                          std::vector<StoreEntry>& entries) {
  const LocalStore::ScanLimits limits{
      .entries_max = std::min({kReadRowsMax, entries_max, static_cast<std::size_t>(budget)})};
  CLP_RETURN_IF_ERROR(space_->store().scan(walk_.next, end, limits, entries));
  if (entries.empty()) {
    walk_.is_done = true;
    return Status::ok();
  }
  budget -= static_cast<std::int64_t>(entries.size());
  walk_.next = after(entries.back().key);
  return Status::ok();
}

// All rows that are in the store alone: those in memory were taken there.
Status DiskTable::walk_rows(std::size_t values_max, std::int64_t& budget,
                            std::vector<std::byte*>& values) {
  std::vector<StoreEntry>& entries = scratch_->entries.emplace_back();
  CLP_RETURN_IF_ERROR(scan_on(prefix(Part::kChange), values_max - values.size(), budget, entries));
  if (entries.empty()) return Status::ok();
  ReadKeys keys;
  std::vector<std::byte*> found;
  CLP_RETURN_IF_ERROR(read_keys(entries, kRowPrefixBytes, keys, scratch_->texts, found));
  std::vector<RecordKey> needed;
  std::vector<std::string_view> records;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (found[i] != nullptr) continue;
    RowHeader row{};
    CLP_RETURN_IF_ERROR(RowRecords::read_epoch(entries[i].value, row.epoch));
    if (!epochs().needs_image(row)) continue;
    needed.push_back(read_key(keys, i));
    records.emplace_back(entries[i].value);
  }
  return read_scratch(needed, records, values);
}

// Rows that changed and were stored, wherever they are now. A list may have a row more than once,
// and one that has changed again or has gone.
Status DiskTable::walk_changes(std::size_t values_max, std::int64_t& budget,
                               std::vector<std::byte*>& values) {
  std::vector<StoreEntry>& entries = scratch_->entries.emplace_back();
  CLP_RETURN_IF_ERROR(
      scan_on(change_prefix(epochs().frozen() + 1), values_max - values.size(), budget, entries));
  if (entries.empty()) return Status::ok();
  ReadKeys keys;
  std::vector<std::byte*> found;
  CLP_RETURN_IF_ERROR(read_keys(entries, kChangePrefixBytes, keys, scratch_->texts, found));
  std::vector<std::string> row_keys;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (found[i] == nullptr) {
      asked.push_back(i);
      append_row_key(read_key(keys, i), row_keys.emplace_back());
      continue;
    }
    RowHeader* row = shape().row_of(found[i]);
    if (!epochs().needs_image(*row)) continue;
    row->epoch = epochs().written_mark();
    values.push_back(found[i]);
  }
  const std::vector<std::string_view> views(row_keys.begin(), row_keys.end());
  StoreValues stored;
  CLP_RETURN_IF_ERROR(space_->store().multi_get(views, stored));
  std::vector<RecordKey> needed;
  std::vector<std::string_view> records;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!stored[i]) continue;
    RowHeader row{};
    CLP_RETURN_IF_ERROR(RowRecords::read_epoch(*stored[i], row.epoch));
    const std::string_view listed =
        std::string_view(entries[asked[i]].key).substr(0, kChangePrefixBytes);
    if (!epochs().needs_image(row) || listed != change_prefix(row.epoch)) continue;
    needed.push_back(read_key(keys, asked[i]));
    records.push_back(*stored[i]);
  }
  return read_scratch(needed, records, values);
}

Status DiskTable::read_scratch(std::span<const RecordKey> keys,
                               std::span<const std::string_view> records,
                               std::vector<std::byte*>& values) {
  if (keys.empty()) return Status::ok();
  const std::int64_t row_bytes = shape().row_bytes();
  const auto count = static_cast<std::int64_t>(keys.size());
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer,
                       allocate_buffer(*pool_, count * row_bytes));
  auto* bytes = reinterpret_cast<std::byte*>(buffer->mutable_data());
  std::memset(bytes, 0, static_cast<std::size_t>(count * row_bytes));
  const std::size_t first = scratch_->values.size();
  for (const RecordKey& key : keys) {
    auto* row = reinterpret_cast<RowHeader*>(bytes);
    *row = {.hash = key.hash, .epoch = 0, .null_bits = key.null_bits};
    if (shape().layout.key_bytes() > 0) {
      std::memcpy(row + 1, key.slots, static_cast<std::size_t>(shape().layout.key_bytes()));
    }
    scratch_->values.push_back(shape().value_of(row));
    bytes += row_bytes;
  }
  scratch_->rows.push_back(std::move(buffer));
  const auto added = std::span<std::byte* const>(scratch_->values).subspan(first);
  CLP_RETURN_IF_ERROR(records_->read(records, added, scratch_->memory, *pool_));
  values.insert(values.end(), added.begin(), added.end());
  return Status::ok();
}

}  // namespace clepsydra
