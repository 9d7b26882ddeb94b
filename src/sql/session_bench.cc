// How long a statement takes from text to operator graph.
#include <benchmark/benchmark.h>

#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "sql/fake_connectors.h"
#include "sql/session.h"

namespace clepsydra::sql {
namespace {

constexpr const char* kBids =
    "CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, "
    "`dateTime` TIMESTAMP(3), extra STRING, WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' "
    "SECOND) WITH ('connector' = 'nested')";

// The windowed half of Nexmark's q5.
constexpr const char* kPeaks =
    "WITH counts AS (SELECT auction, window_start, window_end, COUNT(*) AS num FROM "
    "TABLE(HOP(TABLE "
    "bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY auction, "
    "window_start, window_end) SELECT window_start, window_end, MAX(num) AS maxn FROM counts GROUP "
    "BY "
    "window_start, window_end";

void plan(benchmark::State& state, const std::string& statement) {
  const testing::FakeConnectors connectors;
  const SimulatedClock clock;
  Configuration configuration;
  configuration.set("parallelism.default", "2");
  SqlSession session(connectors, clock, configuration);
  CLP_CHECK(session.execute(kBids).is_ok());
  for (auto step : state) {
    const Result<StatementResult> result = session.execute(statement);
    CLP_CHECK_MSG(result.is_ok(), result.status().message());
    benchmark::DoNotOptimize(result);
  }
}

BENCHMARK_CAPTURE(plan, select_one, "SELECT 1");
BENCHMARK_CAPTURE(plan, filter, "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0");
BENCHMARK_CAPTURE(plan, windows_over_windows, kPeaks);

}  // namespace
}  // namespace clepsydra::sql
