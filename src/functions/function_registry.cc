#include "functions/function_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "functions/aggregate_types.h"
#include "functions/expression_program.h"
#include "functions/scalar/comparison.h"
#include "functions/scalar/families.h"
#include "functions/scalar_function.h"
#include "functions/signature_rules.h"
#include "functions/time_units.h"
#include "functions/type_rules.h"
#include "functions/user/user_library.h"

namespace clepsydra {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

// Every function under its names.
struct FunctionTable {
  std::vector<const ScalarFunction*> all;
  std::map<std::string_view, const ScalarFunction*> by_canonical_name;
  std::map<std::string, const ScalarFunction*, std::less<>> by_name;  // Also aliases.

  void add(std::span<const ScalarFunction> family) {
    for (const ScalarFunction& function : family) {
      all.push_back(&function);
      const bool is_new = by_canonical_name.emplace(function.name, &function).second &&
                          by_name.emplace(function.name, &function).second;
      CLP_CHECK_MSG(is_new, function.name);
      std::string_view aliases = function.aliases;
      while (!aliases.empty()) {
        const std::size_t end = aliases.find(' ');
        CLP_CHECK_MSG(by_name.emplace(aliases.substr(0, end), &function).second, aliases);
        aliases.remove_prefix(end == std::string_view::npos ? aliases.size() : end + 1);
      }
    }
  }
};

constexpr FunctionFamily kFamilies[] = {
    {"Arithmetic", arithmetic_functions},
    {"Mathematics", math_functions},
    {"Comparison", comparison_functions},
    {"Logic", logic_functions},
    {"Conditions", conditional_functions},
    {"Conversion", cast_functions},
    {"Text", text_functions},
    {"Searching text", text_search_functions},
    {"Patterns", pattern_functions},
    {"Texts taken apart", text_part_functions},
    {"Formats", printf_functions},
    {"Encodings and digests", encoding_functions},
    {"Date and time", date_time_functions},
    {"Date and time as text", date_time_text_functions},
    {"The clock", clock_functions},
    {"Rows, arrays and maps", nested_functions},
    {"Whole arrays and maps", collection_functions},
    {"Reading JSON", json_query_functions},
    {"Writing JSON", json_build_functions},
    {"VARIANT", variant_functions},
    {"Structured types", structured_functions},
    {"Hash codes and names", identity_functions},
};

const FunctionTable& table() {
  static const FunctionTable kTable = [] {
    FunctionTable made;
    for (const FunctionFamily& family : kFamilies) made.add(family.functions());
    return made;
  }();
  return kTable;
}

// What becomes another function while it is resolved.
constexpr std::array<std::string_view, 11> kRewritten = {
    "!=",       "BETWEEN",        "IF",     "IN",     "NOT BETWEEN",      "NOT IN",
    "NOT LIKE", "NOT SIMILAR TO", "NULLIF", "TYPEOF", "BETWEEN SYMMETRIC"};

constexpr AggregateEntry kAggregates[] = {
    {"APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT(value)",
     "About how many different values: exact up to a thousand, then within 1 % or so."},
    {"ARRAY_AGG", "ARRAY_AGG([DISTINCT] value [RESPECT NULLS or IGNORE NULLS])",
     "The values in an ARRAY, in the order of the rows; with NULLs unless they are ignored."},
    {"AVG", "AVG([DISTINCT] number)", "The mean; of whole numbers a whole number."},
    {"COLLECT", "COLLECT([DISTINCT] value)", "The values that are not NULL in a MULTISET."},
    {"COUNT", "COUNT(*), COUNT([DISTINCT] value)",
     "The number of rows, or of those in which the value is not NULL."},
    {"FIRST_VALUE", "FIRST_VALUE(value)", "The first value that is not NULL."},
    {"JSON_ARRAYAGG", "JSON_ARRAYAGG(value [NULL or ABSENT ON NULL])",
     "The values as a JSON array; NULLs are left out unless NULL ON NULL is said."},
    {"JSON_OBJECTAGG", "JSON_OBJECTAGG([KEY] text VALUE value [NULL or ABSENT ON NULL])",
     "A JSON object, its members by key. A key that is there twice is an error."},
    {"LAST_VALUE", "LAST_VALUE(value)", "The last value that is not NULL."},
    {"LISTAGG", "LISTAGG([DISTINCT] text [, delimiter])", "The texts in one, with commas between."},
    {"MAX", "MAX(value)", "The largest value."},
    {"MIN", "MIN(value)", "The smallest value."},
    {"PERCENTILE", "PERCENTILE([DISTINCT] number, percentage or ARRAY of them [, frequency])",
     "The value below which that share lies, between the two nearest ones; 0.5 for the median."},
    {"SINGLE_VALUE", "SINGLE_VALUE(value)", "The value of the only row; more rows are an error."},
    {"STDDEV", "STDDEV([DISTINCT] number)", "As STDDEV_SAMP."},
    {"STDDEV_POP", "STDDEV_POP([DISTINCT] number)",
     "The standard deviation of a population; of whole numbers a whole number."},
    {"STDDEV_SAMP", "STDDEV_SAMP([DISTINCT] number)",
     "The standard deviation of a sample; NULL of one value."},
    {"SUM", "SUM([DISTINCT] number)", "The sum; NULL of nothing."},
    {"SUM0", "SUM0([DISTINCT] number), $SUM0([DISTINCT] number)", "The sum; 0 of nothing."},
    {"VARIANCE", "VARIANCE([DISTINCT] number)", "As VAR_SAMP."},
    {"VAR_POP", "VAR_POP([DISTINCT] number)",
     "The variance of a population; of whole numbers a whole number."},
    {"VAR_SAMP", "VAR_SAMP([DISTINCT] number)", "The variance of a sample; NULL of one value."},
};

using Arguments = std::vector<ExpressionPtr>;

Status wrong_count(std::string_view name, std::size_t found, std::string_view signature) {
  return Status::invalid_argument(fmt::format("{} does not take {} argument{}: {}", name, found,
                                              found == 1 ? "" : "s", signature));
}

Result<ExpressionPtr> resolve_between(const FunctionRegistry& registry, const Arguments& arguments,
                                      bool symmetric) {
  if (arguments.size() != 3) {
    return wrong_count("BETWEEN", arguments.size(), "value BETWEEN low AND high");
  }
  const auto within = [&](const ExpressionPtr& low,
                          const ExpressionPtr& high) -> Result<ExpressionPtr> {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr above, compare(">=", arguments[0], low));
    CLP_ASSIGN_OR_RETURN(ExpressionPtr below, compare("<=", arguments[0], high));
    return registry.resolve("AND", {std::move(above), std::move(below)});
  };
  if (!symmetric) return within(arguments[1], arguments[2]);
  CLP_ASSIGN_OR_RETURN(ExpressionPtr straight, within(arguments[1], arguments[2]));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr reverse, within(arguments[2], arguments[1]));
  return registry.resolve("OR", {std::move(straight), std::move(reverse)});
}

// A literal that IN can look up: not NULL, of exactly the value's layout, equal when its bytes are.
bool is_lookup_item(const Expression& item, const DataType& value) {
  const bool exact = value.is_character() || value.is_binary() || value.is_integer() ||
                     value.kind() == TypeKind::kDate || value.kind() == TypeKind::kTime ||
                     value.kind() == TypeKind::kTimestamp;
  return exact && item.kind() == Expression::Kind::kLiteral && !item.literal_value().is_null(0) &&
         (item.type().same_values(value) || (value.is_character() && item.type().is_character()) ||
          (value.is_binary() && item.type().is_binary()));
}

// Literals of the value's own type are looked up, all others compared one by one.
Result<ExpressionPtr> resolve_in(const FunctionRegistry& registry, Arguments arguments) {
  if (arguments.size() < 2) return wrong_count("IN", arguments.size(), "value IN (value, ...)");
  const ExpressionPtr value = arguments[0];
  Arguments lookup = {value};
  Arguments tests;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    ExpressionPtr item = std::move(arguments[i]);
    // A number in quotes stands for the number here, unlike in "=".
    if (item->type().is_character() && value->type().is_numeric()) {
      CLP_ASSIGN_OR_RETURN(item, cast_to(std::move(item), value->type()));
    }
    // 7 for a BIGINT is the BIGINT 7. What the value's type does not have equals none of its
    // values, and is compared in the wider type.
    if (const std::optional<std::int64_t> number = integer_value(*item); number) {
      ExpressionPtr same = whole_literal(value->type().with_nullable(false), *number);
      if (same != nullptr) item = std::move(same);
    }
    if (is_lookup_item(*item, value->type())) {
      lookup.push_back(std::move(item));
    } else {
      CLP_ASSIGN_OR_RETURN(ExpressionPtr test, compare("=", value, std::move(item)));
      tests.push_back(std::move(test));
    }
  }
  if (lookup.size() > 1) {
    const bool nullable = value->type().nullable();
    tests.insert(
        tests.begin(),
        lookup.size() == 2
            ? Expression::call("=", std::move(lookup), DataType::boolean().with_nullable(nullable))
            : Expression::call("IN", std::move(lookup),
                               DataType::boolean().with_nullable(nullable)));
  }
  // A call takes a limited number of arguments: OR of ORs.
  constexpr std::size_t kTestsMax = 500;
  while (tests.size() > kTestsMax) {
    Arguments groups;
    for (std::size_t begin = 0; begin < tests.size(); begin += kTestsMax) {
      const auto end =
          tests.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kTestsMax, tests.size()));
      Arguments group(tests.begin() + static_cast<std::ptrdiff_t>(begin), end);
      if (group.size() == 1) {
        groups.push_back(group[0]);
        continue;
      }
      CLP_ASSIGN_OR_RETURN(ExpressionPtr any, registry.resolve("OR", std::move(group)));
      groups.push_back(std::move(any));
    }
    tests = std::move(groups);
  }
  if (tests.size() == 1) return tests[0];
  return registry.resolve("OR", std::move(tests));
}

Result<ExpressionPtr> resolve_null_if(const FunctionRegistry& registry,
                                      const Arguments& arguments) {
  if (arguments.size() != 2) return wrong_count("NULLIF", arguments.size(), "NULLIF(value, value)");
  CLP_ASSIGN_OR_RETURN(ExpressionPtr equal, compare("=", arguments[0], arguments[1]));
  return registry.resolve("CASE",
                          {std::move(equal), null_literal(arguments[0]->type()), arguments[0]});
}

Result<ExpressionPtr> resolve_if(const FunctionRegistry& registry, Arguments arguments) {
  if (arguments.size() != 3)
    return wrong_count("IF", arguments.size(), "IF(condition, value, value)");
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type().kind() == TypeKind::kNull) {
      return Status::invalid_argument("IF does not take a bare NULL: write CAST(NULL AS type)");
    }
  }
  const bool nullable = arguments[0]->type().nullable();
  CLP_ASSIGN_OR_RETURN(ExpressionPtr chosen, registry.resolve("CASE", std::move(arguments)));
  if (!nullable) return chosen;
  // Only the type: a condition that is NULL chooses the second value.
  return Expression::call(chosen->name(), chosen->arguments(), chosen->type().with_nullable(true));
}

// TYPEOF(value [, force_serializable]): known while planning.
Result<ExpressionPtr> resolve_type_of(const Arguments& arguments) {
  if (arguments.empty() || arguments.size() > 2) {
    return wrong_count("TYPEOF", arguments.size(), "TYPEOF(value [, force_serializable])");
  }
  const Column text = text_literal(arguments[0]->type().to_string())->literal_value();
  return Expression::literal(text.with_type(DataType::string()));
}

// -1 is a literal for those who ask for one. Null for what is none.
ExpressionPtr negated_literal(const Expression& value) {
  const DataType& type = value.type();
  if (value.kind() != Expression::Kind::kLiteral || !type.is_numeric()) return nullptr;
  const Column& column = value.literal_value();
  if (column.is_null(0)) return nullptr;
  // A literal zero has no sign.
  if (type.kind() == TypeKind::kDouble && *column.values<double>() == 0) {
    return Expression::literal(column);
  }
  const ExpressionPtr call = Expression::call("-", {Expression::literal(column)}, type);
  Result<ExpressionPtr> folded = fold_constants(call, EvaluationContext{.pool = &literal_pool()});
  return folded.is_ok() && (*folded)->kind() == Expression::Kind::kLiteral ? *folded : nullptr;
}

Result<ExpressionPtr> negate(const FunctionRegistry& registry, Result<ExpressionPtr> value) {
  if (!value.is_ok()) return value;
  return registry.resolve("NOT", {*std::move(value)});
}

// TIMESTAMPADD(unit, count, time) is time + count * INTERVAL '1' unit.
Result<ExpressionPtr> resolve_timestamp_add(const FunctionRegistry& registry, TimeUnit unit,
                                            Arguments arguments) {
  if (arguments.size() != 2 || !arguments[0]->type().is_integer()) {
    return Status::invalid_argument("expected TIMESTAMPADD(unit, count, time)");
  }
  const std::int64_t months = unit == TimeUnit::kYear ? 12 : unit == TimeUnit::kQuarter ? 3 : 1;
  const std::int64_t millis = unit_millis(unit);
  ExpressionPtr interval = millis > 0 ? day_time_literal(millis) : year_month_literal(months);
  ExpressionPtr time = std::move(arguments[1]);
  const DataType& type = time->type();
  const bool nullable = type.nullable();
  if (type.kind() == TypeKind::kDate && millis > 0 && millis < kMillisPerDay) {
    CLP_ASSIGN_OR_RETURN(time,
                         cast_to(std::move(time), DataType::timestamp(6).with_nullable(nullable)));
  } else if (type.is_timestamp() && type.precision() < 3 && unit == TimeUnit::kMillisecond) {
    const DataType finer =
        type.kind() == TypeKind::kTimestamp ? DataType::timestamp(3) : DataType::timestamp_ltz(3);
    CLP_ASSIGN_OR_RETURN(time, cast_to(std::move(time), finer.with_nullable(nullable)));
  }
  CLP_ASSIGN_OR_RETURN(ExpressionPtr length,
                       registry.resolve("*", {std::move(interval), std::move(arguments[0])}));
  return registry.resolve("+", {std::move(time), std::move(length)});
}

// The unit of "TIMESTAMPADD_DAY".
std::optional<TimeUnit> timestamp_add_unit(std::string_view name) {
  constexpr std::string_view kPrefix = "TIMESTAMPADD_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::optional<TimeUnit> unit = parse_time_unit(name.substr(kPrefix.size()));
  const bool has_length = unit && (unit_millis(*unit) > 0 || *unit == TimeUnit::kYear ||
                                   *unit == TimeUnit::kQuarter || *unit == TimeUnit::kMonth);
  return has_length ? unit : std::nullopt;
}

// The calls of kRewritten; null for others.
Result<ExpressionPtr> rewrite(const FunctionRegistry& registry, std::string_view name,
                              Arguments& arguments) {
  if (name == "!=") return registry.resolve("<>", std::move(arguments));
  if (name == "BETWEEN") return resolve_between(registry, arguments, false);
  if (name == "BETWEEN SYMMETRIC") return resolve_between(registry, arguments, true);
  if (name == "NOT BETWEEN") return negate(registry, resolve_between(registry, arguments, false));
  if (name == "IN") return resolve_in(registry, std::move(arguments));
  if (name == "NOT IN") return negate(registry, resolve_in(registry, std::move(arguments)));
  if (name == "NULLIF") return resolve_null_if(registry, arguments);
  if (name == "IF") return resolve_if(registry, std::move(arguments));
  if (name == "NOT LIKE") return negate(registry, registry.resolve("LIKE", std::move(arguments)));
  if (name == "NOT SIMILAR TO") {
    return negate(registry, registry.resolve("SIMILAR TO", std::move(arguments)));
  }
  if (const std::optional<TimeUnit> unit = timestamp_add_unit(name); unit) {
    return resolve_timestamp_add(registry, *unit, std::move(arguments));
  }
  if (name == "TYPEOF") return resolve_type_of(arguments);
  if (name == "-" && arguments.size() == 1) return negated_literal(*arguments[0]);
  if (name == "UNIX_TIMESTAMP" && arguments.empty())
    return registry.resolve("UNIX_TIMESTAMP_NOW", {});
  if (name == "+" && arguments.size() == 1 && arguments[0]->type().is_numeric())
    return arguments[0];
  return ExpressionPtr();
}

Result<ExpressionPtr> resolve_entry(const ScalarFunction& function, Arguments arguments) {
  const auto count = static_cast<int>(arguments.size());
  if (count < function.arguments_min || count > function.arguments_max) {
    return wrong_count(function.name, arguments.size(), function.signature);
  }
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type().kind() == TypeKind::kNull && !function.takes_bare_null) {
      return Status::invalid_argument(
          fmt::format("{} does not take a bare NULL: write CAST(NULL AS type)", function.name));
    }
  }
  CallTyping call{.name = function.name, .arguments = std::move(arguments)};
  Result<DataType> type =
      function.derive != nullptr ? function.derive(call) : derive_by_signature(function, call);
  if (!type.is_ok()) {
    return Status(type.status().code(),
                  fmt::format("{}; expected {}", type.status().message(), function.signature));
  }
  return Expression::call(std::string(function.name), std::move(call.arguments), *std::move(type));
}

}  // namespace

const ScalarFunction* find_scalar_function(std::string_view canonical_name) {
  if (is_user_function(canonical_name)) {
    const Result<const UserFunctionGroup*> group = find_user_functions(canonical_name);
    return group.is_ok() && !(*group)->is_aggregate ? &(*group)->scalar : nullptr;
  }
  const auto found = table().by_canonical_name.find(canonical_name);
  return found == table().by_canonical_name.end() ? nullptr : found->second;
}

std::span<const FunctionFamily> scalar_function_families() {
  return kFamilies;
}

std::span<const AggregateEntry> all_aggregates() {
  return kAggregates;
}

std::span<const ScalarFunction* const> all_scalar_functions() {
  return table().all;
}

Result<ExpressionPtr> compare(std::string_view name, ExpressionPtr a, ExpressionPtr b) {
  return FunctionRegistry::built_in().resolve(name, {std::move(a), std::move(b)});
}

const FunctionRegistry& FunctionRegistry::built_in() {
  static const FunctionRegistry kRegistry;
  return kRegistry;
}

Result<ExpressionPtr> FunctionRegistry::resolve(std::string_view name, Arguments arguments) const {
  const std::string canonical = upper(name);
  CLP_ASSIGN_OR_RETURN(ExpressionPtr rewritten, rewrite(*this, canonical, arguments));
  if (rewritten != nullptr) return rewritten;
  const auto found = table().by_name.find(canonical);
  if (found == table().by_name.end()) {
    return Status::not_found(fmt::format("there is no function {}", name));
  }
  return resolve_entry(*found->second, std::move(arguments));
}

Result<ExpressionPtr> FunctionRegistry::cast(ExpressionPtr value, const DataType& target,
                                             bool try_cast) const {
  const bool nullable = value->type().nullable() || try_cast;
  // ARRAY<INT NOT NULL> AS ARRAY<INT> changes the type, if not the values.
  const bool same =
      value->type().same_values(target) &&
      (!target.is_nested() || value->type().with_nullable(true) == target.with_nullable(true));
  if (!same && value->type().same_values(target)) {
    return Expression::call(try_cast ? "TRY_CAST" : "CAST", {std::move(value)},
                            target.with_nullable(nullable));
  }
  if (same && (!try_cast || value->type().nullable())) return value;
  if (same) {
    return Expression::call("TRY_CAST", {std::move(value)}, target.with_nullable(true));
  }
  return cast_to(std::move(value), target.with_nullable(nullable), try_cast);
}

Result<ExpressionPtr> FunctionRegistry::coerce(ExpressionPtr value, const DataType& target) const {
  if (!can_cast_implicitly(value->type(), target)) {
    return Status::invalid_argument(fmt::format("{} is not converted to {} without a CAST",
                                                value->type().name(), target.name()));
  }
  const bool nullable = value->type().nullable();
  return cast_to(std::move(value), target.with_nullable(nullable));
}

Result<DataType> FunctionRegistry::common_type(std::span<const DataType> types) const {
  return least_common_type(types);
}

Result<FunctionRegistry::ResolvedAggregate> FunctionRegistry::resolve_aggregate(
    std::string_view name, Arguments arguments, bool distinct) const {
  const std::string written = upper(name);
  const std::string function(canonical_aggregate(written));
  ResolvedAggregate resolved{.function = function, .arguments = std::move(arguments), .type = {}};
  if (function == "COUNT") {
    if (resolved.arguments.size() > 1) {
      return Status::invalid_argument("COUNT takes one argument, or *");
    }
    if (resolved.arguments.empty() && distinct) {
      return Status::invalid_argument("COUNT(DISTINCT) needs an argument");
    }
    if (!resolved.arguments.empty() && resolved.arguments[0]->type().kind() == TypeKind::kNull) {
      return Status::invalid_argument("COUNT does not take a bare NULL: write CAST(NULL AS type)");
    }
    resolved.type = DataType::big_int().with_nullable(false);
    return resolved;
  }
  CLP_ASSIGN_OR_RETURN(resolved.type, derive_aggregate(function, resolved.arguments, distinct));
  if (resolved.type.time_attribute() != TimeAttribute::kNone) {
    resolved.type = resolved.type.with_time_attribute(TimeAttribute::kNone);
  }
  return resolved;
}

bool FunctionRegistry::is_scalar(std::string_view name) const {
  const std::string canonical = upper(name);
  return table().by_name.find(canonical) != table().by_name.end() ||
         timestamp_add_unit(canonical).has_value() ||
         std::find(kRewritten.begin(), kRewritten.end(), canonical) != kRewritten.end();
}

bool FunctionRegistry::is_aggregate(std::string_view name) const {
  const std::string canonical = upper(name);
  return std::any_of(std::begin(kAggregates), std::end(kAggregates),
                     [&](const AggregateEntry& entry) { return entry.name == canonical; });
}

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names;
  for (const AggregateEntry& entry : kAggregates) names.emplace_back(entry.name);
  for (const auto& [name, function] : table().by_name) {
    if (!function->is_unit_form || name.find('_') == std::string::npos) names.push_back(name);
  }
  for (const std::string_view name : {"EXTRACT", "TIMESTAMPADD", "TIMESTAMPDIFF"})
    names.emplace_back(name);
  for (const std::string_view name : kRewritten) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool FunctionRegistry::is_deterministic(const Expression& expression) const {
  if (expression.kind() == Expression::Kind::kCall) {
    const ScalarFunction* function = find_scalar_function(expression.name());
    if (function != nullptr && function->volatility != Volatility::kPure) return false;
  }
  for (const ExpressionPtr& argument : expression.arguments()) {
    if (!is_deterministic(*argument)) return false;
  }
  return true;
}

}  // namespace clepsydra
