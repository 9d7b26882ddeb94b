#include "tests/golden/function_reference.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "functions/scalar_function.h"
#include "stream/value_text.h"

namespace clepsydra::golden {
namespace {

// Text as a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", cell(text));
}

}  // namespace

std::string function_reference() {
  std::string page =
      "# Functions\n\n"
      "Made from the functions themselves by `golden_cases functions tests/golden --update`; the "
      "examples are run\nby the tests. Optional parts stand in brackets; `...` repeats. A function "
      "gives NULL for a NULL argument unless it\nsays otherwise. Several names for one function "
      "stand in parentheses.\n";
  for (const FunctionFamily& family : scalar_function_families()) {
    page += fmt::format(
        "\n## {}\n\n| function | what it gives | example | its value |\n"
        "| --- | --- | --- | --- |\n",
        family.title);
    std::set<std::string_view> signatures;
    for (const ScalarFunction& function : family.functions()) {
      // The forms of EXTRACT and its like share one.
      if (!signatures.insert(function.signature).second) continue;
      std::string names;
      if (!function.aliases.empty()) names = fmt::format(" ({})", cell(function.aliases));
      page += fmt::format("| {}{} | {} | {} | {} |\n", code(function.signature), names,
                          cell(function.description), code(function.example),
                          code(function.example_result));
    }
  }
  page += "\n## Aggregates\n\n| function | what it gives |\n| --- | --- |\n";
  for (const AggregateEntry& entry : all_aggregates()) {
    page += fmt::format("| {} | {} |\n", code(entry.signature), cell(entry.description));
  }
  return page;
}

int run_function_examples(Engine& engine) {
  int passed = 0;
  int failed = 0;
  for (const FunctionFamily& family : scalar_function_families()) {
    for (const ScalarFunction& function : family.functions()) {
      if (function.example.empty()) continue;
      const Answer answer = engine.ask(fmt::format("SELECT {}", function.example));
      std::string expected;
      // \N is the NULL, as in the corpora.
      if (function.example_result == "\\N") {
        expected = function.example_result;
      } else {
        append_tsv_escaped(function.example_result, expected);
      }
      // What depends on chance has no result to show.
      const bool good =
          answer.status.is_ok() && (function.example_result.empty() || answer.value == expected);
      ++(good ? passed : failed);
      if (!good) {
        fmt::print("{}: {}\n    is {}\n    expected {}\n", function.name, function.example,
                   answer.status.is_ok() ? answer.value : answer.status.to_string(), expected);
      }
    }
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed;
}

}  // namespace clepsydra::golden
