#include "functions/aggregate_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/check.h"
#include "functions/expression_program.h"
#include "functions/json/json_text.h"
#include "functions/scalar_function.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

using Arguments = std::vector<ExpressionPtr>;

constexpr std::int32_t kJsonLengthMax = 2000;  // As the reference declares it; not enforced.

Status wrong_arguments(std::string_view name, const Arguments& arguments,
                       std::string_view signature) {
  std::vector<DataType> types;
  for (const ExpressionPtr& argument : arguments) types.push_back(argument->type());
  return Status::invalid_argument(
      fmt::format("{} does not take ({}); expected {}", name, type_list(types), signature));
}

Result<DataType> derive_sum(std::string_view name, const Arguments& arguments) {
  const DataType& type = arguments[0]->type();
  if (arguments.size() != 1 || !type.is_numeric()) {
    return wrong_arguments(name, arguments, fmt::format("{}([DISTINCT] number)", name));
  }
  if (type.kind() != TypeKind::kDecimal) return type;
  const int scale = name == "SUM" ? type.scale() : std::max(6, type.scale());
  return DataType::decimal(kMaxDecimalPrecision, scale).with_nullable(type.nullable());
}

// VAR_POP and its like. Of one value there is no sample's variance.
Result<DataType> derive_spread(std::string_view name, const Arguments& arguments) {
  CLP_ASSIGN_OR_RETURN(const DataType type, derive_sum(name, arguments));
  return name.ends_with("_SAMP") ? type.with_nullable(true) : type;
}

Result<DataType> derive_list_agg(const Arguments& arguments) {
  const bool fits = arguments.size() <= 2 && arguments[0]->type().is_character() &&
                    (arguments.size() == 1 || text_value(*arguments[1]).has_value());
  if (!fits) {
    return wrong_arguments("LISTAGG", arguments, "LISTAGG([DISTINCT] text [, 'separator'])");
  }
  return arguments[0]->type();
}

Result<DataType> derive_min_max(std::string_view name, const Arguments& arguments) {
  const DataType& type = arguments[0]->type();
  const bool fits = type.is_numeric() || type.is_character() || type.is_timestamp() ||
                    type.kind() == TypeKind::kBoolean || type.kind() == TypeKind::kDate ||
                    type.kind() == TypeKind::kTime;
  if (arguments.size() != 1 || !fits) {
    return wrong_arguments(name, arguments, fmt::format("{}(value)", name));
  }
  return type;
}

// A number as DOUBLE, a list of numbers as ARRAY<DOUBLE>. A constant is checked at once.
Status coerce_percentages(ExpressionPtr& percentages) {
  const DataType type = percentages->type();
  const bool is_list = type.kind() == TypeKind::kArray;
  const DataType& number = is_list ? type.element() : type;
  if (!number.is_numeric()) return Status::invalid_argument("the percentage is no number");
  const DataType target = DataType::double_().with_nullable(number.nullable());
  const DataType whole = is_list ? DataType::array(target).with_nullable(type.nullable()) : target;
  CLP_ASSIGN_OR_RETURN(percentages, cast_to(std::move(percentages), whole));
  CLP_ASSIGN_OR_RETURN(const ExpressionPtr folded,
                       fold_constants(percentages, EvaluationContext{.pool = &literal_pool()}));
  if (folded->kind() != Expression::Kind::kLiteral || folded->literal_value().is_null(0)) {
    return Status::ok();
  }
  const Column& column = folded->literal_value();
  const Column& values = is_list ? column.child(0) : column;
  const std::int64_t begin = is_list ? column.values<std::int32_t>()[0] : 0;
  const std::int64_t end = is_list ? column.values<std::int32_t>()[1] : 1;
  for (std::int64_t i = begin; i < end; ++i) {
    const double value = values.values<double>()[i];
    if (values.is_null(i) || !(value >= 0 && value <= 1)) {
      return Status::invalid_argument("the percentage of PERCENTILE must be between 0 and 1");
    }
  }
  return Status::ok();
}

Result<DataType> derive_percentile(Arguments& arguments, bool distinct) {
  constexpr std::string_view kSignature =
      "PERCENTILE(number, percentage or ARRAY of them [, frequency])";
  const std::size_t count = arguments.size();
  const bool fits = count >= 2 && count <= 3 && arguments[0]->type().is_numeric() &&
                    (count == 2 || (arguments[2]->type().is_integer() && !distinct));
  if (!fits) return wrong_arguments("PERCENTILE", arguments, kSignature);
  const DataType value = DataType::double_().with_nullable(arguments[0]->type().nullable());
  CLP_ASSIGN_OR_RETURN(arguments[0], cast_to(arguments[0], value));
  const bool is_list = arguments[1]->type().kind() == TypeKind::kArray;
  CLP_RETURN_IF_ERROR(coerce_percentages(arguments[1]));
  if (count == 3) {
    const DataType whole = DataType::big_int().with_nullable(arguments[2]->type().nullable());
    CLP_ASSIGN_OR_RETURN(arguments[2], cast_to(arguments[2], whole));
  }
  return is_list ? DataType::array(DataType::double_()) : DataType::double_();
}

Result<DataType> derive_json(std::string_view name, const Arguments& arguments) {
  const bool is_object = name.starts_with("JSON_OBJECTAGG");
  const bool fits = arguments.size() == (is_object ? 2 : 1) &&
                    (!is_object || arguments[0]->type().is_character()) &&
                    (can_write_json(arguments.back()->type()));
  if (!fits) {
    return wrong_arguments(
        is_object ? "JSON_OBJECTAGG" : "JSON_ARRAYAGG", arguments,
        is_object ? "JSON_OBJECTAGG([KEY] text VALUE value)" : "JSON_ARRAYAGG(value)");
  }
  return DataType::varchar(kJsonLengthMax).with_nullable(false);
}

// Those of one value of any type.
Result<DataType> derive_of_any(std::string_view name, const Arguments& arguments) {
  const DataType& type = arguments[0]->type();
  if (arguments.size() != 1)
    return wrong_arguments(name, arguments, fmt::format("{}(value)", name));
  if (name == "COLLECT") return DataType::multiset(type).with_nullable(false);
  if (name.starts_with("ARRAY_AGG")) {
    return DataType::array(type).with_nullable(type.nullable());
  }
  if (name == "APPROX_COUNT_DISTINCT") {
    if (type.fixed_width() == 0) return wrong_arguments(name, arguments, "a value that is no list");
    return DataType::big_int().with_nullable(false);
  }
  return type;  // FIRST_VALUE, LAST_VALUE, SINGLE_VALUE.
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view canonical_aggregate(std::string_view name) {
  if (name == "STDDEV") return "STDDEV_SAMP";
  if (name == "VARIANCE") return "VAR_SAMP";
  if (name == "SUM0") return "SUM";  // With COALESCE around it, which the binder adds.
  return name;
}

Result<DataType> derive_aggregate(std::string_view name, Arguments& arguments, bool distinct) {
  if (arguments.empty()) {
    return Status::invalid_argument(fmt::format("{} needs an argument", name));
  }
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type().kind() == TypeKind::kNull) {
      return Status::invalid_argument(
          fmt::format("{} does not take a bare NULL: write CAST(NULL AS type)", name));
    }
  }
  if (name == "SUM" || name == "AVG") return derive_sum(name, arguments);
  if (name == "MIN" || name == "MAX") return derive_min_max(name, arguments);
  if (name == "LISTAGG") return derive_list_agg(arguments);
  if (is_one_of(name, {"VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV_SAMP"})) {
    return derive_spread(name, arguments);
  }
  if (name == "PERCENTILE") return derive_percentile(arguments, distinct);
  if (name.starts_with("JSON_OBJECTAGG_") || name.starts_with("JSON_ARRAYAGG_")) {
    return derive_json(name, arguments);
  }
  if (is_one_of(name, {"COLLECT", "ARRAY_AGG", "ARRAY_AGG_IGNORE_NULLS", "APPROX_COUNT_DISTINCT",
                       "FIRST_VALUE", "LAST_VALUE", "SINGLE_VALUE"})) {
    return derive_of_any(name, arguments);
  }
  return Status::not_found(fmt::format("there is no aggregate function {}", name));
}

}  // namespace clepsydra
