// Snapshots and restores of every state backend, against a model that is a map.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "state/state_test_backends.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kMaxParallelism = 128;

// A value with a text beside it.
struct Value {
  std::int64_t number;
  std::byte* text;
  std::int64_t text_bytes;
};

std::string text_of(const Value& value) {
  return {reinterpret_cast<const char*>(value.text), static_cast<std::size_t>(value.text_bytes)};
}

void free_text(Value& value, StateMemory& memory) {
  if (value.text_bytes > 0) memory.free(value.text, value.text_bytes);
  value.text = nullptr;
  value.text_bytes = 0;
}

Status set_text(Value& value, const std::string& text, StateMemory& memory) {
  free_text(value, memory);
  if (text.empty()) return Status::ok();
  const auto bytes = static_cast<std::int64_t>(text.size());
  Status status = memory.allocate(bytes, value.text);
  if (!status.is_ok()) return status;
  std::memcpy(value.text, text.data(), text.size());
  value.text_bytes = bytes;
  return Status::ok();
}

class ValueCodec final : public RowValueCodec {
 public:
  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }

  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override {
    ColumnBuilder numbers(fields_[0].type, pool);
    ColumnBuilder texts(fields_[1].type, pool);
    for (std::byte* value : values) {
      numbers.append(reinterpret_cast<Value*>(value)->number);
      texts.append_string(text_of(*reinterpret_cast<Value*>(value)));
    }
    for (ColumnBuilder* builder : {&numbers, &texts}) {
      Result<Column> column = builder->finish();
      if (!column.is_ok()) return column.status();
      out.push_back(*std::move(column));
    }
    return Status::ok();
  }

  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& memory) override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto& value = *reinterpret_cast<Value*>(values[i]);
      EXPECT_EQ(value.number, 0);
      EXPECT_EQ(value.text_bytes, 0);
      const auto row = static_cast<std::int64_t>(i);
      value.number = columns[0].values<std::int64_t>()[row];
      Status status = set_text(value, std::string(columns[1].string_at(row)), memory);
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }

  void clear(std::span<std::byte* const> values, StateMemory& memory) override {
    for (std::byte* bytes : values) {
      auto& value = *reinterpret_cast<Value*>(bytes);
      free_text(value, memory);
      value.number = 0;
    }
  }

 private:
  const std::vector<Field> fields_ = {{"number", DataType::big_int().with_nullable(false), {}},
                                      {"text", DataType::string().with_nullable(false), {}}};
};

KeyedRowsSpec spec_of(std::string name, DataType key = DataType::string()) {
  return {.name = std::move(name),
          .key_types = {std::move(key)},
          .value_bytes = sizeof(Value),
          .codec = std::make_shared<ValueCodec>()};
}

// By namespace and key: number and text.
using Contents =
    std::map<std::pair<StateNamespace, std::string>, std::pair<std::int64_t, std::string>>;

// Blocks of one snapshot.
Result<std::string> write_all(StateSnapshot& snapshot, std::int64_t rows_max = 1 << 20) {
  std::string bytes;
  for (int steps = 0; steps < 1'000'000; ++steps) {
    Result<bool> is_done = snapshot.write_some(rows_max, bytes);
    if (!is_done.is_ok()) return is_done.status();
    if (*is_done) return bytes;
  }
  return Status::internal("a snapshot without an end");
}

RestoredState of_one(const std::vector<std::string>& snapshots) {
  RestoredState state;
  state.parts.push_back({.snapshots = testing::in_files(snapshots)});
  return state;
}

class StateSnapshotTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<KeyedStateBackend> make_backend(KeyGroupRange groups = {0, kMaxParallelism}) {
    return testing::make_test_backend(
        GetParam(),
        {.pool = pool_.get(), .key_groups = groups, .max_parallelism = kMaxParallelism});
  }

  std::unique_ptr<KeyedStateBackend> restored(const std::vector<std::string>& snapshots) {
    auto backend = make_backend();
    const Status status = backend->restore(of_one(snapshots));
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return backend;
  }

  static KeyedRows& open(KeyedStateBackend& backend, const std::string& name = "rows") {
    auto rows = backend.open_rows(spec_of(name));
    EXPECT_TRUE(rows.is_ok()) << rows.status().to_string();
    return **rows;
  }

  Column texts(const std::vector<std::string>& values) {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const std::string& value : values) builder.append_string(value);
    return *builder.finish();
  }

  // Sets the rows of all keys.
  void put(KeyedRows& rows, StateNamespace ns, const std::vector<std::string>& keys,
           std::int64_t number, const std::string& text) {
    const std::vector<Column> columns = {texts(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, static_cast<std::int64_t>(keys.size()), hashes.data());
    std::vector<std::byte*> values(keys.size());
    ASSERT_TRUE(rows.find_or_insert(ns,
                                    {.columns = columns,
                                     .hashes = hashes.data(),
                                     .count = static_cast<std::int64_t>(keys.size())},
                                    values)
                    .is_ok());
    StateMemory& memory = **rows.memory(ns);
    for (std::byte* value : values) {
      reinterpret_cast<Value*>(value)->number = number;
      ASSERT_TRUE(set_text(*reinterpret_cast<Value*>(value), text, memory).is_ok());
    }
    ASSERT_TRUE(rows.release_rows().is_ok());
  }

  void erase(KeyedRows& rows, StateNamespace ns, const std::vector<std::string>& keys) {
    const std::vector<Column> columns = {texts(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, static_cast<std::int64_t>(keys.size()), hashes.data());
    std::vector<std::byte*> values(keys.size());
    ASSERT_TRUE(rows.find_or_insert(ns,
                                    {.columns = columns,
                                     .hashes = hashes.data(),
                                     .count = static_cast<std::int64_t>(keys.size())},
                                    values)
                    .is_ok());
    StateMemory& memory = **rows.memory(ns);
    for (std::byte* value : values) free_text(*reinterpret_cast<Value*>(value), memory);
    rows.erase(ns, values);
    ASSERT_TRUE(rows.release_rows().is_ok());
  }

  Contents contents_of(KeyedRows& rows) {
    Contents contents;
    for (const StateNamespace ns : rows.namespaces()) {
      std::vector<std::byte*> values(100);
      KeyedRows::Cursor cursor;
      while (const auto count = static_cast<std::size_t>(rows.scan(ns, cursor, values))) {
        std::vector<Column> keys;
        const std::span<std::byte* const> found(values.data(), count);
        EXPECT_TRUE(rows.read_keys(found, *pool_, keys).is_ok());
        for (std::size_t i = 0; i < count; ++i) {
          const auto& value = *reinterpret_cast<const Value*>(values[i]);
          const bool is_new =
              contents
                  .emplace(std::pair(ns, std::string(keys[0].string_at(static_cast<int>(i)))),
                           std::pair(value.number, text_of(value)))
                  .second;
          EXPECT_TRUE(is_new);
        }
      }
    }
    return contents;
  }

  // A whole snapshot, confirmed.
  static std::string take(KeyedStateBackend& backend, bool as_base = false) {
    auto snapshot = backend.freeze(as_base);
    EXPECT_TRUE(snapshot.is_ok()) << snapshot.status().to_string();
    std::string bytes = *write_all(**snapshot);
    snapshot->reset();
    backend.confirm(true);
    return bytes;
  }

  static std::int64_t stored_rows(const std::string& snapshot) {
    std::int64_t rows = 0;
    const StoredSnapshot stored = *read_state_blocks(snapshot);
    for (const StoredRows& state : stored.states) {
      for (const StoredBatch& block : state.rows) {
        for (const NamespaceRun& run : block.runs) rows += run.rows;
      }
    }
    return rows;
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

const std::string kLong = "a text that is too long to be kept inline";

TEST_P(StateSnapshotTest, what_was_written_comes_back_and_nothing_else) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 10, {"a", "b", kLong}, 1, kLong);
  put(rows, -5, {"a"}, 2, "");
  **backend->open_number("watermark", 0, NumberMerge::kMin) = 77;
  (*backend->open_list("names", ListMode::kSplit))->assign({"x", "", kLong});
  ASSERT_TRUE(backend->open_timers("due").set({.time_ms = 5, .ns = 10}).is_ok());

  const auto copy = restored({take(*backend)});

  EXPECT_EQ(contents_of(open(*copy)), contents_of(rows));
  EXPECT_EQ(contents_of(rows).size(), 4U);
  EXPECT_EQ(**copy->open_number("watermark", 0, NumberMerge::kMin), 77);
  EXPECT_EQ(**copy->open_number("another", 3, NumberMerge::kMin), 3);
  EXPECT_THAT(**copy->open_list("names", ListMode::kSplit), ElementsAre("x", "", kLong));
  EXPECT_EQ(copy->open_timers("due").advance(5), (Timer{5, 10}));
  EXPECT_THAT(copy->unclaimed(), IsEmpty());
}

TEST_P(StateSnapshotTest, rows_come_back_in_their_order) {
  if (GetParam() != "hashmap") GTEST_SKIP() << "rows on disk come in another order";
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back(std::to_string(i * 7919 % 10'000));
  put(rows, 0, keys, 1, "");
  std::string base = take(*backend);
  put(rows, 0, {"17", "new one", "4", "another"}, 2, "");

  const auto copy = restored({base, take(*backend)});

  keys.insert(keys.end(), {"new one", "another"});
  std::vector<std::byte*> values(keys.size());
  KeyedRows::Cursor cursor;
  ASSERT_EQ(open(*copy).scan(0, cursor, values), static_cast<std::int64_t>(keys.size()));
  std::vector<Column> read;
  ASSERT_TRUE(open(*copy).read_keys(values, *pool_, read).is_ok());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(read[0].string_at(static_cast<std::int64_t>(i)), keys[i]);
  }
}

TEST_P(StateSnapshotTest, states_without_keys_and_with_many_are_stored) {
  const auto backend = make_backend();
  const KeyedRowsSpec none{.name = "none",
                           .key_types = {},
                           .value_bytes = sizeof(Value),
                           .codec = std::make_shared<ValueCodec>()};
  KeyedRows& total = **backend->open_rows(none);
  std::uint64_t hash = 0;
  hash_rows({}, 1, &hash);
  std::vector<std::byte*> values(1);
  ASSERT_TRUE(
      total.find_or_insert(3, {.columns = {}, .hashes = &hash, .count = 1}, values).is_ok());
  reinterpret_cast<Value*>(values[0])->number = 42;
  std::string base = take(*backend);
  ASSERT_TRUE(
      total.find_or_insert(3, {.columns = {}, .hashes = &hash, .count = 1}, values).is_ok());
  ++reinterpret_cast<Value*>(values[0])->number;

  const auto copy = restored({base, take(*backend)});
  KeyedRows& total_copy = **copy->open_rows(none);

  EXPECT_EQ(total_copy.row_count(3), 1);
  ASSERT_TRUE(total_copy.find(3, {.columns = {}, .hashes = &hash, .count = 1}, values).is_ok());
  EXPECT_EQ(reinterpret_cast<Value*>(values[0])->number, 43);

  // Erased without a key to name it.
  reinterpret_cast<Value*>(values[0])->number = 0;
  const auto again = restored({base});
  KeyedRows& total_again = **again->open_rows(none);
  const std::string second_base = take(*again);
  ASSERT_TRUE(
      total_again.find_or_insert(3, {.columns = {}, .hashes = &hash, .count = 1}, values).is_ok());
  total_again.erase(3, values);
  const auto empty = restored({second_base, take(*again)});
  EXPECT_EQ((*empty->open_rows(none))->row_count(3), 0);
}

TEST_P(StateSnapshotTest, a_delta_has_what_changed_and_its_size_follows_that) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) keys.push_back("key " + std::to_string(i));
  put(rows, 1, keys, 1, kLong);
  const std::string base = take(*backend);
  put(rows, 1, {"key 5", "key 19999"}, 2, "changed");
  put(rows, 2, {"key 5"}, 3, "another namespace");
  erase(rows, 1, {"key 7"});

  auto snapshot = *backend->freeze(false);
  EXPECT_FALSE(snapshot->is_base());
  const std::string delta = *write_all(*snapshot);

  EXPECT_EQ(stored_rows(base), 20'000);
  // Besides, one row for every three that changed.
  EXPECT_EQ(stored_rows(delta), GetParam() == "hashmap" ? 4 : 3);
  EXPECT_LT(delta.size(), 2000U);
  EXPECT_EQ(contents_of(open(*restored({base, delta}))), contents_of(rows));
}

TEST_P(StateSnapshotTest, without_any_state_there_are_no_bytes_and_nothing_to_build_on) {
  const auto backend = make_backend();
  EXPECT_EQ(take(*backend), "");
  put(open(*backend), 1, {"a"}, 1, "");
  auto snapshot = *backend->freeze(false);
  EXPECT_TRUE(snapshot->is_base());
  EXPECT_EQ(stored_rows(*write_all(*snapshot)), 1);
}

TEST_P(StateSnapshotTest, nothing_changed_is_a_snapshot_too) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a"}, 1, "");
  std::vector<std::string> chain = {take(*backend)};
  for (int i = 0; i < 3; ++i) {
    chain.push_back(take(*backend));
    EXPECT_EQ(stored_rows(chain.back()), 0);
  }
  EXPECT_EQ(contents_of(open(*restored(chain))), contents_of(rows));
}

TEST_P(StateSnapshotTest, reading_is_no_change) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a", "b"}, 1, "");
  take(*backend);

  contents_of(rows);
  const std::vector<Column> columns = {texts({"a"})};
  std::uint64_t hash = 0;
  hash_rows(columns, 1, &hash);
  std::vector<std::byte*> values(1);
  ASSERT_TRUE(rows.find(1, {.columns = columns, .hashes = &hash, .count = 1}, values).is_ok());

  EXPECT_EQ(stored_rows(take(*backend)), 0);
}

TEST_P(StateSnapshotTest, a_state_that_follows_from_others_is_not_stored) {
  const auto backend = make_backend();
  KeyedRowsSpec derived = spec_of("derived");
  derived.codec = nullptr;
  KeyedRows& rows = **backend->open_rows(derived);
  put(rows, 1, {"a"}, 1, "");

  const std::string snapshot = take(*backend);

  EXPECT_TRUE(read_state_blocks(snapshot)->states.empty());
  const auto copy = restored({snapshot});
  EXPECT_EQ((*copy->open_rows(derived))->row_count(1), 0);
  // Nor when it was stored by an earlier version.
  const auto other = make_backend();
  put(open(*other, "derived"), 1, {"a"}, 1, "");
  const auto later = restored({take(*other)});
  EXPECT_EQ((*later->open_rows(derived))->row_count(1), 0);
  EXPECT_THAT(later->unclaimed(), IsEmpty());
}

TEST_P(StateSnapshotTest, what_nobody_opens_is_named) {
  const auto backend = make_backend();
  put(open(*backend, "known"), 1, {"a"}, 1, "");
  put(open(*backend, "forgotten"), 1, {"a"}, 1, "");
  ASSERT_TRUE(backend->open_number("number", 1, NumberMerge::kMax).is_ok());
  ASSERT_TRUE(backend->open_list("list", ListMode::kUnion).is_ok());
  backend->open_timers("timers");

  const auto copy = restored({take(*backend)});
  open(*copy, "known");

  EXPECT_THAT(copy->unclaimed(), ElementsAre("forgotten", "list", "number", "timers"));
  // It is gone with the next snapshot.
  const auto later = restored({take(*copy)});
  EXPECT_THAT(copy->unclaimed(), IsEmpty());
  open(*later, "known");
  EXPECT_THAT(later->unclaimed(), IsEmpty());
}

TEST_P(StateSnapshotTest, other_types_are_refused_by_name) {
  const auto backend = make_backend();
  put(open(*backend), 1, {"a"}, 1, "");
  const std::string snapshot = take(*backend);

  const Status status =
      restored({snapshot})->open_rows(spec_of("rows", DataType::big_int())).status();

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("key 1 of state 'rows' was stored as STRING"));
  EXPECT_THAT(status.to_string(), HasSubstr("cannot be restored as BIGINT"));
}

TEST_P(StateSnapshotTest, one_snapshot_at_a_time) {
  const auto backend = make_backend();
  put(open(*backend), 1, {"a"}, 1, "");
  auto snapshot = *backend->freeze(false);
  EXPECT_EQ(backend->freeze(false).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(write_all(*snapshot).is_ok());
  EXPECT_EQ(backend->freeze(false).status().code(), StatusCode::kFailedPrecondition);
  snapshot.reset();
  EXPECT_TRUE(backend->freeze(false).is_ok());
}

TEST_P(StateSnapshotTest, without_a_confirmed_one_every_snapshot_is_a_base) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a"}, 1, "");
  for (const bool is_told : {true, false}) {
    auto snapshot = *backend->freeze(false);
    EXPECT_TRUE(snapshot->is_base());
    ASSERT_TRUE(write_all(*snapshot).is_ok());
    snapshot.reset();
    if (is_told) backend->confirm(false);
  }
  // That was the second one, which was not told about yet.
  put(rows, 1, {"b"}, 2, "");
  backend->confirm(true);
  EXPECT_FALSE((*backend->freeze(false))->is_base());
}

TEST_P(StateSnapshotTest, a_failed_delta_is_in_the_next_one) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a", "b", "c"}, 1, "");
  put(rows, 2, {"a"}, 1, "");
  const std::string base = take(*backend);
  put(rows, 1, {"a", "new"}, 2, kLong);
  erase(rows, 1, {"b"});
  rows.drop(2);
  for (const bool is_written : {true, false}) {
    auto snapshot = *backend->freeze(false);
    if (is_written) {
      ASSERT_TRUE(write_all(*snapshot).is_ok());
    }
    snapshot.reset();
    backend->confirm(false);
  }
  put(rows, 1, {"c"}, 3, "");

  const std::string delta = take(*backend);

  EXPECT_EQ(stored_rows(delta), 3);
  EXPECT_EQ(contents_of(open(*restored({base, delta}))), contents_of(rows));
}

TEST_P(StateSnapshotTest, a_base_on_request_does_not_end_the_chain) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a", "b"}, 1, "");
  const std::string base = take(*backend);
  put(rows, 1, {"b"}, 2, "");
  auto savepoint = *backend->freeze(true);
  EXPECT_TRUE(savepoint->is_base());
  const std::string whole = *write_all(*savepoint);
  savepoint.reset();
  backend->confirm(false);  // A savepoint is nobody's base.

  const std::string delta = take(*backend);

  EXPECT_EQ(contents_of(open(*restored({whole}))), contents_of(rows));
  EXPECT_EQ(contents_of(open(*restored({base, delta}))), contents_of(rows));
  EXPECT_EQ(stored_rows(delta), 1);
}

TEST_P(StateSnapshotTest, rows_are_stored_as_they_were_when_frozen) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(kLong + std::to_string(i));
  put(rows, 1, keys, 1, kLong);
  put(rows, 2, keys, 1, "short");
  const Contents frozen = contents_of(rows);

  auto snapshot = *backend->freeze(false);
  std::string bytes;
  ASSERT_FALSE(*snapshot->write_some(100, bytes));
  put(rows, 1, keys, 2, "later");
  std::vector<std::string> erased(keys.begin(), keys.begin() + 900);
  erase(rows, 1, erased);
  rows.drop(2);
  put(rows, 2, {"a"}, 3, "in its place");
  put(rows, 3, {"a"}, 3, "");
  bytes += *write_all(*snapshot, 100);

  EXPECT_EQ(contents_of(open(*restored({bytes}))), frozen);
  EXPECT_EQ(stored_rows(bytes), 2000);
}

TEST_P(StateSnapshotTest, rows_that_were_only_found_can_be_erased_while_they_are_written) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 500; ++i) keys.push_back(kLong + std::to_string(i));
  put(rows, 1, keys, 1, "");
  const Contents frozen = contents_of(rows);
  auto snapshot = *backend->freeze(false);
  std::string bytes;
  ASSERT_FALSE(*snapshot->write_some(50, bytes));

  std::vector<std::byte*> values(400);
  KeyedRows::Cursor cursor;
  ASSERT_EQ(rows.scan(1, cursor, values), 400);
  rows.erase(1, values);

  bytes += *write_all(*snapshot, 50);
  EXPECT_EQ(contents_of(open(*restored({bytes}))), frozen);
  snapshot.reset();
  backend->confirm(true);
  EXPECT_EQ(contents_of(open(*restored({bytes, take(*backend)}))), contents_of(rows));
}

TEST_P(StateSnapshotTest, memory_of_a_dropped_namespace_is_given_back_when_it_is_written) {
  if (GetParam() != "hashmap") GTEST_SKIP() << "rows on disk take no memory";
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  const std::int64_t before = pool_->used_bytes();
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 1, kLong);
  const std::int64_t filled = pool_->used_bytes();
  {
    auto snapshot = *backend->freeze(false);
    rows.drop(1);
    EXPECT_GE(pool_->used_bytes(), filled);
    ASSERT_TRUE(write_all(*snapshot).is_ok());
    EXPECT_LE(pool_->used_bytes(), before + 1000);
  }
  // One that is given up gives it back at once.
  put(rows, 1, keys, 1, kLong);
  {
    auto snapshot = *backend->freeze(false);
    rows.drop(1);
  }
  EXPECT_LE(pool_->used_bytes(), before + 1000);
}

TEST_P(StateSnapshotTest, the_work_of_a_step_is_bounded) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 1, kLong);
  // Many namespaces are looked at one by one too.
  for (StateNamespace ns = 100; ns < 3000; ++ns) put(rows, ns, {"a"}, 1, "");
  auto snapshot = *backend->freeze(false);
  std::string bytes;
  int steps = 1;
  std::size_t step_max = 0;
  while (true) {
    const std::size_t before = bytes.size();
    if (*snapshot->write_some(200, bytes)) break;
    step_max = std::max(step_max, bytes.size() - before);
    ++steps;
  }
  EXPECT_GE(steps, 7900 / 200);
  EXPECT_LT(step_max, 200U * 120);
  EXPECT_EQ(contents_of(open(*restored({bytes}))), contents_of(rows));
}

// base_slices_test.cc has how "hashmap" does without.
TEST_P(StateSnapshotTest, deltas_that_outweigh_their_base_are_followed_by_a_base) {
  if (GetParam() == "hashmap") GTEST_SKIP() << "chains become shorter slice by slice";
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 0, kLong);
  int deltas = 0;
  take(*backend);
  while (true) {
    put(rows, 1, keys, deltas, kLong);
    auto snapshot = *backend->freeze(false);
    if (snapshot->is_base()) break;
    ++deltas;
    ASSERT_LT(deltas, 10);
    ASSERT_TRUE(write_all(*snapshot).is_ok());
    snapshot.reset();
    backend->confirm(true);
  }
  EXPECT_GE(deltas, 2);
  EXPECT_LE(deltas, 4);
}

TEST_P(StateSnapshotTest, lists_of_changes_stay_in_proportion_to_the_rows) {
  if (GetParam() != "hashmap") GTEST_SKIP() << "rows on disk take no memory";
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 4000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 0, "");
  const std::int64_t filled = pool_->used_bytes();
  take(*backend);
  for (int i = 0; i < 50; ++i) {
    put(rows, 1, keys, i, "");
    auto snapshot = *backend->freeze(false);
    ASSERT_TRUE(write_all(*snapshot).is_ok());
    snapshot.reset();
    backend->confirm(false);
    // 8 bytes per row and epoch, of three at most.
    EXPECT_LT(pool_->used_bytes(), filled + 4000L * 8 * 5);
  }
}

TEST_P(StateSnapshotTest, lists_that_have_served_are_freed) {
  if (GetParam() != "hashmap") GTEST_SKIP() << "rows on disk take no memory";
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 4000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 0, "");
  take(*backend);
  const std::int64_t filled = pool_->used_bytes();
  put(rows, 1, keys, 1, "");
  EXPECT_GT(pool_->used_bytes(), filled + 4000L * 8);
  take(*backend);
  take(*backend);
  EXPECT_EQ(pool_->used_bytes(), filled);
}

TEST_P(StateSnapshotTest, without_memory_for_lists_the_next_snapshot_is_a_base) {
  if (GetParam() != "hashmap") GTEST_SKIP() << "changes of rows on disk are listed there";
  const auto small = pool_->make_child("small", 3 << 20);
  const auto backend = testing::make_test_backend(GetParam(), {.pool = small.get()});
  KeyedRows& rows = open(*backend);
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) keys.push_back(std::to_string(i));
  put(rows, 1, keys, 1, "");
  const std::string base = take(*backend);
  Reservation rest = *small->reserve(small->limit_bytes() - small->used_bytes() - 2000);

  put(rows, 1, keys, 2, "");

  rest.reset();
  auto snapshot = *backend->freeze(false);
  EXPECT_TRUE(snapshot->is_base());
  EXPECT_EQ(contents_of(open(*restored({*write_all(*snapshot)}))), contents_of(rows));
}

TEST_P(StateSnapshotTest, a_broken_chain_is_refused) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a"}, 1, "");
  const std::string base = take(*backend);
  put(rows, 1, {"b"}, 1, "");
  const std::string delta = take(*backend);
  const auto status_of = [&](const std::vector<std::string>& snapshots) {
    return make_backend()->restore(of_one(snapshots));
  };

  EXPECT_EQ(status_of({delta}).code(), StatusCode::kDataLoss);
  EXPECT_EQ(status_of({base, base}).code(), StatusCode::kDataLoss);
  EXPECT_EQ(status_of({base + delta}).code(), StatusCode::kDataLoss);
  EXPECT_EQ(status_of({""}).code(), StatusCode::kDataLoss);
  EXPECT_TRUE(status_of({}).is_ok());
  EXPECT_TRUE(status_of({base, delta}).is_ok());

  const auto other = testing::make_test_backend(
      GetParam(), {.pool = pool_.get(), .key_groups = {0, 64}, .max_parallelism = 64});
  const Status status = other->restore(of_one({base}));
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("maximum parallelism of 128"));
}

TEST_P(StateSnapshotTest, broken_bytes_are_an_error_at_every_place) {
  const auto backend = make_backend();
  KeyedRows& rows = open(*backend);
  put(rows, 1, {"a", kLong}, 1, kLong);
  const std::string base = take(*backend);
  put(rows, 1, {"b"}, 1, "");
  erase(rows, 1, {"a"});
  rows.drop(1);
  put(rows, 1, {"c"}, 1, "");
  const std::string delta = take(*backend);
  for (const bool in_delta : {false, true}) {
    const std::string& whole = in_delta ? delta : base;
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string broken = whole;
      broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
      const std::vector<std::string> chain = in_delta ? std::vector<std::string>{base, broken}
                                                      : std::vector<std::string>{broken, delta};
      RestoredState in_memory;
      in_memory.parts.push_back({.snapshots = SnapshotBytes::all_of(chain)});
      ASSERT_EQ(make_backend()->restore(std::move(in_memory)).code(), StatusCode::kDataLoss)
          << "bit " << bit;
      // Blocks of rows in files are read when they are asked for. One bit of each byte is enough.
      if (bit % 8 != bit / 8 % 8) continue;
      auto copy = make_backend();
      Status status = copy->restore(of_one(chain));
      if (status.is_ok()) status = copy->open_rows(spec_of("rows")).status();
      ASSERT_EQ(status.code(), StatusCode::kDataLoss) << "bit " << bit;
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      auto copy = make_backend();
      ASSERT_EQ(copy->restore(of_one({whole.substr(0, size)})).code(), StatusCode::kDataLoss);
    }
  }
}

// ---- Other parallelism ----

TEST_P(StateSnapshotTest, small_state_goes_where_its_key_groups_go) {
  // By parallelism, all subtasks: numbers and items stay exactly once in all.
  std::vector<std::string> snapshots;
  const auto start = [&](int parallelism, bool is_first) {
    RestoredState all;
    for (const std::string& snapshot : snapshots) all.parts.push_back({.snapshots = {snapshot}});
    snapshots.clear();
    std::int64_t sum = 0;
    std::multiset<std::string> items;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      auto backend = make_backend(key_group_range(subtask, kMaxParallelism, parallelism));
      EXPECT_TRUE(backend->restore(all).is_ok());
      std::int64_t& total = **backend->open_number("total", 0, NumberMerge::kSum);
      std::int64_t& low = **backend->open_number("low", 0, NumberMerge::kMin);
      std::int64_t& high = **backend->open_number("high", 0, NumberMerge::kMax);
      std::vector<std::string>& split = **backend->open_list("split", ListMode::kSplit);
      std::vector<std::string>& every = **backend->open_list("union", ListMode::kUnion);
      std::vector<std::string>& rules = **backend->open_list("rules", ListMode::kBroadcast);
      TimerService& timers = backend->open_timers("due");
      if (is_first) {
        rules = {"one rule", "another"};
        total = 100 + subtask;
        low = high = 10L * subtask;
        for (int i = 0; i < 5; ++i) split.push_back(std::to_string(subtask * 5 + i));
        every = {std::to_string(subtask)};
        EXPECT_TRUE(timers.set({.time_ms = subtask, .ns = 0}).is_ok());
      } else {
        EXPECT_EQ(low, 0);
        EXPECT_EQ(high, 10);
        EXPECT_EQ(timers.size(), 2);
      }
      sum += total;
      items.insert(split.begin(), split.end());
      EXPECT_THAT(rules, ElementsAre("one rule", "another"));
      if (!is_first) {
        EXPECT_EQ(every.size(), 2U);
        every = {std::to_string(std::min(subtask, 1))};
        if (subtask > 1) every.clear();
      }
      snapshots.push_back(take(*backend));
    }
    EXPECT_EQ(sum, 201);
    EXPECT_EQ(items.size(), 10U);
    EXPECT_EQ(std::set<std::string>(items.begin(), items.end()).size(), 10U);
  };
  start(2, true);
  start(3, false);
  start(2, false);
}

TEST_P(StateSnapshotTest, numbers_are_merged_over_all_parts_that_are_given) {
  RestoredState all;
  for (int subtask = 0; subtask < 2; ++subtask) {
    auto backend = make_backend(key_group_range(subtask, kMaxParallelism, 2));
    **backend->open_number("low", 0, NumberMerge::kMin) = 10 + subtask;
    all.parts.push_back({.snapshots = {take(*backend)}});
  }
  auto second = make_backend(key_group_range(1, kMaxParallelism, 2));
  ASSERT_TRUE(second->restore(all).is_ok());
  EXPECT_EQ(**second->open_number("low", 0, NumberMerge::kMin), 10);
}

// ---- Random walks ----

// One subtask with what it should have.
class Walker {
 public:
  Walker(const std::string& kind, KeyGroupRange groups, MemoryPool& pool, Random random)
      : kind_(kind), groups_(groups), pool_(&pool), random_(random) {
    backend_ = make();
  }

  [[nodiscard]] const Contents& model() const { return confirmed_model_; }
  [[nodiscard]] const std::vector<std::string>& chain() const { return chain_; }
  [[nodiscard]] int deltas_checked() const { return deltas_checked_; }
  [[nodiscard]] int outdated() const { return outdated_; }

  void start_from(const RestoredState& state, const Contents& all) {
    ASSERT_TRUE(backend_->restore(state).is_ok());
    open(*backend_);
    model_.clear();
    for (const auto& [key, value] : all) {
      if (is_ours(key.second)) model_.insert({key, value});
    }
    ASSERT_EQ(contents(*backend_), model_);
  }
  void start() { open(*backend_); }

  // One operation; every one may stand between any two others.
  void step() {
    const std::uint64_t choice = random_.uniform(100);
    if (choice < 40) {
      write();
    } else if (choice < 50) {
      write_same();
    } else if (choice < 62) {
      erase();
    } else if (choice < 67) {
      drop();
    } else if (choice < 75) {
      freeze();
    } else if (choice < 99 || random_.uniform(4) > 0) {
      go_on();
    } else {
      fall_back();
    }
    if (random_.uniform(10) == 0) {
      EXPECT_EQ(contents(*backend_), model_);
    }
    EXPECT_TRUE(backend_->release_rows().is_ok());
  }

  // Ends with a completed snapshot of all.
  void settle() {
    while (snapshot_) go_on();
    if (pending_) tell(true);
    while (!pending_) {
      if (!snapshot_) freeze();
      if (snapshot_) go_on();
    }
    tell(true);
  }

 private:
  struct Taken {
    std::vector<std::string> chain;
    Contents model;
  };

  std::unique_ptr<KeyedStateBackend> make() {
    return testing::make_test_backend(
        kind_, {.pool = pool_, .key_groups = groups_, .max_parallelism = kMaxParallelism});
  }
  static KeyedRows& open(KeyedStateBackend& backend) {
    return **backend.open_rows(spec_of("rows"));
  }
  bool is_ours(const std::string& key) {
    const std::vector<Column> column = {texts({key})};
    std::uint64_t hash = 0;
    hash_rows(column, 1, &hash);
    const int group = key_group_of(hash, kMaxParallelism);
    return group >= groups_.begin && group < groups_.end;
  }
  Column texts(const std::vector<std::string>& values) {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const std::string& value : values) builder.append_string(value);
    return *builder.finish();
  }

  std::vector<std::string> some_keys() {
    std::vector<std::string> keys;
    const std::uint64_t count = 1 + random_.uniform(random_.uniform(4) == 0 ? 60 : 6);
    while (keys.size() < count) {
      const std::uint64_t id = random_.uniform(250);
      std::string key = (id % 2 == 0 ? "k" : "a key too long to be inline ") + std::to_string(id);
      if (is_ours(key)) keys.push_back(std::move(key));
    }
    return keys;
  }
  StateNamespace some_namespace() { return random_.uniform_between(-2, 3); }

  std::vector<std::byte*> rows_of(StateNamespace ns, const std::vector<std::string>& keys) {
    const std::vector<Column> columns = {texts(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, static_cast<std::int64_t>(keys.size()), hashes.data());
    std::vector<std::byte*> values(keys.size());
    EXPECT_TRUE(open(*backend_)
                    .find_or_insert(ns,
                                    {.columns = columns,
                                     .hashes = hashes.data(),
                                     .count = static_cast<std::int64_t>(keys.size())},
                                    values)
                    .is_ok());
    return values;
  }

  void set(StateNamespace ns, const std::vector<std::string>& keys,
           const std::vector<std::byte*>& values) {
    StateMemory& memory = **open(*backend_).memory(ns);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto& value = *reinterpret_cast<Value*>(values[i]);
      value.number = ++writes_;
      const std::string text(random_.uniform(40), static_cast<char>('a' + random_.uniform(26)));
      ASSERT_TRUE(set_text(value, text, memory).is_ok());
      model_[{ns, keys[i]}] = {writes_, text};
    }
  }

  void write() {
    const StateNamespace ns = some_namespace();
    const std::vector<std::string> keys = some_keys();
    set(ns, keys, rows_of(ns, keys));
  }

  // The keys of another namespace's rows, which itself does not change.
  void write_same() {
    const StateNamespace from = some_namespace();
    const StateNamespace ns = from + 1;
    KeyedRows& rows = open(*backend_);
    std::vector<std::byte*> source(5);
    KeyedRows::Cursor cursor;
    source.resize(static_cast<std::size_t>(rows.scan(from, cursor, source)));
    std::vector<Column> columns;
    ASSERT_TRUE(rows.read_keys(source, *pool_, columns).is_ok());
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < source.size(); ++i) {
      keys.emplace_back(columns[0].string_at(static_cast<std::int64_t>(i)));
    }
    std::vector<std::byte*> values(source.size());
    ASSERT_TRUE(rows.find_or_insert_same(ns, source, values).is_ok());
    set(ns, keys, values);
  }

  void erase() {
    const StateNamespace ns = some_namespace();
    // Now and then most of a namespace, so that rows move together.
    std::vector<std::string> keys;
    const bool most = random_.uniform(8) == 0;
    for (const auto& [key, value] : model_) {
      if (key.first == ns && random_.uniform(100) < (most ? 90 : 8)) keys.push_back(key.second);
    }
    if (keys.empty()) return;
    const std::vector<std::byte*> values = rows_of(ns, keys);
    StateMemory& memory = **open(*backend_).memory(ns);
    for (std::byte* value : values) free_text(*reinterpret_cast<Value*>(value), memory);
    open(*backend_).erase(ns, values);
    for (const std::string& key : keys) model_.erase({ns, key});
  }

  void drop() {
    const StateNamespace ns = some_namespace();
    open(*backend_).drop(ns);
    std::erase_if(model_, [ns](const auto& entry) { return entry.first.first == ns; });
  }

  void freeze() {
    if (snapshot_) return;
    const bool as_base = random_.uniform(20) == 0;
    snapshot_ = *backend_->freeze(as_base);
    if (as_base) {
      EXPECT_TRUE(snapshot_->is_base());
    }
    frozen_ = {.chain = {}, .model = model_};
    if (!snapshot_->is_base()) {
      ASSERT_GT(chain_.size(), snapshot_->outdated());
      outdated_ += static_cast<int>(snapshot_->outdated());
      frozen_.chain.assign(chain_.begin() + static_cast<std::ptrdiff_t>(snapshot_->outdated()),
                           chain_.end());
      ++deltas_checked_;
    }
    bytes_.clear();
  }

  void go_on() {
    // Word of the last one may come while the next one is being written.
    if (pending_ && random_.uniform(3) == 0) tell(random_.uniform(3) > 0);
    if (!snapshot_) return;
    if (random_.uniform(40) == 0) {
      snapshot_.reset();  // Given up.
      return;
    }
    if (!*snapshot_->write_some(random_.uniform_between(1, 60), bytes_)) return;
    snapshot_.reset();
    frozen_.chain.push_back(std::move(bytes_));
    bytes_.clear();
    const auto copy = make();
    const Status status = copy->restore(of_one(frozen_.chain));
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    ASSERT_EQ(contents(*copy), frozen_.model);
    pending_ = std::move(frozen_);
  }

  void tell(bool completed) {
    backend_->confirm(completed);
    if (completed) {
      chain_ = std::move(pending_->chain);
      confirmed_model_ = std::move(pending_->model);
    }
    pending_.reset();
  }

  // The process dies; another one goes on from the last completed snapshot.
  void fall_back() {
    snapshot_.reset();
    pending_.reset();
    backend_ = make();
    if (!chain_.empty()) {
      ASSERT_TRUE(backend_->restore(of_one(chain_)).is_ok());
    }
    open(*backend_);
    model_ = confirmed_model_;
    ASSERT_EQ(contents(*backend_), model_);
  }

  Contents contents(KeyedStateBackend& backend) {
    Contents found;
    KeyedRows& rows = open(backend);
    for (const StateNamespace ns : rows.namespaces()) {
      std::vector<std::byte*> values(64);
      KeyedRows::Cursor cursor;
      while (const auto count = static_cast<std::size_t>(rows.scan(ns, cursor, values))) {
        std::vector<Column> keys;
        EXPECT_TRUE(rows.read_keys(std::span<std::byte* const>(values.data(), count), *pool_, keys)
                        .is_ok());
        for (std::size_t i = 0; i < count; ++i) {
          const auto& value = *reinterpret_cast<const Value*>(values[i]);
          found[{ns, std::string(keys[0].string_at(static_cast<std::int64_t>(i)))}] = {
              value.number, text_of(value)};
        }
      }
    }
    return found;
  }

  std::string kind_;
  KeyGroupRange groups_;
  MemoryPool* pool_;
  Random random_;
  std::unique_ptr<KeyedStateBackend> backend_;
  Contents model_;
  std::int64_t writes_ = 0;
  int deltas_checked_ = 0;
  int outdated_ = 0;

  std::unique_ptr<StateSnapshot> snapshot_;
  std::string bytes_;
  Taken frozen_;
  std::optional<Taken> pending_;
  std::vector<std::string> chain_;
  Contents confirmed_model_;
};

class StateWalkTest : public ::testing::TestWithParam<std::tuple<std::string, std::uint64_t>> {};

TEST_P(StateWalkTest, every_snapshot_is_the_state_that_was_frozen) {
  const auto pool = MemoryPool::make_root("test");
  const auto& [kind, seed] = GetParam();
  Walker walker(kind, {0, kMaxParallelism}, *pool, Random(seed));
  walker.start();
  for (int i = 0; i < 6000 && !HasFatalFailure() && !HasNonfatalFailure(); ++i) walker.step();
  EXPECT_GT(walker.deltas_checked(), 20);
  if (kind == "hashmap") {
    EXPECT_GT(walker.outdated(), 0);
  }
}

TEST_P(StateWalkTest, state_goes_on_at_another_parallelism) {
  const auto pool = MemoryPool::make_root("test");
  const auto& [kind, seed] = GetParam();
  Random random(seed);
  RestoredState state;
  Contents all;
  for (const int parallelism : {2, 3, 2}) {
    RestoredState next;
    Contents next_all;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      Walker walker(kind, key_group_range(subtask, kMaxParallelism, parallelism), *pool,
                    random.fork(std::to_string(parallelism * 10 + subtask)));
      walker.start_from(state, all);
      for (int i = 0; i < 600 && !HasFatalFailure() && !HasNonfatalFailure(); ++i) walker.step();
      walker.settle();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
      next.parts.push_back({.snapshots = testing::in_files(walker.chain())});
      for (const auto& [key, value] : walker.model()) {
        ASSERT_TRUE(next_all.insert({key, value}).second);
      }
    }
    state = std::move(next);
    all = std::move(next_all);
  }
}

INSTANTIATE_TEST_SUITE_P(All, StateSnapshotTest,
                         ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& param) { return param.param; });
std::string name_of_walk(
    const ::testing::TestParamInfo<std::tuple<std::string, std::uint64_t>>& walk) {
  return std::get<0>(walk.param) + "_" + std::to_string(std::get<1>(walk.param));
}
INSTANTIATE_TEST_SUITE_P(All, StateWalkTest,
                         ::testing::Combine(::testing::Values("hashmap", "rocksdb",
                                                              "rocksdb_cached"),
                                            ::testing::Range<std::uint64_t>(1, 21)),
                         name_of_walk);
// A walk opens hundreds of stores.
INSTANTIATE_TEST_SUITE_P(Disk, StateWalkTest,
                         ::testing::Combine(::testing::Values("rocksdb_disk"),
                                            ::testing::Values<std::uint64_t>(21)),
                         name_of_walk);

}  // namespace
}  // namespace clepsydra
