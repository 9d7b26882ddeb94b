// What ANALYZE TABLE has found out about a table.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sql/catalog/table.h"

namespace clepsydra::sql {

struct ColumnStatistics {
  std::int64_t nulls = 0;
  std::int64_t distinct = 0;  // About so many values beside NULL.
};

struct TableStatistics {
  std::int64_t rows = 0;
  std::map<std::string, ColumnStatistics> columns;  // Those that were asked for.
};

// Of the tables of a session, as long as it lasts. What was found out of a table that has been made
// anew with other columns or options does not hold any more.
class StatisticsOfTables {
 public:
  static constexpr std::size_t kTablesMax = 10'000;

  void put(const CatalogTablePtr& table, TableStatistics statistics) {
    if (by_path_.size() >= kTablesMax) by_path_.clear();
    by_path_.insert_or_assign(table->path.to_string(), Entry{table, std::move(statistics)});
  }
  // Null when there are none.
  [[nodiscard]] const TableStatistics* find(const CatalogTable& table) const {
    const auto found = by_path_.find(table.path.to_string());
    if (found == by_path_.end()) return nullptr;
    const CatalogTable& then = *found->second.table;
    const bool is_same =
        then.options == table.options && then.schema->to_string() == table.schema->to_string();
    return is_same ? &found->second.statistics : nullptr;
  }

 private:
  struct Entry {
    CatalogTablePtr table;
    TableStatistics statistics;
  };
  std::map<std::string, Entry> by_path_;
};

}  // namespace clepsydra::sql
