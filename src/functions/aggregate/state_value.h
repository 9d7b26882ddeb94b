// Values of any type as bytes inside an accumulator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/column.h"
#include "stream/column_builder.h"

namespace clepsydra {

// Appends row `row` of `column`, which may be NULL. Equal values of one type give equal bytes.
void append_state_value(const Column& column, std::int64_t row, std::string& out);
// Reads the value at the beginning of `bytes`, which append_state_value() wrote for the builder's
// type, appends it and takes it off.
void read_state_value(std::string_view& bytes, ColumnBuilder& builder);

void append_state_number(std::uint64_t number, std::string& out);
std::uint64_t read_state_number(std::string_view& bytes);
// The text that append_state_text() wrote.
void append_state_text(std::string_view text, std::string& out);
std::string_view read_state_text(std::string_view& bytes);

}  // namespace clepsydra
