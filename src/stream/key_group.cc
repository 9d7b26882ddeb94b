#include "stream/key_group.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"

namespace clepsydra {
namespace {

// Constants of XXH3. All of this file's arithmetic is part of the stored state: never change.
constexpr std::uint64_t kSeed = 0x9FB21C651E98DF25ULL;
constexpr std::uint64_t kOdd = 0xC2B2AE3D27D4EB4FULL;
constexpr std::uint64_t kNull = 0x165667919E3779F9ULL;
constexpr std::uint64_t kLow = 0xBE4BA423396CFEB8ULL;
constexpr std::uint64_t kHigh = 0x1CAD21F72C81017CULL;

// XXH3's mixer of one 64-bit word.
inline std::uint64_t mix_word(std::uint64_t x) {
  x ^= std::rotl(x, 49) ^ std::rotl(x, 24);
  x *= kSeed;
  x ^= (x >> 35) + 8;
  x *= kSeed;
  return x ^ (x >> 28);
}

// Adds a value to the hash of the values before it.
inline std::uint64_t fold(std::uint64_t hash, std::uint64_t value) {
  return mix_word(value + hash * kOdd);
}

// Two words as one, by the 128-bit product.
inline std::uint64_t fold_words(std::uint64_t low, std::uint64_t high) {
  const auto product = static_cast<UInt128>(low ^ kLow) * (high ^ kHigh);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ low ^
         std::rotl(high, 32);
}

// -0.0 as 0.0, and all NaN alike.
inline std::uint64_t double_word(double value) {
  if (value == 0.0) return 0;
  if (std::isnan(value)) return 0x7FF8000000000000ULL;
  return std::bit_cast<std::uint64_t>(value);
}

inline std::uint64_t string_word(const Column& column, std::int64_t row) {
  const StringView16& view = column.values<StringView16>()[row];
  if (!view.is_inline()) return hash64(column.string_at(row));
  std::uint64_t words[2];
  std::memcpy(words, &view, sizeof(words));
  return fold_words(words[0], words[1]);
}

// Folds word(row) of rows [begin, end) into hashes[0 ...].
template <typename Word>
void fold_column(const Column& column, std::int64_t begin, std::int64_t end, std::uint64_t* hashes,
                 Word word) {
  const std::uint8_t* validity = column.null_count() > 0 ? column.validity() : nullptr;
  if (validity == nullptr) {
    for (std::int64_t i = begin; i < end; ++i) hashes[i - begin] = fold(hashes[i - begin], word(i));
    return;
  }
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint64_t value = get_bit(validity, i) ? word(i) : kNull;
    hashes[i - begin] = fold(hashes[i - begin], value);
  }
}

template <typename T>
void fold_integers(const Column& column, std::int64_t begin, std::int64_t end,
                   std::uint64_t* hashes) {
  const T* values = column.values<T>();
  fold_column(column, begin, end, hashes, [values](std::int64_t row) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(values[row]));
  });
}

void hash_column(const Column& column, std::int64_t begin, std::int64_t end, std::uint64_t* hashes);

// The hashes of the entries that rows [begin, end) of a list or map span, each from kSeed on.
std::vector<std::uint64_t> entry_hashes(const Column& column, std::int64_t first,
                                        std::int64_t last) {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(last - first), kSeed);
  for (const Column& child : column.data().children) {
    hash_column(child, first, last, hashes.data());
  }
  return hashes;
}

void hash_collections(const Column& column, std::int64_t begin, std::int64_t end,
                      std::uint64_t* hashes) {
  const auto* offsets = column.values<std::int32_t>();
  const std::int32_t first = offsets[begin];
  const std::vector<std::uint64_t> entries = entry_hashes(column, first, offsets[end]);
  const bool ordered = column.type().physical() == PhysicalType::kList;
  fold_column(column, begin, end, hashes, [&](std::int64_t row) {
    std::uint64_t hash = static_cast<std::uint64_t>(offsets[row + 1] - offsets[row]);
    for (std::int32_t e = offsets[row]; e < offsets[row + 1]; ++e) {
      const std::uint64_t entry = entries[static_cast<std::size_t>(e - first)];
      // Maps and multisets are equal whatever the order of their entries.
      hash = ordered ? fold(hash, entry) : hash + entry;
    }
    return hash;
  });
}

void hash_structs(const Column& column, std::int64_t begin, std::int64_t end,
                  std::uint64_t* hashes) {
  std::vector<std::uint64_t> rows(static_cast<std::size_t>(end - begin), kSeed);
  for (const Column& child : column.data().children) hash_column(child, begin, end, rows.data());
  fold_column(column, begin, end, hashes,
              [&](std::int64_t row) { return rows[static_cast<std::size_t>(row - begin)]; });
}

void hash_column(const Column& column, std::int64_t begin, std::int64_t end,
                 std::uint64_t* hashes) {
  switch (column.type().physical()) {
    case PhysicalType::kNone:
      for (std::int64_t i = 0; i < end - begin; ++i) hashes[i] = fold(hashes[i], kNull);
      return;
    case PhysicalType::kBool8:
      return fold_integers<std::uint8_t>(column, begin, end, hashes);
    case PhysicalType::kInt8:
      return fold_integers<std::int8_t>(column, begin, end, hashes);
    case PhysicalType::kInt16:
      return fold_integers<std::int16_t>(column, begin, end, hashes);
    case PhysicalType::kInt32:
      return fold_integers<std::int32_t>(column, begin, end, hashes);
    case PhysicalType::kInt64:
      return fold_integers<std::int64_t>(column, begin, end, hashes);
    case PhysicalType::kFloat: {
      const auto* values = column.values<float>();
      return fold_column(column, begin, end, hashes, [values](std::int64_t row) {
        return double_word(static_cast<double>(values[row]));
      });
    }
    case PhysicalType::kDouble: {
      const auto* values = column.values<double>();
      return fold_column(column, begin, end, hashes,
                         [values](std::int64_t row) { return double_word(values[row]); });
    }
    case PhysicalType::kInt128: {
      const auto* values = column.values<Int128>();
      return fold_column(column, begin, end, hashes, [values](std::int64_t row) {
        return fold_words(static_cast<std::uint64_t>(values[row]),
                          static_cast<std::uint64_t>(values[row] >> 64));
      });
    }
    case PhysicalType::kView:
      return fold_column(column, begin, end, hashes,
                         [&column](std::int64_t row) { return string_word(column, row); });
    case PhysicalType::kList:
    case PhysicalType::kMap:
      return hash_collections(column, begin, end, hashes);
    case PhysicalType::kStruct:
      return hash_structs(column, begin, end, hashes);
  }
}

bool views_equal(const Column& a, std::int64_t a_row, const Column& b, std::int64_t b_row) {
  const StringView16& a_view = a.values<StringView16>()[a_row];
  const StringView16& b_view = b.values<StringView16>()[b_row];
  std::uint64_t a_words[2];
  std::uint64_t b_words[2];
  std::memcpy(a_words, &a_view, sizeof(a_words));
  std::memcpy(b_words, &b_view, sizeof(b_words));
  if (a_words[0] != b_words[0]) return false;  // Length and first four bytes.
  if (a_view.is_inline()) return a_words[1] == b_words[1];
  return a.string_at(a_row) == b.string_at(b_row);
}

template <typename T>
bool plain_equal(const Column& a, std::int64_t a_row, const Column& b, std::int64_t b_row) {
  return a.values<T>()[a_row] == b.values<T>()[b_row];
}

template <typename T>
bool floats_equal(const Column& a, std::int64_t a_row, const Column& b, std::int64_t b_row) {
  const T x = a.values<T>()[a_row];
  const T y = b.values<T>()[b_row];
  return x == y || (std::isnan(x) && std::isnan(y));
}

bool entries_equal(const Column& a, std::int32_t a_entry, const Column& b, std::int32_t b_entry) {
  return keys_equal(a.data().children, a_entry, b.data().children, b_entry);
}

// How often an entry of `a` occurs among entries [begin, end) of `b`.
int count_entries(const Column& a, std::int32_t a_entry, const Column& b, std::int32_t begin,
                  std::int32_t end) {
  int count = 0;
  for (std::int32_t e = begin; e < end; ++e) count += entries_equal(a, a_entry, b, e) ? 1 : 0;
  return count;
}

bool collections_equal(const Column& a, std::int64_t a_row, const Column& b, std::int64_t b_row) {
  const auto* a_offsets = a.values<std::int32_t>();
  const auto* b_offsets = b.values<std::int32_t>();
  const std::int32_t a_begin = a_offsets[a_row];
  const std::int32_t b_begin = b_offsets[b_row];
  const std::int32_t count = a_offsets[a_row + 1] - a_begin;
  if (count != b_offsets[b_row + 1] - b_begin) return false;
  bool in_order = true;
  for (std::int32_t i = 0; i < count && in_order; ++i) {
    in_order = entries_equal(a, a_begin + i, b, b_begin + i);
  }
  if (in_order || a.type().physical() == PhysicalType::kList) return in_order;
  for (std::int32_t i = 0; i < count; ++i) {
    if (count_entries(a, a_begin + i, a, a_begin, a_begin + count) !=
        count_entries(a, a_begin + i, b, b_begin, b_begin + count)) {
      return false;
    }
  }
  return true;
}

bool values_equal(const Column& a, std::int64_t a_row, const Column& b, std::int64_t b_row) {
  switch (a.type().physical()) {
    case PhysicalType::kNone:
      return true;
    case PhysicalType::kBool8:
    case PhysicalType::kInt8:
      return plain_equal<std::int8_t>(a, a_row, b, b_row);
    case PhysicalType::kInt16:
      return plain_equal<std::int16_t>(a, a_row, b, b_row);
    case PhysicalType::kInt32:
      return plain_equal<std::int32_t>(a, a_row, b, b_row);
    case PhysicalType::kInt64:
      return plain_equal<std::int64_t>(a, a_row, b, b_row);
    case PhysicalType::kFloat:
      return floats_equal<float>(a, a_row, b, b_row);
    case PhysicalType::kDouble:
      return floats_equal<double>(a, a_row, b, b_row);
    case PhysicalType::kInt128:
      return plain_equal<Int128>(a, a_row, b, b_row);
    case PhysicalType::kView:
      return views_equal(a, a_row, b, b_row);
    case PhysicalType::kList:
    case PhysicalType::kMap:
      return collections_equal(a, a_row, b, b_row);
    case PhysicalType::kStruct:
      return keys_equal(a.data().children, a_row, b.data().children, b_row);
  }
  return false;
}

}  // namespace

void hash_rows(std::span<const Column> keys, std::int64_t rows, std::uint64_t* hashes) {
  for (std::int64_t i = 0; i < rows; ++i) hashes[i] = kSeed;
  for (const Column& key : keys) {
    CLP_CHECK(key.length() >= rows);
    hash_column(key, 0, rows, hashes);
  }
}

KeyGroupRange key_group_range(int subtask, int max_parallelism, int parallelism) {
  CLP_CHECK(max_parallelism > 0 && max_parallelism <= kMaxMaxParallelism);
  CLP_CHECK(parallelism > 0 && parallelism <= max_parallelism);
  CLP_CHECK(subtask >= 0 && subtask < parallelism);
  // The smallest key group g with g * parallelism / max_parallelism >= subtask, and that of the
  // next one.
  const int begin = (subtask * max_parallelism + parallelism - 1) / parallelism;
  const int end = ((subtask + 1) * max_parallelism + parallelism - 1) / parallelism;
  return {begin, end};
}

bool keys_equal(std::span<const Column> a, std::int64_t a_row, std::span<const Column> b,
                std::int64_t b_row) {
  CLP_CHECK(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool a_null = a[i].is_null(a_row);
    if (a_null != b[i].is_null(b_row)) return false;
    if (!a_null && !values_equal(a[i], a_row, b[i], b_row)) return false;
  }
  return true;
}

}  // namespace clepsydra
