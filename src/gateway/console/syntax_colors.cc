#include "gateway/console/syntax_colors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "sql/grammar/characters.h"
#include "sql/grammar/lexer.h"

namespace clepsydra::console {
namespace {

using grammar::Token;
using grammar::TokenKind;

struct NamedSchema {
  std::string_view name;
  // Keyword, quoted name, string, number, comment, hint.
  std::array<std::string_view, 6> codes;
};

constexpr std::string_view kNone;
constexpr auto kSchemas = std::to_array<NamedSchema>({
    {"DEFAULT", {"\x1b[1;34m", "\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[90m", "\x1b[33m"}},
    {"DARK", {"\x1b[1;94m", "\x1b[96m", "\x1b[92m", "\x1b[95m", "\x1b[3;37m", "\x1b[93m"}},
    {"LIGHT", {"\x1b[1;31m", "\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[3;90m", "\x1b[34m"}},
    {"CHESTER",
     {"\x1b[1;38;5;32m", "\x1b[38;5;169m", "\x1b[38;5;114m", "\x1b[38;5;179m", "\x1b[38;5;145m",
      "\x1b[38;5;141m"}},
    {"VS2010",
     {"\x1b[1;38;5;69m", "\x1b[38;5;187m", "\x1b[38;5;173m", "\x1b[38;5;151m", "\x1b[38;5;71m",
      "\x1b[38;5;80m"}},
    {"SOLARIZED",
     {"\x1b[1;38;5;33m", "\x1b[38;5;136m", "\x1b[38;5;37m", "\x1b[38;5;166m", "\x1b[38;5;245m",
      "\x1b[38;5;61m"}},
    {"OBSIDIAN",
     {"\x1b[1;38;5;107m", "\x1b[38;5;110m", "\x1b[38;5;208m", "\x1b[38;5;221m", "\x1b[38;5;103m",
      "\x1b[38;5;141m"}},
    {"GESHI",
     {"\x1b[1;38;5;88m", "\x1b[38;5;90m", "\x1b[38;5;21m", "\x1b[38;5;160m", "\x1b[38;5;102m",
      "\x1b[38;5;28m"}},
});

// Words that may be names are words of the grammar only when they are written like these.
bool is_keyword(grammar::Word word, std::string_view text) {
  if (word.is_none()) return false;
  return word.is_reserved() || (text.size() > 1 && text == word.text());
}

SyntaxPart part_of(const Token& token, std::string_view text) {
  switch (token.kind) {
    case TokenKind::kWord:
      return is_keyword(token.word, text) ? SyntaxPart::kKeyword : SyntaxPart::kPlain;
    case TokenKind::kQuotedName:
      return SyntaxPart::kQuotedName;
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kCharsetString:
    case TokenKind::kBinaryString:
      return SyntaxPart::kString;
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kApproximate:
      return SyntaxPart::kNumber;
    case TokenKind::kHintBegin:
    case TokenKind::kHintEnd:
      return SyntaxPart::kHint;
    default:
      return SyntaxPart::kPlain;
  }
}

// What the lexer skips between two tokens are blanks and comments.
void add_comments(std::string_view sql, std::size_t begin, std::size_t end,
                  std::vector<SyntaxSpan>& spans) {
  const std::string_view gap = sql.substr(begin, end - begin);
  const std::size_t first = gap.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return;
  const std::size_t last = gap.find_last_not_of(" \t\r\n");
  spans.push_back({begin + first, begin + last + 1, SyntaxPart::kComment});
}

// A quote or comment that is still open reaches to the end.
SyntaxPart part_of_open(std::string_view rest) {
  if (rest.starts_with("/*")) return SyntaxPart::kComment;
  return rest.starts_with("`") ? SyntaxPart::kQuotedName : SyntaxPart::kString;
}

}  // namespace

std::vector<SyntaxSpan> syntax_spans(std::string_view sql) {
  std::vector<SyntaxSpan> spans;
  grammar::Lexer lexer(sql, 0, grammar::find_bad_byte(sql));
  std::size_t behind = 0;
  while (true) {
    const std::size_t before = lexer.offset();
    const Token token = lexer.next();
    if (token.kind == TokenKind::kError) {
      const std::size_t begin = lexer.error().range.begin;
      if (begin > behind) add_comments(sql, behind, begin, spans);
      if (lexer.is_unclosed())
        spans.push_back({begin, sql.size(), part_of_open(sql.substr(begin))});
      if (lexer.is_unclosed() || lexer.offset() <= before) return spans;
      behind = lexer.offset();
      continue;
    }
    const bool at_end = token.kind == TokenKind::kEnd;
    add_comments(sql, behind, at_end ? sql.size() : token.range.begin, spans);
    if (at_end) return spans;
    const std::string_view text =
        sql.substr(token.range.begin, token.range.end - token.range.begin);
    if (const SyntaxPart part = part_of(token, text); part != SyntaxPart::kPlain) {
      spans.push_back({token.range.begin, token.range.end, part});
    }
    behind = token.range.end;
  }
}

Result<ColorSchema> ColorSchema::find(std::string_view name) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  std::string names;
  for (const NamedSchema& schema : kSchemas) {
    if (std::equal(name.begin(), name.end(), schema.name.begin(), schema.name.end(), same)) {
      std::vector<std::string_view> codes = {kNone};
      codes.insert(codes.end(), schema.codes.begin(), schema.codes.end());
      return ColorSchema(std::move(codes));
    }
    names += (names.empty() ? "" : ", ") + std::string(schema.name);
  }
  return Status::invalid_argument(
      fmt::format("'sql-client.display.color-schema' must be one of {}, but is '{}'", names, name));
}

std::vector<std::string> ColorSchema::names() {
  std::vector<std::string> names;
  for (const NamedSchema& schema : kSchemas) names.emplace_back(schema.name);
  return names;
}

ColorSchema ColorSchema::none() {
  return ColorSchema({});
}

std::string_view ColorSchema::begin(SyntaxPart part) const {
  return codes_.empty() ? kNone : codes_[static_cast<std::size_t>(part)];
}

}  // namespace clepsydra::console
