#include "state/row_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "state/state_backend.h"
#include "state/state_test_backends.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Each step is of one row; in between, rows are released.
class RowStatesTest : public ::testing::TestWithParam<std::string> {
 protected:
  RowStatesTest() {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const char* key : {"a", "b", "a key too long to be inline"}) builder.append_string(key);
    keys_ = *builder.finish();
    hash_rows({&keys_, 1}, 3, hashes_);
  }
  // The key in row `i` of a batch.
  void at(std::int64_t i) {
    ASSERT_TRUE(backend_->release_rows().is_ok());
    row_.set({.columns = {&keys_, 1}, .hashes = hashes_, .count = 3}, i);
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  std::unique_ptr<KeyedStateBackend> backend_ =
      testing::make_test_backend(GetParam(), {.pool = pool_.get()});
  Column keys_;
  std::uint64_t hashes_[3];
  RowInHand row_{*backend_, {DataType::string()}, *pool_};
};

TEST_P(RowStatesTest, what_functions_keep_may_expire) {
  SimulatedClock clock;
  backend_ = testing::make_test_backend(GetParam(), {.pool = pool_.get(), .clock = &clock});
  RowInHand row(*backend_, {DataType::string()}, *pool_);
  row.set({.columns = {&keys_, 1}, .hashes = hashes_, .count = 3}, 1);
  const StateTtl ttl{.ttl_ms = 10};
  const auto add = [](std::int64_t sum, std::int64_t value) { return sum + value; };
  auto value = *RowValue<std::int64_t>::open(row, "value", ttl);
  auto sum = *RowAggregate<std::int64_t, std::int64_t, std::int64_t (*)(const std::int64_t&),
                           decltype(add)>::
                 open(
                     row, "sum", [](const std::int64_t& first) { return first; }, add, ttl);
  auto list = *RowList<std::string>::open(row, "list", ttl);
  auto map = *RowMap<std::int64_t, std::string>::open(row, "map", ttl);
  for (const char* text : {"one", "two"}) {
    ASSERT_TRUE(value.set(1).is_ok());
    ASSERT_TRUE(sum.add(5).is_ok());
    ASSERT_TRUE(list.add(text).is_ok());
    ASSERT_TRUE(map.put(text[0], text).is_ok());
    clock.advance_ms(6);
  }
  // The first of each is 12 ms old.
  EXPECT_EQ(*value.get(), 1);
  EXPECT_EQ(*sum.get(), 10);
  EXPECT_THAT(*list.get(), ElementsAre("two"));
  EXPECT_THAT(*map.first(), ElementsAre(Pair('t', "two")));
  clock.advance_ms(4);
  EXPECT_EQ(*value.get(), std::nullopt);
  EXPECT_EQ(*sum.get(), std::nullopt);
  ASSERT_TRUE(sum.add(7).is_ok());
  EXPECT_EQ(*sum.get(), 7);
  EXPECT_THAT(*list.get(), IsEmpty());
  EXPECT_THAT(*map.first(), IsEmpty());
}

TEST_P(RowStatesTest, a_value_belongs_to_the_key_in_hand) {
  auto text = *RowValue<std::string>::open(row_, "text");
  at(0);
  EXPECT_EQ(*text.get(), std::nullopt);
  ASSERT_TRUE(text.set("the first value of the first key").is_ok());
  at(2);
  ASSERT_TRUE(text.set("x").is_ok());
  at(0);
  EXPECT_EQ(*text.get(), "the first value of the first key");
  ASSERT_TRUE(text.clear().is_ok());
  EXPECT_EQ(*text.get(), std::nullopt);
  at(2);
  EXPECT_EQ(*text.get(), "x");
}

TEST_P(RowStatesTest, values_are_kept_to_the_last_bit) {
  auto number = *RowValue<double>::open(row_, "number");
  at(0);
  ASSERT_TRUE(number.set(-0.0).is_ok());
  at(0);
  EXPECT_TRUE(std::signbit(**number.get()));
  auto flag = *RowValue<bool>::open(row_, "flag");
  ASSERT_TRUE(flag.set(true).is_ok());
  at(0);
  EXPECT_EQ(*flag.get(), true);
}

TEST_P(RowStatesTest, what_is_added_is_reduced_and_aggregated) {
  const auto greater = [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
  const auto same = [](std::int64_t value) { return value; };
  auto max = *RowAggregate<std::int64_t, std::int64_t, decltype(same), decltype(greater)>::open(
      row_, "max", same, greater);
  const auto first = [](std::int64_t value) { return std::to_string(value); };
  const auto join = [](const std::string& all, std::int64_t value) {
    return all + "," + std::to_string(value);
  };
  auto list = *RowAggregate<std::string, std::int64_t, decltype(first), decltype(join)>::open(
      row_, "list", first, join);
  for (const std::int64_t value : {5, 9, 7}) {
    at(1);
    ASSERT_TRUE(max.add(value).is_ok());
    ASSERT_TRUE(list.add(value).is_ok());
  }
  at(0);
  EXPECT_EQ(*max.get(), std::nullopt);
  at(1);
  EXPECT_EQ(*max.get(), 9);
  EXPECT_EQ(*list.get(), "5,9,7");
  ASSERT_TRUE(max.clear().is_ok());
  ASSERT_TRUE(max.add(3).is_ok());
  EXPECT_EQ(*max.get(), 3);
}

TEST_P(RowStatesTest, a_list_keeps_its_order) {
  auto list = *RowList<std::string>::open(row_, "list");
  at(0);
  EXPECT_THAT(*list.get(), IsEmpty());
  ASSERT_TRUE(list.add("z").is_ok());
  at(1);
  ASSERT_TRUE(list.add("other").is_ok());
  at(0);
  const std::vector<std::string> more = {"a", "a", "an item too long to be inline"};
  ASSERT_TRUE(list.add_all(more).is_ok());
  at(0);
  EXPECT_THAT(*list.get(), ElementsAre("z", "a", "a", "an item too long to be inline"));
  ASSERT_TRUE(list.update(more).is_ok());
  EXPECT_EQ(*list.get(), more);
  ASSERT_TRUE(list.update({}).is_ok());
  EXPECT_THAT(*list.get(), IsEmpty());
  at(1);
  EXPECT_THAT(*list.get(), ElementsAre("other"));
}

TEST_P(RowStatesTest, a_map_is_sorted_and_has_ranges) {
  auto map = *RowMap<std::int64_t, std::string>::open(row_, "map");
  for (const std::int64_t key : {30, -10, 20, 10, 0}) {
    at(2);
    ASSERT_TRUE(map.put(key, std::to_string(key)).is_ok());
  }
  at(0);
  ASSERT_TRUE(map.put(1, "another's").is_ok());
  at(2);
  ASSERT_TRUE(map.put(20, "again").is_ok());
  EXPECT_EQ(*map.get(20), "again");
  EXPECT_EQ(*map.get(21), std::nullopt);
  EXPECT_THAT(*map.first(2), ElementsAre(Pair(-10, "-10"), Pair(0, "0")));
  EXPECT_THAT(*map.range(0, 20), ElementsAre(Pair(0, "0"), Pair(10, "10")));
  EXPECT_EQ(*map.erase_range(0, 20), 2);
  ASSERT_TRUE(map.erase(-10).is_ok());
  at(2);
  EXPECT_THAT(*map.first(), ElementsAre(Pair(20, "again"), Pair(30, "30")));
  ASSERT_TRUE(map.clear().is_ok());
  EXPECT_THAT(*map.first(), IsEmpty());
  at(0);
  EXPECT_THAT(*map.first(), ElementsAre(Pair(1, "another's")));
}

INSTANTIATE_TEST_SUITE_P(All, RowStatesTest, ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace clepsydra
