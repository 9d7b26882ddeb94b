#include "operators/window/slice_store.h"

#include <span>
#include <string>
#include <utility>

#include "base/check.h"

namespace clepsydra {

Result<SliceStore> SliceStore::make(const WindowSpec& spec, AggregateRow aggregates,
                                    std::vector<DataType> key_types, KeyedStateBackend& backend) {
  SliceStore store(spec, std::move(aggregates));
  store.key_types_ = std::move(key_types);
  store.backend_ = &backend;
  CLP_ASSIGN_OR_RETURN(store.slices_, store.open_state("slices", true));
  store.timers_ = &backend.open_timers("windows");
  return store;
}

Result<KeyedRows*> SliceStore::open_state(std::string_view name, bool is_stored) {
  return backend_->open_rows({.name = std::string(name),
                              .key_types = key_types_,
                              .value_bytes = aggregates_->value_bytes(),
                              .codec = is_stored ? codec_ : nullptr});
}

Status SliceStore::add(KeyedRows& state, StateNamespace ns, const SliceInput& input) {
  const auto count = static_cast<std::size_t>(input.keys.count);
  if (into_.size() < count) into_.resize(count);
  const std::span<std::byte*> values(into_.data(), count);
  CLP_RETURN_IF_ERROR(state.find_or_insert(ns, input.keys, values));
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, state.memory(ns));
  if (input.partials_column < 0) {
    return aggregates_->update(values, input.keys.rows, *input.batch, *memory);
  }
  return aggregates_->merge_partials(values, input.keys.rows, *input.batch, input.partials_column,
                                     *memory);
}

void SliceStore::drop_slices_until(std::int64_t end) {
  for (const StateNamespace slice_end : slices_->namespaces()) {
    if (slice_end > end) return;
    slices_->drop(slice_end);
  }
}

Status SliceStore::merge(KeyedRows& from, StateNamespace from_ns, KeyedRows& into,
                         StateNamespace into_ns) {
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, into.memory(into_ns));
  from_.resize(kBlockRows);
  into_.resize(kBlockRows);
  KeyedRows::Cursor cursor;
  while (const auto count = static_cast<std::size_t>(from.scan(from_ns, cursor, from_))) {
    const std::span<std::byte*> source(from_.data(), count);
    const std::span<std::byte*> target(into_.data(), count);
    CLP_RETURN_IF_ERROR(into.find_or_insert_same(into_ns, source, target));
    CLP_RETURN_IF_ERROR(aggregates_->merge(target, source, *memory));
    CLP_RETURN_IF_ERROR(backend_->release_rows());
  }
  return Status::ok();
}

Status SliceStore::subtract(KeyedRows& from, StateNamespace from_ns, KeyedRows& into,
                            StateNamespace into_ns) {
  CLP_ASSIGN_OR_RETURN(StateMemory* const memory, into.memory(into_ns));
  from_.resize(kBlockRows);
  into_.resize(kBlockRows);
  std::vector<std::byte*> emptied;
  KeyedRows::Cursor cursor;
  while (const auto count = static_cast<std::size_t>(from.scan(from_ns, cursor, from_))) {
    const std::span<std::byte*> source(from_.data(), count);
    const std::span<std::byte*> target(into_.data(), count);
    CLP_RETURN_IF_ERROR(into.find_or_insert_same(into_ns, source, target));
    CLP_RETURN_IF_ERROR(aggregates_->subtract(target, source));
    emptied.clear();
    for (std::byte* value : target) {
      if (AggregateRow::row_count(value) == 0) emptied.push_back(value);
    }
    aggregates_->destroy(emptied, *memory);
    into.erase(into_ns, emptied);
    CLP_RETURN_IF_ERROR(backend_->release_rows());
  }
  return Status::ok();
}

}  // namespace clepsydra
