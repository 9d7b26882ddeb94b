// Aggregate functions at run time: vectorised over accumulators that live where the operator keeps
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// Where accumulators keep what does not fit in their fixed-size row: strings, lists, sets of
// values. Blocks never move and start at 16-byte boundaries. Implemented by state's arenas, and by
// PoolStateAllocator for accumulators that live only within a task.
class StateAllocator {
 public:
  virtual ~StateAllocator() = default;
  // `bytes` > 0. Error: ResourceExhausted, and `block` is untouched.
  virtual Status allocate(std::int64_t bytes, std::byte*& block) = 0;
  // `bytes` as it was allocated.
  virtual void free(std::byte* block, std::int64_t bytes) = 0;
  // What it is charged to; functions take scratch memory from there.
  virtual MemoryPool& pool() = 0;
};

// Rows to add to accumulators. Row i of the call is row `rows[i]` of the columns (row i when `rows`
// is null) and goes into the accumulator at states[i] + offset; the same accumulator may occur
// often.
struct AggregateInput {
  std::span<std::byte* const> states;
  std::int64_t offset = 0;
  const std::int32_t* rows = nullptr;
  std::span<const Column> arguments;  // As make_aggregate() was told; empty for COUNT(*).
  const Column* filter = nullptr;     // FILTER (WHERE ...): BOOLEAN; only rows that are TRUE count.
};

// One aggregate call ("SUM(price)"). The operator owns the memory of the accumulators and gives one
// pointer per row; an operator with several aggregates lays their accumulators side by side in one
// state row and passes the same pointers with another offset. One virtual call per batch, none per
// row; no allocation per row but for values kept out of line.
//
// An accumulator is state_bytes() bytes at an 8-byte boundary.
//   - All zero bytes are the empty accumulator: memset makes one.
//   - It may be moved by memcpy; afterwards only one of the two copies may be used.
//   - When has_out_of_line(): destroy() must be called before it is dropped, unless the whole
//   allocator is
//     dropped with it.
// Merging is associative, and commutative but for order-sensitive functions, up to rounding of
// FLOAT and DOUBLE sums. DISTINCT is part of the accumulator: it holds the set of values seen,
// merge() unites sets, so slices, windows and partials of DISTINCT merge like all others.
//
// Threads: one at a time (keeps scratch memory between calls).
class AggregateFunction {
 public:
  virtual ~AggregateFunction() = default;

  [[nodiscard]] virtual std::int64_t state_bytes() const = 0;  // A multiple of 8.
  [[nodiscard]] virtual bool has_out_of_line() const { return false; }
  // True when subtract() works and is exact.
  [[nodiscard]] virtual bool is_invertible() const { return false; }
  // True when the result depends on the order of rows (LISTAGG): not to be split into local and
  // global.
  [[nodiscard]] virtual bool is_order_sensitive() const { return false; }
  [[nodiscard]] virtual const DataType& result_type() const = 0;
  // The columns that an accumulator becomes when it travels or is stored.
  [[nodiscard]] virtual const std::vector<DataType>& state_types() const = 0;

  // Adds rows. On an error (memory) some rows may have been added.
  virtual Status update(const AggregateInput& input, StateAllocator& allocator) = 0;
  // Adds accumulator from[i] to into[i], for each i in order; `from` stays as it was. Never into
  // itself. Copying is merging into an empty one.
  virtual Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
                       std::int64_t offset, StateAllocator& allocator) = 0;
  // Undoes a merge of from[i] into into[i]; only when is_invertible().
  virtual Status subtract(std::span<std::byte* const> into, std::span<std::byte* const> from,
                          std::int64_t offset);
  // Adds partials: like update(), with the columns of write_state() as arguments and no filter.
  virtual Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) = 0;
  // Appends state_types().size() columns with one row per accumulator.
  virtual Status write_state(std::span<std::byte* const> states, std::int64_t offset,
                             MemoryPool& pool, std::vector<Column>& out) const = 0;
  // The results, one row per accumulator, of result_type(). The accumulators stay as they are.
  virtual Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                              MemoryPool& pool) = 0;
  // Gives back what the accumulators hold out of line and makes them empty.
  virtual void destroy(std::span<std::byte* const> states, std::int64_t offset,
                       StateAllocator& allocator);
};
using AggregateFunctionPtr = std::unique_ptr<AggregateFunction>;

// `function`, `argument_types` and `result_type` as FunctionRegistry::resolve_aggregate() gave
// them. InvalidArgument for a name or types that have no aggregate (a spec from another version).
Result<AggregateFunctionPtr> make_aggregate(std::string_view function,
                                            const std::vector<DataType>& argument_types,
                                            const DataType& result_type, bool distinct);

// Blocks from slabs charged to a pool, freed blocks are used again. Everything goes at reset() or
// with it.
class PoolStateAllocator final : public StateAllocator {
 public:
  explicit PoolStateAllocator(MemoryPool& pool);
  ~PoolStateAllocator() override;
  PoolStateAllocator(const PoolStateAllocator&) = delete;
  PoolStateAllocator& operator=(const PoolStateAllocator&) = delete;

  Status allocate(std::int64_t bytes, std::byte*& block) override;
  void free(std::byte* block, std::int64_t bytes) override;
  MemoryPool& pool() override;
  // Drops every block at once.
  void reset();
  // Bytes of live blocks.
  [[nodiscard]] std::int64_t used_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace clepsydra
