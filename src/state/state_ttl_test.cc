// State that expires, over every backend, against a model that is a map with times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "state/entry_states.h"
#include "state/state_backend.h"
#include "state/state_test_backends.h"
#include "state/value_state.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kMaxParallelism = 128;
constexpr StateTtl kTenMs{.ttl_ms = 10};
constexpr StateTtl kReadRenews{.ttl_ms = 10, .update = StateTtl::Update::kOnReadAndWrite};
constexpr StateTtl kOnceMore{.ttl_ms = 10,
                             .visibility = StateTtl::Visibility::kReturnExpiredIfNotCleanedUp,
                             .cleanup_rows = 0};

using Answers = std::vector<std::optional<std::int64_t>>;

class StateTtlTest : public ::testing::TestWithParam<std::string> {
 protected:
  // Closes what was open, opens a new one, and restores into it.
  void reopen(const std::vector<std::string>& snapshots = {}) {
    backend_ = testing::make_test_backend(GetParam(), {.pool = pool_.get(),
                                                       .key_groups = {0, kMaxParallelism},
                                                       .max_parallelism = kMaxParallelism,
                                                       .clock = &clock_});
    if (snapshots.empty()) return;
    RestoredState state;
    state.parts.push_back({.snapshots = testing::in_files(snapshots)});
    const Status status = backend_->restore(std::move(state));
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }

  Column big_ints(const std::vector<std::int64_t>& values) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (const std::int64_t value : values) builder.append(value);
    return *builder.finish();
  }
  // Too long for a row.
  static std::string text_of(std::int64_t number) {
    return "the text that stands beside " + std::to_string(number);
  }
  Column texts(const std::vector<std::int64_t>& values) {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const std::int64_t value : values) builder.append_string(text_of(value));
    return *builder.finish();
  }

  // ---- One value per key: a number and its text ----

  ValueState open_values(const StateTtl& ttl) {
    Result<ValueState> state = ValueState::open(
        *backend_, "values", {DataType::big_int()},
        {{"number", DataType::big_int(), {}}, {"text", DataType::string(), {}}}, *pool_, ttl);
    EXPECT_TRUE(state.is_ok()) << state.status().to_string();
    return *std::move(state);
  }
  template <typename Call>
  void with_keys(const std::vector<std::int64_t>& keys, Call&& call) {
    const std::vector<Column> columns{big_ints(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, static_cast<std::int64_t>(keys.size()), hashes.data());
    const Status status = call(KeyBatch{.columns = columns,
                                        .hashes = hashes.data(),
                                        .count = static_cast<std::int64_t>(keys.size())});
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  void put(ValueState& state, const std::vector<std::int64_t>& keys,
           const std::vector<std::int64_t>& numbers) {
    const std::vector<Column> values{big_ints(numbers), texts(numbers)};
    with_keys(keys, [&](const KeyBatch& batch) { return state.put(1, batch, values); });
  }
  Answers get(ValueState& state, const std::vector<std::int64_t>& keys) {
    std::vector<Column> columns;
    std::vector<const std::byte*> found;
    with_keys(keys, [&](const KeyBatch& batch) { return state.get(1, batch, columns, found); });
    Answers answers;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      answers.emplace_back();
      if (columns[0].is_null(row)) continue;
      answers.back() = columns[0].values<std::int64_t>()[row];
      EXPECT_EQ(columns[1].string_at(row), text_of(*answers.back()));
    }
    return answers;
  }

  // The rows below such a state, for the number of them; `ttl` as it was opened.
  std::int64_t value_rows(const StateTtl& ttl) { return rows_below(ttl).row_count(1); }
  KeyedRows& rows_below(const StateTtl& ttl) {
    auto codec = *ValueColumns::make(
        {{"number", DataType::big_int(), {}}, {"text", DataType::string(), {}}});
    return **backend_->open_rows({.name = "values",
                                  .key_types = {DataType::big_int()},
                                  .value_bytes = codec->value_bytes(),
                                  .codec = codec,
                                  .ttl = ttl});
  }

  void release() { ASSERT_TRUE(backend_->release_rows().is_ok()); }

  std::string snapshot(bool as_base) {
    auto frozen = backend_->freeze(as_base);
    EXPECT_TRUE(frozen.is_ok()) << frozen.status().to_string();
    std::string bytes;
    for (int steps = 0; steps < 1'000'000; ++steps) {
      const Result<bool> is_done = (*frozen)->write_some(7, bytes);
      EXPECT_TRUE(is_done.is_ok()) << is_done.status().to_string();
      if (!is_done.is_ok() || *is_done) break;
    }
    outdated_ = (*frozen)->is_base() ? 0 : (*frozen)->outdated();
    frozen->reset();
    backend_->confirm(true);
    return bytes;
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  SimulatedClock clock_;
  std::unique_ptr<KeyedStateBackend> backend_;
  std::size_t outdated_ = 0;  // How many of the oldest snapshots the last one does not need.
};

TEST_P(StateTtlTest, a_value_is_gone_once_nobody_wrote_it_for_so_long) {
  reopen();
  ValueState state = open_values(kTenMs);
  put(state, {1, 2}, {10, 20});
  clock_.advance_ms(6);
  put(state, {2}, {21});

  clock_.advance_ms(3);  // 9 ms and 3 ms old.
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(10, 21));
  clock_.advance_ms(1);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(std::nullopt, 21));
  clock_.advance_ms(6);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(std::nullopt, std::nullopt));
}

TEST_P(StateTtlTest, reading_renews_where_that_was_asked_for) {
  reopen();
  ValueState state = open_values(kReadRenews);
  put(state, {1, 2}, {10, 20});
  for (int i = 0; i < 5; ++i) {
    clock_.advance_ms(9);
    EXPECT_THAT(get(state, {1}), ElementsAre(10));
    release();
  }
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(10, std::nullopt));
  clock_.advance_ms(10);
  EXPECT_THAT(get(state, {1}), ElementsAre(std::nullopt));
}

TEST_P(StateTtlTest, an_expired_value_may_be_returned_once_more) {
  reopen();
  ValueState state = open_values(kOnceMore);
  put(state, {1, 2}, {10, 20});
  clock_.advance_ms(50);

  EXPECT_THAT(get(state, {1}), ElementsAre(10));
  release();
  EXPECT_THAT(get(state, {1, 2, 2}), ElementsAre(std::nullopt, 20, std::nullopt));
  // What was read for the last time is not in a snapshot of all state.
  const std::string base = snapshot(true);
  reopen({base});
  state = open_values(kOnceMore);
  EXPECT_EQ(value_rows(kOnceMore), 0);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(std::nullopt, std::nullopt));
}

TEST_P(StateTtlTest, a_delta_tells_what_was_returned_for_the_last_time) {
  reopen();
  ValueState state = open_values(kOnceMore);
  put(state, {1, 2}, {10, 20});
  const std::string base = snapshot(true);
  clock_.advance_ms(50);
  EXPECT_THAT(get(state, {1}), ElementsAre(10));
  const std::string delta = snapshot(false);

  reopen({base, delta});
  state = open_values(kOnceMore);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(std::nullopt, 20));
}

TEST_P(StateTtlTest, a_row_that_is_written_after_it_expired_starts_as_zero) {
  reopen();
  open_values(kTenMs);
  KeyedRows& rows = rows_below(kTenMs);
  std::vector<std::byte*> found(1);
  ValueState state = open_values(kTenMs);
  put(state, {1}, {10});
  clock_.advance_ms(10);

  with_keys({1}, [&](const KeyBatch& batch) { return rows.find_or_insert(1, batch, found); });

  EXPECT_THAT(std::vector<std::byte>(found[0], found[0] + 16), ::testing::Each(std::byte{0}));
  put(state, {1}, {11});
  EXPECT_THAT(get(state, {1}), ElementsAre(11));
}

TEST_P(StateTtlTest, the_time_of_the_last_access_is_restored) {
  reopen();
  ValueState state = open_values(kTenMs);
  put(state, {1, 2}, {10, 20});
  const std::string base = snapshot(true);
  clock_.advance_ms(6);
  put(state, {2, 3}, {21, 30});
  const std::string delta = snapshot(false);

  reopen({base, delta});
  state = open_values(kTenMs);
  EXPECT_THAT(get(state, {1, 2, 3}), ElementsAre(10, 21, 30));
  EXPECT_THAT(backend_->restored_changes(), IsEmpty());
  clock_.advance_ms(4);
  EXPECT_THAT(get(state, {1, 2, 3}), ElementsAre(std::nullopt, 21, 30));
  clock_.advance_ms(6);
  EXPECT_THAT(get(state, {2, 3}), ElementsAre(std::nullopt, std::nullopt));
}

TEST_P(StateTtlTest, a_snapshot_of_all_state_leaves_out_what_has_expired) {
  reopen();
  StateTtl ttl = kTenMs;
  ttl.cleanup_rows = 0;
  ValueState state = open_values(ttl);
  put(state, {1, 2, 3, 4}, {10, 20, 30, 40});
  release();
  clock_.advance_ms(6);
  put(state, {3}, {31});
  clock_.advance_ms(4);
  EXPECT_EQ(value_rows(ttl), 4);

  const std::string base = snapshot(true);
  reopen({base});
  state = open_values(ttl);
  EXPECT_EQ(value_rows(ttl), 1);
  EXPECT_THAT(get(state, {1, 3}), ElementsAre(std::nullopt, 31));
}

TEST_P(StateTtlTest, state_moves_between_with_and_without) {
  reopen();
  ValueState state = open_values({});
  put(state, {1, 2}, {10, 20});
  const std::string without = snapshot(true);
  clock_.advance_ms(1000);

  // As if accessed when it was restored.
  reopen({without});
  state = open_values(kTenMs);
  EXPECT_THAT(backend_->restored_changes(),
              ElementsAre("state 'values': field '$last_access' BIGINT is new"));
  clock_.advance_ms(9);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(10, 20));
  put(state, {2}, {21});
  const std::string with = snapshot(true);
  clock_.advance_ms(1);
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(std::nullopt, 21));

  reopen({with});
  clock_.advance_ms(1000);
  state = open_values({});
  EXPECT_THAT(backend_->restored_changes(),
              ElementsAre("state 'values': field '$last_access' BIGINT is dropped"));
  EXPECT_THAT(get(state, {1, 2}), ElementsAre(10, 21));
}

TEST_P(StateTtlTest, rows_that_nobody_asks_for_are_cleaned_up_by_and_by) {
  reopen();
  ValueState state = open_values(kTenMs);
  std::vector<std::int64_t> keys(3000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<std::int64_t>(i);
  put(state, keys, keys);
  release();
  snapshot(true);
  EXPECT_EQ(value_rows(kTenMs), 3000);
  clock_.advance_ms(10);
  const std::int64_t bytes_before = pool_->used_bytes();

  const std::vector<std::int64_t> used(16, 5000);
  for (int step = 0; step < 3000 && value_rows(kTenMs) > 1; ++step) {
    put(state, used, used);
    release();
    // One row of a call earns so many that are looked at.
    if (step == 0) {
      EXPECT_GE(value_rows(kTenMs), 3001 - 16 * (5 + 1));
    }
    // Keys that were erased are told to a snapshot like any.
    if (step == 10) snapshot(false);
    clock_.advance_ms(1);
  }
  EXPECT_EQ(value_rows(kTenMs), 1);
  EXPECT_NE(get(state, {5000})[0], std::nullopt);
  // With a store the rows were not in memory before.
  if (GetParam() == "hashmap") {
    EXPECT_LT(pool_->used_bytes(), bytes_before);
  }
}

TEST_P(StateTtlTest, values_are_those_of_a_model) {
  for (const StateTtl& ttl : {kTenMs, kReadRenews, kOnceMore}) {
    SCOPED_TRACE(static_cast<int>(ttl.update) * 2 + static_cast<int>(ttl.visibility));
    reopen();
    ValueState state = open_values(ttl);
    Random random(41);
    struct Entry {
      std::int64_t number;
      std::int64_t accessed;
    };
    std::map<std::int64_t, Entry> model;
    std::vector<std::string> chain;
    for (int step = 0; step < 1500; ++step) {
      SCOPED_TRACE(step);
      const auto key = static_cast<std::int64_t>(random.uniform(40));
      switch (random.uniform(8)) {
        case 0:
        case 1:
        case 2:
          put(state, {key}, {step});
          model[key] = {step, clock_.now_ms()};
          break;
        case 3:
        case 4: {
          std::optional<std::int64_t> expected;
          const auto found = model.find(key);
          if (found != model.end()) {
            const bool is_expired = clock_.now_ms() - found->second.accessed >= 10;
            const bool is_seen =
                !is_expired || ttl.visibility != StateTtl::Visibility::kNeverReturnExpired;
            if (is_seen) expected = found->second.number;
            if (is_expired) {
              model.erase(found);
            } else if (ttl.update == StateTtl::Update::kOnReadAndWrite) {
              found->second.accessed = clock_.now_ms();
            }
          }
          ASSERT_THAT(get(state, {key}), ElementsAre(expected));
          break;
        }
        case 5:
          clock_.advance_ms(static_cast<std::int64_t>(random.uniform(4)));
          break;
        case 6:
          release();
          break;
        default:
          if (random.uniform(4) != 0) break;
          // A base may clean up what could have been returned once more.
          if (chain.empty() || (ttl.cleanup_rows > 0 && random.uniform(4) == 0)) {
            std::erase_if(model, [&](const auto& entry) {
              return clock_.now_ms() - entry.second.accessed >= 10;
            });
            chain = {snapshot(true)};
          } else {
            chain.push_back(snapshot(false));
            chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outdated_));
          }
          if (ttl.cleanup_rows > 0 && random.uniform(2) == 0) {
            reopen(chain);
            state = open_values(ttl);
            chain.clear();
          }
      }
    }
  }
}

// Of a chain without a second base the slices of what did not change are its clean-up.
TEST_P(StateTtlTest, expired_rows_leave_a_chain_of_snapshots) {
  reopen();
  StateTtl ttl = kTenMs;
  ttl.cleanup_rows = 0;
  ValueState state = open_values(ttl);
  std::vector<std::int64_t> keys(50);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<std::int64_t>(i);
  put(state, keys, keys);
  std::vector<std::string> chain{snapshot(true)};
  clock_.advance_ms(10);
  const std::vector<std::int64_t> used{3, 4, 5, 6, 100, 101, 102, 103};
  for (int i = 0; i < 40; ++i) {
    put(state, used, used);
    chain.push_back(snapshot(false));
    chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outdated_));
  }
  EXPECT_EQ(value_rows(ttl), 54);

  reopen(chain);
  state = open_values(ttl);
  // Where rows stand elsewhere chains have no slices, and none of these is as long as to be a base.
  EXPECT_EQ(value_rows(ttl), GetParam() == "hashmap" ? 8 : 54);
  EXPECT_THAT(get(state, {2, 3, 103}), ElementsAre(std::nullopt, 3, 103));
}

// ---- Entries ----

TEST_P(StateTtlTest, entries_expire_one_by_one) {
  reopen();
  StateTtl ttl = kTenMs;
  ttl.cleanup_rows = 1;
  Result<MapState> opened = MapState::open(*backend_,
                                           {.name = "map",
                                            .key_types = {DataType::big_int()},
                                            .entry_types = {DataType::big_int()},
                                            .values = {{"text", DataType::string(), {}}},
                                            .ttl = ttl},
                                           *pool_);
  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  MapState map = *std::move(opened);
  const auto put_entries = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t entry = from; entry < to; ++entry) {
      const Column entries = big_ints({entry});
      const Column values = texts({entry});
      with_keys({7}, [&](const KeyBatch& key) {
        return map.put(1, key, {&entries, 1}, {&values, 1});
      });
    }
  };
  const auto first = [&](std::int64_t limit, bool backwards = false) {
    EntryColumns found;
    with_keys({7}, [&](const KeyBatch& key) {
      return map.range(1, {.keys = key, .limit = limit, .backwards = backwards}, found);
    });
    std::vector<std::int64_t> entries;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      entries.push_back(found.entries[0].values<std::int64_t>()[row]);
      EXPECT_EQ(found.values[0].string_at(row), text_of(entries.back()));
    }
    return entries;
  };
  put_entries(0, 100);
  clock_.advance_ms(5);
  put_entries(95, 103);
  clock_.advance_ms(5);

  // Those before them have expired, and do not count.
  EXPECT_THAT(first(3), ElementsAre(95, 96, 97));
  EXPECT_THAT(first(2, true), ElementsAre(102, 101));
  EXPECT_THAT(first(1000), ElementsAre(95, 96, 97, 98, 99, 100, 101, 102));
  for (int i = 0; i < 2000 && map.rows().row_count(1) > 8; ++i) {
    EXPECT_THAT(first(1), ElementsAre(95));
    release();
  }
  EXPECT_EQ(map.rows().row_count(1), 8);
  EXPECT_THAT(first(3), ElementsAre(95, 96, 97));
}

TEST_P(StateTtlTest, lists_and_multisets_forget_their_items) {
  reopen();
  Result<ListState> list = ListState::open(*backend_,
                                           {.name = "list",
                                            .key_types = {DataType::big_int()},
                                            .values = {{"item", DataType::big_int(), {}}},
                                            .ttl = kTenMs},
                                           *pool_);
  Result<MultisetState> set = MultisetState::open(*backend_,
                                                  {.name = "set",
                                                   .key_types = {DataType::big_int()},
                                                   .entry_types = {DataType::big_int()},
                                                   .ttl = kTenMs},
                                                  *pool_);
  ASSERT_TRUE(list.is_ok() && set.is_ok());
  const auto add = [&](std::int64_t item, std::int64_t expected_count) {
    const Column items = big_ints({item});
    const std::vector<std::int64_t> deltas{1};
    std::vector<std::int64_t> counts(1);
    with_keys({7}, [&](const KeyBatch& key) { return list->add(1, key, {&items, 1}); });
    with_keys({7}, [&](const KeyBatch& key) {
      return set->add(1, key, {&items, 1}, deltas, counts);
    });
    EXPECT_THAT(counts, ElementsAre(expected_count));
  };
  const auto items = [&] {
    EntryColumns found;
    with_keys({7}, [&](const KeyBatch& key) { return list->get(1, key, found); });
    std::vector<std::int64_t> all;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      all.push_back(found.values[0].values<std::int64_t>()[static_cast<std::int64_t>(i)]);
    }
    return all;
  };
  add(3, 1);
  add(3, 2);
  add(4, 1);
  clock_.advance_ms(6);
  add(4, 2);
  release();
  EXPECT_THAT(items(), ElementsAre(3, 3, 4, 4));
  clock_.advance_ms(4);
  EXPECT_THAT(items(), ElementsAre(4));
  add(3, 1);
  add(4, 3);
  EXPECT_THAT(items(), ElementsAre(4, 3, 4));
}

// ---- Wrong input ----

TEST_P(StateTtlTest, what_cannot_be_is_refused) {
  reopen();
  const auto refusal = [&](const StateTtl& ttl) {
    return ValueState::open(*backend_, "refused", {DataType::big_int()},
                            {{"number", DataType::big_int(), {}}}, *pool_, ttl)
        .status();
  };
  EXPECT_THAT(refusal({.ttl_ms = -1}).to_string(),
              HasSubstr("state 'refused' has a time to live of -1 ms; it must be above 0"));
  EXPECT_THAT(refusal({.ttl_ms = 1, .cleanup_rows = -1}).to_string(),
              HasSubstr("looks at -1 rows per access for clean-up; 0 to 1000 are possible"));
  EXPECT_EQ(refusal({.ttl_ms = 1, .cleanup_rows = 1001}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(
      backend_->open_rows({.name = "refused", .key_types = {}, .ttl = kTenMs}).status().code(),
      StatusCode::kInvalidArgument);
  EXPECT_THAT(ValueState::open(*backend_, "refused", {DataType::big_int()},
                               {{"$last_access", DataType::big_int(), {}}}, *pool_, kTenMs)
                  .status()
                  .to_string(),
              HasSubstr("field '$last_access' of its own"));

  open_values(kTenMs);
  EXPECT_EQ(
      ValueState::open(*backend_, "values", {DataType::big_int()},
                       {{"number", DataType::big_int(), {}}, {"text", DataType::string(), {}}},
                       *pool_, kReadRenews)
          .status()
          .code(),
      StatusCode::kFailedPrecondition);
  const auto no_clock = testing::make_test_backend(GetParam(), {.pool = pool_.get()});
  EXPECT_THAT(ValueState::open(*no_clock, "values", {DataType::big_int()},
                               {{"number", DataType::big_int(), {}}}, *pool_, kTenMs)
                  .status()
                  .to_string(),
              HasSubstr("was given no clock"));
}

TEST_P(StateTtlTest, a_time_to_live_beyond_all_times_never_ends) {
  reopen();
  StateTtl ttl{.ttl_ms = std::numeric_limits<std::int64_t>::max()};
  ValueState state = open_values(ttl);
  put(state, {1}, {10});
  clock_.advance_ms(1'000'000'000);
  EXPECT_THAT(get(state, {1}), ElementsAre(10));
}

INSTANTIATE_TEST_SUITE_P(AllBackends, StateTtlTest,
                         ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace clepsydra
