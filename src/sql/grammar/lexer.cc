#include "sql/grammar/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "sql/grammar/characters.h"

namespace clepsydra::grammar {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_ascii_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

// Longer spellings first where one begins another.
constexpr std::array<Spelling, 33> kSymbols{{
    {"{-", TokenKind::kLeftBraceMinus},
    {"-}", TokenKind::kRightBraceMinus},
    {"<>", TokenKind::kNotEqual},
    {"<=", TokenKind::kLessOrEqual},
    {">=", TokenKind::kGreaterOrEqual},
    {"=>", TokenKind::kArrow},
    {"==", TokenKind::kDoubleEqual},
    {"!=", TokenKind::kBangEqual},
    {"||", TokenKind::kConcat},
    {"::", TokenKind::kDoubleColon},
    {"*/", TokenKind::kHintEnd},
    {"(", TokenKind::kLeftParen},
    {")", TokenKind::kRightParen},
    {"[", TokenKind::kLeftBracket},
    {"]", TokenKind::kRightBracket},
    {"{", TokenKind::kLeftBrace},
    {"}", TokenKind::kRightBrace},
    {",", TokenKind::kComma},
    {".", TokenKind::kDot},
    {";", TokenKind::kSemicolon},
    {":", TokenKind::kColon},
    {"=", TokenKind::kEqual},
    {"<", TokenKind::kLess},
    {">", TokenKind::kGreater},
    {"+", TokenKind::kPlus},
    {"-", TokenKind::kMinus},
    {"*", TokenKind::kStar},
    {"/", TokenKind::kSlash},
    {"%", TokenKind::kPercent},
    {"|", TokenKind::kBar},
    {"?", TokenKind::kQuestion},
    {"^", TokenKind::kCaret},
    {"$", TokenKind::kDollar},
}};

}  // namespace

const char* token_kind_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kError:
      return "a token";
    case TokenKind::kWord:
    case TokenKind::kQuotedName:
      return "a name";
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kCharsetString:
      return "a string in single quotes";
    case TokenKind::kBinaryString:
      return "a binary string";
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kApproximate:
      return "a number";
    case TokenKind::kHintBegin:
      return "'/*+'";
    default:
      break;
  }
  static const auto kNames = [] {
    std::array<std::string, 64> names;
    for (const Spelling& s : kSymbols) {
      names[static_cast<std::size_t>(s.kind)] = fmt::format("'{}'", s.text);
    }
    return names;
  }();
  return kNames[static_cast<std::size_t>(kind)].c_str();
}

Lexer::Lexer(std::string_view text, std::size_t offset, std::size_t valid_end)
    : text_(text.substr(0, valid_end)), whole_(text), offset_(offset) {}

Token Lexer::make(TokenKind kind, std::size_t begin, std::size_t end) {
  offset_ = end;
  return {kind, {}, {begin, end}};
}

Token Lexer::fail(std::size_t begin, std::size_t end, std::string message, std::string suggestion) {
  error_ = {{begin, end}, std::move(message), std::move(suggestion)};
  return make(TokenKind::kError, begin, end);
}

Token Lexer::next() {
  if (!skip_blanks_and_comments()) return {TokenKind::kError, {}, error_.range};
  const std::size_t begin = offset_;
  if (begin == text_.size()) {
    if (text_.size() == whole_.size()) return make(TokenKind::kEnd, begin, begin);
    const auto byte = static_cast<unsigned char>(whole_[begin]);
    // Nothing behind the bad byte is read: the text may be no text at all.
    whole_ = text_;
    if (byte == 0) return fail(begin, begin, "the statement contains a NUL byte", "");
    return fail(begin, begin, fmt::format("byte 0x{:02X} is not valid UTF-8", byte),
                "write the statement in UTF-8");
  }
  const char c = text_[begin];
  const char next_char = at(begin + 1);
  if (c == '\'') return quoted(begin, begin, TokenKind::kString);
  if (c == '`') return quoted(begin, begin, TokenKind::kQuotedName);
  if ((c == 'x' || c == 'X') && next_char == '\'') {
    return quoted(begin, begin + 1, TokenKind::kBinaryString);
  }
  if ((c == 'n' || c == 'N') && next_char == '\'') {
    return quoted(begin, begin + 1, TokenKind::kCharsetString);
  }
  if ((c == 'u' || c == 'U') && next_char == '&' && at(begin + 2) == '\'') {
    return quoted(begin, begin + 2, TokenKind::kUnicodeString);
  }
  if (is_digit(c) || (c == '.' && is_digit(next_char))) return number(begin);
  if (c == '/' && next_char == '*') return make(TokenKind::kHintBegin, begin, begin + 3);
  const std::size_t end = is_digit(c) ? begin : name_end(begin);
  if (end > begin && !(c == '$' && end == begin + 1)) return word(begin);
  return symbol(begin);
}

bool Lexer::skip_blanks_and_comments() {
  while (offset_ < text_.size()) {
    const char c = text_[offset_];
    const char next_char = at(offset_ + 1);
    if (is_blank(c)) {
      ++offset_;
    } else if (c == '\xEF' && text_.substr(offset_, 3) == "\xEF\xBB\xBF" && offset_ == 0) {
      offset_ += 3;  // A byte order mark at the start of a file.
    } else if ((c == '-' && next_char == '-') || (c == '/' && next_char == '/')) {
      offset_ = std::min(text_.find('\n', offset_), text_.size());
    } else if (c == '/' && next_char == '*' && at(offset_ + 2) != '+') {
      const std::size_t end = text_.find("*/", offset_ + 2);
      if (end == std::string_view::npos) {
        const std::size_t begin = offset_;
        if (text_.size() != whole_.size()) {
          offset_ = text_.size();  // The bad byte in the comment is the first thing to tell.
          return true;
        }
        fail(begin, begin + 2, "the comment that opens here is not closed", "add */ at its end");
        offset_ = text_.size();
        unclosed_ = true;
        return false;
      }
      offset_ = end + 2;
    } else {
      return true;
    }
  }
  return true;
}

std::size_t Lexer::name_end(std::size_t i) const {
  while (i < text_.size()) {
    const char c = text_[i];
    if (is_ascii_name_start(c) || is_digit(c)) {
      ++i;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      std::size_t behind = i;
      if (!is_name_letter(utf8_next(text_, behind))) break;
      i = behind;
    } else {
      break;
    }
  }
  return i;
}

Token Lexer::word(std::size_t begin) {
  const std::size_t end = name_end(begin);
  const std::string_view name = text_.substr(begin, end - begin);
  if (name.front() == '_' && at(end) == '\'') {
    return quoted(begin, end, TokenKind::kCharsetString);
  }
  Token token = make(TokenKind::kWord, begin, end);
  token.word = Word::find(name);
  return token;
}

Token Lexer::number(std::size_t begin) {
  std::size_t i = begin;
  TokenKind kind = TokenKind::kInteger;
  while (is_digit(at(i))) ++i;
  // "1.", "1.5" and ".5" are numbers, the first point of "1..2" is not part of one.
  if (at(i) == '.' && at(i + 1) != '.') {
    kind = TokenKind::kDecimal;
    ++i;
    while (is_digit(at(i))) ++i;
  }
  const char e = at(i);
  const std::size_t sign = at(i + 1) == '+' || at(i + 1) == '-' ? 1 : 0;
  if ((e == 'e' || e == 'E') && is_digit(at(i + 1 + sign))) {
    kind = TokenKind::kApproximate;
    i += 1 + sign;
    while (is_digit(at(i))) ++i;
  }
  const std::size_t end = name_end(i);
  if (end > i) {
    return fail(
        begin, end, fmt::format("'{}' is not a number", text_.substr(begin, end - begin)),
        "names that begin with a digit are written in backticks; between a number and a word "
        "stands a blank");
  }
  return make(kind, begin, i);
}

Token Lexer::quoted(std::size_t begin, std::size_t quote, TokenKind kind) {
  const char mark = text_[quote];
  const bool name = kind == TokenKind::kQuotedName;
  // A name ends on its line: a lost backtick is told where it was lost.
  const std::string_view stops = name ? "`\n" : "'";
  std::size_t i = quote + 1;
  while ((i = text_.find_first_of(stops, i)) != std::string_view::npos && text_[i] == mark) {
    if (at(i + 1) != mark) {
      if (name && i == quote + 1) return fail(begin, i + 1, "a name cannot be empty", "");
      return make(kind, begin, i + 1);
    }
    i += 2;
  }
  if (text_.size() != whole_.size() && i == std::string_view::npos) {
    offset_ = text_.size();
    return next();  // The bad byte inside the quotes.
  }
  const std::size_t line_end = std::min(text_.find('\n', begin), text_.size());
  const Token token =
      fail(begin, line_end,
           name ? "the name that opens here with a backtick is not closed on its line"
                : "the string that opens here is not closed",
           name ? "add the closing backtick; a backtick inside a name is doubled"
                : "add the closing quote; a quote inside a string is doubled");
  unclosed_ = !name;
  offset_ = text_.size();
  return token;
}

Token Lexer::symbol(std::size_t begin) {
  const std::string_view rest = text_.substr(begin, 2);
  for (const Spelling& s : kSymbols) {
    if (rest.substr(0, s.text.size()) == s.text) {
      return make(s.kind, begin, begin + s.text.size());
    }
  }
  return unknown_character(begin);
}

Token Lexer::unknown_character(std::size_t begin) {
  std::size_t end = begin;
  const char32_t point = utf8_next(text_, end);
  switch (point) {
    case '"':
      return fail(begin, end, "'\"' has no meaning here",
                  "strings are written in single quotes ('text'), names in backticks (`name`)");
    case '!':
      return fail(begin, end, "'!' is not an operator", "write NOT");
    case '&':
      return fail(begin, end, "'&' is not an operator", "write AND");
    case 0x2018:
    case 0x2019:
    case 0x201C:
    case 0x201D:
      return fail(begin, end, "a typographic quote has no meaning here",
                  "strings are written in straight single quotes: 'text'");
    default:
      break;
  }
  if (point < 0x20 || point == 0x7F || point == 0xA0 || (point >= 0x2000 && point <= 0x206F) ||
      point == 0xFEFF) {
    return fail(begin, end,
                fmt::format("the character U+{:04X} has no meaning here",
                            static_cast<std::uint32_t>(point)),
                "replace it by a blank");
  }
  return fail(
      begin, end,
      fmt::format("the character '{}' has no meaning here", text_.substr(begin, end - begin)),
      "names with such characters are written in backticks");
}

std::string unquote(std::string_view raw) {
  std::string text;
  if (raw.size() < 2) return text;
  const char mark = raw.front();
  text.reserve(raw.size());
  for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
    text.push_back(raw[i]);
    if (raw[i] == mark) ++i;
  }
  return text;
}

}  // namespace clepsydra::grammar
