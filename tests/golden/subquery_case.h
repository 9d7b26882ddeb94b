// Cases that are one scalar subquery, asked as the query that stands in it: subqueries as values
// are not built, but what they compute is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace clepsydra::golden {

struct SubqueryCase {
  std::string setup;  // Statements to run first; may be empty.
  std::string query;
};

// The rows that aggregates read: a table of the numbers 1 to 8 and one time. Run it once.
std::string aggregate_rows_script();

// `expression` is "(SELECT ... FROM (VALUES ...) AS t(...))". Aggregates over VALUES become those
// of a window that holds all rows, in the order in which they are written. Nothing for a case whose
// answer lies in the subquery itself (of no rows, of several columns) or that has another form.
std::optional<SubqueryCase> query_of_subquery(std::string_view expression, bool has_aggregates);

}  // namespace clepsydra::golden
