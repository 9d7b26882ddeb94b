// Base64 (RFC 4648, with padding): how text formats carry binary values.
#pragma once

#include <string>
#include <string_view>

namespace clepsydra {

void append_base64(std::string_view bytes, std::string& out);
// Replaces `out`; false (and `out` unspecified) when `text` is not base64.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace clepsydra
