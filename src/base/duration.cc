#include "base/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace clepsydra {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// The spellings that the reference reads.
constexpr Unit kTimeUnits[] = {
    {"d", kDay},
    {"day", kDay},
    {"days", kDay},
    {"h", kHour},
    {"hour", kHour},
    {"hours", kHour},
    {"min", kMinute},
    {"m", kMinute},
    {"minute", kMinute},
    {"minutes", kMinute},
    {"s", kSecond},
    {"sec", kSecond},
    {"secs", kSecond},
    {"second", kSecond},
    {"seconds", kSecond},
    {"", kMillisecond},
    {"ms", kMillisecond},
    {"milli", kMillisecond},
    {"millis", kMillisecond},
    {"millisecond", kMillisecond},
    {"milliseconds", kMillisecond},
    {"\xC2\xB5s", kMicrosecond},
    {"micro", kMicrosecond},
    {"micros", kMicrosecond},
    {"microsecond", kMicrosecond},
    {"microseconds", kMicrosecond},
    {"ns", 1},
    {"nano", 1},
    {"nanos", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
};

constexpr std::int64_t kKibi = 1024;
constexpr std::int64_t kMebi = 1024 * kKibi;
constexpr std::int64_t kGibi = 1024 * kMebi;
constexpr std::int64_t kTebi = 1024 * kGibi;

constexpr Unit kMemoryUnits[] = {
    {"", 1},      {"b", 1},      {"bytes", 1},
    {"k", kKibi}, {"kb", kKibi}, {"kibibytes", kKibi},
    {"m", kMebi}, {"mb", kMebi}, {"mebibytes", kMebi},
    {"g", kGibi}, {"gb", kGibi}, {"gibibytes", kGibi},
    {"t", kTebi}, {"tb", kTebi}, {"tebibytes", kTebi},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::optional<std::int64_t> multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

enum class Problem : std::uint8_t { kNone, kForm, kRange };

struct Parsed {
  std::int64_t value = 0;
  Problem problem = Problem::kNone;
};

// "<digits> <unit>".
template <std::size_t N>
Parsed parse_number_and_unit(std::string_view text, const Unit (&units)[N]) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0) return {0, Problem::kForm};
  const std::string label = lower(trim(text.substr(digits)));
  const Unit* unit = nullptr;
  for (const Unit& candidate : units) {
    if (candidate.name == label) unit = &candidate;
  }
  if (unit == nullptr) return {0, Problem::kForm};
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + digits, number);
  if (read.ec != std::errc()) return {0, Problem::kRange};
  const std::optional<std::int64_t> value = multiply(number, unit->factor);
  if (!value) return {0, Problem::kRange};
  return {*value, Problem::kNone};
}

// ISO-8601 as java.time.Duration reads it: [-]P[nD][T[nH][nM][n[.n]S]], each n with an own sign.
class IsoDuration {
 public:
  explicit IsoDuration(std::string_view text) : rest_(text) {}

  Parsed parse() {
    const bool negative = take('-');
    if (!negative) take('+');
    if (!take('P')) return {0, Problem::kForm};
    bool any = part('D', kDay);
    if (take('T')) {
      bool time = part('H', kHour);
      time = part('M', kMinute) || time;
      time = part('S', kSecond) || time;
      any = time;  // A 'T' needs a part behind it.
    }
    if (!any || !rest_.empty()) return {0, Problem::kForm};
    if (overflow_ || (negative && total_ == std::numeric_limits<std::int64_t>::min())) {
      return {0, Problem::kRange};
    }
    return {negative ? -total_ : total_, Problem::kNone};
  }

 private:
  bool take(char upper) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (c != upper && c != upper - 'A' + 'a') return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Reads "<number><unit>" if it stands next; changes nothing otherwise.
  bool part(char unit, std::int64_t factor) {
    const std::string_view before = rest_;
    const bool negative = take('-');
    if (!negative) take('+');
    const std::size_t digits = count_digits();
    const std::string_view whole = rest_.substr(0, digits);
    rest_.remove_prefix(digits);
    std::string_view fraction;
    if (unit == 'S' && (take('.') || take(','))) {
      fraction = rest_.substr(0, count_digits());
      rest_.remove_prefix(fraction.size());
    }
    if (whole.empty() || fraction.size() > 9 || !take(unit)) {
      rest_ = before;
      return false;
    }
    add(whole, fraction, factor, negative);
    return true;
  }

  void add(std::string_view whole, std::string_view fraction, std::int64_t factor, bool negative) {
    std::int64_t number = 0;
    const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), number);
    const std::optional<std::int64_t> value =
        read.ec == std::errc() ? multiply(number, factor) : std::nullopt;
    std::int64_t nanos = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      nanos = nanos * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
    if (!value || __builtin_add_overflow(total_, negative ? -*value : *value, &total_) ||
        __builtin_add_overflow(total_, negative ? -nanos : nanos, &total_)) {
      overflow_ = true;
    }
  }

  [[nodiscard]] std::size_t count_digits() const {
    std::size_t digits = 0;
    while (digits < rest_.size() && is_digit(rest_[digits])) ++digits;
    return digits;
  }

  std::string_view rest_;
  std::int64_t total_ = 0;
  bool overflow_ = false;
};

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const bool iso = !trimmed.empty() && !is_digit(trimmed.front());
  const Parsed parsed =
      iso ? IsoDuration(trimmed).parse() : parse_number_and_unit(trimmed, kTimeUnits);
  if (parsed.problem == Problem::kForm) {
    return Status::invalid_argument(fmt::format(
        "cannot read \"{}\" as a duration: expected a whole number and one of d, h, min, s, ms, "
        "\xC2\xB5s, ns, as in '10 s', or ISO-8601, as in 'PT10S'",
        clip(text, 64)));
  }
  if (parsed.problem == Problem::kRange) {
    return Status::invalid_argument(
        fmt::format("cannot read \"{}\" as a duration: longer than 292 years", clip(text, 64)));
  }
  return Duration(parsed.value);
}

std::string format_duration(Duration duration) {
  constexpr Unit kNames[] = {{"d", kDay},    {"h", kHour},         {"min", kMinute},
                             {"s", kSecond}, {"ms", kMillisecond}, {"\xC2\xB5s", kMicrosecond},
                             {"ns", 1}};
  const std::int64_t nanos = duration.count();
  if (nanos == 0) return "0 ms";
  if (nanos < 0) {
    // Only ISO-8601 has a sign.
    const std::uint64_t size = 0 - static_cast<std::uint64_t>(nanos);
    return fmt::format("-PT{}.{:09}S", size / kSecond, size % kSecond);
  }
  for (const Unit& unit : kNames) {
    if (nanos % unit.factor == 0) return fmt::format("{} {}", nanos / unit.factor, unit.name);
  }
  return {};
}

Result<MemorySize> parse_memory_size(std::string_view text) {
  const Parsed parsed = parse_number_and_unit(trim(text), kMemoryUnits);
  if (parsed.problem == Problem::kForm) {
    return Status::invalid_argument(
        fmt::format("cannot read \"{}\" as a memory size: expected a whole number and one of "
                    "b, kb, mb, gb, tb, as in '64 mb'",
                    clip(text, 64)));
  }
  if (parsed.problem == Problem::kRange) {
    return Status::invalid_argument(
        fmt::format("cannot read \"{}\" as a memory size: more than {} bytes", clip(text, 64),
                    std::numeric_limits<std::int64_t>::max()));
  }
  return MemorySize{parsed.value};
}

std::string format_memory_size(MemorySize size) {
  constexpr Unit kNames[] = {{"tb", kTebi}, {"gb", kGibi}, {"mb", kMebi}, {"kb", kKibi}};
  for (const Unit& unit : kNames) {
    if (size.bytes != 0 && size.bytes % unit.factor == 0) {
      return fmt::format("{} {}", size.bytes / unit.factor, unit.name);
    }
  }
  return fmt::format("{} bytes", size.bytes);
}

}  // namespace clepsydra
