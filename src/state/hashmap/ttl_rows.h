// State whose rows expire: any backend's rows, with the time of their last access behind the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/hashmap_rows.h"
#include "state/keyed_state.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class Clock;
class MemoryPool;

// Stores the time of the last access as one more column, behind those of the value's own codec.
// Threads: the owner of the state.
class TtlCodec final : public RowValueCodec {
 public:
  // No field of a state with TTL has this name.
  static constexpr const char* kFieldName = "$last_access";

  // `clock` outlives it. `value_bytes`: of the values of `values`.
  TtlCodec(std::shared_ptr<RowValueCodec> values, std::int64_t value_bytes, const StateTtl& ttl,
           const Clock& clock);

  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  [[nodiscard]] Status check_stored(std::span<const Field> stored) const override;
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override;
  // Rows that were stored without a time, before the state had a TTL, are as if accessed now.
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& memory) override;
  [[nodiscard]] bool is_flat() const override { return values_->is_flat(); }
  void clear(std::span<std::byte* const> values, StateMemory& memory) override;
  [[nodiscard]] bool may_expire() const override { return true; }
  [[nodiscard]] bool is_expired(const std::byte* value) const override {
    return is_expired(time_of(value), now());
  }

  // Times are kept such that the zero of a new row is none.
  using Time = std::uint64_t;
  static constexpr Time kNone = 0;
  [[nodiscard]] Time now() const;
  [[nodiscard]] Time& time_of(std::byte* value) const {
    return *reinterpret_cast<Time*>(value + value_bytes_);
  }
  [[nodiscard]] Time time_of(const std::byte* value) const {
    return *reinterpret_cast<const Time*>(value + value_bytes_);
  }
  // Also when the clock was set back.
  [[nodiscard]] bool is_expired(Time accessed, Time now) const {
    return accessed == kNone || (now >= accessed && now - accessed >= ttl_ms_);
  }

 private:
  const std::shared_ptr<RowValueCodec> values_;
  const std::int64_t value_bytes_;
  const std::uint64_t ttl_ms_;
  const Clock* clock_;
  std::vector<Field> fields_;
};

// What the owner of such a state sees: rows that have expired are not there. They are left out when
// they are asked for, not written to a snapshot of all state, and erased by looking at some rows
// for each row of a call. row_count(), contains() and namespaces() count them until then.
// Threads: the owner of the state.
class TtlRows final : public KeyedRows {
 public:
  // Gives `spec`, which has a TTL, the column and its codec. InvalidArgument for what is not
  // possible.
  static Status add_time(KeyedRowsSpec& spec, const Clock* clock);

  // Over rows of such a spec, which outlive it.
  explicit TtlRows(HashmapRows& rows);

  Status find_or_insert(StateNamespace ns, const KeyBatch& keys,
                        std::span<std::byte*> values) override;
  Status find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) override;
  Status find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                             std::span<std::byte*> values) override;
  std::int64_t scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) override;
  Status find_entries(StateNamespace ns, const EntryRanges& ranges, FoundEntries& found) override;
  Status read_keys(std::span<std::byte* const> values, MemoryPool& pool,
                   std::vector<Column>& out) const override {
    return rows_->read_keys(values, pool, out);
  }
  void prepare_write(StateNamespace ns, std::span<std::byte* const> values) override;
  void erase(StateNamespace ns, std::span<std::byte* const> values) override {
    rows_->erase(ns, values);
  }
  void drop(StateNamespace ns) override { rows_->drop(ns); }
  [[nodiscard]] bool contains(StateNamespace ns) const override { return rows_->contains(ns); }
  [[nodiscard]] std::int64_t row_count(StateNamespace ns) const override {
    return rows_->row_count(ns);
  }
  [[nodiscard]] std::vector<StateNamespace> namespaces() const override {
    return rows_->namespaces();
  }
  Result<StateMemory*> memory(StateNamespace ns) override { return rows_->memory(ns); }
  Status release_rows() override;

  // Erases what has expired among the next rows, as many as calls since have earned. No row that
  // was handed out is in use.
  Status clean_up();

 private:
  // Where clean-up goes on.
  struct Place {
    StateNamespace ns = std::numeric_limits<StateNamespace>::min();
    Cursor at = {};
  };
  // At a time, so that a step stays short.
  static constexpr std::int64_t kLookedAtMax = 1024;
  // For so many rows in memory one of those on disk is looked at, which costs more.
  static constexpr std::int64_t kMemoryRowsPerStoredRow = 16;

  // A value that was found, at `now`: whether it is there.
  bool read_one(StateNamespace ns, std::byte* value, TtlCodec::Time now);
  Status write_all(StateNamespace ns, std::span<std::byte* const> values);
  Status find_more(StateNamespace ns, const EntryRanges& ranges, std::size_t key,
                   TtlCodec::Time now, std::vector<std::byte*>& live);
  Status clean_up_from(Place& place, std::int64_t rows, bool in_store);
  void note_calls(std::int64_t rows) { due_ += rows * ttl_.cleanup_rows; }

  HashmapRows* rows_;
  TtlCodec* codec_;
  const StateTtl ttl_;
  std::int64_t due_ = 0;
  std::int64_t stored_due_ = 0;
  Place in_memory_;
  Place in_store_;
  // Scratch.
  FoundEntries found_;
  FoundEntries more_;
  std::vector<std::byte*> looked_at_;
};

}  // namespace clepsydra
