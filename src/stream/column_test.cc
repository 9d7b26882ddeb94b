#include "stream/column.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "stream/column_builder.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::all_types;
using testing::cell_of;
using testing::column_of;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::random_column;
using testing::RandomShape;
using testing::test_pool;
using testing::type_of;

constexpr std::int64_t kLengths[] = {0, 1, 7, 64, 65, 4096};

// Calls f(column, lines) for every type and length, without NULLs, with some and with nothing else.
template <typename F>
void for_each_column(F f) {
  Random random(7);
  for (const DataType& type : all_types()) {
    for (const std::int64_t length : kLengths) {
      if (length == 4096 && type.is_nested()) continue;
      for (const double null_share : {0.0, 0.3, 1.0}) {
        SCOPED_TRACE(type.to_string() + " of length " + std::to_string(length));
        const Column column =
            random_column(type, length, random, RandomShape{.null_share = null_share});
        f(column, lines_of(column), random);
      }
    }
  }
}

void expect_valid(const Column& column, const std::vector<std::string>& lines) {
  const Status status = validate(column, true);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_EQ(lines_of(column), lines);
}

std::vector<std::int32_t> random_rows(std::int64_t rows, std::size_t count, Random& random) {
  std::vector<std::int32_t> drawn(rows == 0 ? 0 : count);
  for (std::int32_t& row : drawn) {
    row = static_cast<std::int32_t>(random.uniform(static_cast<std::uint64_t>(rows)));
  }
  return drawn;
}

std::vector<std::string> lines_at(const std::vector<std::string>& lines, RowIndices rows) {
  std::vector<std::string> picked;
  for (const std::int32_t row : rows) picked.push_back(lines[static_cast<std::size_t>(row)]);
  return picked;
}

TEST(ColumnTest, gather_takes_rows_in_any_order_with_repeats) {
  for_each_column([](const Column& column, const std::vector<std::string>& lines, Random& random) {
    for (const std::size_t count : {0U, 1U, 9U, 100U}) {
      const std::vector<std::int32_t> rows = random_rows(column.length(), count, random);
      const Column gathered = gather(column, rows, test_pool()).value();
      expect_valid(gathered, lines_at(lines, rows));
    }
  });
}

TEST(ColumnTest, slice_is_the_same_rows_at_any_offset) {
  for_each_column([](const Column& column, const std::vector<std::string>& lines, Random&) {
    for (std::int64_t offset : {0, 1, 7, 8, 9, 63, 64}) {
      offset = std::min(offset, column.length());
      for (std::int64_t length : {0, 1, 8, 4000}) {
        length = std::min(length, column.length() - offset);
        const Column part = column.slice(offset, length, test_pool());
        expect_valid(part, {lines.begin() + offset, lines.begin() + offset + length});
        // A slice of a slice, and other operations on a slice.
        const Column tail = part.slice(length / 2, length - length / 2, test_pool());
        expect_valid(tail, {lines.begin() + offset + length / 2, lines.begin() + offset + length});
        expect_valid(compact(tail, test_pool()).value(), lines_of(tail));
      }
    }
  });
}

TEST(ColumnTest, concatenate_puts_columns_one_after_the_other) {
  for_each_column([](const Column& column, const std::vector<std::string>& lines, Random& random) {
    // Of one source, so that blobs are shared, and of another one, so that they are not.
    const Column other = random_column(column.type(), 13, random);
    const std::int64_t half = column.length() / 2;
    const Column parts[] = {column.slice(half, column.length() - half, test_pool()), other,
                            column.slice(0, 0, test_pool()), column};
    std::vector<std::string> expected(lines.begin() + half, lines.end());
    for (const std::string& line : lines_of(other)) expected.push_back(line);
    expected.insert(expected.end(), lines.begin(), lines.end());
    expect_valid(concatenate(parts, test_pool()).value(), expected);
  });
}

TEST(ColumnTest, concatenating_parts_of_one_column_holds_its_blob_once) {
  const Column column = column_of("STRING", {"longer than twelve bytes", "also not inline, this"});
  ASSERT_EQ(column.data().blobs.size(), 1U);
  const Column parts[] = {column, column, column};
  EXPECT_EQ(concatenate(parts, test_pool()).value().data().blobs.size(), 1U);
}

TEST(ColumnTest, compact_holds_on_to_nothing_but_its_own_rows) {
  for_each_column([](const Column& column, const std::vector<std::string>& lines, Random& random) {
    std::vector<std::int32_t> rows = random_rows(column.length(), 5, random);
    const Column gathered = gather(column, rows, test_pool()).value();
    const Column compacted = compact(gathered, test_pool()).value();
    expect_valid(compacted, lines_at(lines, rows));
    std::vector<Column::Pin> pins;
    compacted.add_pins(pins);
    std::int64_t pinned = 0;
    for (const Column::Pin& pin : pins) pinned += pin.bytes;
    EXPECT_LE(pinned, compacted.own_bytes() + 64 * static_cast<std::int64_t>(pins.size()));
  });
}

TEST(ColumnTest, gathering_only_inline_strings_lets_the_blob_go) {
  const Column column = column_of("STRING", {"short", "a string of more than twelve bytes"});
  const std::int32_t first = 0;
  const std::int32_t second = 1;
  EXPECT_TRUE(gather(column, {&first, 1}, test_pool()).value().data().blobs.empty());
  EXPECT_EQ(gather(column, {&second, 1}, test_pool()).value().data().blobs, column.data().blobs);
}

TEST(ColumnTest, own_bytes_counts_fixed_parts_bitmap_and_referenced_strings) {
  // 3 values of 8 bytes; without NULLs there is no bitmap.
  EXPECT_EQ(column_of("BIGINT", {"1", "2", "3"}).own_bytes(), 24);
  EXPECT_EQ(column_of("BIGINT", {"1", "NULL", "3"}).own_bytes(), 25);
  // 2 views of 16 bytes, 20 bytes in the blob.
  const Column strings = column_of("STRING", {"short", "twenty bytes of text"});
  EXPECT_EQ(strings.own_bytes(), 52);
  EXPECT_EQ(strings.slice(0, 1, test_pool()).own_bytes(), 16);
  // 3 offsets and 3 elements of 4 bytes; the slice has 2 offsets and 1 element.
  const Column lists = column_of("ARRAY<INT NOT NULL>", {"[1, 2]", "[3]"});
  EXPECT_EQ(lists.own_bytes(), 24);
  EXPECT_EQ(lists.slice(1, 1, test_pool()).own_bytes(), 12);
  EXPECT_EQ(column_of("ROW<a INT, b SMALLINT>", {"(1, 2)"}).own_bytes(), 6);
  EXPECT_EQ(column_of("NULL", {"NULL"}).own_bytes(), 0);
}

TEST(ColumnTest, pins_name_each_allocation_once) {
  const Column column = column_of("ROW<a BIGINT, b STRING>", {"(1, 'a string in a blob')"});
  std::vector<Column::Pin> pins;
  column.add_pins(pins);
  EXPECT_EQ(pins.size(), 3U);  // Integers, views, blob.
  column.slice(0, 0, test_pool()).add_pins(pins);
  EXPECT_EQ(pins.size(), 3U);
}

TEST(ColumnTest, null_column_of_every_type_prints_nulls_only) {
  for (const DataType& type : all_types()) {
    for (const std::int64_t length : {0, 1, 9}) {
      const Column column = make_null_column(type, length, test_pool()).value();
      EXPECT_EQ(column.null_count(), length);
      expect_valid(column, std::vector<std::string>(static_cast<std::size_t>(length), "NULL"));
    }
    expect_valid(make_empty_column(type), {});
  }
}

TEST(ColumnTest, repeat_row_repeats_value_or_null) {
  for_each_column([](const Column& column, const std::vector<std::string>& lines, Random& random) {
    if (column.length() == 0) return;
    const std::int32_t row = random_rows(column.length(), 1, random)[0];
    const Column repeated = repeat_row(column, row, 5, test_pool()).value();
    expect_valid(repeated, std::vector<std::string>(5, lines[static_cast<std::size_t>(row)]));
  });
}

TEST(ColumnTest, with_type_keeps_values) {
  const Column column = column_of("INT", {"19737"}).with_type(DataType::date());
  EXPECT_EQ(cell_of(column, 0), "2024-01-15");
}

TEST(ColumnTest, running_out_of_memory_is_an_error_and_leaves_nothing_charged) {
  const auto pool = MemoryPool::make_root("small", 2048);
  const Column column = random_column(type_of("ROW<a BIGINT, b STRING, c ARRAY<INT>>"), 1000,
                                      *std::make_unique<Random>(1));
  std::vector<std::int32_t> rows(1000);
  std::iota(rows.begin(), rows.end(), 0);
  EXPECT_EQ(gather(column, rows, *pool).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(compact(column.slice(1, 999, test_pool()), *pool).status().code(),
            StatusCode::kResourceExhausted);
  const Column twice[] = {column, column};
  EXPECT_EQ(concatenate(twice, *pool).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(pool->used_bytes(), 0);
}

TEST(ColumnTest, slice_works_in_an_exhausted_pool) {
  const auto pool = MemoryPool::make_root("full", 0);
  const Column column = column_of("INT", {"1", "NULL", "3", "NULL"});
  expect_valid(column.slice(1, 3, *pool), {"NULL", "3", "NULL"});
}

BufferPtr buffer_of(std::string_view bytes) {
  return copy_to_buffer(test_pool(),
                        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})
      .value();
}

template <typename T>
BufferPtr buffer_of(const std::vector<T>& values) {
  return buffer_of({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

std::string error_of(ColumnData data) {
  const Status status = validate(Column(std::move(data)), true);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  return std::string(status.message());
}

TEST(ColumnTest, validate_rejects_broken_buffers) {
  ColumnData ints{.type = DataType::integer(), .length = 3, .values = buffer_of("12345678")};
  EXPECT_THAT(error_of(ints), HasSubstr("values has 8 bytes, 3 rows need 12"));
  ints.values = nullptr;
  EXPECT_THAT(error_of(ints), HasSubstr("values has 0 bytes"));

  const auto bits = buffer_of(std::vector<std::uint8_t>{0b101});
  ColumnData counted{.type = DataType::tiny_int(),
                     .length = 3,
                     .null_count = 2,
                     .validity = bits,
                     .values = buffer_of("abc")};
  EXPECT_THAT(error_of(counted), HasSubstr("1 NULLs counted, 2 stated"));
  counted.null_count = 1;
  EXPECT_TRUE(validate(Column(counted), true).is_ok());
  counted.length = 9;
  EXPECT_THAT(error_of(counted), HasSubstr("validity bitmap has 1 bytes, 9 rows need 2"));

  ColumnData bools{.type = DataType::boolean(), .length = 1, .values = buffer_of("\x02")};
  EXPECT_THAT(error_of(bools), HasSubstr("row 0 is byte 2"));
}

TEST(ColumnTest, validate_rejects_views_out_of_bounds) {
  const std::string text = "twenty bytes of text";
  const auto with_view = [&](StringView16 view) {
    return ColumnData{.type = DataType::string(),
                      .length = 1,
                      .values = buffer_of(std::vector<StringView16>{view}),
                      .blobs = {buffer_of(text)}};
  };
  EXPECT_TRUE(validate(Column(with_view(StringView16::make_ref(text, 0, 0))), true).is_ok());
  EXPECT_THAT(error_of(with_view(StringView16::make_ref(text, 0, 1))), HasSubstr("at byte 1"));
  EXPECT_THAT(error_of(with_view(StringView16::make_ref(text, 0, -1))), HasSubstr("at byte -1"));
  EXPECT_THAT(error_of(with_view(StringView16::make_ref(text, 1, 0))), HasSubstr("in blob 1 of 1"));
  EXPECT_THAT(error_of(with_view(StringView16::make_ref(text, -1, 0))), HasSubstr("in blob -1"));
  EXPECT_THAT(error_of(with_view(StringView16::make_ref("other prefix of it", 0, 0))),
              HasSubstr("prefix"));
  StringView16 negative = StringView16::make_inline("a");
  negative.length = -1;
  EXPECT_THAT(error_of(with_view(negative)), HasSubstr("has length -1"));
  StringView16 dirty = StringView16::make_inline("abc");
  dirty.length = 2;
  EXPECT_THAT(error_of(with_view(dirty)), HasSubstr("behind its end"));
  EXPECT_THAT(error_of(with_view(StringView16::make_inline("\xff"))), HasSubstr("UTF-8"));
}

TEST(ColumnTest, validate_rejects_offsets_that_do_not_fit_the_elements) {
  const Column elements = column_of("INT", {"1", "2", "3"});
  const auto with_offsets = [&](const std::vector<std::int32_t>& offsets) {
    return ColumnData{.type = DataType::array(DataType::integer()),
                      .length = static_cast<std::int64_t>(offsets.size()) - 1,
                      .values = buffer_of(offsets),
                      .children = {elements}};
  };
  EXPECT_TRUE(validate(Column(with_offsets({1, 1, 3})), true).is_ok());
  EXPECT_THAT(error_of(with_offsets({0, 4})), HasSubstr("end at element 4 of 3"));
  EXPECT_THAT(error_of(with_offsets({0, 2, 1})), HasSubstr("before its begin"));
  EXPECT_THAT(error_of(with_offsets({-1, 2})), HasSubstr("first offset is -1"));
  ColumnData childless = with_offsets({0, 1});
  childless.children.clear();
  EXPECT_THAT(error_of(childless), HasSubstr("0 children, expected 1"));
  ColumnData other = with_offsets({0, 1});
  other.children = {column_of("BIGINT", {"1"})};
  EXPECT_THAT(error_of(other), HasSubstr("child 0 is of type BIGINT"));
}

}  // namespace
}  // namespace clepsydra
