#include "stream/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/local_file_system.h"
#include "base/utf8.h"
#include "stream/zone_rules.h"

namespace clepsydra {
namespace {

// Part of the operating system, as the C library's: not among the files that are passed in.
constexpr std::string_view kZoneDirectory = "/usr/share/zoneinfo/";
constexpr std::int64_t kZoneBytesMax = 1 << 20;
constexpr std::size_t kNameMax = 64;

std::int64_t floor_seconds(std::int64_t millis) {
  return millis / 1000 - static_cast<std::int64_t>(millis % 1000 < 0);
}

class FixedZone final : public TimeZone {
 public:
  FixedZone(std::string name, std::int64_t offset) : name_(std::move(name)), offset_(offset) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t offset_at_instant(std::int64_t /*epoch_millis*/) const override {
    return offset_;
  }
  [[nodiscard]] std::int64_t offset_of_local(std::int64_t /*local_millis*/) const override {
    return offset_;
  }

 private:
  const std::string name_;
  const std::int64_t offset_;
};

class NamedZone final : public TimeZone {
 public:
  NamedZone(std::string name, ZoneRules rules) : name_(std::move(name)), rules_(std::move(rules)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t offset_at_instant(std::int64_t epoch_millis) const override {
    return rules_.offset_at_instant(floor_seconds(epoch_millis));
  }
  [[nodiscard]] std::int64_t offset_of_local(std::int64_t local_millis) const override {
    return rules_.offset_of_local(floor_seconds(local_millis));
  }

 private:
  const std::string name_;
  const ZoneRules rules_;
};

// So many digits off the front.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t digits,
                                        std::int64_t max) {
  if (text.size() < digits) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value <= max ? std::optional(value) : std::nullopt;
}

// "+8", "+08", "+08:00", "+8:00", "-0530", "+08:00:30" in seconds, up to 18 hours as in Java.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const std::size_t hour_digits = text.size() == 1 || text[1] == ':' ? 1 : 2;
  const std::optional<std::int64_t> hours = take_number(text, hour_digits, 18);
  if (!hours) return std::nullopt;
  const bool colons = text.starts_with(':');
  std::int64_t seconds = *hours * 3600;
  for (const std::int64_t unit : {60, 1}) {
    if (text.empty()) break;
    if (colons) {
      if (text.front() != ':') return std::nullopt;
      text.remove_prefix(1);
    }
    const std::optional<std::int64_t> value = take_number(text, 2, 59);
    if (!value) return std::nullopt;
    seconds += *value * unit;
  }
  if (!text.empty() || seconds > 18L * 3600) return std::nullopt;
  return sign * seconds;
}

// Names are letters, digits, '_', '+', '-' in parts with '/' between them: nothing that leaves the
// folder.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kNameMax || name.front() == '/' || name.back() == '/') {
    return false;
  }
  // Copies of all zones, which java.time does not know; the times of "right" count leap seconds.
  if (name.starts_with("right/") || name.starts_with("posix/")) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '/';
  });
}

Status no_such_zone(std::string_view name) {
  return Status::not_found(fmt::format(
      "there is no time zone '{}'; expected a name such as 'Europe/Berlin', 'UTC' or an "
      "offset such as '+08:00'",
      clip(name, 64)));
}

}  // namespace

Result<TimeZonePtr> find_time_zone(std::string_view name) {
  std::string_view rest = name;
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    break;
  }
  if (name == "Z" || (rest.empty() && !name.empty())) {
    return std::make_shared<const FixedZone>(std::string(name), 0);
  }
  if (const std::optional<std::int64_t> offset = parse_offset(rest)) {
    return std::make_shared<const FixedZone>(std::string(name), *offset);
  }
  if (!is_zone_name(name)) return no_such_zone(name);
  LocalFileSystem files;
  const std::string path = std::string(kZoneDirectory).append(name);
  Result<std::string> file = read_file(files, path, kZoneBytesMax);
  if (!file.is_ok()) {
    const bool installed = files.exists(kZoneDirectory).is_ok() && *files.exists(kZoneDirectory);
    if (installed) return no_such_zone(name);
    return Status::failed_precondition(fmt::format(
        "cannot look up time zone '{}': {} is missing; install the system's time zone data", name,
        kZoneDirectory));
  }
  if (!file->starts_with("TZif")) return no_such_zone(name);  // Lists of zones lie there too.
  Result<ZoneRules> rules = ZoneRules::parse(*file);
  if (!rules.is_ok()) return rules.status().with_context(path);
  return std::make_shared<const NamedZone>(std::string(name), *std::move(rules));
}

}  // namespace clepsydra
