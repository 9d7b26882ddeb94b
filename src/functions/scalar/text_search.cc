// Functions that measure texts and search in them.
#include <utf8proc.h>

#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/scalar/characters.h"
#include "functions/scalar/families.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

struct CharacterCount {
  static std::int32_t apply(std::string_view text) {
    return static_cast<std::int32_t>(utf8_length(text));
  }
};

// The first byte, signed as in the reference; of an empty text 0.
struct FirstByte {
  static std::int32_t apply(std::string_view text) {
    return text.empty() ? 0 : static_cast<signed char>(text[0]);
  }
};

struct StartsWith {
  static std::uint8_t apply(std::string_view text, std::string_view start) {
    return text.starts_with(start) ? 1 : 0;
  }
};
struct EndsWith {
  static std::uint8_t apply(std::string_view text, std::string_view end) {
    return text.ends_with(end) ? 1 : 0;
  }
};

// The position of `search` in `text` from character `from` (from 1) on, counted from 1; 0: not
// there.
std::int32_t position_of(std::string_view search, std::string_view text, std::int64_t from) {
  const std::size_t begin = from > 1 ? utf8_offset(text, from - 1) : 0;
  if (from > 1 && begin == text.size() && utf8_length(text) < from - 1) return 0;
  const std::size_t found = text.find(search, begin);
  if (found == std::string_view::npos) return 0;
  return static_cast<std::int32_t>(utf8_length(text.substr(0, found)) + 1);
}

struct FirstPosition {
  static std::int32_t apply(std::string_view search, std::string_view text) {
    return position_of(search, text, 1);
  }
};
struct PositionIn {
  static std::int32_t apply(std::string_view text, std::string_view search) {
    return position_of(search, text, 1);
  }
};

bool position_from_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Reader<std::int32_t> starts(call.argument(2));
  return for_each_result(call, [&](std::int32_t row) {
    out[row] =
        position_of(call.argument(0).string_at(row), call.argument(1).string_at(row), starts[row]);
    return true;
  });
}

// ---- IS_ALPHA, IS_DIGIT, IS_DECIMAL: FALSE for NULL and the empty text ----

bool is_letter(char32_t point) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(point));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}
bool is_digit(char32_t point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(point)) == UTF8PROC_CATEGORY_ND;
}

template <bool (*kIs)(char32_t)>
bool all_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!kIs(utf8_next(text, at))) return false;
  }
  return !text.empty();
}

bool is_decimal(std::string_view text) {
  double value = 0;
  const std::size_t digit = text.find_first_of("0123456789");
  // Java's parser takes "1d" and "NaN" too; a number has digits and no letter but the exponent's.
  return digit != std::string_view::npos &&
         text.find_first_not_of("0123456789+-.eE \t\r\n") == std::string_view::npos &&
         parse_double(text, value);
}

template <bool (*kTest)(std::string_view)>
bool test_kernel(KernelCall& call) {
  auto* out = call.results<std::uint8_t>();
  const Vector& source = call.argument(0);
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = !source.is_null(row) && kTest(source.string_at(row)) ? 1 : 0;
  });
  return true;
}

template <Kernel kKernel>
Result<BoundKernel> bind(const CallBinding&) {
  return costly_kernel(kKernel);
}

Result<BoundKernel> bind_position(const CallBinding& call) {
  if (call.count() == 3) return costly_kernel(position_from_kernel);
  return costly_kernel(two_texts_to_value_kernel<FirstPosition, std::int32_t>);
}

// Both texts or both bytes.
Result<DataType> derive_affix(CallTyping& call) {
  const bool texts = call.type(0).is_character() && call.type(1).is_character();
  const bool bytes = call.type(0).is_binary() && call.type(1).is_binary();
  if (!texts && !bytes) return wrong_types(call);
  return call.strict(DataType::boolean());
}

constexpr ScalarFunction search_entry(std::string_view name, int count_min, int count_max,
                                      std::string_view parameters, std::string_view result,
                                      Result<BoundKernel> (*bind_kernel)(const CallBinding&),
                                      std::string_view signature, std::string_view description,
                                      std::string_view example, std::string_view example_result,
                                      std::string_view aliases = {}) {
  return {.name = name,
          .arguments_min = count_min,
          .arguments_max = count_max,
          .parameters = parameters,
          .result = result,
          .bind = bind_kernel,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result,
          .aliases = aliases};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&)) {
  entry.derive = derive;
  return entry;
}
constexpr ScalarFunction never_null(ScalarFunction entry) {
  entry.is_strict = false;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    search_entry("CHAR_LENGTH", 1, 1, "STRING", "INT",
                 bind<text_to_value_kernel<CharacterCount, std::int32_t>>, "CHAR_LENGTH(text)",
                 "The number of characters.", "CHAR_LENGTH('abc')", "3", "CHARACTER_LENGTH"),
    search_entry("ASCII", 1, 1, "STRING", "INT",
                 bind<text_to_value_kernel<FirstByte, std::int32_t>>, "ASCII(text)",
                 "The value of the first byte.", "ASCII('abc')", "97"),
    search_entry("POSITION", 2, 3, "STRING STRING [INT]", "INT", bind_position,
                 "POSITION(search IN text [FROM start])",
                 "Where a text occurs first in another, counted from 1; 0 when it does not.",
                 "POSITION('b' IN 'abcb' FROM 3)", "4"),
    search_entry("LOCATE", 2, 3, "STRING STRING [INT]", "INT", bind_position,
                 "LOCATE(search, text [, start])",
                 "Where a text occurs first in another, counted from 1; 0 when it does not.",
                 "LOCATE('l', 'hello', 4)", "4"),
    search_entry("INSTR", 2, 2, "STRING STRING", "INT",
                 bind<two_texts_to_value_kernel<PositionIn, std::int32_t>>, "INSTR(text, search)",
                 "Where a text occurs first in another, counted from 1; 0 when it does not.",
                 "INSTR('hello', 'l')", "3"),
    with_types(search_entry("STARTSWITH", 2, 2, "", "",
                            bind<two_texts_to_value_kernel<StartsWith, std::uint8_t>>,
                            "STARTSWITH(text, start)", "Whether the text starts with another.",
                            "STARTSWITH('hello', 'he')", "TRUE"),
               derive_affix),
    with_types(
        search_entry("ENDSWITH", 2, 2, "", "",
                     bind<two_texts_to_value_kernel<EndsWith, std::uint8_t>>, "ENDSWITH(text, end)",
                     "Whether the text ends with another.", "ENDSWITH('hello', 'lo')", "TRUE"),
        derive_affix),
    never_null(search_entry("IS_ALPHA", 1, 1, "STRING", "BOOLEAN",
                            bind<test_kernel<all_characters<is_letter>>>, "IS_ALPHA(text)",
                            "Whether all characters are letters; FALSE for NULL.",
                            "IS_ALPHA('ab1')", "FALSE")),
    never_null(search_entry("IS_DIGIT", 1, 1, "STRING", "BOOLEAN",
                            bind<test_kernel<all_characters<is_digit>>>, "IS_DIGIT(text)",
                            "Whether all characters are digits; FALSE for NULL.", "IS_DIGIT('123')",
                            "TRUE")),
    never_null(search_entry("IS_DECIMAL", 1, 1, "STRING", "BOOLEAN", bind<test_kernel<is_decimal>>,
                            "IS_DECIMAL(text)", "Whether the text is a number; FALSE for NULL.",
                            "IS_DECIMAL('-1e5')", "TRUE")),
};

}  // namespace

std::span<const ScalarFunction> text_search_functions() {
  return kFunctions;
}

}  // namespace clepsydra
