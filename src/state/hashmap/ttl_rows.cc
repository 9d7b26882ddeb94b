#include "state/hashmap/ttl_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_pool.h"
#include "state/hashmap/row_table.h"
#include "state/value_columns.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// The least time of all is none.
TtlCodec::Time time_of_ms(std::int64_t ms) {
  return static_cast<std::uint64_t>(ms) ^ (std::uint64_t{1} << 63);
}

std::int64_t ms_of_time(TtlCodec::Time time) {
  return static_cast<std::int64_t>(time ^ (std::uint64_t{1} << 63));
}

}  // namespace

// ---- TtlCodec ----

TtlCodec::TtlCodec(std::shared_ptr<RowValueCodec> values, std::int64_t value_bytes,
                   const StateTtl& ttl, const Clock& clock)
    : values_(std::move(values)),
      value_bytes_(value_bytes),
      ttl_ms_(static_cast<std::uint64_t>(ttl.ttl_ms)),
      clock_(&clock),
      fields_(values_->fields()) {
  fields_.push_back({kFieldName, DataType::big_int(), {}});
}

Status TtlCodec::check_stored(std::span<const Field> stored) const {
  std::vector<Field> own(stored.begin(), stored.end());
  std::erase_if(own, [](const Field& field) { return field.name == kFieldName; });
  return values_->check_stored(own);
}

Status TtlCodec::write(std::span<std::byte* const> values, MemoryPool& pool,
                       std::vector<Column>& out) {
  CLP_RETURN_IF_ERROR(values_->write(values, pool, out));
  ColumnBuilder times(fields_.back().type, pool);
  times.reserve(static_cast<std::int64_t>(values.size()));
  for (const std::byte* value : values) times.append(ms_of_time(time_of(value)));
  CLP_ASSIGN_OR_RETURN(Column column, times.finish());
  out.push_back(std::move(column));
  return Status::ok();
}

Status TtlCodec::read(std::span<const Column> columns, std::span<std::byte* const> values,
                      StateMemory& memory) {
  CLP_RETURN_IF_ERROR(values_->read(columns.first(columns.size() - 1), values, memory));
  const Column& times = columns.back();
  const Time now_is = now();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    time_of(values[i]) =
        times.is_null(row) ? now_is : time_of_ms(times.values<std::int64_t>()[row]);
  }
  return Status::ok();
}

void TtlCodec::clear(std::span<std::byte* const> values, StateMemory& memory) {
  values_->clear(values, memory);
  for (std::byte* value : values) time_of(value) = kNone;
}

TtlCodec::Time TtlCodec::now() const {
  return std::max<Time>(1, time_of_ms(clock_->now_ms()));
}

// ---- TtlRows ----

Status TtlRows::add_time(KeyedRowsSpec& spec, const Clock* clock) {
  const auto refuse = [&spec](std::string_view why) {
    return Status::invalid_argument(fmt::format("state '{}' {}", spec.name, why));
  };
  const StateTtl& ttl = spec.ttl;
  if (ttl.ttl_ms < 0) {
    return refuse(fmt::format("has a time to live of {} ms; it must be above 0", ttl.ttl_ms));
  }
  if (ttl.cleanup_rows < 0 || ttl.cleanup_rows > StateTtl::kCleanupRowsMax) {
    return refuse(fmt::format("looks at {} rows per access for clean-up; 0 to {} are possible",
                              ttl.cleanup_rows, StateTtl::kCleanupRowsMax));
  }
  if (spec.codec == nullptr) return refuse("is not stored and so can have no time to live");
  if (clock == nullptr) return refuse("has a time to live, and its backend was given no clock");
  for (const Field& field : spec.codec->fields()) {
    if (field.name == TtlCodec::kFieldName) {
      return refuse(fmt::format("has a time to live and a field '{}' of its own", field.name));
    }
  }
  spec.codec = std::make_shared<TtlCodec>(std::move(spec.codec), spec.value_bytes, ttl, *clock);
  spec.value_bytes += static_cast<std::int64_t>(sizeof(TtlCodec::Time));
  return Status::ok();
}

TtlRows::TtlRows(HashmapRows& rows)
    : rows_(&rows),
      codec_(static_cast<TtlCodec*>(rows.spec().codec.get())),
      ttl_(rows.spec().ttl) {}

Status TtlRows::find_or_insert(StateNamespace ns, const KeyBatch& keys,
                               std::span<std::byte*> values) {
  CLP_RETURN_IF_ERROR(rows_->find_or_insert(ns, keys, values));
  return write_all(ns, values.first(static_cast<std::size_t>(keys.count)));
}

Status TtlRows::find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                                    std::span<std::byte*> values) {
  CLP_RETURN_IF_ERROR(rows_->find_or_insert_same(ns, from, values));
  return write_all(ns, values.first(from.size()));
}

// Rows that are writable. One that has expired is a new one.
Status TtlRows::write_all(StateNamespace ns, std::span<std::byte* const> values) {
  note_calls(static_cast<std::int64_t>(values.size()));
  const TtlCodec::Time now = codec_->now();
  StateMemory* memory = nullptr;
  for (std::byte* const value : values) {
    TtlCodec::Time& accessed = codec_->time_of(value);
    const bool is_gone = accessed == TtlCodec::kNone ||
                         (ttl_.visibility == StateTtl::Visibility::kNeverReturnExpired &&
                          codec_->is_expired(accessed, now));
    if (is_gone) {
      if (memory == nullptr) {
        CLP_ASSIGN_OR_RETURN(memory, rows_->memory(ns));
      }
      codec_->clear({&value, 1}, *memory);
    }
    accessed = now;
  }
  return Status::ok();
}

bool TtlRows::read_one(StateNamespace ns, std::byte* value, TtlCodec::Time now) {
  TtlCodec::Time& accessed = codec_->time_of(value);
  if (accessed == TtlCodec::kNone) return false;
  if (codec_->is_expired(accessed, now)) {
    if (ttl_.visibility == StateTtl::Visibility::kNeverReturnExpired) return false;
    // This was its last time.
    rows_->prepare_write(ns, {&value, 1});
    accessed = TtlCodec::kNone;
    return true;
  }
  if (ttl_.update == StateTtl::Update::kOnReadAndWrite && accessed != now) {
    rows_->prepare_write(ns, {&value, 1});
    accessed = now;
  }
  return true;
}

Status TtlRows::find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) {
  CLP_RETURN_IF_ERROR(rows_->find(ns, keys, values));
  note_calls(keys.count);
  const TtlCodec::Time now = codec_->now();
  for (std::byte*& value : values.first(static_cast<std::size_t>(keys.count))) {
    if (value != nullptr && !read_one(ns, value, now)) value = nullptr;
  }
  return Status::ok();
}

std::int64_t TtlRows::scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) {
  const TtlCodec::Time now = codec_->now();
  while (const std::int64_t count = rows_->scan(ns, cursor, values)) {
    const auto end = values.begin() + count;
    const auto live_end = std::remove_if(
        values.begin(), end, [&](std::byte* value) { return !read_one(ns, value, now); });
    if (live_end != values.begin()) return live_end - values.begin();
  }
  return 0;
}

Status TtlRows::find_entries(StateNamespace ns, const EntryRanges& ranges, FoundEntries& found) {
  CLP_RETURN_IF_ERROR(rows_->find_entries(ns, ranges, found_));
  found.clear();
  note_calls(ranges.keys.count + static_cast<std::int64_t>(found_.values.size()));
  const TtlCodec::Time now = codec_->now();
  std::vector<std::byte*> live;
  std::size_t begin = 0;
  for (std::size_t key = 0; key < found_.ends.size(); ++key) {
    const std::size_t end = found_.ends[key];
    const auto all = static_cast<std::int64_t>(end - begin);
    live.clear();
    for (; begin < end; ++begin) {
      if (read_one(ns, found_.values[begin], now)) live.push_back(found_.values[begin]);
    }
    // Those that have expired took the place of others.
    if (all == ranges.limit && static_cast<std::int64_t>(live.size()) < all) {
      CLP_RETURN_IF_ERROR(find_more(ns, ranges, key, now, live));
    }
    found.values.insert(found.values.end(), live.begin(), live.end());
    found.ends.push_back(found.values.size());
  }
  return Status::ok();
}

// Asks for more of one key until there are enough of them or no more. What was found before comes
// again, in the same order, and is as it was then.
Status TtlRows::find_more(StateNamespace ns, const EntryRanges& ranges, std::size_t key,
                          TtlCodec::Time now, std::vector<std::byte*>& live) {
  EntryRanges one = ranges;
  const auto at = static_cast<std::int32_t>(key);
  const std::int32_t row = ranges.keys.rows != nullptr ? ranges.keys.rows[key] : at;
  one.keys.rows = &row;
  one.keys.count = 1;
  std::size_t looked_at = static_cast<std::size_t>(ranges.limit);
  while (static_cast<std::int64_t>(live.size()) < ranges.limit) {
    one.limit = one.limit > std::numeric_limits<std::int64_t>::max() / 2
                    ? std::numeric_limits<std::int64_t>::max()
                    : one.limit * 2;
    CLP_RETURN_IF_ERROR(rows_->find_entries(ns, one, more_));
    const bool has_all = static_cast<std::int64_t>(more_.values.size()) < one.limit;
    for (; looked_at < more_.values.size(); ++looked_at) {
      if (static_cast<std::int64_t>(live.size()) == ranges.limit) break;
      std::byte* const value = more_.values[looked_at];
      if (read_one(ns, value, now)) live.push_back(value);
    }
    if (has_all) break;
  }
  return Status::ok();
}

void TtlRows::prepare_write(StateNamespace ns, std::span<std::byte* const> values) {
  rows_->prepare_write(ns, values);
  const TtlCodec::Time now = codec_->now();
  for (std::byte* const value : values) codec_->time_of(value) = now;
}

Status TtlRows::release_rows() {
  CLP_RETURN_IF_ERROR(clean_up());
  return rows_->release_rows();
}

Status TtlRows::clean_up() {
  const std::int64_t rows = std::min(due_, kLookedAtMax);
  due_ = 0;
  if (rows == 0) return Status::ok();
  stored_due_ += rows;
  CLP_RETURN_IF_ERROR(clean_up_from(in_memory_, rows, false));
  const std::int64_t stored = stored_due_ / kMemoryRowsPerStoredRow;
  stored_due_ %= kMemoryRowsPerStoredRow;
  return clean_up_from(in_store_, stored, true);
}

Status TtlRows::clean_up_from(Place& place, std::int64_t rows, bool in_store) {
  looked_at_.resize(static_cast<std::size_t>(kLookedAtMax));
  const TtlCodec::Time now = codec_->now();
  while (rows > 0) {
    StateNamespace ns = place.ns;
    if (rows_->table_from(ns) == nullptr) {
      place = {};
      break;
    }
    if (ns != place.ns) place = {.ns = ns};
    const std::span<std::byte*> room(looked_at_.data(), static_cast<std::size_t>(rows));
    const std::int64_t count = in_store ? rows_->visit_stored(ns, place.at, room)
                                        : rows_->visit_in_memory(ns, place.at, room);
    if (count == 0) {
      const bool is_last = ns == std::numeric_limits<StateNamespace>::max();
      place = is_last ? Place{} : Place{.ns = ns + 1};
      if (is_last) break;
      --rows;
      continue;
    }
    rows -= count;
    std::vector<std::byte*> expired(room.begin(), room.begin() + count);
    std::erase_if(expired, [&](const std::byte* value) {
      return !codec_->is_expired(codec_->time_of(value), now);
    });
    if (!expired.empty()) CLP_RETURN_IF_ERROR(erase_rows(*rows_, *codec_, ns, expired));
  }
  return Status::ok();
}

}  // namespace clepsydra
