// How many rows a plan is thought to have: what EXPLAIN ESTIMATED_COST shows. Nothing else decides
// by it.
#pragma once

#include "clepsydra/table_connector.h"
#include "sql/catalog/statistics.h"
#include "sql/logical/plan.h"

namespace clepsydra::sql {

// Of a table whose size its connector does not know; the reference's default too.
inline constexpr double kUnknownRows = 1e8;

struct RowEstimate {
  double rows = 0;
  double cumulative = 0;  // With those of everything below: the rows that are handed on.
};
// What estimates go by.
struct KnownRows {
  const TableConnectorRegistry* connectors = nullptr;
  const StatisticsOfTables* statistics = nullptr;
};
RowEstimate estimate_rows(const PlanNode& node, const KnownRows& known);

}  // namespace clepsydra::sql
