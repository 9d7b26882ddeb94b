#include "connectors/datagen/field_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/utf8.h"
#include "connectors/table_options.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kLengthMax = 1 << 20;
constexpr std::int64_t kCollectionLength =
    3;  // The reference's default for ARRAY, MAP and MULTISET.
constexpr char kHexDigits[] = "0123456789abcdef";

__extension__ typedef unsigned __int128 UInt128;  // GCC and clang have it, ISO C++ has not.

double unit(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;
}

Int128 between(std::uint64_t random, Int128 min, Int128 max) {
  const auto range = static_cast<UInt128>(max - min) + 1;
  // Ranges of DECIMAL can be wider than 64 bits: two random words then.
  if (range >> 64 == 0 && range != 0) {
    return min + static_cast<Int128>(static_cast<UInt128>(random) * range >> 64);
  }
  const UInt128 wide = static_cast<UInt128>(mix64(random + 1)) << 64 | random;
  return min + static_cast<Int128>(range == 0 ? wide : wide % range);
}

struct Bounds {
  Int128 min;
  Int128 max;
};

Bounds bounds_of(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return {-128, 127};
    case TypeKind::kSmallInt:
      return {-32768, 32767};
    case TypeKind::kInteger:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case TypeKind::kIntervalYearMonth:
      return {0, 120'000};
    case TypeKind::kIntervalDayTime:
      return {0, Int128{10'000} * 365 * 86'400'000};
    case TypeKind::kDecimal: {
      Int128 limit = 1;
      for (int i = 0; i < type.precision(); ++i) limit *= 10;
      return {1 - limit, limit - 1};
    }
    default:
      return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

Status wrong(const std::string& key, const std::string& text, std::string_view expected) {
  return Status::invalid_argument(
      fmt::format("option '{}' is '{}'; expected {}", key, clip(text, 64), expected));
}

// A bound in the type of the field.
Status read_bound(const TableOptions& options, const std::string& key, const DataType& type,
                  Int128& value, double& floating) {
  const std::optional<std::string> text = text_option(options, key);
  if (!text) return Status::ok();
  const Bounds limits = bounds_of(type);
  bool good = false;
  if (type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble) {
    good = parse_double(*text, floating) && std::isfinite(floating);
  } else if (type.kind() == TypeKind::kDecimal) {
    good = parse_decimal(*text, type.precision(), type.scale(), value);
  } else {
    std::int64_t number = 0;
    good = parse_int(*text, static_cast<std::int64_t>(limits.min),
                     static_cast<std::int64_t>(limits.max), number);
    value = number;
  }
  return good ? Status::ok() : wrong(key, *text, fmt::format("a value of {}", type.name()));
}

bool can_be_sequence(const DataType& type) {
  return type.is_integer() || type.is_character() || type.kind() == TypeKind::kFloat ||
         type.kind() == TypeKind::kDouble || type.kind() == TypeKind::kDecimal;
}

}  // namespace

Result<FieldGenerator> FieldGenerator::make(const std::string& path, const DataType& type,
                                            const TableOptions& options,
                                            std::set<std::string>& used) {
  const auto key = [&](const char* name) {
    std::string full = fmt::format("fields.{}.{}", path, name);
    used.insert(full);
    return full;
  };
  if (type.kind() == TypeKind::kVariant || type.kind() == TypeKind::kStructured) {
    return Status::invalid_argument(
        fmt::format("connector 'datagen' cannot make field '{}' of type {}", path, type.name()));
  }
  FieldGenerator field;
  field.type_ = type;
  field.stream_ = hash64(path);
  CLP_ASSIGN_OR_RETURN(const std::optional<double> null_rate,
                       double_option(options, key("null-rate"), 0, 1));
  field.null_rate_ = null_rate.value_or(0);
  const std::string kind = text_option(options, key("kind")).value_or("random");
  const std::string start_key = key("start");
  const std::string end_key = key("end");
  if (kind == "sequence") {
    if (!can_be_sequence(type)) {
      return Status::invalid_argument(
          fmt::format("option 'fields.{}.kind': a field of type {} cannot be a sequence; expected "
                      "a number or text",
                      path, type.name()));
    }
    const std::int64_t low = std::numeric_limits<std::int64_t>::min() / 2;
    CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> start,
                         int_option(options, start_key, low, -low));
    CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> end,
                         int_option(options, end_key, low, -low));
    if (!start || !end) {
      return Status::invalid_argument(
          fmt::format("option '{}' is missing: a sequence needs its start and end",
                      start ? end_key : start_key));
    }
    if (*end < *start)
      return wrong(end_key, fmt::format("{}", *end), fmt::format("at least {}", *start));
    field.start_ = *start;
    field.rows_ = *end - *start + 1;
    return field;
  }
  if (kind != "random")
    return wrong(fmt::format("fields.{}.kind", path), kind, "random or sequence");
  const bool is_collection = type.kind() == TypeKind::kArray || type.kind() == TypeKind::kMap ||
                             type.kind() == TypeKind::kMultiset;
  if (type.is_character() || type.is_binary() || is_collection) {
    CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> length,
                         int_option(options, key("length"), 1, kLengthMax));
    CLP_ASSIGN_OR_RETURN(const std::optional<bool> variable, bool_option(options, key("var-len")));
    const bool fixed = type.kind() == TypeKind::kChar || type.kind() == TypeKind::kBinary;
    const bool limited = !is_collection && type.length() != kMaxLength;
    if (length && (fixed || (limited && *length > type.length()))) {
      return wrong(fmt::format("fields.{}.length", path), fmt::format("{}", *length),
                   fmt::format("{} {} (the column is {})", fixed ? "exactly" : "at most",
                               type.length(), type.name()));
    }
    field.length_ = length.value_or(is_collection ? kCollectionLength
                                    : limited     ? type.length()
                                                  : 100);
    field.variable_length_ = variable.value_or(false) && !fixed;
  } else if (type.is_timestamp()) {
    CLP_ASSIGN_OR_RETURN(const std::optional<Duration> past,
                         duration_option(options, key("max-past")));
    if (past) {
      field.max_past_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(*past).count();
    }
  } else if (!type.is_nested()) {
    const Bounds limits = bounds_of(type);
    field.min_ = limits.min;
    field.max_ = limits.max;
    if (type.kind() == TypeKind::kFloat) {
      field.min_double_ = std::numeric_limits<float>::min();
      field.max_double_ = std::numeric_limits<float>::max();
    } else if (type.kind() == TypeKind::kDouble) {
      field.min_double_ = std::numeric_limits<double>::min();
      field.max_double_ = std::numeric_limits<double>::max();
    }
    const std::string min_key = key("min");
    const std::string max_key = key("max");
    CLP_RETURN_IF_ERROR(read_bound(options, min_key, type, field.min_, field.min_double_));
    CLP_RETURN_IF_ERROR(read_bound(options, max_key, type, field.max_, field.max_double_));
    if (field.max_ < field.min_ || field.max_double_ < field.min_double_) {
      return wrong(max_key, options.contains(max_key) ? options.at(max_key) : "the largest value",
                   fmt::format("at least '{}'", min_key));
    }
  }
  const auto add_child = [&](const std::string& name, const DataType& child_type) -> Status {
    CLP_ASSIGN_OR_RETURN(FieldGenerator child, make(path + "." + name, child_type, options, used));
    if (child.rows_) {
      return Status::invalid_argument(fmt::format(
          "option 'fields.{}.{}.kind': a field inside another cannot be a sequence", path, name));
    }
    field.children_.push_back(std::move(child));
    return Status::ok();
  };
  switch (type.kind()) {
    case TypeKind::kRow:
      for (const Field& child : type.fields())
        CLP_RETURN_IF_ERROR(add_child(child.name, child.type));
      break;
    case TypeKind::kArray:
      CLP_RETURN_IF_ERROR(add_child("element", type.element()));
      break;
    case TypeKind::kMultiset:
      CLP_RETURN_IF_ERROR(add_child("element", type.element()));
      CLP_RETURN_IF_ERROR(add_child("count", DataType::integer()));
      field.children_.back().min_ = 1;
      field.children_.back().max_ = 10;
      break;
    case TypeKind::kMap:
      CLP_RETURN_IF_ERROR(add_child("key", type.key()));
      CLP_RETURN_IF_ERROR(add_child("value", type.value()));
      break;
    default:
      break;
  }
  return field;
}

void FieldGenerator::append(std::int64_t row, std::uint64_t seed, std::int64_t now_ms,
                            ColumnBuilder& builder) const {
  if (rows_) {
    append_sequence(row, builder);
    return;
  }
  const std::uint64_t random =
      mix64(seed ^ mix64(static_cast<std::uint64_t>(row) * 0x9E3779B97F4A7C15ULL ^ stream_));
  if (null_rate_ > 0 && unit(mix64(random ^ 0xD0D0)) < null_rate_) {
    builder.append_null();
    return;
  }
  append_random(random, row, seed, now_ms, builder);
}

void FieldGenerator::append_sequence(std::int64_t row, ColumnBuilder& builder) const {
  const std::int64_t value = start_ + row;
  switch (type_.kind()) {
    case TypeKind::kTinyInt:
      builder.append<std::int8_t>(static_cast<std::int8_t>(value));
      break;
    case TypeKind::kSmallInt:
      builder.append<std::int16_t>(static_cast<std::int16_t>(value));
      break;
    case TypeKind::kInteger:
      builder.append<std::int32_t>(static_cast<std::int32_t>(value));
      break;
    case TypeKind::kBigInt:
      builder.append<std::int64_t>(value);
      break;
    case TypeKind::kFloat:
      builder.append<float>(static_cast<float>(value));
      break;
    case TypeKind::kDouble:
      builder.append<double>(static_cast<double>(value));
      break;
    case TypeKind::kDecimal: {
      Int128 scaled = value;
      for (int i = 0; i < type_.scale(); ++i) scaled *= 10;
      builder.append<Int128>(scaled);
      break;
    }
    default:
      builder.append_string(fmt::format("{}", value));
      break;
  }
}

void FieldGenerator::append_text(std::uint64_t random, ColumnBuilder& builder) const {
  const std::int64_t length =
      variable_length_ ? 1 + static_cast<std::int64_t>(between(mix64(random), 0, length_ - 1))
                       : length_;
  std::string text(static_cast<std::size_t>(length), '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 8 == 0) random = mix64(random + 1);
    const auto byte = static_cast<std::uint8_t>(random >> (8 * (i % 8)));
    text[i] = type_.is_binary() ? static_cast<char>(byte) : kHexDigits[byte & 15];
  }
  builder.append_string(text);
}

void FieldGenerator::append_random(std::uint64_t random, std::int64_t row, std::uint64_t seed,
                                   std::int64_t now_ms, ColumnBuilder& builder) const {
  switch (type_.kind()) {
    case TypeKind::kBoolean:
      builder.append<std::uint8_t>(static_cast<std::uint8_t>(random & 1));
      break;
    case TypeKind::kTinyInt:
      builder.append<std::int8_t>(static_cast<std::int8_t>(between(random, min_, max_)));
      break;
    case TypeKind::kSmallInt:
      builder.append<std::int16_t>(static_cast<std::int16_t>(between(random, min_, max_)));
      break;
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      builder.append<std::int32_t>(static_cast<std::int32_t>(between(random, min_, max_)));
      break;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      builder.append<std::int64_t>(static_cast<std::int64_t>(between(random, min_, max_)));
      break;
    case TypeKind::kDecimal:
      builder.append<Int128>(between(random, min_, max_));
      break;
    case TypeKind::kFloat:
      builder.append<float>(
          static_cast<float>(min_double_ + unit(random) * (max_double_ - min_double_)));
      break;
    case TypeKind::kDouble:
      builder.append<double>(min_double_ * (1 - unit(random)) + max_double_ * unit(random));
      break;
    case TypeKind::kDate:
      builder.append<std::int32_t>(static_cast<std::int32_t>(now_ms / 86'400'000));
      break;
    case TypeKind::kTime:
      builder.append<std::int32_t>(static_cast<std::int32_t>(now_ms % 86'400'000));
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      const auto past = static_cast<std::int64_t>(between(random, 0, max_past_ms_));
      builder.append<std::int64_t>(timestamp_from_millis(now_ms - past, type_.precision()));
      break;
    }
    case TypeKind::kRow:
      for (std::size_t i = 0; i < children_.size(); ++i) {
        children_[i].append(row, seed, now_ms, builder.child(static_cast<int>(i)));
      }
      builder.close_struct();
      break;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset: {
      const std::int64_t length =
          variable_length_ ? 1 + static_cast<std::int64_t>(between(mix64(random), 0, length_ - 1))
                           : length_;
      for (std::int64_t k = 0; k < length; ++k) {
        for (std::size_t i = 0; i < children_.size(); ++i) {
          children_[i].append(row, mix64(seed + static_cast<std::uint64_t>(k) + 1), now_ms,
                              builder.child(static_cast<int>(i)));
        }
      }
      builder.close_list();
      break;
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      append_text(random, builder);
      break;
    case TypeKind::kNull:
    case TypeKind::kDescriptor:
    case TypeKind::kVariant:
    case TypeKind::kStructured:
      builder.append_null();
      break;
  }
}

}  // namespace clepsydra
