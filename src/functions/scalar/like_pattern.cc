#include "functions/scalar/like_pattern.h"

#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"

namespace clepsydra {

Result<LikePattern> LikePattern::compile(std::string_view pattern, std::string_view escape) {
  if (utf8_length(escape) > 1) {
    return Status::invalid_argument(
        fmt::format("ESCAPE '{}' is not one character", clip(escape, 16)));
  }
  LikePattern compiled;
  Segment segment;
  const auto append = [&segment](std::string_view character, bool is_wildcard) {
    if (is_wildcard && segment.wildcards.empty()) segment.wildcards.resize(segment.text.size());
    segment.text += character;
    if (is_wildcard || !segment.wildcards.empty()) {
      segment.wildcards.resize(segment.text.size());
      if (is_wildcard) segment.wildcards.back() = true;
    }
  };
  for (std::size_t at = 0; at < pattern.size();) {
    std::size_t begin = at;
    utf8_next(pattern, at);
    std::string_view character = pattern.substr(begin, at - begin);
    if (!escape.empty() && character == escape) {
      begin = at;
      if (at < pattern.size()) utf8_next(pattern, at);
      character = pattern.substr(begin, at - begin);
      if (character != "%" && character != "_" && character != escape) {
        return Status::invalid_argument(
            fmt::format("\"{}\" has the escape character '{}' in front of what needs none",
                        clip(pattern, 64), escape));
      }
      append(character, false);
    } else if (character == "%") {
      compiled.segments_.push_back(std::exchange(segment, {}));
    } else {
      append(character == "_" ? std::string_view("\0", 1) : character, character == "_");
    }
  }
  compiled.segments_.push_back(std::move(segment));
  return compiled;
}

std::size_t LikePattern::match_at(const Segment& segment, std::string_view text,
                                  std::size_t begin) {
  if (segment.wildcards.empty()) {
    return text.substr(begin).starts_with(segment.text) ? begin + segment.text.size()
                                                        : std::string_view::npos;
  }
  for (std::size_t i = 0; i < segment.text.size(); ++i) {
    if (begin >= text.size()) return std::string_view::npos;
    if (segment.wildcards[i]) {
      utf8_next(text, begin);
    } else if (text[begin++] != segment.text[i]) {
      return std::string_view::npos;
    }
  }
  return begin;
}

std::size_t LikePattern::find(const Segment& segment, std::string_view text, std::size_t begin,
                              std::size_t& end) {
  if (segment.wildcards.empty()) {
    const std::size_t found = text.find(segment.text, begin);
    end = found + segment.text.size();
    return found;
  }
  while (begin <= text.size()) {
    end = match_at(segment, text, begin);
    if (end != std::string_view::npos) return begin;
    if (begin == text.size()) break;
    utf8_next(text, begin);
  }
  return std::string_view::npos;
}

// Whether text[begin, end) ends with the segment.
bool LikePattern::matches_end(const Segment& segment, std::string_view text, std::size_t begin) {
  if (segment.wildcards.empty()) {
    return text.size() - begin >= segment.text.size() && text.ends_with(segment.text);
  }
  // As many characters from the end as the segment has.
  std::size_t start = text.size();
  const std::int64_t characters = utf8_length(segment.text);
  for (std::int64_t i = 0; i < characters; ++i) {
    if (start <= begin) return false;
    --start;
    while (start > begin && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  }
  return match_at(segment, text, start) == text.size();
}

bool LikePattern::matches(std::string_view text) const {
  const std::size_t first_end = match_at(segments_.front(), text, 0);
  if (first_end == std::string_view::npos) return false;
  if (segments_.size() == 1) return first_end == text.size();
  std::size_t at = first_end;
  for (std::size_t i = 1; i + 1 < segments_.size(); ++i) {
    if (find(segments_[i], text, at, at) == std::string_view::npos) return false;
  }
  return matches_end(segments_.back(), text, at);
}

}  // namespace clepsydra
