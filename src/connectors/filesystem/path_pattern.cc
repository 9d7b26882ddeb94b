#include "connectors/filesystem/path_pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <memory>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace clepsydra {

struct PathPattern::Code {
  explicit Code(pcre2_code* compiled)
      : code(compiled), match(pcre2_match_data_create_from_pattern(compiled, nullptr)) {}
  ~Code() {
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  pcre2_code* code;
  pcre2_match_data* match;
};

PathPattern::PathPattern(std::unique_ptr<Code> code) : code_(std::move(code)) {}
PathPattern::~PathPattern() = default;
PathPattern::PathPattern(PathPattern&&) noexcept = default;
PathPattern& PathPattern::operator=(PathPattern&&) noexcept = default;

Result<PathPattern> PathPattern::make(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error, &offset, nullptr);
  if (code == nullptr) {
    PCRE2_UCHAR text[128];
    pcre2_get_error_message(error, text, sizeof(text));
    return Status::invalid_argument(fmt::format(
        "option 'source.path.regex-pattern' is '{}'; not a regular expression at character {}: {}",
        clip(pattern, 64), offset, reinterpret_cast<const char*>(text)));
  }
  return PathPattern(std::make_unique<Code>(code));
}

bool PathPattern::matches(std::string_view path) const {
  return pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(path.data()), path.size(), 0, 0,
                     code_->match, nullptr) >= 0;
}

}  // namespace clepsydra
