#include "connectors/filesystem/partition_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/file_system.h"
#include "base/utf8.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::string_view kEscaped = "\"#%'*/:=?\\{[]^";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string escape_path_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // A name of dots alone would be another folder.
    const bool only_dots = text.find_first_not_of('.') == std::string_view::npos;
    if (byte < 0x20 || byte == 0x7F || kEscaped.find(c) != std::string_view::npos || only_dots) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string unescape_path_part(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string partition_path(const PartitionValues& values) {
  std::string path;
  for (const auto& [key, value] : values) {
    if (!path.empty()) path.push_back('/');
    path += escape_path_part(key);
    path.push_back('=');
    path += escape_path_part(value);
  }
  return path;
}

std::optional<std::string> partition_value(std::string_view name, std::string_view key) {
  const std::size_t equals = name.find('=');
  if (equals == std::string_view::npos || unescape_path_part(name.substr(0, equals)) != key) {
    return std::nullopt;
  }
  return unescape_path_part(name.substr(equals + 1));
}

std::optional<PartitionValues> parse_partition_path(std::string_view path,
                                                    const std::vector<std::string>& keys) {
  PartitionValues values;
  for (const std::string& key : keys) {
    const std::size_t end = std::min(path.find('/'), path.size());
    std::optional<std::string> value = partition_value(path.substr(0, end), key);
    if (!value) return std::nullopt;
    values.emplace_back(key, *std::move(value));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!path.empty()) return std::nullopt;
  return values;
}

Result<std::vector<std::vector<std::string>>> partitions_below(
    FileSystem& files, const std::string& folder, const std::vector<std::string>& keys) {
  struct Found {
    std::string folder;
    std::vector<std::string> values;
  };
  std::vector<Found> level = {{folder, {}}};
  for (const std::string& key : keys) {
    std::vector<Found> next;
    for (const Found& above : level) {
      Result<std::vector<FileInfo>> entries = files.list(above.folder);
      // A table that was not written to has no folder; one may go while this looks.
      if (entries.status().code() == StatusCode::kNotFound) continue;
      if (!entries.is_ok()) return entries.status();
      for (const FileInfo& entry : *entries) {
        std::optional<std::string> value = partition_value(entry.name, key);
        if (!entry.is_directory || !value) continue;
        Found& found = next.emplace_back(Found{join_path(above.folder, entry.name), above.values});
        found.values.push_back(*std::move(value));
      }
    }
    level = std::move(next);
  }
  std::vector<std::vector<std::string>> partitions;
  for (Found& found : level) partitions.push_back(std::move(found.values));
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

Result<std::int64_t> partition_time(const PartitionValues& values, const std::string& pattern) {
  std::string text = pattern;
  if (pattern.empty()) {
    text = values.empty() ? "" : values.front().second;
  } else {
    for (const auto& [key, value] : values) {
      const std::string name = "$" + key;
      for (std::size_t at = text.find(name); at != std::string::npos;
           at = text.find(name, at + value.size())) {
        text.replace(at, name.size(), value);
      }
    }
  }
  std::int64_t millis = 0;
  if (parse_timestamp(text, 3, millis)) return millis;
  std::int32_t days = 0;
  if (parse_date(text, days)) return std::int64_t{days} * 86'400'000;
  return Status::invalid_argument(
      fmt::format("cannot tell the time of partition '{}' from \"{}\"; expected a text such as "
                  "2024-01-31 or 2024-01-31 07:00:00; see 'partition.time-extractor.timestamp-"
                  "pattern'",
                  clip(partition_path(values), 64), clip(text, 64)));
}

}  // namespace clepsydra
