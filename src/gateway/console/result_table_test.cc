#include "gateway/console/result_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/harness/batch_text.h"

namespace clepsydra::console {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kColumns = "a INT, s STRING";

Batch rows(const std::vector<std::string_view>& lines) {
  return testing::batch_of(kColumns, lines);
}

struct View {
  explicit View(const ResultTableOptions& options) : table(rows({}).schema(), options) {}

  void type(std::string_view bytes) {
    KeyReader reader;
    reader.feed(bytes);
    reader.settle();
    for (Key key; reader.next(key);) has_left = table.handle(key) || has_left;
  }
  // The first column of the rows in sight, without blanks.
  std::vector<std::string> shown(std::size_t lines_max) {
    std::vector<std::string> out;
    const std::vector<std::string> lines = table.lines(lines_max, 79);
    for (std::size_t i = 2; i < lines.size(); ++i) {  // Behind the header.
      const std::string& line = lines[i];
      if (!line.starts_with("| ")) continue;
      const std::size_t begin = line.find_first_not_of("| ");
      out.push_back(line.substr(begin, line.find(" |", begin) - begin));
    }
    return out;
  }
  std::string keys_line() { return table.lines(10, 200).back(); }

  ResultTable table;
  bool has_left = false;
};

const ResultTableOptions kLooked = {.zone = nullptr,
                                    .max_column_width = 10,
                                    .rows_max = 100,
                                    .shows_changes = false,
                                    .has_updates = false,
                                    .has_keys = true};

TEST(ResultTableTest, follows_the_newest_rows_until_somebody_moves) {
  View view(kLooked);
  view.table.add(rows({"1 | a", "2 | b", "3 | c"}));
  EXPECT_THAT(view.shown(7), ElementsAre("2", "3"));
  view.type("k");
  EXPECT_THAT(view.shown(7), ElementsAre("1", "2"));
  view.table.add(rows({"4 | d"}));
  EXPECT_THAT(view.shown(7), ElementsAre("1", "2"));
  view.type("G");
  view.table.add(rows({"5 | e"}));
  EXPECT_THAT(view.shown(7), ElementsAre("4", "5"));
}

TEST(ResultTableTest, a_complete_result_begins_at_its_first_row) {
  View view(kLooked);
  view.table.add(rows({"1 | a", "2 | b", "3 | c"}));
  view.table.complete();
  EXPECT_THAT(view.shown(7), ElementsAre("1", "2"));
  view.type(" ");
  EXPECT_THAT(view.shown(7), ElementsAre("2", "3"));
}

TEST(ResultTableTest, sorts_numbers_by_value_text_by_text_and_null_last) {
  View view(kLooked);
  view.table.add(rows({"10 | b", "9 | c", "NULL | a"}));
  view.type("s");
  EXPECT_THAT(view.shown(10), ElementsAre("9", "10", "<NULL>"));
  EXPECT_THAT(view.keys_line(), HasSubstr("by a |"));
  view.type("r");
  EXPECT_THAT(view.shown(10), ElementsAre("<NULL>", "10", "9"));
  view.type("s");
  EXPECT_THAT(view.shown(10), ElementsAre("<NULL>", "10", "9"));
  view.table.add(rows({"7 | bb"}));
  EXPECT_THAT(view.shown(10), ElementsAre("<NULL>", "10", "7", "9"));
  view.type("s");
  EXPECT_THAT(view.shown(10), ElementsAre("10", "9", "<NULL>", "7"));
}

TEST(ResultTableTest, search_keeps_rows_that_have_it_in_any_case) {
  View view(kLooked);
  view.table.add(rows({"1 | Ann", "2 | Bob", "3 | Joann"}));
  view.type("/aN");
  EXPECT_EQ(view.keys_line(), "search: aN_");
  view.type("\r");
  EXPECT_THAT(view.shown(10), ElementsAre("1", "3"));
  EXPECT_THAT(view.keys_line(), HasSubstr("rows 1-2 of 2 with 'aN'"));
  view.type("/\r");
  EXPECT_THAT(view.shown(10), ElementsAre("1", "2", "3"));
  EXPECT_FALSE(view.has_left);
  view.type("/q\x1b");
  EXPECT_FALSE(view.has_left);
  view.type("q");
  EXPECT_TRUE(view.has_left);
}

TEST(ResultTableTest, arrows_move_to_other_columns) {
  View view(kLooked);
  view.table.add(rows({"1 | one"}));
  view.type("\x1b[C");
  EXPECT_THAT(view.shown(10), ElementsAre("one"));
  view.type("\x1b[C\x1b[D");
  EXPECT_THAT(view.shown(10), ElementsAre("1"));
}

TEST(ResultTableTest, the_oldest_rows_go_first) {
  ResultTableOptions options = kLooked;
  options.rows_max = 3;
  View view(options);
  view.table.add(rows({"1 | a", "2 | b"}));
  view.table.add(rows({"3 | c", "4 | d"}));
  EXPECT_THAT(view.shown(10), ElementsAre("2", "3", "4"));
  view.table.add(rows({"5 | e", "6 | f", "7 | g", "8 | h"}));
  EXPECT_THAT(view.shown(10), ElementsAre("6", "7", "8"));
  EXPECT_EQ(view.table.received(), 8);
}

TEST(ResultTableTest, changes_are_applied_in_place) {
  ResultTableOptions options = kLooked;
  options.has_updates = true;
  View view(options);
  view.table.add(rows({"+I 1 | a", "+I 2 | b", "+I 2 | b"}));
  view.table.add(rows({"-U 1 | a", "+U 11 | a", "-D 2 | b"}));
  EXPECT_THAT(view.shown(10), ElementsAre("11", "2"));
  view.table.add(rows({"-D 2 | b", "-D 11 | a", "-D 5 | z"}));
  EXPECT_THAT(view.shown(10), IsEmpty());
  EXPECT_THAT(view.keys_line(), HasSubstr("no rows"));
}

TEST(ResultTableTest, as_a_changelog_every_change_is_a_row) {
  ResultTableOptions options = kLooked;
  options.has_updates = true;
  options.shows_changes = true;
  View view(options);
  view.table.add(rows({"+I 1 | a", "-U 1 | a", "+U 2 | a"}));
  EXPECT_THAT(view.shown(10), ElementsAre("+I", "-U", "+U"));
}

TEST(ResultTableTest, the_whole_text_has_columns_as_wide_as_their_values) {
  View view(kLooked);
  view.table.add(rows({"1 | one", "20 | a value that is too long"}));
  EXPECT_EQ(view.table.whole_text(),
            "+----+------------+\n"
            "|  a |          s |\n"
            "+----+------------+\n"
            "|  1 |        one |\n"
            "| 20 | a value... |\n"
            "+----+------------+\n");
}

TEST(ResultTableTest, any_size_of_terminal_will_do) {
  View view(kLooked);
  view.table.add(rows({"1 | one"}));
  for (std::size_t lines = 0; lines < 8; ++lines) {
    for (int columns = 1; columns < 20; ++columns) {
      EXPECT_LE(view.table.lines(lines, columns).size(), lines);
    }
  }
}

}  // namespace
}  // namespace clepsydra::console
