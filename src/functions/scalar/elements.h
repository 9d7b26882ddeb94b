// What the functions over arrays and maps share: arguments that are lists, comparing elements.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "functions/scalar_function.h"
#include "stream/column.h"
#include "stream/column_builder.h"

namespace clepsydra {

// An argument that is an array or a map: a range of elements per row.
struct ListArgument {
  Column column;

  static Result<ListArgument> make(const KernelCall& call, int argument);
  [[nodiscard]] bool is_null(std::int32_t row) const { return column.is_null(row); }
  [[nodiscard]] std::int32_t begin(std::int32_t row) const {
    return column.values<std::int32_t>()[row];
  }
  [[nodiscard]] std::int32_t end(std::int32_t row) const {
    return column.values<std::int32_t>()[row + 1];
  }
  // Elements, or keys of a map.
  [[nodiscard]] const Column& elements() const { return column.child(0); }
  // Of a map.
  [[nodiscard]] const Column& values() const { return column.child(1); }
};

// NULL equals NULL, NaN equals NaN, 0.0 equals -0.0; nested values by their parts. Both columns
// have the same physical type.
bool equal_elements(const Column& a, std::int64_t i, const Column& b, std::int64_t j);

// A set of elements of some columns of one type, used for one row after the other.
class ElementSet {
 public:
  // Of several columns; they stay as long as the set. Answers their number.
  int add_column(const Column& elements);
  // Forgets all; room for `elements` of them.
  void clear(std::int64_t elements);
  // False when an equal one is there.
  bool insert(int column, std::int32_t index);
  [[nodiscard]] bool contains(int column, std::int32_t index) const;
  // The one that is equal, or {-1, -1}.
  [[nodiscard]] std::pair<int, std::int32_t> find(int column, std::int32_t index) const;

 private:
  using Entry = std::pair<int, std::int32_t>;
  [[nodiscard]] std::size_t slot_of(int column, std::int32_t index) const;

  struct Source {
    const Column* elements;
    std::vector<std::uint64_t> hashes;
  };
  std::vector<Source> sources_;
  std::vector<Entry> slots_;  // A power of two; column -1: free.
};

// Builds the result row by row: add(row, builder) appends one value for each row that is asked for
// and not NULL yet, and answers false after a failure.
template <typename F>
bool build_result(KernelCall& call, F&& add) {
  ColumnBuilder builder(call.out.type, *call.context.pool);
  for (std::int32_t i = 0; i < call.rows.count; ++i) {
    const std::int32_t row = call.rows.is_dense() ? i : call.rows.indices[i];
    while (builder.length() < row) builder.append_null();  // Not asked for.
    if (call.out.validity != nullptr && !get_bit(call.out.validity, row)) {
      builder.append_null();
    } else if (!add(row, builder)) {
      return false;
    }
  }
  while (builder.length() < call.rows.length) builder.append_null();
  return call.set_result(builder.finish());
}

}  // namespace clepsydra
