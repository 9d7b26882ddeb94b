// JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_QUOTE and JSON_UNQUOTE.
//
// The first argument of JSON_OBJECT and JSON_ARRAY is a literal that the binder writes: N or A for
// NULL or ABSENT ON NULL, then a letter per value: v for a value, j for text that is JSON (the
// argument of JSON(...)), o for the result of another such call, which goes in as it is.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/json_string.h"
#include "base/utf8.h"
#include "functions/json/json_document.h"
#include "functions/json/json_text.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

// ---- JSON_OBJECT, JSON_ARRAY ----

struct BuildSite final : CallSite {
  explicit BuildSite(std::string_view letters) : plan(letters) {}
  const std::string plan;
  mutable JsonDocument document;
};

// Step 2: keys and values in turn; 1: values.
Result<DataType> derive_build(CallTyping& call, int step) {
  const std::optional<std::string_view> plan = text_value(*call.argument(0));
  const auto values = static_cast<std::size_t>((call.count() - 1) / step);
  if (!plan || (call.count() - 1) % step != 0 || plan->size() != values + 1 ||
      plan->find_first_not_of("vjo", 1) != std::string_view::npos) {
    return wrong_types(call);
  }
  for (int i = 1; i < call.count(); ++i) {
    const DataType& type = call.type(i);
    if (step == 2 && i % 2 == 1) {
      if (!type.is_character()) {
        return Status::invalid_argument(
            fmt::format("a key of JSON_OBJECT is text, found {}", type.name()));
      }
      continue;
    }
    const bool is_text = (*plan)[static_cast<std::size_t>((i - 1) / step) + 1] != 'v';
    if (is_text ? !type.is_character() : type.kind() != TypeKind::kNull && !can_write_json(type)) {
      return Status::invalid_argument(
          fmt::format("a value of type {} cannot be written as JSON", type.name()));
    }
  }
  return DataType::string().with_nullable(false);
}

Result<DataType> derive_object(CallTyping& call) {
  return derive_build(call, 2);
}

Result<DataType> derive_json_array(CallTyping& call) {
  return derive_build(call, 1);
}

// Appends one value of a row; false when the call has failed.
bool append_member(KernelCall& call, const Column& values, std::int32_t row, char letter,
                   std::string& out) {
  if (letter == 'v' || values.is_null(row)) {
    if (append_json_value(values, row, out)) return true;
    return call.fail(row, "NaN and infinite numbers have no JSON");
  }
  if (letter == 'o') {
    out += values.string_at(row);
    return true;
  }
  JsonDocument& document = call.site_as<BuildSite>().document;
  if (!document.parse(values.string_at(row))) return call.fail(row, document.problem());
  append_json(document, 0, JsonOrder::kByKey, out);
  return true;
}

Result<std::vector<Column>> value_columns(const KernelCall& call) {
  std::vector<Column> columns;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(Column column, call.argument_column(static_cast<int>(i)));
    columns.push_back(std::move(column));
  }
  return columns;
}

bool object_kernel(KernelCall& call) {
  const std::string& plan = call.site_as<BuildSite>().plan;
  const Result<std::vector<Column>> columns = value_columns(call);
  if (!columns.is_ok()) return call.fail(columns.status());
  const std::size_t count = columns->size() / 2;
  TextWriter writer(call);
  std::string text;
  std::vector<std::pair<std::string_view, std::size_t>> members;
  return for_each_result(call, [&](std::int32_t row) {
    members.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const Column& keys = (*columns)[2 * i];
      if (keys.is_null(row)) return call.fail(row, "a key of JSON_OBJECT is NULL");
      members.emplace_back(keys.string_at(row), i);
    }
    std::sort(members.begin(), members.end());
    text = "{";
    for (std::size_t i = 0; i < count; ++i) {
      // Of equal keys the last one counts.
      if (i + 1 < count && members[i].first == members[i + 1].first) continue;
      const auto& [key, place] = members[i];
      const Column& values = (*columns)[2 * place + 1];
      if (plan[0] == 'A' && values.is_null(row)) continue;
      if (text.size() > 1) text += ',';
      append_json_string(key, text);
      text += ':';
      if (!append_member(call, values, row, plan[place + 1], text)) return false;
    }
    text += '}';
    return writer.write(row, text);
  });
}

bool array_kernel(KernelCall& call) {
  const std::string& plan = call.site_as<BuildSite>().plan;
  const Result<std::vector<Column>> columns = value_columns(call);
  if (!columns.is_ok()) return call.fail(columns.status());
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text = "[";
    for (std::size_t i = 0; i < columns->size(); ++i) {
      const Column& values = (*columns)[i];
      if (plan[0] == 'A' && values.is_null(row)) continue;
      if (text.size() > 1) text += ',';
      if (!append_member(call, values, row, plan[i + 1], text)) return false;
    }
    text += ']';
    return writer.write(row, text);
  });
}

template <Kernel kKernel>
Result<BoundKernel> bind_build(const CallBinding& call) {
  const std::optional<std::string_view> plan = text_value(*call.call.argument(0));
  if (!plan) return no_kernel(call);
  return BoundKernel{.kernel = kKernel,
                     .site = std::make_unique<BuildSite>(*plan),
                     .can_fail = true,
                     .is_costly = true};
}

// ---- JSON_STRING ----

Result<DataType> derive_json_string(CallTyping& call) {
  if (!can_write_json(call.type(0))) {
    return Status::invalid_argument(
        fmt::format("a value of type {} cannot be written as JSON", call.type(0).name()));
  }
  return call.strict(DataType::string());
}

bool json_string_kernel(KernelCall& call) {
  const Result<Column> values = call.argument_column(0);
  if (!values.is_ok()) return call.fail(values.status());
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text.clear();
    if (!append_json_value(*values, row, text)) {
      return call.fail(row, "NaN and infinite numbers have no JSON");
    }
    return writer.write(row, text);
  });
}

Result<BoundKernel> bind_json_string(const CallBinding&) {
  return BoundKernel{.kernel = json_string_kernel, .can_fail = true, .is_costly = true};
}

// ---- JSON_QUOTE, JSON_UNQUOTE ----

void append_escaped(std::uint32_t code, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
}

// Everything but printable ASCII becomes \u and hexadecimal digits. A character beyond U+FFFF does
// twice, with all of its digits and with its second surrogate, as the reference has it.
void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t code = utf8_next(text, at);
    constexpr std::string_view kEscaped = "\"\\/\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    const std::size_t found =
        code < 0x80 ? kEscaped.find(static_cast<char>(code)) : std::string_view::npos;
    if (found != std::string_view::npos) {
      out += '\\';
      out += kLetters[found];
    } else if (code >= 0x20 && code < 0x7F) {
      out += static_cast<char>(code);
    } else {
      append_escaped(code, out);
      if (code > 0xFFFF) append_escaped(0xDC00 + (code & 0x3FF), out);
    }
  }
  out += '"';
}

bool quote_kernel(KernelCall& call) {
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text.clear();
    append_quoted(call.argument(0).string_at(row), text);
    return writer.write(row, text);
  });
}

struct UnquoteSite final : CallSite {
  mutable JsonDocument document;
};

bool unquote_kernel(KernelCall& call) {
  JsonDocument& document = call.site_as<UnquoteSite>().document;
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view text = call.argument(0).string_at(row);
    const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    const bool is_string = is_quoted && document.parse(text);
    return writer.write(row, is_string ? document.node(0).text : text);
  });
}

Result<BoundKernel> bind_unquote(const CallBinding&) {
  return BoundKernel{
      .kernel = unquote_kernel, .site = std::make_unique<UnquoteSite>(), .is_costly = true};
}

Result<BoundKernel> bind_quote(const CallBinding&) {
  return costly_kernel(quote_kernel);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "JSON_OBJECT",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_object,
     .bind = bind_build<object_kernel>,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "JSON_OBJECT([KEY key VALUE value, ...] [NULL | ABSENT ON NULL])",
     .description = "A JSON object, its members by key.",
     .example = "JSON_OBJECT('b' VALUE 1, 'a' VALUE 'x')",
     .example_result = "{\"a\":\"x\",\"b\":1}"},
    {.name = "JSON_ARRAY",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_json_array,
     .bind = bind_build<array_kernel>,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "JSON_ARRAY([value, ...] [NULL | ABSENT ON NULL])",
     .description = "A JSON array.",
     .example = "JSON_ARRAY(1, 'x')",
     .example_result = "[1,\"x\"]"},
    {.name = "JSON_STRING",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_json_string,
     .bind = bind_json_string,
     .signature = "JSON_STRING(value)",
     .description = "Any value as JSON.",
     .example = "JSON_STRING(ARRAY[1, 2])",
     .example_result = "[1,2]"},
    {.name = "JSON_QUOTE",
     .arguments_min = 1,
     .arguments_max = 1,
     .parameters = "STRING",
     .result = "STRING",
     .bind = bind_quote,
     .signature = "JSON_QUOTE(text)",
     .description = "The text in quotes, with escapes.",
     .example = "JSON_QUOTE('a\"b')",
     .example_result = "\"a\\\"b\""},
    {.name = "JSON_UNQUOTE",
     .arguments_min = 1,
     .arguments_max = 1,
     .parameters = "STRING",
     .result = "STRING",
     .bind = bind_unquote,
     .signature = "JSON_UNQUOTE(text)",
     .description = "What a JSON string in quotes says; other text as it is.",
     .example = "JSON_UNQUOTE('\"ab\"')",
     .example_result = "ab"},
};

}  // namespace

std::span<const ScalarFunction> json_build_functions() {
  return kFunctions;
}

}  // namespace clepsydra
