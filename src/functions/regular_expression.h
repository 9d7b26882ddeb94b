// Regular expressions in Java's syntax, as far as PCRE2's agrees with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// A compiled pattern (with machine code) and memory for one match.
//
// Threads: one at a time.
class RegularExpression {
 public:
  RegularExpression() = default;
  ~RegularExpression();
  RegularExpression(RegularExpression&&) noexcept;
  RegularExpression& operator=(RegularExpression&&) noexcept;

  // InvalidArgument says what is wrong and where.
  static Result<RegularExpression> compile(std::string_view pattern);

  enum class Outcome : std::uint8_t {
    kMatch,
    kNoMatch,
    kGaveUp,  // The pattern needs too many steps for this text.
  };
  // The first match at or after byte `start`. group() then speaks of it.
  Outcome find(std::string_view text, std::size_t start);
  // Whether the whole text matches.
  Outcome match_all(std::string_view text);

  [[nodiscard]] int group_count() const;  // Without group 0, the whole match.
  // Begin and end of group `i`; {npos, npos} when it took no part.
  [[nodiscard]] std::pair<std::size_t, std::size_t> group(int i) const;

 private:
  struct Impl;
  explicit RegularExpression(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace clepsydra
