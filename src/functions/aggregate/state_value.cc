#include "functions/aggregate/state_value.h"

#include <cstring>

#include "base/check.h"

namespace clepsydra {
namespace {

template <typename T>
void append_plain(const Column& column, std::int64_t row, std::string& out) {
  out.append(reinterpret_cast<const char*>(column.values<T>() + row), sizeof(T));
}

template <typename T>
void read_plain(std::string_view& bytes, ColumnBuilder& builder) {
  CLP_CHECK(bytes.size() >= sizeof(T));
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  builder.append<T>(value);
}

// Calls f.operator()<T>() with the C++ type of a layout of fixed width; false for other layouts.
template <typename F>
bool with_plain_type(PhysicalType physical, F&& f) {
  switch (physical) {
    case PhysicalType::kBool8:
      f.template operator()<std::uint8_t>();
      return true;
    case PhysicalType::kInt8:
      f.template operator()<std::int8_t>();
      return true;
    case PhysicalType::kInt16:
      f.template operator()<std::int16_t>();
      return true;
    case PhysicalType::kInt32:
      f.template operator()<std::int32_t>();
      return true;
    case PhysicalType::kInt64:
      f.template operator()<std::int64_t>();
      return true;
    case PhysicalType::kFloat:
      f.template operator()<float>();
      return true;
    case PhysicalType::kDouble:
      f.template operator()<double>();
      return true;
    case PhysicalType::kInt128:
      f.template operator()<Int128>();
      return true;
    default:
      return false;
  }
}

}  // namespace

void append_state_number(std::uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

std::uint64_t read_state_number(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    CLP_CHECK(!bytes.empty());
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return number;
}

void append_state_text(std::string_view text, std::string& out) {
  append_state_number(text.size(), out);
  out += text;
}

std::string_view read_state_text(std::string_view& bytes) {
  const std::uint64_t size = read_state_number(bytes);
  CLP_CHECK(size <= bytes.size());
  const std::string_view text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return text;
}

void append_state_value(const Column& column, std::int64_t row, std::string& out) {
  const bool is_null = column.is_null(row);
  out += is_null ? '\0' : '\1';
  if (is_null) return;
  const PhysicalType physical = column.type().physical();
  if (with_plain_type(physical, [&]<typename T>() { append_plain<T>(column, row, out); })) return;
  if (physical == PhysicalType::kView) return append_state_text(column.string_at(row), out);
  std::int64_t begin = row;
  std::int64_t end = row + 1;
  if (physical != PhysicalType::kStruct) {
    const auto* offsets = column.values<std::int32_t>();
    begin = offsets[row];
    end = offsets[row + 1];
    append_state_number(static_cast<std::uint64_t>(end - begin), out);
  }
  for (std::int64_t i = begin; i < end; ++i) {
    for (const Column& child : column.data().children) append_state_value(child, i, out);
  }
}

void read_state_value(std::string_view& bytes, ColumnBuilder& builder) {
  CLP_CHECK(!bytes.empty());
  const bool is_null = bytes.front() == '\0';
  bytes.remove_prefix(1);
  if (is_null) return builder.append_null();
  const PhysicalType physical = builder.type().physical();
  if (with_plain_type(physical, [&]<typename T>() { read_plain<T>(bytes, builder); })) return;
  if (physical == PhysicalType::kView) return builder.append_string(read_state_text(bytes));
  const bool is_struct = physical == PhysicalType::kStruct;
  const std::uint64_t count = is_struct ? 1 : read_state_number(bytes);
  const int children = builder.type().child_count();
  for (std::uint64_t i = 0; i < count; ++i) {
    for (int c = 0; c < children; ++c) read_state_value(bytes, builder.child(c));
  }
  if (is_struct) return builder.close_struct();
  builder.close_list();
}

}  // namespace clepsydra
