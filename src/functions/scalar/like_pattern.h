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
};

}  // namespace clepsydra
