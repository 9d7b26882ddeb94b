#include "state/value_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace clepsydra {

Result<std::shared_ptr<ValueColumns>> ValueColumns::make(std::vector<Field> fields) {
  std::vector<DataType> types;
  for (const Field& field : fields) {
    if (field.type.is_nested()) {
      return Status::unimplemented(
          fmt::format("a value of type {} cannot be kept in state as a column yet (field '{}')",
                      field.type.to_string(), field.name));
    }
    types.push_back(field.type);
  }
  // Null bits beyond the first ones lie behind the slots.
  CLP_ASSIGN_OR_RETURN(KeyLayout layout, KeyLayout::make(types, true));
  return std::shared_ptr<ValueColumns>(new ValueColumns(std::move(fields), std::move(layout)));
}

Status ValueColumns::set(std::span<const Column> columns, const std::int32_t* rows,
                         std::span<std::byte* const> values, StateMemory& memory) {
  CLP_CHECK(columns.size() == fields_.size());
  const EncodedKeys encoded =
      encoder_.encode(layout_, {.columns = columns,
                                .hashes = nullptr,
                                .rows = rows,
                                .count = static_cast<std::int64_t>(values.size())});
  const auto bytes = static_cast<std::size_t>(layout_.key_bytes());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::byte* const slots = values[i] + kNullBytes;
    if (layout_.has_text()) clear(values.subspan(i, 1), memory);
    const std::uint64_t null_bits = encoded.null_bits != nullptr ? encoded.null_bits[i] : 0;
    std::memcpy(values[i], &null_bits, sizeof(null_bits));
    if (bytes > 0) std::memcpy(slots, encoded.slots + i * bytes, bytes);
    if (!layout_.has_text()) continue;
    if (Status status = layout_.own_texts(slots, memory); !status.is_ok()) {
      std::memset(values[i], 0, static_cast<std::size_t>(value_bytes()));
      return status;
    }
  }
  return Status::ok();
}

Status ValueColumns::write(std::span<std::byte* const> values, MemoryPool& pool,
                           std::vector<Column>& out) {
  std::vector<KeyLayout::Key> keys;
  keys.reserve(values.size());
  for (const std::byte* value : values) {
    if (value == nullptr && absent_.empty()) {
      absent_.resize(static_cast<std::size_t>(value_bytes()), std::byte{0xFF});
    }
    const std::byte* const from = value != nullptr ? value : absent_.data();
    std::uint64_t null_bits = 0;
    std::memcpy(&null_bits, from, sizeof(null_bits));
    keys.push_back(
        {.slots = from + kNullBytes, .null_bits = static_cast<std::uint32_t>(null_bits)});
  }
  return layout_.read(keys, pool, out);
}

Status ValueColumns::read(std::span<const Column> columns, std::span<std::byte* const> values,
                          StateMemory& memory) {
  return set(columns, nullptr, values, memory);
}

void ValueColumns::clear(std::span<std::byte* const> values, StateMemory& memory) {
  for (std::byte* value : values) {
    if (layout_.has_text()) layout_.free_texts(value + kNullBytes, memory);
    std::memset(value, 0, static_cast<std::size_t>(value_bytes()));
  }
}

void keep_each_once(std::vector<std::byte*>& rows) {
  std::erase(rows, nullptr);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
}

Status erase_rows(KeyedRows& state, RowValueCodec& codec, StateNamespace ns,
                  std::span<std::byte* const> rows) {
  if (rows.empty()) return Status::ok();
  if (!codec.is_flat()) {
    // What a snapshot still needs of them goes out before their texts do.
    state.prepare_write(ns, rows);
    CLP_ASSIGN_OR_RETURN(StateMemory* const memory, state.memory(ns));
    codec.clear(rows, *memory);
  }
  state.erase(ns, rows);
  return Status::ok();
}

}  // namespace clepsydra
