// A place in a program that compiles texts: patterns of LIKE, regular expressions, date formats.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clepsydra/status.h"
#include "functions/scalar_function.h"

namespace clepsydra {

// Keeps the last pattern compiled: a constant one is compiled once, others as they change.
// Programs are run by one thread at a time, so that a call site may change.
template <typename Pattern>
class PatternSite final : public CallSite {
 public:
  using Compile = Result<Pattern> (*)(std::string_view pattern, std::string_view escape);
  explicit PatternSite(Compile compile) : compile_(compile) {}

  // Null when the pattern is wrong; problem() then says why.
  Pattern* get(std::string_view pattern, std::string_view escape) const {
    if (!known_ || pattern != pattern_ || escape != escape_) {
      known_ = true;
      pattern_ = pattern;
      escape_ = escape;
      Result<Pattern> compiled = compile_(pattern, escape);
      if (compiled.is_ok()) {
        compiled_ = *std::move(compiled);
      } else {
        compiled_.reset();
        problem_ = compiled.status();
      }
    }
    return compiled_ ? &*compiled_ : nullptr;
  }
  [[nodiscard]] const Status& problem() const { return problem_; }

 private:
  Compile compile_;
  mutable bool known_ = false;
  mutable std::string pattern_;
  mutable std::string escape_;
  mutable std::optional<Pattern> compiled_;
  mutable Status problem_;
};

}  // namespace clepsydra
