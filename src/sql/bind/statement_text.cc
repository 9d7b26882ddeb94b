#include "sql/bind/statement_text.h"

#include <fmt/format.h>

namespace clepsydra::sql {

std::string did_you_mean_name(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  const std::string_view closest = closest_name(name, views);
  return closest.empty() ? std::string() : fmt::format("did you mean '{}'?", closest);
}

std::string name_list(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesMax = 40;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kNamesMax) out += fmt::format(" and {} more", names.size() - kNamesMax);
  return out;
}

}  // namespace clepsydra::sql
