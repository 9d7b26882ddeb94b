// Any bytes are a script for a session: every statement is planned or refused with a message, and
// every plan is a valid graph whose options survive their encoding.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "sql/fake_connectors.h"
#include "sql/grammar/parser.h"
#include "sql/session.h"

namespace grammar = clepsydra::grammar;
using clepsydra::Configuration;
using clepsydra::Result;
using clepsydra::SqlSession;
using clepsydra::StatementResult;
using clepsydra::StreamGraph;
using clepsydra::StreamNode;
using clepsydra::ValueTree;

namespace {

constexpr std::string_view kTables =
    "CREATE TABLE t (a INT, b BIGINT NOT NULL, s STRING, d DECIMAL(10, 2), r ROW<x INT, y ROW<z "
    "STRING>>, ts TIMESTAMP(3), c AS a + 1, pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL "
    "'5' "
    "SECOND) WITH ('connector' = 'nested');"
    "CREATE TABLE o (a INT, s STRING) WITH ('connector' = 'blackhole');"
    "CREATE VIEW v AS SELECT a, s, ts, r.y AS y FROM t WHERE b > 1;";

// More would measure the parser's limits, not the binder.
constexpr std::size_t kScriptBytesMax = 4096;

void check_graph(const StreamGraph& graph) {
  CLP_CHECK(graph.validate().is_ok());
  for (const StreamNode& node : graph.nodes) {
    const Result<ValueTree> again = ValueTree::decode(node.spec.options.encode());
    CLP_CHECK_MSG(again.is_ok(), again.status().message());
    CLP_CHECK_MSG(again->encode() == node.spec.options.encode(), again->to_string());
  }
}

void run_script(SqlSession& session, std::string_view script) {
  grammar::ScriptReader reader(script);
  while (true) {
    const Result<std::optional<grammar::ScriptStatement>> next = reader.next();
    if (!next.is_ok()) continue;
    if (!next.value()) return;
    const Result<StatementResult> result = session.execute(*(*next)->statement, script);
    if (!result.is_ok()) {
      CLP_CHECK(!result.status().message().empty());
      CLP_CHECK_MSG(result.status().code() != clepsydra::StatusCode::kInternal,
                    result.status().message());
      continue;
    }
    if (const auto* query = std::get_if<clepsydra::QueryJob>(&*result)) check_graph(query->graph);
    if (const auto* insert = std::get_if<clepsydra::InsertJob>(&*result))
      check_graph(insert->graph);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kScriptBytesMax) return 0;
  const clepsydra::sql::testing::FakeConnectors connectors;
  const clepsydra::SimulatedClock clock;
  Configuration configuration;
  configuration.set("parallelism.default", "2");
  SqlSession session(connectors, clock, configuration);
  run_script(session, kTables);
  run_script(session, std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
