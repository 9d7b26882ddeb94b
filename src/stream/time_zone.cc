#include "stream/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace clepsydra {
namespace {

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
  NamedZone(std::string name, const date::time_zone* zone) : name_(std::move(name)), zone_(zone) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t offset_at_instant(std::int64_t epoch_millis) const override {
    const date::sys_seconds instant{std::chrono::seconds(floor_seconds(epoch_millis))};
    return zone_->get_info(instant).offset.count();
  }
  [[nodiscard]] std::int64_t offset_of_local(std::int64_t local_millis) const override {
    const date::local_seconds local{std::chrono::seconds(floor_seconds(local_millis))};
    return zone_->get_info(local).first.offset.count();
  }

 private:
  const std::string name_;
  const date::time_zone* const zone_;  // Lives as long as the process.
};

// "+8", "+08", "+08:00", "-0530", "+08:00:30" in seconds.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  std::string digits;
  for (const char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
    } else if (c != ':') {
      return std::nullopt;
    }
  }
  if (digits.size() == 1 || digits.size() == 3) digits.insert(digits.begin(), '0');
  if (digits.size() != 2 && digits.size() != 4 && digits.size() != 6) return std::nullopt;
  digits.resize(6, '0');
  const auto two = [&](std::size_t at) { return (digits[at] - '0') * 10 + digits[at + 1] - '0'; };
  if (two(0) > 18 || two(2) > 59 || two(4) > 59) return std::nullopt;
  return sign * (std::int64_t{two(0)} * 3600 + std::int64_t{two(2)} * 60 + two(4));
}

}  // namespace

Result<TimeZonePtr> find_time_zone(std::string_view name) {
  const std::string text(name);
  std::string_view rest = name;
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (rest.starts_with(prefix)) {
      rest.remove_prefix(prefix.size());
      break;
    }
  }
  if (name == "Z" || (rest.empty() && !name.empty()))
    return std::make_shared<const FixedZone>(text, 0);
  if (const std::optional<std::int64_t> offset = parse_offset(rest)) {
    return std::make_shared<const FixedZone>(text, *offset);
  }
  try {
    return std::make_shared<const NamedZone>(text, date::locate_zone(text));
  } catch (const std::exception&) {
    return Status::not_found(fmt::format(
        "there is no time zone '{}'; expected a name such as 'Europe/Berlin', 'UTC' or an offset "
        "such as '+08:00'",
        text.substr(0, 64)));
  }
}

}  // namespace clepsydra
