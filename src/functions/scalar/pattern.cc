// LIKE, SIMILAR TO and the functions of regular expressions.
#include <fmt/format.h>

#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/scalar/like_pattern.h"
#include "functions/scalar/regex_site.h"

namespace clepsydra {
namespace {

using LikeSite = PatternSite<LikePattern>;

bool fail_pattern(KernelCall& call, std::int32_t row, const Status& problem) {
  return call.fail(row, std::string(problem.message()));
}

// The escape of LIKE and SIMILAR TO, when there is one.
const Vector* escape_of(const KernelCall& call) {
  return call.arguments.size() == 3 ? &call.argument(2) : nullptr;
}

bool like_kernel(KernelCall& call) {
  const auto& site = call.site_as<LikeSite>();
  auto* out = call.results<std::uint8_t>();
  const Vector& texts = call.argument(0);
  PatternReader<LikePattern> patterns(site, call.argument(1), escape_of(call));
  return for_each_result(call, [&](std::int32_t row) {
    const LikePattern* pattern = patterns[row];
    if (pattern == nullptr) return fail_pattern(call, row, site.problem());
    // Most texts that do not fit can be told from their view alone, without a look at their bytes.
    const StringView16& view = texts.data<StringView16>()[texts.index_of(row)];
    const bool may_fit = view.length >= pattern->bytes_min() &&
                         (pattern->first_byte() == 0 || view.inlined[0] == pattern->first_byte());
    out[row] = may_fit && pattern->matches(texts.string_at(row)) ? 1 : 0;
    return true;
  });
}

// The regular expression of a SIMILAR TO pattern, as the reference translates it.
Result<std::string> similar_to_regex(std::string_view pattern, std::string_view escape) {
  if (utf8_length(escape) > 1) {
    return Status::invalid_argument(
        fmt::format("ESCAPE '{}' is not one character", clip(escape, 16)));
  }
  constexpr std::string_view kSpecials = "[]()|^-+*?{}$\\.";
  std::string regex;
  bool in_set = false;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t begin = at;
    utf8_next(pattern, at);
    std::string_view character = pattern.substr(begin, at - begin);
    if (!escape.empty() && character == escape) {
      if (at == pattern.size()) {
        return Status::invalid_argument(
            fmt::format("\"{}\" ends with its escape character", clip(pattern, 64)));
      }
      const std::size_t escaped = at;
      utf8_next(pattern, at);
      character = pattern.substr(escaped, at - escaped);
      if (kSpecials.find(character) != std::string_view::npos) regex += '\\';
      regex += character;
    } else if (in_set) {
      if (character == "[" && pattern.substr(at).starts_with(':')) {
        // [:ALPHA:] and its like are spelt in lower case there.
        const std::size_t close = pattern.find(":]", at);
        if (close == std::string_view::npos) {
          return Status::invalid_argument(fmt::format("\"{}\" lacks a :]", clip(pattern, 64)));
        }
        regex += '[';
        for (; at < close + 2; ++at)
          regex += static_cast<char>(std::tolower(static_cast<unsigned char>(pattern[at])));
      } else {
        if (character == "]") in_set = false;
        if (character == "\\") regex += '\\';
        regex += character;
      }
    } else if (character == "_") {
      regex += "(?s:.)";
    } else if (character == "%") {
      regex += "(?s:.*)";
    } else {
      if (character == "[") in_set = true;
      if (character == "\\" || character == "$") regex += '\\';
      regex += character;
    }
  }
  return regex;
}

Result<RegularExpression> compile_similar(std::string_view pattern, std::string_view escape) {
  CLP_ASSIGN_OR_RETURN(const std::string regex, similar_to_regex(pattern, escape));
  return RegularExpression::compile(regex);
}

bool similar_kernel(KernelCall& call) {
  const auto& site = call.site_as<RegexSite>();
  auto* out = call.results<std::uint8_t>();
  PatternReader<RegularExpression> patterns(site, call.argument(1), escape_of(call));
  return for_each_result(call, [&](std::int32_t row) {
    RegularExpression* pattern = patterns[row];
    if (pattern == nullptr) return fail_pattern(call, row, site.problem());
    const auto outcome = pattern->match_all(call.argument(0).string_at(row));
    if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
    out[row] = outcome == RegularExpression::Outcome::kMatch ? 1 : 0;
    return true;
  });
}

// Calls f(expression, text, row) for rows with a pattern that is right; the others are NULL.
template <typename F>
bool regex_rows(KernelCall& call, F&& f) {
  PatternReader<RegularExpression> patterns(call.site_as<RegexSite>(), call.argument(1), nullptr);
  return for_each_result(call, [&](std::int32_t row) {
    RegularExpression* pattern = patterns[row];
    if (pattern == nullptr) {
      call.set_null(row);
      return call.status().is_ok();
    }
    return f(*pattern, call.argument(0).string_at(row), row) && call.status().is_ok();
  });
}

// REGEXP: an empty pattern is found nowhere, a wrong one is an error.
bool regexp_kernel(KernelCall& call) {
  const auto& site = call.site_as<RegexSite>();
  auto* out = call.results<std::uint8_t>();
  PatternReader<RegularExpression> patterns(site, call.argument(1), nullptr);
  return for_each_result(call, [&](std::int32_t row) {
    out[row] = 0;
    if (call.argument(1).string_at(row).empty()) return true;
    RegularExpression* pattern = patterns[row];
    if (pattern == nullptr) return fail_pattern(call, row, site.problem());
    const auto outcome = pattern->find(call.argument(0).string_at(row), 0);
    if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
    out[row] = outcome == RegularExpression::Outcome::kMatch ? 1 : 0;
    return true;
  });
}

// Where to go on after a match [begin, end): one character further when it was empty.
std::size_t next_start(std::string_view text, std::size_t begin, std::size_t end) {
  if (end > begin || end >= text.size()) return end > begin ? end : end + 1;
  utf8_next(text, end);
  return end;
}

bool regexp_replace_kernel(KernelCall& call) {
  TextWriter writer(call);
  std::string out;
  return regex_rows(call, [&](RegularExpression& pattern, std::string_view text, std::int32_t row) {
    const std::string_view replacement = call.argument(2).string_at(row);
    out.clear();
    std::size_t copied = 0;
    for (std::size_t start = 0; start <= text.size();) {
      const auto outcome = pattern.find(text, start);
      if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
      if (outcome == RegularExpression::Outcome::kNoMatch) break;
      const auto [begin, end] = pattern.group(0);
      out += text.substr(copied, begin - copied);
      out += replacement;
      copied = end;
      start = next_start(text, begin, end);
    }
    out += text.substr(copied);
    return writer.write(row, out);
  });
}

// REGEXP_EXTRACT(text, regex [, group]), REGEXP_SUBSTR(text, regex).
bool regexp_extract_kernel(KernelCall& call) {
  TextSharer sharer(call, call.argument(0));
  return regex_rows(call, [&](RegularExpression& pattern, std::string_view text, std::int32_t row) {
    const std::int32_t group =
        call.arguments.size() == 3 ? Reader<std::int32_t>(call.argument(2))[row] : 0;
    sharer.share(row, {});
    if (group < 0 || group > pattern.group_count()) {
      call.set_null(row);
      return true;
    }
    const auto outcome = pattern.find(text, 0);
    if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
    const auto [begin, end] = outcome == RegularExpression::Outcome::kMatch
                                  ? pattern.group(group)
                                  : std::pair(std::string_view::npos, std::string_view::npos);
    if (begin == std::string_view::npos) {
      call.set_null(row);
    } else {
      sharer.share(row, text.substr(begin, end - begin));
    }
    return true;
  });
}

bool regexp_count_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  return regex_rows(call, [&](RegularExpression& pattern, std::string_view text, std::int32_t row) {
    std::int32_t count = 0;
    for (std::size_t start = 0; start <= text.size(); ++count) {
      const auto outcome = pattern.find(text, start);
      if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
      if (outcome == RegularExpression::Outcome::kNoMatch) break;
      const auto [begin, end] = pattern.group(0);
      start = next_start(text, begin, end);
    }
    out[row] = count;
    return true;
  });
}

bool regexp_instr_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  return regex_rows(call, [&](RegularExpression& pattern, std::string_view text, std::int32_t row) {
    const auto outcome = pattern.find(text, 0);
    if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
    out[row] =
        outcome == RegularExpression::Outcome::kMatch
            ? static_cast<std::int32_t>(utf8_length(text.substr(0, pattern.group(0).first)) + 1)
            : 0;
    return true;
  });
}

template <Kernel kKernel, typename Pattern, typename PatternSite<Pattern>::Compile kCompile>
Result<BoundKernel> bind_pattern(const CallBinding&) {
  return BoundKernel{.kernel = kKernel,
                     .site = std::make_unique<PatternSite<Pattern>>(kCompile),
                     .can_fail = true,
                     .is_costly = true};
}

// A wrong constant escape or pattern of LIKE is told while planning.
Result<DataType> derive_like(CallTyping& call) {
  for (int i = 0; i < call.count(); ++i) {
    if (!call.type(i).is_character()) return wrong_types(call);
  }
  const std::optional<std::string_view> escape =
      call.count() == 3 ? text_value(*call.argument(2)) : std::string_view();
  const std::optional<std::string_view> pattern = text_value(*call.argument(1));
  if (escape && call.name == "LIKE") {
    CLP_RETURN_IF_ERROR(LikePattern::compile(pattern.value_or(""), *escape).status());
  }
  return call.strict(DataType::boolean());
}

constexpr ScalarFunction pattern_entry(std::string_view name, int count_min, int count_max,
                                       std::string_view parameters, std::string_view result,
                                       Result<BoundKernel> (*bind)(const CallBinding&),
                                       std::string_view signature, std::string_view description,
                                       std::string_view example, std::string_view example_result) {
  return {.name = name,
          .arguments_min = count_min,
          .arguments_max = count_max,
          .parameters = parameters,
          .result = result,
          .bind = bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&)) {
  entry.derive = derive;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    with_types(pattern_entry("LIKE", 2, 3, "", "",
                             bind_pattern<like_kernel, LikePattern, LikePattern::compile>,
                             "text LIKE pattern [ESCAPE character]",
                             "Whether the text fits a pattern: % is any text, _ any character.",
                             "'abc' LIKE 'a%'", "TRUE"),
               derive_like),
    with_types(pattern_entry("SIMILAR TO", 2, 3, "", "",
                             bind_pattern<similar_kernel, RegularExpression, compile_similar>,
                             "text SIMILAR TO pattern [ESCAPE character]",
                             "Whether the text fits a SQL regular expression.",
                             "'abc' SIMILAR TO '[a-c]+'", "TRUE"),
               derive_like),
    pattern_entry("REGEXP", 2, 2, "STRING STRING", "BOOLEAN",
                  bind_pattern<regexp_kernel, RegularExpression, compile_regex>,
                  "REGEXP(text, regex)", "Whether a part of the text matches.",
                  "REGEXP('abc', 'b')", "TRUE"),
    pattern_entry("REGEXP_REPLACE", 3, 3, "STRING STRING STRING", "STRING",
                  bind_pattern<regexp_replace_kernel, RegularExpression, compile_regex>,
                  "REGEXP_REPLACE(text, regex, replacement)",
                  "The text with every match replaced, literally.",
                  "REGEXP_REPLACE('abc', 'b', '$')", "a$c"),
    pattern_entry("REGEXP_EXTRACT", 2, 3, "STRING STRING [INT]", "STRING?",
                  bind_pattern<regexp_extract_kernel, RegularExpression, compile_regex>,
                  "REGEXP_EXTRACT(text, regex [, group])", "The first match, or a group of it.",
                  "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar"),
    pattern_entry("REGEXP_SUBSTR", 2, 2, "STRING STRING", "STRING?",
                  bind_pattern<regexp_extract_kernel, RegularExpression, compile_regex>,
                  "REGEXP_SUBSTR(text, regex)", "The first match.",
                  "REGEXP_SUBSTR('abc123', '[0-9]+')", "123"),
    pattern_entry("REGEXP_COUNT", 2, 2, "STRING STRING", "INT?",
                  bind_pattern<regexp_count_kernel, RegularExpression, compile_regex>,
                  "REGEXP_COUNT(text, regex)", "The number of matches.",
                  "REGEXP_COUNT('hello world', 'o')", "2"),
    pattern_entry("REGEXP_INSTR", 2, 2, "STRING STRING", "INT?",
                  bind_pattern<regexp_instr_kernel, RegularExpression, compile_regex>,
                  "REGEXP_INSTR(text, regex)",
                  "Where the first match starts, counted from 1; 0 without one.",
                  "REGEXP_INSTR('hello world', 'o')", "5"),
};

}  // namespace

std::span<const ScalarFunction> pattern_functions() {
  return kFunctions;
}

}  // namespace clepsydra
