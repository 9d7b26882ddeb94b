// Settings: text by key, read with types. Defaults and documentation sit with
// the option, not with the reader.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "clepsydra/status.h"

namespace clepsydra {

// One option. A constant beside the code that reads it:
//   inline constexpr ConfigOption<Duration> kIdleTimeout{
//       "table.exec.source.idle-timeout", "0 ms", "a source without rows for
//       this long is idle"};
// T: bool, int32_t, int64_t, double, std::string, Duration, MemorySize,
// StringList, StringMap, or an enum with EnumNames.
template <typename T>
struct ConfigOption {
  std::string_view key;
  std::optional<std::string_view>
      default_text;  // As it would be written in a file. None: no default.
  std::string_view description;
};

using StringList = std::vector<std::string>;
using StringMap = std::map<std::string, std::string, std::less<>>;

// Specialise for an enum used as an option:
//   template <> struct EnumNames<Color> {
//     static constexpr std::pair<std::string_view, Color> kNames[] = {{"RED",
//     Color::kRed}, ...}; };
// Names match in any case, with '-' and '_' the same.
template <typename E>
struct EnumNames;

namespace internal {
// Parsers return false for text of another form.
bool parse_config(std::string_view text, bool& value);
bool parse_config(std::string_view text, std::int32_t& value);
bool parse_config(std::string_view text, std::int64_t& value);
bool parse_config(std::string_view text, double& value);
bool parse_config(std::string_view text, std::string& value);
bool parse_config(std::string_view text, Duration& value);
bool parse_config(std::string_view text, MemorySize& value);
bool parse_config(std::string_view text, StringList& value);
bool parse_config(std::string_view text, StringMap& value);
bool same_enum_name(std::string_view a, std::string_view b);
Status wrong_value(std::string_view key, std::string_view text, std::string_view expected);
Status missing_value(std::string_view key, std::string_view description);

template <typename T>
inline constexpr std::string_view kExpected = "one of its values";
template <>
inline constexpr std::string_view kExpected<bool> = "true or false";
template <>
inline constexpr std::string_view kExpected<std::int32_t> =
    "a whole number from -2147483648 to 2147483647";
template <>
inline constexpr std::string_view kExpected<std::int64_t> = "a whole number of 64 bits";
template <>
inline constexpr std::string_view kExpected<double> = "a number such as 0.5";
template <>
inline constexpr std::string_view kExpected<std::string> = "text";
template <>
inline constexpr std::string_view kExpected<Duration> =
    "a duration such as '10 s', '200 ms', '1 min' or 'PT10S'";
template <>
inline constexpr std::string_view kExpected<MemorySize> =
    "a memory size such as '64 mb' or '512 kb'";
template <>
inline constexpr std::string_view kExpected<StringList> = "a list such as 'a;b' or '[a, b]'";
template <>
inline constexpr std::string_view kExpected<StringMap> =
    "a map such as 'a:1,b:2' or '{a: 1, b: 2}'";
}  // namespace internal

// `text` as a T; the error names key, value and expected form.
template <typename T>
Result<T> parse_option_value(std::string_view key, std::string_view text) {
  if constexpr (std::is_enum_v<T>) {
    std::string expected = "one of";
    for (const auto& [name, value] : EnumNames<T>::kNames) {
      if (internal::same_enum_name(text, name)) return value;
      (expected += ' ') += name;
    }
    return internal::wrong_value(key, text, expected);
  } else {
    T value{};
    if (!internal::parse_config(text, value)) {
      return internal::wrong_value(key, text, internal::kExpected<T>);
    }
    return value;
  }
}

// A map of settings. Value type; one thread at a time for writing.
class Configuration {
 public:
  Configuration() = default;
  explicit Configuration(StringMap values) : values_(std::move(values)) {}

  // The value set, else the default; without both, InvalidArgument saying that
  // `key` is required.
  template <typename T>
  [[nodiscard]] Result<T> get(const ConfigOption<T>& option) const {
    if (const std::string* text = find(option.key)) return parse_option_value<T>(option.key, *text);
    if (option.default_text) return parse_option_value<T>(option.key, *option.default_text);
    return internal::missing_value(option.key, option.description);
  }
  // For options without a default: nothing when not set.
  template <typename T>
  [[nodiscard]] Result<std::optional<T>> get_optional(const ConfigOption<T>& option) const {
    if (!contains(option.key) && !option.default_text) return std::optional<T>();
    Result<T> value = get(option);
    if (!value.is_ok()) return value.status();
    return std::optional<T>(std::move(*value));
  }

  // The text set for `key`; null when there is none.
  [[nodiscard]] const std::string* find(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
  void set(std::string key, std::string value) {
    values_.insert_or_assign(std::move(key), std::move(value));
  }
  // True when it was set.
  bool remove(std::string_view key);
  // Values of `other` win.
  void merge(const Configuration& other);
  // Keys starting with `prefix`, without it.
  [[nodiscard]] Configuration with_prefix_removed(std::string_view prefix) const;
  [[nodiscard]] const StringMap& values() const { return values_; }

  // config.yaml: nested maps become keys joined by dots; lists and maps of
  // scalars become 'a;b' and 'k:v,k:v' texts. Errors name line and column. At
  // most 1 MiB and 100 levels.
  static Result<Configuration> from_yaml(std::string_view text);
  // "key=value", as after -D.
  Status set_from_assignment(std::string_view assignment);

 private:
  StringMap values_;
};

// Whether the value behind a key must never be printed (passwords, secrets,
// tokens, keys of stores).
bool is_secret_key(std::string_view key);
// The value, or "******" for a secret key.
std::string_view printable_value(std::string_view key, std::string_view value);

// An option as documentation sees it.
struct OptionInfo {
  std::string_view key;
  std::string_view default_text;  // "(none)" without default.
  std::string_view type;          // "Duration", "Integer", ...
  std::string_view description;
};

// Every option that the project or the reference knows, sorted by key.
std::span<const OptionInfo> known_options();
// Null when nobody knows the key.
const OptionInfo* find_known_option(std::string_view key);
// Up to three known keys that look like `key`.
std::vector<std::string> close_option_keys(std::string_view key);

}  // namespace clepsydra
