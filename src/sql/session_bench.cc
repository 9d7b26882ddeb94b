// How long a statement takes from text to operator graph.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

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

// Both sides of the join of Nexmark's q5, put together without it: joins are not built yet.
constexpr const char* kHotItems = R"(
SELECT AuctionBids.num, AuctionBids.starttime, AuctionBids.endtime
FROM (
  SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) AS AuctionBids
UNION ALL
SELECT max(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime
FROM (
  SELECT count(*) AS num, window_start AS starttime, window_end AS endtime
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) AS CountBids
GROUP BY CountBids.starttime, CountBids.endtime)";

// A statement of a million bytes: `head`, then parts of `part` with a number for each #, with
// `between` between them, then `tail`.
std::string long_statement(std::string_view head, std::string_view part, std::string_view between,
                           std::string_view tail) {
  constexpr std::size_t kBytes = 1'000'000;
  std::string sql(head);
  for (int i = 0; sql.size() < kBytes; ++i) {
    if (i > 0) sql += between;
    for (const char c : part) {
      if (c == '#') {
        sql += std::to_string(100'000 + i);
      } else {
        sql += c;
      }
    }
  }
  return sql += tail;
}

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
BENCHMARK_CAPTURE(plan, nexmark_q5, kHotItems);

void plan_long(benchmark::State& state, std::string_view head, std::string_view part,
               std::string_view between, std::string_view tail) {
  plan(state, long_statement(head, part, between, tail));
}

BENCHMARK_CAPTURE(plan_long, in_list, "SELECT price FROM bid WHERE auction IN (", "#", ", ", ")")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, in_list_of_texts, "SELECT price FROM bid WHERE url IN (", "'t#'", ", ",
                  ")")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, and_chain, "SELECT price FROM bid WHERE ", "auction <> #", " AND ", "")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, or_chain, "SELECT price FROM bid WHERE ", "auction = #", " OR ", "")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, values, "SELECT * FROM (VALUES ", "(#, 'text #', 1.5)", ", ",
                  ") AS v (a, b, c)")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, columns, "SELECT ", "auction + # AS c#", ", ", " FROM bid")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, literal, "SELECT '", "#", "", "' FROM bid")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_long, comment, "SELECT 1 /* ", "#", " ", "*/")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace clepsydra::sql
