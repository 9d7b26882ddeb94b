// AND, OR, NOT and IS [NOT] TRUE / FALSE / UNKNOWN / NULL. AND and OR are run by the program
// itself, so that the right side is computed only where it matters.
#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"

namespace clepsydra {
namespace {

struct Not {
  static std::uint8_t apply(std::uint8_t a) { return a ^ 1U; }
};

enum class Test : std::uint8_t { kNull, kNotNull, kTrue, kNotTrue, kFalse, kNotFalse };

// Non-strict: sees the NULLs.
template <Test kTest>
bool test_kernel(KernelCall& call) {
  auto* out = call.results<std::uint8_t>();
  const Vector& a = call.argument(0);
  constexpr bool kNegated =
      kTest == Test::kNotNull || kTest == Test::kNotTrue || kTest == Test::kNotFalse;
  if constexpr (kTest == Test::kNull || kTest == Test::kNotNull) {
    if (a.validity == nullptr) {
      for_each_row(call.rows, [&](std::int32_t row) { out[row] = kNegated ? 1 : 0; });
    } else {
      for_each_row(call.rows,
                   [&](std::int32_t row) { out[row] = a.is_null(row) != kNegated ? 1 : 0; });
    }
  } else {
    constexpr bool kWanted = kTest == Test::kTrue || kTest == Test::kNotTrue;
    for_each_row(call.rows, [&](std::int32_t row) {
      const bool matches =
          !a.is_null(row) && (a.data<std::uint8_t>()[a.index_of(row)] != 0) == kWanted;
      out[row] = matches != kNegated ? 1 : 0;
    });
  }
  return true;
}

template <Test kTest>
Result<BoundKernel> bind_test(const CallBinding&) {
  return plain_kernel(test_kernel<kTest>);
}

Result<BoundKernel> bind_not(const CallBinding& call) {
  if (call.type(0).kind() != TypeKind::kBoolean) return no_kernel(call);
  return plain_kernel(unary_kernel<Not, std::uint8_t, std::uint8_t>);
}

Result<BoundKernel> bind_control(const CallBinding& call) {
  return no_kernel(call);  // The program runs it; see Program::compile_control().
}

Result<DataType> derive_logic(CallTyping& call) {
  for (int i = 0; i < call.count(); ++i) {
    if (call.type(i).kind() != TypeKind::kBoolean) return wrong_types(call);
  }
  return call.strict(DataType::boolean());
}

Result<DataType> derive_null_test(CallTyping&) {
  return DataType::boolean().with_nullable(false);
}

Result<DataType> derive_truth_test(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kBoolean) return wrong_types(call);
  return DataType::boolean().with_nullable(false);
}

constexpr ScalarFunction logic_entry(std::string_view name, std::string_view description,
                                     std::string_view example, std::string_view example_result) {
  return {.name = name,
          .arguments_min = 2,
          .arguments_max = ScalarFunction::kAnyCount,
          .derive = derive_logic,
          .bind = bind_control,
          .is_strict = false,
          .signature = name == "AND" ? "boolean AND boolean" : "boolean OR boolean",
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction test_entry(std::string_view name, Result<DataType> (*derive)(CallTyping&),
                                    Result<BoundKernel> (*bind)(const CallBinding&),
                                    std::string_view example, std::string_view example_result,
                                    std::string_view aliases = {}) {
  return {.name = name,
          .arguments_min = 1,
          .arguments_max = 1,
          .derive = derive,
          .bind = bind,
          .is_strict = false,
          .takes_bare_null = derive == derive_null_test,
          .signature = name,
          .description = "Tests a value; never NULL.",
          .example = example,
          .example_result = example_result,
          .aliases = aliases};
}

constexpr ScalarFunction kFunctions[] = {
    logic_entry("AND", "TRUE when both are; FALSE when one is FALSE; else NULL.",
                "FALSE AND CAST(NULL AS BOOLEAN)", "FALSE"),
    logic_entry("OR", "TRUE when one is; FALSE when both are FALSE; else NULL.",
                "TRUE OR CAST(NULL AS BOOLEAN)", "TRUE"),
    {.name = "NOT",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_logic,
     .bind = bind_not,
     .signature = "NOT boolean",
     .description = "TRUE for FALSE and the other way round; NULL for NULL.",
     .example = "NOT TRUE",
     .example_result = "FALSE"},
    test_entry("IS NULL", derive_null_test, bind_test<Test::kNull>, "1 IS NULL", "FALSE"),
    test_entry("IS NOT NULL", derive_null_test, bind_test<Test::kNotNull>, "1 IS NOT NULL", "TRUE"),
    test_entry("IS TRUE", derive_truth_test, bind_test<Test::kTrue>,
               "CAST(NULL AS BOOLEAN) IS TRUE", "FALSE"),
    test_entry("IS NOT TRUE", derive_truth_test, bind_test<Test::kNotTrue>,
               "CAST(NULL AS BOOLEAN) IS NOT TRUE", "TRUE"),
    test_entry("IS FALSE", derive_truth_test, bind_test<Test::kFalse>, "FALSE IS FALSE", "TRUE"),
    test_entry("IS NOT FALSE", derive_truth_test, bind_test<Test::kNotFalse>, "FALSE IS NOT FALSE",
               "FALSE"),
    test_entry("IS UNKNOWN", derive_truth_test, bind_test<Test::kNull>,
               "CAST(NULL AS BOOLEAN) IS UNKNOWN", "TRUE"),
    test_entry("IS NOT UNKNOWN", derive_truth_test, bind_test<Test::kNotNull>,
               "TRUE IS NOT UNKNOWN", "TRUE"),
};

}  // namespace

std::span<const ScalarFunction> logic_functions() {
  return kFunctions;
}

}  // namespace clepsydra
