// Tokens: what the lexer makes of the bytes of a statement.
#pragma once

#include <cstdint>

#include "sql/ast/location.h"
#include "sql/grammar/keyword.h"

namespace clepsydra::grammar {

enum class TokenKind : std::uint8_t {
  kEnd,            // End of the text.
  kError,          // The bytes are no token; the lexer has the diagnostic.
  kWord,           // Unquoted name or word of the grammar.
  kQuotedName,     // `...`
  kString,         // '...'
  kUnicodeString,  // U&'...'
  kCharsetString,  // _UTF8'...' or N'...'
  kBinaryString,   // X'...'
  kInteger,
  kDecimal,
  kApproximate,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kLeftBraceMinus,   // {-
  kRightBraceMinus,  // -}
  kComma,
  kDot,
  kSemicolon,
  kColon,
  kEqual,
  kNotEqual,     // <>
  kBangEqual,    // != is a token only to be refused with a hint.
  kDoubleEqual,  // ==, likewise
  kDoubleColon,  // ::, likewise
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kArrow,  // =>
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kConcat,  // ||
  kBar,     // |
  kQuestion,
  kCaret,
  kDollar,
  kHintBegin,  // /*+
  kHintEnd,    // */
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Word word;  // kWord that is a word of the grammar.
  ast::SourceRange range;
};

// How a message names a token that was expected: "')'", "a string".
const char* token_kind_name(TokenKind kind);

}  // namespace clepsydra::grammar
