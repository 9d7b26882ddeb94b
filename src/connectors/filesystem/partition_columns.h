// The columns of a table that stand in the names of its folders: their values, and which partitions
// are read at all.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;
struct FileSourceSpec;

// Threads: const methods, any.
class PartitionColumns {
 public:
  static Result<PartitionColumns> make(const FileSourceSpec& spec);

  [[nodiscard]] int size() const { return keys_->size(); }
  [[nodiscard]] const std::string& key(int i) const { return keys_->field(i).name; }
  // What key `i` holds in a folder with this value: one row. InvalidArgument for a text that is no
  // value of its type.
  [[nodiscard]] Result<Column> value(int i, std::string_view text, MemoryPool& pool) const;
  // Whether folders with this value of key `i` meet the conditions on it.
  [[nodiscard]] Result<bool> is_read(int i, std::string_view text) const;
  // One row per key, of the file `path`.
  [[nodiscard]] Result<std::vector<Column>> values_of(std::string_view path,
                                                      MemoryPool& pool) const;

 private:
  struct Condition {
    int key = 0;
    PartitionCondition::Kind kind = PartitionCondition::Kind::kOneOf;
    std::vector<Column> values;  // One row each.
  };

  [[nodiscard]] static bool is_met(const Condition& condition, const Column& value);

  std::shared_ptr<MemoryPool> pool_;  // Of the conditions; copies share them.
  std::string folder_;                // The table's.
  SchemaPtr keys_;
  std::string default_name_;
  std::vector<Condition> conditions_;
};

}  // namespace clepsydra
