// JSON strings, as everything that writes JSON has them.
#pragma once

#include <string>
#include <string_view>

namespace clepsydra {

// Appends `text` in quotes; what is not ASCII stays as it is.
void append_json_string(std::string_view text, std::string& out);

}  // namespace clepsydra
