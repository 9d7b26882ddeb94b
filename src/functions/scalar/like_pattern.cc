#include "functions/scalar/like_pattern.h"

#include <fmt/format.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace clepsydra {
namespace {

bool equal_bytes(const char* a, const char* b, std::size_t count) {
  // Most patterns have short parts, for which a call costs more than the bytes.
  if (count > 8) return std::memcmp(a, b, count) == 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// text.find(part, begin): by first and last byte of the part, sixteen places at a time.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t begin) {
  if (part.empty()) return begin;
  if (text.size() < part.size()) return std::string_view::npos;
  const std::size_t end = text.size() - part.size() + 1;  // Of the places where it may begin.
  const char* bytes = text.data();
  const std::size_t last = part.size() - 1;
  std::size_t at = begin;
#ifdef __SSE2__
  const __m128i first_byte = _mm_set1_epi8(part.front());
  const __m128i last_byte = _mm_set1_epi8(part.back());
  for (; at + 16 <= end; at += 16) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    const __m128i there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + last));
    auto places = static_cast<unsigned>(_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(here, first_byte), _mm_cmpeq_epi8(there, last_byte))));
    for (; places != 0; places &= places - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(places));
      if (equal_bytes(bytes + place, part.data(), part.size())) return place;
    }
  }
#endif
  for (; at < end; ++at) {
    if (bytes[at] == part.front() && bytes[at + last] == part.back() &&
        equal_bytes(bytes + at, part.data(), part.size())) {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

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
  std::size_t bytes_min = 0;
  for (const Segment& each : compiled.segments_) bytes_min += each.text.size();
  compiled.bytes_min_ = static_cast<std::int32_t>(
      std::min<std::size_t>(bytes_min, std::numeric_limits<std::int32_t>::max()));
  const Segment& first = compiled.segments_.front();
  const bool is_known = !first.text.empty() && (first.wildcards.empty() || !first.wildcards[0]);
  compiled.first_byte_ = is_known ? first.text[0] : '\0';
  return compiled;
}

std::size_t LikePattern::match_at(const Segment& segment, std::string_view text,
                                  std::size_t begin) {
  if (segment.wildcards.empty()) {
    const std::size_t size = segment.text.size();
    const bool starts =
        text.size() - begin >= size && equal_bytes(text.data() + begin, segment.text.data(), size);
    return starts ? begin + size : std::string_view::npos;
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
    const std::size_t found = find_text(text, segment.text, begin);
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
    const std::size_t size = segment.text.size();
    return text.size() - begin >= size &&
           equal_bytes(text.data() + text.size() - size, segment.text.data(), size);
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
