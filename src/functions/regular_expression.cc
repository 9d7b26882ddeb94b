#include "functions/regular_expression.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <array>

#include "base/utf8.h"

namespace clepsydra {
namespace {

// Bounds on one match, so that no pattern can stop a task: backtracking steps, and heap (KiB).
constexpr std::uint32_t kMatchLimit = 10'000'000;
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;

}  // namespace

struct RegularExpression::Impl {
  ~Impl() {
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
  Outcome run(std::string_view text, std::size_t start, std::uint32_t options) {
    const int answer = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   start, options, match, context);
    if (answer > 0) return Outcome::kMatch;
    return answer == PCRE2_ERROR_NOMATCH ? Outcome::kNoMatch : Outcome::kGaveUp;
  }
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;
};

RegularExpression::RegularExpression(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RegularExpression::~RegularExpression() = default;
RegularExpression::RegularExpression(RegularExpression&&) noexcept = default;
RegularExpression& RegularExpression::operator=(RegularExpression&&) noexcept = default;

Result<RegularExpression> RegularExpression::compile(std::string_view pattern) {
  if (!is_valid_utf8(pattern)) {
    return Status::invalid_argument("a regular expression that is not UTF-8");
  }
  auto impl = std::make_unique<Impl>();
  int error = 0;
  PCRE2_SIZE place = 0;
  impl->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                             PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK, &error,
                             &place, nullptr);
  if (impl->code == nullptr) {
    std::array<unsigned char, 200> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return Status::invalid_argument(
        fmt::format("\"{}\" is no regular expression: {} at character {}", clip(pattern, 64),
                    reinterpret_cast<const char*>(text.data()), place));
  }
  // Without machine code (no memory for it) matching is slower, not wrong.
  pcre2_jit_compile(impl->code, PCRE2_JIT_COMPLETE);
  impl->match = pcre2_match_data_create_from_pattern(impl->code, nullptr);
  impl->context = pcre2_match_context_create(nullptr);
  if (impl->match == nullptr || impl->context == nullptr) {
    return Status::resource_exhausted("no memory for a regular expression");
  }
  pcre2_set_match_limit(impl->context, kMatchLimit);
  pcre2_set_heap_limit(impl->context, kHeapLimitKib);
  return RegularExpression(std::move(impl));
}

RegularExpression::Outcome RegularExpression::find(std::string_view text, std::size_t start) {
  return impl_->run(text, start, PCRE2_NO_UTF_CHECK);
}

RegularExpression::Outcome RegularExpression::match_all(std::string_view text) {
  // The machine code knows no anchoring at both ends; the interpreter does.
  return impl_->run(text, 0, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}

int RegularExpression::group_count() const {
  std::uint32_t count = 0;
  pcre2_pattern_info(impl_->code, PCRE2_INFO_CAPTURECOUNT, &count);
  return static_cast<int>(count);
}

std::pair<std::size_t, std::size_t> RegularExpression::group(int i) const {
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(impl_->match);
  const auto at = static_cast<std::size_t>(i) * 2;
  if (i < 0 || static_cast<std::uint32_t>(i) >= pcre2_get_ovector_count(impl_->match) ||
      ends[at] == PCRE2_UNSET) {
    return {std::string_view::npos, std::string_view::npos};
  }
  return {ends[at], ends[at + 1]};
}

}  // namespace clepsydra
