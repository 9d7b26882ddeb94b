#include "functions/json/variant.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/json_string.h"
#include "stream/data_type.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// Digits with an optional point: canonical when they are no more than a DECIMAL can have.
bool append_decimal(std::string_view number, std::string& out) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  const bool has_whole = whole != "0";
  const std::size_t zeros = fraction.find_first_not_of('0');
  const std::size_t digits = has_whole                         ? whole.size() + fraction.size()
                             : zeros == std::string_view::npos ? 1
                                                               : fraction.size() - zeros;
  constexpr std::size_t kDigitsMax = kMaxDecimalPrecision;
  if (digits > kDigitsMax || fraction.size() > kDigitsMax) return false;
  const std::size_t last = fraction.find_last_not_of('0');
  fraction = fraction.substr(0, last == std::string_view::npos ? 0 : last + 1);
  if (negative && (has_whole || !fraction.empty())) out += '-';
  out += whole;
  if (!fraction.empty()) {
    out += '.';
    out += fraction;
  }
  return true;
}

// As the reference reads numbers: BIGINT, else DECIMAL when written without an exponent, else
// DOUBLE.
void append_number(std::string_view number, std::string& out) {
  if (number.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error == std::errc()) return append_int_text(value, out);
  }
  if (number.find_first_of("eE") == std::string_view::npos && append_decimal(number, out)) return;
  double value = 0;
  // A JSON number is always one of Java's: what is too large becomes Infinity.
  parse_double(number, value);
  append_double_text(value, out);
}

// UTF-16's order, which is UTF-8's but for U+E000 to U+FFFF, which come behind all others there.
bool comes_before(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  const auto [x, y] =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin());
  const auto at = static_cast<std::size_t>(x - a.begin());
  if (at == size) return a.size() < b.size();
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
  };
  return rank(*x) < rank(*y);
}

class VariantWriter {
 public:
  VariantWriter(const JsonDocument& document, bool allow_duplicate_keys, std::string& out)
      : document_(document), allow_duplicate_keys_(allow_duplicate_keys), out_(out) {}

  // As deep as JsonDocument lets a text be.
  bool append(std::int32_t i) {
    const JsonNode& value = document_.node(i);
    switch (value.kind) {
      case JsonKind::kNull:
        out_ += "null";
        return true;
      case JsonKind::kFalse:
        out_ += "false";
        return true;
      case JsonKind::kTrue:
        out_ += "true";
        return true;
      case JsonKind::kNumber:
        append_number(value.text, out_);
        return true;
      case JsonKind::kString:
        append_json_string(value.text, out_);
        return true;
      case JsonKind::kArray:
        return append_array(i);
      case JsonKind::kObject:
        return append_object(i);
    }
    return false;
  }

 private:
  bool append_array(std::int32_t i) {
    out_ += '[';
    const std::int32_t end = document_.node(i).next;
    for (std::int32_t element = i + 1; element < end; element = document_.node(element).next) {
      if (element > i + 1) out_ += ',';
      if (!append(element)) return false;
    }
    out_ += ']';
    return true;
  }

  bool append_object(std::int32_t i) {
    std::vector<std::int32_t> members;
    const std::int32_t end = document_.node(i).next;
    for (std::int32_t m = i + 1; m < end; m = document_.node(m).next) members.push_back(m);
    std::stable_sort(members.begin(), members.end(), [&](std::int32_t a, std::int32_t b) {
      return comes_before(document_.node(a).key, document_.node(b).key);
    });
    out_ += '{';
    bool is_first = true;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::string_view key = document_.node(members[m]).key;
      if (m + 1 < members.size() && key == document_.node(members[m + 1]).key) {
        if (!allow_duplicate_keys_) return false;
        continue;
      }
      if (!is_first) out_ += ',';
      is_first = false;
      append_json_string(key, out_);
      out_ += ':';
      if (!append(members[m])) return false;
    }
    out_ += '}';
    return true;
  }

  const JsonDocument& document_;
  const bool allow_duplicate_keys_;
  std::string& out_;
};

// The following walk over canonical text, and stay inside any other.

// Behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t skip_value(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
      continue;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else if (c == ',') {
      if (depth == 0) return at;
      ++at;
      continue;
    } else {
      ++at;
      continue;
    }
    if (depth == 0 && (c == '}' || c == ']')) return at;
  }
  return at;
}

}  // namespace

bool append_variant(const JsonDocument& document, bool allow_duplicate_keys, std::string& out) {
  return VariantWriter(document, allow_duplicate_keys, out).append(0);
}

VariantPart variant_field(std::string_view variant, std::string_view quoted_key,
                          std::string_view& part) {
  if (!variant.starts_with('{')) return VariantPart::kWrongShape;
  for (std::size_t at = 1; at < variant.size() && variant[at] == '"';) {
    const std::size_t colon = skip_string(variant, at);
    const std::size_t begin = std::min(colon + 1, variant.size());
    const std::size_t end = skip_value(variant, begin);
    if (variant.substr(at, colon - at) == quoted_key) {
      part = variant.substr(begin, end - begin);
      return VariantPart::kFound;
    }
    at = end + 1;
  }
  return VariantPart::kMissing;
}

VariantPart variant_element(std::string_view variant, std::int64_t index, std::string_view& part) {
  if (!variant.starts_with('[')) return VariantPart::kWrongShape;
  std::int64_t number = 0;
  for (std::size_t at = 1; at < variant.size() && variant[at] != ']';) {
    const std::size_t end = skip_value(variant, at);
    if (++number == index) {
      part = variant.substr(at, end - at);
      return VariantPart::kFound;
    }
    at = end + 1;
    if (end >= variant.size() || variant[end] == ']') break;
  }
  return VariantPart::kMissing;
}

}  // namespace clepsydra
