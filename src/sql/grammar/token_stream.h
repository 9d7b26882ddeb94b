// The parser's view of the tokens: looking ahead, taking, and the one error that ends it all.
//
// Errors are sticky: the first one is kept and from then on the stream is at its end, so that every
// loop and every alternative of the parser falls through without checking. Parse functions return
// some node even then; only the caller at the top looks at failed().
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/location.h"
#include "sql/grammar/diagnostic.h"
#include "sql/grammar/keyword.h"
#include "sql/grammar/lexer.h"
#include "sql/grammar/token.h"

namespace clepsydra::grammar {

// What fail_expected() is told where a statement should have ended.
inline constexpr std::string_view kStatementEnd = "the end of the statement";

class TokenStream {
 public:
  TokenStream(std::string_view text, std::size_t offset, std::size_t valid_end);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view text_of(ast::SourceRange range) const {
    return text_.substr(range.begin, range.end - range.begin);
  }

  // The current token is ahead(0). Looking ahead is bounded by what the grammar needs: a few
  // tokens.
  [[nodiscard]] const Token& peek() { return ahead(0); }
  const Token& ahead(std::size_t count);
  Token take();
  // End of the last taken token: where a node that was just read ends.
  [[nodiscard]] std::size_t last_end() const { return last_end_; }
  [[nodiscard]] ast::SourceRange range_from(std::size_t begin) const {
    return {begin, last_end_ > begin ? last_end_ : begin};
  }

  // Tests without taking.
  bool is(TokenKind kind) { return peek().kind == kind; }
  bool is(Word word) { return peek().kind == TokenKind::kWord && peek().word == word; }
  bool is_ahead(std::size_t count, TokenKind kind) { return ahead(count).kind == kind; }
  bool is_ahead(std::size_t count, Word word) {
    return ahead(count).kind == TokenKind::kWord && ahead(count).word == word;
  }
  // The words stand here one after the other.
  bool is_sequence(std::initializer_list<Word> words);
  bool is_one_of(std::initializer_list<Word> words);

  // Takes the token, or all the words, if they stand here.
  bool accept(TokenKind kind);
  bool accept(Word word);
  bool accept_sequence(std::initializer_list<Word> words);

  // Takes it or fails with "expected ..., found ...".
  void expect(TokenKind kind);
  void expect(Word word);
  void expect_sequence(std::initializer_list<Word> words);
  // Takes the ')' that belongs to the '(' at `open`.
  void expect_close(ast::SourceRange open);

  // Fails at the current token: "expected `what`, found '...'".
  void fail_expected(std::string_view what);
  // The error with a place and text of its own.
  void fail(Diagnostic diagnostic);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const Diagnostic& error() const { return error_; }

  // Remembers an alias that stood without AS: if the next token fits nowhere, it may have been a
  // misspelt word of the grammar ("FORM t").
  void note_implicit_alias(ast::SourceRange range) { implicit_alias_ = range; }

 private:
  std::string describe(const Token& token) const;
  std::string suggest(const Token& token, std::string_view what);
  std::string suggest_word(const Token& token, std::string_view what);
  std::string suggest_alias(const Token& token);

  std::string_view text_;
  Lexer lexer_;
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
  std::size_t last_end_ = 0;
  std::size_t tried_position_ = 0;
  std::vector<Word> tried_;  // Words looked for at the current token, for hints about slips.
  ast::SourceRange implicit_alias_;
  bool failed_ = false;
  Diagnostic error_;
};

}  // namespace clepsydra::grammar
