// What people write that becomes calls of other functions: for the documentation and its tests.
#pragma once

#include <span>
#include <string_view>

namespace clepsydra {

struct SpecialForm {
  std::string_view family;  // The title of the FunctionFamily that it is documented with.
  std::string_view signature;
  std::string_view description;
  std::string_view example;         // A SQL expression ...
  std::string_view example_result;  // ... and its value as text.
  std::string_view aliases = {};    // Other spellings, separated by blanks.
};

// In the order of their families. They take the place of the entries with `is_unit_form`.
std::span<const SpecialForm> special_forms();

}  // namespace clepsydra
