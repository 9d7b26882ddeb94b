// What plans compute, as hashes that do not depend on how it is written: the ids of operators, by
// which their state is found again, are made of them. docs/formats/operator_ids.md says what goes
// in; they are stored in savepoints, so that a change here needs a new version of the ids.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clepsydra/table_connector.h"
#include "sql/logical/plan.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

// The table, its connector, the options that say what is read, and the event time. Not: columns.
std::uint64_t source_identity(const ScanNode& scan, const TableConnectorRegistry& connectors);
// The table and its connector. Not: the query, nor where it writes to: what was prepared says that
// itself.
std::uint64_t sink_identity(const SinkNode& sink);
// The rows that it aggregates, with their windows, its keys and its aggregates: both as sets, and
// only those that are computed.
std::uint64_t window_aggregate_identity(const WindowAggregateNode& aggregate);
// Of constant rows.
std::uint64_t values_identity(const ValuesNode& values);

// Of plans as they were bound, before any rule has seen them.
class PlanIdentities {
 public:
  PlanIdentities(const PlanRoots& roots, const TableConnectorRegistry& connectors);
  // What an aggregation that is one of the nodes computes; `call`: one of its calls.
  [[nodiscard]] AggregateIdentity of(const AggregateNode& aggregate) const;
  [[nodiscard]] std::uint64_t of(const AggregateNode& aggregate, const AggregateCall& call) const;

 private:
  // Which rows come out of a node, and what is in their columns.
  struct Identity {
    std::uint64_t origin = 0;
    std::vector<std::uint64_t> conditions;  // Filters and windows, in any order.
    std::vector<std::uint64_t> columns;

    [[nodiscard]] std::uint64_t rows() const;
  };

  [[nodiscard]] const Identity& at(const PlanNode& node) const { return identities_.at(&node); }
  [[nodiscard]] Identity make(const PlanNode& node) const;
  [[nodiscard]] Identity of_scan(const ScanNode& scan) const;
  [[nodiscard]] Identity of_window(const WindowTableFunctionNode& window) const;
  [[nodiscard]] Identity of_aggregate(const AggregateNode& aggregate) const;
  [[nodiscard]] Identity of_union(const UnionAllNode& node) const;

  const TableConnectorRegistry& connectors_;
  std::unordered_map<const PlanNode*, Identity> identities_;
};

}  // namespace clepsydra::sql
