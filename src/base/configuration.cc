#include "base/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace clepsydra {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

template <typename T>
bool parse_number(std::string_view text, T& value) {
  text = trim(text);
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return false;
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// Parts between `delimiter`s, trimmed, empty ones left out. A part in '...' or "..." is taken as it
// is, with the quote doubled standing for itself.
bool split(std::string_view text, char delimiter, StringList& parts) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_space(text[i]) || text[i] == delimiter) {
      ++i;
      continue;
    }
    if (text[i] != '\'' && text[i] != '"') {
      const std::size_t end = std::min(text.find(delimiter, i), text.size());
      parts.emplace_back(trim(text.substr(i, end - i)));
      i = end;
      continue;
    }
    const char quote = text[i++];
    std::string part;
    while (true) {
      if (i >= text.size()) return false;  // The closing quote is missing.
      if (text[i] == quote) {
        if (i + 1 >= text.size() || text[i + 1] != quote) break;
        ++i;
      }
      part += text[i++];
    }
    ++i;
    while (i < text.size() && is_space(text[i])) ++i;
    if (i < text.size() && text[i] != delimiter) return false;
    parts.push_back(std::move(part));
  }
  return true;
}

bool in_brackets(std::string_view text, char open, char close, std::string_view& inside) {
  if (text.size() < 2 || text.front() != open || text.back() != close) return false;
  inside = text.substr(1, text.size() - 2);
  return true;
}

}  // namespace

namespace internal {

bool parse_config(std::string_view text, bool& value) {
  text = trim(text);
  value = equals_ignoring_case(text, "true");
  return value || equals_ignoring_case(text, "false");
}

bool parse_config(std::string_view text, std::int32_t& value) {
  return parse_number(text, value);
}
bool parse_config(std::string_view text, std::int64_t& value) {
  return parse_number(text, value);
}

bool parse_config(std::string_view text, double& value) {
  return parse_number(text, value) && std::isfinite(value);
}

bool parse_config(std::string_view text, std::string& value) {
  value = text;
  return true;
}

bool parse_config(std::string_view text, Duration& value) {
  const Result<Duration> parsed = parse_duration(text);
  if (parsed.is_ok()) value = *parsed;
  return parsed.is_ok();
}

bool parse_config(std::string_view text, MemorySize& value) {
  const Result<MemorySize> parsed = parse_memory_size(text);
  if (parsed.is_ok()) value = *parsed;
  return parsed.is_ok();
}

bool parse_config(std::string_view text, StringList& value) {
  std::string_view inside;
  if (in_brackets(trim(text), '[', ']', inside)) return split(inside, ',', value);
  return split(text, ';', value);
}

bool parse_config(std::string_view text, StringMap& value) {
  std::string_view inside = trim(text);
  const bool braces = in_brackets(inside, '{', '}', inside);
  StringList entries;
  if (!split(inside, ',', entries)) return false;
  for (const std::string& entry : entries) {
    // The reference prints {k=v} and reads k:v.
    std::size_t colon = entry.find(':');
    if (braces && colon == std::string::npos) colon = entry.find('=');
    if (colon == std::string::npos) return false;
    const std::string_view all(entry);
    const std::string_view key = trim(all.substr(0, colon));
    if (key.empty() || value.contains(key)) return false;
    value.emplace(key, trim(all.substr(colon + 1)));
  }
  return true;
}

bool same_enum_name(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '-' ? '_' : lower(c); };
  a = trim(a);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return plain(x) == plain(y); });
}

Status wrong_value(std::string_view key, std::string_view text, std::string_view expected) {
  return Status::invalid_argument(
      fmt::format("could not parse value '{}' for key '{}': expected {}",
                  clip(printable_value(key, text), 64), key, expected));
}

Status missing_value(std::string_view key, std::string_view description) {
  return Status::invalid_argument(
      fmt::format("the option '{}' is required but not set ({})", key, description));
}

}  // namespace internal

const std::string* Configuration::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

bool Configuration::remove(std::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return false;
  values_.erase(found);
  return true;
}

void Configuration::merge(const Configuration& other) {
  for (const auto& [key, value] : other.values_) values_.insert_or_assign(key, value);
}

Configuration Configuration::with_prefix_removed(std::string_view prefix) const {
  Configuration result;
  for (auto entry = values_.lower_bound(prefix);
       entry != values_.end() && entry->first.starts_with(prefix); ++entry) {
    result.values_.emplace(entry->first.substr(prefix.size()), entry->second);
  }
  return result;
}

Status Configuration::set_from_assignment(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view key = trim(assignment.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) {
    return Status::invalid_argument(
        fmt::format("cannot read the setting \"{}\": expected key=value", clip(assignment, 64)));
  }
  set(std::string(key), std::string(assignment.substr(equals + 1)));
  return Status::ok();
}

bool is_secret_key(std::string_view key) {
  constexpr std::string_view kSecretParts[] = {
      "password",    "secret", "account.key", "apikey",      "api-key",      "auth-params",
      "service-key", "token",  "basic-auth",  "jaas.config", "http-headers", "private-key"};
  std::string name(key);
  for (char& c : name) c = lower(c);
  return std::any_of(std::begin(kSecretParts), std::end(kSecretParts),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

std::string_view printable_value(std::string_view key, std::string_view value) {
  return is_secret_key(key) ? "******" : value;
}

}  // namespace clepsydra
