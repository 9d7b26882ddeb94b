// All connectors by name: for the planner as TableConnector, for the runtime as what makes sources
// and sinks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/connector_runtime.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra {

class ConnectorRegistry final : public TableConnectorRegistry, public ConnectorRuntime {
 public:
  struct Entry {
    // Null for a connector that only the planner uses (VALUES).
    std::shared_ptr<const TableConnector> table = nullptr;
    std::string name = {};
    Result<std::unique_ptr<Source>> (*make_source)(const ValueTree& spec) = nullptr;
    Result<std::unique_ptr<Sink>> (*make_sink)(const ValueTree& spec) = nullptr;
  };
  void add(Entry entry);

  [[nodiscard]] const TableConnector* find_connector(std::string_view name) const override;
  [[nodiscard]] const TableFormat* find_format(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> connector_names() const override;
  [[nodiscard]] std::vector<std::string> format_names() const override;

  Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const override;
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override;

  // All connectors of this room.
  static const ConnectorRegistry& built_in();

 private:
  Result<const Entry*> find(const ValueTree& spec) const;
  std::map<std::string, Entry, std::less<>> entries_;
};

// Registers what REGISTER in CMakeLists.txt lists; written by the build.
void register_all_connectors(ConnectorRegistry& registry);

}  // namespace clepsydra
