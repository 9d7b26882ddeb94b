// Values of rows that are columns: how batches put them into state and get them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/key_layout.h"
#include "state/keyed_state.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// A value is a word of null bits, then a word per number and two per DECIMAL or text; long texts
// lie in the memory of the namespace. Stored as the columns that they are. Threads: the owner of
// the state.
class ValueColumns final : public RowValueCodec {
 public:
  // Unimplemented for nested types.
  static Result<std::shared_ptr<ValueColumns>> make(std::vector<Field> fields);

  [[nodiscard]] std::int64_t value_bytes() const { return kNullBytes + layout_.key_bytes(); }
  // Row rows[i] (row i when `rows` is null) of the columns into values[i], in this order; what was
  // there goes. ResourceExhausted: the value is new, or as it was.
  Status set(std::span<const Column> columns, const std::int32_t* rows,
             std::span<std::byte* const> values, StateMemory& memory);

  // Of a BIGINT column that is not NULL.
  [[nodiscard]] std::int64_t& number(std::byte* value, std::size_t column) const {
    return *reinterpret_cast<std::int64_t*>(value + kNullBytes + layout_.slots()[column].offset);
  }

  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  [[nodiscard]] bool is_flat() const override { return !layout_.has_text(); }
  // A null value is a row of NULLs.
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override;
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& memory) override;
  void clear(std::span<std::byte* const> values, StateMemory& memory) override;

 private:
  static constexpr std::int64_t kNullBytes = 8;

  ValueColumns(std::vector<Field> fields, KeyLayout layout)
      : fields_(std::move(fields)), layout_(std::move(layout)) {}

  const std::vector<Field> fields_;
  const KeyLayout layout_;
  KeyLayout::Encoder encoder_;
  std::vector<std::byte> absent_;  // A value of NULLs.
};

// Leaves of rows that were found those that are there, each once.
void keep_each_once(std::vector<std::byte*>& rows);
// Removes rows, each once, of a state that has this codec, with what their values hold.
Status erase_rows(KeyedRows& state, RowValueCodec& codec, StateNamespace ns,
                  std::span<std::byte* const> rows);

}  // namespace clepsydra
