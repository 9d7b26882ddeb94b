// Any bytes as a pattern and a text, separated by a zero byte, for regular expressions and LIKE: an
// answer in bounded time or a refusal; groups lie within the text, and LIKE agrees with the
// simplest way to compute it.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/regular_expression.h"
#include "functions/scalar/like_pattern.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

namespace {

// More would measure the limit of steps, which each search has of its own.
constexpr int kSearchesMax = 8;
// The table of like_by_table() has as many places as both lengths multiplied.
constexpr std::size_t kLikeBytesMax = 512;

void check_group(const RegularExpression& regex, int group, std::string_view text) {
  const auto [begin, end] = regex.group(group);
  if (begin == std::string_view::npos) {
    CLP_CHECK(end == std::string_view::npos && group > 0);
    return;
  }
  CLP_CHECK(end <= text.size());
  // \K and look-behind may let a match begin behind its end.
  CLP_CHECK(begin <= text.size());
}

void run_regex(std::string_view pattern, std::string_view text) {
  Result<RegularExpression> regex = RegularExpression::compile(pattern);
  if (!regex.is_ok()) {
    CLP_CHECK(!regex.status().message().empty());
    return;
  }
  if (!is_valid_utf8(text)) return;
  std::size_t start = 0;
  for (int i = 0; i < kSearchesMax && start <= text.size(); ++i) {
    if (regex->find(text, start) != RegularExpression::Outcome::kMatch) break;
    for (int group = 0; group <= regex->group_count(); ++group) check_group(*regex, group, text);
    const std::size_t end = regex->group(0).second;
    if (end > start) {
      start = end;
    } else if (start == text.size()) {
      break;
    } else {
      utf8_next(text, start);
    }
  }
  if (regex->match_all(text) == RegularExpression::Outcome::kMatch) {
    CLP_CHECK(regex->group(0).second == text.size());
  }
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    utf8_next(text, at);
    characters.push_back(text.substr(begin, at - begin));
  }
  return characters;
}

// Without escapes. fits[i]: what there is of the pattern so far fits the first i characters.
bool like_by_table(std::string_view pattern, std::string_view text) {
  const std::vector<std::string_view> characters = characters_of(text);
  std::vector<bool> fits(characters.size() + 1, false);
  fits[0] = true;
  for (const std::string_view wanted : characters_of(pattern)) {
    std::vector<bool> next(fits.size(), false);
    for (std::size_t i = 0; i < fits.size(); ++i) {
      if (wanted == "%") {
        next[i] = fits[i] || (i > 0 && next[i - 1]);
      } else if (i > 0 && fits[i - 1]) {
        next[i] = wanted == "_" || wanted == characters[i - 1];
      }
    }
    fits = std::move(next);
  }
  return fits.back();
}

void run_like(std::string_view pattern, std::string_view text) {
  if (pattern.size() > kLikeBytesMax || text.size() > kLikeBytesMax) return;
  const Result<LikePattern> with_escape = LikePattern::compile(pattern, "\\");
  if (with_escape.is_ok()) (void)with_escape->matches(text);
  if (!is_valid_utf8(pattern) || !is_valid_utf8(text)) return;
  const Result<LikePattern> like = LikePattern::compile(pattern, {});
  CLP_CHECK(like.is_ok());
  CLP_CHECK(like->matches(text) == like_by_table(pattern, text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string_view text =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  run_regex(input.substr(0, end), text);
  run_like(input.substr(0, end), text);
  return 0;
}
