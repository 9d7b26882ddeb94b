// VARIANT values. A column of them holds views of JSON texts in one canonical form: no blanks, the
// members of an object by key and each once, integers and decimals without needless digits, other
// numbers as Java prints a double, strings as append_json_string() writes them. So a part of a
// value is a part of its text, and equal values have equal texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "functions/json/json_document.h"

namespace clepsydra {

// Appends the canonical text of the document. False when an object has a key twice and that is not
// allowed; else the last value of a key counts.
bool append_variant(const JsonDocument& document, bool allow_duplicate_keys, std::string& out);

enum class VariantPart : std::uint8_t {
  kFound,
  kMissing,     // The object has no such key, the array no such element.
  kWrongShape,  // Not an object (for a key), not an array (for an index).
};
// The value of a key. `quoted_key` as append_json_string() writes it.
VariantPart variant_field(std::string_view variant, std::string_view quoted_key,
                          std::string_view& part);
// Elements are counted from 1.
VariantPart variant_element(std::string_view variant, std::int64_t index, std::string_view& part);

}  // namespace clepsydra
