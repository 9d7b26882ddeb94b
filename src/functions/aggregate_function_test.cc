#include "functions/aggregate_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "functions/function_registry.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::column_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::random_column;
using testing::test_pool;
using testing::type_of;

// Accumulators of one aggregate for a number of groups, as an operator holds them.
class Groups {
 public:
  Groups(std::string_view function, std::vector<DataType> types, int count, bool distinct = false)
      : types_(std::move(types)), allocator_(test_pool()), count_(count) {
    std::vector<ExpressionPtr> arguments;
    for (const DataType& type : types_) {
      // The separator of LISTAGG is a literal.
      arguments.push_back(arguments.empty() ? Expression::column(0, type, "x") : text_literal("-"));
    }
    const auto resolved = FunctionRegistry::built_in()
                              .resolve_aggregate(function, std::move(arguments), distinct)
                              .value();
    aggregate_ = make_aggregate(resolved.function, types_, resolved.type, distinct).value();
    // Two words in front, as if another aggregate were there.
    memory_.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(stride()),
                   std::byte{0});
  }
  ~Groups() { aggregate_->destroy(all(), kOffset, allocator_); }
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  std::byte* state(int group) { return memory_.data() + group * stride(); }
  std::vector<std::byte*> all() {
    std::vector<std::byte*> states;
    for (int i = 0; i < count_; ++i) states.push_back(state(i));
    return states;
  }
  AggregateFunction& function() { return *aggregate_; }

  // Adds all rows of the columns to the groups given by row.
  void add(const std::vector<int>& groups, const std::vector<Column>& columns,
           const Column* filter = nullptr, const std::vector<std::int32_t>* rows = nullptr) {
    std::vector<std::byte*> states;
    for (const int group : groups) states.push_back(state(group));
    const AggregateInput input{.states = states,
                               .offset = kOffset,
                               .rows = rows != nullptr ? rows->data() : nullptr,
                               .arguments = columns,
                               .filter = filter};
    ASSERT_TRUE(aggregate_->update(input, allocator_).is_ok());
  }
  void merge(Groups& other) {
    ASSERT_TRUE(aggregate_->merge(all(), other.all(), kOffset, allocator_).is_ok());
  }
  // As partials travel from a local to a global operator.
  void merge_by_columns(Groups& other) {
    std::vector<Column> columns;
    ASSERT_TRUE(other.aggregate_->write_state(other.all(), kOffset, test_pool(), columns).is_ok());
    ASSERT_EQ(columns.size(), aggregate_->state_types().size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      EXPECT_TRUE(columns[i].type().same_values(aggregate_->state_types()[i]));
    }
    const std::vector<std::byte*> states = all();
    ASSERT_TRUE(
        aggregate_
            ->merge_columns({.states = states, .offset = kOffset, .arguments = columns}, allocator_)
            .is_ok());
  }
  void subtract(Groups& other) {
    ASSERT_TRUE(aggregate_->subtract(all(), other.all(), kOffset).is_ok());
  }
  std::vector<std::string> results() {
    return lines_of(aggregate_->emit(all(), kOffset, test_pool()).value());
  }

 private:
  static constexpr std::int64_t kOffset = 16;
  [[nodiscard]] std::int64_t stride() const { return kOffset + aggregate_->state_bytes(); }

  std::vector<DataType> types_;
  PoolStateAllocator allocator_;
  AggregateFunctionPtr aggregate_;
  int count_;
  std::vector<std::byte> memory_;
};

std::vector<std::string> aggregate(std::string_view function, std::string_view type,
                                   const std::vector<std::string_view>& values,
                                   bool distinct = false) {
  Groups groups(function, {type_of(type)}, 1, distinct);
  groups.add(std::vector<int>(values.size(), 0), {column_of(type, values)});
  return groups.results();
}

// Expected values: category `aggregate` of the recorded expressions.
TEST(AggregateFunctionTest, answers_as_recorded) {
  EXPECT_THAT(aggregate("COUNT", "INT", {"1", "NULL", "3"}), ElementsAre("2"));
  EXPECT_THAT(aggregate("SUM", "INT", {"NULL"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("SUM", "TINYINT", {"100", "100"}), ElementsAre("-56"));
  EXPECT_THAT(aggregate("SUM", "DECIMAL(2, 1)", {"1.5", "2.5", "2.5"}), ElementsAre("6.5"));
  EXPECT_THAT(aggregate("AVG", "DECIMAL(2, 1)", {"1.5", "2.5", "2.5"}), ElementsAre("2.166667"));
  EXPECT_THAT(aggregate("AVG", "INT", {"1", "2", "3", "4"}), ElementsAre("2"));
  EXPECT_THAT(aggregate("AVG", "INT", {"2147483647", "1"}), ElementsAre("1073741824"));
  EXPECT_THAT(aggregate("AVG", "BIGINT", {"5000000000", "1"}), ElementsAre("2500000000"));
  EXPECT_THAT(aggregate("AVG", "DOUBLE", {"1.5", "2.25", "-1.0"}),
              ElementsAre("0.9166666666666666"));
  EXPECT_THAT(aggregate("SUM", "FLOAT", {"1.1", "2.2"}), ElementsAre("3.3000002"));
  EXPECT_THAT(aggregate("AVG", "FLOAT", {"1.1", "2.2"}), ElementsAre("1.6500001"));
  EXPECT_THAT(aggregate("MIN", "CHAR(1)", {"b", "a", "c", "a"}), ElementsAre("a"));
  EXPECT_THAT(aggregate("MAX", "CHAR(1)", {"b", "a", "c", "a"}), ElementsAre("c"));
  EXPECT_THAT(aggregate("MIN", "BOOLEAN", {"TRUE", "FALSE"}), ElementsAre("FALSE"));
  EXPECT_THAT(aggregate("MAX", "TIME(0)", {"01:00:00", "02:00:00"}), ElementsAre("02:00:00"));
  EXPECT_THAT(aggregate("LISTAGG", "STRING", {"b", "a", "NULL", "c", "a"}),
              ElementsAre("'b,a,c,a'"));
  EXPECT_THAT(aggregate("LISTAGG", "STRING", {"NULL"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("COUNT", "INT", {"2", "2", "3", "NULL"}, true), ElementsAre("2"));
  EXPECT_THAT(aggregate("SUM", "INT", {"1", "NULL", "3", "3"}, true), ElementsAre("4"));
  EXPECT_THAT(aggregate("AVG", "INT", {"1", "NULL", "3", "3"}, true), ElementsAre("2"));
  EXPECT_THAT(aggregate("LISTAGG", "STRING", {"b", "a", "b", "NULL"}, true), ElementsAre("'b,a'"));
}

TEST(AggregateFunctionTest, count_star_counts_rows) {
  Groups groups("COUNT", {}, 2);
  groups.add({0, 1, 1}, {});
  EXPECT_THAT(groups.results(), ElementsAre("1", "2"));
}

TEST(AggregateFunctionTest, filter_takes_rows_that_are_true) {
  Groups groups("SUM", {type_of("INT")}, 1);
  const Column filter = column_of("BOOLEAN", {"TRUE", "FALSE", "NULL", "TRUE"});
  groups.add({0, 0, 0, 0}, {column_of("INT", {"1", "2", "4", "8"})}, &filter);
  EXPECT_THAT(groups.results(), ElementsAre("9"));
}

TEST(AggregateFunctionTest, rows_choose_among_those_of_the_columns) {
  Groups groups("MAX", {type_of("STRING")}, 2);
  const std::vector<std::int32_t> rows = {3, 0};
  groups.add({0, 1}, {column_of("STRING", {"a", "b", "c", "a text longer than a view"})}, nullptr,
             &rows);
  EXPECT_THAT(groups.results(), ElementsAre("a text longer than a view", "a"));
}

TEST(AggregateFunctionTest, a_decimal_sum_that_overflows_on_the_way_is_exact) {
  const std::string big(38, '9');
  EXPECT_THAT(aggregate("SUM", "DECIMAL(38, 0)", {big, big, "-" + big}), ElementsAre(big));
  EXPECT_THAT(aggregate("SUM", "DECIMAL(38, 0)", {big, "1"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("AVG", "DECIMAL(38, 0)", {"-1", "-2"}), ElementsAre("-1.500000"));
}

TEST(AggregateFunctionTest, nan_is_the_greatest_in_any_order) {
  EXPECT_THAT(aggregate("MAX", "DOUBLE", {"1.0", "NaN", "2.0"}), ElementsAre("NaN"));
  EXPECT_THAT(aggregate("MAX", "DOUBLE", {"NaN", "2.0"}), ElementsAre("NaN"));
  EXPECT_THAT(aggregate("MIN", "DOUBLE", {"NaN", "2.0", "1.0"}), ElementsAre("1.0"));
  EXPECT_THAT(aggregate("MIN", "DOUBLE", {"1.0", "NaN"}), ElementsAre("1.0"));
}

TEST(AggregateFunctionTest, list_agg_uses_its_separator_also_when_merged) {
  const std::vector<DataType> types = {type_of("STRING"), type_of("CHAR(1) NOT NULL")};
  const auto separators = [](std::size_t n) {
    return column_of("CHAR(1) NOT NULL", std::vector<std::string_view>(n, "-"));
  };
  for (const bool distinct : {false, true}) {
    Groups a("LISTAGG", types, 2, distinct);
    Groups b("LISTAGG", types, 2, distinct);
    a.add({0, 0}, {column_of("STRING", {"x", "y"}), separators(2)});
    b.add({0, 1, 0}, {column_of("STRING", {"z", "q", "x"}), separators(3)});
    a.merge(b);
    EXPECT_THAT(a.results(), ElementsAre(distinct ? "x-y-z" : "x-y-z-x", "q"));
    Groups c("LISTAGG", types, 2, distinct);
    c.merge_by_columns(a);
    EXPECT_EQ(c.results(), a.results());
  }
}

TEST(AggregateFunctionTest, what_does_not_exist_is_refused) {
  const auto message = [](std::string_view function, std::string_view type, std::string_view result,
                          bool distinct = false) {
    return make_aggregate(function, {type_of(type)}, type_of(result), distinct)
        .status()
        .to_string();
  };
  EXPECT_THAT(message("MEDIAN", "INT", "INT"), HasSubstr("no aggregate function MEDIAN(INT)"));
  EXPECT_THAT(message("SUM", "STRING", "STRING"), HasSubstr("SUM(STRING)"));
  EXPECT_THAT(message("SUM", "INT", "BIGINT"), HasSubstr("with result BIGINT"));
  EXPECT_THAT(message("MAX", "ARRAY<INT>", "ARRAY<INT>"), HasSubstr("MAX(ARRAY<INT>)"));
  EXPECT_THAT(message("COUNT", "ARRAY<INT>", "BIGINT", true),
              HasSubstr("COUNT(DISTINCT ARRAY<INT>)"));
}

// One way of computing must equal another for random values of every type: all rows at once; in two
// parts, merged; in two parts, merged by way of columns; and with a third part merged and taken
// away.
TEST(AggregateFunctionTest, merging_and_subtracting_equal_adding_all_rows) {
  Random random(7);
  constexpr int kGroups = 5;
  for (const char* type : {"TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL(20, 3)", "DATE",
                           "TIMESTAMP(6)", "STRING", "BOOLEAN", "BYTES"}) {
    for (const char* function : {"COUNT", "SUM", "AVG", "MIN", "MAX"}) {
      const DataType data_type = type_of(type);
      const bool is_sum = function[0] == 'S' || function[0] == 'A';
      if ((is_sum && !data_type.is_numeric()) || (function[0] == 'M' && data_type.is_binary()))
        continue;
      for (const bool distinct : {false, true}) {
        SCOPED_TRACE(std::string(function) + (distinct ? " DISTINCT " : " ") + type);
        Groups whole(function, {data_type}, kGroups, distinct);
        Groups merged(function, {data_type}, kGroups, distinct);
        Groups by_columns(function, {data_type}, kGroups, distinct);
        Groups extra(function, {data_type}, kGroups, distinct);
        std::vector<Groups*> parts;
        Groups first(function, {data_type}, kGroups, distinct);
        Groups second(function, {data_type}, kGroups, distinct);
        for (Groups* part : {&first, &second}) {
          const std::int64_t rows = random.uniform_between(1, 200);
          const Column values = random_column(data_type, rows, random, {.distinct_max = 30});
          std::vector<int> groups;
          for (std::int64_t i = 0; i < rows; ++i)
            groups.push_back(static_cast<int>(random.uniform(kGroups - 1)));
          part->add(groups, {values});
          whole.add(groups, {values});
        }
        extra.add({0, 1, 4}, {random_column(data_type, 3, random)});
        for (Groups* part : {&first, &second}) {
          merged.merge(*part);
          by_columns.merge_by_columns(*part);
        }
        EXPECT_EQ(merged.results(), whole.results());
        EXPECT_EQ(by_columns.results(), whole.results());
        if (whole.function().is_invertible()) {
          merged.merge(extra);
          merged.subtract(extra);
          EXPECT_EQ(merged.results(), whole.results());
        }
      }
    }
  }
}

TEST(AggregateFunctionTest, distinct_values_equal_a_set) {
  Random random(3);
  for (const char* type : {"BIGINT", "STRING", "DOUBLE"}) {
    Groups groups("COUNT", {type_of(type)}, 1, true);
    std::set<std::string> seen;
    for (int batch = 0; batch < 10; ++batch) {
      const Column values = random_column(type_of(type), 500, random, {.distinct_max = 700});
      groups.add(std::vector<int>(500, 0), {values});
      for (const std::string& line : lines_of(values)) {
        if (line != "NULL") seen.insert(line);
      }
    }
    EXPECT_THAT(groups.results(), ElementsAre(std::to_string(seen.size()))) << type;
  }
}

TEST(PoolStateAllocatorTest, gives_all_memory_back) {
  const std::shared_ptr<MemoryPool> pool = MemoryPool::make_root("accumulators", 1 << 20);
  {
    PoolStateAllocator allocator(*pool);
    std::map<std::byte*, std::int64_t> blocks;
    Random random(1);
    for (int i = 0; i < 2000; ++i) {
      if (blocks.size() > 20 && random.uniform(2) == 0) {
        allocator.free(blocks.begin()->first, blocks.begin()->second);
        blocks.erase(blocks.begin());
        continue;
      }
      const std::int64_t bytes = random.uniform_between(1, 6000);
      std::byte* block = nullptr;
      ASSERT_TRUE(allocator.allocate(bytes, block).is_ok());
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0);
      std::memset(block, i, static_cast<std::size_t>(bytes));
      ASSERT_TRUE(blocks.emplace(block, bytes).second);
    }
    EXPECT_GT(pool->used_bytes(), 0);
    std::byte* block = nullptr;
    EXPECT_EQ(allocator.allocate(2 << 20, block).code(), StatusCode::kResourceExhausted);
    allocator.reset();
    EXPECT_EQ(pool->used_bytes(), 0);
    EXPECT_EQ(allocator.used_bytes(), 0);
    ASSERT_TRUE(allocator.allocate(5, block).is_ok());
  }
  EXPECT_EQ(pool->used_bytes(), 0);
}

TEST(PoolStateAllocatorTest, an_aggregate_without_room_reports_it) {
  const std::shared_ptr<MemoryPool> pool = MemoryPool::make_root("tight", 100'000);
  PoolStateAllocator allocator(*pool);
  AggregateFunctionPtr list =
      make_aggregate("LISTAGG", {type_of("STRING")}, type_of("STRING"), false).value();
  std::vector<std::byte> memory(static_cast<std::size_t>(list->state_bytes()));
  const std::vector<std::byte*> states(1000, memory.data());
  const Column texts = column_of(
      "STRING",
      std::vector<std::string_view>(1000, std::string_view("abcdefghijklmnopqrstuvwxyz"
                                                           "abcdefghijklmnopqrstuvwxyz"
                                                           "abcdefghijklmnopqrstuvwxyz")));
  const Status status = list->update({.states = states, .arguments = {&texts, 1}}, allocator);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  list->destroy({states.data(), 1}, 0, allocator);
  EXPECT_EQ(allocator.used_bytes(), 0);
}

}  // namespace
}  // namespace clepsydra
