#include "state/value_state.h"

#include <fmt/format.h>

#include "base/check.h"
#include "state/state_backend.h"

namespace clepsydra {

Result<ValueState> ValueState::open(KeyedStateBackend& backend, std::string name,
                                    std::vector<DataType> key_types, std::vector<Field> values,
                                    MemoryPool& pool, const StateTtl& ttl) {
  Result<std::shared_ptr<ValueColumns>> columns = ValueColumns::make(std::move(values));
  if (!columns.is_ok()) return columns.status().with_context(fmt::format("state '{}'", name));
  CLP_ASSIGN_OR_RETURN(KeyedRows* const rows,
                       backend.open_rows({.name = std::move(name),
                                          .key_types = std::move(key_types),
                                          .value_bytes = (*columns)->value_bytes(),
                                          .codec = *columns,
                                          .ttl = ttl}));
  return ValueState(*rows, *std::move(columns), pool);
}

Status ValueState::put(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values) {
  found_.resize(static_cast<std::size_t>(keys.count));
  CLP_RETURN_IF_ERROR(rows_->find_or_insert(ns, keys, found_));
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, rows_->memory(ns));
  return values_->set(values, keys.rows, found_, *memory);
}

Status ValueState::get(StateNamespace ns, const KeyBatch& keys, std::vector<Column>& values,
                       std::vector<const std::byte*>& found) {
  found_.resize(static_cast<std::size_t>(keys.count));
  CLP_RETURN_IF_ERROR(rows_->find(ns, keys, found_));
  found.assign(found_.begin(), found_.end());
  return values_->write(found_, *pool_, values);
}

Status ValueState::erase(StateNamespace ns, const KeyBatch& keys) {
  found_.resize(static_cast<std::size_t>(keys.count));
  CLP_RETURN_IF_ERROR(rows_->find(ns, keys, found_));
  keep_each_once(found_);
  return erase_rows(*rows_, *values_, ns, found_);
}

}  // namespace clepsydra
