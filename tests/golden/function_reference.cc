#include "tests/golden/function_reference.h"

#include <fmt/format.h>

#include <string>

#include "functions/scalar_function.h"
#include "functions/special_forms.h"
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

// A row of a table: of a function or of a special form.
template <typename Entry>
std::string row_of(const Entry& entry) {
  std::string names;
  if (!entry.aliases.empty()) names = fmt::format(" ({})", cell(entry.aliases));
  return fmt::format("| {}{} | {} | {} | {} |\n", code(entry.signature), names,
                     cell(entry.description), code(entry.example), code(entry.example_result));
}

// Asks for an example; true when its value is the documented one.
template <typename Entry>
bool is_as_documented(Engine& engine, const Entry& entry) {
  const Answer answer = engine.ask(fmt::format("SELECT {}", entry.example));
  std::string expected;
  // \N is the NULL, as in the corpora.
  if (entry.example_result == "\\N") {
    expected = entry.example_result;
  } else {
    append_tsv_escaped(entry.example_result, expected);
  }
  // What depends on chance has no result to show.
  const bool good =
      answer.status.is_ok() && (entry.example_result.empty() || answer.value == expected);
  if (!good) {
    fmt::print("{}: {}\n    is {}\n    expected {}\n", entry.signature, entry.example,
               answer.status.is_ok() ? answer.value : answer.status.to_string(), expected);
  }
  return good;
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
    for (const ScalarFunction& function : family.functions()) {
      if (!function.is_unit_form) page += row_of(function);
    }
    for (const SpecialForm& form : special_forms()) {
      if (form.family == family.title) page += row_of(form);
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
      ++(is_as_documented(engine, function) ? passed : failed);
    }
  }
  for (const SpecialForm& form : special_forms()) {
    ++(is_as_documented(engine, form) ? passed : failed);
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed;
}

}  // namespace clepsydra::golden
