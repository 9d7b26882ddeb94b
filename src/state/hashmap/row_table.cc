#include "state/hashmap/row_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/hashmap/entry_index.h"

namespace clepsydra {
namespace {

// Where find_or_insert() takes keys from; the special one compares a key of one word without a
// loop.
template <bool kOneWord>
struct EncodedSource {
  const std::uint64_t* hashes;
  const std::int32_t* rows;
  EncodedKeys keys;
  std::int64_t key_bytes;

  [[nodiscard]] std::uint64_t hash(std::int64_t i) const {
    return hashes[rows != nullptr ? rows[i] : i];
  }
  [[nodiscard]] const std::byte* slots(std::int64_t i) const {
    return keys.slots + i * (kOneWord ? 8 : key_bytes);
  }
  [[nodiscard]] std::uint32_t null_bits(std::int64_t i) const {
    return keys.null_bits != nullptr ? keys.null_bits[i] : 0;
  }
  [[nodiscard]] bool matches(const KeyLayout& layout, const RowHeader& row, std::int64_t i) const {
    if (row.null_bits != null_bits(i)) return false;
    const auto* stored = reinterpret_cast<const std::byte*>(&row + 1);
    if constexpr (kOneWord) {
      return std::memcmp(stored, slots(i), 8) == 0;
    } else {
      return row.hash == hash(i) && layout.equal(stored, slots(i));
    }
  }
};

// Keys of rows of other namespaces.
struct RowSource {
  const RowShape* shape;
  std::span<std::byte* const> from;

  [[nodiscard]] const RowHeader& row(std::int64_t i) const {
    return *shape->row_of(from[static_cast<std::size_t>(i)]);
  }
  [[nodiscard]] std::uint64_t hash(std::int64_t i) const { return row(i).hash; }
  [[nodiscard]] const std::byte* slots(std::int64_t i) const {
    return reinterpret_cast<const std::byte*>(&row(i) + 1);
  }
  [[nodiscard]] std::uint32_t null_bits(std::int64_t i) const { return row(i).null_bits; }
  [[nodiscard]] bool matches(const KeyLayout& layout, const RowHeader& other,
                             std::int64_t i) const {
    return other.hash == hash(i) && other.null_bits == null_bits(i) &&
           layout.equal(reinterpret_cast<const std::byte*>(&other + 1), slots(i));
  }
};

// Rows that are about to be erased.
struct ErasedSource {
  const RowShape* shape;
  std::span<std::byte* const> values;
  [[nodiscard]] std::uint64_t hash(std::int64_t i) const {
    return shape->row_of(values[static_cast<std::size_t>(i)])->hash;
  }
};

struct HashSource {
  std::span<const std::uint64_t> hashes;
  [[nodiscard]] std::uint64_t hash(std::int64_t i) const {
    return hashes[static_cast<std::size_t>(i)];
  }
};

constexpr std::uint32_t kEntriesMin = 8;
// From how many rows on looking at keys ahead of use pays: below, all is in the caches anyway.
constexpr std::int64_t kPrefetchRowsMin = 8192;
// Rows erased before it pays to move the others together.
constexpr std::int64_t kCompactRowsMin = 64;

}  // namespace

RowTable::RowTable(const RowShape& shape, SnapshotEpochs& epochs, MemoryPool& pool)
    : shape_(&shape),
      epochs_(&epochs),
      pool_(&pool),
      created_(epochs.current()),
      arena_(pool, shape.page_bytes_max),
      tables_(1),
      directory_(1),
      changes_(epochs, pool) {
  if (shape.entries != nullptr) {
    entries_ = std::make_unique<EntryIndex>(*shape.entries, shape, pool);
  }
}

RowTable::~RowTable() = default;

std::int64_t RowTable::live_bytes() const {
  const std::int64_t entries = entries_ != nullptr ? entries_->live_bytes() : 0;
  return live_rows_ * shape_->row_bytes() + arena_.live_bytes() + entries;
}

Status RowTable::find_or_insert(const KeyBatch& keys, const EncodedKeys& encoded,
                                std::span<std::byte*> values) {
  if (shape_->layout.key_bytes() == 8 && !shape_->layout.has_text()) {
    return probe(EncodedSource<true>{keys.hashes, keys.rows, encoded, 8}, keys.count, values);
  }
  return probe(EncodedSource<false>{keys.hashes, keys.rows, encoded, shape_->layout.key_bytes()},
               keys.count, values);
}

Status RowTable::find_or_insert_same(std::span<std::byte* const> from,
                                     std::span<std::byte*> values) {
  return probe(RowSource{shape_, from}, static_cast<std::int64_t>(from.size()), values);
}

void RowTable::find(const KeyBatch& keys, const EncodedKeys& encoded,
                    std::span<std::byte*> values) const {
  const EncodedSource<false> source{keys.hashes, keys.rows, encoded, shape_->layout.key_bytes()};
  FirstEntries first;
  for (std::int64_t begin = 0; begin < keys.count; begin += kPrefetchKeys) {
    const std::int64_t end = std::min(keys.count, begin + kPrefetchKeys);
    if (live_rows_ >= kPrefetchRowsMin) {
      ask_for_entries(source, begin, end, first);
      ask_for_rows(end - begin, first);
    }
    for (std::int64_t i = begin; i < end; ++i) {
      RowHeader* row = lookup(table_of(source.hash(i)), source, i);
      values[static_cast<std::size_t>(i)] = row != nullptr ? shape_->value_of(row) : nullptr;
    }
  }
}

template <typename Source>
Status RowTable::probe(const Source& source, std::int64_t count, std::span<std::byte*> values) {
  const std::uint32_t epoch = epochs_->current();
  const bool looks_ahead = live_rows_ >= kPrefetchRowsMin;
  FirstEntries first;
  for (std::int64_t begin = 0; begin < count; begin += kPrefetchKeys) {
    const std::int64_t end = std::min(count, begin + kPrefetchKeys);
    if (looks_ahead) {
      ask_for_entries(source, begin, end, first);
      ask_for_rows(end - begin, first);
    }
    if (entries_ != nullptr && entries_->is_adding()) ask_for_groups(source, begin, end);
    for (std::int64_t i = begin; i < end; ++i) {
      RowHeader* row = looks_ahead ? row_at(first, source, i - begin, i) : nullptr;
      if (row == nullptr) [[unlikely]] {
        const std::uint64_t hash = source.hash(i);
        row = lookup(table_of(hash), source, i);
        if (row == nullptr) {
          CLP_RETURN_IF_ERROR(insert(hash, source.slots(i), source.null_bits(i), row));
        }
      }
      if (row->epoch != epoch) [[unlikely]]
        touch(row);
      values[static_cast<std::size_t>(i)] = shape_->value_of(row);
    }
  }
  return Status::ok();
}

template <typename Source>
void RowTable::ask_for_entries(const Source& source, std::int64_t begin, std::int64_t end,
                               FirstEntries& first) const {
  first.rehashes = rehashes_;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint64_t hash = source.hash(i);
    const Table& table = table_of(hash);
    const Entry* entry = table.entries != nullptr
                             ? &table.entries[static_cast<std::uint32_t>(hash) & table.mask]
                             : &kNoEntry;
    __builtin_prefetch(entry);
    first.entries[static_cast<std::size_t>(i - begin)] = entry;
  }
}

void RowTable::ask_for_rows(std::int64_t count, const FirstEntries& first) const {
  if (first.rehashes != rehashes_) return;
  for (std::int64_t i = 0; i < count; ++i) {
    const Entry entry = *first.entries[static_cast<std::size_t>(i)];
    if (entry > kErased) __builtin_prefetch(row_of(entry), 1);
  }
}

template <typename Source>
void RowTable::ask_for_groups(const Source& source, std::int64_t begin, std::int64_t end) {
  std::array<std::uint64_t, kAskedMax> hashes{};
  const auto count = static_cast<std::size_t>(end - begin);
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = source.hash(begin + static_cast<std::int64_t>(i));
  }
  entries_->ask_for({hashes.data(), count});
}

void RowTable::ask_for(std::span<const std::uint64_t> hashes,
                       std::span<const std::byte*> likely) const {
  std::fill(likely.begin(), likely.end(), nullptr);
  if (live_rows_ < kPrefetchRowsMin) return;
  const auto count = static_cast<std::int64_t>(hashes.size());
  FirstEntries first;
  ask_for_entries(HashSource{hashes}, 0, count, first);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const Entry entry = *first.entries[i];
    if (entry <= kErased) continue;
    RowHeader* row = row_of(entry);
    __builtin_prefetch(row, 1);
    likely[i] = shape_->value_of(row);
  }
}

// The row of key `i` when it is where its hash first points to, as nearly all are.
template <typename Source>
RowHeader* RowTable::row_at(const FirstEntries& first, const Source& source, std::int64_t place,
                            std::int64_t i) const {
  if (first.rehashes != rehashes_) return nullptr;
  const Entry entry = *first.entries[static_cast<std::size_t>(place)];
  if (((entry ^ tag_of(source.hash(i))) >> 48) != 0 || entry <= kErased) return nullptr;
  RowHeader* row = row_of(entry);
  return source.matches(shape_->layout, *row, i) ? row : nullptr;
}

template <typename Source>
RowHeader* RowTable::lookup(const Table& table, const Source& source, std::int64_t i) const {
  if (table.entries == nullptr) return nullptr;
  const std::uint64_t hash = source.hash(i);
  const Entry tag = tag_of(hash);
  for (std::uint32_t at = static_cast<std::uint32_t>(hash) & table.mask;;
       at = (at + 1) & table.mask) {
    const Entry entry = table.entries[at];
    if (entry == kEmpty) return nullptr;
    if (((entry ^ tag) >> 48) != 0 || entry == kErased) continue;
    RowHeader* row = row_of(entry);
    if (source.matches(shape_->layout, *row, i)) return row;
  }
}

Status RowTable::insert(std::uint64_t hash, const std::byte* slots, std::uint32_t null_bits,
                        RowHeader*& row) {
  CLP_RETURN_IF_ERROR(load(hash, slots, null_bits, epochs_->current(), row));
  if (is_known()) note_written(row);
  return Status::ok();
}

Status RowTable::load(std::uint64_t hash, const std::byte* slots, std::uint32_t null_bits,
                      std::uint32_t epoch, RowHeader*& row) {
  Table* table = &table_of(hash);
  CLP_RETURN_IF_ERROR(make_room(table, hash));
  const bool is_reused = evicted_ != nullptr;
  if (!is_reused && (pages_.empty() || pages_.back().count == pages_.back().capacity)) {
    CLP_RETURN_IF_ERROR(add_page());
  }
  row = is_reused ? evicted_
                  : reinterpret_cast<RowHeader*>(pages_.back().rows +
                                                 pages_.back().count * shape_->row_bytes());
  RowHeader* const next_evicted = is_reused ? row_of(evicted_->hash) : nullptr;
  auto* key = reinterpret_cast<std::byte*>(row + 1);
  if (shape_->layout.key_bytes() > 0) {
    std::memcpy(key, slots, static_cast<std::size_t>(shape_->layout.key_bytes()));
  }
  if (shape_->layout.has_text()) CLP_RETURN_IF_ERROR(shape_->layout.own_texts(key, arena_));
  *row = {.hash = hash, .epoch = epoch, .null_bits = null_bits};
  std::memset(shape_->value_of(row), 0, static_cast<std::size_t>(shape_->value_bytes));
  if (entries_ != nullptr) {
    if (Status status = entries_->add(row); !status.is_ok()) {
      if (shape_->layout.has_text()) shape_->layout.free_texts(key, arena_);
      row->epoch = 0;
      row->hash = reinterpret_cast<std::uint64_t>(next_evicted);
      return status;
    }
  }
  if (is_reused) {
    evicted_ = next_evicted;
    --dead_rows_;
  } else {
    ++pages_.back().count;
  }
  ++live_rows_;
  put(*table, row);
  return Status::ok();
}

// The first write to a row in an epoch.
void RowTable::touch(RowHeader* row) {
  if (epochs_->needs_image(*row)) early_.push_back(shape_->value_of(row));
  row->epoch = epochs_->current();
  note_written(row);
}

void RowTable::note_written(RowHeader* row) {
  if (changes_.note_written(row) && changes_.is_wasteful(live_rows_)) list_changes_anew();
}

void RowTable::list_changes_anew() {
  changes_.clear_rows();
  const std::int64_t row_bytes = shape_->row_bytes();
  for (const Page& page : pages_) {
    for (std::int64_t i = 0; i < page.count; ++i) {
      auto* row = reinterpret_cast<RowHeader*>(page.rows + i * row_bytes);
      if (row->epoch != 0) changes_.note_again(row);
    }
  }
  images_ = {};
}

bool RowTable::has_images() const {
  if (epochs_->frozen() == 0 || created_ > epochs_->frozen() ||
      images_taken_ == epochs_->frozen()) {
    return false;
  }
  return is_new_to_snapshot() || changes_.has_changes_in(epochs_->after(), epochs_->frozen());
}

bool RowTable::take_images(std::size_t values_max, std::int64_t& budget,
                           std::vector<std::byte*>& values) {
  const std::int64_t row_bytes = shape_->row_bytes();
  const auto take = [&](RowHeader* row) {
    --budget;
    if (!epochs_->needs_image(*row)) return;
    row->epoch = epochs_->written_mark();
    values.push_back(shape_->value_of(row));
  };
  if (is_new_to_snapshot()) {
    for (KeyedRows::Cursor& at = images_.row; at.page < static_cast<std::int64_t>(pages_.size());
         ++at.page, at.row = 0) {
      const Page& page = pages_[static_cast<std::size_t>(at.page)];
      while (at.row < page.count) {
        if (budget <= 0 || values.size() >= values_max) return false;
        take(reinterpret_cast<RowHeader*>(page.rows + at.row++ * row_bytes));
      }
    }
  } else {
    while (RowChanges::Epoch* epoch =
               changes_.next_epoch(std::max(epochs_->after(), images_.epoch), epochs_->frozen())) {
      while (budget > 0 && values.size() < values_max) {
        RowHeader* row = epoch->rows.next(images_.listed);
        if (row == nullptr) {
          images_ = {.epoch = epoch->epoch};
          break;
        }
        take(row);
      }
      if (budget <= 0 || values.size() >= values_max) return false;
    }
  }
  images_taken_ = epochs_->frozen();
  return true;
}

bool RowTable::take_slice(KeyedRows::Cursor& at, std::size_t values_max, std::int64_t& budget,
                          std::int64_t& left, std::vector<std::byte*>& values) const {
  if (is_new_to_snapshot()) return true;
  const std::int64_t row_bytes = shape_->row_bytes();
  for (; at.page < static_cast<std::int64_t>(pages_.size()); ++at.page, at.row = 0) {
    const Page& page = pages_[static_cast<std::size_t>(at.page)];
    while (at.row < page.count) {
      if (budget <= 0 || left <= 0 || values.size() >= values_max) return false;
      auto* row = reinterpret_cast<RowHeader*>(page.rows + at.row++ * row_bytes);
      --budget;
      --left;
      // What changed bears the mark that it has gone out. Others may bear that of a snapshot that
      // was given up.
      if (row->epoch != 0 && row->epoch <= epochs_->frozen()) {
        values.push_back(shape_->value_of(row));
      }
    }
  }
  return true;
}

Status RowTable::add_page() {
  const std::int64_t row_bytes = shape_->row_bytes();
  const std::int64_t rows_max = std::max<std::int64_t>(1, shape_->page_bytes_max / row_bytes);
  const std::int64_t rows = pages_.empty() ? std::min(kPageRowsMin, rows_max)
                                           : std::min(pages_.back().capacity * 2, rows_max);
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer,
                       allocate_buffer(*pool_, rows * row_bytes));
  auto* data = reinterpret_cast<std::byte*>(buffer->mutable_data());
  CLP_CHECK((reinterpret_cast<std::uintptr_t>(data + rows * row_bytes) >> 48) == 0);
  pages_.push_back({.buffer = std::move(buffer), .rows = data, .count = 0, .capacity = rows});
  return Status::ok();
}

// Leaves `table` with an empty entry for one more row: at most three quarters are in use.
Status RowTable::make_room(Table*& table, std::uint64_t hash) {
  while (table->entries == nullptr || (table->used + 1) * 4 > (table->mask + 1) * 3) {
    // Twice what is live, so that many erased entries alone do not make it grow.
    std::uint32_t entries = kEntriesMin;
    while (entries < (table->live + 1) * 2) entries *= 2;
    const bool may_split = table->depth < directory_depth_ ||
                           directory_.size() < kDirectoryPerTableMax * tables_.size();
    if (entries <= kTableEntriesMax || !may_split) return rehash(*table, entries);
    CLP_RETURN_IF_ERROR(split(*table, hash));
    table = &table_of(hash);
  }
  return Status::ok();
}

Status RowTable::rehash(Table& table, std::uint32_t entries) {
  std::byte* block = nullptr;
  CLP_RETURN_IF_ERROR(arena_.allocate(std::int64_t{entries} * 8, block));
  std::memset(block, 0, std::size_t{entries} * 8);
  Table grown{
      .entries = reinterpret_cast<Entry*>(block), .mask = entries - 1, .depth = table.depth};
  move_entries(table, {&grown, &grown}, 0);
  free_entries(table);
  table = grown;
  ++rehashes_;
  return Status::ok();
}

// Into two of its size. `hash`: one that it is for.
Status RowTable::split(Table& table, std::uint64_t hash) {
  const std::uint32_t entries = table.mask + 1;
  std::byte* blocks[2] = {};
  CLP_RETURN_IF_ERROR(arena_.allocate(std::int64_t{entries} * 8, blocks[0]));
  if (Status status = arena_.allocate(std::int64_t{entries} * 8, blocks[1]); !status.is_ok()) {
    arena_.free(blocks[0], std::int64_t{entries} * 8);
    return status;
  }
  Table halves[2];
  for (int i = 0; i < 2; ++i) {
    std::memset(blocks[i], 0, std::size_t{entries} * 8);
    halves[i] = {.entries = reinterpret_cast<Entry*>(blocks[i]),
                 .mask = entries - 1,
                 .depth = table.depth + 1};
  }
  move_entries(table, {&halves[0], &halves[1]}, table.depth + 1);
  free_entries(table);
  if (table.depth == directory_depth_) {
    std::vector<std::uint32_t> doubled(directory_.size() * 2);
    for (std::size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
    directory_ = std::move(doubled);
    ++directory_depth_;
  }
  // Its places in the directory are together; the second half of them is for the second.
  const int of_each_log2 = directory_depth_ - table.depth - 1;
  const std::size_t second = ((directory_bits(hash) >> (63 - table.depth)) * 2 + 1) << of_each_log2;
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(second),
              std::size_t{1} << of_each_log2, static_cast<std::uint32_t>(tables_.size()));
  table = halves[0];
  tables_.push_back(halves[1]);
  ++rehashes_;
  return Status::ok();
}

// `depth` 0: all go to the first; else by this bit of directory_bits().
void RowTable::move_entries(const Table& from, Table* const (&to)[2], int depth) {
  if (from.entries == nullptr) return;
  constexpr std::uint32_t kAhead = 16;
  for (std::uint32_t at = 0; at <= from.mask; ++at) {
    const Entry ahead = from.entries[(at + kAhead) & from.mask];
    if (ahead > kErased) __builtin_prefetch(row_of(ahead));
    if (from.entries[at] <= kErased) continue;
    RowHeader* row = row_of(from.entries[at]);
    const std::uint64_t bit = depth == 0 ? 0 : directory_bits(row->hash) >> (63 - depth) & 1;
    put(*to[bit], row);
  }
}

void RowTable::free_entries(const Table& table) {
  if (table.entries == nullptr) return;
  arena_.free(reinterpret_cast<std::byte*>(table.entries), (std::int64_t{table.mask} + 1) * 8);
}

void RowTable::put(Table& table, RowHeader* row) {
  std::uint32_t at = static_cast<std::uint32_t>(row->hash) & table.mask;
  while (table.entries[at] != kEmpty) at = (at + 1) & table.mask;
  table.entries[at] = reinterpret_cast<Entry>(row) | tag_of(row->hash);
  ++table.used;
  ++table.live;
}

std::int64_t RowTable::scan(KeyedRows::Cursor& cursor, std::span<std::byte*> values) const {
  std::size_t found = 0;
  const std::int64_t row_bytes = shape_->row_bytes();
  while (found < values.size() && cursor.page < static_cast<std::int64_t>(pages_.size())) {
    const Page& page = pages_[static_cast<std::size_t>(cursor.page)];
    while (found < values.size() && cursor.row < page.count) {
      auto* row = reinterpret_cast<RowHeader*>(page.rows + cursor.row++ * row_bytes);
      if (row->epoch != 0) values[found++] = shape_->value_of(row);
    }
    // A cursor at the end of the last page sees the rows added to it later. One that was kept while
    // rows moved may be beyond it.
    if (cursor.row >= page.count && page.count == page.capacity) {
      ++cursor.page;
      cursor.row = 0;
    } else if (cursor.row >= page.count) {
      break;
    }
  }
  return static_cast<std::int64_t>(found);
}

void RowTable::prepare_write(std::span<std::byte* const> values) {
  for (std::byte* value : values) {
    RowHeader* row = shape_->row_of(value);
    if (row->epoch != epochs_->current()) touch(row);
  }
}

void RowTable::prepare_erase(std::span<std::byte* const> values) {
  if (!is_known()) return;
  std::vector<const RowHeader*> rows;
  rows.reserve(values.size());
  for (std::byte* value : values) {
    RowHeader* row = shape_->row_of(value);
    if (epochs_->needs_image(*row)) {
      early_.push_back(value);
      row->epoch = epochs_->written_mark();
    }
    rows.push_back(row);
  }
  changes_.note_erased(rows, shape_->layout);
}

void RowTable::erase(std::span<std::byte* const> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  for (std::int64_t i = 0; i < count; ++i) {
    RowHeader* row = shape_->row_of(values[static_cast<std::size_t>(i)]);
    if (entries_ != nullptr) {
      if (i % kAskedMax == 0) {
        ask_for_groups(ErasedSource{shape_, values}, i, std::min(count, i + kAskedMax));
      }
      entries_->remove(row, false);
    }
    remove_row(row);
    if (entries_ != nullptr) reuse_place(row);
  }
  if (entries_ == nullptr && dead_rows_ >= kCompactRowsMin && dead_rows_ > live_rows_) compact();
}

void RowTable::evict(std::span<std::byte* const> values) {
  for (std::byte* value : values) {
    RowHeader* row = shape_->row_of(value);
    if (entries_ != nullptr) entries_->remove(row, true);
    remove_row(row);
    reuse_place(row);
  }
}

void RowTable::reuse_place(RowHeader* row) {
  row->hash = reinterpret_cast<std::uint64_t>(evicted_);
  evicted_ = row;
}

void RowTable::give_back(bool may_move) {
  if (live_rows_ > 0) {
    if (may_move && entries_ == nullptr && dead_rows_ >= kCompactRowsMin &&
        dead_rows_ > live_rows_) {
      compact();
    }
    return;
  }
  if (entries_ != nullptr) entries_->give_back();
  for (const Table& table : tables_) free_entries(table);
  tables_.assign(1, Table{});
  directory_.assign(1, 0);
  directory_depth_ = 0;
  ++rehashes_;
  pages_.clear();
  evicted_ = nullptr;
  dead_rows_ = 0;
  images_ = {};
  changes_.clear_rows();
  if (arena_.live_bytes() == 0) arena_.reset();
}

// Out of the index; its place is dead.
void RowTable::remove_row(RowHeader* row) {
  Table& table = table_of(row->hash);
  const Entry entry = reinterpret_cast<Entry>(row) | tag_of(row->hash);
  std::uint32_t at = static_cast<std::uint32_t>(row->hash) & table.mask;
  while (table.entries[at] != entry) {
    CLP_CHECK(table.entries[at] != kEmpty);
    at = (at + 1) & table.mask;
  }
  table.entries[at] = kErased;
  --table.live;
  if (shape_->layout.has_text()) {
    shape_->layout.free_texts(reinterpret_cast<const std::byte*>(row + 1), arena_);
  }
  row->epoch = 0;
  --live_rows_;
  ++dead_rows_;
}

// Moves the rows together in their order, gives the pages at the end back, fills the index anew and
// lists changes anew.
void RowTable::compact() {
  for (Table& table : tables_) {
    if (table.entries == nullptr) continue;
    std::memset(table.entries, 0, (std::size_t{table.mask} + 1) * 8);
    table.used = table.live = 0;
  }
  const std::int64_t row_bytes = shape_->row_bytes();
  std::size_t to_page = 0;
  std::int64_t to_row = 0;
  for (Page& page : pages_) {
    for (std::int64_t i = 0; i < page.count; ++i) {
      const std::byte* from = page.rows + i * row_bytes;
      if (reinterpret_cast<const RowHeader*>(from)->epoch == 0) continue;
      if (to_row == pages_[to_page].capacity) {
        ++to_page;
        to_row = 0;
      }
      std::byte* to = pages_[to_page].rows + to_row++ * row_bytes;
      if (to != from) std::memcpy(to, from, static_cast<std::size_t>(row_bytes));
      auto* row = reinterpret_cast<RowHeader*>(to);
      put(table_of(row->hash), row);
    }
  }
  for (std::size_t p = 0; p < to_page; ++p) pages_[p].count = pages_[p].capacity;
  pages_[to_page].count = to_row;
  pages_.resize(live_rows_ == 0 ? 0 : to_page + 1);
  dead_rows_ = 0;
  evicted_ = nullptr;
  ++moves_;
  if (is_known()) list_changes_anew();
}

}  // namespace clepsydra
