#include "stream/zone_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/check.h"
#include "stream/calendar.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kSecondsOfDay = 86'400;
constexpr std::int64_t kYearLast = 2500;  // The rule is written out until its end.
constexpr std::int64_t kCalendarRound = 146'097 * kSecondsOfDay;
constexpr std::int64_t kEnd = days_from_civil({kYearLast, 1, 1}) * kSecondsOfDay;
constexpr std::int64_t kOffsetMax = 26L * 3600;
constexpr std::int64_t kTransitionsMax = 100'000;

Status broken(std::string_view what) {
  return Status::data_loss(fmt::format("cannot read time zone data: {}", what));
}

// Big endian, two's complement.
std::int64_t read_integer(std::string_view bytes) {
  std::uint64_t value = (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(value);
}

struct TzifHeader {
  char version;
  std::int64_t ut_indicators;
  std::int64_t standard_indicators;
  std::int64_t leap_seconds;
  std::int64_t times;
  std::int64_t types;
  std::int64_t characters;

  // Of the data behind it, whose times have `width` bytes.
  [[nodiscard]] std::int64_t data_bytes(std::int64_t width) const {
    return times * (width + 1) + types * 6 + characters + leap_seconds * (width + 4) +
           standard_indicators + ut_indicators;
  }
};

Result<TzifHeader> take_header(std::string_view& rest) {
  constexpr std::size_t kBytes = 44;
  if (rest.size() < kBytes || !rest.starts_with("TZif")) return broken("no TZif header");
  std::array<std::int64_t, 6> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = read_integer(rest.substr(20 + i * 4, 4));
    if (counts[i] < 0 || counts[i] > kTransitionsMax) {
      return broken(fmt::format("a count of {}", counts[i]));
    }
  }
  const TzifHeader header{rest[4],   counts[0], counts[1], counts[2],
                          counts[3], counts[4], counts[5]};
  rest.remove_prefix(kBytes);
  return header;
}

Result<std::string_view> take_bytes(std::string_view& rest, std::int64_t bytes) {
  if (bytes > static_cast<std::int64_t>(rest.size())) return broken("it ends too early");
  const std::string_view taken = rest.substr(0, static_cast<std::size_t>(bytes));
  rest.remove_prefix(taken.size());
  return taken;
}

// A day of each year on which the offset changes, and the second of that local day.
struct YearlyChange {
  enum class Kind { kWeekday, kDayWithoutLeapDay, kDay };
  Kind kind = Kind::kDay;
  int month = 0;
  int week = 0;  // 5: the last one.
  int day = 0;   // kWeekday: 0 is Sunday.
  std::int64_t second = 2L * 3600;

  [[nodiscard]] std::int64_t local_second(std::int64_t year) const {
    std::int64_t days = days_from_civil({year, 1, 1});
    if (kind == Kind::kDay) {
      days += day;
    } else if (kind == Kind::kDayWithoutLeapDay) {
      days += day - 1 + (is_leap_year(year) && day >= 60 ? 1 : 0);
    } else {
      days = days_from_civil({year, month, 1});
      const std::int64_t weekday = ((days + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday.
      std::int64_t in_month = (day - weekday + 7) % 7 + (week - 1) * 7L;
      if (in_month >= days_of_month(year, month)) in_month -= 7;
      days += in_month;
    }
    return days * kSecondsOfDay + second;
  }
};

// "CET-1CEST,M3.5.0,M10.5.0/3": the form of the variable TZ, which ends a file.
class FooterReader {
 public:
  explicit FooterReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_name() {
    std::size_t size = 0;
    if (rest_.starts_with('<')) {
      size = rest_.find('>');
      if (size == std::string_view::npos) return false;
      ++size;
    } else {
      while (size < rest_.size() && ((rest_[size] >= 'A' && rest_[size] <= 'Z') ||
                                     (rest_[size] >= 'a' && rest_[size] <= 'z'))) {
        ++size;
      }
    }
    rest_.remove_prefix(size);
    return size >= 3;
  }
  bool take_number(int max, int& value) {
    std::size_t size = 0;
    value = 0;
    while (size < rest_.size() && size < 3 && rest_[size] >= '0' && rest_[size] <= '9') {
      value = value * 10 + (rest_[size++] - '0');
    }
    rest_.remove_prefix(size);
    return size > 0 && value <= max;
  }
  // [+-]h[h[h]][:mm[:ss]]
  bool take_time(std::int64_t& seconds) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    if (!take_number(167, hours)) return false;
    if (take(':') && !take_number(59, minutes)) return false;
    if (take(':') && !take_number(59, rest)) return false;
    seconds = hours * 3600 + minutes * 60 + rest;
    if (negative) seconds = -seconds;
    return true;
  }
  bool take_change(YearlyChange& change) {
    bool good = false;
    if (take('M')) {
      change.kind = YearlyChange::Kind::kWeekday;
      good = take_number(12, change.month) && change.month > 0 && take('.') &&
             take_number(5, change.week) && change.week > 0 && take('.') &&
             take_number(6, change.day);
    } else if (take('J')) {
      change.kind = YearlyChange::Kind::kDayWithoutLeapDay;
      good = take_number(365, change.day) && change.day > 0;
    } else {
      good = take_number(365, change.day);
    }
    return good && (!take('/') || take_time(change.second));
  }

 private:
  std::string_view rest_;
};

}  // namespace

Result<ZoneRules> ZoneRules::parse(std::string_view file) {
  std::string_view rest = file;
  CLP_ASSIGN_OR_RETURN(const TzifHeader old, take_header(rest));
  if (old.version < '2') return broken("version 1, which ends in 2037");
  // The first block repeats the second one with 32 bits for readers of version 1.
  CLP_RETURN_IF_ERROR(take_bytes(rest, old.data_bytes(4)).status());
  CLP_ASSIGN_OR_RETURN(const TzifHeader header, take_header(rest));
  CLP_ASSIGN_OR_RETURN(std::string_view data, take_bytes(rest, header.data_bytes(8)));
  CLP_ASSIGN_OR_RETURN(const std::string_view times, take_bytes(data, header.times * 8));
  CLP_ASSIGN_OR_RETURN(const std::string_view indices, take_bytes(data, header.times));
  CLP_ASSIGN_OR_RETURN(const std::string_view types, take_bytes(data, header.types * 6));
  ZoneRules rules;
  CLP_RETURN_IF_ERROR(rules.add_transitions(times, indices, types));
  if (rest.size() < 2 || rest.front() != '\n' || rest.back() != '\n') return broken("no footer");
  CLP_RETURN_IF_ERROR(rules.add_rule(rest.substr(1, rest.size() - 2)));
  rules.index_local_times();
  return rules;
}

Status ZoneRules::add_transitions(std::string_view times, std::string_view indices,
                                  std::string_view types) {
  std::vector<std::int64_t> offsets;
  for (std::size_t at = 0; at < types.size(); at += 6) {
    offsets.push_back(read_integer(types.substr(at, 4)));
    if (std::abs(offsets.back()) > kOffsetMax) {
      return broken(fmt::format("an offset of {} seconds", offsets.back()));
    }
  }
  if (offsets.empty()) return broken("no offsets");
  offsets_.push_back(offsets[0]);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto type = static_cast<std::uint8_t>(indices[i]);
    const std::int64_t instant = read_integer(times.substr(i * 8, 8));
    if (type >= offsets.size() || (!transitions_.empty() && instant <= transitions_.back())) {
      return broken(fmt::format("transition {} is out of order", i));
    }
    // Some files begin with a transition at the beginning of time, and Java knows none as early.
    if (instant < -(std::int64_t{1} << 50) || instant >= kEnd) continue;
    add(instant, offsets[type]);
  }
  return Status::ok();
}

void ZoneRules::add(std::int64_t instant, std::int64_t offset) {
  transitions_.push_back(instant);
  offsets_.push_back(offset);
}

Status ZoneRules::add_rule(std::string_view footer) {
  if (footer.empty()) return Status::ok();  // The last offset holds for ever.
  const Status wrong = broken(fmt::format("the rule \"{}\" is not of the form of TZ", footer));
  FooterReader in(footer);
  std::int64_t west = 0;
  if (!in.take_name() || !in.take_time(west)) return wrong;
  const std::int64_t standard = -west;
  const std::int64_t last = transitions_.empty() ? -(std::int64_t{1} << 50) : transitions_.back();
  if (in.at_end()) {
    if (offsets_.back() != standard) add(last + 1, standard);
    return Status::ok();
  }
  std::int64_t west_in_summer = west - 3600;
  YearlyChange begin;
  YearlyChange end;
  if (!in.take_name()) return wrong;
  if (!in.take(',') && (!in.take_time(west_in_summer) || !in.take(','))) return wrong;
  if (!in.take_change(begin) || !in.take(',') || !in.take_change(end) || !in.at_end()) return wrong;
  const std::int64_t summer = -west_in_summer;
  const std::int64_t first_year =
      std::max<std::int64_t>(1970, civil_from_days(last / kSecondsOfDay).year);
  for (std::int64_t year = first_year; year < kYearLast; ++year) {
    // South of the equator summer ends first.
    std::array<std::pair<std::int64_t, std::int64_t>, 2> changes = {
        {{begin.local_second(year) - standard, summer},
         {end.local_second(year) - summer, standard}}};
    if (changes[1].first < changes[0].first) std::swap(changes[0], changes[1]);
    for (const auto& [instant, offset] : changes) {
      if ((transitions_.empty() || instant > transitions_.back()) && offset != offsets_.back()) {
        add(instant, offset);
      }
    }
  }
  return Status::ok();
}

void ZoneRules::index_local_times() {
  for (std::size_t i = 0; i < transitions_.size(); ++i) {
    // Until the later one of the two local times of the change: then the gap or overlap is over.
    const std::int64_t until = transitions_[i] + std::max(offsets_[i], offsets_[i + 1]);
    local_.push_back(local_.empty() ? until : std::max(until, local_.back()));
  }
}

std::int64_t ZoneRules::offset_at_instant(std::int64_t second) const {
  if (second >= kEnd) second -= ((second - kEnd) / kCalendarRound + 1) * kCalendarRound;
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), second);
  return offsets_[static_cast<std::size_t>(next - transitions_.begin())];
}

std::int64_t ZoneRules::offset_of_local(std::int64_t second) const {
  if (second >= kEnd) second -= ((second - kEnd) / kCalendarRound + 1) * kCalendarRound;
  const auto next = std::upper_bound(local_.begin(), local_.end(), second);
  return offsets_[static_cast<std::size_t>(next - local_.begin())];
}

}  // namespace clepsydra
