// HASH_CODE and UUID: numbers and names for values and rows; and PRINT.
#include <atomic>
#include <bit>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/random.h"
#include "base/utf8.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/time_units.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// ---- HASH_CODE: what hashCode() of the reference's objects gives ----

std::uint32_t hash_long(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return static_cast<std::uint32_t>(bits ^ (bits >> 32));
}

std::uint32_t hash_of(std::uint8_t value) {
  return value != 0 ? 1231 : 1237;
}
std::uint32_t hash_of(std::int8_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t hash_of(std::int16_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t hash_of(std::int32_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t hash_of(std::int64_t value) {
  return hash_long(value);
}
std::uint32_t hash_of(float value) {
  return value != value ? 0x7FC00000U : std::bit_cast<std::uint32_t>(value);
}
std::uint32_t hash_of(double value) {
  return hash_long(value != value ? 0x7FF8000000000000 : std::bit_cast<std::int64_t>(value));
}

template <typename T>
bool hash_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Reader<T> a(call.argument(0));
  for_each_row(call.rows,
               [&](std::int32_t row) { out[row] = static_cast<std::int32_t>(hash_of(a[row])); });
  return true;
}

// java.math.BigDecimal: the magnitude's 32-bit digits, its sign, then the scale.
bool hash_decimal_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Reader<Int128> a(call.argument(0));
  const auto scale = static_cast<std::uint32_t>(call.argument(0).type.scale());
  for_each_row(call.rows, [&](std::int32_t row) {
    const Int128 value = a[row];
    const UInt128 magnitude =
        value < 0 ? 0 - static_cast<UInt128>(value) : static_cast<UInt128>(value);
    std::uint32_t hash = 0;
    for (int shift = 96; shift >= 0; shift -= 32) {
      hash = hash * 31 + static_cast<std::uint32_t>(magnitude >> shift);
    }
    if (value < 0) hash = 0 - hash;
    out[row] = static_cast<std::int32_t>(hash * 31 + scale);
  });
  return true;
}

bool hash_timestamp_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Reader<std::int64_t> a(call.argument(0));
  const int precision = call.argument(0).type.precision();
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  for_each_row(call.rows, [&](std::int32_t row) {
    const std::int64_t millis = timestamp_to_millis(a[row], precision);
    // Precisions up to 3 have no digits below a millisecond.
    const std::int64_t nanos =
        per_second <= 1000 ? 0
                           : floor_mod(a[row], per_second / 1000) * (1'000'000'000 / per_second);
    out[row] =
        static_cast<std::int32_t>(hash_long(millis) * 31 + static_cast<std::uint32_t>(nanos));
  });
  return true;
}

// java.lang.String: over UTF-16; the reference takes the sign away.
bool hash_text_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Vector& a = call.argument(0);
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view text = a.string_at(row);
    std::uint32_t hash = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::uint32_t code = utf8_next(text, at);
      if (code < 0x10000) {
        hash = hash * 31 + code;
      } else {
        hash = hash * 31 + (0xD7C0 + (code >> 10));
        hash = hash * 31 + (0xDC00 + (code & 0x3FF));
      }
    }
    out[row] = static_cast<std::int32_t>(hash >> 31 != 0 ? 0 - hash : hash);
    return true;
  });
}

Kernel hash_kernel_of(const DataType& type) {
  if (type.is_character()) return hash_text_kernel;
  if (type.is_timestamp()) return hash_timestamp_kernel;
  if (type.kind() == TypeKind::kDecimal) return hash_decimal_kernel;
  const bool plain = type.is_numeric() || type.kind() == TypeKind::kBoolean ||
                     type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime;
  if (!plain) return nullptr;
  return for_fixed_type(type, []<typename T>() -> Kernel {
    if constexpr (std::is_same_v<T, Int128>) {
      return nullptr;
    } else {
      return hash_kernel<T>;
    }
  });
}

Result<DataType> derive_hash_code(CallTyping& call) {
  if (hash_kernel_of(call.type(0)) == nullptr) return wrong_types(call);
  return call.strict(DataType::integer());
}

Result<BoundKernel> bind_hash_code(const CallBinding& call) {
  const Kernel kernel = hash_kernel_of(call.type(0));
  if (kernel == nullptr) return no_kernel(call);
  return plain_kernel(kernel);
}

// ---- UUID ----

// Calls in one task have one seed, and a restarted task has it again: each place in a program takes
// a number and the time of day along, so that no two draw the same names.
std::uint64_t next_place() {
  static std::atomic<std::uint64_t> place{0};
  return place.fetch_add(1, std::memory_order_relaxed);
}

struct UuidSite final : CallSite {
  explicit UuidSite(std::uint64_t seed) : random(seed) {}
  mutable Random random;  // Programs are run by one thread at a time.
};

bool uuid_kernel(KernelCall& call) {
  const auto& site = call.site_as<UuidSite>();
  TextWriter writer(call);
  bool good = true;
  for_each_row(call.rows, [&](std::int32_t row) {
    std::uint64_t words[] = {site.random.next_u64(), site.random.next_u64()};
    words[0] = (words[0] & 0xFFFFFFFFFFFF0FFFULL) | 0x4000;              // Version 4: random.
    words[1] = (words[1] & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000;  // Variant 1.
    char text[36];
    int at = 0;
    for (int digit = 0; digit < 32; ++digit) {
      if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text[at++] = '-';
      const std::uint64_t word = words[digit / 16];
      text[at++] = "0123456789abcdef"[(word >> (60 - digit % 16 * 4)) & 15];
    }
    good = good && writer.write(row, {text, sizeof(text)});
  });
  return good;
}

Result<BoundKernel> bind_uuid(const CallBinding& call) {
  const std::int64_t now = call.context.clock != nullptr ? call.context.clock->now_ms() : 0;
  const std::uint64_t seed = mix64(call.context.random_seed ^ mix64(next_place())) ^
                             mix64(static_cast<std::uint64_t>(now));
  return BoundKernel{
      .kernel = uuid_kernel, .site = std::make_unique<UuidSite>(seed), .is_costly = true};
}

// ---- PRINT: what is seen of a value on its way ----

Result<DataType> derive_print(CallTyping& call) {
  const int last = call.count() - 1;
  if (last == 1 && !call.type(0).is_character()) return wrong_types(call);
  return call.type(last);
}

bool print_kernel(KernelCall& call) {
  const int value = static_cast<int>(call.arguments.size()) - 1;
  if (!call.share_argument(value)) return false;
  // A warning, for who writes it wants to see it whatever else is logged.
  if (!log_enabled(LogLevel::kWarning)) return true;
  const Result<Column> column = call.argument_column(value);
  if (!column.is_ok()) return call.fail(column.status());
  for_each_row(call.rows, [&](std::int32_t row) {
    std::string line;
    if (value == 1 && !call.argument(0).is_null(row)) line = call.argument(0).string_at(row);
    if (column->is_null(row)) {
      line += "NULL";
    } else {
      append_value_text(*column, row, {}, line);
    }
    log(LogLevel::kWarning, "print", line);
  });
  return true;
}

Result<BoundKernel> bind_print(const CallBinding&) {
  return BoundKernel{.kernel = print_kernel, .is_costly = true};
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "HASH_CODE",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_hash_code,
     .bind = bind_hash_code,
     .signature = "HASH_CODE(value)",
     .description = "The hash code that Java gives the value, as INT.",
     .example = "HASH_CODE('abc')",
     .example_result = "96354"},
    {.name = "UUID",
     .arguments_min = 0,
     .arguments_max = 0,
     .result = "CHAR(36)",
     .bind = bind_uuid,
     .volatility = Volatility::kPerRow,
     .signature = "UUID()",
     .description = "A random name (RFC 4122, version 4), another one for every row.",
     .example = "CHAR_LENGTH(UUID())",
     .example_result = "36"},
    {.name = "PRINT",
     .arguments_min = 1,
     .arguments_max = 2,
     .derive = derive_print,
     .bind = bind_print,
     .is_strict = false,
     .volatility = Volatility::kPerRow,
     .signature = "PRINT([prefix,] value)",
     .description = "The value as it is; it is also written to the log of the process.",
     .example = "PRINT('x is ', 1 + 1)",
     .example_result = "2"},
};

}  // namespace

std::span<const ScalarFunction> identity_functions() {
  return kFunctions;
}

}  // namespace clepsydra
