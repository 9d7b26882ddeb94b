// The aggregates of one operator side by side in one row of state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "functions/aggregate_function.h"
#include "state/keyed_state.h"
#include "stream/batch.h"

namespace clepsydra {

class MemoryPool;

// Lets accumulators keep what is out of line in the memory of a namespace.
class StateMemoryAllocator final : public StateAllocator {
 public:
  explicit StateMemoryAllocator(StateMemory& memory) : memory_(&memory) {}
  Status allocate(std::int64_t bytes, std::byte*& block) override {
    return memory_->allocate(bytes, block);
  }
  void free(std::byte* block, std::int64_t bytes) override { memory_->free(block, bytes); }
  MemoryPool& pool() override { return memory_->pool(); }

 private:
  StateMemory* memory_;
};

// A row is the number of input rows that went into it, then one accumulator per aggregate.
// Threads: the task's.
class AggregateRow {
 public:
  // `calls` is a list of {function, arguments: [column], argument_types: [type] | absent, filter:
  // column | -1, distinct, type: result type, name}. Without argument_types the arguments are
  // columns of `input`; with `partials` they are not looked at and argument_types must be there.
  static Result<AggregateRow> make(const ValueTree::List& calls, const Schema& input,
                                   bool partials);

  [[nodiscard]] std::int64_t value_bytes() const { return value_bytes_; }
  [[nodiscard]] int size() const { return static_cast<int>(calls_.size()); }
  [[nodiscard]] bool is_invertible() const;
  [[nodiscard]] bool is_order_sensitive() const;
  [[nodiscard]] bool has_out_of_line() const;
  // Columns of all accumulators together.
  [[nodiscard]] int state_columns() const;

  [[nodiscard]] static std::int64_t& row_count(std::byte* value) {
    return *reinterpret_cast<std::int64_t*>(value);
  }

  // Row rows[i] of the batch goes into values[i].
  Status update(std::span<std::byte* const> values, const std::int32_t* rows, const Batch& batch,
                StateMemory& memory);
  // The same with partial results: row counts in column `rows_column`, accumulators in those behind
  // it.
  Status merge_partials(std::span<std::byte* const> values, const std::int32_t* rows,
                        const Batch& batch, int rows_column, StateMemory& memory);
  // from[i] into into[i], which lie in different namespaces.
  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               StateMemory& memory);
  // Only when is_invertible().
  Status subtract(std::span<std::byte* const> into, std::span<std::byte* const> from);
  // Gives back what the values hold in `memory`.
  void destroy(std::span<std::byte* const> values, StateMemory& memory);

  // Row counts and accumulators as columns, named by place and function. The comment of a field is
  // what its type does not tell and a reader must have the same.
  [[nodiscard]] std::vector<Field> partial_fields() const;
  // Appends the row counts and the columns of the accumulators.
  Status write_partials(std::span<std::byte* const> values, MemoryPool& pool,
                        std::vector<Column>& out);
  // Appends one column per aggregate.
  Status emit(std::span<std::byte* const> values, MemoryPool& pool, std::vector<Column>& out);

 private:
  struct Call {
    std::string name;     // "SUM", "COUNT DISTINCT".
    std::string meaning;  // Of its accumulator's columns.
    AggregateFunctionPtr function;
    std::vector<int> arguments;
    int filter = -1;
    std::int64_t offset = 0;
  };
  std::vector<Call> calls_;
  std::int64_t value_bytes_ = sizeof(std::int64_t);
  std::vector<Column> arguments_;  // Scratch.
};

// Stores rows as partial results. Threads: the task's.
class AggregateRowCodec final : public RowValueCodec {
 public:
  explicit AggregateRowCodec(std::shared_ptr<AggregateRow> aggregates);

  [[nodiscard]] const std::vector<Field>& fields() const override { return schema_->fields(); }
  [[nodiscard]] bool is_flat() const override { return !aggregates_->has_out_of_line(); }
  // Names tell accumulators by place, so a field more or less would hand some of them to others.
  [[nodiscard]] Status check_stored(std::span<const Field> stored) const override;
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override;
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& memory) override;
  void clear(std::span<std::byte* const> values, StateMemory& memory) override;

 private:
  const std::shared_ptr<AggregateRow> aggregates_;  // Shared with who aggregates.
  const SchemaPtr schema_;
};

}  // namespace clepsydra
