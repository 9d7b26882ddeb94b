#include "sql/grammar/token_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace clepsydra::grammar {
namespace {

// Characters of the statement that a message repeats.
constexpr std::size_t kClippedText = 64;

}  // namespace

TokenStream::TokenStream(std::string_view text, std::size_t offset, std::size_t valid_end)
    : text_(text), lexer_(text, offset, valid_end), last_end_(offset) {}

const Token& TokenStream::ahead(std::size_t count) {
  while (tokens_.size() <= position_ + count) {
    // Behind the end or an error there is nothing more.
    if (!tokens_.empty() &&
        (tokens_.back().kind == TokenKind::kEnd || tokens_.back().kind == TokenKind::kError)) {
      return tokens_.back();
    }
    tokens_.push_back(lexer_.next());
  }
  return tokens_[position_ + count];
}

Token TokenStream::take() {
  const Token token = peek();
  if (token.kind == TokenKind::kEnd || token.kind == TokenKind::kError) return token;
  ++position_;
  last_end_ = token.range.end;
  return token;
}

bool TokenStream::is_sequence(std::initializer_list<Word> words) {
  std::size_t i = 0;
  return std::all_of(words.begin(), words.end(), [&](Word word) { return is_ahead(i++, word); });
}

bool TokenStream::is_one_of(std::initializer_list<Word> words) {
  return std::any_of(words.begin(), words.end(), [&](Word word) { return is(word); });
}

bool TokenStream::accept(TokenKind kind) {
  if (!is(kind) || kind == TokenKind::kEnd) return false;
  take();
  return true;
}

bool TokenStream::accept(Word word) {
  if (is(word)) {
    take();
    return true;
  }
  if (tried_position_ != position_) {
    tried_.clear();
    tried_position_ = position_;
  }
  tried_.push_back(word);
  return false;
}

bool TokenStream::accept_sequence(std::initializer_list<Word> words) {
  if (!is_sequence(words)) return false;
  for (std::size_t i = 0; i < words.size(); ++i) take();
  return true;
}

void TokenStream::expect(TokenKind kind) {
  if (!accept(kind)) fail_expected(token_kind_name(kind));
}

void TokenStream::expect(Word word) {
  if (!accept(word)) fail_expected(word.text());
}

void TokenStream::expect_sequence(std::initializer_list<Word> words) {
  for (const Word word : words) expect(word);
}

void TokenStream::expect_close(ast::SourceRange open) {
  if (accept(TokenKind::kRightParen) || failed_) return;
  const LineColumn place = line_column(text_, open.begin);
  fail_expected(
      fmt::format("')' to close the '(' at line {}, column {}", place.line, place.column));
}

void TokenStream::fail_expected(std::string_view what) {
  if (failed_) return;
  const Token token = peek();
  if (token.kind == TokenKind::kError) {
    fail(lexer_.error());
    return;
  }
  fail({token.range, fmt::format("expected {}, found {}", what, describe(token)),
        suggest(token, what)});
}

void TokenStream::fail(Diagnostic diagnostic) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(diagnostic);
  // From here on the stream stands at its end.
  tokens_.assign(1, Token{TokenKind::kEnd, {}, {last_end_, last_end_}});
  position_ = 0;
}

std::string TokenStream::describe(const Token& token) const {
  if (token.kind == TokenKind::kEnd) return "the end of the text";
  if (token.kind == TokenKind::kSemicolon) return "the end of the statement";
  const std::string shown = clip(text_of(token.range), kClippedText);
  if (token.kind == TokenKind::kString) return fmt::format("the string {}", shown);
  if (token.kind == TokenKind::kQuotedName) return fmt::format("the name {}", shown);
  return fmt::format("'{}'", shown);
}

// What to do about a token that does not fit where `what` was expected.
std::string TokenStream::suggest(const Token& token, std::string_view what) {
  switch (token.kind) {
    case TokenKind::kBangEqual:
      return "write <> instead of !=";
    case TokenKind::kDoubleEqual:
      return "write = instead of ==";
    case TokenKind::kDoubleColon:
      return "write CAST(value AS type) instead of value::type";
    case TokenKind::kQuestion:
      return "parameters cannot be bound to a statement: write the value itself";
    case TokenKind::kArrow:
      return "=> gives a named argument; write >= to compare";
    case TokenKind::kRightParen:
      return what == kStatementEnd ? "there is no '(' that this ')' would close" : "";
    case TokenKind::kString:
      if (what.find("name") == std::string_view::npos) break;
      return "names are written in backticks, strings in single quotes";
    case TokenKind::kWord:
      return suggest_word(token, what);
    default:
      break;
  }
  return suggest_alias(token);
}

std::string TokenStream::suggest_word(const Token& token, std::string_view what) {
  if (token.word.is_reserved()) {
    if (what == kStatementEnd && token.word.is_clause()) {
      return "the clauses of a query stand in the order SELECT, FROM, WHERE, GROUP BY, HAVING, "
             "WINDOW, "
             "ORDER BY, LIMIT; without FROM there are only the last two";
    }
    if (what.find("name") != std::string_view::npos && !token.word.is_clause()) {
      return fmt::format("{} is a reserved word: write it in backticks to use it as a name, `{}`",
                         token.word.text(), text_of(token.range));
    }
    return suggest_alias(token);
  }
  if (tried_position_ != position_) tried_.clear();
  std::vector<std::string_view> words;
  for (const Word word : tried_) words.push_back(word.text());
  const std::string_view close = closest_name(text_of(token.range), words);
  return close.empty() ? suggest_alias(token) : fmt::format("did you mean {}?", close);
}

// The word before may have been read as an alias and meant as something else, or a comma is
// missing.
std::string TokenStream::suggest_alias(const Token& token) {
  if (implicit_alias_.empty() || implicit_alias_.end != last_end_) return {};
  const std::string_view alias = text_of(implicit_alias_);
  static const std::vector<std::string_view> kClauses = {
      "FROM",  "WHERE",  "GROUP", "HAVING",    "ORDER",  "LIMIT",           "OFFSET",
      "UNION", "EXCEPT", "JOIN",  "INTERSECT", "WINDOW", "MATCH_RECOGNIZE", "INNER",
      "LEFT",  "RIGHT",  "FULL",  "CROSS",     "FETCH"};
  const std::string_view close = closest_name(alias, kClauses);
  if (!close.empty()) {
    return fmt::format("'{}' before it was read as an alias: did you mean {}?", alias, close);
  }
  const bool could_be_item =
      token.kind == TokenKind::kQuotedName || token.kind == TokenKind::kString ||
      token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal ||
      (token.kind == TokenKind::kWord && !token.word.is_reserved());
  if (!could_be_item) return {};
  return fmt::format("'{}' before it was read as an alias: is a ',' missing?", alias);
}

}  // namespace clepsydra::grammar
