// COMPILE PLAN, EXECUTE PLAN, and the file between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/configuration.h"
#include "base/memory_file_system.h"
#include "sql/fake_connectors.h"
#include "sql/plan/json_compiled_plan.h"
#include "sql/session.h"
#include "tests/harness/source_path.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kInsert =
    "INSERT INTO totals SELECT product, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), "
    "INTERVAL '1' HOUR)) WHERE price > 1.5e0 GROUP BY window_start, window_end, product";

class CompiledPlanTest : public ::testing::Test {
 protected:
  CompiledPlanTest() {
    run("CREATE TABLE orders (product STRING, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS "
        "ts "
        "- INTERVAL '5' SECOND) WITH ('connector' = 'filesystem', 'path' = '/o', 'format' = "
        "'csv')");
    run("CREATE TABLE totals (product STRING, c BIGINT) WITH ('connector' = 'print')");
  }

  StatementResult run(std::string_view sql) {
    Result<StatementResult> result = session_.execute(sql);
    EXPECT_TRUE(result.is_ok()) << sql << "\n" << result.status().to_string();
    return result.is_ok() ? *std::move(result) : StatementResult(Done{});
  }
  InsertJob job_of(std::string_view sql) {
    StatementResult result = run(sql);
    if (auto* job = std::get_if<InsertJob>(&result)) return std::move(*job);
    ADD_FAILURE() << "no job: " << sql;
    return {};
  }
  std::string message_of(std::string_view sql) {
    const StatementResult result = run(sql);
    const auto* done = std::get_if<Done>(&result);
    return done == nullptr ? "not done" : done->message;
  }
  std::string error(std::string_view sql) {
    const Result<StatementResult> result = session_.execute(sql);
    return result.is_ok() ? "no error" : result.status().to_string();
  }
  std::string compile(std::string_view insert) {
    run("COMPILE PLAN '/p.json' FOR " + std::string(insert));
    return read_file(files_, "/p.json").value();
  }
  void put(std::string_view text) {
    ASSERT_TRUE(write_file_atomically(files_, "/p.json", text).is_ok());
  }

  FakeConnectors connectors_;
  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  Configuration configuration_;
  SqlSession session_{connectors_, clock_, configuration_, &files_};
};

void expect_same(const StreamGraph& a, const StreamGraph& b) {
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const OperatorSpec& x = a.nodes[i].spec;
    const OperatorSpec& y = b.nodes[i].spec;
    EXPECT_EQ(x.uid, y.uid);
    EXPECT_EQ(x.kind, y.kind);
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.options, y.options) << x.options.to_string() << "\n" << y.options.to_string();
    ASSERT_EQ(x.inputs.size(), y.inputs.size());
    for (std::size_t s = 0; s < x.inputs.size(); ++s) {
      EXPECT_EQ(x.inputs[s]->to_string(), y.inputs[s]->to_string());
    }
    EXPECT_EQ(a.nodes[i].parallelism, b.nodes[i].parallelism);
    EXPECT_EQ(a.nodes[i].max_parallelism, b.nodes[i].max_parallelism);
    EXPECT_EQ(a.nodes[i].may_chain, b.nodes[i].may_chain);
    ASSERT_EQ(x.output == nullptr, y.output == nullptr);
    if (x.output == nullptr) continue;
    EXPECT_EQ(x.output->to_string(), y.output->to_string());
  }
  ASSERT_EQ(a.edges.size(), b.edges.size());
  for (std::size_t i = 0; i < a.edges.size(); ++i) {
    EXPECT_EQ(a.edges[i].from, b.edges[i].from);
    EXPECT_EQ(a.edges[i].to, b.edges[i].to);
    EXPECT_EQ(a.edges[i].to_input, b.edges[i].to_input);
    EXPECT_EQ(a.edges[i].partitioning, b.edges[i].partitioning);
    EXPECT_EQ(a.edges[i].keys, b.edges[i].keys);
  }
}

TEST_F(CompiledPlanTest, what_is_executed_is_what_was_compiled) {
  for (const char* parallelism : {"1", "3"}) {
    run(std::string("SET 'parallelism.default' = '") + parallelism + "'");
    const InsertJob direct = job_of(kInsert);
    run("SET 'table.plan.force-recompile' = 'true'");
    compile(kInsert);
    run("RESET 'parallelism.default'");  // A plan keeps what it was compiled with.
    const InsertJob executed = job_of("EXECUTE PLAN '/p.json'");
    expect_same(direct.graph, executed.graph);
    EXPECT_THAT(executed.targets, ElementsAre("default_catalog.default_database.totals"));
    EXPECT_EQ(executed.is_bounded, direct.is_bounded);
    EXPECT_EQ(executed.guarantee, direct.guarantee);
  }
}

TEST_F(CompiledPlanTest, a_plan_runs_without_its_tables) {
  compile(kInsert);
  run("DROP TABLE orders");
  EXPECT_EQ(job_of("EXECUTE PLAN '/p.json'").graph.nodes.size(), 5U);
}

TEST_F(CompiledPlanTest, configuration_is_that_of_the_session_which_runs_it) {
  run("SET 'my.own' = 'then'");
  EXPECT_THAT(compile(kInsert), Not(HasSubstr("my.own")));
  run("SET 'my.own' = 'now'");
  run("SET 'pipeline.name' = 'mine'");
  const InsertJob job = job_of("EXECUTE PLAN '/p.json'");
  EXPECT_THAT(job.graph.configuration, ::testing::Contains(::testing::Pair("my.own", "now")));
  EXPECT_EQ(job.graph.name, "mine");
}

TEST_F(CompiledPlanTest, statement_sets_have_plans_too) {
  const std::string set =
      "STATEMENT SET BEGIN INSERT INTO totals SELECT product, 1 FROM orders; INSERT INTO totals "
      "SELECT product, 2 FROM orders; END";
  compile(set);
  expect_same(job_of("EXECUTE " + set).graph, job_of("EXECUTE PLAN '/p.json'").graph);
}

TEST_F(CompiledPlanTest, a_plan_that_is_there_stays) {
  const std::string first = compile(kInsert);
  EXPECT_THAT(error("COMPILE PLAN '/p.json' FOR INSERT INTO totals SELECT product, 1 FROM orders"),
              HasSubstr("AlreadyExists: line 1, column 14: plan '/p.json' exists already"));
  EXPECT_EQ(
      message_of("COMPILE PLAN '/p.json' IF NOT EXISTS FOR INSERT INTO totals SELECT product, "
                 "1 FROM orders"),
      "Plan '/p.json' exists already.");
  EXPECT_EQ(read_file(files_, "/p.json").value(), first);
  // Runs what is there.
  EXPECT_EQ(job_of("COMPILE AND EXECUTE PLAN '/p.json' FOR INSERT INTO totals SELECT product, 1 "
                   "FROM orders")
                .graph.nodes.size(),
            5U);
  run("SET 'table.plan.force-recompile' = 'true'");
  EXPECT_NE(compile("INSERT INTO totals SELECT product, 1 FROM orders"), first);
}

TEST_F(CompiledPlanTest, compile_and_execute_writes_and_runs) {
  const InsertJob job = job_of("COMPILE AND EXECUTE PLAN '/q.json' FOR " + std::string(kInsert));
  expect_same(job.graph, job_of("EXECUTE PLAN '/q.json'").graph);
}

TEST_F(CompiledPlanTest, what_cannot_be_compiled_leaves_no_file) {
  EXPECT_THAT(error("COMPILE PLAN '/p.json' FOR INSERT INTO totals SELECT nosuch FROM orders"),
              HasSubstr("line 1, column 54"));
  EXPECT_FALSE(files_.exists("/p.json").value());
}

TEST_F(CompiledPlanTest, other_versions_are_refused) {
  const std::string plan = compile(kInsert);
  const auto with_version = [&](const std::string& version) {
    std::string other = plan;
    other.replace(other.find("\"planVersion\": 1"), 16, "\"planVersion\": " + version);
    put(other);
    return error("EXECUTE PLAN '/p.json'");
  };
  EXPECT_THAT(with_version("3"),
              HasSubstr("Unimplemented: line 1, column 14: plan '/p.json': the plan has version 3; "
                        "this release reads versions 1 and 2"));
  EXPECT_THAT(with_version("0"), HasSubstr("compile it again"));
  EXPECT_THAT(with_version("\"1\""), HasSubstr("it has no 'planVersion'"));
}

TEST_F(CompiledPlanTest, broken_files_are_refused) {
  const std::string plan = compile(kInsert);
  const auto refusal = [&](std::string_view text) {
    put(text);
    return error("EXECUTE PLAN '/p.json'");
  };
  EXPECT_THAT(refusal(""), HasSubstr("line 1, column 1: this is no JSON"));
  EXPECT_THAT(refusal("{\n \"a\": nothing}"), HasSubstr("line 2, column"));
  EXPECT_THAT(refusal("[]"), HasSubstr("this is no plan"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("this is no JSON"));
  EXPECT_THAT(refusal(std::string(1000, '[') + std::string(1000, ']')),
              HasSubstr("nested more than 200 deep"));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string other = plan;
    const std::size_t at = other.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return refusal(other.replace(at, from.size(), to));
  };
  EXPECT_THAT(with("\"kind\": \"source\"", "\"kind\": 3"), HasSubstr("node 0: "));
  EXPECT_THAT(with("\"from\": 0", "\"from\": 77"), HasSubstr("edge"));
  EXPECT_THAT(with("\"FORWARD\"", "\"SIDEWAYS\""),
              HasSubstr("edge 0: unknown partitioning 'SIDEWAYS'"));
  EXPECT_THAT(with("\"parallelism\": 1,", "\"parallelism\": 99999999999,"), HasSubstr("node 0"));
  EXPECT_THAT(error("EXECUTE PLAN '/nowhere.json'"), HasSubstr("NotFound: line 1, column 14"));
}

TEST_F(CompiledPlanTest, no_secret_is_in_a_plan_and_the_catalog_has_it) {
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'vault', 'password' = 'hunter2')");
  run("CREATE TABLE copy (a INT) WITH ('connector' = 'vault', 'password' = 'swordfish')");
  const std::string insert = "INSERT INTO copy SELECT a FROM vault";
  const std::string plan = compile(insert);
  EXPECT_THAT(plan, Not(HasSubstr("hunter2")));
  EXPECT_THAT(plan, Not(HasSubstr("swordfish")));
  EXPECT_THAT(plan, HasSubstr("\"planVersion\": 2"));
  expect_same(job_of(insert).graph, job_of("EXECUTE PLAN '/p.json'").graph);

  // The password is that of today.
  run("ALTER TABLE vault SET ('password' = 'correct horse')");
  const InsertJob job = job_of("EXECUTE PLAN '/p.json'");
  const ValueTree source = job.graph.nodes[0].spec.options.get("source").value();
  EXPECT_EQ(source.get_string("password").value(), "correct horse");
  EXPECT_EQ(source.get_string("address").value(), "db://user:correct horse@host");
  const ValueTree sink = job.graph.nodes.back().spec.options.get("sink").value();
  EXPECT_EQ(sink.get_string("password").value(), "swordfish");
}

TEST_F(CompiledPlanTest, a_plan_with_secrets_replaces_what_is_there) {
  run("SET 'execution.runtime-mode' = 'batch'");
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'vault', 'password' = 'hunter2')");
  const std::string insert = "INSERT OVERWRITE vault SELECT 1";
  EXPECT_THAT(compile(insert), HasSubstr("replaced"));
  expect_same(job_of(insert).graph, job_of("EXECUTE PLAN '/p.json'").graph);
}

TEST_F(CompiledPlanTest, a_secret_that_no_table_has_is_refused) {
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'vault', 'password' = 'hunter2')");
  run("CREATE TABLE numbers (a INT) WITH ('connector' = 'print')");
  const std::string message = error(
      "COMPILE PLAN '/p.json' FOR INSERT INTO numbers SELECT a FROM vault /*+ OPTIONS('password' = "
      "'mine') */");
  EXPECT_THAT(message, HasSubstr("FailedPrecondition: line 1, column 28: a plan would hold the "
                                 "value of 'password' that a hint gives to table "
                                 "'default_catalog.default_database.vault'"));
  EXPECT_FALSE(files_.exists("/p.json").value());
  // A plan whose table is gone, or another one.
  compile("INSERT INTO numbers SELECT a FROM vault");
  run("DROP TABLE vault");
  EXPECT_THAT(error("EXECUTE PLAN '/p.json'"),
              HasSubstr("FailedPrecondition: line 1, column 14: plan '/p.json': a plan has no "
                        "passwords and the like: 'password' comes from table "
                        "'default_catalog.default_database.vault', which is not in the catalog"));
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'datagen')");
  EXPECT_THAT(error("EXECUTE PLAN '/p.json'"), HasSubstr("which does not have it"));
}

TEST_F(CompiledPlanTest, a_plan_cannot_ask_for_what_is_no_secret) {
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'vault', 'password' = 'hunter2')");
  std::string plan = compile("INSERT INTO totals SELECT 'x', a FROM vault");
  const std::size_t at = plan.find("\"option\": \"password\"");
  ASSERT_NE(at, std::string::npos);
  put(plan.replace(at, 20, "\"option\": \"connector\""));
  EXPECT_THAT(error("EXECUTE PLAN '/p.json'"), HasSubstr("'connector' of table"));
  put(R"({"planVersion": 2, "name": {"$secret": [{"table": ["a"], "option": "password"}]}})");
  EXPECT_THAT(error("EXECUTE PLAN '/p.json'"), HasSubstr("a secret that is no option of a table"));
}

TEST_F(CompiledPlanTest, tables_are_kept_in_plans_whole) {
  run("SET 'table.plan.compile.catalog-objects' = 'IDENTIFIER'");
  EXPECT_THAT(error("COMPILE PLAN '/p.json' FOR " + std::string(kInsert)),
              HasSubstr("'table.plan.compile.catalog-objects' = 'IDENTIFIER' is not built"));
  run("RESET 'table.plan.compile.catalog-objects'");
  compile(kInsert);
  run("SET 'table.plan.restore.catalog-objects' = 'IDENTIFIER'");
  EXPECT_THAT(error("EXECUTE PLAN '/p.json'"),
              HasSubstr("'table.plan.restore.catalog-objects' = 'IDENTIFIER' is not built"));
}

// Any byte may be wrong: an answer comes back, and what is accepted is valid.
TEST_F(CompiledPlanTest, no_flipped_byte_does_harm) {
  const std::string plan = compile(kInsert);
  for (std::size_t i = 0; i < plan.size(); i += 3) {
    std::string other = plan;
    other[i] = static_cast<char>(other[i] ^ 0x15);
    const Result<InsertJob> job = read_compiled_plan(other);
    EXPECT_TRUE(!job.is_ok() || job->graph.validate().is_ok());
  }
}

TEST(CompiledPlanValuesTest, every_value_comes_back) {
  InsertJob job;
  StreamNode node;
  node.spec.uid = "u";
  node.spec.kind = "source";
  node.spec.name = "n\"\\\n\xC3\xBC";
  node.spec.output = make_schema({{"a", DataType::decimal(10, 2).with_nullable(false), "c"}});
  node.spec.options = ValueTree::map()
                          .set("null", ValueTree())
                          .set("min", std::numeric_limits<std::int64_t>::min())
                          .set("max", std::numeric_limits<std::int64_t>::max())
                          .set("one", 1.0)
                          .set("tenth", 0.1)
                          .set("infinity", -std::numeric_limits<double>::infinity())
                          .set("bytes", std::string("\x00\xFF\x80", 3))
                          .set("map", ValueTree::map().set("$hex", "text").set("b", true))
                          .set("empty", ValueTree::list().add(ValueTree::map()));
  job.graph.name = "j";
  job.graph.add(node);
  const Result<InsertJob> back = read_compiled_plan(write_compiled_plan(job));
  ASSERT_TRUE(back.is_ok()) << back.status().to_string();
  expect_same(job.graph, back->graph);
}

// Plans of version 1 are read for ever. The file was compiled by release 0.1.0 from the statement
// of these tests.
TEST_F(CompiledPlanTest, plans_of_release_0_1_0_are_read) {
  std::ifstream file(clepsydra::testing::source_path("tests/formats/compiled_plan_v1.json"));
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  const Result<InsertJob> job = read_compiled_plan(text.str());
  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  std::vector<std::string> kinds;
  for (const StreamNode& node : job->graph.nodes) kinds.push_back(node.spec.kind);
  EXPECT_THAT(kinds, ElementsAre("source", "calc", "window_aggregate", "calc", "sink_writer"));
  EXPECT_EQ(job->graph.nodes[2].spec.output->to_string(),
            "(product STRING, EXPR$1 BIGINT NOT NULL)");
  EXPECT_THAT(job->targets, ElementsAre("default_catalog.default_database.totals"));
  EXPECT_EQ(write_compiled_plan(*job), text.str());
}

// The file was compiled by release 0.1.0 from the statement of no_secret_is_in_a_plan.
TEST_F(CompiledPlanTest, plans_with_secrets_of_release_0_1_0_are_read) {
  std::ifstream file(clepsydra::testing::source_path("tests/formats/compiled_plan_v2.json"));
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  put(text.str());
  run("CREATE TABLE vault (a INT) WITH ('connector' = 'vault', 'password' = 'one')");
  run("CREATE TABLE copy (a INT) WITH ('connector' = 'vault', 'password' = 'two')");
  const InsertJob job = job_of("EXECUTE PLAN '/p.json'");
  ASSERT_EQ(job.graph.nodes.size(), 2U);
  EXPECT_EQ(job.graph.nodes[0].spec.options.get("source").value().get_string("address").value(),
            "db://user:one@host");
  EXPECT_EQ(job.graph.nodes[1].spec.options.get("sink").value().get_string("password").value(),
            "two");
  const Result<InsertJob> as_read = read_compiled_plan(text.str());
  ASSERT_TRUE(as_read.is_ok());
  EXPECT_EQ(write_compiled_plan(*as_read), text.str());
}

}  // namespace
}  // namespace clepsydra::sql::testing
