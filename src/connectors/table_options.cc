#include "connectors/table_options.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

Status wrong(const std::string& key, const std::string& text, std::string_view expected) {
  return Status::invalid_argument(
      fmt::format("option '{}' is '{}'; expected {}", key, clip(text, 64), expected));
}

}  // namespace

std::optional<std::string> text_option(const TableOptions& options, const std::string& key) {
  const auto found = options.find(key);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<std::int64_t>> int_option(const TableOptions& options, const std::string& key,
                                               std::int64_t min, std::int64_t max) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return std::optional<std::int64_t>();
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end || value < min || value > max) {
    return wrong(key, *text, fmt::format("a whole number from {} to {}", min, max));
  }
  return std::optional(value);
}

Result<std::optional<double>> double_option(const TableOptions& options, const std::string& key,
                                            double min, double max) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return std::optional<double>();
  double value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value) || value < min || value > max) {
    return wrong(key, *text, fmt::format("a number from {} to {}", min, max));
  }
  return std::optional(value);
}

Result<std::optional<bool>> bool_option(const TableOptions& options, const std::string& key) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return std::optional<bool>();
  if (*text == "true" || *text == "TRUE") return std::optional(true);
  if (*text == "false" || *text == "FALSE") return std::optional(false);
  return wrong(key, *text, "true or false");
}

Result<std::optional<Duration>> duration_option(const TableOptions& options,
                                                const std::string& key) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return std::optional<Duration>();
  const Result<Duration> parsed = parse_duration(*text);
  if (!parsed.is_ok() || *parsed < Duration::zero()) {
    return wrong(key, *text, "a duration such as '10 s', '200 ms', '1 min' or 'PT10S'");
  }
  return std::optional(*parsed);
}

Result<std::optional<std::int64_t>> bytes_option(const TableOptions& options,
                                                 const std::string& key) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return std::optional<std::int64_t>();
  const Result<MemorySize> parsed = parse_memory_size(*text);
  if (!parsed.is_ok()) return wrong(key, *text, "a memory size such as '64 mb' or '512 kb'");
  return std::optional(parsed->bytes);
}

ValueTree options_to_tree(const TableOptions& options) {
  ValueTree tree = ValueTree::map();
  for (const auto& [key, value] : options) tree.set(key, value);
  return tree;
}

Result<TableOptions> options_from_tree(const ValueTree& tree) {
  TableOptions options;
  if (tree.as_map() == nullptr) return Status::invalid_argument("table options are not a map");
  for (const auto& [key, value] : *tree.as_map()) {
    if (value.as_string() == nullptr) {
      return Status::invalid_argument(fmt::format("table option '{}' is not text", key));
    }
    options[key] = *value.as_string();
  }
  return options;
}

}  // namespace clepsydra
