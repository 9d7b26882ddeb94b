// A place in a program that compiles texts: patterns of LIKE, regular expressions, date formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clepsydra/status.h"
#include "functions/scalar_function.h"
#include "functions/vector.h"

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

// The patterns of a call, row by row. A constant one is looked up once per batch.
template <typename Pattern>
class PatternReader {
 public:
  // `escape`: null for none. Borrows both and the site for the batch.
  PatternReader(const PatternSite<Pattern>& site, const Vector& pattern, const Vector* escape)
      : site_(site),
        pattern_(pattern),
        escape_(escape),
        is_constant_(pattern.is_constant && (escape == nullptr || escape->is_constant)) {}

  // Null when the pattern is wrong; the site's problem() then says why.
  Pattern* operator[](std::int32_t row) {
    if (constant_ != nullptr) return constant_;
    Pattern* found = site_.get(pattern_.string_at(row),
                               escape_ == nullptr ? std::string_view() : escape_->string_at(row));
    if (is_constant_) constant_ = found;
    return found;
  }

 private:
  const PatternSite<Pattern>& site_;
  const Vector& pattern_;
  const Vector* escape_;
  const bool is_constant_;
  Pattern* constant_ = nullptr;
};

}  // namespace clepsydra
