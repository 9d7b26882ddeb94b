#include "stream/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::random_batch;
using testing::schema_of;
using testing::test_pool;
using Rows = std::vector<std::int32_t>;

TEST(BatchTest, lines_say_rows_kinds_and_marks) {
  const std::vector<std::string> lines = {
      "@-5", "1 | ann | [a, b]", "@7", "-D 2 | NULL | []", "+U -3 | 'it''s | ' | NULL", "@8"};
  const Batch batch =
      batch_of("id BIGINT, name STRING, tags ARRAY<STRING>", {lines.begin(), lines.end()});
  EXPECT_EQ(batch.rows(), 3);
  EXPECT_THAT(batch.marks(), ElementsAre(Mark{0, -5}, Mark{1, 7}, Mark{3, 8}));
  EXPECT_EQ(batch.row_kind(1), RowKind::kDelete);
  EXPECT_EQ(batch.column(1).string_at(2), "it's | ");
  EXPECT_EQ(lines_of(batch), lines);
}

TEST(BatchTest, select_keeps_a_mark_before_the_next_row_that_remains) {
  const Batch batch = batch_of("a INT", {"@0", "0", "@1", "1", "@2", "2", "@3", "3", "@4"});
  const auto select = [&](const Rows& rows) {
    return lines_of(batch.select(rows, test_pool()).value());
  };
  // Marks before the dropped rows 0 and 1 meet before row 2: the largest says it all.
  EXPECT_THAT(select({2, 3}), ElementsAre("@2", "2", "@3", "3", "@4"));
  EXPECT_THAT(select({0, 2}), ElementsAre("@0", "0", "@2", "2", "@4"));
  EXPECT_THAT(select({0}), ElementsAre("@0", "0", "@4"));
  EXPECT_THAT(select({3}), ElementsAre("@3", "3", "@4"));
  EXPECT_THAT(select({}), ElementsAre("@4"));
  EXPECT_THAT(select({0, 1, 2, 3}), ElementsAre("@0", "0", "@1", "1", "@2", "2", "@3", "3", "@4"));
}

// The rule itself, row by row, over random batches.
TEST(BatchTest, select_agrees_with_the_rule_for_marks) {
  Random random(2);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING, c ROW<d INT>");
  for (const std::int64_t rows : {0, 1, 7, 64, 65, 4096}) {
    const Batch batch = random_batch(schema, rows, random);
    for (const double share : {0.0, 0.1, 0.5, 1.0}) {
      Rows kept;
      for (std::int32_t row = 0; row < rows; ++row) {
        if (random.uniform_double() < share) kept.push_back(row);
      }
      std::vector<std::string> expected;
      std::string mark;
      std::size_t next = 0;
      const Batch without_marks = batch.with_marks({});
      const std::vector<std::string> row_lines = lines_of(without_marks);
      std::size_t next_mark = 0;
      for (std::int32_t row = 0; row <= rows; ++row) {
        for (; next_mark < batch.marks().size() && batch.marks()[next_mark].row == row;
             ++next_mark) {
          mark = "@" + std::to_string(batch.marks()[next_mark].watermark);
        }
        const bool keep = next < kept.size() && kept[next] == row;
        if ((keep || row == rows) && !mark.empty()) expected.push_back(std::exchange(mark, ""));
        if (!keep) continue;
        expected.push_back(row_lines[static_cast<std::size_t>(row)]);
        ++next;
      }
      EXPECT_EQ(lines_of(batch.select(kept, test_pool()).value()), expected);
    }
  }
}

TEST(BatchTest, gather_takes_any_order_and_drops_marks) {
  const Batch batch = batch_of("a INT", {"@1", "0", "-D 1", "@2", "2"});
  EXPECT_THAT(lines_of(batch.gather(Rows{2, 1, 1}, test_pool()).value()),
              ElementsAre("2", "-D 1", "-D 1"));
}

TEST(BatchTest, rows_that_are_all_inserts_need_no_kinds) {
  const Batch batch = batch_of("a INT", {"0", "-D 1", "2"});
  EXPECT_NE(batch.row_kinds(), nullptr);
  EXPECT_EQ(batch.gather(Rows{0, 2}, test_pool()).value().row_kinds(), nullptr);
}

TEST(BatchTest, cutting_in_two_keeps_every_mark_once) {
  Random random(4);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING");
  for (const std::int64_t rows : {0, 1, 7, 65}) {
    const Batch batch = random_batch(schema, rows, random);
    for (std::int64_t cut = 0; cut <= rows; ++cut) {
      std::vector<std::string> lines = lines_of(batch.slice(0, cut, test_pool()).value());
      const Batch second = batch.slice(cut, rows - cut, test_pool()).value();
      if (cut == 0) {
        EXPECT_EQ(lines_of(second), lines_of(batch));
        continue;
      }
      for (const std::string& line : lines_of(second)) lines.push_back(line);
      EXPECT_EQ(lines, lines_of(batch)) << "cut at " << cut;
    }
  }
}

TEST(BatchTest, mark_at_the_cut_goes_with_the_first_part) {
  const Batch batch = batch_of("a INT", {"@1", "0", "@2", "1", "@3"});
  EXPECT_THAT(lines_of(batch.slice(0, 1, test_pool()).value()), ElementsAre("@1", "0", "@2"));
  EXPECT_THAT(lines_of(batch.slice(1, 1, test_pool()).value()), ElementsAre("1", "@3"));
}

TEST(BatchTest, concatenate_shifts_marks_and_fills_in_kinds) {
  const SchemaPtr schema = schema_of("a INT, b STRING");
  const std::vector<Batch> batches = {
      batch_of(schema, {"1 | a", "@10"}), batch_of(schema, {"@20", "-D 2 | b", "@30"}),
      Batch::of_watermark(schema, 40), batch_of(schema, {"@35", "3 | c"})};
  EXPECT_THAT(lines_of(concatenate(batches, test_pool()).value()),
              // 10 and 20 stand at one place, 30 and 40 too; 35 says nothing new.
              ElementsAre("1 | a", "@20", "-D 2 | b", "@40", "3 | c"));
}

TEST(BatchTest, batch_of_a_watermark_has_columns_without_rows) {
  const Batch batch = Batch::of_watermark(schema_of("a INT, b STRING, c ARRAY<ROW<d INT>>"), 5);
  EXPECT_EQ(batch.rows(), 0);
  EXPECT_EQ(batch.column_count(), 3);
  EXPECT_FALSE(batch.empty());
  EXPECT_THAT(lines_of(batch), ElementsAre("@5"));
  for (const Column& column : batch.columns()) EXPECT_TRUE(validate(column, true).is_ok());
}

TEST(BatchTest, with_columns_keeps_kinds_and_marks) {
  const Batch batch = batch_of("a INT, b STRING", {"@1", "-U 1 | x", "+U 2 | y", "@2"});
  EXPECT_THAT(lines_of(batch.with_columns(schema_of("b STRING"), {batch.column(1)})),
              ElementsAre("@1", "-U x", "+U y", "@2"));
}

TEST(BatchTest, own_and_pinned_bytes) {
  const auto pool = MemoryPool::make_root("pool");
  const Batch batch =
      batch_of("a BIGINT, b STRING", {"1 | twenty bytes of text", "2 | short"}, *pool);
  EXPECT_EQ(batch.own_bytes(), 16 + 32 + 20);
  EXPECT_EQ(batch.pinned_bytes(), pool->used_bytes());
  const Batch part = batch.slice(1, 1, *pool).value();
  EXPECT_EQ(part.own_bytes(), 8 + 16);
  EXPECT_EQ(part.pinned_bytes(), batch.pinned_bytes());  // The same allocations.
}

TEST(BatchTest, small_part_of_a_large_batch_is_copied_and_lets_it_go) {
  const auto pool = MemoryPool::make_root("pool");
  Random random(9);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING, c ARRAY<STRING>");
  Batch batch = random_batch(schema, 4096, random, {.null_share = 0.1}, *pool);
  Batch most = batch.slice(0, 4000, *pool).value();
  EXPECT_EQ(most.compact_if_wasteful(*pool).value().column(0).data().values,
            most.column(0).data().values);
  Batch part = batch.slice(1000, 20, *pool).value();
  const std::vector<std::string> lines = lines_of(part);
  part = part.compact_if_wasteful(*pool).value();
  batch = Batch();
  most = Batch();
  EXPECT_EQ(lines_of(part), lines);
  EXPECT_LT(pool->used_bytes(), 10'000);
  EXPECT_EQ(part.pinned_bytes(),
            pool->used_bytes() + 16 * static_cast<std::int64_t>(part.marks().size()));
}

TEST(BatchBuilderTest, discarded_row_leaves_no_trace) {
  BatchBuilder builder(schema_of("a INT, b STRING, c ARRAY<INT>"), test_pool());
  const auto append = [&](std::int32_t a, const char* b, std::int32_t c) {
    builder.column(0).append(a);
    builder.column(1).append_string(b);
    builder.column(2).child(0).append(c);
    builder.column(2).close_list();
  };
  append(1, "one", 10);
  builder.commit_row();
  append(2, "two", 20);
  builder.discard_row();
  builder.column(0).append<std::int32_t>(3);  // Bad from the second column on.
  builder.discard_row();
  builder.column(2).child(0).append<std::int32_t>(4);  // Bad inside the list.
  builder.discard_row();
  append(5, "five", 50);
  builder.commit_row(RowKind::kUpdateAfter);
  EXPECT_THAT(lines_of(builder.finish().value()),
              ElementsAre("1 | one | [10]", "+U 5 | five | [50]"));
}

TEST(BatchBuilderTest, marks_stand_behind_the_rows_so_far) {
  BatchBuilder builder(schema_of("a INT"), test_pool());
  EXPECT_TRUE(builder.empty());
  builder.add_mark(5);
  EXPECT_FALSE(builder.empty());
  builder.add_mark(6);
  builder.column(0).append<std::int32_t>(1);
  builder.commit_row();
  builder.add_mark(4);  // Not above the last one.
  EXPECT_THAT(lines_of(builder.finish().value()), ElementsAre("@6", "1"));
  EXPECT_TRUE(builder.empty());
  EXPECT_THAT(lines_of(builder.finish().value()), IsEmpty());
}

TEST(BatchBuilderTest, appended_rows_keep_kinds_and_drop_marks) {
  const SchemaPtr schema = schema_of("a INT, b STRING");
  const Batch inserts = batch_of(schema, {"@1", "1 | a", "2 | b"});
  const Batch changes = batch_of(schema, {"-U 3 | c", "+U 3 | NULL", "4 | d"});
  BatchBuilder builder(schema, test_pool());
  builder.append_rows(inserts, std::nullopt);
  builder.append_rows(changes, Rows{0, 2});
  builder.add_mark(7);
  builder.append_rows(inserts, Rows{1});
  EXPECT_EQ(builder.rows(), 5);
  EXPECT_THAT(lines_of(builder.finish().value()),
              ElementsAre("1 | a", "2 | b", "-U 3 | c", "4 | d", "@7", "2 | b"));
}

TEST(BatchBuilderTest, batch_without_columns_counts_rows) {
  BatchBuilder builder(schema_of(""), test_pool());
  builder.commit_row();
  builder.commit_row(RowKind::kDelete);
  const Batch batch = builder.finish().value();
  EXPECT_EQ(batch.rows(), 2);
  EXPECT_EQ(batch.select(Rows{1}, test_pool()).value().row_kind(0), RowKind::kDelete);
}

TEST(BatchBuilderTest, failed_allocation_is_reported_and_forgotten) {
  const auto pool = MemoryPool::make_root("small", 4096);
  Random random(1);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING");
  const Batch batch = random_batch(schema, 4096, random);
  BatchBuilder builder(schema, *pool);
  builder.append_rows(batch, std::nullopt);
  EXPECT_EQ(builder.finish().status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(builder.rows(), 0);
  EXPECT_EQ(pool->used_bytes(), 0);
  builder.append_rows(batch, Rows{0});
  EXPECT_EQ(builder.finish().value().rows(), 1);
}

}  // namespace
}  // namespace clepsydra
