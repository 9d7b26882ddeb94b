// Finds the field and record separators of CSV text, 64 bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/csv/csv_options.h"

namespace clepsydra {

// The rules of quoting, a byte at a time: a quote opens only at the start of a field, two quotes
// inside stand for one, an escape makes the next byte ordinary.
class CsvState {
 public:
  explicit CsvState(const CsvOptions& options)
      : delimiter_(options.delimiter), quote_(options.quote), escape_(options.escape) {}

  // Passes over one byte; true when it separates fields or records.
  bool step(char c) {
    if (escaped_) {
      escaped_ = false;
      return false;
    }
    if (escape_ && c == *escape_) {
      escaped_ = true;
      if (place_ == Place::kFieldStart) place_ = Place::kUnquoted;
      return false;
    }
    if (quote_ && c == *quote_) {
      if (place_ == Place::kFieldStart || place_ == Place::kQuoteInQuoted) {
        place_ = Place::kQuoted;
      } else if (place_ == Place::kQuoted) {
        place_ = Place::kQuoteInQuoted;
      }
      return false;
    }
    if (place_ == Place::kQuoted) return false;
    const bool separates = c == delimiter_ || c == '\n';
    place_ = separates ? Place::kFieldStart : Place::kUnquoted;
    return separates;
  }

  // Passes over the bytes up to the next that is a quote or an escape, which stays; how many.
  std::size_t pass_ordinary(std::string_view bytes) {
    if (escaped_) return 0;
    std::string_view run = bytes;
    if (quote_) run = run.substr(0, run.find(*quote_));
    if (escape_) run = run.substr(0, run.find(*escape_));
    if (!run.empty() && place_ != Place::kQuoted) {
      place_ =
          run.back() == delimiter_ || run.back() == '\n' ? Place::kFieldStart : Place::kUnquoted;
    }
    return run.size();
  }

  [[nodiscard]] bool inside_quotes() const { return place_ == Place::kQuoted; }
  // Takes up after bytes that were passed over by other means.
  void resume(bool inside_quotes, char last) {
    escaped_ = false;
    place_ = inside_quotes                        ? Place::kQuoted
             : quote_ && last == *quote_          ? Place::kQuoteInQuoted
             : last == delimiter_ || last == '\n' ? Place::kFieldStart
                                                  : Place::kUnquoted;
  }

 private:
  enum class Place : std::uint8_t { kFieldStart, kUnquoted, kQuoted, kQuoteInQuoted };
  char delimiter_;
  std::optional<char> quote_;
  std::optional<char> escape_;
  Place place_ = Place::kFieldStart;
  bool escaped_ = false;
};

// Walks over a chunk from its start, a record's start, and notes the place of every delimiter and
// line feed that is not inside quotes.
class CsvIndex {
 public:
  explicit CsvIndex(const CsvOptions& options)
      : delimiter_(options.delimiter),
        quote_(options.quote),
        has_escape_(options.escape.has_value()),
        start_(options),
        state_(options) {}

  void reset(std::string_view chunk);
  // Indexes about `bytes` more bytes. False when the chunk was already done.
  bool advance(std::size_t bytes);

  // Offsets in the chunk, ascending.
  [[nodiscard]] const std::vector<std::uint32_t>& separators() const { return separators_; }
  [[nodiscard]] bool inside_quotes() const { return state_.inside_quotes(); }

 private:
  // Stops early at a block where parity of quotes does not tell what is quoted.
  void advance_blocks(std::size_t end);
  void advance_bytes(std::size_t end);

  char delimiter_;
  std::optional<char> quote_;
  bool has_escape_;
  CsvState start_;
  CsvState state_;  // After the last indexed byte.
  std::string_view chunk_;
  std::size_t indexed_ = 0;
  std::vector<std::uint32_t> separators_;
};

}  // namespace clepsydra
