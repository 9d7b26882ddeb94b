// Bytes to tokens, one at a time, so that an error late in a script is met only when it is reached.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sql/ast/location.h"
#include "sql/grammar/diagnostic.h"
#include "sql/grammar/token.h"

namespace clepsydra::grammar {

class Lexer {
 public:
  // Reads from `offset`; ranges count from the start of `text`, which must outlive the lexer.
  // `valid_end` is find_bad_byte(text): behind it is what no statement may contain.
  Lexer(std::string_view text, std::size_t offset, std::size_t valid_end);

  // The next token; at the end kEnd again and again. After kError, error() says what is wrong, and
  // reading goes on behind the bad bytes, if it can.
  Token next();
  [[nodiscard]] const Diagnostic& error() const { return error_; }
  // The error is a quote or comment that is still open at the end.
  [[nodiscard]] bool is_unclosed() const { return unclosed_; }
  // Where next() will start.
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  [[nodiscard]] char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool skip_blanks_and_comments();  // False on an error.
  Token word(std::size_t begin);
  Token number(std::size_t begin);
  Token quoted(std::size_t begin, std::size_t quote, TokenKind kind);
  Token symbol(std::size_t begin);
  Token unknown_character(std::size_t begin);
  [[nodiscard]] std::size_t name_end(std::size_t i) const;
  Token make(TokenKind kind, std::size_t begin, std::size_t end);
  Token fail(std::size_t begin, std::size_t end, std::string message, std::string suggestion);

  std::string_view text_;   // Up to the first byte that is not allowed.
  std::string_view whole_;  // All of it.
  std::size_t offset_ = 0;
  Diagnostic error_;
  bool unclosed_ = false;
};

// Undoes the quotes of a token's text: doubled quotes become one. `raw` includes the outer quotes.
std::string unquote(std::string_view raw);

}  // namespace clepsydra::grammar
