// Patterns of LIKE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// "%" is any text, "_" one character; `escape` in front of them makes them ordinary.
class LikePattern {
 public:
  LikePattern() = default;
  // `escape`: empty for none, else one character; InvalidArgument otherwise.
  static Result<LikePattern> compile(std::string_view pattern, std::string_view escape);
  [[nodiscard]] bool matches(std::string_view text) const;
  // Bytes that every matching text has, and its first byte, or 0 when that may be any.
  [[nodiscard]] std::int32_t bytes_min() const { return bytes_min_; }
  [[nodiscard]] char first_byte() const { return first_byte_; }

 private:
  // What stands between two "%".
  struct Segment {
    std::string text;             // "_" as a zero byte where `wildcards` says so.
    std::vector<bool> wildcards;  // By byte of `text`; empty when there are none.
  };
  // The end of `segment` when `text` starts with it at `begin`, else npos.
  static std::size_t match_at(const Segment& segment, std::string_view text, std::size_t begin);
  static std::size_t find(const Segment& segment, std::string_view text, std::size_t begin,
                          std::size_t& end);
  static bool matches_end(const Segment& segment, std::string_view text, std::size_t begin);

  std::vector<Segment> segments_;  // One more than there are "%".
  std::int32_t bytes_min_ = 0;
  char first_byte_ = 0;
};

}  // namespace clepsydra
