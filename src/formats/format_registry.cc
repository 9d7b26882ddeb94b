#include "formats/format_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clepsydra {

void FormatRegistry::add(Entry entry) {
  std::string name(entry.table->name());
  entries_.insert_or_assign(std::move(name), std::move(entry));
}

const TableFormat* FormatRegistry::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.table.get();
}

std::vector<std::string> FormatRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

Result<std::unique_ptr<Format>> FormatRegistry::make(std::string_view name,
                                                     const FormatRequest& request) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return Status::not_found(
        fmt::format("there is no format '{}'; known formats: {}", name, fmt::join(names(), ", ")));
  }
  return found->second.make(request);
}

const FormatRegistry& FormatRegistry::built_in() {
  static const FormatRegistry registry = [] {
    FormatRegistry built;
    register_all_formats(built);
    return built;
  }();
  return registry;
}

}  // namespace clepsydra
