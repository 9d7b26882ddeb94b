#include "formats/option_values.h"

#include <fmt/format.h>

#include <string>

#include "base/utf8.h"

namespace clepsydra {

const std::string* find_option(const TableOptions& options, const char* key) {
  const auto found = options.find(key);
  return found == options.end() ? nullptr : &found->second;
}

Status read_boolean_option(const TableOptions& options, const char* key, bool& value) {
  const std::string* text = find_option(options, key);
  if (text == nullptr) return Status::ok();
  std::string lower;
  for (const char c : *text) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  if (lower != "true" && lower != "false") {
    return Status::invalid_argument(
        fmt::format("option '{}' is '{}'; expected true or false", key, clip(*text, 64)));
  }
  value = lower == "true";
  return Status::ok();
}

}  // namespace clepsydra
