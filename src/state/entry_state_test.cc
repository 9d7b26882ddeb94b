// Maps, multisets, logs and lists on every state backend, against models of the standard library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "state/entry_states.h"
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
using Number = std::optional<std::int64_t>;

Column big_ints(const std::vector<Number>& values, MemoryPool& pool) {
  ColumnBuilder builder(DataType::big_int(), pool);
  for (const Number& value : values) {
    if (value) {
      builder.append(*value);
    } else {
      builder.append_null();
    }
  }
  return *builder.finish();
}

Column texts(const std::vector<std::string>& values, MemoryPool& pool) {
  ColumnBuilder builder(DataType::string(), pool);
  for (const std::string& value : values) builder.append_string(value);
  return *builder.finish();
}

Number number_at(const Column& column, std::size_t row) {
  const auto place = static_cast<std::int64_t>(row);
  if (column.is_null(place)) return std::nullopt;
  return column.values<std::int64_t>()[place];
}

std::string text_at(const Column& column, std::size_t row) {
  return std::string(column.string_at(static_cast<std::int64_t>(row)));
}

// Outer keys of a call.
struct Keys {
  Keys(const std::vector<std::string>& names, MemoryPool& pool)
      : column(texts(names, pool)), hashes(names.size()) {
    hash_rows({&column, 1}, column.length(), hashes.data());
  }
  [[nodiscard]] KeyBatch batch() const {
    return {.columns = {&column, 1}, .hashes = hashes.data(), .count = column.length()};
  }
  Column column;
  std::vector<std::uint64_t> hashes;
};

std::string write_all(StateSnapshot& snapshot, std::int64_t rows_max = 1 << 20) {
  std::string bytes;
  while (!snapshot.write_some(rows_max, bytes).value()) {
  }
  return bytes;
}

// A whole snapshot, confirmed.
std::string take(KeyedStateBackend& backend, bool as_base = false) {
  auto snapshot = backend.freeze(as_base).value();
  std::string bytes = write_all(*snapshot);
  snapshot.reset();
  backend.confirm(true);
  return bytes;
}

RestoredState of_one(std::vector<std::string> snapshots) {
  RestoredState state;
  state.parts.push_back({.snapshots = SnapshotBytes::all_of(std::move(snapshots))});
  return state;
}

struct StoredCounts {
  std::int64_t rows = 0;
  std::int64_t erased = 0;
  friend bool operator==(const StoredCounts&, const StoredCounts&) = default;
};
StoredCounts stored_counts(const std::string& snapshot) {
  StoredCounts counts;
  const StoredSnapshot stored = *read_state_blocks(snapshot);
  for (const StoredRows& state : stored.states) {
    for (const StoredBatch& block : state.rows) {
      for (const NamespaceRun& run : block.runs) counts.rows += run.rows;
    }
    for (const StoredBatch& block : state.erased) {
      for (const NamespaceRun& run : block.runs) counts.erased += run.rows;
    }
  }
  return counts;
}

class EntryStateTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<KeyedStateBackend> make_backend(KeyGroupRange groups = {0, kMaxParallelism}) {
    return testing::make_test_backend(
        GetParam(),
        {.pool = pool_.get(), .key_groups = groups, .max_parallelism = kMaxParallelism});
  }
  std::unique_ptr<KeyedStateBackend> restored(std::vector<std::string> snapshots) {
    auto backend = make_backend();
    const Status status = backend->restore(of_one(std::move(snapshots)));
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return backend;
  }

  // By STRING, from BIGINT to BIGINT.
  MapState open_map(KeyedStateBackend& backend, bool descending = false) {
    auto map = MapState::open(backend,
                              {.name = "map",
                               .key_types = {DataType::string()},
                               .entry_types = {DataType::big_int()},
                               .directions = {{.descending = descending}},
                               .values = {{"value", DataType::big_int(), {}}}},
                              *pool_);
    EXPECT_TRUE(map.is_ok()) << map.status().to_string();
    return *std::move(map);
  }
  void put(MapState& map, const std::vector<std::string>& keys, const std::vector<Number>& entries,
           const std::vector<Number>& values, StateNamespace ns = 0) {
    const Keys outer(keys, *pool_);
    const std::vector<Column> entry_columns = {big_ints(entries, *pool_)};
    const std::vector<Column> value_columns = {big_ints(values, *pool_)};
    const Status status = map.put(ns, outer.batch(), entry_columns, value_columns);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  void erase(MapState& map, const std::vector<std::string>& keys,
             const std::vector<Number>& entries) {
    const std::vector<Column> entry_columns = {big_ints(entries, *pool_)};
    ASSERT_TRUE(map.erase(0, Keys(keys, *pool_).batch(), entry_columns).is_ok());
  }

  using Pairs = std::vector<std::pair<Number, Number>>;
  // Entries and values per key.
  template <typename State>
  std::vector<Pairs> range(State& state, const std::vector<std::string>& keys,
                           EntryRanges ranges = {}, StateNamespace ns = 0) {
    const Keys outer(keys, *pool_);
    ranges.keys = outer.batch();
    EntryColumns found;
    const Status status = state.range(ns, ranges, found);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_EQ(found.ends.size(), keys.size());
    std::vector<Pairs> all;
    std::size_t at = 0;
    for (const std::size_t end : found.ends) {
      Pairs& pairs = all.emplace_back();
      for (; at < end; ++at) {
        pairs.emplace_back(number_at(found.entries[0], at), number_at(found.values[0], at));
      }
    }
    return all;
  }
  // Of one key, between two numbers.
  template <typename State>
  Pairs between(State& state, const std::string& key, std::int64_t from, std::int64_t to,
                EntryRanges ranges = {}) {
    const std::vector<Column> from_column = {big_ints({from}, *pool_)};
    const std::vector<Column> to_column = {big_ints({to}, *pool_)};
    ranges.from.columns = from_column;
    ranges.to.columns = to_column;
    return range(state, {key}, ranges)[0];
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

using Pairs = std::vector<std::pair<Number, Number>>;

TEST_P(EntryStateTest, entries_are_put_got_and_erased_by_outer_key_and_entry) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  put(map, {"a", "a", "b", "a"}, {1, 2, 1, 1}, {10, 20, 30, 11});
  ASSERT_TRUE(backend->release_rows().is_ok());

  const Keys keys({"a", "b", "b", "c"}, *pool_);
  const std::vector<Column> entries = {big_ints({1, 1, 2, 1}, *pool_)};
  std::vector<Column> values;
  std::vector<const std::byte*> found;
  ASSERT_TRUE(map.get(0, keys.batch(), entries, values, found).is_ok());

  EXPECT_EQ(number_at(values[0], 0), 11);  // The last one of equal entries.
  EXPECT_EQ(number_at(values[0], 1), 30);
  EXPECT_EQ(number_at(values[0], 2), std::nullopt);
  EXPECT_THAT(found, ElementsAre(::testing::NotNull(), ::testing::NotNull(), nullptr, nullptr));
  erase(map, {"a", "a", "c"}, {1, 1, 1});
  EXPECT_THAT(range(map, {"a", "b", "c"}), ElementsAre(Pairs{{2, 20}}, Pairs{{1, 30}}, IsEmpty()));
}

TEST_P(EntryStateTest, ranges_have_bounds_limits_and_two_directions) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  std::vector<Number> numbers = {std::nullopt};
  for (std::int64_t i = 0; i < 500; ++i) numbers.emplace_back((i * 7919 % 500 - 250) * 10);
  put(map, std::vector<std::string>(numbers.size(), "a"), numbers, numbers);
  ASSERT_TRUE(backend->release_rows().is_ok());

  EXPECT_EQ(range(map, {"a"}, {.limit = 3})[0],
            (Pairs{{std::nullopt, std::nullopt}, {-2500, -2500}, {-2490, -2490}}));
  EXPECT_EQ(range(map, {"a"}, {.limit = 2, .backwards = true})[0],
            (Pairs{{2490, 2490}, {2480, 2480}}));
  EXPECT_EQ(between(map, "a", -10, 10), (Pairs{{-10, -10}, {0, 0}, {10, 10}}));
  EXPECT_EQ(between(map, "a", -10, 10, {.from = {.is_included = false}}),
            (Pairs{{0, 0}, {10, 10}}));
  EXPECT_EQ(between(map, "a", -15, 15, {.to = {.is_included = false}, .backwards = true}),
            (Pairs{{10, 10}, {0, 0}, {-10, -10}}));
  EXPECT_EQ(between(map, "a", 10, 20, {.to = {.is_included = false}}), (Pairs{{10, 10}}));
  EXPECT_THAT(between(map, "a", 10, -10), IsEmpty());
  EXPECT_THAT(between(map, "b", -10, 10), IsEmpty());
  EXPECT_EQ(range(map, {"a"})[0].size(), 501U);
}

// Top-10: a new row comes, the first ones are looked at, the one behind them goes.
TEST_P(EntryStateTest, the_first_n_of_a_key_stay) {
  const auto backend = make_backend();
  MapState map = open_map(*backend, true);
  Random random(1);
  std::map<std::string, std::vector<std::int64_t>> model;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> keys;
    std::vector<Number> scores;
    for (int i = 0; i < 5; ++i) {
      keys.push_back("key " + std::to_string(random.uniform(6)));
      scores.emplace_back(static_cast<std::int64_t>(random.next_u64() >> 1));
      model[keys.back()].push_back(*scores.back());
    }
    put(map, keys, scores, scores);
    const std::vector<Pairs> first = range(map, keys, {.limit = 20});
    std::vector<std::string> over;
    std::vector<Number> last;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      for (std::size_t rank = 10; rank < first[i].size(); ++rank) {
        over.push_back(keys[i]);
        last.push_back(first[i][rank].first);
      }
    }
    if (!over.empty()) erase(map, over, last);
    ASSERT_TRUE(backend->release_rows().is_ok());
    for (auto& [key, all] : model) {
      std::sort(all.rbegin(), all.rend());
      if (all.size() > 10) all.resize(10);
      Pairs expected;
      for (const std::int64_t score : all) expected.emplace_back(score, score);
      ASSERT_EQ(range(map, {key})[0], expected);
    }
  }
}

// Interval join: rows of the other side within a time of each row; what is too old goes.
TEST_P(EntryStateTest, rows_are_found_within_a_time_and_go_when_they_are_old) {
  const auto backend = make_backend();
  auto opened = MapState::open(
      *backend,
      {.name = "left",
       .key_types = {DataType::string()},
       .entry_types = {DataType::big_int(), AppendLog::id_type()},  // Time, then an id.
       .values = {{"row", DataType::string(), {}}}},
      *pool_);
  MapState left = *std::move(opened);
  std::vector<std::string> keys;
  std::vector<Number> times;
  std::vector<Number> ids;
  std::vector<std::string> rows;
  for (std::int64_t i = 0; i < 600; ++i) {
    keys.emplace_back(i % 2 == 0 ? "even" : "odd");
    times.emplace_back(i / 3);  // Several of the same time.
    ids.emplace_back(i);
    rows.push_back("the row of the left side with number " + std::to_string(i));
  }
  const Keys outer(keys, *pool_);
  const std::vector<Column> entries = {big_ints(times, *pool_), big_ints(ids, *pool_)};
  const std::vector<Column> values = {texts(rows, *pool_)};
  ASSERT_TRUE(left.put(0, outer.batch(), entries, values).is_ok());
  ASSERT_TRUE(backend->release_rows().is_ok());

  const Keys both({"even", "odd"}, *pool_);
  const std::vector<Column> from = {big_ints({100, 7}, *pool_)};
  const std::vector<Column> to = {big_ints({102, 8}, *pool_)};
  EntryColumns found;
  ASSERT_TRUE(
      left.range(0, {.keys = both.batch(), .from = {from}, .to = {to, false}}, found).is_ok());
  std::vector<std::string> read;
  for (std::size_t i = 0; i < found.rows(); ++i) read.push_back(text_at(found.values[0], i));
  const std::string text = "the row of the left side with number ";
  EXPECT_THAT(read,
              ElementsAre(text + "300", text + "302", text + "304", text + "21", text + "23"));
  EXPECT_THAT(found.ends, ElementsAre(3, 5));

  const std::vector<Column> old = {big_ints({150, 150}, *pool_)};
  EXPECT_EQ(*left.erase_range(0, {.keys = both.batch(), .to = {old, false}}), 450);
  ASSERT_TRUE(backend->release_rows().is_ok());
  ASSERT_TRUE(left.range(0, {.keys = both.batch()}, found).is_ok());
  EXPECT_EQ(found.rows(), 150U);
  EXPECT_EQ(number_at(found.entries[0], 0), 150);
  EXPECT_EQ(number_at(found.entries[1], 0), 450);
}

// OVER: for each row the rows of its range before it, or so many rows before it.
TEST_P(EntryStateTest, rows_before_a_row_are_found_by_range_and_by_number) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  std::map<std::int64_t, std::int64_t> model;
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t time = random.uniform_between(-1000, 1000);
    put(map, {"a"}, {time}, {i});
    model[time] = i;
    ASSERT_TRUE(backend->release_rows().is_ok());
    Pairs in_range;
    for (auto at = model.lower_bound(time - 100); at != model.end() && at->first <= time; ++at) {
      in_range.emplace_back(at->first, at->second);
    }
    ASSERT_EQ(between(map, "a", time - 100, time), in_range);
    Pairs preceding;
    for (auto at = model.upper_bound(time); at != model.begin() && preceding.size() < 4;) {
      --at;
      preceding.emplace_back(at->first, at->second);
    }
    const std::vector<Column> to = {big_ints({time}, *pool_)};
    ASSERT_EQ(range(map, {"a"}, {.to = {to}, .limit = 4, .backwards = true})[0], preceding);
  }
}

// MIN and MAX that take values back: the first one that is left.
TEST_P(EntryStateTest, the_least_element_of_a_multiset_changes_when_it_goes) {
  const auto backend = make_backend();
  auto opened = MultisetState::open(
      *backend,
      {.name = "values", .key_types = {DataType::string()}, .entry_types = {DataType::big_int()}},
      *pool_);
  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  MultisetState values = *std::move(opened);
  Random random(5);
  std::map<std::string, std::map<std::int64_t, std::int64_t>> model;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> keys;
    std::vector<Number> elements;
    std::vector<std::int64_t> deltas;
    std::vector<std::int64_t> expected;
    for (int i = 0; i < 6; ++i) {
      keys.push_back(std::to_string(random.uniform(4)));
      auto& counts = model[keys.back()];
      const bool takes_least = !counts.empty() && random.uniform(2) == 0;
      elements.emplace_back(takes_least ? counts.begin()->first : random.uniform_between(0, 40));
      deltas.push_back(takes_least ? -1 : 1);
      expected.push_back(counts[*elements.back()] += deltas.back());
      if (expected.back() == 0) counts.erase(*elements.back());
    }
    const Keys outer(keys, *pool_);
    const std::vector<Column> columns = {big_ints(elements, *pool_)};
    std::vector<std::int64_t> counts(keys.size());
    ASSERT_TRUE(values.add(0, outer.batch(), columns, deltas, counts).is_ok());
    ASSERT_EQ(counts, expected);
    ASSERT_TRUE(backend->release_rows().is_ok());
    for (const auto& [key, all] : model) {
      Pairs first;
      if (!all.empty()) first.emplace_back(all.begin()->first, all.begin()->second);
      ASSERT_EQ(range(values, {key}, {.limit = 1})[0], first);
    }
    ASSERT_TRUE(values.count(0, outer.batch(), columns, counts).is_ok());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto& all = model[keys[i]];
      const auto at = all.find(*elements[i]);
      ASSERT_EQ(counts[i], at != all.end() ? at->second : 0);
    }
  }
}

TEST_P(EntryStateTest, a_count_beyond_64_bits_is_an_error_and_one_below_zero_stays) {
  const auto backend = make_backend();
  MultisetState values = *MultisetState::open(
      *backend, {.name = "values", .key_types = {}, .entry_types = {DataType::big_int()}}, *pool_);
  std::uint64_t hash = 0;
  hash_rows({}, 1, &hash);
  const KeyBatch nobody{.columns = {}, .hashes = &hash, .count = 1};
  const std::vector<Column> one = {big_ints({1}, *pool_)};
  std::vector<std::int64_t> counts(1);
  const std::vector<std::int64_t> minus = {-2};
  ASSERT_TRUE(values.add(0, nobody, one, minus, counts).is_ok());
  EXPECT_THAT(counts, ElementsAre(-2));
  ASSERT_TRUE(values.count(0, nobody, one, counts).is_ok());
  EXPECT_THAT(counts, ElementsAre(-2));
  const std::vector<std::int64_t> much = {std::numeric_limits<std::int64_t>::min()};
  EXPECT_EQ(values.add(0, nobody, one, much, counts).code(), StatusCode::kOutOfRange);
}

TEST_P(EntryStateTest, rows_of_a_log_come_in_their_order_by_ids_that_are_never_given_again) {
  std::int64_t last_id = -1;
  std::vector<std::string> snapshots;
  for (int life = 0; life < 3; ++life) {
    const auto backend = life == 0 ? make_backend() : restored(snapshots);
    AppendLog log = *AppendLog::open(*backend,
                                     {.name = "log",
                                      .key_types = {DataType::string()},
                                      .values = {{"row", DataType::big_int(), {}}}},
                                     *pool_);
    const Keys keys({"a", "b", "a"}, *pool_);
    const std::vector<Column> values = {
        big_ints({life * 10, life * 10 + 1, life * 10 + 2}, *pool_)};
    std::vector<std::int64_t> ids(3);
    ASSERT_TRUE(log.append(0, keys.batch(), values, ids).is_ok());
    for (const std::int64_t id : ids) {
      EXPECT_GT(id, last_id);
      last_id = id;
    }
    ASSERT_TRUE(backend->release_rows().is_ok());
    const std::vector<Pairs> found = range(log, {"a", "b"});
    std::vector<Number> rows;
    for (const auto& [id, row] : found[0]) rows.push_back(row);
    std::vector<Number> expected;
    for (int i = 0; i <= life; ++i) expected.insert(expected.end(), {i * 10, i * 10 + 2});
    EXPECT_EQ(rows, expected);
    // The last row goes; its id does not come again.
    const Keys b({"b"}, *pool_);
    ColumnBuilder id(AppendLog::id_type(), *pool_);
    id.append(ids[1]);
    ASSERT_TRUE(log.erase(0, b.batch(), *id.finish()).is_ok());
    EXPECT_THAT(range(log, {"b"})[0], IsEmpty());
    snapshots = {take(*backend, true)};
  }
}

TEST_P(EntryStateTest, lists_are_added_to_replaced_and_cleared) {
  const auto backend = make_backend();
  ListState list = *ListState::open(*backend,
                                    {.name = "list",
                                     .key_types = {DataType::string()},
                                     .values = {{"item", DataType::string(), {}}}},
                                    *pool_);
  const auto items = [&](const std::string& key) {
    EntryColumns found;
    EXPECT_TRUE(list.get(0, Keys({key}, *pool_).batch(), found).is_ok());
    std::vector<std::string> read;
    for (std::size_t i = 0; i < found.rows(); ++i) read.push_back(text_at(found.values[0], i));
    return read;
  };
  const std::string much = "an item that does not fit into a row";
  const std::vector<Column> three = {texts({"x", much, "y"}, *pool_)};
  ASSERT_TRUE(list.add(0, Keys({"a", "a", "b"}, *pool_).batch(), three).is_ok());
  ASSERT_TRUE(list.add(0, Keys({"a", "a", "a"}, *pool_).batch(), three).is_ok());
  EXPECT_THAT(items("a"), ElementsAre("x", much, "x", much, "y"));

  ASSERT_TRUE(list.update(0, Keys({"a", "c", "a"}, *pool_).batch(), three).is_ok());
  ASSERT_TRUE(backend->release_rows().is_ok());

  EXPECT_THAT(items("a"), ElementsAre("x", "y"));
  EXPECT_THAT(items("b"), ElementsAre("y"));
  EXPECT_THAT(items("c"), ElementsAre(much));
  ASSERT_TRUE(list.clear(0, Keys({"a", "nobody"}, *pool_).batch()).is_ok());
  EXPECT_THAT(items("a"), IsEmpty());
  EXPECT_THAT(items("b"), ElementsAre("y"));
}

TEST_P(EntryStateTest, a_delta_has_the_entries_that_changed_and_no_others) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  std::vector<Number> numbers;
  for (std::int64_t i = 0; i < 5000; ++i) numbers.emplace_back(i);
  put(map, std::vector<std::string>(numbers.size(), "one key"), numbers, numbers);
  const std::string base = take(*backend);
  EXPECT_EQ(stored_counts(base), (StoredCounts{.rows = 5000}));
  put(map, {"one key", "one key"}, {17, 5000}, {-1, -2});
  erase(map, {"one key", "one key", "one key"}, {3, 4, 5});

  const std::string delta = take(*backend);

  EXPECT_EQ(stored_counts(delta), (StoredCounts{.rows = 2, .erased = 3}));
  EXPECT_LT(delta.size(), 2000U);
  const auto copy = restored({base, delta});
  MapState copied = open_map(*copy);
  EXPECT_EQ(range(copied, {"one key"}), range(map, {"one key"}));
  EXPECT_EQ(range(copied, {"one key"})[0].size(), 4998U);
  // Looking at entries is no change.
  EXPECT_EQ(stored_counts(take(*backend)), StoredCounts{});
}

// So many that they do not fit into a few nodes of an index.
TEST_P(EntryStateTest, a_key_may_have_very_many_entries) {
  constexpr std::int64_t kEntries = 40'000;
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  std::vector<Number> shuffled;
  for (std::int64_t i = 0; i < kEntries; ++i) shuffled.emplace_back(i * 7919 % kEntries);
  put(map, std::vector<std::string>(shuffled.size(), "a"), shuffled, shuffled);
  ASSERT_TRUE(backend->release_rows().is_ok());
  EXPECT_EQ(between(map, "a", 20'000, 20'002),
            (Pairs{{20'000, 20'000}, {20'001, 20'001}, {20'002, 20'002}}));

  // All but every hundredth one go, in no order; then those at the front.
  std::vector<Number> gone;
  Pairs left;
  for (const Number& number : shuffled) {
    if (*number % 100 != 0) gone.push_back(number);
  }
  for (std::int64_t i = 10'000; i < kEntries; i += 100) left.emplace_back(i, i);
  erase(map, std::vector<std::string>(gone.size(), "a"), gone);
  const std::vector<Column> end = {big_ints({10'000}, *pool_)};
  const Keys key({"a"}, *pool_);
  EXPECT_EQ(*map.erase_range(0, {.keys = key.batch(), .to = {end, false}}), 100);
  ASSERT_TRUE(backend->release_rows().is_ok());
  EXPECT_EQ(range(map, {"a"})[0], left);

  // Those that come in their order, and go from the front.
  std::vector<Number> ascending;
  for (std::int64_t i = 0; i < kEntries; ++i) ascending.emplace_back(kEntries + i);
  put(map, std::vector<std::string>(ascending.size(), "a"), ascending, ascending);
  ASSERT_TRUE(backend->release_rows().is_ok());
  for (int round = 0; round < 40; ++round) {
    EXPECT_EQ(*map.erase_range(0, {.keys = key.batch(), .limit = 1000}), 1000);
    ASSERT_TRUE(backend->release_rows().is_ok());
  }
  EXPECT_EQ(range(map, {"a"}, {.limit = 1})[0], (Pairs{{2 * kEntries - 300, 2 * kEntries - 300}}));
  EXPECT_EQ(map.rows().row_count(0), 300);
  ASSERT_TRUE(map.clear(0, key.batch()).is_ok());
  EXPECT_EQ(map.rows().row_count(0), 0);
}

TEST_P(EntryStateTest, a_full_pool_is_an_error_and_leaves_entries_whole) {
  const auto small = pool_->make_child("TopN(by score)", 1 << 20);
  const auto backend = testing::make_test_backend(GetParam(), {.pool = small.get()});
  MapState map = open_map(*backend);
  std::vector<Number> numbers;
  for (std::int64_t i = 0; i < 100'000; ++i) numbers.emplace_back(i);
  const std::vector<std::string> names(numbers.size(), "a key that is not in the row itself");
  const Keys keys(names, *pool_);
  const std::vector<Column> columns = {big_ints(numbers, *pool_)};

  const Status status = map.put(0, keys.batch(), columns, columns);

  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.to_string(), HasSubstr("TopN(by score)"));
  EXPECT_LE(small->peak_bytes(), 1 << 20);
  // Those that came in are in order, and can go.
  EntryColumns found;
  const Keys one({names[0]}, *pool_);
  ASSERT_TRUE(map.first(0, one.batch(), 1000, found).is_ok());
  ASSERT_EQ(found.rows(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(number_at(found.entries[0], i), Number(i));
  ASSERT_TRUE(map.clear(0, one.batch()).is_ok());
  EXPECT_EQ(map.rows().row_count(0), 0);
}

TEST_P(EntryStateTest, a_dropped_namespace_takes_its_entries_along) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  put(map, {"a", "b"}, {1, 2}, {1, 2}, 7);
  put(map, {"a"}, {3}, {3}, 8);
  take(*backend);
  map.drop(7);
  EXPECT_THAT(range(map, {"a", "b"}, {}, 7), ElementsAre(IsEmpty(), IsEmpty()));
  EXPECT_EQ(range(map, {"a"}, {}, 8)[0], (Pairs{{3, 3}}));
  put(map, {"a"}, {4}, {4}, 7);
  EXPECT_EQ(range(map, {"a"}, {}, 7)[0], (Pairs{{4, 4}}));
}

TEST_P(EntryStateTest, entries_are_not_restored_as_something_else) {
  const auto backend = make_backend();
  MapState map = open_map(*backend);
  put(map, {"a"}, {1}, {1});
  const std::string snapshot = take(*backend);

  const auto other = restored({snapshot});
  const Status status = MapState::open(*other,
                                       {.name = "map",
                                        .key_types = {},
                                        .entry_types = {DataType::string(), DataType::big_int()},
                                        .values = {{"value", DataType::big_int(), {}}}},
                                       *pool_)
                            .status();

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("state 'map' was stored with 1 of its key columns"));
}

TEST_P(EntryStateTest, specs_out_of_bounds_are_refused) {
  const auto backend = make_backend();
  const auto refused = [&](EntryStateSpec spec) {
    spec.name = "bad";
    return MapState::open(*backend, std::move(spec), *pool_).status();
  };
  EXPECT_EQ(refused({.key_types = {DataType::string()}}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({.key_types = std::vector<DataType>(32, DataType::integer()),
                     .entry_types = {DataType::integer()}})
                .code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({.entry_types = {DataType::integer()}, .directions = {{}, {}}}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({.entry_types = {DataType::array(DataType::integer())}}).code(),
            StatusCode::kUnimplemented);
  const Status nested = refused({.entry_types = {DataType::integer()},
                                 .values = {{"v", DataType::array(DataType::integer()), {}}}});
  EXPECT_EQ(nested.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(nested.to_string(), HasSubstr("field 'v'"));
}

INSTANTIATE_TEST_SUITE_P(All, EntryStateTest, ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace clepsydra
