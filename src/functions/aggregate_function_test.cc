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
      const bool is_separator = !arguments.empty() && function == "LISTAGG";
      arguments.push_back(is_separator ? text_literal("-") : Expression::column(0, type, "x"));
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

// What Apache Flink 2.3.0 answers to SELECT function(v) FROM (VALUES ...).
TEST(AggregateFunctionTest, spreads_are_as_recorded) {
  const auto all = [](std::string_view type, const std::vector<std::string_view>& values) {
    std::vector<std::string> answers;
    for (const char* function : {"STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP"}) {
      answers.push_back(aggregate(function, type, values)[0]);
    }
    return answers;
  };
  EXPECT_THAT(all("INT", {"1", "2", "4", "NULL"}), ElementsAre("1", "1", "1", "2"));
  EXPECT_THAT(all("INT", {"1"}), ElementsAre("0", "NULL", "0", "NULL"));
  EXPECT_THAT(all("INT", {"1", "9", "5", "6"}), ElementsAre("2", "3", "8", "10"));
  EXPECT_THAT(all("INT", {"0", "1", "4"}), ElementsAre("1", "2", "2", "4"));
  EXPECT_THAT(all("BIGINT", {"-3", "10", "4", "-4", "5", "6", "8"}),
              ElementsAre("4", "5", "24", "28"));
  EXPECT_THAT(all("BIGINT", {"3", "5", "8"}), ElementsAre("2", "2", "4", "6"));
  EXPECT_THAT(all("DECIMAL(2, 1)", {"1.5", "2.0", "4.0"}),
              ElementsAre("1.080123", "1.322876", "1.166667", "1.750000"));
  EXPECT_THAT(all("FLOAT", {"1.5", "2.0"}), ElementsAre("0.25", "0.35355338", "0.0625", "0.125"));
  EXPECT_THAT(aggregate("STDDEV_POP", "TINYINT", {"100", "50"}), ElementsAre("25"));
  EXPECT_THAT(aggregate("VAR_POP", "TINYINT", {"100", "50"}), ElementsAre("113"));
  const std::vector<std::string_view> decimals = {"1.23456789", "2.5", "-7.1"};
  EXPECT_THAT(aggregate("VAR_POP", "DECIMAL(20, 8)", decimals), ElementsAre("18.13626004"));
  EXPECT_THAT(aggregate("VAR_SAMP", "DECIMAL(20, 8)", decimals), ElementsAre("27.20439006"));
  EXPECT_THAT(aggregate("VARIANCE", "INT", {"1", "2", "4"}), ElementsAre("2"));
  EXPECT_THAT(aggregate("STDDEV", "INT", {"1", "2", "4"}), ElementsAre("1"));
  EXPECT_THAT(aggregate("VAR_POP", "DOUBLE", {"1.0", "1.0", "4.0"}, true), ElementsAre("2.25"));
  EXPECT_THAT(aggregate("VAR_POP", "INT", {"NULL"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("VARIANCE", "DECIMAL(2, 1)", {"1.5", "2.5", "2.5"}),
              ElementsAre("0.333333"));
  // What does not fit is the largest value.
  EXPECT_THAT(all("INT", {"2147483647", "1"}),
              ElementsAre("1073741823", "1518500248", "2147483647", "2147483647"));
  EXPECT_THAT(
      all("BIGINT", {"5000000000", "1"}),
      ElementsAre("2499999999", "3535533905", "6249999997500000256", "9223372036854775807"));
}

// Nanoseconds of the present, whose squares fill 128 bits after some fifty rows.
TEST(AggregateFunctionTest, a_variance_of_many_large_whole_numbers_is_exact) {
  const std::vector<std::string_view> four = {"1700000000000000004", "1700000000000000007",
                                              "1700000000000000013", "1700000000000000016"};
  std::vector<std::string_view> values;
  for (int i = 0; i < 1000; ++i) values.insert(values.end(), four.begin(), four.end());
  EXPECT_THAT(aggregate("VAR_POP", "BIGINT", values), ElementsAre("22"));
  const std::vector<std::string_view> far = {"9223372036854775807", "-9223372036854775808", "0"};
  EXPECT_THAT(aggregate("VAR_POP", "BIGINT", far), ElementsAre("9223372036854775807"));
}

// 1e9 + {4, 7, 13, 16} has the variance of {4, 7, 13, 16}: 22.5.
TEST(AggregateFunctionTest, a_variance_far_from_zero_keeps_its_digits) {
  const std::vector<std::string_view> values = {"1000000004", "1000000007", "1000000013",
                                                "1000000016"};
  EXPECT_THAT(aggregate("VAR_POP", "DOUBLE", values), ElementsAre("22.5"));
  EXPECT_THAT(aggregate("VAR_SAMP", "DOUBLE", values), ElementsAre("30.0"));
}

TEST(AggregateFunctionTest, collections_are_as_recorded) {
  const std::vector<std::string_view> values = {"1", "2", "NULL", "2"};
  EXPECT_THAT(aggregate("COLLECT", "INT", values), ElementsAre("{1=1, 2=2}"));
  EXPECT_THAT(aggregate("COLLECT", "INT", values, true), ElementsAre("{1=1, 2=1}"));
  EXPECT_THAT(aggregate("COLLECT", "INT", {}), ElementsAre("{}"));
  EXPECT_THAT(aggregate("ARRAY_AGG", "INT", values), ElementsAre("[1, 2, NULL, 2]"));
  EXPECT_THAT(aggregate("ARRAY_AGG", "INT", values, true), ElementsAre("[1, 2, NULL]"));
  EXPECT_THAT(aggregate("ARRAY_AGG_IGNORE_NULLS", "INT", values), ElementsAre("[1, 2, 2]"));
  EXPECT_THAT(aggregate("ARRAY_AGG_IGNORE_NULLS", "INT", {"NULL"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("FIRST_VALUE", "INT", {"NULL", "1", "2", "NULL"}), ElementsAre("1"));
  EXPECT_THAT(aggregate("LAST_VALUE", "INT", {"NULL", "1", "2", "NULL"}), ElementsAre("2"));
  EXPECT_THAT(aggregate("LAST_VALUE", "ROW<a INT, b ARRAY<STRING>>", {"(1, [x])", "(2, [y, z])"}),
              ElementsAre("(2, [y, z])"));
  EXPECT_THAT(aggregate("SINGLE_VALUE", "INT", {"NULL"}), ElementsAre("NULL"));
  EXPECT_THAT(aggregate("APPROX_COUNT_DISTINCT", "INT", values), ElementsAre("2"));
  EXPECT_THAT(aggregate("APPROX_COUNT_DISTINCT", "STRING", {}), ElementsAre("0"));
}

TEST(AggregateFunctionTest, a_single_value_with_another_is_an_error) {
  AggregateFunctionPtr single =
      make_aggregate("SINGLE_VALUE", {type_of("INT")}, type_of("INT"), false).value();
  PoolStateAllocator allocator(test_pool());
  std::vector<std::byte> memory(static_cast<std::size_t>(single->state_bytes()));
  const std::vector<std::byte*> states(2, memory.data());
  const Column values = column_of("INT", {"1", "1"});
  EXPECT_THAT(single->update({.states = states, .arguments = {&values, 1}}, allocator).to_string(),
              HasSubstr("more than one row"));
  single->destroy({states.data(), 1}, 0, allocator);
}

TEST(AggregateFunctionTest, json_is_as_recorded) {
  const auto object = [](std::string_view function, const std::vector<std::string_view>& keys,
                         std::string_view type, const std::vector<std::string_view>& values) {
    Groups groups(function, {type_of("STRING"), type_of(type)}, 1);
    groups.add(std::vector<int>(keys.size(), 0),
               {column_of("STRING", keys), column_of(type, values)});
    return groups.results();
  };
  const std::vector<std::string_view> keys = {"b", "a", "c"};
  const std::vector<std::string_view> numbers = {"1", "NULL", "3"};
  EXPECT_THAT(object("JSON_OBJECTAGG_NULL_ON_NULL", keys, "INT", numbers),
              ElementsAre(R"('{"a":null,"b":1,"c":3}')"));
  EXPECT_THAT(object("JSON_OBJECTAGG_ABSENT_ON_NULL", keys, "INT", numbers),
              ElementsAre(R"('{"b":1,"c":3}')"));
  EXPECT_THAT(object("JSON_OBJECTAGG_NULL_ON_NULL", {"x"}, "STRING", {"1"}),
              ElementsAre(R"('{"x":"1"}')"));
  EXPECT_THAT(object("JSON_OBJECTAGG_NULL_ON_NULL_OF_JSON", {"x"}, "STRING", {R"({"a":1})"}),
              ElementsAre(R"('{"x":{"a":1}}')"));
  EXPECT_THAT(object("JSON_OBJECTAGG_NULL_ON_NULL", {}, "INT", {}), ElementsAre("'{}'"));
  EXPECT_THAT(aggregate("JSON_ARRAYAGG_ABSENT_ON_NULL", "INT", {"1", "NULL"}),
              ElementsAre("'[1]'"));
  EXPECT_THAT(aggregate("JSON_ARRAYAGG_NULL_ON_NULL", "INT", {"1", "NULL"}),
              ElementsAre("'[1,null]'"));
  EXPECT_THAT(aggregate("JSON_ARRAYAGG_ABSENT_ON_NULL", "ARRAY<INT>", {"[1, 2]"}),
              ElementsAre("'[[1,2]]'"));
}

TEST(AggregateFunctionTest, a_json_key_twice_is_an_error_at_the_end) {
  AggregateFunctionPtr object =
      make_aggregate("JSON_OBJECTAGG_NULL_ON_NULL", {type_of("STRING"), type_of("INT")},
                     type_of("STRING NOT NULL"), false)
          .value();
  PoolStateAllocator allocator(test_pool());
  std::vector<std::byte> memory(static_cast<std::size_t>(object->state_bytes()));
  const std::vector<std::byte*> states(2, memory.data());
  const std::vector<Column> columns = {column_of("STRING", {"k", "k"}),
                                       column_of("INT", {"1", "2"})};
  ASSERT_TRUE(object->update({.states = states, .arguments = columns}, allocator).is_ok());
  EXPECT_THAT(object->emit({states.data(), 1}, 0, test_pool()).status().to_string(),
              HasSubstr("the key 'k' is there twice"));
  object->destroy({states.data(), 1}, 0, allocator);
}

TEST(AggregateFunctionTest, percentiles_are_as_recorded) {
  const auto percentile = [](const std::vector<std::string_view>& values,
                             std::string_view percentages, bool distinct = false,
                             const std::vector<std::string_view>& frequencies = {}) {
    const std::string_view type = percentages[0] == '[' ? "ARRAY<DOUBLE>" : "DOUBLE";
    std::vector<DataType> types = {type_of("DOUBLE"), type_of(type)};
    std::vector<Column> columns = {
        column_of("DOUBLE", values),
        column_of(type, std::vector<std::string_view>(values.size(), percentages))};
    if (!frequencies.empty()) {
      types.push_back(type_of("BIGINT"));
      columns.push_back(column_of("BIGINT", frequencies));
    }
    Groups groups("PERCENTILE", types, 1, distinct);
    groups.add(std::vector<int>(values.size(), 0), columns);
    Groups merged("PERCENTILE", types, 1, distinct);
    merged.merge_by_columns(groups);
    EXPECT_EQ(merged.results(), groups.results());
    return groups.results()[0];
  };
  const std::vector<std::string_view> values = {"4", "2", "1", "NULL", "3"};
  EXPECT_EQ(percentile(values, "0.5"), "2.5");
  EXPECT_EQ(percentile(values, "[0.25, 0.5]"), "[1.75, 2.5]");
  EXPECT_EQ(percentile({"1.5", "2", "3", "4"}, "0.3"), "1.95");
  EXPECT_EQ(percentile({"1", "5"}, "[0.25, 1, 0.1]"), "[2.0, 5.0, 1.4000000000000004]");
  EXPECT_EQ(percentile({"1", "2", "3", "4"}, "0.5", false, {"1", "2", "1", "NULL"}), "2.0");
  EXPECT_EQ(percentile({"1", "2", "3"}, "0.5", false, {"1", "-2", "1"}), "2.0");
  EXPECT_EQ(percentile({"1", "2", "3", "3"}, "0.5", true), "2.0");
  EXPECT_EQ(percentile({"NULL"}, "0.5"), "NULL");
}

TEST(AggregateFunctionTest, an_approximate_count_is_within_three_percent) {
  Random random(11);
  const DataType type = type_of("BIGINT");
  Groups few("APPROX_COUNT_DISTINCT", {type}, 1);
  Groups many("APPROX_COUNT_DISTINCT", {type}, 1);
  std::set<std::string> seen;
  for (int batch = 0; batch < 60; ++batch) {
    const Column values = random_column(type, 1000, random, {.null_share = 0});
    (batch == 0 ? few : many).add(std::vector<int>(1000, 0), {values});
    for (const std::string& line : lines_of(values)) seen.insert(line);
    if (batch > 0) continue;
    EXPECT_THAT(few.results(), ElementsAre(std::to_string(seen.size())));
  }
  // A table of hashes into registers and the other way round.
  Groups copy("APPROX_COUNT_DISTINCT", {type}, 1);
  copy.merge_by_columns(few);
  copy.merge(many);
  many.merge_by_columns(few);
  EXPECT_EQ(copy.results(), many.results());
  const double share = std::stod(many.results()[0]) / static_cast<double>(seen.size());
  EXPECT_GT(share, 0.97);
  EXPECT_LT(share, 1.03);
}

// As merging_and_subtracting_equal_adding_all_rows, for those that keep values.
TEST(AggregateFunctionTest, parts_of_kept_values_equal_all_rows) {
  Random random(9);
  constexpr int kGroups = 4;
  for (const char* type : {"TINYINT", "INT", "BIGINT", "DECIMAL(20, 3)", "STRING", "BYTES",
                           "ARRAY<STRING>", "ROW<a INT, b ARRAY<DOUBLE>>", "MAP<STRING, INT>"}) {
    for (const char* function :
         {"ARRAY_AGG", "ARRAY_AGG_IGNORE_NULLS", "COLLECT", "FIRST_VALUE", "LAST_VALUE",
          "APPROX_COUNT_DISTINCT", "JSON_ARRAYAGG_NULL_ON_NULL", "VAR_POP", "STDDEV_SAMP"}) {
      const DataType data_type = type_of(type);
      const bool is_spread = function[0] == 'V' || function[0] == 'S';
      const bool is_count = std::string_view(function) == "APPROX_COUNT_DISTINCT";
      // Of DECIMALs it is computed in DOUBLE, which rounds.
      if ((is_spread && !data_type.is_integer()) || (is_count && data_type.is_nested())) continue;
      // MAP has no JSON with DOUBLEs that are infinite.
      if (function[0] == 'J' && data_type.is_nested()) continue;
      for (const bool distinct : {false, true}) {
        if (distinct && (data_type.is_nested() || is_spread)) continue;
        SCOPED_TRACE(std::string(function) + (distinct ? " DISTINCT " : " ") + type);
        Groups whole(function, {data_type}, kGroups, distinct);
        Groups merged(function, {data_type}, kGroups, distinct);
        Groups by_columns(function, {data_type}, kGroups, distinct);
        for (int part = 0; part < 2; ++part) {
          const std::int64_t rows = random.uniform_between(1, 300);
          const Column values =
              random_column(data_type, rows, random, {.null_share = 0.2, .distinct_max = 20});
          std::vector<int> groups;
          for (std::int64_t i = 0; i < rows; ++i) {
            groups.push_back(static_cast<int>(random.uniform(kGroups - 1)));
          }
          Groups own(function, {data_type}, kGroups, distinct);
          own.add(groups, {values});
          whole.add(groups, {values});
          merged.merge(own);
          by_columns.merge_by_columns(own);
        }
        EXPECT_EQ(merged.results(), whole.results());
        EXPECT_EQ(by_columns.results(), whole.results());
      }
    }
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
