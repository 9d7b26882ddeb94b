#include "base/edit_distance.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clepsydra {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

// Names longer than this are nobody's typing mistake; the bound keeps the quadratic work small.
constexpr std::size_t kWordMax = 128;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  // Three rows of the usual table: two back for swaps, one back, and the current one.
  std::vector<std::size_t> two_back(a.size() + 1);
  std::vector<std::size_t> one_back(a.size() + 1);
  std::vector<std::size_t> row(a.size() + 1);
  for (std::size_t i = 0; i <= a.size(); ++i) one_back[i] = i;
  for (std::size_t j = 1; j <= b.size(); ++j) {
    row[0] = j;
    std::size_t best = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[i] = std::min({one_back[i] + 1, row[i - 1] + 1, one_back[i - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[i] = std::min(row[i], two_back[i - 2] + 1);
      }
      best = std::min(best, row[i]);
    }
    if (best > limit) return limit + 1;
    std::swap(two_back, one_back);
    std::swap(one_back, row);
  }
  return std::min(one_back[a.size()], limit + 1);
}

std::vector<std::string> close_names(std::string_view word, std::span<const std::string> candidates,
                                     std::size_t count_max) {
  if (word.empty() || word.size() > kWordMax) return {};
  const std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
  const std::string lower_word = lower(word);
  std::vector<std::pair<std::size_t, const std::string*>> found;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > kWordMax) continue;
    std::size_t distance = edit_distance(word, candidate, limit);
    if (distance > limit) {
      // A part of a name, behind all that are only mistyped.
      if (word.size() < 3 || lower(candidate).find(lower_word) == std::string::npos) continue;
      distance = kWordMax + candidate.size();
    }
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const auto& entry) { return *entry.second == candidate; });
    if (!known) found.emplace_back(distance, &candidate);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < found.size() && i < count_max; ++i) names.push_back(*found[i].second);
  return names;
}

std::string did_you_mean(std::span<const std::string> names) {
  if (names.empty()) return {};
  std::string text = " Did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "'" + names[i] + "'";
  }
  return text + "?";
}

}  // namespace clepsydra
