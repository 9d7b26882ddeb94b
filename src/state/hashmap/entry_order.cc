#include "state/hashmap/entry_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "stream/column.h"

namespace clepsydra {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
constexpr std::uint32_t kSign32 = std::uint32_t{1} << 31;

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

std::string_view text_at(const std::byte* slot) {
  const auto text = load<KeyText>(slot);
  const char* bytes = text.is_inline() ? reinterpret_cast<const char*>(slot) + 4 : text.address;
  return {bytes, static_cast<std::size_t>(text.length)};
}

// Numbers as words in the order of their values.
std::uint64_t ordered_word(PhysicalType physical, std::uint64_t word) {
  switch (physical) {
    case PhysicalType::kFloat: {
      const auto bits = static_cast<std::uint32_t>(word);
      return (bits & kSign32) != 0 ? static_cast<std::uint32_t>(~bits) : bits | kSign32;
    }
    case PhysicalType::kDouble:
      return (word & kSign) != 0 ? ~word : word | kSign;
    default:
      return word ^ kSign;
  }
}

std::uint64_t word_from_ordered(PhysicalType physical, std::uint64_t ordered) {
  switch (physical) {
    case PhysicalType::kFloat: {
      const auto bits = static_cast<std::uint32_t>(ordered);
      return (bits & kSign32) != 0 ? bits & ~kSign32 : static_cast<std::uint32_t>(~bits);
    }
    case PhysicalType::kDouble:
      return (ordered & kSign) != 0 ? ordered & ~kSign : ~ordered;
    default:
      return ordered ^ kSign;
  }
}

constexpr char kValue = '\1';
constexpr char null_mark(const EntryDirection& direction) {
  return direction.nulls_last ? '\2' : '\0';
}

void append_word(std::uint64_t word, char flip, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<char>(word >> shift & 0xFF) ^ flip));
  }
}

bool take_word(std::string_view& bytes, char flip, std::uint64_t& word) {
  if (bytes.size() < sizeof(word)) return false;
  word = 0;
  for (std::size_t i = 0; i < sizeof(word); ++i) {
    word = word << 8 | static_cast<std::uint8_t>(bytes[i] ^ flip);
  }
  bytes.remove_prefix(sizeof(word));
  return true;
}

// A zero is followed by 255, and the end is two zeros: so texts stay in their order whatever comes
// behind them.
void append_text(std::string_view text, char flip, std::string& out) {
  for (const char byte : text) {
    out.push_back(static_cast<char>(byte ^ flip));
    if (byte == '\0') out.push_back(static_cast<char>('\xFF' ^ flip));
  }
  out.push_back(flip);
  out.push_back(flip);
}

bool take_text(std::string_view& bytes, char flip, std::byte* slot,
               std::deque<std::string>& texts) {
  std::string copy;
  std::size_t at = 0;
  bool is_same = flip == '\0';
  while (true) {
    const std::size_t end = bytes.find(flip, at);
    if (end == std::string_view::npos || end + 1 >= bytes.size()) return false;
    copy.append(bytes.substr(at, end - at));
    const auto next = static_cast<char>(bytes[end + 1] ^ flip);
    at = end + 2;
    if (next == '\0') break;
    if (next != '\xFF') return false;
    copy.push_back(flip);
    is_same = false;
  }
  if (flip != '\0') {
    for (char& byte : copy) byte = static_cast<char>(byte ^ flip);
  }
  if (copy.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return false;
  }
  KeyText text{};
  text.length = static_cast<std::int32_t>(copy.size());
  if (text.is_inline()) {
    std::memcpy(reinterpret_cast<char*>(&text) + sizeof(text.length), copy.data(), copy.size());
  } else {
    std::memcpy(text.prefix, copy.data(), sizeof(text.prefix));
    text.address = is_same ? bytes.data() : texts.emplace_back(std::move(copy)).data();
  }
  std::memcpy(slot, &text, sizeof(text));
  bytes.remove_prefix(at);
  return true;
}

}  // namespace

void hash_entries(std::span<const std::uint64_t> hashes,
                  std::span<const std::uint64_t> entry_hashes, std::uint64_t* out) {
  constexpr std::uint64_t kLow = 0xFFFF'FFFF;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    // Of the outer key's hash, the half that is not its own low half: both may be alike.
    const std::uint64_t mixed = (hashes[i] * 0x9E3779B97F4A7C15ULL) >> 32;
    out[i] = (hashes[i] & ~kLow) | ((entry_hashes[i] ^ mixed) & kLow);
  }
}

Result<EntryOrder> EntryOrder::make(const KeyedRowsSpec& spec) {
  const std::size_t all = spec.key_types.size();
  const auto entries = static_cast<std::size_t>(spec.entry_columns);
  if (spec.entry_columns < 1 || entries > all || all > kColumnsMax ||
      spec.directions.size() > entries) {
    return Status::invalid_argument(
        fmt::format("state '{}' has {} key columns, {} of them of entries, and {} directions; at "
                    "most {} are possible, entries have at least one, and a direction is of one",
                    spec.name, all, spec.entry_columns, spec.directions.size(), kColumnsMax));
  }
  EntryOrder order;
  order.outer_columns_ = all - entries;
  const auto first_entry =
      spec.key_types.begin() + static_cast<std::ptrdiff_t>(order.outer_columns_);
  CLP_ASSIGN_OR_RETURN(order.outer_, KeyLayout::make({spec.key_types.begin(), first_entry}));
  for (std::size_t i = 1; i <= entries; ++i) {
    CLP_ASSIGN_OR_RETURN(
        KeyLayout layout,
        KeyLayout::make({first_entry, first_entry + static_cast<std::ptrdiff_t>(i)}));
    order.layouts_.push_back(std::move(layout));
  }
  for (std::size_t i = 0; i < entries; ++i) {
    const KeyLayout::Slot& slot = order.layouts_.back().slots()[i];
    order.columns_.push_back(
        {.physical = slot.physical,
         .offset = slot.offset,
         .direction = i < spec.directions.size() ? spec.directions[i] : EntryDirection{}});
  }
  return order;
}

std::uint64_t EntryOrder::value_prefix(const EntryColumn& column, const std::byte* slot) {
  switch (column.physical) {
    case PhysicalType::kNone:
      return 0;
    case PhysicalType::kView: {
      const std::string_view text = text_at(slot);
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), std::min(text.size(), sizeof(word)));
      return __builtin_bswap64(word);
    }
    case PhysicalType::kInt128:
      return static_cast<std::uint64_t>(load<Int128>(slot) >> 64) ^ kSign;
    default:
      return ordered_word(column.physical, load<std::uint64_t>(slot));
  }
}

std::uint64_t EntryOrder::prefix(const EntryKey& key) const {
  const EntryColumn& column = columns_[0];
  if ((key.null_bits & 1) != 0) return column.direction.nulls_last ? ~std::uint64_t{0} : 0;
  const std::uint64_t value = value_prefix(column, key.slots + column.offset);
  return column.direction.descending ? ~value : value;
}

int EntryOrder::compare_values(const EntryColumn& column, const std::byte* a, const std::byte* b) {
  switch (column.physical) {
    case PhysicalType::kView:
      return text_at(a).compare(text_at(b));
    case PhysicalType::kInt128: {
      const auto left = load<Int128>(a);
      const auto right = load<Int128>(b);
      return left < right ? -1 : static_cast<int>(left > right);
    }
    default: {
      const std::uint64_t left = value_prefix(column, a);
      const std::uint64_t right = value_prefix(column, b);
      return left < right ? -1 : static_cast<int>(left > right);
    }
  }
}

int EntryOrder::compare(const EntryKey& a, const EntryKey& b) const {
  const std::size_t columns = std::min(a.columns, b.columns);
  for (std::size_t c = 0; c < columns; ++c) {
    const EntryColumn& column = columns_[c];
    const bool a_is_null = (a.null_bits >> c & 1) != 0;
    const bool b_is_null = (b.null_bits >> c & 1) != 0;
    if (a_is_null && b_is_null) continue;
    if (a_is_null || b_is_null) return a_is_null != column.direction.nulls_last ? -1 : 1;
    const int compared = compare_values(column, a.slots + column.offset, b.slots + column.offset);
    if (compared != 0) return (compared < 0) != column.direction.descending ? -1 : 1;
  }
  return 0;
}

void EntryOrder::append_ordered(const EntryKey& key, std::string& out) const {
  for (std::size_t c = 0; c < key.columns; ++c) {
    const EntryColumn& column = columns_[c];
    if ((key.null_bits >> c & 1) != 0) {
      out.push_back(null_mark(column.direction));
      continue;
    }
    out.push_back(kValue);
    const std::byte* slot = key.slots + column.offset;
    const char flip = column.direction.descending ? '\xFF' : '\0';
    switch (column.physical) {
      case PhysicalType::kNone:
        break;
      case PhysicalType::kView:
        append_text(text_at(slot), flip, out);
        break;
      case PhysicalType::kInt128: {
        const auto value = static_cast<UInt128>(load<Int128>(slot));
        append_word(static_cast<std::uint64_t>(value >> 64) ^ kSign, flip, out);
        append_word(static_cast<std::uint64_t>(value), flip, out);
        break;
      }
      default:
        append_word(ordered_word(column.physical, load<std::uint64_t>(slot)), flip, out);
    }
  }
}

bool EntryOrder::read_ordered(std::string_view& bytes, std::byte* slots, std::uint32_t& null_bits,
                              std::deque<std::string>& texts) const {
  std::byte* const entry = slots + outer_.key_bytes();
  std::memset(entry, 0, static_cast<std::size_t>(layouts_.back().key_bytes()));
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const EntryColumn& column = columns_[c];
    if (bytes.empty()) return false;
    const char mark = bytes[0];
    bytes.remove_prefix(1);
    if (mark == null_mark(column.direction)) {
      null_bits |= std::uint32_t{1} << (outer_columns_ + c);
      continue;
    }
    if (mark != kValue) return false;
    std::byte* slot = entry + column.offset;
    const char flip = column.direction.descending ? '\xFF' : '\0';
    switch (column.physical) {
      case PhysicalType::kNone:
        break;
      case PhysicalType::kView:
        if (!take_text(bytes, flip, slot, texts)) return false;
        break;
      case PhysicalType::kInt128: {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        if (!take_word(bytes, flip, high) || !take_word(bytes, flip, low)) return false;
        const auto value = static_cast<Int128>(static_cast<UInt128>(high ^ kSign) << 64 | low);
        std::memcpy(slot, &value, sizeof(value));
        break;
      }
      default: {
        std::uint64_t ordered = 0;
        if (!take_word(bytes, flip, ordered)) return false;
        const std::uint64_t word = word_from_ordered(column.physical, ordered);
        std::memcpy(slot, &word, sizeof(word));
      }
    }
  }
  return true;
}

}  // namespace clepsydra
