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

 private:
  struct Token {
    char letter = 0;  // 0: the literal.
    int count = 0;
    std::string literal;
  };
  struct Fields;

  static bool is_number(const Token& token);
  static bool is_fixed_width(const Token& token);
  bool format_token(const Token& token, std::int64_t millis, int nanos, std::string& out) const;
  [[nodiscard]] int digits_reserved_after(std::size_t token) const;
  bool parse_token(std::size_t token, std::string_view& text, Fields& fields) const;

  std::vector<Token> tokens_;
};

}  // namespace clepsydra
