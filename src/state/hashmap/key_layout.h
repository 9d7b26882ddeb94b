// How keys lie in the rows of the in-memory backend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// What stands before key and value in every row.
struct RowHeader {
  std::uint64_t hash;
  std::uint32_t epoch;      // Of the last write. 0: the row was erased.
  std::uint32_t null_bits;  // Bit i: key column i is NULL, for the first 32 columns.
};
inline constexpr std::uint32_t kFirstEpoch = 1;

// The keys of a call in the form in which rows hold them.
struct EncodedKeys {
  const std::byte* slots = nullptr;          // key_bytes() per key.
  const std::uint32_t* null_bits = nullptr;  // Null: no NULL among the first 32 columns.
};

// A text of a key: inline like StringView16, or with an address instead of blob and offset.
struct KeyText {
  std::int32_t length;
  char prefix[4];
  union {
    char rest[8];
    const char* address;
  };
  [[nodiscard]] bool is_inline() const { return length <= StringView16::kInlineMax; }
};
static_assert(sizeof(KeyText) == 16);

// A key is a sequence of 8-byte words, the same for equal keys up to where long texts lie: one word
// per number, two per DECIMAL or text, then a word of null bits per 64 columns beyond the first 32.
// A text is its length, then up to 12 bytes; or its length, 4 bytes, and the address of all of it.
class KeyLayout {
 public:
  // Unimplemented for nested key types. Where they are values rather than keys, `is_exact` keeps
  // -0.0 and all kinds of NaN apart.
  static Result<KeyLayout> make(const std::vector<DataType>& types, bool is_exact = false);

  [[nodiscard]] std::int64_t key_bytes() const { return key_bytes_; }
  [[nodiscard]] bool has_text() const { return has_text_; }
  [[nodiscard]] const std::vector<DataType>& types() const { return types_; }
  // Where a column lies. Those of the first columns alone lie where they lie among more.
  struct Slot {
    PhysicalType physical;
    std::int64_t offset;
  };
  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

  // Keeps scratch memory between calls; the answer is good until the next one or the batch's end.
  class Encoder {
   public:
    EncodedKeys encode(const KeyLayout& layout, const KeyBatch& keys);

   private:
    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> null_bits_;
  };

  // Null bits are compared by the caller.
  [[nodiscard]] bool equal(const std::byte* a, const std::byte* b) const {
    if (!has_text_) return words_equal(a, b, 0, key_bytes_);
    return equal_with_text(a, b);
  }
  // Moves the bytes of long texts in `slots` into `memory`.
  Status own_texts(std::byte* slots, StateMemory& memory) const;
  // Gives the bytes of long texts in `slots` back.
  void free_texts(const std::byte* slots, StateMemory& memory) const;
  // The key as bytes that are the same for equal keys, and nobody else's.
  void append_bytes(const std::byte* slots, std::string& out) const;
  // The reverse: long texts in `slots` lie in `bytes`, off which it takes what it read. False for
  // bytes of another form.
  bool take_bytes(std::string_view& bytes, std::byte* slots) const;
  // Appends one column per key.
  Status read(std::span<const RowHeader* const> rows, MemoryPool& pool,
              std::vector<Column>& out) const;
  struct Key {
    const std::byte* slots;
    std::uint32_t null_bits;
  };
  Status read(std::span<const Key> keys, MemoryPool& pool, std::vector<Column>& out) const;

 private:
  static bool words_equal(const std::byte* a, const std::byte* b, std::int64_t from,
                          std::int64_t to);
  [[nodiscard]] bool equal_with_text(const std::byte* a, const std::byte* b) const;
  [[nodiscard]] bool is_null(const Key& key, std::size_t column) const;

  std::vector<DataType> types_;
  std::vector<Slot> slots_;
  std::int64_t null_words_offset_ = 0;
  std::int64_t key_bytes_ = 0;
  bool has_text_ = false;
  bool is_exact_ = false;
};

}  // namespace clepsydra
