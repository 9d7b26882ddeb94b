#include "gateway/console/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/configuration.h"
#include "sql/fake_connectors.h"
#include "sql/session.h"

namespace clepsydra::console {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    for (const std::string_view statement :
         {"CREATE TABLE orders (id INT, price DOUBLE, at_time TIMESTAMP(3), WATERMARK FOR at_time "
          "AS at_time) WITH ('connector' = 'datagen')",
          "CREATE TABLE persons (id INT, `full name` STRING) WITH ('connector' = 'datagen')"}) {
      const auto result = session_.execute(statement);
      EXPECT_TRUE(result.is_ok()) << result.status().message();
    }
  }

  // '|' in `text` stands for the cursor.
  std::vector<std::string> complete(std::string text) {
    const std::size_t cursor = text.find('|');
    text.erase(cursor, 1);
    return completer_.complete(text, cursor).candidates;
  }

  SimulatedClock clock_;
  Configuration configuration_;
  sql::testing::FakeConnectors connectors_;
  SqlSession session_{connectors_, clock_, configuration_};
  SqlCompleter completer_{session_, connectors_};
};

TEST_F(CompletionTest, a_statement_begins_with_its_verb) {
  EXPECT_THAT(complete("sel|"), ElementsAre("SELECT"));
  EXPECT_THAT(complete("SELECT 1; EX|"), ElementsAre("EXECUTE", "EXPLAIN", "exit"));
}

TEST_F(CompletionTest, tables_stand_behind_from_join_and_into) {
  EXPECT_THAT(complete("SELECT * FROM |"), ElementsAre("orders", "persons"));
  EXPECT_THAT(complete("SELECT * FROM orders JOIN per|"), ElementsAre("persons"));
  EXPECT_THAT(complete("INSERT INTO o|"), ElementsAre("orders"));
  EXPECT_THAT(complete("WITH recent AS (SELECT 1 AS a) SELECT * FROM rec|"), Contains("recent"));
}

TEST_F(CompletionTest, columns_are_those_of_the_from_clause_behind_the_cursor) {
  EXPECT_THAT(complete("SELECT | FROM orders"), ElementsAre("at_time", "id", "price"));
  EXPECT_THAT(complete("SELECT pric| FROM orders"), ElementsAre("price"));
  EXPECT_THAT(complete("SELECT pr| FROM persons"), Not(Contains("price")));
  EXPECT_THAT(complete("SELECT * FROM persons WHERE |"), ElementsAre("`full name`", "id"));
}

TEST_F(CompletionTest, aliases_subqueries_and_windows_have_their_columns) {
  EXPECT_THAT(complete("SELECT p.| FROM orders AS o JOIN persons AS p ON o.id = p.id"),
              ElementsAre("`full name`", "id"));
  EXPECT_THAT(complete("SELECT | FROM (SELECT price * 2 AS twice FROM orders)"), Contains("twice"));
  EXPECT_THAT(complete("SELECT window_s| FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(at_time), "
                       "INTERVAL '1' MINUTE))"),
              Contains("window_start"));
  EXPECT_THAT(complete("WITH recent AS (SELECT price AS cost FROM orders) SELECT co| FROM recent"),
              Contains("cost"));
}

TEST_F(CompletionTest, a_clause_that_is_not_finished_counts_as_far_as_it_is) {
  EXPECT_THAT(complete("SELECT * FROM orders AS o JOIN persons AS p ON o.|"),
              ElementsAre("at_time", "id", "price"));
}

TEST_F(CompletionTest, functions_and_words_are_spelt_as_one_types) {
  EXPECT_THAT(complete("SELECT UPP|"), ElementsAre("UPPER"));
  EXPECT_THAT(complete("select id from orders wh|"), IsSupersetOf({"where", "when"}));
}

TEST_F(CompletionTest, options_of_a_table_are_those_of_its_connector) {
  EXPECT_THAT(complete("CREATE TABLE t (a INT) WITH ('conn|"), ElementsAre("connector'"));
  EXPECT_THAT(complete("CREATE TABLE t (a INT) WITH ('connector' = 'data|"),
              ElementsAre("datagen'"));
  EXPECT_THAT(complete("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'num|"),
              ElementsAre("number-of-rows'"));
  EXPECT_THAT(complete("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'cs|"),
              ElementsAre("csv'"));
}

TEST_F(CompletionTest, settings_have_their_keys_and_values) {
  EXPECT_THAT(complete("SET 'sql-client.exec|"),
              ElementsAre("sql-client.execution.max-table-result.rows",
                          "sql-client.execution.result-mode"));
  EXPECT_THAT(complete("SET 'sql-client.execution.result-mode' = 'tablea|"),
              ElementsAre("tableau'"));
  EXPECT_THAT(complete("SET 'sql-client.verbose' = '|"), ElementsAre("false", "true"));
}

TEST_F(CompletionTest, nothing_in_comments_and_after_unknown_names) {
  EXPECT_THAT(complete("SELECT 1 -- sel|"), Not(Contains("SELECT")));
  EXPECT_THAT(complete("SELECT 1 /* sel|"), IsEmpty());
  EXPECT_THAT(complete("SELECT nobody.| FROM orders"), IsEmpty());
}

TEST_F(CompletionTest, binding_leaves_the_session_as_it_was) {
  EXPECT_THAT(complete("SELECT | FROM orders"), Not(IsEmpty()));
  EXPECT_TRUE(configuration_.values().empty());
}

}  // namespace
}  // namespace clepsydra::console
