#include "base/json_string.h"

namespace clepsydra {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

void append_unicode_escape(unsigned char c, std::string& out) {
  out += "\\u00";
  out += kHexDigits[c >> 4];
  out += kHexDigits[c & 15];
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          append_unicode_escape(static_cast<unsigned char>(c), out);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace clepsydra
