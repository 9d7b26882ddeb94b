// From a state as it was stored to the state as it is opened now: fields that are new, gone, wider
// or named otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/state_blocks.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// A field that was stored under another name.
struct FieldRename {
  std::string state;
  std::string from;
  std::string to;
  friend bool operator==(const FieldRename&, const FieldRename&) = default;
};

// Fields are found by name, keys by place. A field that was not stored is NULL, or, where it may
// not be, what the codec says of a new value; a stored field that nobody has is left out.
class SchemaEvolution {
 public:
  // FailedPrecondition when the state cannot be read: names it, and the old and the new type.
  static Result<SchemaEvolution> plan(const StoredSchema& stored, const KeyedRowsSpec& spec,
                                      std::span<const FieldRename> renames, MemoryPool& pool);

  // What is not as it was, a line each, with the name of the state.
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

  // Columns as they were stored, of keys alone or of keys and fields, to columns as they are now.
  Result<std::vector<Column>> convert_keys(std::span<const Column> stored, MemoryPool& pool) const;
  Result<std::vector<Column>> convert_rows(std::span<const Column> stored, std::int64_t rows,
                                           MemoryPool& pool) const;

 private:
  struct Source {
    int stored = -1;  // Column of a block of rows; -1: there is none.
    std::string name;
    DataType type;   // Now.
    Column initial;  // Of one row: where there is none and NULL is not possible.
  };

  Status plan_keys(const StoredSchema& stored, const KeyedRowsSpec& spec);
  Status plan_fields(const StoredSchema& stored, const KeyedRowsSpec& spec,
                     std::span<const FieldRename> renames);
  Status find_initials(const KeyedRowsSpec& spec, MemoryPool& pool);
  Result<Column> convert(const Source& source, const Column& column, MemoryPool& pool) const;

  std::string state_;
  std::vector<Source> keys_;
  std::vector<Source> fields_;
  std::vector<std::string> changes_;
};

}  // namespace clepsydra
