// The formats by name: for the planner as TableFormat, for connectors as what makes a Format.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/format.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/data_type.h"

namespace clepsydra {

// What a table asks of a format.
struct FormatRequest {
  TableOptions options;  // The table's whole WITH clause; a format reads the keys with its prefix.
  SchemaPtr record;      // The columns of a record: all physical columns of the table.
  std::vector<int> columns;  // Which of them are decoded, in this order.
};

class FormatRegistry {
 public:
  struct Entry {
    std::shared_ptr<const TableFormat> table;  // Shared with planners; immutable.
    Result<std::unique_ptr<Format>> (*make)(const FormatRequest& request);
  };
  void add(Entry entry);
  [[nodiscard]] const TableFormat* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // NotFound lists the known names.
  Result<std::unique_ptr<Format>> make(std::string_view name, const FormatRequest& request) const;
  // All formats of this room.
  static const FormatRegistry& built_in();

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// Registers what REGISTER in CMakeLists.txt lists; written by the build.
void register_all_formats(FormatRegistry& registry);

}  // namespace clepsydra
