// A place in a program that compiles regular expressions.
#pragma once

#include <string_view>

#include "functions/regular_expression.h"
#include "functions/scalar/pattern_site.h"

namespace clepsydra {

using RegexSite = PatternSite<RegularExpression>;

inline Result<RegularExpression> compile_regex(std::string_view pattern,
                                               std::string_view /*escape*/) {
  return RegularExpression::compile(pattern);
}

inline bool fail_steps(KernelCall& call, std::int32_t row) {
  return call.fail(row, "matching takes too many steps; write a simpler pattern");
}

}  // namespace clepsydra
