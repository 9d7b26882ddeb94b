#include "functions/signature_rules.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

// The kind of parameter `i`, brackets taken off; the last one repeats when "..." follows it.
std::string_view parameter_kind(std::string_view parameters, int i) {
  std::string_view last;
  for (int at = 0; !parameters.empty();) {
    const std::size_t end = parameters.find(' ');
    std::string_view word = parameters.substr(0, end);
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    if (word == "...") return last;
    if (word.starts_with('[')) word = word.substr(1, word.size() - 2);
    if (at++ == i) return word;
    last = word;
  }
  return last;
}

// Accepts and converts argument `i`; false when its type does not fit.
Result<bool> accept(CallTyping& call, int i, std::string_view kind) {
  const DataType& type = call.type(i);
  if (kind == "ANY") return true;
  if (kind == "STRING") return type.is_character();
  if (kind == "BYTES") return type.is_binary();
  if (kind == "BOOLEAN") return type.kind() == TypeKind::kBoolean;
  if (kind == "NUMERIC") return type.is_numeric();
  if (kind == "DATE") return type.kind() == TypeKind::kDate;
  if (kind == "TIMESTAMP") return type.is_timestamp();
  if (kind == "ARRAY") return type.kind() == TypeKind::kArray;
  if (kind == "MAP") return type.kind() == TypeKind::kMap;
  std::optional<DataType> target;
  if (kind == "INT" && type.is_integer()) target = DataType::integer();
  if (kind == "BIGINT" && type.is_integer()) target = DataType::big_int();
  if (kind == "DOUBLE" && type.is_numeric()) target = DataType::double_();
  if (!target) return false;
  CLP_RETURN_IF_ERROR(call.coerce(i, *target));
  return true;
}

// "CHAR(40)", "TIMESTAMP(3)", "STRING", ...
std::optional<DataType> parse_result(std::string_view text) {
  const std::size_t open = text.find('(');
  int parameter = 0;
  if (open != std::string_view::npos) {
    std::from_chars(text.data() + open + 1, text.data() + text.size(), parameter);
    text = text.substr(0, open);
  }
  if (text == "STRING") return DataType::string();
  if (text == "BYTES") return DataType::bytes();
  if (text == "BOOLEAN") return DataType::boolean();
  if (text == "INT") return DataType::integer();
  if (text == "BIGINT") return DataType::big_int();
  if (text == "DOUBLE") return DataType::double_();
  if (text == "DATE") return DataType::date();
  if (text == "VARIANT") return DataType::variant();
  if (text == "CHAR") return DataType::char_(parameter);
  if (text == "VARCHAR") return DataType::varchar(parameter);
  if (text == "TIME") return DataType::time(parameter);
  if (text == "TIMESTAMP") return DataType::timestamp(parameter);
  if (text == "TIMESTAMP_LTZ") return DataType::timestamp_ltz(parameter);
  return std::nullopt;
}

}  // namespace

Result<DataType> derive_by_signature(const ScalarFunction& function, CallTyping& call) {
  for (int i = 0; i < call.count(); ++i) {
    CLP_ASSIGN_OR_RETURN(const bool fits, accept(call, i, parameter_kind(function.parameters, i)));
    if (!fits) return wrong_types(call);
  }
  std::string_view text = function.result;
  const bool always_nullable = text.ends_with('?');
  if (always_nullable) text.remove_suffix(1);
  DataType result;
  if (text == "$1") {
    result = call.type(0);
  } else if (text == "VARYING $1") {
    result = DataType::varchar(call.type(0).length());
  } else {
    const std::optional<DataType> parsed = parse_result(text);
    CLP_CHECK_MSG(parsed.has_value(), function.name);
    result = *parsed;
  }
  if (always_nullable) return result.with_nullable(true);
  return function.is_strict ? call.strict(result) : result.with_nullable(false);
}

}  // namespace clepsydra
