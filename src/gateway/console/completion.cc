#include "gateway/console/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/configuration.h"
#include "clepsydra/table_connector.h"
#include "gateway/console/syntax_colors.h"
#include "sql/grammar/characters.h"
#include "sql/grammar/lexer.h"
#include "sql/session.h"

namespace clepsydra::console {
namespace {

using grammar::Token;
using grammar::TokenKind;
using grammar::Word;

// Tokens of a statement that are looked at.
constexpr std::size_t kTokensMax = 20'000;

constexpr auto kStatementWords = std::to_array<std::string_view>(
    {"ALTER", "ANALYZE",  "BEGIN",   "CALL",   "COMPILE", "CREATE", "DELETE", "DESC", "DESCRIBE",
     "DROP",  "EXECUTE",  "EXPLAIN", "INSERT", "LOAD",    "RESET",  "SELECT", "SET",  "SHOW",
     "STOP",  "TRUNCATE", "UNLOAD",  "UPDATE", "USE",     "VALUES", "WITH"});
constexpr auto kShellWords =
    std::to_array<std::string_view>({"cancel", "clear", "exit", "help", "jobs", "quit", "timing"});
// Names of tables stand behind these.
constexpr auto kTableWords =
    std::to_array<Word>({"FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "DESC", "VIEW", "OVERWRITE"});
// What may stand there instead of a name.
constexpr auto kWordsOfTables =
    std::to_array<std::string_view>({"EXTENDED", "IF", "JOB", "LATERAL", "TABLE", "UNNEST"});
// A FROM clause ends at these.
constexpr auto kClauseWords = std::to_array<Word>(
    {"WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION",
     "EXCEPT", "INTERSECT", "MINUS", "INSERT", "SELECT"});

// Between two tables of a FROM clause, and in front of what joins them.
constexpr auto kJoinWords = std::to_array<Word>(
    {"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "ON", "USING"});

template <typename List, typename Value>
bool contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool begins_with(std::string_view name, std::string_view beginning) {
  return name.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), name.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// As it must be written.
std::string written_name(const std::string& name) {
  const bool is_plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                        std::all_of(name.begin(), name.end(), is_name_byte) &&
                        !Word::find(name).is_reserved();
  if (is_plain) return name;
  std::string out = "`";
  for (const char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
  return out + "`";
}

}  // namespace

// What stands around the cursor.
struct SqlCompleter::Place {
  std::string_view statement;  // The whole one, also behind the cursor.
  std::vector<Token> tokens;   // Of the statement, without the word at the cursor.
  std::size_t before = 0;      // So many of them stand before the cursor.
  std::string_view typed;      // The word at the cursor up to it; of a string without its quote.
  std::size_t begin = 0;       // Of `typed`, in the whole text.
  bool in_string = false;
  bool in_name = false;  // In backticks.
  bool in_comment = false;

  [[nodiscard]] std::string_view text_of(const Token& token) const {
    return statement.substr(token.range.begin, token.range.end - token.range.begin);
  }
  // The token `back` places before the cursor, 1 being the nearest; kEnd when there is none.
  [[nodiscard]] Token back(std::size_t count) const {
    return count <= before ? tokens[before - count] : Token{};
  }
  [[nodiscard]] bool begins_with_word(Word word) const {
    return !tokens.empty() && before > 0 && tokens[0].word == word;
  }
  [[nodiscard]] std::string name_of(const Token& token) const {
    const std::string_view text = text_of(token);
    return token.kind == TokenKind::kWord ? std::string(text) : grammar::unquote(text);
  }
};

Completion SqlCompleter::complete(std::string_view text, std::size_t cursor) {
  const Place place = find_place(text, cursor);
  Names names;
  if (!place.in_comment) add_candidates(place, names);
  Completion completion{place.begin, {}};
  for (std::string& name : names) {
    if (begins_with(name, place.typed)) completion.candidates.push_back(std::move(name));
  }
  std::sort(completion.candidates.begin(), completion.candidates.end());
  completion.candidates.erase(
      std::unique(completion.candidates.begin(), completion.candidates.end()),
      completion.candidates.end());
  if (completion.candidates.size() > kCandidatesMax) completion.candidates.resize(kCandidatesMax);
  // One choice left: with what closes it.
  if (completion.candidates.size() == 1 && place.in_string) completion.candidates[0] += '\'';
  return completion;
}

SqlCompleter::Place SqlCompleter::find_place(std::string_view text, std::size_t cursor) {
  // The statement around the cursor: from semicolon to semicolon.
  const std::size_t valid_end = grammar::find_bad_byte(text);
  std::size_t statement_begin = 0;
  std::size_t open = std::string_view::npos;
  grammar::Lexer to_cursor(text.substr(0, cursor), 0, std::min(valid_end, cursor));
  for (std::size_t i = 0; i < kTokensMax; ++i) {
    const std::size_t before = to_cursor.offset();
    const Token token = to_cursor.next();
    if (token.kind == TokenKind::kEnd) break;
    if (to_cursor.is_unclosed()) open = to_cursor.error().range.begin;
    if (to_cursor.is_unclosed() || to_cursor.offset() <= before) break;
    if (token.kind == TokenKind::kSemicolon) statement_begin = token.range.end;
  }
  Place place;
  std::size_t word_begin = cursor;
  if (open != std::string_view::npos) {
    place.in_comment = text[open] == '/';
    place.in_name = text[open] == '`';
    place.in_string = !place.in_comment && !place.in_name;
    word_begin = place.in_name ? open : std::min(cursor, text.find('\'', open) + 1);
  } else {
    while (word_begin > statement_begin && is_name_byte(text[word_begin - 1])) --word_begin;
  }
  place.begin = word_begin;
  place.typed = text.substr(word_begin, cursor - word_begin);

  // What is behind the cursor is read without the word at it; an open quote hides it anyway.
  const std::size_t head_end = open != std::string_view::npos ? open : word_begin;
  grammar::Lexer head(text.substr(0, head_end), statement_begin, std::min(valid_end, head_end));
  place.statement = text.substr(statement_begin);
  const auto add_token = [&](Token token) {
    token.range.begin -= statement_begin;
    token.range.end -= statement_begin;
    place.tokens.push_back(token);
  };
  const auto goes_on = [&](const Token& token) {
    return token.kind != TokenKind::kEnd && token.kind != TokenKind::kError &&
           token.kind != TokenKind::kSemicolon && place.tokens.size() < kTokensMax;
  };
  for (Token token = head.next(); goes_on(token); token = head.next()) add_token(token);
  place.before = place.tokens.size();
  if (open != std::string_view::npos) return place;
  grammar::Lexer tail(text, cursor, valid_end);
  for (Token token = tail.next(); goes_on(token); token = tail.next()) add_token(token);
  return place;
}

void SqlCompleter::add_candidates(const Place& place, Names& names) {
  if (place.in_string) {
    add_strings(place, names);
  } else {
    add_names(place, names);
  }
}

void SqlCompleter::add_names(const Place& place, Names& names) {
  const Token last = place.back(1);
  if (last.kind == TokenKind::kEnd) {
    names.insert(names.end(), kStatementWords.begin(), kStatementWords.end());
    names.insert(names.end(), kShellWords.begin(), kShellWords.end());
    return;
  }
  if (last.kind == TokenKind::kDot) {
    const Token qualifier = place.back(2);
    if (qualifier.kind == TokenKind::kWord || qualifier.kind == TokenKind::kQuotedName) {
      add_columns(place, place.text_of(qualifier), names);
    }
    return;
  }
  if (contains(kTableWords, last.word)) {
    add_tables(place, names);
    add_words(place, kWordsOfTables, names);
    return;
  }
  if (!place.begins_with_word("CREATE") && !place.begins_with_word("SHOW")) {
    add_columns(place, {}, names);
  }
  // A column that is meant should not drown in the words of the grammar.
  const bool has_column = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return begins_with(name, place.typed);
  });
  if (place.typed.empty() || place.in_name) return;
  add_functions(names);
  std::vector<std::string_view> words;
  for (const grammar::internal::TableEntry& entry : grammar::internal::kWordTable) {
    if (!has_column || Word::find(entry.text).is_clause()) words.push_back(entry.text);
  }
  add_words(place, words, names);
}

// Spelt as the rest is.
void SqlCompleter::add_words(const Place& place, std::span<const std::string_view> words,
                             Names& names) {
  if (place.typed.empty() || place.in_name) return;
  const bool small = place.typed[0] >= 'a' && place.typed[0] <= 'z';
  for (const std::string_view text : words) {
    std::string word(text);
    if (small) std::transform(word.begin(), word.end(), word.begin(), lower);
    names.push_back(std::move(word));
  }
}

void SqlCompleter::add_strings(const Place& place, Names& names) {
  const Token last = place.back(1);
  const bool is_setting = place.begins_with_word("SET") || place.begins_with_word("RESET");
  if (is_setting && place.before == 1) {
    for (const OptionInfo& option : known_options()) names.emplace_back(option.key);
  } else if (last.kind == TokenKind::kEqual && place.back(2).kind == TokenKind::kString) {
    add_option_values(place, place.name_of(place.back(2)), names);
  } else if (last.kind == TokenKind::kLeftParen || last.kind == TokenKind::kComma) {
    add_option_keys(place, names);
  }
}

void SqlCompleter::add_option_keys(const Place& place, Names& names) {
  // From the parenthesis in which the cursor stands.
  std::size_t open = place.before;
  while (open > 0 && place.tokens[open - 1].kind != TokenKind::kLeftParen) --open;
  if (open < 2) return;
  const Word word = place.tokens[open - 2].word;
  if (word != Word("WITH") && word != Word("OPTIONS") && word != Word("SET")) return;
  names.insert(names.end(), {"connector", "format"});
  for (std::size_t i = open; i + 2 < place.tokens.size(); ++i) {
    if (place.tokens[i].kind == TokenKind::kRightParen) break;
    if (place.tokens[i + 1].kind != TokenKind::kEqual) continue;
    const std::string key = place.name_of(place.tokens[i]);
    const std::string value = place.name_of(place.tokens[i + 2]);
    if (key == "connector") {
      const TableConnector* connector = connectors_.find_connector(value);
      if (connector == nullptr) continue;
      for (const OptionDescription& option : connector->options()) names.push_back(option.key);
    } else if (key == "format") {
      const TableFormat* format = connectors_.find_format(value);
      if (format == nullptr) continue;
      for (const OptionDescription& option : format->options()) names.push_back(option.key);
    }
  }
}

void SqlCompleter::add_option_values(const Place& place, const std::string& key, Names& names) {
  const auto add = [&](const Names& more) { names.insert(names.end(), more.begin(), more.end()); };
  if (place.begins_with_word("SET")) {
    if (key == "sql-client.execution.result-mode") add({"table", "changelog", "tableau"});
    if (key == "sql-client.display.color-schema") add(ColorSchema::names());
    const OptionInfo* option = find_known_option(key);
    if (option != nullptr && option->type == "Boolean") add({"true", "false"});
    return;
  }
  if (key == "connector") add(connectors_.connector_names());
  if (key == "format") add(connectors_.format_names());
  const auto add_choices = [&](const std::vector<OptionDescription>& options) {
    for (const OptionDescription& option : options) {
      if (option.key != key) continue;
      add(option.choices);
      if (option.kind == OptionKind::kBoolean) add({"true", "false"});
    }
  };
  for (const std::string& name : connectors_.connector_names()) {
    add_choices(connectors_.find_connector(name)->options());
  }
  for (const std::string& name : connectors_.format_names()) {
    add_choices(connectors_.find_format(name)->options());
  }
}

void SqlCompleter::add_tables(const Place& place, Names& names) {
  Names tables;
  add_answers("SHOW TABLES", tables);
  for (const std::string& table : tables) names.push_back(written_name(table));
  // WITH names.
  for (std::size_t i = 1; i + 1 < place.before; ++i) {
    const bool is_first = place.tokens[0].word == Word("WITH") && i == 1;
    const Token& token = place.tokens[i];
    if (token.kind == TokenKind::kWord && token.word.is_none() &&
        place.tokens[i + 1].word == Word("AS") &&
        (is_first || place.tokens[i - 1].kind == TokenKind::kComma)) {
      names.emplace_back(place.text_of(token));
    }
  }
}

void SqlCompleter::add_columns(const Place& place, std::string_view qualifier, Names& names) {
  if (place.statement.size() > kBoundBytesMax) return;
  // WITH clauses stand in front of the first SELECT or INSERT on the level of the statement.
  std::size_t with_end = 0;
  if (!place.tokens.empty() && place.tokens[0].word == Word("WITH")) {
    int depth = 0;
    for (const Token& token : place.tokens) {
      if (token.kind == TokenKind::kLeftParen) ++depth;
      if (token.kind == TokenKind::kRightParen) --depth;
      if (depth == 0 && (token.word == Word("SELECT") || token.word == Word("INSERT"))) {
        with_end = token.range.begin;
        break;
      }
    }
  }
  const std::string with(place.statement.substr(0, with_end));
  for (std::size_t i = 0; i < place.tokens.size(); ++i) {
    if (place.tokens[i].word != Word("FROM")) continue;
    // To the clause behind it, or the parenthesis around it.
    int depth = 0;
    std::size_t end = i + 1;
    for (; end < place.tokens.size(); ++end) {
      const Token& token = place.tokens[end];
      if (end == place.before && end > i + 1) {
        // The word at the cursor is not there yet: what was before it counts.
        const TokenKind kind = place.tokens[end - 1].kind;
        if (kind == TokenKind::kComma || kind == TokenKind::kDot) break;
      }
      if (token.kind == TokenKind::kLeftParen) ++depth;
      if (token.kind == TokenKind::kRightParen && --depth < 0) break;
      if (depth == 0 && contains(kClauseWords, token.word)) break;
    }
    add_clause_columns(place, i + 1, end, with, qualifier, names);
  }
}

void SqlCompleter::add_clause_columns(const Place& place, std::size_t begin, std::size_t end,
                                      const std::string& with, std::string_view qualifier,
                                      Names& names) {
  const std::string selected = qualifier.empty() ? "*" : fmt::format("{}.*", qualifier);
  const auto bind = [&](std::size_t first, std::size_t last) {
    const std::size_t from = place.tokens[first].range.begin;
    return first < last &&
           add_schema(
               fmt::format("{}SELECT {} FROM {}", with, selected,
                           place.statement.substr(from, place.tokens[last - 1].range.end - from)),
               names);
  };
  if (begin >= end || bind(begin, end)) return;
  // The whole is not finished, or wrong: table by table.
  int depth = 0;
  std::size_t tries = 0;
  std::size_t first = begin;
  bool is_table = true;  // Not a condition.
  for (std::size_t i = begin; i <= end && tries < kClauseTriesMax; ++i) {
    const bool at_end = i == end;
    if (!at_end && place.tokens[i].kind == TokenKind::kLeftParen) ++depth;
    if (!at_end && place.tokens[i].kind == TokenKind::kRightParen) --depth;
    const bool ends_table = at_end || (depth == 0 && (place.tokens[i].kind == TokenKind::kComma ||
                                                      contains(kJoinWords, place.tokens[i].word)));
    if (!ends_table) continue;
    if (is_table && first < i) {
      ++tries;
      (void)bind(first, i);
    }
    if (at_end) break;
    is_table = place.tokens[i].word != Word("ON") && place.tokens[i].word != Word("USING");
    first = i + 1;
  }
}

bool SqlCompleter::add_schema(const std::string& query, Names& names) {
  const Result<StatementResult> result = session_.execute(query);
  if (!result.is_ok()) return false;
  const auto* job = std::get_if<QueryJob>(&*result);
  if (job == nullptr) return false;
  for (const Field& field : job->schema->fields()) names.push_back(written_name(field.name));
  return true;
}

void SqlCompleter::add_functions(Names& names) {
  Names functions;
  add_answers("SHOW FUNCTIONS", functions);
  // Not the operators.
  for (std::string& function : functions) {
    if (std::all_of(function.begin(), function.end(), is_name_byte)) {
      names.push_back(std::move(function));
    }
  }
}

void SqlCompleter::add_answers(const std::string& statement, Names& names) {
  const Result<StatementResult> result = session_.execute(statement);
  if (!result.is_ok()) return;
  const auto* table = std::get_if<TableResult>(&*result);
  if (table == nullptr || table->rows.column_count() == 0) return;
  for (std::int64_t row = 0; row < table->rows.rows(); ++row) {
    names.emplace_back(table->rows.column(0).string_at(row));
  }
}

}  // namespace clepsydra::console
