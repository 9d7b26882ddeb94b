// CASE and COALESCE, which the program runs itself so that a branch is computed only for the rows
// that take it; GREATEST and LEAST. NULLIF, IF and IFNULL become CASE and COALESCE in the registry.
#include <utility>

#include "base/check.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

Result<BoundKernel> bind_control(const CallBinding& call) {
  return no_kernel(call);  // The program runs it; see Program::compile_control().
}

// Arguments: condition, value, condition, value, ..., else. A missing ELSE is NULL.
Result<DataType> derive_case(CallTyping& call) {
  if (call.count() % 2 == 0) call.arguments.push_back(null_literal(DataType::null()));
  std::vector<DataType> types;
  for (int i = 0; i < call.count(); ++i) {
    const bool is_condition = i % 2 == 0 && i + 1 < call.count();
    if (is_condition && call.type(i).kind() != TypeKind::kBoolean) {
      return Status::invalid_argument("the condition of a CASE must be BOOLEAN");
    }
    if (!is_condition) types.push_back(call.type(i));
  }
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  if (common.kind() == TypeKind::kNull) {
    return Status::invalid_argument("at least one value of a CASE must not be a bare NULL");
  }
  for (int i = 0; i < call.count(); ++i) {
    if (i % 2 == 1 || i + 1 == call.count()) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  }
  return common;
}

Result<DataType> derive_coalesce(CallTyping& call) {
  std::vector<DataType> types;
  bool nullable = true;
  for (const ExpressionPtr& argument : call.arguments) {
    types.push_back(argument->type());
    nullable = nullable && argument->type().nullable();
  }
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  for (int i = 0; i < call.count(); ++i) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  return common.with_nullable(nullable);
}

Result<DataType> derive_extreme(CallTyping& call) {
  std::vector<DataType> types;
  for (const ExpressionPtr& argument : call.arguments) types.push_back(argument->type());
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  if (common.is_nested()) return wrong_types(call);
  for (int i = 0; i < call.count(); ++i) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  return call.strict(common);
}

template <bool kGreatest, typename T>
bool extreme_kernel(KernelCall& call) {
  T* out = call.results<T>();
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Reader<T> values(*call.arguments[i]);
    for_each_row(call.rows, [&](std::int32_t row) {
      const T value = values[row];
      if (i == 0 || (kGreatest ? value > out[row] : value < out[row])) out[row] = value;
    });
  }
  return true;
}

template <bool kGreatest>
bool extreme_text_kernel(KernelCall& call) {
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    std::string_view best = call.argument(0).string_at(row);
    for (std::size_t i = 1; i < call.arguments.size(); ++i) {
      const std::string_view text = call.arguments[i]->string_at(row);
      if (kGreatest ? text > best : text < best) best = text;
    }
    return writer.write(row, best);
  });
}

template <bool kGreatest>
Result<BoundKernel> bind_extreme(const CallBinding& call) {
  const DataType& type = call.call.type();
  for (int i = 0; i < call.count(); ++i) {
    if (call.type(i).physical() != type.physical()) return no_kernel(call);
  }
  if (type.physical() == PhysicalType::kView) return costly_kernel(extreme_text_kernel<kGreatest>);
  const Kernel kernel =
      for_fixed_type(type, []<typename T>() -> Kernel { return extreme_kernel<kGreatest, T>; });
  if (kernel == nullptr) return no_kernel(call);
  return plain_kernel(kernel);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "CASE",
     .arguments_min = 2,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_case,
     .bind = bind_control,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "CASE WHEN condition THEN value ... [ELSE value] END",
     .description = "The value of the first condition that is TRUE, else that of ELSE, else NULL.",
     .example = "CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END",
     .example_result = "b"},
    {.name = "COALESCE",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_coalesce,
     .bind = bind_control,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "COALESCE(value, ...), IFNULL(value, value)",
     .description = "The first value that is not NULL.",
     .example = "COALESCE(CAST(NULL AS INT), 2)",
     .example_result = "2",
     .aliases = "IFNULL"},
    {.name = "GREATEST",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_extreme,
     .bind = bind_extreme<true>,
     .signature = "GREATEST(value, ...)",
     .description = "The greatest of the values; NULL when one is NULL.",
     .example = "GREATEST(1, 3, 2)",
     .example_result = "3"},
    {.name = "LEAST",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_extreme,
     .bind = bind_extreme<false>,
     .signature = "LEAST(value, ...)",
     .description = "The least of the values; NULL when one is NULL.",
     .example = "LEAST(1.5, 2)",
     .example_result = "1.5"},
};

}  // namespace

std::span<const ScalarFunction> conditional_functions() {
  return kFunctions;
}

}  // namespace clepsydra
