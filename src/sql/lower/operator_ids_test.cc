// Ids of operators: which changes of a statement keep them, and that those of earlier releases are
// found again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lower/lowering.h"
#include "sql/session_fixture.h"
#include "tests/harness/source_path.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::Contains;
using ::testing::Not;

// Operators that keep something, in the order of the graph.
std::vector<std::string> ids_of(const StreamGraph& graph) {
  std::vector<std::string> ids;
  for (const StreamNode& node : graph.nodes) {
    if (node.spec.kind != "calc") ids.push_back(node.spec.uid);
  }
  return ids;
}

std::string id_of(const StreamGraph& graph, std::string_view kind) {
  for (const StreamNode& node : graph.nodes) {
    if (node.spec.uid.starts_with(kind)) return node.spec.uid;
  }
  ADD_FAILURE() << "no operator " << kind;
  return {};
}

class OperatorIdsTest : public SessionTest {
 protected:
  OperatorIdsTest() {
    create_orders();
    run("CREATE TABLE out_table (k STRING, c BIGINT) WITH ('connector' = 'filesystem', 'path' = "
        "'/out', 'format' = 'csv')");
  }

  StreamGraph graph_of(std::string_view sql) {
    const bool inserts = sql.starts_with("INSERT") || sql.starts_with("EXECUTE");
    return inserts ? insert(sql).graph : query(sql).graph;
  }
};

// ---- The ids of releases ----

// A file holds statements ("> SELECT ...", run in one session, SQL without a plan too) and behind
// each one the ids of its operators.
TEST_F(OperatorIdsTest, operators_have_the_ids_of_release_0_1_0) {
  std::ifstream file(clepsydra::testing::source_path("tests/operator_ids/0.1.0.txt"));
  ASSERT_TRUE(file.is_open());
  std::string statement;
  std::vector<std::string> expected;
  int checked = 0;
  const auto check = [&] {
    if (statement.empty()) return;
    if (expected.empty()) {
      run(statement);
      return;
    }
    EXPECT_EQ(ids_of(graph_of(statement)), expected) << statement;
    ++checked;
  };
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    if (!line.starts_with("> ")) {
      expected.push_back(line);
      continue;
    }
    check();
    statement = line.substr(2);
    expected.clear();
  }
  check();
  EXPECT_EQ(checked, 9);
}

// ---- Changes of statements ----

struct Change {
  std::string name;
  std::string before;
  std::string after;
  std::vector<std::string> kept;     // Kinds.
  std::vector<std::string> changed;  // Kinds.
};

// NOLINTNEXTLINE(readability-identifier-naming): the test library finds it by this name.
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

class ChangeTest : public OperatorIdsTest, public ::testing::WithParamInterface<Change> {};

TEST_P(ChangeTest, keeps_what_computes_the_same) {
  const Change& change = GetParam();
  const StreamGraph before = graph_of(change.before);
  const StreamGraph after = graph_of(change.after);
  for (const std::string& kind : change.kept) {
    EXPECT_EQ(id_of(before, kind), id_of(after, kind)) << change.after;
  }
  for (const std::string& kind : change.changed) {
    EXPECT_THAT(ids_of(after), Not(Contains(id_of(before, kind)))) << change.after;
  }
}

std::string count_of(const std::string& columns, const std::string& from = "TABLE orders",
                     const std::string& end = "GROUP BY window_start, window_end, product",
                     const std::string& size = "'1' MINUTE") {
  return "SELECT " + columns + " FROM TABLE(TUMBLE(" + from + ", DESCRIPTOR(ts), INTERVAL " + size +
         ")) " + end;
}
const std::string kGroup = "GROUP BY window_start, window_end, product";

INSTANTIATE_TEST_SUITE_P(
    Statements, ChangeTest,
    ::testing::Values(
        Change{"column_added_to_projection",
               "SELECT product FROM orders",
               "SELECT product, price * 2 AS p FROM orders",
               {"source", "collect_sink"},
               {}},
        Change{"other_columns",
               "SELECT product FROM orders",
               "SELECT user_id FROM orders",
               {"source"},
               {}},
        Change{"predicate_added",
               "SELECT product FROM orders",
               "SELECT product FROM orders WHERE price > 3",
               {"source", "collect_sink"},
               {}},
        Change{"predicates_reordered",
               count_of("product, COUNT(*) AS c", "TABLE orders",
                        "WHERE price > 3 AND amount < 10 AND user_id = 7 " + kGroup),
               count_of("product, COUNT(*) AS c", "TABLE orders",
                        "WHERE 7 = user_id AND 10 > amount AND price > 3 " + kGroup),
               {"source", "window_aggregate"},
               {}},
        Change{"predicate_below_the_window",
               count_of("product, COUNT(*) AS c", "TABLE orders", "WHERE price > 3 " + kGroup),
               "WITH o AS (SELECT * FROM orders WHERE price > 3) " +
                   count_of("product, COUNT(*) AS c", "TABLE o"),
               {"source", "window_aggregate"},
               {}},
        Change{"other_predicate",
               count_of("product, COUNT(*) AS c", "TABLE orders", "WHERE price > 3 " + kGroup),
               count_of("product, COUNT(*) AS c", "TABLE orders", "WHERE price > 4 " + kGroup),
               {"source", "collect_sink"},
               {"window_aggregate"}},
        Change{"having_added",
               count_of("product, COUNT(*) AS c"),
               count_of("product, COUNT(*) AS c", "TABLE orders",
                        kGroup + " HAVING COUNT(*) > 1 AND product <> 'x'"),
               {"source", "window_aggregate"},
               {}},
        Change{"aggregates_reordered",
               count_of("product, COUNT(*) AS c, SUM(amount) AS s"),
               count_of("SUM(amount) AS total, product AS p, window_end, COUNT(*) AS c"),
               {"source", "window_aggregate"},
               {}},
        Change{"aggregate_used_twice",
               count_of("product, COUNT(*) AS c"),
               count_of("product, COUNT(*) AS c, COUNT(*) + 1 AS d"),
               {"source", "window_aggregate"},
               {}},
        Change{"operands_reordered",
               count_of("product, SUM(amount + user_id) AS s"),
               count_of("product, SUM(user_id + amount) AS s"),
               {"source", "window_aggregate"},
               {}},
        Change{"aggregate_added",
               count_of("product, COUNT(*) AS c"),
               count_of("product, COUNT(*) AS c, SUM(amount) AS s"),
               {"source"},
               {"window_aggregate"}},
        Change{"other_argument",
               count_of("product, SUM(amount) AS s"),
               count_of("product, SUM(user_id) AS s"),
               {"source"},
               {"window_aggregate"}},
        Change{"distinct",
               count_of("product, COUNT(user_id) AS s"),
               count_of("product, COUNT(DISTINCT user_id) AS s"),
               {"source"},
               {"window_aggregate"}},
        Change{"keys_reordered",
               count_of("product, COUNT(*) AS c", "TABLE orders",
                        "GROUP BY window_start, window_end, product, user_id"),
               count_of("product, COUNT(*) AS c", "TABLE orders",
                        "GROUP BY user_id, window_end, product, window_start"),
               {"source", "window_aggregate"},
               {}},
        Change{"key_added",
               count_of("COUNT(*) AS c"),
               count_of("COUNT(*) AS c", "TABLE orders", kGroup + ", user_id"),
               {"source"},
               {"window_aggregate"}},
        Change{"other_size",
               count_of("COUNT(*) AS c"),
               count_of("COUNT(*) AS c", "TABLE orders", kGroup, "'2' MINUTE"),
               {"source"},
               {"window_aggregate"}},
        Change{"through_a_view_of_renamed_columns",
               count_of("product, COUNT(*) AS c"),
               "WITH o AS (SELECT ts, product AS what FROM orders) " +
                   count_of("what, COUNT(*) AS c", "TABLE o",
                            "GROUP BY window_start, window_end, what"),
               {"source", "window_aggregate"},
               {}},
        Change{"other_query_into_the_sink",
               "INSERT INTO out_table SELECT product, 1 FROM orders",
               "INSERT INTO out_table SELECT product, 2 FROM orders WHERE price > 1",
               {"source", "sink_writer"},
               {}},
        Change{"other_folder_of_results",
               "INSERT INTO out_table SELECT product, 1 FROM orders",
               "INSERT INTO out_table /*+ OPTIONS('path' = '/elsewhere') */ "
               "SELECT product, 1 FROM orders",
               {"source", "sink_writer"},
               {}},
        Change{"other_path_by_hint",
               "SELECT product FROM orders",
               "SELECT product FROM orders /*+ OPTIONS('path' = '/elsewhere') */",
               {"collect_sink"},
               {"source"}},
        Change{"other_format_option_by_hint",
               "SELECT product FROM orders",
               "SELECT product FROM orders /*+ OPTIONS('csv.null-literal' = 'NULL') */",
               {"source"},
               {}}),
    [](const ::testing::TestParamInfo<Change>& change) { return change.param.name; });

// ---- Changes of settings and tables ----

TEST_F(OperatorIdsTest, parallelism_and_phases_keep_the_ids) {
  const std::string sql = count_of("product, COUNT(*) AS c");
  const StreamGraph single = graph_of(sql);
  run("SET 'parallelism.default' = '3'");
  const StreamGraph parallel = graph_of(sql);
  EXPECT_EQ(id_of(single, "source"), id_of(parallel, "source"));
  EXPECT_EQ(id_of(single, "window_aggregate"), id_of(parallel, "window_aggregate"));
  EXPECT_THAT(ids_of(parallel), Contains(::testing::StartsWith("local_window_aggregate-")));
}

TEST_F(OperatorIdsTest, a_new_column_of_the_table_keeps_the_ids) {
  const std::vector<std::string> before = ids_of(graph_of(count_of("product, COUNT(*) AS c")));
  run("ALTER TABLE orders ADD (note STRING)");
  EXPECT_EQ(ids_of(graph_of(count_of("product, COUNT(*) AS c"))), before);
}

TEST_F(OperatorIdsTest, a_table_of_another_name_is_another_source) {
  const std::string before = id_of(graph_of("SELECT product FROM orders"), "source");
  run("CREATE TABLE orders2 LIKE orders");
  EXPECT_NE(id_of(graph_of("SELECT product FROM orders2"), "source"), before);
}

TEST_F(OperatorIdsTest, equal_twins_are_numbered_in_statement_order) {
  const StreamGraph graph = graph_of(
      "EXECUTE STATEMENT SET BEGIN "
      "INSERT INTO out_table SELECT product, 1 FROM orders; "
      "INSERT INTO out_table SELECT product, 2 FROM orders; END");
  const std::vector<std::string> ids = ids_of(graph);
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_TRUE(ids[1].starts_with("sink_writer-"));
  EXPECT_EQ(ids[2], ids[1] + "-2");
}

}  // namespace
}  // namespace clepsydra::sql::testing
