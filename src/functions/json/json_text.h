// JSON texts as the reference writes them: no blanks, numbers as Java's BigDecimal prints them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "functions/json/json_document.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

// Appends a JSON number: an integer as it is, another as BigDecimal.toString() has it (1.10,
// 1.0E+10).
void append_json_number(std::string_view number, std::string& out);

// The order of the members of an object.
enum class JsonOrder : std::uint8_t {
  kAsWritten,
  kByKey,
};
// Appends node `i` and all that it holds. Of a key that occurs twice the last value counts.
void append_json(const JsonDocument& document, std::int32_t i, JsonOrder order, std::string& out);

// Whether a value of the type can be written as JSON: all but DATE, TIME, intervals and maps whose
// keys are not text.
bool can_write_json(const DataType& type);
// Appends row `row`, which may be NULL; members of objects by key. False for a number that JSON
// does not have (NaN, infinite).
bool append_json_value(const Column& column, std::int64_t row, std::string& out);

}  // namespace clepsydra
