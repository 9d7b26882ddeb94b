// The tables of built-in scalar functions, one per family.
#pragma once

#include <span>

#include "functions/scalar_function.h"

namespace clepsydra {

std::span<const ScalarFunction> arithmetic_functions();
std::span<const ScalarFunction> math_functions();
std::span<const ScalarFunction> comparison_functions();
std::span<const ScalarFunction> logic_functions();
std::span<const ScalarFunction> conditional_functions();
std::span<const ScalarFunction> cast_functions();
std::span<const ScalarFunction> text_functions();
std::span<const ScalarFunction> text_search_functions();
std::span<const ScalarFunction> pattern_functions();
std::span<const ScalarFunction> encoding_functions();
std::span<const ScalarFunction> date_time_functions();
std::span<const ScalarFunction> date_time_text_functions();
std::span<const ScalarFunction> clock_functions();
std::span<const ScalarFunction> nested_functions();
std::span<const ScalarFunction> text_part_functions();
std::span<const ScalarFunction> printf_functions();
std::span<const ScalarFunction> collection_functions();
std::span<const ScalarFunction> json_query_functions();
std::span<const ScalarFunction> json_build_functions();
std::span<const ScalarFunction> variant_functions();
std::span<const ScalarFunction> structured_functions();
std::span<const ScalarFunction> identity_functions();

}  // namespace clepsydra
