#include "functions/json/json_document.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "base/utf8.h"

namespace clepsydra {
namespace {

// Zero bytes behind the text: no byte of JSON, so that nothing has to look for the end, and room
// for reading sixteen bytes at a time.
constexpr std::size_t kPadding = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Where a quote, a backslash or a control character comes first; there is one. Bytes of other
// characters than ASCII are remembered.
char* find_special(char* at, bool& has_other) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (;; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i is_end =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
    const auto places = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(is_control, is_end)));
    has_other |= _mm_movemask_epi8(bytes) != 0;
    if (places != 0) return at + std::countr_zero(places);
  }
#else
  for (;; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x20 || byte == '"' || byte == '\\') return at;
    has_other |= byte >= 0x80;
  }
#endif
}

// The value of four hexadecimal digits, or -1.
int hex_value(const char* digits) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = digits[i];
    const char letter = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      value = value * 16 + (c - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      value = value * 16 + (letter - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

// The character of a backslash and this letter; 0 for none.
char escaped_character(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

// A copy of the text, in which strings lose their escapes where they stand. Every step takes the
// place where it begins and answers the one behind what it read, or null.
struct JsonDocument::Impl {
  std::vector<char> buffer;
  std::vector<JsonNode> nodes;  // The first `count` are those of the text.
  std::int32_t count = 0;
  std::string problem;
  const char* wrong = "";             // What was expected ...
  const char* wrong_place = nullptr;  // ... and where.
  bool has_other = false;             // Than ASCII, or may have.

  bool read(std::string_view text) {
    if (buffer.size() < text.size() + kPadding) buffer.resize(2 * text.size() + kPadding);
    text.copy(buffer.data(), text.size());
    std::memset(buffer.data() + text.size(), 0, kPadding);
    has_other = false;
    char* at = value(skip_blanks(buffer.data()), {}, 0);
    if (at == nullptr) return false;
    at = skip_blanks(at);
    if (at != buffer.data() + text.size()) return fail(at, "the end") != nullptr;
    // Characters are checked once for the whole text, where there are any.
    return !has_other || is_valid_utf8(text) || fail(at, "UTF-8") != nullptr;
  }

  char* fail(const char* at, const char* expected) {
    wrong = expected;
    wrong_place = at;
    return nullptr;
  }

  static char* skip_blanks(char* at) {
    if (*at > ' ') return at;  // Nearly always.
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') ++at;
    return at;
  }

  std::int32_t add_node(JsonKind kind, std::string_view key, std::string_view text) {
    if (static_cast<std::size_t>(count) == nodes.size()) nodes.resize(2 * nodes.size() + 64);
    nodes[static_cast<std::size_t>(count)] = {
        .kind = kind, .next = count + 1, .key = key, .text = text};
    return count++;
  }

  char* value(char* at, std::string_view key, int depth) {
    if (depth > kNestingMax) return fail(at, "fewer levels");
    switch (*at) {
      case '{':
        return members(at + 1, key, depth);
      case '[':
        return elements(at + 1, key, depth);
      case '"': {
        std::string_view text;
        at = string(at + 1, text);
        if (at != nullptr) add_node(JsonKind::kString, key, text);
        return at;
      }
      case 'n':
        add_node(JsonKind::kNull, key, {});
        return word(at, "null");
      case 't':
        add_node(JsonKind::kTrue, key, {});
        return word(at, "true");
      case 'f':
        add_node(JsonKind::kFalse, key, {});
        return word(at, "false");
      default: {
        char* end = number(at);
        if (end != nullptr) {
          add_node(JsonKind::kNumber, key, {at, static_cast<std::size_t>(end - at)});
        }
        return end;
      }
    }
  }

  char* elements(char* at, std::string_view key, int depth) {
    const std::int32_t own = add_node(JsonKind::kArray, key, {});
    at = skip_blanks(at);
    while (*at != ']') {
      at = value(at, {}, depth + 1);
      if (at == nullptr) return nullptr;
      at = skip_blanks(at);
      if (*at == ']') break;
      if (*at != ',') return fail(at, "',' or ']'");
      at = skip_blanks(at + 1);
      if (*at == ']') return fail(at, "a value");
    }
    nodes[static_cast<std::size_t>(own)].next = count;
    return at + 1;
  }

  char* members(char* at, std::string_view key, int depth) {
    const std::int32_t own = add_node(JsonKind::kObject, key, {});
    at = skip_blanks(at);
    while (*at != '}') {
      if (*at != '"') return fail(at, "a key");
      std::string_view name;
      at = string(at + 1, name);
      if (at == nullptr) return nullptr;
      at = skip_blanks(at);
      if (*at != ':') return fail(at, "':'");
      at = value(skip_blanks(at + 1), name, depth + 1);
      if (at == nullptr) return nullptr;
      at = skip_blanks(at);
      if (*at == '}') break;
      if (*at != ',') return fail(at, "',' or '}'");
      at = skip_blanks(at + 1);
      if (*at == '}') return fail(at, "a key");
    }
    nodes[static_cast<std::size_t>(own)].next = count;
    return at + 1;
  }

  // Behind the opening quote.
  char* string(char* at, std::string_view& text) {
    char* end = find_special(at, has_other);
    if (*end == '"') {
      text = std::string_view(at, static_cast<std::size_t>(end - at));
      return end + 1;
    }
    return escaped_string(at, end, text);
  }

  // From `begin` on; nothing is special before `at`.
  char* escaped_string(char* begin, char* at, std::string_view& text) {
    char* out = at;
    while (*at != '"') {
      if (*at != '\\') return fail(at, "the end of the string");
      at = escape(at, out);
      if (at == nullptr) return nullptr;
      char* next = find_special(at, has_other);
      const auto bytes = static_cast<std::size_t>(next - at);
      std::memmove(out, at, bytes);
      out += bytes;
      at = next;
    }
    text = std::string_view(begin, static_cast<std::size_t>(out - begin));
    return at + 1;
  }

  // Writes the character of the escape to `out`, which is not behind it, and moves that on.
  char* escape(char* at, char*& out) {
    if (const char character = escaped_character(at[1]); character != 0) {
      *out++ = character;
      return at + 2;
    }
    if (at[1] != 'u') return fail(at, "an escape");
    int code = hex_value(at + 2);
    int length = 6;
    if (code >= 0xD800 && code < 0xDC00) {
      const int low = at[6] == '\\' && at[7] == 'u' ? hex_value(at + 8) : -1;
      if (low < 0xDC00 || low > 0xDFFF) return fail(at, "a pair of surrogates");
      code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
      length = 12;
    } else if (code < 0 || (code >= 0xDC00 && code < 0xE000)) {
      return fail(at, "a character");
    }
    write_character(static_cast<unsigned>(code), out);
    return at + length;
  }

  static void write_character(unsigned code, char*& out) {
    const auto put = [&out](unsigned byte) { *out++ = static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 0x3F));
    } else {
      if (code < 0x10000) {
        put(0xE0 | code >> 12);
      } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
      }
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    }
  }

  char* word(char* at, std::string_view expected) {
    for (const char c : expected) {
      if (*at != c) return fail(at, "null, true or false");
      ++at;
    }
    return at;
  }

  // -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
  char* number(char* at) {
    if (*at == '-') ++at;
    if (*at == '0') {
      ++at;
    } else {
      at = digits(at, "a value");
    }
    if (at != nullptr && *at == '.') at = digits(at + 1, "a digit");
    if (at != nullptr && (*at == 'e' || *at == 'E')) {
      ++at;
      if (*at == '+' || *at == '-') ++at;
      at = digits(at, "a digit");
    }
    return at;
  }

  char* digits(char* at, const char* expected) {
    if (!is_digit(*at)) return fail(at, expected);
    while (is_digit(*at)) ++at;
    return at;
  }
};

JsonDocument::JsonDocument() : impl_(std::make_unique<Impl>()) {}
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

bool JsonDocument::parse(std::string_view text) {
  impl_->count = 0;
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) - 2) {
    impl_->problem = "a JSON text of more than 2 GiB";
    return false;
  }
  if (impl_->read(text)) return true;
  impl_->problem = fmt::format("not JSON (expected {} at byte {}): {}", impl_->wrong,
                               impl_->wrong_place - impl_->buffer.data(), clip(text, 64));
  return false;
}

std::span<const JsonNode> JsonDocument::nodes() const {
  return {impl_->nodes.data(), static_cast<std::size_t>(impl_->count)};
}

const std::string& JsonDocument::problem() const {
  return impl_->problem;
}

}  // namespace clepsydra
