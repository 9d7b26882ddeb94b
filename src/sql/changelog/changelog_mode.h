// Which kinds of changes each node of a plan emits.
#pragma once

#include <string>

#include "sql/logical/plan.h"
#include "sql/session.h"

namespace clepsydra::sql {

// +I, -U, +U, -D.
struct ChangelogMode {
  bool insert = true;
  bool update_before = false;
  bool update_after = false;
  bool remove = false;

  [[nodiscard]] bool is_insert_only() const { return !update_before && !update_after && !remove; }
  [[nodiscard]] ChangelogKind kind() const {
    if (is_insert_only()) return ChangelogKind::kInsertOnly;
    return update_before ? ChangelogKind::kRetract : ChangelogKind::kUpsert;
  }
  // "[I]", "[I,UB,UA,D]"
  [[nodiscard]] std::string to_string() const;
};

// What a node emits, from its own kind and what its inputs emit. Every source is insert-only so
// far, and so is every node: one that updates what it emitted adds its case here.
ChangelogMode changelog_mode(const PlanNode& node);

// Whether every source below ends by itself.
Result<bool> is_bounded(const PlanNode& node, const TableConnectorRegistry& connectors);

}  // namespace clepsydra::sql
