// Patterns of dates and times as text ("yyyy-MM-dd HH:mm:ss"), in the letters of java.time's
// DateTimeFormatter with the texts of Locale.US.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// Immutable once compiled.
class DatePattern {
 public:
  // InvalidArgument names a letter that means nothing.
  static Result<DatePattern> compile(std::string_view pattern);

  // Appends the text of a local time: milliseconds since the epoch and nanoseconds below the
  // millisecond. False when the pattern asks for a time zone, which a local time does not have.
  bool format(std::int64_t millis, int nanos, std::string& out) const;
  // The local time that `text` says, all of it; what it leaves out is 1970-01-01 00:00:00. A day
  // that a month does not have is its last one, up to the 31st. False for other texts.
  bool parse(std::string_view text, std::int64_t& millis, int& nanos) const;

  // The length of every text of this pattern, when it is made of literals and numbers of fixed
  // width
  // ("yyyy-MM-dd HH:mm:ss.SSS") and short; 0 for others.
  [[nodiscard]] int fixed_bytes() const { return static_cast<int>(fixed_text_.size()); }
  // format() into `out`, which has room for fixed_bytes(), not 0. False for a year that does not
  // have the width.
  bool format_fixed(std::int64_t millis, int nanos, char* out) const;

 private:
  struct Token {
    char letter = 0;  // 0: the literal.
    int count = 0;
    std::string literal;
  };
  struct Fields;
  // A number and its place in fixed_text_.
  struct FixedNumber {
    char letter = 0;
    int count = 0;
    std::size_t place = 0;
  };

  void make_fixed();
  static bool is_number(const Token& token);
  static bool is_fixed_width(const Token& token);
  bool format_token(const Token& token, std::int64_t millis, int nanos, std::string& out) const;
  [[nodiscard]] int digits_reserved_after(std::size_t token) const;
  bool parse_token(std::size_t token, std::string_view& text, Fields& fields) const;

  std::vector<Token> tokens_;
  std::string fixed_text_;  // The literals, with room for the numbers; empty: see fixed_bytes().
  std::vector<FixedNumber> fixed_numbers_;
  bool fixed_has_date_ = false;
};

}  // namespace clepsydra
