// State as functions of one row see it: the state of the key in hand. Thin handles over the states
// that work by batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "clepsydra/status.h"
#include "state/entry_states.h"
#include "state/keyed_state.h"
#include "state/value_state.h"
#include "stream/column.h"
#include "stream/column_builder.h"
#include "stream/data_type.h"

namespace clepsydra {

class KeyedStateBackend;
class MemoryPool;

// How a C++ type stands in a column.
template <typename T>
struct StateScalar;
template <>
struct StateScalar<bool> {
  static DataType type() { return DataType::boolean().with_nullable(false); }
  static void append(ColumnBuilder& out, bool value) {
    out.append(static_cast<std::uint8_t>(value ? 1 : 0));
  }
  static bool read(const Column& column, std::int64_t row) {
    return column.values<std::uint8_t>()[row] != 0;
  }
};
template <>
struct StateScalar<std::int64_t> {
  static DataType type() { return DataType::big_int().with_nullable(false); }
  static void append(ColumnBuilder& out, std::int64_t value) { out.append(value); }
  static std::int64_t read(const Column& column, std::int64_t row) {
    return column.values<std::int64_t>()[row];
  }
};
template <>
struct StateScalar<double> {
  static DataType type() { return DataType::double_().with_nullable(false); }
  static void append(ColumnBuilder& out, double value) { out.append(value); }
  static double read(const Column& column, std::int64_t row) {
    return column.values<double>()[row];
  }
};
template <>
struct StateScalar<std::string> {
  static DataType type() { return DataType::string().with_nullable(false); }
  static void append(ColumnBuilder& out, const std::string& value) { out.append_string(value); }
  static std::string read(const Column& column, std::int64_t row) {
    return std::string(column.string_at(row));
  }
};

// Whose state the handles that were opened with it mean. Outlives them. Threads: the owner of the
// state.
class RowInHand {
 public:
  RowInHand(KeyedStateBackend& backend, std::vector<DataType> key_types, MemoryPool& pool)
      : backend_(&backend), key_types_(std::move(key_types)), pool_(&pool) {}

  // Key i of `keys`, in a namespace.
  void set(const KeyBatch& keys, std::int64_t i, StateNamespace ns = 0);

  [[nodiscard]] const KeyBatch& key() const { return key_; }
  [[nodiscard]] StateNamespace ns() const { return ns_; }
  [[nodiscard]] KeyedStateBackend& backend() const { return *backend_; }
  [[nodiscard]] const std::vector<DataType>& key_types() const { return key_types_; }
  [[nodiscard]] MemoryPool& pool() const { return *pool_; }

  // The key so many times. Good until the next call.
  Result<KeyBatch> repeated(std::size_t times);

  template <typename T>
  Result<Column> column_of(std::span<const T> values) {
    ColumnBuilder builder(StateScalar<T>::type(), *pool_);
    for (const T& value : values) StateScalar<T>::append(builder, value);
    return builder.finish();
  }

 private:
  KeyedStateBackend* backend_;
  std::vector<DataType> key_types_;
  MemoryPool* pool_;
  std::vector<Column> columns_;
  std::uint64_t hash_ = 0;
  KeyBatch key_;
  StateNamespace ns_ = 0;
  // Of repeated().
  std::vector<Column> many_columns_;
  std::vector<std::uint64_t> many_hashes_;
};

template <typename T>
class RowValue {
 public:
  static Result<RowValue> open(RowInHand& row, const std::string& name, const StateTtl& ttl = {}) {
    CLP_ASSIGN_OR_RETURN(ValueState state, ValueState::open(row.backend(), name, row.key_types(),
                                                            {{"value", StateScalar<T>::type(), {}}},
                                                            row.pool(), ttl));
    return RowValue(row, std::move(state));
  }
  Result<std::optional<T>> get() {
    std::vector<Column> columns;
    std::vector<const std::byte*> found;
    CLP_RETURN_IF_ERROR(state_.get(row_->ns(), row_->key(), columns, found));
    if (found[0] == nullptr) return std::optional<T>();
    return std::optional<T>(StateScalar<T>::read(columns[0], 0));
  }
  Status set(const T& value) {
    CLP_ASSIGN_OR_RETURN(const Column column, row_->column_of(std::span<const T>(&value, 1)));
    return state_.put(row_->ns(), row_->key(), {&column, 1});
  }
  Status clear() { return state_.erase(row_->ns(), row_->key()); }

 private:
  RowValue(RowInHand& row, ValueState state) : row_(&row), state_(std::move(state)) {}
  RowInHand* row_;
  ValueState state_;
};

// One value made of all that was added, by `add(accumulator, value) -> accumulator`; where there is
// none yet, by `first(value)`. With both types alike it is what the field calls reducing state.
template <typename Accumulator, typename In, typename First, typename Add>
class RowAggregate {
 public:
  static Result<RowAggregate> open(RowInHand& row, const std::string& name, First first, Add add,
                                   const StateTtl& ttl = {}) {
    CLP_ASSIGN_OR_RETURN(RowValue<Accumulator> value, RowValue<Accumulator>::open(row, name, ttl));
    return RowAggregate(std::move(value), std::move(first), std::move(add));
  }
  Result<std::optional<Accumulator>> get() { return value_.get(); }
  Status add(const In& in) {
    CLP_ASSIGN_OR_RETURN(std::optional<Accumulator> before, value_.get());
    return value_.set(before ? add_(*std::move(before), in) : first_(in));
  }
  Status clear() { return value_.clear(); }

 private:
  RowAggregate(RowValue<Accumulator> value, First first, Add add)
      : value_(std::move(value)), first_(std::move(first)), add_(std::move(add)) {}
  RowValue<Accumulator> value_;
  First first_;
  Add add_;
};

template <typename T>
class RowList {
 public:
  static Result<RowList> open(RowInHand& row, const std::string& name, const StateTtl& ttl = {}) {
    CLP_ASSIGN_OR_RETURN(ListState state,
                         ListState::open(row.backend(),
                                         {.name = name,
                                          .key_types = row.key_types(),
                                          .values = {{"item", StateScalar<T>::type(), {}}},
                                          .ttl = ttl},
                                         row.pool()));
    return RowList(row, std::move(state));
  }
  Result<std::vector<T>> get() {
    EntryColumns found;
    CLP_RETURN_IF_ERROR(state_.get(row_->ns(), row_->key(), found));
    std::vector<T> items;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      items.push_back(StateScalar<T>::read(found.values[0], static_cast<std::int64_t>(i)));
    }
    return items;
  }
  Status add(const T& item) { return add_all({&item, 1}); }
  Status add_all(std::span<const T> items) {
    if (items.empty()) return Status::ok();
    CLP_ASSIGN_OR_RETURN(const Column column, row_->column_of(items));
    CLP_ASSIGN_OR_RETURN(const KeyBatch keys, row_->repeated(items.size()));
    return state_.add(row_->ns(), keys, {&column, 1});
  }
  Status update(std::span<const T> items) {
    CLP_RETURN_IF_ERROR(clear());
    return add_all(items);
  }
  Status clear() { return state_.clear(row_->ns(), row_->key()); }

 private:
  RowList(RowInHand& row, ListState state) : row_(&row), state_(std::move(state)) {}
  RowInHand* row_;
  ListState state_;
};

// Sorted by key.
template <typename K, typename V>
class RowMap {
 public:
  using Entry = std::pair<K, V>;

  static Result<RowMap> open(RowInHand& row, const std::string& name, const StateTtl& ttl = {}) {
    CLP_ASSIGN_OR_RETURN(MapState state,
                         MapState::open(row.backend(),
                                        {.name = name,
                                         .key_types = row.key_types(),
                                         .entry_types = {StateScalar<K>::type()},
                                         .values = {{"value", StateScalar<V>::type(), {}}},
                                         .ttl = ttl},
                                        row.pool()));
    return RowMap(row, std::move(state));
  }
  Result<std::optional<V>> get(const K& key) {
    CLP_ASSIGN_OR_RETURN(const Column column, row_->column_of(std::span<const K>(&key, 1)));
    std::vector<Column> values;
    std::vector<const std::byte*> found;
    CLP_RETURN_IF_ERROR(state_.get(row_->ns(), row_->key(), {&column, 1}, values, found));
    if (found[0] == nullptr) return std::optional<V>();
    return std::optional<V>(StateScalar<V>::read(values[0], 0));
  }
  Status put(const K& key, const V& value) {
    CLP_ASSIGN_OR_RETURN(const Column column, row_->column_of(std::span<const K>(&key, 1)));
    CLP_ASSIGN_OR_RETURN(const Column values, row_->column_of(std::span<const V>(&value, 1)));
    return state_.put(row_->ns(), row_->key(), {&column, 1}, {&values, 1});
  }
  Status erase(const K& key) {
    CLP_ASSIGN_OR_RETURN(const Column column, row_->column_of(std::span<const K>(&key, 1)));
    return state_.erase(row_->ns(), row_->key(), {&column, 1});
  }
  // The first entries, or all.
  Result<std::vector<Entry>> first(std::int64_t limit = std::numeric_limits<std::int64_t>::max()) {
    return entries({.keys = row_->key(), .limit = limit});
  }
  // From `from` on and before `to`.
  Result<std::vector<Entry>> range(const K& from, const K& to) {
    CLP_ASSIGN_OR_RETURN(const Column first, row_->column_of(std::span<const K>(&from, 1)));
    CLP_ASSIGN_OR_RETURN(const Column last, row_->column_of(std::span<const K>(&to, 1)));
    return entries({.keys = row_->key(), .from = {{&first, 1}}, .to = {{&last, 1}, false}});
  }
  // How many went.
  Result<std::int64_t> erase_range(const K& from, const K& to) {
    CLP_ASSIGN_OR_RETURN(const Column first, row_->column_of(std::span<const K>(&from, 1)));
    CLP_ASSIGN_OR_RETURN(const Column last, row_->column_of(std::span<const K>(&to, 1)));
    return state_.erase_range(
        row_->ns(), {.keys = row_->key(), .from = {{&first, 1}}, .to = {{&last, 1}, false}});
  }
  Status clear() { return state_.clear(row_->ns(), row_->key()); }

 private:
  RowMap(RowInHand& row, MapState state) : row_(&row), state_(std::move(state)) {}
  Result<std::vector<Entry>> entries(const EntryRanges& ranges) {
    EntryColumns found;
    CLP_RETURN_IF_ERROR(state_.range(row_->ns(), ranges, found));
    std::vector<Entry> all;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(found.rows()); ++i) {
      all.emplace_back(StateScalar<K>::read(found.entries[0], i),
                       StateScalar<V>::read(found.values[0], i));
    }
    return all;
  }
  RowInHand* row_;
  MapState state_;
};

}  // namespace clepsydra
