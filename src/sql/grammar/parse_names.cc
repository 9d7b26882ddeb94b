// Names, strings, options, hints: the small parts that all statements share.
#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/utf8.h"
#include "sql/grammar/parser.h"
#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

bool is_string(TokenKind kind) {
  return kind == TokenKind::kString || kind == TokenKind::kUnicodeString ||
         kind == TokenKind::kCharsetString;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Whether two tokens stand on different lines: only then do strings that follow each other make
// one.
bool has_line_break(std::string_view between) {
  return between.find('\n') != std::string_view::npos;
}

}  // namespace

Parser::Nesting::Nesting(Parser& parser) : parser_(parser), outer_height_(parser.height_) {
  parser_.height_ = 0;
  if (++parser_.depth_ > kMaxNesting) parser_.fail_nesting();
}

Parser::Nesting::~Nesting() {
  --parser_.depth_;
  parser_.wrap();
  parser_.height_ = std::max(parser_.height_, outer_height_);
}

void Parser::wrap() {
  if (++height_ > kMaxNesting) fail_nesting();
}

void Parser::fail_nesting() {
  const std::size_t begin = in_.peek().range.begin;
  in_.fail({in_.peek().range.empty() ? ast::SourceRange{begin, begin} : in_.peek().range,
            fmt::format("the statement is nested more than {} levels deep", kMaxNesting),
            "split it, for instance into views", StatusCode::kResourceExhausted});
}

bool Parser::is_name(std::size_t count) {
  const Token& token = in_.ahead(count);
  return token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kWord && !token.word.is_reserved());
}

ast::Identifier Parser::take_name() {
  const Token token = in_.take();
  const std::string_view raw = in_.text_of(token.range);
  if (token.kind == TokenKind::kQuotedName) return {unquote(raw), true, token.range};
  return {std::string(raw), false, token.range};
}

ast::Identifier Parser::name(std::string_view what) {
  if (is_name()) return take_name();
  in_.fail_expected(what);
  return {};
}

ast::ObjectName Parser::object_name(std::string_view what) {
  ast::ObjectName result;
  do {
    result.parts.push_back(name(what));
  } while (in_.accept(TokenKind::kDot));
  return result;
}

std::vector<ast::Identifier> Parser::name_list(std::string_view what) {
  std::vector<ast::Identifier> names;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  do {
    names.push_back(name(what));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return names;
}

std::string Parser::string_text(std::string_view what) {
  if (is_string(in_.peek().kind)) return string_value();
  in_.fail_expected(what);
  return {};
}

std::string Parser::string_value(ast::SourceRange* range) {
  const Token first = in_.take();
  std::string text;
  if (first.kind == TokenKind::kUnicodeString) {
    text = unicode_string(first);
  } else if (first.kind == TokenKind::kCharsetString) {
    text = charset_string(first);
  } else {
    text = unquote(in_.text_of(first.range));
  }
  while (in_.is(TokenKind::kString) &&
         has_line_break(in_.text_of({in_.last_end(), in_.peek().range.begin}))) {
    text += unquote(in_.text_of(in_.take().range));
  }
  if (range != nullptr) *range = in_.range_from(first.range.begin);
  return text;
}

// U&'...' with \XXXX and \+XXXXXX; UESCAPE 'c' behind it names another character than '\'.
std::string Parser::unicode_string(const Token& token) {
  const std::size_t quote = token.range.begin + 2;
  const std::string raw = unquote(in_.text_of({quote, token.range.end}));
  char escape = '\\';
  if (in_.accept("UESCAPE")) {
    const Token where = in_.peek();
    const std::string text = string_text("the escape character in single quotes");
    if (in_.failed()) return {};
    const bool usable = text.size() == 1 && static_cast<unsigned char>(text[0]) > 0x20 &&
                        static_cast<unsigned char>(text[0]) < 0x7F && hex_value(text[0]) < 0 &&
                        text[0] != '+' && text[0] != '"';
    if (!usable) {
      in_.fail({where.range,
                "UESCAPE takes one character that is no hexadecimal digit, '+' or blank", ""});
      return {};
    }
    escape = text[0];
  }
  std::string result;
  const auto bad_escape = [&] {
    in_.fail({token.range, "invalid Unicode escape in the string",
              fmt::format("write {0}XXXX or {0}+XXXXXX with hexadecimal digits of a character, and "
                          "{0}{0} for the character {0} itself",
                          escape)});
    return std::string();
  };
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != escape) {
      result.push_back(raw[i]);
      continue;
    }
    if (i + 1 < raw.size() && raw[i + 1] == escape) {
      result.push_back(escape);
      ++i;
      continue;
    }
    const bool is_long = i + 1 < raw.size() && raw[i + 1] == '+';
    const std::size_t first = i + (is_long ? 2 : 1);
    const std::size_t digits = is_long ? 6 : 4;
    if (first + digits > raw.size()) return bad_escape();
    char32_t value = 0;
    for (std::size_t k = first; k < first + digits; ++k) {
      const int digit = hex_value(raw[k]);
      if (digit < 0) return bad_escape();
      value = value * 16 + static_cast<char32_t>(digit);
    }
    if (value == 0 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return bad_escape();
    utf8_append(value, result);
    i = first + digits - 1;
  }
  return result;
}

// _UTF8'...' and N'...': the statement is UTF-8, so Unicode character sets change nothing.
std::string Parser::charset_string(const Token& token) {
  const std::string_view raw = in_.text_of(token.range);
  const std::size_t quote = raw.find('\'');
  std::string charset(raw.substr(0, quote));
  for (char& c : charset) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (charset != "N" && charset != "_UTF8" && charset != "_UTF16" && charset != "_UTF32") {
    in_.fail({{token.range.begin, token.range.begin + quote},
              fmt::format("unknown character set '{}'", raw.substr(1, quote - 1)),
              "write _UTF8'text', or the text alone"});
    return {};
  }
  return unquote(raw.substr(quote));
}

std::string Parser::binary_string(bool& odd) {
  std::string bytes;
  bool more = true;
  while (more) {
    const Token token = in_.take();
    const std::string_view raw = in_.text_of(token.range);
    const std::size_t quote = raw.find('\'');
    const std::string_view digits = raw.substr(quote + 1, raw.size() - quote - 2);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (hex_value(digits[i]) < 0) {
        const std::size_t at = token.range.begin + quote + 1 + i;
        in_.fail({{at, at + 1}, "a binary string holds hexadecimal digits only", ""});
        return {};
      }
    }
    for (std::size_t i = 0; i < digits.size(); i += 2) {
      const bool is_whole = i + 1 < digits.size();
      odd |= !is_whole;
      const int low = is_whole ? hex_value(digits[i + 1]) : 0;
      bytes.push_back(static_cast<char>(hex_value(digits[i]) * 16 + low));
    }
    more = in_.is(TokenKind::kString) &&
           has_line_break(in_.text_of({in_.last_end(), in_.peek().range.begin}));
  }
  return bytes;
}

// A non-negative integer that fits 32 bits: type parameters, repetitions.
std::optional<std::int32_t> Parser::small_number() {
  if (!in_.is(TokenKind::kInteger)) {
    in_.fail_expected("a whole number");
    return std::nullopt;
  }
  const Token token = in_.take();
  const std::string_view digits = in_.text_of(token.range);
  std::int32_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc()) {
    in_.fail({token.range, fmt::format("the number is greater than {}", 2147483647), ""});
    return std::nullopt;
  }
  return value;
}

std::vector<ast::Option> Parser::options() {
  std::vector<ast::Option> result;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  if (in_.accept(TokenKind::kRightParen)) return result;
  do {
    ast::Option option;
    const bool key = is_string(in_.peek().kind);
    if (!key) in_.fail_expected("an option key in single quotes");
    if (key) option.key = string_value(&option.key_range);
    in_.expect(TokenKind::kEqual);
    const bool value = is_string(in_.peek().kind);
    if (!value) in_.fail_expected("an option value in single quotes");
    if (value) option.value = string_value(&option.value_range);
    result.push_back(std::move(option));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return result;
}

std::vector<ast::Option> Parser::with_options() {
  return in_.accept("WITH") ? options() : std::vector<ast::Option>();
}

std::vector<std::string> Parser::option_keys() {
  std::vector<std::string> keys;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  do {
    keys.push_back(string_text("an option key in single quotes"));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return keys;
}

std::optional<std::string> Parser::comment() {
  if (!in_.accept("COMMENT")) return std::nullopt;
  return string_text("the comment in single quotes");
}

std::vector<ast::Hint> Parser::hints() {
  std::vector<ast::Hint> result;
  if (!in_.accept(TokenKind::kHintBegin)) return result;
  do {
    result.push_back(hint());
    in_.accept(TokenKind::kComma);
  } while (!in_.is(TokenKind::kHintEnd) && !in_.failed());
  in_.expect(TokenKind::kHintEnd);
  return result;
}

ast::Hint Parser::hint() {
  ast::Hint result;
  const std::size_t begin = in_.peek().range.begin;
  result.name = name("the name of a hint");
  if (in_.is(TokenKind::kLeftParen)) {
    const Token open = in_.take();
    const auto part = [&] {
      const TokenKind kind = in_.peek().kind;
      if (is_string(kind)) return string_value();
      if (kind == TokenKind::kInteger || kind == TokenKind::kDecimal) {
        return std::string(in_.text_of(in_.take().range));
      }
      if (kind == TokenKind::kWord || kind == TokenKind::kQuotedName) {
        std::string text = take_name().name;
        while (in_.accept(TokenKind::kDot)) text += "." + name("a name").name;
        return text;
      }
      in_.fail_expected("an option of the hint");
      return std::string();
    };
    if (!in_.is(TokenKind::kRightParen)) {
      do {
        std::string key = part();
        if (in_.accept(TokenKind::kEqual)) {
          result.options.emplace_back(std::move(key), part());
        } else {
          result.arguments.push_back(std::move(key));
        }
      } while (in_.accept(TokenKind::kComma));
    }
    in_.expect_close(open.range);
  }
  result.range = in_.range_from(begin);
  return result;
}

std::vector<ast::PartitionValue> Parser::partition() {
  std::vector<ast::PartitionValue> result;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  do {
    ast::PartitionValue value;
    value.column = name("a column name");
    if (in_.accept(TokenKind::kEqual)) value.value = expression();
    result.push_back(std::move(value));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return result;
}

bool Parser::if_exists() {
  return in_.accept_sequence({"IF", "EXISTS"});
}

bool Parser::if_not_exists() {
  return in_.accept_sequence({"IF", "NOT", "EXISTS"});
}

}  // namespace clepsydra::grammar
