#include "functions/scalar/elements.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/hash.h"
#include "stream/key_group.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

bool equal_lists(const Column& a, std::int64_t i, const Column& b, std::int64_t j) {
  const auto* a_offsets = a.values<std::int32_t>();
  const auto* b_offsets = b.values<std::int32_t>();
  const std::int32_t length = a_offsets[i + 1] - a_offsets[i];
  if (length != b_offsets[j + 1] - b_offsets[j]) return false;
  for (std::int32_t k = 0; k < length; ++k) {
    if (!equal_elements(a.child(0), a_offsets[i] + k, b.child(0), b_offsets[j] + k)) return false;
  }
  return true;
}

bool has_map(const DataType& type) {
  if (type.physical() == PhysicalType::kMap) return true;
  return type.is_nested() && std::any_of(type.fields().begin(), type.fields().end(),
                                         [](const Field& field) { return has_map(field.type); });
}

// Entries in any order.
bool equal_maps(const Column& a, std::int64_t i, const Column& b, std::int64_t j) {
  const auto* a_offsets = a.values<std::int32_t>();
  const auto* b_offsets = b.values<std::int32_t>();
  if (a_offsets[i + 1] - a_offsets[i] != b_offsets[j + 1] - b_offsets[j]) return false;
  for (std::int32_t k = a_offsets[i]; k < a_offsets[i + 1]; ++k) {
    bool found = false;
    for (std::int32_t m = b_offsets[j]; m < b_offsets[j + 1] && !found; ++m) {
      found = equal_elements(a.child(0), k, b.child(0), m) &&
              equal_elements(a.child(1), k, b.child(1), m);
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

Result<ListArgument> ListArgument::make(const KernelCall& call, int argument) {
  CLP_ASSIGN_OR_RETURN(Column column, call.argument_column(argument));
  return ListArgument{std::move(column)};
}

bool equal_elements(const Column& a, std::int64_t i, const Column& b, std::int64_t j) {
  if (a.is_null(i) || b.is_null(j)) return a.is_null(i) && b.is_null(j);
  switch (a.type().physical()) {
    case PhysicalType::kList:
      return equal_lists(a, i, b, j);
    case PhysicalType::kMap:
      return equal_maps(a, i, b, j);
    case PhysicalType::kStruct:
      for (int field = 0; field < static_cast<int>(a.type().fields().size()); ++field) {
        if (!equal_elements(a.child(field), i, b.child(field), j)) return false;
      }
      return true;
    default:
      return keys_equal({&a, 1}, i, {&b, 1}, j);
  }
}

int ElementSet::add_column(const Column& elements) {
  Source source{&elements, {}};
  source.hashes.resize(static_cast<std::size_t>(elements.length()));
  if (!elements.type().is_nested()) {
    hash_rows({&elements, 1}, elements.length(), source.hashes.data());
  } else {
    // Maps that are equal may be written differently: they all share a hash.
    const bool is_text = !has_map(elements.type());
    std::string text;
    for (std::int64_t i = 0; i < elements.length(); ++i) {
      text.clear();
      if (is_text && !elements.is_null(i)) append_value_text(elements, i, {}, text);
      source.hashes[static_cast<std::size_t>(i)] = hash64(text);
    }
  }
  sources_.push_back(std::move(source));
  return static_cast<int>(sources_.size()) - 1;
}

void ElementSet::clear(std::int64_t elements) {
  std::size_t size = 8;
  while (size < static_cast<std::size_t>(elements) * 2) size *= 2;
  slots_.assign(size, {-1, -1});
}

std::size_t ElementSet::slot_of(int column, std::int32_t index) const {
  const Source& own = sources_[static_cast<std::size_t>(column)];
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = own.hashes[static_cast<std::size_t>(index)] & mask;
  while (slots_[slot].first >= 0) {
    const auto& [other, at] = slots_[slot];
    if (equal_elements(*sources_[static_cast<std::size_t>(other)].elements, at, *own.elements,
                       index)) {
      break;
    }
    slot = (slot + 1) & mask;
  }
  return slot;
}

bool ElementSet::insert(int column, std::int32_t index) {
  Entry& entry = slots_[slot_of(column, index)];
  if (entry.first >= 0) return false;
  entry = {column, index};
  return true;
}

bool ElementSet::contains(int column, std::int32_t index) const {
  return slots_[slot_of(column, index)].first >= 0;
}

std::pair<int, std::int32_t> ElementSet::find(int column, std::int32_t index) const {
  return slots_[slot_of(column, index)];
}

}  // namespace clepsydra
