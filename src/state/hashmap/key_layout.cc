#include "state/hashmap/key_layout.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "base/check.h"
#include "state/word_type.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

constexpr std::size_t kHeaderNullColumns = 32;

template <typename T>
std::uint64_t to_word(T value, bool is_exact) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!is_exact && value == T{0}) value = T{0};  // -0.0 too.
    if (!is_exact && std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
    if constexpr (sizeof(T) == 4) {
      return std::bit_cast<std::uint32_t>(value);
    } else {
      return std::bit_cast<std::uint64_t>(value);
    }
  } else {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  }
}

template <typename T>
T from_word(std::uint64_t word) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(word));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(word);
  } else {
    return static_cast<T>(word);
  }
}

// Writes one column's words for all keys: at out[i * stride].
void encode_column(const Column& column, const std::int32_t* rows, std::int64_t count,
                   bool is_exact, std::uint64_t* out, std::int64_t stride) {
  const PhysicalType physical = column.type().physical();
  if (physical == PhysicalType::kView) {
    const auto* views = column.values<StringView16>();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = rows != nullptr ? rows[i] : i;
      auto* text = reinterpret_cast<std::byte*>(out + i * stride);
      std::memcpy(text, &views[row], sizeof(KeyText));
      if (!views[row].is_inline()) {
        const char* address = column.string_at(row).data();
        std::memcpy(text + 8, &address, sizeof(address));
      }
    }
  } else if (physical == PhysicalType::kInt128) {
    const auto* values = column.values<Int128>();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = rows != nullptr ? rows[i] : i;
      std::memcpy(out + i * stride, &values[row], sizeof(Int128));
    }
  } else if (physical != PhysicalType::kNone) {
    with_word_type(physical, [&](auto type) {
      const auto* values = column.values<decltype(type)>();
      for (std::int64_t i = 0; i < count; ++i) {
        out[i * stride] = to_word(values[rows != nullptr ? rows[i] : i], is_exact);
      }
    });
  }
}

}  // namespace

Result<KeyLayout> KeyLayout::make(const std::vector<DataType>& types, bool is_exact) {
  KeyLayout layout;
  layout.is_exact_ = is_exact;
  layout.types_ = types;
  for (const DataType& type : types) {
    if (type.is_nested()) {
      return Status::unimplemented(fmt::format(
          "a key of type {} cannot be kept in state yet; use its parts as keys", type.to_string()));
    }
    const PhysicalType physical = type.physical();
    layout.slots_.push_back({.physical = physical, .offset = layout.key_bytes_});
    switch (physical) {
      case PhysicalType::kNone:
        break;
      case PhysicalType::kView:
        layout.has_text_ = true;
        [[fallthrough]];
      case PhysicalType::kInt128:
        layout.key_bytes_ += 16;
        break;
      default:
        layout.key_bytes_ += 8;
    }
  }
  layout.null_words_offset_ = layout.key_bytes_;
  if (types.size() > kHeaderNullColumns) {
    layout.key_bytes_ +=
        static_cast<std::int64_t>((types.size() - kHeaderNullColumns + 63) / 64) * 8;
  }
  return layout;
}

EncodedKeys KeyLayout::Encoder::encode(const KeyLayout& layout, const KeyBatch& keys) {
  if (layout.slots_.size() == 1 && layout.slots_[0].physical == PhysicalType::kInt64 &&
      keys.rows == nullptr && keys.columns[0].null_count() == 0) {
    // The column's own values are in the right form.
    return {.slots = reinterpret_cast<const std::byte*>(keys.columns[0].values<std::int64_t>())};
  }
  const std::int64_t stride = layout.key_bytes_ / 8;
  words_.resize(static_cast<std::size_t>(keys.count * stride));
  bool has_header_nulls = false;
  if (layout.slots_.size() > kHeaderNullColumns) {
    const std::int64_t first = layout.null_words_offset_ / 8;
    for (std::int64_t i = 0; i < keys.count; ++i) {
      for (std::int64_t w = first; w < stride; ++w) {
        words_[static_cast<std::size_t>(i * stride + w)] = 0;
      }
    }
  }
  for (std::size_t c = 0; c < layout.slots_.size(); ++c) {
    const Column& column = keys.columns[c];
    const Slot& slot = layout.slots_[c];
    encode_column(column, keys.rows, keys.count, layout.is_exact_, words_.data() + slot.offset / 8,
                  stride);
    const bool all_null = slot.physical == PhysicalType::kNone;
    if (!all_null && column.null_count() == 0) continue;
    if (c < kHeaderNullColumns && !has_header_nulls) {
      has_header_nulls = true;
      null_bits_.assign(static_cast<std::size_t>(keys.count), 0);
    }
    const std::int64_t width =
        (c + 1 < layout.slots_.size() ? layout.slots_[c + 1].offset : layout.null_words_offset_) -
        slot.offset;
    for (std::int64_t i = 0; i < keys.count; ++i) {
      if (!all_null && !column.is_null(keys.rows != nullptr ? keys.rows[i] : i)) continue;
      std::uint64_t* key = words_.data() + i * stride;
      for (std::int64_t w = 0; w < width / 8; ++w) key[slot.offset / 8 + w] = 0;
      if (c < kHeaderNullColumns) {
        null_bits_[static_cast<std::size_t>(i)] |= 1U << c;
      } else {
        const std::size_t bit = c - kHeaderNullColumns;
        key[layout.null_words_offset_ / 8 + static_cast<std::int64_t>(bit / 64)] |= std::uint64_t{1}
                                                                                    << (bit % 64);
      }
    }
  }
  return {.slots = reinterpret_cast<const std::byte*>(words_.data()),
          .null_bits = has_header_nulls ? null_bits_.data() : nullptr};
}

bool KeyLayout::words_equal(const std::byte* a, const std::byte* b, std::int64_t from,
                            std::int64_t to) {
  for (std::int64_t at = from; at < to; at += 8) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a + at, 8);
    std::memcpy(&right, b + at, 8);
    if (left != right) return false;
  }
  return true;
}

bool KeyLayout::equal_with_text(const std::byte* a, const std::byte* b) const {
  for (const Slot& slot : slots_) {
    if (slot.physical == PhysicalType::kNone) continue;
    const std::int64_t at = slot.offset;
    if (slot.physical != PhysicalType::kView) {
      if (!words_equal(a, b, at, at + (slot.physical == PhysicalType::kInt128 ? 16 : 8))) {
        return false;
      }
      continue;
    }
    if (!words_equal(a, b, at, at + 8)) return false;
    KeyText left;
    KeyText right;
    std::memcpy(&left, a + at, sizeof(left));
    std::memcpy(&right, b + at, sizeof(right));
    if (left.is_inline()) {
      if (std::memcmp(left.rest, right.rest, sizeof(left.rest)) != 0) return false;
    } else if (left.address != right.address &&
               std::memcmp(left.address, right.address, static_cast<std::size_t>(left.length)) !=
                   0) {
      return false;
    }
  }
  return words_equal(a, b, null_words_offset_, key_bytes_);
}

Status KeyLayout::own_texts(std::byte* slots, StateMemory& memory) const {
  for (const Slot& slot : slots_) {
    if (slot.physical != PhysicalType::kView) continue;
    KeyText text;
    std::memcpy(&text, slots + slot.offset, sizeof(text));
    if (text.is_inline()) continue;
    std::byte* block = nullptr;
    CLP_RETURN_IF_ERROR(memory.allocate(text.length, block));
    std::memcpy(block, text.address, static_cast<std::size_t>(text.length));
    text.address = reinterpret_cast<const char*>(block);
    std::memcpy(slots + slot.offset, &text, sizeof(text));
  }
  return Status::ok();
}

void KeyLayout::free_texts(const std::byte* slots, StateMemory& memory) const {
  for (const Slot& slot : slots_) {
    if (slot.physical != PhysicalType::kView) continue;
    KeyText text;
    std::memcpy(&text, slots + slot.offset, sizeof(text));
    if (text.is_inline()) continue;
    memory.free(reinterpret_cast<std::byte*>(const_cast<char*>(text.address)), text.length);
  }
}

void KeyLayout::append_bytes(const std::byte* slots, std::string& out) const {
  const auto append = [&](std::int64_t begin, std::int64_t end) {
    out.append(reinterpret_cast<const char*>(slots) + begin, static_cast<std::size_t>(end - begin));
  };
  std::int64_t begin = 0;
  for (const Slot& slot : slots_) {
    if (slot.physical != PhysicalType::kView) continue;
    append(begin, slot.offset);
    begin = slot.offset + static_cast<std::int64_t>(sizeof(KeyText));
    KeyText text;
    std::memcpy(&text, slots + slot.offset, sizeof(text));
    out.append(reinterpret_cast<const char*>(&text.length), sizeof(text.length));
    out.append(text.is_inline() ? reinterpret_cast<const char*>(&text) + sizeof(text.length)
                                : text.address,
               static_cast<std::size_t>(text.length));
  }
  append(begin, key_bytes_);
}

bool KeyLayout::take_bytes(std::string_view& bytes, std::byte* slots) const {
  const auto read = [&](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(end - begin);
    if (bytes.size() < size) return false;
    if (size > 0) std::memcpy(slots + begin, bytes.data(), size);
    bytes.remove_prefix(size);
    return true;
  };
  std::int64_t begin = 0;
  for (const Slot& slot : slots_) {
    if (slot.physical != PhysicalType::kView) continue;
    if (!read(begin, slot.offset)) return false;
    begin = slot.offset + static_cast<std::int64_t>(sizeof(KeyText));
    std::int32_t length = 0;
    if (bytes.size() < sizeof(length)) return false;
    std::memcpy(&length, bytes.data(), sizeof(length));
    bytes.remove_prefix(sizeof(length));
    if (length < 0 || bytes.size() < static_cast<std::size_t>(length)) return false;
    KeyText text{};
    text.length = length;
    if (text.is_inline()) {
      std::memcpy(reinterpret_cast<char*>(&text) + sizeof(length), bytes.data(),
                  static_cast<std::size_t>(length));
    } else {
      std::memcpy(text.prefix, bytes.data(), sizeof(text.prefix));
      text.address = bytes.data();
    }
    std::memcpy(slots + slot.offset, &text, sizeof(text));
    bytes.remove_prefix(static_cast<std::size_t>(length));
  }
  return read(begin, key_bytes_);
}

bool KeyLayout::is_null(const Key& key, std::size_t column) const {
  if (column < kHeaderNullColumns) return (key.null_bits >> column & 1) != 0;
  const std::size_t bit = column - kHeaderNullColumns;
  std::uint64_t word = 0;
  std::memcpy(&word, key.slots + null_words_offset_ + static_cast<std::int64_t>(bit / 64) * 8, 8);
  return (word >> (bit % 64) & 1) != 0;
}

Status KeyLayout::read(std::span<const RowHeader* const> rows, MemoryPool& pool,
                       std::vector<Column>& out) const {
  std::vector<Key> keys;
  keys.reserve(rows.size());
  for (const RowHeader* row : rows) {
    keys.push_back(
        {.slots = reinterpret_cast<const std::byte*>(row + 1), .null_bits = row->null_bits});
  }
  return read(keys, pool, out);
}

Status KeyLayout::read(std::span<const Key> keys, MemoryPool& pool,
                       std::vector<Column>& out) const {
  for (std::size_t c = 0; c < slots_.size(); ++c) {
    const Slot& slot = slots_[c];
    ColumnBuilder builder(types_[c], pool);
    builder.reserve(static_cast<std::int64_t>(keys.size()));
    const auto append_all = [&](auto&& append_value) {
      for (const Key& key : keys) {
        if (is_null(key, c)) {
          builder.append_null();
        } else {
          append_value(key.slots + slot.offset);
        }
      }
    };
    switch (slot.physical) {
      case PhysicalType::kNone:
        for (std::size_t i = 0; i < keys.size(); ++i) builder.append_null();
        break;
      case PhysicalType::kView:
        append_all([&](const std::byte* from) {
          KeyText text;
          std::memcpy(&text, from, sizeof(text));
          builder.append_string(
              {text.is_inline() ? reinterpret_cast<const char*>(from + 4) : text.address,
               static_cast<std::size_t>(text.length)});
        });
        break;
      case PhysicalType::kInt128:
        append_all([&](const std::byte* from) {
          Int128 value = 0;
          std::memcpy(&value, from, sizeof(value));
          builder.append(value);
        });
        break;
      default:
        with_word_type(slot.physical, [&](auto type) {
          append_all([&](const std::byte* from) {
            std::uint64_t word = 0;
            std::memcpy(&word, from, sizeof(word));
            builder.append(from_word<decltype(type)>(word));
          });
        });
    }
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    out.push_back(std::move(column));
  }
  return Status::ok();
}

}  // namespace clepsydra
