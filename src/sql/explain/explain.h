// EXPLAIN: plans and operator graphs as text.
#pragma once

#include <cstdint>
#include <string>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "graph/stream_graph.h"
#include "sql/explain/row_estimate.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

enum class PlanStyle : std::uint8_t { kLogical, kPhysical };

// The roots as trees, a node per line, inputs below their consumer:
//
//   Calc(select=[k], where=[(k > 1)])
//   +- TableSourceScan(table=[[default_catalog, default_database, t, project=[k]]], fields=[k])
//
// The physical style joins filter and projection, shows exchanges, and writes a part that was shown
// before as Reused(...). `changelog_mode` adds what each node emits.
struct PlanTextOptions {
  PlanStyle style = PlanStyle::kPhysical;
  bool changelog_mode = false;
  // Not null: behind each line of the physical style how many rows it is thought to give.
  const KnownRows* estimate_with = nullptr;
  int parallelism = 1;  // With one subtask there are no exchanges.
};
std::string plan_text(const PlanRoots& roots, const PlanTextOptions& options);

// What might be set otherwise for these plans, physical as they are, to run them faster: lines for
// people.
std::string plan_advice(const PlanRoots& roots, int parallelism);

// One line per operator with its parallelism, and where its rows come from.
std::string graph_text(const StreamGraph& graph);

// The same as JSON with the reference's keys: a list "nodes" of objects with id, type, pact,
// contents, parallelism and predecessors (id, ship_strategy, side). Ids count from 1.
std::string graph_json(const StreamGraph& graph);

}  // namespace clepsydra::sql
