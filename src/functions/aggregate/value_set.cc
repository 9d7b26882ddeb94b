#include "functions/aggregate/value_set.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"

namespace clepsydra {
namespace {

constexpr std::uint32_t kScanMax = 8;  // Up to here there is no index.
constexpr std::uint32_t kCapacityMax = 1U << 30;

template <typename Float, typename Bits>
std::uint64_t float_bits(Float value) {
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  return std::bit_cast<Bits>(value);
}

}  // namespace

std::string_view ValueSet::text_of(const Entry& entry) {
  const auto length = static_cast<std::uint32_t>(entry.words[0]);
  if (length <= StringView16::kInlineMax) {
    return {reinterpret_cast<const char*>(entry.words) + sizeof(std::uint32_t), length};
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the word was made from the pointer.
  return {reinterpret_cast<const char*>(entry.words[1]), length};
}

ValueSet::Entry ValueSet::view_of(std::string_view text) {
  Entry entry{};
  entry.words[0] = static_cast<std::uint32_t>(text.size());
  if (text.size() <= StringView16::kInlineMax) {
    text.copy(reinterpret_cast<char*>(entry.words) + sizeof(std::uint32_t), text.size());
  } else {
    entry.words[1] = reinterpret_cast<std::uintptr_t>(text.data());
  }
  return entry;
}

ValueSet::Entry ValueSet::bits_of(const Column& column, std::int64_t row) {
  Entry entry{};
  switch (column.type().physical()) {
    case PhysicalType::kBool8:
      entry.words[0] = column.values<std::uint8_t>()[row] != 0 ? 1 : 0;
      break;
    case PhysicalType::kInt8:
      entry.words[0] = static_cast<std::uint64_t>(std::int64_t{column.values<std::int8_t>()[row]});
      break;
    case PhysicalType::kInt16:
      entry.words[0] = static_cast<std::uint64_t>(column.values<std::int16_t>()[row]);
      break;
    case PhysicalType::kInt32:
      entry.words[0] = static_cast<std::uint64_t>(column.values<std::int32_t>()[row]);
      break;
    case PhysicalType::kInt64:
      entry.words[0] = static_cast<std::uint64_t>(column.values<std::int64_t>()[row]);
      break;
    case PhysicalType::kFloat:
      entry.words[0] = float_bits<float, std::uint32_t>(column.values<float>()[row]);
      break;
    case PhysicalType::kDouble:
      entry.words[0] = float_bits<double, std::uint64_t>(column.values<double>()[row]);
      break;
    case PhysicalType::kInt128:
      std::memcpy(entry.words, column.values<Int128>() + row, sizeof(entry.words));
      break;
    default:
      CLP_CHECK_MSG(false, "a set of values of an unsupported layout");
  }
  return entry;
}

std::uint64_t ValueSet::hash(const Entry& entry, bool is_text) {
  if (is_text) return hash64(text_of(entry));
  return mix64(entry.words[0] ^ mix64(entry.words[1]));
}

bool ValueSet::equal(const Entry& a, const Entry& b, bool is_text) {
  if (is_text) return text_of(a) == text_of(b);
  return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

std::int64_t ValueSet::block_bytes(std::uint32_t capacity) {
  const std::int64_t index_bytes =
      capacity > kScanMax
          ? std::int64_t{capacity} * 2 * static_cast<std::int64_t>(sizeof(std::uint32_t))
          : 0;
  return std::int64_t{capacity} * static_cast<std::int64_t>(sizeof(Entry)) + index_bytes;
}

// True when the value is there; else `slot` is the free place of the index.
bool ValueSet::find(const Entry& entry, bool is_text, std::uint32_t& slot) const {
  const Entry* values = entries();
  if (capacity_ <= kScanMax) {
    for (std::uint32_t i = 0; i < size_; ++i) {
      if (equal(values[i], entry, is_text)) return true;
    }
    return false;
  }
  const std::uint32_t* slots = index();
  for (slot = static_cast<std::uint32_t>(hash(entry, is_text)) & index_mask(); slots[slot] != 0;
       slot = (slot + 1) & index_mask()) {
    if (equal(values[slots[slot] - 1], entry, is_text)) return true;
  }
  return false;
}

Status ValueSet::grow(bool is_text, StateAllocator& allocator) {
  const std::uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
  if (capacity > kCapacityMax) {
    return Status::resource_exhausted("more than 2^30 distinct values in one group");
  }
  std::byte* block = nullptr;
  CLP_RETURN_IF_ERROR(allocator.allocate(block_bytes(capacity), block));
  if (size_ > 0) std::memcpy(block, block_, sizeof(Entry) * size_);
  if (block_ != nullptr) allocator.free(block_, block_bytes(capacity_));
  block_ = block;
  capacity_ = capacity;
  if (capacity <= kScanMax) return Status::ok();
  std::uint32_t* slots = index();
  std::memset(slots, 0, sizeof(std::uint32_t) * capacity * 2);
  for (std::uint32_t i = 0; i < size_; ++i) {
    std::uint32_t slot = static_cast<std::uint32_t>(hash(entries()[i], is_text)) & index_mask();
    while (slots[slot] != 0) slot = (slot + 1) & index_mask();
    slots[slot] = i + 1;
  }
  return Status::ok();
}

// A text in `entry` may lie anywhere; it is copied when it is new.
Status ValueSet::insert_entry(Entry entry, bool is_text, StateAllocator& allocator, bool& added) {
  std::uint32_t slot = 0;
  added = !find(entry, is_text, slot);
  if (!added) return Status::ok();
  if (size_ == capacity_) {
    CLP_RETURN_IF_ERROR(grow(is_text, allocator));
    (void)find(entry, is_text, slot);  // Its place in the new index.
  }
  if (is_text) {
    const std::string_view text = text_of(entry);
    if (text.size() > StringView16::kInlineMax) {
      std::byte* bytes = nullptr;
      CLP_RETURN_IF_ERROR(allocator.allocate(static_cast<std::int64_t>(text.size()), bytes));
      std::memcpy(bytes, text.data(), text.size());
      entry.words[1] = reinterpret_cast<std::uintptr_t>(bytes);
    }
  }
  entries()[size_] = entry;
  ++size_;
  if (capacity_ > kScanMax) index()[slot] = size_;
  return Status::ok();
}

Status ValueSet::insert(const Column& column, std::int64_t row, StateAllocator& allocator,
                        bool& added) {
  if (column.type().physical() == PhysicalType::kView) {
    return insert_entry(view_of(column.string_at(row)), true, allocator, added);
  }
  return insert_entry(bits_of(column, row), false, allocator, added);
}

Status ValueSet::unite(const ValueSet& other, bool is_text, StateAllocator& allocator) {
  bool added = false;
  for (std::uint32_t i = 0; i < other.size_; ++i) {
    CLP_RETURN_IF_ERROR(insert_entry(other.entries()[i], is_text, allocator, added));
  }
  return Status::ok();
}

void ValueSet::append_to(ColumnBuilder& builder, std::uint32_t begin) const {
  const Entry* values = entries();
  for (std::uint32_t i = begin; i < size_; ++i) {
    const std::uint64_t bits = values[i].words[0];
    switch (builder.type().physical()) {
      case PhysicalType::kView:
        builder.append_string(text_of(values[i]));
        break;
      case PhysicalType::kBool8:
        builder.append(static_cast<std::uint8_t>(bits));
        break;
      case PhysicalType::kInt8:
        builder.append(static_cast<std::int8_t>(bits));
        break;
      case PhysicalType::kInt16:
        builder.append(static_cast<std::int16_t>(bits));
        break;
      case PhysicalType::kInt32:
        builder.append(static_cast<std::int32_t>(bits));
        break;
      case PhysicalType::kInt64:
        builder.append(static_cast<std::int64_t>(bits));
        break;
      case PhysicalType::kFloat:
        builder.append(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
        break;
      case PhysicalType::kDouble:
        builder.append(std::bit_cast<double>(bits));
        break;
      case PhysicalType::kInt128: {
        Int128 value = 0;
        std::memcpy(&value, values[i].words, sizeof(value));
        builder.append(value);
        break;
      }
      default:
        CLP_CHECK_MSG(false, "a set of values of an unsupported layout");
    }
  }
}

void ValueSet::destroy(bool is_text, StateAllocator& allocator) {
  if (block_ == nullptr) return;
  for (std::uint32_t i = 0; is_text && i < size_; ++i) {
    const std::string_view text = text_of(entries()[i]);
    if (text.size() > StringView16::kInlineMax) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the word was made from the pointer.
      allocator.free(reinterpret_cast<std::byte*>(entries()[i].words[1]),
                     static_cast<std::int64_t>(text.size()));
    }
  }
  allocator.free(block_, block_bytes(capacity_));
  block_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

}  // namespace clepsydra
