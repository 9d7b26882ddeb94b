// State of one value per key: columns in, columns out, a batch of keys at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/value_columns.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class KeyedStateBackend;
class MemoryPool;

// A value is a row of columns. Columns of values stand beside those of the keys: row keys.rows[i]
// belongs to key i. Threads: the owner of the state.
class ValueState {
 public:
  static Result<ValueState> open(KeyedStateBackend& backend, std::string name,
                                 std::vector<DataType> key_types, std::vector<Field> values,
                                 MemoryPool& pool, const StateTtl& ttl = {});

  // Of equal keys of a call, the last one stays.
  Status put(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values);
  // Appends one column per value; NULL where there is none, and there `found` is null.
  Status get(StateNamespace ns, const KeyBatch& keys, std::vector<Column>& values,
             std::vector<const std::byte*>& found);
  Status erase(StateNamespace ns, const KeyBatch& keys);
  void drop(StateNamespace ns) { rows_->drop(ns); }

 private:
  ValueState(KeyedRows& rows, std::shared_ptr<ValueColumns> values, MemoryPool& pool)
      : rows_(&rows), values_(std::move(values)), pool_(&pool) {}

  KeyedRows* rows_;
  std::shared_ptr<ValueColumns> values_;  // Shared with the state's spec.
  MemoryPool* pool_;
  std::vector<std::byte*> found_;  // Scratch.
};

}  // namespace clepsydra
