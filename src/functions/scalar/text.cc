// Functions that make texts of texts. Where the result is a part of the argument its bytes are
// shared.
#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/scalar/characters.h"
#include "functions/scalar/families.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int32_t>::max();

// ---- Parts of the argument ----

// Part: std::string_view(text, row).
template <typename Part>
bool share_parts(KernelCall& call, Part&& part) {
  const Vector& source = call.argument(0);
  TextSharer sharer(call, source);
  return for_each_result(call, [&](std::int32_t row) {
    sharer.share(row, part(source.string_at(row), row));
    return true;
  });
}

bool substring_kernel(KernelCall& call) {
  const Reader<std::int32_t> positions(call.argument(1));
  if (call.arguments.size() == 2) {
    return share_parts(call, [&](std::string_view text, std::int32_t row) {
      return substring(text, positions[row], kAll);
    });
  }
  const Reader<std::int32_t> counts(call.argument(2));
  return share_parts(call, [&](std::string_view text, std::int32_t row) {
    if (counts[row] < 0) call.set_null(row);
    return substring(text, positions[row], std::max(0, counts[row]));
  });
}

bool left_kernel(KernelCall& call) {
  const Reader<std::int32_t> counts(call.argument(1));
  return share_parts(call, [&](std::string_view text, std::int32_t row) {
    return characters(text, 0, std::max(0, counts[row]));
  });
}

bool right_kernel(KernelCall& call) {
  const Reader<std::int32_t> counts(call.argument(1));
  return share_parts(call, [&](std::string_view text, std::int32_t row) {
    const std::int64_t count = std::max(0, counts[row]);
    return characters(text, std::max<std::int64_t>(0, utf8_length(text) - count), count);
  });
}

enum class Side : std::uint8_t { kBoth, kLeading, kTrailing };

bool contains_character(std::string_view set, std::string_view character) {
  // A character of UTF-8 is never a part of another one.
  return set.find(character) != std::string_view::npos;
}

// `text` without those of the characters of `set` that it starts or ends with.
std::string_view trim(std::string_view text, std::string_view set, bool leading, bool trailing) {
  while (leading && !text.empty()) {
    std::size_t end = 0;
    utf8_next(text, end);
    if (!contains_character(set, text.substr(0, end))) break;
    text.remove_prefix(end);
  }
  while (trailing && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (!contains_character(set, text.substr(begin))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

template <Side kSide>
bool trim_kernel(KernelCall& call) {
  constexpr bool kLeading = kSide != Side::kTrailing;
  constexpr bool kTrailing = kSide != Side::kLeading;
  if (call.arguments.size() == 1) {
    return share_parts(call, [](std::string_view text, std::int32_t) {
      return trim(text, " ", kLeading, kTrailing);
    });
  }
  const Vector& sets = call.argument(1);
  return share_parts(call, [&](std::string_view text, std::int32_t row) {
    return trim(text, sets.string_at(row), kLeading, kTrailing);
  });
}

// The part of `text` between separators number `index` and `index` + 1; false when there is none.
bool split_part(std::string_view text, std::string_view separator, std::int32_t index,
                std::string_view& part) {
  if (index < 0 || text.empty() || separator.empty()) return false;
  for (; index > 0; --index) {
    const std::size_t found = text.find(separator);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + separator.size());
  }
  part = text.substr(0, text.find(separator));
  return true;
}

bool split_index_kernel(KernelCall& call) {
  const Vector& separators = call.argument(1);
  const bool is_code = separators.type.kind() == TypeKind::kInteger;
  const Reader<std::int32_t> indices(call.argument(2));
  std::string code;
  return share_parts(call, [&](std::string_view text, std::int32_t row) {
    std::string_view separator;
    if (is_code) {
      code.clear();
      const std::int32_t point = separators.data<std::int32_t>()[separators.index_of(row)];
      if (point > 0 && point < 0x10000 && (point < 0xD800 || point > 0xDFFF)) {
        utf8_append(static_cast<char32_t>(point), code);
      }
      separator = code;
    } else {
      separator = separators.string_at(row);
    }
    std::string_view part;
    if (!split_part(text, separator, indices[row], part)) call.set_null(row);
    return part;
  });
}

// ---- New texts ----

// Write: bool(text, row, out); what it appends to `out` is the result.
template <typename Write>
bool write_texts(KernelCall& call, Write&& write) {
  TextWriter writer(call);
  std::string out;
  return for_each_result(call, [&](std::int32_t row) {
    out.clear();
    return write(row, out) && writer.write(row, out) && call.status().is_ok();
  });
}

bool concat_kernel(KernelCall& call) {
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    std::int64_t bytes = 0;
    for (const Vector* argument : call.arguments) {
      bytes += static_cast<std::int64_t>(argument->string_at(row).size());
    }
    char* to = writer.reserve(bytes);
    if (to == nullptr) return false;
    for (const Vector* argument : call.arguments) {
      const std::string_view text = argument->string_at(row);
      text.copy(to, text.size());
      to += text.size();
    }
    writer.commit(row, bytes);
    return true;
  });
}

// NULL only when the separator is; NULL values are left out.
bool concat_ws_kernel(KernelCall& call) {
  TextWriter writer(call);
  std::string out;
  bool good = true;
  for_each_row(call.rows, [&](std::int32_t row) {
    if (!good) return;
    out.clear();
    if (call.argument(0).is_null(row)) {
      call.set_null(row);
    } else {
      const std::string_view separator = call.argument(0).string_at(row);
      bool first = true;
      for (std::size_t i = 1; i < call.arguments.size(); ++i) {
        if (call.arguments[i]->is_null(row)) continue;
        if (!first) out += separator;
        first = false;
        out += call.arguments[i]->string_at(row);
      }
    }
    good = writer.write(row, out);
  });
  return good && call.status().is_ok();
}

void append_case(std::string_view text, bool is_upper, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      const char c = text[at++];
      const bool changes = is_upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
      out += changes ? static_cast<char>(c ^ 0x20) : c;
      continue;
    }
    const char32_t point = utf8_next(text, at);
    if (is_upper && point == U'\u00DF') {
      out += "SS";  // As in Java; there is no single letter for it.
      continue;
    }
    const utf8proc_int32_t changed = is_upper
                                         ? utf8proc_toupper(static_cast<utf8proc_int32_t>(point))
                                         : utf8proc_tolower(static_cast<utf8proc_int32_t>(point));
    utf8_append(static_cast<char32_t>(changed), out);
  }
}

template <bool kUpper>
bool case_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  TextWriter writer(call);
  std::string changed;
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view text = source.string_at(row);
    if (!is_ascii(text)) {
      changed.clear();
      append_case(text, kUpper, changed);
      return writer.write(row, changed);
    }
    char* to = writer.reserve(static_cast<std::int64_t>(text.size()));
    if (to == nullptr) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool changes = kUpper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
      to[i] = static_cast<char>(c ^ (changes ? 0x20 : 0));
    }
    writer.commit(row, static_cast<std::int64_t>(text.size()));
    return true;
  });
}

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words are runs of ASCII letters and digits, as in the reference.
bool initcap_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    bool in_word = false;
    for (const char c : source.string_at(row)) {
      const bool is_letter = is_ascii_letter(c);
      const char lower = is_letter ? static_cast<char>(c | 0x20) : c;
      out += is_letter && !in_word ? static_cast<char>(lower & ~0x20) : lower;
      in_word = is_letter || (c >= '0' && c <= '9');
    }
    return true;
  });
}

// An empty text to search for is found in front of every character and at the end.
bool replace_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    std::string_view text = call.argument(0).string_at(row);
    const std::string_view search = call.argument(1).string_at(row);
    const std::string_view replacement = call.argument(2).string_at(row);
    if (search.empty()) {
      out += replacement;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        utf8_next(text, at);
        out += text.substr(begin, at - begin);
        out += replacement;
      }
      return true;
    }
    for (;;) {
      const std::size_t found = text.find(search);
      out += text.substr(0, found);
      if (found == std::string_view::npos) return true;
      out += replacement;
      text.remove_prefix(found + search.size());
    }
  });
}

bool overlay_kernel(KernelCall& call) {
  const Reader<std::int32_t> starts(call.argument(2));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    const std::string_view replacement = call.argument(1).string_at(row);
    const std::int64_t start = starts[row];
    const std::int64_t length = utf8_length(text);
    if (start <= 0 || start > length) {
      out += text;
      return true;
    }
    const std::int64_t replaced = call.arguments.size() == 4
                                      ? Reader<std::int32_t>(call.argument(3))[row]
                                      : utf8_length(replacement);
    out += characters(text, 0, start - 1);
    out += replacement;
    // What is replaced with nothing or less takes the rest with it, as in the reference.
    if (replaced > 0 && start + replaced <= length) {
      out += characters(text, start - 1 + replaced, kAll);
    }
    return true;
  });
}

bool fail_too_long(KernelCall& call, std::int32_t row) {
  return call.fail(row, fmt::format("a text of more than {} bytes", kAll));
}

template <bool kLeft>
bool pad_kernel(KernelCall& call) {
  const Reader<std::int32_t> lengths(call.argument(1));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    const std::string_view pad = call.argument(2).string_at(row);
    const std::int64_t wanted = lengths[row];
    if (wanted < 0 || pad.empty()) {
      call.set_null(row);
      return true;
    }
    std::int64_t missing = wanted - utf8_length(text);
    if (missing <= 0) {
      out += characters(text, 0, wanted);
      return true;
    }
    const std::int64_t pad_length = utf8_length(pad);
    const std::int64_t copies = missing / pad_length;
    if (copies * static_cast<std::int64_t>(pad.size()) > kAll) return fail_too_long(call, row);
    if (!kLeft) out += text;
    for (std::int64_t i = 0; i < copies; ++i) out += pad;
    out += characters(pad, 0, missing - copies * pad_length);
    if (kLeft) out += text;
    return true;
  });
}

bool repeat_kernel(KernelCall& call) {
  const Reader<std::int32_t> counts(call.argument(1));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    const std::int64_t count = std::max(0, counts[row]);
    if (count * static_cast<std::int64_t>(text.size()) > kAll) return fail_too_long(call, row);
    for (std::int64_t i = 0; i < count && !text.empty(); ++i) out += text;
    return true;
  });
}

bool reverse_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view text = source.string_at(row);
    char* to = writer.reserve(static_cast<std::int64_t>(text.size()));
    if (to == nullptr) return false;
    char* end = to + text.size();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      utf8_next(text, at);
      end -= at - begin;
      text.substr(begin, at - begin).copy(end, at - begin);
    }
    writer.commit(row, static_cast<std::int64_t>(text.size()));
    return true;
  });
}

// The character with the code modulo 256; of a negative code none.
bool chr_kernel(KernelCall& call) {
  const Reader<std::int64_t> codes(call.argument(0));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    if (codes[row] >= 0) utf8_append(static_cast<char32_t>(codes[row] & 0xFF), out);
    return true;
  });
}

// Characters of `from` become those at the same place in `to`, or nothing where `to` is shorter.
// The first occurrence in `from` counts.
bool translate_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    const std::string_view from = call.argument(1).string_at(row);
    const std::string_view to = call.argument(2).string_at(row);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      utf8_next(text, at);
      const std::string_view character = text.substr(begin, at - begin);
      const std::size_t found = from.find(character);
      if (found == std::string_view::npos) {
        out += character;
      } else {
        out += characters(to, utf8_length(from.substr(0, found)), 1);
      }
    }
    return true;
  });
}

// ---- Types ----

template <Kernel kKernel>
Result<BoundKernel> bind(const CallBinding&) {
  return costly_kernel(kKernel);
}
template <Kernel kKernel>
Result<BoundKernel> bind_failing(const CallBinding&) {
  return BoundKernel{.kernel = kKernel, .can_fail = true, .is_costly = true};
}

std::int32_t total_length(const CallTyping& call) {
  std::int64_t total = 0;
  for (const ExpressionPtr& argument : call.arguments) total += argument->type().length();
  return static_cast<std::int32_t>(std::min<std::int64_t>(total, kMaxLength));
}

// CHAR || CHAR is CHAR of both lengths; bytes likewise.
Result<DataType> derive_concat(CallTyping& call) {
  const bool is_text = call.type(0).is_character();
  bool fixed = true;
  for (int i = 0; i < call.count(); ++i) {
    const DataType& type = call.type(i);
    if (is_text ? !type.is_character() : !type.is_binary()) return wrong_types(call);
    fixed = fixed && (type.kind() == TypeKind::kChar || type.kind() == TypeKind::kBinary);
  }
  const std::int32_t length = total_length(call);
  if (is_text) return call.strict(fixed ? DataType::char_(length) : DataType::varchar(length));
  return call.strict(fixed ? DataType::binary(length) : DataType::varbinary(length));
}

Result<DataType> derive_concat_ws(CallTyping& call) {
  for (int i = 0; i < call.count(); ++i) {
    if (!call.type(i).is_character()) return wrong_types(call);
  }
  return call.strict(DataType::string());
}

// A part of a text: VARCHAR of its length, and always nullable in the reference.
Result<DataType> derive_part(CallTyping& call) {
  if (!call.type(0).is_character()) return wrong_types(call);
  for (int i = 1; i < call.count(); ++i) {
    if (!call.type(i).is_integer()) return wrong_types(call);
    CLP_RETURN_IF_ERROR(call.coerce(i, DataType::integer()));
  }
  return DataType::varchar(call.type(0).length()).with_nullable(true);
}

Result<DataType> derive_overlay(CallTyping& call) {
  if (!call.type(0).is_character() || !call.type(1).is_character()) return wrong_types(call);
  for (int i = 2; i < call.count(); ++i) {
    if (!call.type(i).is_integer()) return wrong_types(call);
    CLP_RETURN_IF_ERROR(call.coerce(i, DataType::integer()));
  }
  const std::int64_t length = std::int64_t{call.type(0).length()} + call.type(1).length();
  return call.strict(
      DataType::varchar(static_cast<std::int32_t>(std::min<std::int64_t>(length, kMaxLength))));
}

Result<DataType> derive_split_index(CallTyping& call) {
  if (!call.type(0).is_character() || !call.type(2).is_integer()) return wrong_types(call);
  if (call.type(1).is_integer()) {
    CLP_RETURN_IF_ERROR(call.coerce(1, DataType::integer()));
  } else if (!call.type(1).is_character()) {
    return wrong_types(call);
  }
  CLP_RETURN_IF_ERROR(call.coerce(2, DataType::integer()));
  return DataType::string().with_nullable(true);
}

struct TextEntry {
  std::string_view name;
  int arguments_min;
  int arguments_max;
  std::string_view parameters;
  std::string_view result;
  Result<BoundKernel> (*bind)(const CallBinding&);
};

constexpr ScalarFunction text_entry(TextEntry entry, std::string_view signature,
                                    std::string_view description, std::string_view example,
                                    std::string_view example_result,
                                    std::string_view aliases = {}) {
  return {.name = entry.name,
          .arguments_min = entry.arguments_min,
          .arguments_max = entry.arguments_max,
          .parameters = entry.parameters,
          .result = entry.result,
          .bind = entry.bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result,
          .aliases = aliases};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&),
                                    bool is_strict = true) {
  entry.derive = derive;
  entry.is_strict = is_strict;
  return entry;
}

constexpr int kAny = ScalarFunction::kAnyCount;

constexpr ScalarFunction kFunctions[] = {
    with_types(text_entry({"||", 2, kAny, "", "", bind<concat_kernel>}, "text || text",
                          "Both texts, one after the other.", "'a' || 'b'", "ab"),
               derive_concat),
    text_entry({"CONCAT", 1, kAny, "STRING ...", "STRING", bind<concat_kernel>},
               "CONCAT(text, ...)", "The texts one after the other; NULL when one is NULL.",
               "CONCAT('a', 'b', 'c')", "abc"),
    with_types(
        text_entry({"CONCAT_WS", 1, kAny, "", "", bind<concat_ws_kernel>},
                   "CONCAT_WS(separator, text, ...)",
                   "The texts with a separator between them; those that are NULL are left out.",
                   "CONCAT_WS('~', 'AA', CAST(NULL AS STRING), 'BB')", "AA~BB"),
        derive_concat_ws, false),
    text_entry({"UPPER", 1, 1, "STRING", "$1", bind<case_kernel<true>>}, "UPPER(text)",
               "The text in upper case.", "UPPER('abc')", "ABC"),
    text_entry({"LOWER", 1, 1, "STRING", "$1", bind<case_kernel<false>>}, "LOWER(text)",
               "The text in lower case.", "LOWER('ABC')", "abc"),
    text_entry({"INITCAP", 1, 1, "STRING", "$1", bind<initcap_kernel>}, "INITCAP(text)",
               "Words with a first letter in upper case and the others in lower case.",
               "INITCAP('a1b2 c-d_e')", "A1b2 C-D_E"),
    with_types(
        text_entry({"SUBSTRING", 2, 3, "", "", bind<substring_kernel>},
                   "SUBSTRING(text FROM start [FOR length])",
                   "A part of the text, from a position counted from 1, or from the end when "
                   "negative.",
                   "SUBSTRING('hello', -2)", "lo", "SUBSTR"),
        derive_part),
    with_types(text_entry({"LEFT", 2, 2, "", "", bind<left_kernel>}, "LEFT(text, length)",
                          "The first characters.", "LEFT('hello', 2)", "he"),
               derive_part),
    with_types(text_entry({"RIGHT", 2, 2, "", "", bind<right_kernel>}, "RIGHT(text, length)",
                          "The last characters.", "RIGHT('hello', 2)", "lo"),
               derive_part),
    text_entry({"TRIM", 1, 2, "STRING [STRING]", "VARYING $1", bind<trim_kernel<Side::kBoth>>},
               "TRIM([BOTH] [characters FROM] text)",
               "The text without blanks, or the given characters, at both ends.",
               "TRIM('xy' FROM 'xyaxyx')", "a"),
    text_entry({"BTRIM", 1, 2, "STRING [STRING]", "STRING", bind<trim_kernel<Side::kBoth>>},
               "BTRIM(text [, characters])",
               "The text without blanks, or the given characters, at both ends.",
               "BTRIM('xyaxy', 'yx')", "a"),
    text_entry({"LTRIM", 1, 2, "STRING [STRING]", "VARYING $1", bind<trim_kernel<Side::kLeading>>},
               "LTRIM(text [, characters])",
               "The text without blanks, or the given characters, at its start.",
               "LTRIM('xxa', 'x')", "a"),
    text_entry({"RTRIM", 1, 2, "STRING [STRING]", "VARYING $1", bind<trim_kernel<Side::kTrailing>>},
               "RTRIM(text [, characters])",
               "The text without blanks, or the given characters, at its end.", "RTRIM('axx', 'x')",
               "a"),
    text_entry({"REPLACE", 3, 3, "STRING STRING STRING", "STRING", bind<replace_kernel>},
               "REPLACE(text, search, replacement)", "The text with every occurrence replaced.",
               "REPLACE('ababab', 'abab', 'z')", "zab"),
    with_types(text_entry({"OVERLAY", 3, 4, "", "", bind<overlay_kernel>},
                          "OVERLAY(text PLACING replacement FROM start [FOR length])",
                          "The text with a part replaced.",
                          "OVERLAY('abc' PLACING 'XY' FROM 2 FOR 1)", "aXYc"),
               derive_overlay),
    text_entry({"LPAD", 3, 3, "STRING INT STRING", "STRING", bind_failing<pad_kernel<true>>},
               "LPAD(text, length, pad)",
               "The text filled up on the left to a length, or cut to it.", "LPAD('hi', 5, 'ab')",
               "abahi"),
    text_entry({"RPAD", 3, 3, "STRING INT STRING", "STRING", bind_failing<pad_kernel<false>>},
               "RPAD(text, length, pad)",
               "The text filled up on the right to a length, or cut to it.", "RPAD('hi', 5, 'ab')",
               "hiaba"),
    text_entry({"REPEAT", 2, 2, "STRING INT", "STRING", bind_failing<repeat_kernel>},
               "REPEAT(text, count)", "The text a number of times.", "REPEAT('ab', 2)", "abab"),
    text_entry({"REVERSE", 1, 1, "STRING", "STRING?", bind<reverse_kernel>}, "REVERSE(text)",
               "The characters in reverse order.", "REVERSE('abc')", "cba"),
    with_types(text_entry({"SPLIT_INDEX", 3, 3, "", "", bind<split_index_kernel>},
                          "SPLIT_INDEX(text, separator, index)",
                          "The part with this index, counted from 0, between separators.",
                          "SPLIT_INDEX('a,b,c', ',', 2)", "c"),
               derive_split_index),
    text_entry({"CHR", 1, 1, "BIGINT", "STRING?", bind<chr_kernel>}, "CHR(code)",
               "The character with this code modulo 256.", "CHR(353)", "a"),
    text_entry({"TRANSLATE", 3, 3, "STRING STRING STRING", "STRING", bind<translate_kernel>},
               "TRANSLATE(text, from, to)",
               "Every character of `from` replaced by that at the same place in `to`.",
               "TRANSLATE('aabbcc', 'abca', 'xyz')", "xxyyzz"),
};

}  // namespace

std::span<const ScalarFunction> text_functions() {
  return kFunctions;
}

}  // namespace clepsydra
