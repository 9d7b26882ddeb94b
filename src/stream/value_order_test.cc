#include "stream/value_order.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::column_of;
using testing::type_of;

struct Order {
  std::string_view type;
  std::vector<std::string_view> ascending;
};

// As the reference's ORDER BY gives them.
const std::vector<Order> kOrders = {
    {"BOOLEAN", {"FALSE", "TRUE"}},
    {"TINYINT", {"-128", "-1", "0", "127"}},
    {"SMALLINT", {"-32768", "0", "32767"}},
    {"INT", {"-2147483648", "-2", "10", "2147483647"}},
    {"BIGINT", {"-9223372036854775808", "9", "10", "9223372036854775807"}},
    {"FLOAT", {"-Infinity", "-1.5", "0.0", "1.0E-3", "Infinity", "NaN"}},
    {"DOUBLE", {"-Infinity", "-1.5", "0.0", "1.0E-3", "Infinity", "NaN"}},
    {"DECIMAL(5, 2)", {"-10.50", "-2.00", "0.01", "999.99"}},
    {"DECIMAL(38, 0)",
     {"-99999999999999999999999999999999999999", "0", "99999999999999999999999999999999999999"}},
    {"STRING", {"''", "A", "B", "a", "ab", "b", "ä"}},
    {"DATE", {"0001-01-01", "1969-12-31", "1970-01-01", "9999-12-31"}},
    {"TIMESTAMP(3)", {"1969-12-31 23:59:59.999", "1970-01-01 00:00:00.000"}},
};

TEST(ValueOrderTest, values_follow_each_other) {
  for (const Order& order : kOrders) {
    ASSERT_TRUE(has_value_order(type_of(order.type))) << order.type;
    const Column column = column_of(order.type, order.ascending);
    for (std::int64_t i = 0; i < column.length(); ++i) {
      // A value is found at its row, not at the row of the other.
      const Column one = column_of(order.type, {order.ascending[static_cast<std::size_t>(i)]});
      for (std::int64_t j = 0; j < column.length(); ++j) {
        const int found = compare_values(one, 0, column, j);
        EXPECT_EQ((found > 0) - (found < 0), (i > j) - (i < j))
            << order.type << ": " << order.ascending[static_cast<std::size_t>(i)] << " and "
            << order.ascending[static_cast<std::size_t>(j)];
      }
    }
  }
}

TEST(ValueOrderTest, zero_has_no_sign) {
  const Column zeros = column_of("DOUBLE", {"-0.0", "0.0"});
  EXPECT_EQ(compare_values(zeros, 0, zeros, 1), 0);
}

TEST(ValueOrderTest, nested_types_have_none) {
  for (const std::string_view type : {"ARRAY<INT>", "MAP<INT, INT>", "ROW<a INT>"}) {
    EXPECT_FALSE(has_value_order(type_of(type))) << type;
  }
}

}  // namespace
}  // namespace clepsydra
