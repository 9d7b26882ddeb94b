#include "stream/column_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::all_types;
using testing::column_of;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::random_column;
using testing::test_pool;
using testing::type_of;

void expect_column(const Column& column, const std::vector<std::string>& lines) {
  const Status status = validate(column, true);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_EQ(lines_of(column), lines);
}

TEST(ColumnBuilderTest, appended_values_and_nulls_come_out_in_order) {
  ColumnBuilder builder(DataType::big_int(), test_pool());
  std::vector<std::string> expected;
  for (std::int64_t i = 0; i < 1000; ++i) {
    if (i % 7 == 3) {
      builder.append_null();
      expected.emplace_back("NULL");
    } else {
      builder.append<std::int64_t>(i);
      expected.push_back(std::to_string(i));
    }
  }
  EXPECT_EQ(builder.length(), 1000);
  const Column column = builder.finish().value();
  EXPECT_EQ(column.null_count(), 143);
  expect_column(column, expected);
}

TEST(ColumnBuilderTest, column_without_nulls_has_no_bitmap) {
  ColumnBuilder builder(DataType::integer(), test_pool());
  builder.append<std::int32_t>(1);
  EXPECT_EQ(builder.finish().value().validity(), nullptr);
}

TEST(ColumnBuilderTest, builder_is_empty_and_reusable_after_finish) {
  for (const DataType& type : all_types()) {
    SCOPED_TRACE(type.to_string());
    Random random(3);
    const Column first = random_column(type, 100, random);
    const Column second = random_column(type, 30, random);
    ColumnBuilder builder(type, test_pool());
    builder.append_range(first, 0, 100);
    expect_column(builder.finish().value(), lines_of(first));
    EXPECT_EQ(builder.length(), 0);
    expect_column(builder.finish().value(), {});
    builder.append_range(second, 0, 30);
    expect_column(builder.finish().value(), lines_of(second));
  }
}

// Every way of appending rows of a column, on top of rows that are there already.
TEST(ColumnBuilderTest, rows_of_a_column_come_out_as_they_went_in) {
  Random random(11);
  for (const DataType& type : all_types()) {
    for (const std::int64_t length : {0, 1, 7, 64, 65, 700}) {
      for (const double null_share : {0.0, 0.3, 1.0}) {
        SCOPED_TRACE(type.to_string() + " of length " + std::to_string(length));
        const Column column = random_column(type, length, random, {.null_share = null_share});
        const std::vector<std::string> lines = lines_of(column);
        std::vector<std::int32_t> rows;
        std::vector<std::string> expected;
        for (std::int32_t row = 0; row < length; ++row) {
          if (random.uniform(3) == 0) continue;
          rows.push_back(row);
          expected.push_back(lines[static_cast<std::size_t>(row)]);
        }
        ColumnBuilder builder(type, test_pool());
        builder.append_rows(column, rows);
        builder.append_range(column, length / 3, length - length / 3);
        expected.insert(expected.end(), lines.begin() + length / 3, lines.end());
        for (std::int64_t row = 0; row < length; row += 5) {
          builder.append_from(column, row);
          expected.push_back(lines[static_cast<std::size_t>(row)]);
        }
        builder.append_rows(column, rows);
        for (const std::int32_t row : rows) {
          expected.push_back(lines[static_cast<std::size_t>(row)]);
        }
        const Column built = builder.finish().value();
        expect_column(built, expected);
        // Strings are copied: no blob of the source is held.
        for (const BufferPtr& blob : built.data().blobs) {
          for (const BufferPtr& source : column.data().blobs) EXPECT_NE(blob, source);
        }
      }
    }
  }
}

TEST(ColumnBuilderTest, untyped_nulls_go_into_any_column) {
  const Column nulls = column_of("NULL", {"NULL", "NULL"});
  for (const DataType& type : all_types()) {
    ColumnBuilder builder(type, test_pool());
    builder.append_range(nulls, 0, 2);
    builder.append_from(nulls, 0);
    expect_column(builder.finish().value(), {"NULL", "NULL", "NULL"});
  }
}

TEST(ColumnBuilderTest, nested_values_are_closed_row_by_row) {
  ColumnBuilder map(type_of("MAP<STRING, ARRAY<INT>>"), test_pool());
  map.child(0).append_string("a");
  map.child(1).child(0).append<std::int32_t>(1);
  map.child(1).child(0).append_null();
  map.child(1).close_list();
  map.child(0).append_string("b");
  map.child(1).append_null();
  map.close_list();
  map.append_null();
  map.close_list();
  expect_column(map.finish().value(), {"{a=[1, NULL], b=NULL}", "NULL", "{}"});

  ColumnBuilder row(type_of("ROW<a INT, b STRING>"), test_pool());
  row.append_null();
  row.child(0).append<std::int32_t>(5);
  row.child(1).append_null();
  row.close_struct();
  expect_column(row.finish().value(), {"NULL", "(5, NULL)"});
}

TEST(ColumnBuilderTest, truncate_takes_back_rows_and_half_a_row) {
  Random random(5);
  for (const DataType& type : all_types()) {
    SCOPED_TRACE(type.to_string());
    const Column column = random_column(type, 100, random);
    const std::vector<std::string> lines = lines_of(column);
    ColumnBuilder builder(type, test_pool());
    builder.append_range(column, 0, 40);
    builder.truncate(builder.length());  // Nothing to take back.
    builder.append_range(column, 50, 30);
    // The beginning of a row that turns out to be bad.
    if (type.is_nested()) builder.child(0).append_null();
    builder.truncate(40);
    EXPECT_EQ(builder.length(), 40);
    builder.append_range(column, 40, 60);
    expect_column(builder.finish().value(), lines);
  }
}

TEST(ColumnBuilderTest, truncated_strings_leave_no_bytes_behind) {
  ColumnBuilder builder(DataType::string(), test_pool());
  builder.append_string("the first string, kept");
  const std::int64_t bytes = builder.bytes();
  builder.append_string("the second string, taken back");
  builder.truncate(1);
  EXPECT_EQ(builder.bytes(), bytes);
}

TEST(ColumnBuilderTest, bytes_counts_what_was_appended) {
  ColumnBuilder builder(DataType::string(), test_pool());
  EXPECT_EQ(builder.bytes(), 0);
  builder.append_string("short");
  EXPECT_EQ(builder.bytes(), 16);
  builder.append_string("twenty bytes of text");
  EXPECT_EQ(builder.bytes(), 52);
}

TEST(ColumnBuilderTest, long_strings_fill_several_blobs) {
  ColumnBuilder builder(DataType::string(), test_pool());
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    texts.emplace_back(static_cast<std::size_t>(i) * 1000 + 13, static_cast<char>('a' + i % 26));
    builder.append_string(texts.back());
  }
  const Column column = builder.finish().value();
  EXPECT_GT(column.data().blobs.size(), 1U);
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(column.string_at(i), texts[static_cast<std::size_t>(i)]);
  }
}

TEST(ColumnBuilderTest, first_failed_allocation_is_what_finish_answers) {
  for (const char* type : {"BIGINT", "STRING", "ARRAY<BIGINT>", "ROW<a STRING, b BIGINT>"}) {
    SCOPED_TRACE(type);
    const auto pool = MemoryPool::make_root("small", 16 << 10);
    Random random(1);
    const Column column = random_column(type_of(type), 10'000, random);
    ColumnBuilder builder(type_of(type), *pool);
    for (std::int64_t row = 0; row < 10'000; ++row) builder.append_from(column, row);
    builder.append_range(column, 0, 10'000);
    const Status status = builder.finish().status();
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(status.to_string(), HasSubstr("'small'"));
    EXPECT_EQ(pool->used_bytes(), 0);
    // And the builder works again.
    builder.append_from(column, 0);
    EXPECT_EQ(builder.finish().value().length(), 1);
  }
}

TEST(ColumnBuilderTest, memory_is_charged_while_rows_are_appended) {
  const auto pool = MemoryPool::make_root("pool");
  ColumnBuilder builder(DataType::big_int(), *pool);
  for (std::int64_t i = 0; i < 1000; ++i) builder.append(i);
  EXPECT_GE(pool->used_bytes(), 8000);
  {
    const Column column = builder.finish().value();
    EXPECT_GE(pool->used_bytes(), 8000);
    EXPECT_LE(pool->used_bytes(), 20'000);
  }
  EXPECT_EQ(pool->used_bytes(), 0);
}

}  // namespace
}  // namespace clepsydra
