#include "connectors/connector_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "formats/format_registry.h"

namespace clepsydra {

void ConnectorRegistry::add(Entry entry) {
  if (entry.table) entry.name = entry.table->name();
  std::string name = entry.name;
  entries_.insert_or_assign(std::move(name), std::move(entry));
}

const TableConnector* ConnectorRegistry::find_connector(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.table.get();
}

const TableFormat* ConnectorRegistry::find_format(std::string_view name) const {
  return FormatRegistry::built_in().find(name);
}

std::vector<std::string> ConnectorRegistry::connector_names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (entry.table) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ConnectorRegistry::format_names() const {
  return FormatRegistry::built_in().names();
}

Result<const ConnectorRegistry::Entry*> ConnectorRegistry::find(const ValueTree& spec) const {
  CLP_ASSIGN_OR_RETURN(const std::string name, spec.get_string("connector"));
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return Status::not_found(fmt::format("there is no connector '{}'; known connectors: {}", name,
                                         fmt::join(connector_names(), ", ")));
  }
  return &found->second;
}

Result<std::unique_ptr<Source>> ConnectorRegistry::make_source(const ValueTree& spec) const {
  CLP_ASSIGN_OR_RETURN(const Entry* entry, find(spec));
  if (entry->make_source == nullptr) {
    return Status::invalid_argument(fmt::format("connector '{}' cannot be read from", entry->name));
  }
  return entry->make_source(spec);
}

Result<std::unique_ptr<Sink>> ConnectorRegistry::make_sink(const ValueTree& spec) const {
  CLP_ASSIGN_OR_RETURN(const Entry* entry, find(spec));
  if (entry->make_sink == nullptr) {
    return Status::invalid_argument(
        fmt::format("connector '{}' cannot be written to", entry->name));
  }
  return entry->make_sink(spec);
}

const ConnectorRegistry& ConnectorRegistry::built_in() {
  static const ConnectorRegistry registry = [] {
    ConnectorRegistry built;
    register_all_connectors(built);
    return built;
  }();
  return registry;
}

}  // namespace clepsydra
