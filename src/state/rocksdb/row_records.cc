#include "state/rocksdb/row_records.h"

#include <cstring>
#include <utility>

#include "base/memory_pool.h"
#include "state/word_type.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

template <typename T>
void append_number(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
bool take_number(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(value)) return false;
  std::memcpy(&value, bytes.data(), sizeof(value));
  bytes.remove_prefix(sizeof(value));
  return true;
}

Status broken_record() {
  return Status::data_loss("a row of the local store is broken");
}

// A cell is a byte 0 for NULL, else 1 and the value: a number as it is; a text as its length and
// its bytes; a list as its length and the cells of each child; a row as the cells of its fields.
// Types are nested at most as deep as a schema is, which is bounded.
void append_cell(const Column& column, std::int64_t row, std::string& out) {
  if (column.is_null(row)) {
    out.push_back('\0');
    return;
  }
  out.push_back('\1');
  switch (column.type().physical()) {
    case PhysicalType::kNone:
      return;
    case PhysicalType::kView: {
      const std::string_view text = column.string_at(row);
      append_number(static_cast<std::uint32_t>(text.size()), out);
      out.append(text);
      return;
    }
    case PhysicalType::kList:
    case PhysicalType::kMap: {
      const auto* offsets = column.values<std::int32_t>();
      append_number(static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]), out);
      for (int c = 0; c < column.type().child_count(); ++c) {
        for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
          append_cell(column.child(c), i, out);
        }
      }
      return;
    }
    case PhysicalType::kStruct:
      for (int c = 0; c < column.type().child_count(); ++c) append_cell(column.child(c), row, out);
      return;
    default:
      with_fixed_type(column.type().physical(),
                      [&](auto type) { append_number(column.values<decltype(type)>()[row], out); });
  }
}

bool read_cell(std::string_view& bytes, ColumnBuilder& out) {
  std::uint8_t is_there = 0;
  if (!take_number(bytes, is_there)) return false;
  if (is_there == 0) {
    out.append_null();
    return true;
  }
  const DataType& type = out.type();
  switch (type.physical()) {
    case PhysicalType::kNone:
      return false;
    case PhysicalType::kView: {
      std::uint32_t length = 0;
      if (!take_number(bytes, length) || bytes.size() < length) return false;
      out.append_string(bytes.substr(0, length));
      bytes.remove_prefix(length);
      return true;
    }
    case PhysicalType::kList:
    case PhysicalType::kMap: {
      std::uint32_t length = 0;
      if (!take_number(bytes, length)) return false;
      for (int c = 0; c < type.child_count(); ++c) {
        for (std::uint32_t i = 0; i < length; ++i) {
          if (!read_cell(bytes, out.child(c))) return false;
        }
      }
      out.close_list();
      return true;
    }
    case PhysicalType::kStruct:
      for (int c = 0; c < type.child_count(); ++c) {
        if (!read_cell(bytes, out.child(c))) return false;
      }
      out.close_struct();
      return true;
    default:
      return with_fixed_type(type.physical(), [&](auto value) {
        if (!take_number(bytes, value)) return false;
        out.append(value);
        return true;
      });
  }
}

// The upper bytes of a hash, the highest first.
void append_hash(std::uint64_t hash, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(hash >> (56 - 8 * i) & 0xFF));
}

bool take_hash(std::string_view& bytes, int count, std::uint64_t& hash) {
  if (bytes.size() < static_cast<std::size_t>(count)) return false;
  hash = 0;
  for (int i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)]);
    hash |= std::uint64_t{byte} << (56 - 8 * i);
  }
  bytes.remove_prefix(static_cast<std::size_t>(count));
  return true;
}

void append_null_bits(std::uint32_t null_bits, std::string& out) {
  out.push_back(null_bits != 0 ? '\1' : '\0');
  if (null_bits != 0) append_number(null_bits, out);
}

bool take_null_bits(std::string_view& bytes, std::uint32_t& null_bits) {
  std::uint8_t has_nulls = 0;
  if (!take_number(bytes, has_nulls)) return false;
  return has_nulls == 0 || take_number(bytes, null_bits);
}

}  // namespace

RowRecords::RowRecords(const KeyLayout& layout, std::int64_t value_bytes,
                       std::shared_ptr<RowValueCodec> codec,
                       std::shared_ptr<const EntryOrder> entries)
    : layout_(&layout),
      value_bytes_(value_bytes),
      codec_(std::move(codec)),
      entries_(std::move(entries)),
      is_flat_(codec_->is_flat()) {}

void RowRecords::append_key(const RecordKey& key, std::string& out) const {
  if (entries_ != nullptr) {
    append_group({.hash = key.hash,
                  .null_bits = entries_->outer_null_bits(key.null_bits),
                  .slots = key.slots},
                 out);
    entries_->append_ordered(entries_->entry_of(key.slots, key.null_bits), out);
    append_hash(key.hash << 32, 4, out);
    return;
  }
  append_hash(key.hash, 8, out);
  append_null_bits(key.null_bits, out);
  layout_->append_bytes(key.slots, out);
}

void RowRecords::append_group(const RecordKey& outer, std::string& out) const {
  append_hash(outer.hash, 4, out);
  append_null_bits(outer.null_bits, out);
  entries_->outer_layout().append_bytes(outer.slots, out);
}

Status RowRecords::read_key(std::string_view bytes, std::byte* slots, RecordKey& key,
                            std::deque<std::string>& texts) const {
  key.slots = slots;
  key.null_bits = 0;
  if (!take_hash(bytes, hash_bytes(), key.hash) || !take_null_bits(bytes, key.null_bits)) {
    return broken_record();
  }
  if (entries_ == nullptr) {
    return layout_->take_bytes(bytes, slots) && bytes.empty() ? Status::ok() : broken_record();
  }
  std::uint64_t low = 0;
  if (!entries_->outer_layout().take_bytes(bytes, slots) ||
      !entries_->read_ordered(bytes, slots, key.null_bits, texts) || !take_hash(bytes, 4, low) ||
      !bytes.empty()) {
    return broken_record();
  }
  key.hash |= low >> 32;
  return Status::ok();
}

Status RowRecords::begin_write(std::span<std::byte* const> values, MemoryPool& pool) {
  columns_.clear();
  return is_flat_ ? Status::ok() : codec_->write(values, pool, columns_);
}

std::string_view RowRecords::record(std::span<std::byte* const> values, std::uint32_t epoch,
                                    std::size_t i) {
  record_.clear();
  append_number(epoch, record_);
  if (is_flat_) {
    record_.append(reinterpret_cast<const char*>(values[i]),
                   static_cast<std::size_t>(value_bytes_));
  }
  for (const Column& column : columns_) append_cell(column, static_cast<std::int64_t>(i), record_);
  return record_;
}

Status RowRecords::read_epoch(std::string_view record, std::uint32_t& epoch) {
  return take_number(record, epoch) ? Status::ok() : broken_record();
}

Status RowRecords::read(std::span<const std::string_view> records,
                        std::span<std::byte* const> values, StateMemory& memory,
                        MemoryPool& pool) const {
  std::vector<ColumnBuilder> builders;
  if (!is_flat_) {
    for (const Field& field : codec_->fields()) builders.emplace_back(field.type, pool);
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::string_view bytes = records[i];
    std::uint32_t epoch = 0;
    if (!take_number(bytes, epoch)) return broken_record();
    if (is_flat_) {
      if (bytes.size() != static_cast<std::size_t>(value_bytes_)) return broken_record();
      std::memcpy(values[i], bytes.data(), bytes.size());
      continue;
    }
    for (ColumnBuilder& builder : builders) {
      if (!read_cell(bytes, builder)) return broken_record();
    }
    if (!bytes.empty()) return broken_record();
  }
  if (is_flat_) return Status::ok();
  std::vector<Column> columns;
  for (ColumnBuilder& builder : builders) {
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    columns.push_back(std::move(column));
  }
  return codec_->read(columns, values, memory);
}

void RowRecords::clear(std::span<std::byte* const> values, StateMemory& memory) const {
  if (!is_flat_) codec_->clear(values, memory);
}

}  // namespace clepsydra
