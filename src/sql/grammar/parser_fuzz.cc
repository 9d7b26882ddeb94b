// Any bytes are a script: it is parsed or refused, and what was parsed prints to a text that parses
// to the same text.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/grammar/parser.h"

namespace ast = clepsydra::ast;
namespace grammar = clepsydra::grammar;
using clepsydra::Result;
using clepsydra::StatusCode;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view script(reinterpret_cast<const char*>(data), size);
  (void)grammar::needs_more_input(script);
  grammar::ScriptReader reader(script);
  while (true) {
    const Result<std::optional<grammar::ScriptStatement>> next = reader.next();
    if (!next.is_ok()) {
      CLP_CHECK(!next.status().message().empty());
      continue;
    }
    if (!next.value()) break;
    const std::string text = ast::to_sql(*(*next)->statement);
    const Result<ast::StatementPtr> again = grammar::parse_statement(text);
    // Text may need more levels than what it was printed from: the printer adds parentheses.
    if (!again.is_ok()) {
      CLP_CHECK_MSG(again.status().code() == StatusCode::kResourceExhausted, text);
      continue;
    }
    CLP_CHECK_MSG(ast::to_sql(*again.value()) == text, text);
  }
  return 0;
}
