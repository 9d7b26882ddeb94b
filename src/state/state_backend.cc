#include "state/state_backend.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/check.h"

namespace clepsydra {

void StateBackendRegistry::add(Entry entry) {
  std::string name = entry.name;
  const bool added = entries_.emplace(std::move(name), std::move(entry)).second;
  CLP_CHECK(added);
}

Result<std::unique_ptr<KeyedStateBackend>> StateBackendRegistry::make(
    std::string_view name, const StateBackendOptions& options) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return Status::not_found(
        fmt::format("'state.backend.type': there is no state backend '{}'; known: {}", name,
                    fmt::join(names(), ", ")));
  }
  return found->second.make(options);
}

std::vector<std::string> StateBackendRegistry::names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

bool StateBackendRegistry::uses_local_disk(std::string_view name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second.uses_local_disk;
}

const StateBackendRegistry& StateBackendRegistry::built_in() {
  static const StateBackendRegistry registry = [] {
    StateBackendRegistry all;
    register_all_state(all);
    return all;
  }();
  return registry;
}

}  // namespace clepsydra
