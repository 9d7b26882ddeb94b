// What could come next where the cursor stands.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/console/line_editor.h"
#include "sql/grammar/token.h"

namespace clepsydra {
class SqlSession;
class TableConnectorRegistry;
}  // namespace clepsydra

namespace clepsydra::console {

// Tables and functions are those of the session's catalog. Columns come from the session's binder,
// which is given the FROM clauses of the statement being typed: so aliases, subqueries, window
// functions and WITH have theirs, too. Nothing is run.
//
// Threads: one at a time.
class SqlCompleter {
 public:
  // Candidates that are handed out.
  static constexpr std::size_t kCandidatesMax = 2'000;
  // Longer statements get words of the grammar only: binding them takes too long for a key.
  static constexpr std::size_t kBoundBytesMax = 64 << 10;
  // Tables of a FROM clause that are bound one by one when the clause as a whole does not bind.
  static constexpr std::size_t kClauseTriesMax = 16;

  // Both outlive the completer.
  SqlCompleter(SqlSession& session, const TableConnectorRegistry& connectors)
      : session_(session), connectors_(connectors) {}

  Completion complete(std::string_view text, std::size_t cursor);

 private:
  struct Place;
  using Names = std::vector<std::string>;

  static Place find_place(std::string_view text, std::size_t cursor);
  void add_candidates(const Place& place, Names& names);
  void add_names(const Place& place, Names& names);
  static void add_words(const Place& place, std::span<const std::string_view> words, Names& names);
  void add_strings(const Place& place, Names& names);
  void add_option_keys(const Place& place, Names& names);
  void add_option_values(const Place& place, const std::string& key, Names& names);
  void add_tables(const Place& place, Names& names);
  void add_columns(const Place& place, std::string_view qualifier, Names& names);
  // Of the tables between two tokens of a FROM clause.
  void add_clause_columns(const Place& place, std::size_t begin, std::size_t end,
                          const std::string& with, std::string_view qualifier, Names& names);
  // The columns of a query; false when it does not bind.
  bool add_schema(const std::string& query, Names& names);
  void add_functions(Names& names);
  // The first column of what a statement answers.
  void add_answers(const std::string& statement, Names& names);

  SqlSession& session_;
  const TableConnectorRegistry& connectors_;
};

}  // namespace clepsydra::console
