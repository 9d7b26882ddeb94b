// PRINTF, in the format of Java's Formatter: %[argument$][flags][width][.precision]conversion.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr int kWidthMax = 10'000;

struct Directive {
  int argument = 0;  // From 1; 0: the next one; -1: the one before again.
  bool left = false;
  bool zero = false;
  bool plus = false;
  bool blank = false;
  bool grouped = false;
  bool alternate = false;
  int width = 0;
  int precision = -1;
  char conversion = 0;
};

// Takes a number off the front; -1 without one, kWidthMax at most.
int take_number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return -1;
  int number = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    number = std::min(kWidthMax + 1, number * 10 + (text.front() - '0'));
    text.remove_prefix(1);
  }
  return number;
}

void take_flags(std::string_view& text, Directive& directive) {
  for (; !text.empty(); text.remove_prefix(1)) {
    switch (text.front()) {
      case '-':
        directive.left = true;
        break;
      case '0':
        directive.zero = true;
        break;
      case '+':
        directive.plus = true;
        break;
      case ' ':
        directive.blank = true;
        break;
      case ',':
        directive.grouped = true;
        break;
      case '#':
        directive.alternate = true;
        break;
      default:
        return;
    }
  }
}

// What follows a '%'; nothing when it is no directive.
std::optional<Directive> take_directive(std::string_view& text) {
  Directive directive;
  std::string_view rest = text;
  const int number = take_number(rest);
  if (number > 0 && text.front() != '0' && rest.starts_with('$')) {
    directive.argument = number;
    text = rest.substr(1);
  } else if (text.starts_with('<')) {
    directive.argument = -1;
    text.remove_prefix(1);
  }
  take_flags(text, directive);
  directive.width = std::max(0, take_number(text));
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    directive.precision = take_number(text);
    if (directive.precision < 0) return std::nullopt;
  }
  if (text.empty() || directive.width > kWidthMax || directive.precision > kWidthMax) {
    return std::nullopt;
  }
  directive.conversion = text.front();
  text.remove_prefix(1);
  return directive;
}

std::optional<std::int64_t> integer_at(const Column& column, std::int32_t row) {
  switch (column.type().kind()) {
    case TypeKind::kTinyInt:
      return column.values<std::int8_t>()[row];
    case TypeKind::kSmallInt:
      return column.values<std::int16_t>()[row];
    case TypeKind::kInteger:
      return column.values<std::int32_t>()[row];
    case TypeKind::kBigInt:
      return column.values<std::int64_t>()[row];
    default:
      return std::nullopt;
  }
}

std::optional<double> real_at(const Column& column, std::int32_t row) {
  if (column.type().kind() == TypeKind::kFloat) {
    return static_cast<double>(column.values<float>()[row]);
  }
  if (column.type().kind() == TypeKind::kDouble) return column.values<double>()[row];
  if (column.type().kind() != TypeKind::kDecimal) return std::nullopt;
  std::string text;
  append_value_text(column, row, {}, text);
  double value = 0;
  if (!parse_double(text, value)) return std::nullopt;
  return value;
}

// Digits of a number without its sign, in groups of three before the point.
std::string with_groups(const std::string& digits) {
  const std::size_t whole = std::min(digits.find('.'), digits.size());
  std::string grouped;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped + digits.substr(whole);
}

// Sign and digits, with zeros between them up to the width.
std::string signed_number(const Directive& directive, bool negative, std::string digits) {
  if (directive.grouped) digits = with_groups(digits);
  std::string sign = negative ? "-" : directive.plus ? "+" : directive.blank ? " " : "";
  if (directive.zero) {
    const std::size_t width = static_cast<std::size_t>(directive.width);
    const std::size_t length = sign.size() + digits.size();
    if (length < width) digits.insert(0, width - length, '0');
  }
  return sign + digits;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  }
  return text;
}

// How many bytes the first characters of a text have.
std::size_t bytes_of(std::string_view text, int characters) {
  std::size_t at = 0;
  for (int i = 0; i < characters && at < text.size(); ++i) utf8_next(text, at);
  return at;
}

std::optional<std::string> integer_text(const Directive& directive, const Column& column,
                                        std::int64_t value) {
  if (directive.precision >= 0) return std::nullopt;
  if (directive.conversion == 'd') {
    const auto bits = static_cast<std::uint64_t>(value);
    return signed_number(directive, value < 0, fmt::format("{}", value < 0 ? 0 - bits : bits));
  }
  // Two's complement in the width of the type.
  const int unused_bits = 64 - 8 * column.type().fixed_width();
  const std::uint64_t bits = static_cast<std::uint64_t>(value) << unused_bits >> unused_bits;
  std::string digits =
      directive.conversion == 'o' ? fmt::format("{:o}", bits) : fmt::format("{:x}", bits);
  const std::string prefix = !directive.alternate ? "" : directive.conversion == 'o' ? "0" : "0x";
  if (directive.zero) {
    const std::size_t width = static_cast<std::size_t>(directive.width);
    const std::size_t length = prefix.size() + digits.size();
    if (length < width) digits.insert(0, width - length, '0');
  }
  return prefix + digits;
}

std::optional<std::string> real_text(const Directive& directive, double value) {
  if (!(value - value == 0)) {
    return value != value   ? "NaN"
           : value < 0      ? "-Infinity"
           : directive.plus ? "+Infinity"
                            : "Infinity";
  }
  const int precision = directive.precision < 0 ? 6 : directive.precision;
  const bool negative = value < 0;
  const double size = negative ? -value : value;
  return signed_number(directive, negative,
                       directive.conversion == 'f' ? fmt::format("{:.{}f}", size, precision)
                                                   : fmt::format("{:.{}e}", size, precision));
}

// The text of one directive without padding; nothing when it does not fit the value.
std::optional<std::string> directive_text(const Directive& directive, const Column& column,
                                          std::int32_t row) {
  const char conversion = directive.conversion;
  if (conversion == 'b') {
    const bool value = column.type().kind() == TypeKind::kBoolean
                           ? !column.is_null(row) && column.values<std::uint8_t>()[row] != 0
                           : !column.is_null(row);
    return value ? "true" : "false";
  }
  if (column.is_null(row)) return "null";
  if (conversion == 's') {
    std::string text;
    append_value_text(column, row, {}, text);
    if (column.type().kind() == TypeKind::kBoolean) text = text == "TRUE" ? "true" : "false";
    if (directive.precision >= 0) text.resize(bytes_of(text, directive.precision));
    return text;
  }
  const std::optional<std::int64_t> integer = integer_at(column, row);
  switch (conversion) {
    case 'd':
    case 'x':
    case 'o':
      return integer ? integer_text(directive, column, *integer) : std::nullopt;
    case 'c': {
      const bool is_surrogate = integer && *integer >= 0xD800 && *integer <= 0xDFFF;
      if (!integer || *integer < 0 || *integer > 0x10FFFF || is_surrogate) return std::nullopt;
      std::string text;
      utf8_append(static_cast<char32_t>(*integer), text);
      return text;
    }
    case 'f':
    case 'e': {
      const std::optional<double> real = real_at(column, row);
      return real ? real_text(directive, *real) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

class Formatter {
 public:
  explicit Formatter(std::vector<Column> values) : values_(std::move(values)) {}

  // False when the format is wrong, or does not fit the values.
  bool write(std::string_view format, std::int32_t row, std::string& out) {
    int next = 1;
    int last = 0;
    while (!format.empty()) {
      const std::size_t percent = format.find('%');
      out += format.substr(0, percent);
      if (percent == std::string_view::npos) return true;
      format.remove_prefix(percent + 1);
      std::optional<Directive> directive = take_directive(format);
      if (!directive) return false;
      if (directive->conversion == '%' || directive->conversion == 'n') {
        out += directive->conversion == '%' ? '%' : '\n';
        continue;
      }
      const int argument = directive->argument > 0   ? directive->argument
                           : directive->argument < 0 ? last
                                                     : next++;
      if (argument < 1 || argument > static_cast<int>(values_.size())) return false;
      last = argument;
      // Capitals: the same, in capitals.
      const bool is_upper =
          std::string_view("SXEBC").find(directive->conversion) != std::string_view::npos;
      if (is_upper) directive->conversion = static_cast<char>(directive->conversion | 0x20);
      std::optional<std::string> text =
          directive_text(*directive, values_[static_cast<std::size_t>(argument - 1)], row);
      if (!text) return false;
      append_padded(is_upper ? upper(*std::move(text)) : *std::move(text), *directive, out);
    }
    return true;
  }

 private:
  static void append_padded(const std::string& text, const Directive& directive, std::string& out) {
    const auto length = static_cast<std::size_t>(utf8_length(text));
    const auto width = static_cast<std::size_t>(directive.width);
    const std::size_t padding = length < width ? width - length : 0;
    if (!directive.left) out.append(padding, ' ');
    out += text;
    if (directive.left) out.append(padding, ' ');
  }

  const std::vector<Column> values_;
};

Result<DataType> derive_printf(CallTyping& call) {
  if (!call.type(0).is_character()) return wrong_types(call);
  return DataType::string().with_nullable(true);
}

bool printf_kernel(KernelCall& call) {
  std::vector<Column> values;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    Result<Column> column = call.argument_column(static_cast<int>(i));
    if (!column.is_ok()) return call.fail(column.status());
    values.push_back(*std::move(column));
  }
  Formatter formatter(std::move(values));
  const Vector& formats = call.argument(0);
  TextWriter writer(call);
  std::string text;
  for_each_row(call.rows, [&](std::int32_t row) {
    text.clear();
    const bool good = !formats.is_null(row) && formatter.write(formats.string_at(row), row, text);
    writer.write(row, good ? std::string_view(text) : std::string_view());
    if (!good) call.set_null(row);
  });
  return call.status().is_ok();
}

Result<BoundKernel> bind_printf(const CallBinding&) {
  return costly_kernel(printf_kernel);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "PRINTF",
     .arguments_min = 1,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_printf,
     .bind = bind_printf,
     .is_strict = false,
     .signature = "PRINTF(format, value, ...)",
     .description =
         "Values in a format such as '%d-%s' (%s %d %x %o %f %e %c %b %n %%, with flags, "
         "width and precision); NULL when it does not fit them.",
     .example = "PRINTF('%05d|%-3s|%.2f', 42, 'a', CAST(1.5 AS DOUBLE))",
     .example_result = "00042|a  |1.50"},
};

}  // namespace

std::span<const ScalarFunction> printf_functions() {
  return kFunctions;
}

}  // namespace clepsydra
