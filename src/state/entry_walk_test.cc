// Random walks of states of entries on every backend, with snapshots and restores in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
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
#include "state/state_test_backends.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr int kMaxParallelism = 128;

struct Entry {
  std::optional<std::int64_t> number;
  std::optional<std::string> text;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Entries in the order of a state.
struct EntryLess {
  std::array<EntryDirection, 2> directions;  // Of the number and of the text.

  template <typename T>
  static int compare(const std::optional<T>& a, const std::optional<T>& b,
                     const EntryDirection& direction) {
    if (a.has_value() != b.has_value()) return a.has_value() == direction.nulls_last ? -1 : 1;
    if (!a || *a == *b) return 0;
    return (*a < *b) != direction.descending ? -1 : 1;
  }
  // Of the number alone when `columns` is 1.
  [[nodiscard]] int compare(const Entry& a, const Entry& b, int columns) const {
    const int numbers = compare(a.number, b.number, directions[0]);
    if (numbers != 0 || columns == 1) return numbers;
    return compare(a.text, b.text, directions[1]);
  }
  bool operator()(const Entry& a, const Entry& b) const { return compare(a, b, 2) < 0; }
};

struct Value {
  std::int64_t number = 0;
  std::string text;
  friend bool operator==(const Value&, const Value&) = default;
};
using Entries = std::map<Entry, Value, EntryLess>;
using OuterKey = std::pair<StateNamespace, std::string>;
// No outer key without entries.
using Model = std::map<OuterKey, Entries>;
using Found = std::vector<std::pair<Entry, Value>>;

RestoredState of_one(const std::vector<std::string>& snapshots) {
  RestoredState state;
  state.parts.push_back({.snapshots = testing::in_files(snapshots)});
  return state;
}

class EntryWalker {
 public:
  EntryWalker(std::vector<std::string> kinds, KeyGroupRange groups, MemoryPool& pool, Random random,
              const std::array<EntryDirection, 2>& directions)
      : kinds_(std::move(kinds)),
        groups_(groups),
        pool_(&pool),
        random_(random),
        less_{directions} {
    start();
  }

  void restore(const RestoredState& state, const Model& all) {
    ASSERT_TRUE(backend_->restore(state).is_ok());
    open();
    for (const auto& [key, entries] : all) {
      if (is_ours(key.second)) model_.insert({key, entries});
    }
    check_all();
  }

  void step() {
    const std::uint64_t choice = random_.uniform(100);
    if (choice < 35) {
      put();
    } else if (choice < 45) {
      erase();
    } else if (choice < 52) {
      erase_range();
    } else if (choice < 54) {
      clear();
    } else if (choice < 55) {
      drop();
    } else if (choice < 78) {
      check_range();
    } else if (choice < 84) {
      freeze();
    } else if (choice < 99 || random_.uniform(2) > 0) {
      go_on();
    } else {
      fall_back();
    }
    if (random_.uniform(25) == 0) check_all();
    if (random_.uniform(4) > 0) {
      ASSERT_TRUE(backend_->release_rows().is_ok());
    }
  }

  // Ends with a completed snapshot of all.
  void settle() {
    while (snapshot_) go_on();
    confirm(true);
    freeze();
    while (snapshot_) {
      if (!snapshot_->write_some(1000, bytes_).value()) continue;
      frozen_chain_.push_back(std::move(bytes_));
      bytes_.clear();
      snapshot_.reset();
      is_pending_ = true;
    }
    confirm(true);
  }
  [[nodiscard]] const std::vector<std::string>& chain() const { return chain_; }
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] int falls() const { return falls_; }

 private:
  void start() {
    backend_ = testing::make_test_backend(
        kinds_[random_.uniform(kinds_.size())],
        {.pool = pool_, .key_groups = groups_, .max_parallelism = kMaxParallelism});
    map_.reset();
  }
  void open() {
    auto map = MapState::open(
        *backend_,
        {.name = "map",
         .key_types = {DataType::string()},
         .entry_types = {DataType::big_int(), DataType::string()},
         .directions = {less_.directions.begin(), less_.directions.end()},
         .values = {{"number", DataType::big_int(), {}}, {"text", DataType::string(), {}}}},
        *pool_);
    ASSERT_TRUE(map.is_ok()) << map.status().to_string();
    map_.emplace(*std::move(map));
  }
  MapState& map() {
    if (!map_) open();
    return *map_;
  }

  bool is_ours(const std::string& key) {
    const Column column = texts({key});
    std::uint64_t hash = 0;
    hash_rows({&column, 1}, 1, &hash);
    const int group = key_group_of(hash, kMaxParallelism);
    return group >= groups_.begin && group < groups_.end;
  }
  Column texts(const std::vector<std::optional<std::string>>& values) {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const auto& value : values) {
      if (value) {
        builder.append_string(*value);
      } else {
        builder.append_null();
      }
    }
    return *builder.finish();
  }
  Column numbers(const std::vector<std::optional<std::int64_t>>& values) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (const auto& value : values) {
      if (value) {
        builder.append(*value);
      } else {
        builder.append_null();
      }
    }
    return *builder.finish();
  }

  std::string some_key() {
    while (true) {
      const std::uint64_t id = random_.uniform(12);
      std::string key =
          (id % 3 == 0 ? "an outer key too long to be inline " : "k") + std::to_string(id);
      if (is_ours(key)) return key;
    }
  }
  Entry some_entry() {
    Entry entry;
    if (random_.uniform(8) > 0) entry.number = random_.uniform_between(-20, 20) / 2;
    const std::uint64_t kind = random_.uniform(8);
    if (kind > 0) entry.text = std::to_string(random_.uniform(6));
    if (kind == 2) *entry.text += '\0';
    if (kind == 3) entry.text->insert(0, "a text that is too long to be inline");
    if (kind == 4) *entry.text += std::string(1, '\0') + "and zeros before a long rest of it";
    return entry;
  }
  StateNamespace some_namespace() { return random_.uniform_between(0, 2); }

  // A call's keys, entries and columns of both.
  struct Call {
    std::vector<std::string> keys;
    std::vector<Entry> entries;
    Column key_column = {};
    std::vector<std::uint64_t> hashes = {};
    std::vector<Column> entry_columns = {};
    [[nodiscard]] KeyBatch batch() const {
      return {.columns = {&key_column, 1},
              .hashes = hashes.data(),
              .count = static_cast<std::int64_t>(keys.size())};
    }
  };
  Call make_call(std::vector<std::string> keys, std::vector<Entry> entries) {
    Call call{.keys = std::move(keys), .entries = std::move(entries)};
    call.key_column = texts({call.keys.begin(), call.keys.end()});
    call.hashes.resize(call.keys.size());
    hash_rows({&call.key_column, 1}, call.key_column.length(), call.hashes.data());
    std::vector<std::optional<std::int64_t>> first;
    std::vector<std::optional<std::string>> second;
    for (const Entry& entry : call.entries) {
      first.push_back(entry.number);
      second.push_back(entry.text);
    }
    call.entry_columns = {numbers(first), texts(second)};
    return call;
  }
  Call some_call(std::uint64_t max) {
    std::vector<std::string> keys;
    std::vector<Entry> entries;
    const std::uint64_t count = 1 + random_.uniform(max);
    // Now and then all of one key.
    const bool is_one = random_.uniform(4) == 0;
    const std::string one = some_key();
    for (std::uint64_t i = 0; i < count; ++i) {
      keys.push_back(is_one ? one : some_key());
      entries.push_back(some_entry());
    }
    return make_call(std::move(keys), std::move(entries));
  }

  void put() {
    const StateNamespace ns = some_namespace();
    const Call call = some_call(random_.uniform(4) == 0 ? 200 : 10);
    std::vector<std::optional<std::int64_t>> value_numbers;
    std::vector<std::optional<std::string>> value_texts;
    for (std::size_t i = 0; i < call.keys.size(); ++i) {
      const Value value{
          .number = ++writes_,
          .text = std::string(random_.uniform(30), static_cast<char>('a' + random_.uniform(26)))};
      value_numbers.emplace_back(value.number);
      value_texts.emplace_back(value.text);
      entries_of(ns, call.keys[i])[call.entries[i]] = value;
    }
    const std::vector<Column> values = {numbers(value_numbers), texts(value_texts)};
    const Status status = map().put(ns, call.batch(), call.entry_columns, values);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }

  Entries& entries_of(StateNamespace ns, const std::string& key) {
    return model_.try_emplace({ns, key}, Entries(less_)).first->second;
  }
  void forget_empty() {
    std::erase_if(model_, [](const auto& entries) { return entries.second.empty(); });
  }

  void erase() {
    const StateNamespace ns = some_namespace();
    const Call call = some_call(30);
    ASSERT_TRUE(map().erase(ns, call.batch(), call.entry_columns).is_ok());
    for (std::size_t i = 0; i < call.keys.size(); ++i) {
      entries_of(ns, call.keys[i]).erase(call.entries[i]);
    }
    forget_empty();
  }

  struct Range {
    int from_columns = 0;
    int to_columns = 0;
    bool from_included = true;
    bool to_included = true;
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    bool backwards = false;
  };
  Range some_range() {
    Range range{.from_columns = static_cast<int>(random_.uniform(3)),
                .to_columns = static_cast<int>(random_.uniform(3)),
                .from_included = random_.uniform(2) == 0,
                .to_included = random_.uniform(2) == 0,
                .backwards = random_.uniform(2) == 0};
    if (random_.uniform(2) == 0) range.limit = static_cast<std::int64_t>(random_.uniform(8));
    return range;
  }
  static EntryRanges ranges_of(const Range& range, const Call& from, const Call& to) {
    const std::span<const Column> from_columns(from.entry_columns);
    const std::span<const Column> to_columns(to.entry_columns);
    return {.keys = from.batch(),
            .from = {from_columns.first(static_cast<std::size_t>(range.from_columns)),
                     range.from_included},
            .to = {to_columns.first(static_cast<std::size_t>(range.to_columns)), range.to_included},
            .limit = range.limit,
            .backwards = range.backwards};
  }
  Found expected_of(const OuterKey& key, const Range& range, const Entry& from, const Entry& to) {
    Found found;
    const auto entries = model_.find(key);
    if (entries == model_.end()) return found;
    for (const auto& [entry, value] : entries->second) {
      const int after = range.from_columns > 0 ? less_.compare(entry, from, range.from_columns) : 1;
      const int before = range.to_columns > 0 ? less_.compare(entry, to, range.to_columns) : -1;
      if (after < 0 || (after == 0 && !range.from_included)) continue;
      if (before > 0 || (before == 0 && !range.to_included)) continue;
      found.emplace_back(entry, value);
    }
    if (range.backwards) std::reverse(found.begin(), found.end());
    if (static_cast<std::int64_t>(found.size()) > range.limit) {
      found.resize(static_cast<std::size_t>(range.limit));
    }
    return found;
  }

  static Found read(const EntryColumns& found, std::size_t begin, std::size_t end) {
    Found read;
    for (auto i = static_cast<std::int64_t>(begin); i < static_cast<std::int64_t>(end); ++i) {
      Entry entry;
      if (!found.entries[0].is_null(i)) {
        entry.number = found.entries[0].values<std::int64_t>()[i];
      }
      if (!found.entries[1].is_null(i)) entry.text = found.entries[1].string_at(i);
      read.emplace_back(entry, Value{.number = found.values[0].values<std::int64_t>()[i],
                                     .text = std::string(found.values[1].string_at(i))});
    }
    return read;
  }

  void check_range() {
    const StateNamespace ns = some_namespace();
    const Range range = some_range();
    const Call from = some_call(6);
    std::vector<Entry> ends;
    for (std::size_t i = 0; i < from.keys.size(); ++i) ends.push_back(some_entry());
    const Call to = make_call(from.keys, ends);
    EntryColumns found;
    const Status status = map().range(ns, ranges_of(range, from, to), found);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    std::size_t begin = 0;
    for (std::size_t i = 0; i < from.keys.size(); ++i) {
      const std::size_t end = found.ends[i];
      ASSERT_EQ(read(found, begin, end),
                expected_of({ns, from.keys[i]}, range, from.entries[i], to.entries[i]));
      begin = end;
    }
  }

  void erase_range() {
    const StateNamespace ns = some_namespace();
    const Range range = some_range();
    const Call from = make_call({some_key()}, {some_entry()});
    const Call to = make_call(from.keys, {some_entry()});
    const Found expected = expected_of({ns, from.keys[0]}, range, from.entries[0], to.entries[0]);
    const Result<std::int64_t> erased = map().erase_range(ns, ranges_of(range, from, to));
    ASSERT_TRUE(erased.is_ok()) << erased.status().to_string();
    ASSERT_EQ(*erased, static_cast<std::int64_t>(expected.size()));
    Entries& entries = entries_of(ns, from.keys[0]);
    for (const auto& [entry, value] : expected) entries.erase(entry);
    forget_empty();
  }

  void clear() {
    const StateNamespace ns = some_namespace();
    const Call call = make_call({some_key(), some_key()}, {{}, {}});
    ASSERT_TRUE(map().clear(ns, call.batch()).is_ok());
    for (const std::string& key : call.keys) model_.erase({ns, key});
  }

  void drop() {
    const StateNamespace ns = some_namespace();
    map().drop(ns);
    std::erase_if(model_, [ns](const auto& entries) { return entries.first.first == ns; });
  }

  void freeze() {
    map();
    if (snapshot_) return;
    snapshot_ = backend_->freeze(random_.uniform(20) == 0).value();
    frozen_ = model_;
    frozen_chain_.clear();
    if (!snapshot_->is_base()) {
      frozen_chain_.assign(chain_.begin() + static_cast<std::ptrdiff_t>(snapshot_->outdated()),
                           chain_.end());
    }
    bytes_.clear();
    is_pending_ = false;
  }

  void go_on() {
    if (!snapshot_) {
      if (random_.uniform(3) == 0) confirm(random_.uniform(3) > 0);
      return;
    }
    if (random_.uniform(40) == 0) {
      snapshot_.reset();  // Given up.
      return;
    }
    if (!snapshot_->write_some(random_.uniform_between(1, 60), bytes_).value()) return;
    snapshot_.reset();
    frozen_chain_.push_back(std::move(bytes_));
    bytes_.clear();
    is_pending_ = true;
  }

  void confirm(bool completed) {
    if (!is_pending_) return;
    is_pending_ = false;
    backend_->confirm(completed);
    if (!completed) return;
    chain_ = frozen_chain_;
    confirmed_ = frozen_;
  }

  // The process dies; another one, maybe with another backend, goes on from the last snapshot.
  void fall_back() {
    ++falls_;
    snapshot_.reset();
    is_pending_ = false;
    start();
    if (!chain_.empty()) {
      ASSERT_TRUE(backend_->restore(of_one(chain_)).is_ok());
    }
    model_ = confirmed_;
    check_all();
  }

  void check_all() {
    std::int64_t rows = 0;
    for (const auto& [key, entries] : model_) rows += static_cast<std::int64_t>(entries.size());
    std::int64_t found_rows = 0;
    for (const StateNamespace ns : map().rows().namespaces()) {
      found_rows += map().rows().row_count(ns);
    }
    ASSERT_EQ(found_rows, rows);
    for (const auto& [key, entries] : model_) {
      const Call call = make_call({key.second}, {{}});
      EntryColumns found;
      ASSERT_TRUE(map().range(key.first, {.keys = call.batch()}, found).is_ok());
      ASSERT_EQ(read(found, 0, found.rows()), Found(entries.begin(), entries.end()));
    }
  }

  const std::vector<std::string> kinds_;
  const KeyGroupRange groups_;
  MemoryPool* pool_;
  Random random_;
  const EntryLess less_;
  std::unique_ptr<KeyedStateBackend> backend_;
  std::optional<MapState> map_;
  Model model_;
  std::int64_t writes_ = 0;
  int falls_ = 0;

  std::unique_ptr<StateSnapshot> snapshot_;
  std::string bytes_;
  Model frozen_;
  std::vector<std::string> frozen_chain_;
  bool is_pending_ = false;
  Model confirmed_;
  std::vector<std::string> chain_;
};

std::array<EntryDirection, 2> directions_of(std::uint64_t seed) {
  return {EntryDirection{.descending = (seed & 1) != 0, .nulls_last = (seed & 2) != 0},
          EntryDirection{.descending = (seed & 4) != 0, .nulls_last = (seed & 8) != 0}};
}

class EntryWalkTest : public ::testing::TestWithParam<std::tuple<std::string, std::uint64_t>> {
 protected:
  static std::vector<std::string> kinds() {
    const std::string& kind = std::get<0>(GetParam());
    if (kind != "changing") return {kind};
    return {"hashmap", "rocksdb", "rocksdb_cached"};
  }
};

TEST_P(EntryWalkTest, entries_are_those_of_a_map_through_snapshots_and_restores) {
  const auto pool = MemoryPool::make_root("test");
  const std::uint64_t seed = std::get<1>(GetParam());
  EntryWalker walker(kinds(), {0, kMaxParallelism}, *pool, Random(seed), directions_of(seed));
  for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) walker.step();
  EXPECT_GT(walker.falls(), 3);
}

TEST_P(EntryWalkTest, entries_go_where_their_outer_keys_go) {
  const auto pool = MemoryPool::make_root("test");
  const std::uint64_t seed = std::get<1>(GetParam());
  Random random(seed);
  RestoredState state;
  Model all;
  for (const int parallelism : {2, 3, 2}) {
    RestoredState next;
    Model next_all;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      EntryWalker walker(kinds(), key_group_range(subtask, kMaxParallelism, parallelism), *pool,
                         random.fork(std::to_string(parallelism * 10 + subtask)),
                         directions_of(seed));
      walker.restore(state, all);
      for (int i = 0; i < 300 && !HasFatalFailure(); ++i) walker.step();
      walker.settle();
      if (HasFatalFailure()) return;
      next.parts.push_back({.snapshots = testing::in_files(walker.chain())});
      for (const auto& [key, entries] : walker.model()) {
        ASSERT_TRUE(next_all.insert({key, entries}).second);
      }
    }
    state = std::move(next);
    all = std::move(next_all);
  }
}

std::string name_of_walk(
    const ::testing::TestParamInfo<std::tuple<std::string, std::uint64_t>>& walk) {
  return std::get<0>(walk.param) + "_" + std::to_string(std::get<1>(walk.param));
}
INSTANTIATE_TEST_SUITE_P(All, EntryWalkTest,
                         ::testing::Combine(::testing::Values("hashmap", "rocksdb",
                                                              "rocksdb_cached", "changing"),
                                            ::testing::Range<std::uint64_t>(0, 8)),
                         name_of_walk);
INSTANTIATE_TEST_SUITE_P(Disk, EntryWalkTest,
                         ::testing::Combine(::testing::Values("rocksdb_disk"),
                                            ::testing::Values<std::uint64_t>(13)),
                         name_of_walk);

// ---- Order by type ----

// Values of every flat type in their order, by the indices of their rows.
class EntryOrderTest : public ::testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  // `ordered` is ascending. Puts its rows in another order and reads them from memory and, where
  // there is one, from the store.
  void check(const Column& ordered) {
    const auto& [kind, descending] = GetParam();
    const auto backend = testing::make_test_backend(kind, {.pool = pool_.get()});
    MapState map = *MapState::open(*backend,
                                   {.name = "map",
                                    .key_types = {},
                                    .entry_types = {ordered.type()},
                                    .directions = {{.descending = descending}},
                                    .values = {{"place", DataType::big_int(), {}}}},
                                   *pool_);
    const std::int64_t rows = ordered.length();
    std::uint64_t hash = 0;
    hash_rows({}, 1, &hash);
    const std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows), hash);
    std::vector<std::int32_t> shuffled;
    for (std::int32_t i = 0; i < rows; ++i) {
      shuffled.push_back(static_cast<std::int32_t>((i * 7 + 3) % rows));
    }
    ColumnBuilder places(DataType::big_int(), *pool_);
    for (std::int64_t i = 0; i < rows; ++i) places.append(i);
    const std::vector<Column> values = {*places.finish()};
    const Status status =
        map.put(0, {.columns = {}, .hashes = hashes.data(), .rows = shuffled.data(), .count = rows},
                {&ordered, 1}, values);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    for (const bool is_released : {false, true}) {
      if (is_released) {
        ASSERT_TRUE(backend->release_rows().is_ok());
      }
      EntryColumns found;
      ASSERT_TRUE(
          map.first(0, {.columns = {}, .hashes = hashes.data(), .count = 1}, 100, found).is_ok());
      ASSERT_EQ(static_cast<std::int64_t>(found.rows()), rows);
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t place = found.values[0].values<std::int64_t>()[i];
        // NULL comes first either way.
        const std::int64_t expected = !descending || i == 0 ? i : rows - i;
        ASSERT_EQ(place, expected) << ordered.type().to_string();
        ASSERT_TRUE(keys_equal({&ordered, 1}, place, found.entries, i));
      }
    }
  }

  template <typename T>
  void check_numbers(const DataType& type, const std::vector<T>& ascending) {
    ColumnBuilder builder(type, *pool_);
    builder.append_null();
    for (const T value : ascending) builder.append(value);
    check(*builder.finish());
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

template <typename T>
std::vector<T> around_zero() {
  using Limits = std::numeric_limits<T>;
  return {Limits::lowest(),
          static_cast<T>(Limits::lowest() + 1),
          T{-2},
          T{-1},
          T{0},
          T{1},
          T{2},
          static_cast<T>(Limits::max() - 1),
          Limits::max()};
}

TEST_P(EntryOrderTest, numbers_come_by_value) {
  check_numbers<std::int8_t>(DataType::tiny_int(), around_zero<std::int8_t>());
  check_numbers<std::int16_t>(DataType::small_int(), around_zero<std::int16_t>());
  check_numbers<std::int32_t>(DataType::integer(), around_zero<std::int32_t>());
  check_numbers<std::int64_t>(DataType::big_int(), around_zero<std::int64_t>());
  check_numbers<std::uint8_t>(DataType::boolean(), {0, 1});
  check_numbers<std::int32_t>(DataType::date(), {-1, 0, 20000});
  check_numbers<std::int64_t>(DataType::timestamp_ltz(3), {-1, 0, 1'700'000'000'000});
}

TEST_P(EntryOrderTest, fractions_come_by_value_and_nan_last) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_numbers<double>(DataType::double_(), {-kInfinity, -1e300, -1.5, -1e-300, 0.0, 1e-300, 1.0,
                                              1.5, 1e300, kInfinity, std::nan("")});
  check_numbers<float>(DataType::float_(), {-std::numeric_limits<float>::infinity(), -1.5F, -1e-30F,
                                            0.0F, 1e-30F, 2.0F, std::nanf("")});
}

TEST_P(EntryOrderTest, decimals_come_by_value) {
  const auto large = static_cast<Int128>(1) << 100;
  check_numbers<Int128>(
      DataType::decimal(38, 2),
      {-large - 1, -large, -(static_cast<Int128>(1) << 64), -1, 0, 1,
       (static_cast<Int128>(1) << 64) - 1, static_cast<Int128>(1) << 64, large, large + 1});
}

TEST_P(EntryOrderTest, texts_come_by_their_bytes) {
  using std::string_literals::operator""s;
  ColumnBuilder builder(DataType::string(), *pool_);
  builder.append_null();
  for (const std::string& text :
       {""s, "\0"s, "\0\0"s, "\0a"s, "a"s, "a\0"s, "a\0b"s, "a\x01"s, "ab"s, "abcdefgh"s,
        "abcdefgh\0"s, "abcdefgh and twenty more"s, "abcdefgh and twenty more\0"s,
        "abcdefgh and twenty more\0 after a zero"s, "abcdefgh and twenty morf"s, "abcdefgi"s,
        "\xC3\xA4"s, "\xF0\x9F\x98\x80"s}) {
    builder.append_string(text);
  }
  check(*builder.finish());
}

INSTANTIATE_TEST_SUITE_P(All, EntryOrderTest,
                         ::testing::Combine(::testing::ValuesIn(testing::state_backend_kinds()),
                                            ::testing::Bool()),
                         [](const auto& param) {
                           return std::get<0>(param.param) +
                                  (std::get<1>(param.param) ? "_descending" : "_ascending");
                         });

}  // namespace
}  // namespace clepsydra
