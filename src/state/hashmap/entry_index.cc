#include "state/hashmap/entry_index.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "state/hashmap/row_table.h"

namespace clepsydra {

EntryIndex::EntryIndex(const EntryOrder& order, const RowShape& rows, MemoryPool& pool)
    : order_(&order),
      shape_(std::make_unique<RowShape>(RowShape{.layout = order.outer_layout(),
                                                 .value_bytes = sizeof(Group),
                                                 .key_groups = rows.key_groups,
                                                 .max_parallelism = rows.max_parallelism,
                                                 .page_bytes_max = rows.page_bytes_max})),
      groups_(std::make_unique<RowTable>(*shape_, never_frozen_, pool)) {}

EntryIndex::~EntryIndex() = default;

Result<EntryIndex::Group*> EntryIndex::group_of(const RowHeader& row, bool insert) {
  const std::uint64_t hash = EntryOrder::group_hash(row.hash);
  const std::uint32_t null_bits = order_->outer_null_bits(row.null_bits);
  const KeyBatch key{.columns = {}, .hashes = &hash, .count = 1};
  const EncodedKeys encoded{.slots = reinterpret_cast<const std::byte*>(&row + 1),
                            .null_bits = &null_bits};
  std::byte* value = nullptr;
  if (insert) {
    CLP_RETURN_IF_ERROR(groups_->find_or_insert(key, encoded, {&value, 1}));
  } else {
    groups_->find(key, encoded, {&value, 1});
  }
  return reinterpret_cast<Group*>(value);
}

void EntryIndex::ask_for(std::span<const std::uint64_t> hashes) {
  std::array<std::uint64_t, RowTable::kAskedMax> group_hashes{};
  std::array<const std::byte*, RowTable::kAskedMax> likely{};
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    group_hashes[i] = EntryOrder::group_hash(hashes[i]);
  }
  groups_->ask_for({group_hashes.data(), hashes.size()}, {likely.data(), hashes.size()});
  for (const std::byte* value : likely) {
    if (value != nullptr) reinterpret_cast<const Group*>(value)->entries.ask_for();
  }
}

Status EntryIndex::add(RowHeader* row) {
  ++added_;
  CLP_ASSIGN_OR_RETURN(Group* const group, group_of(*row, true));
  const Status status = group->entries.insert(*order_, row, groups_->memory());
  if (!status.is_ok() && group->entries.empty()) {
    std::byte* const value = reinterpret_cast<std::byte*>(group);
    groups_->erase({&value, 1});
  }
  return status;
}

void EntryIndex::remove(RowHeader* row, bool is_evicted) {
  Group* const group = group_of(*row, false).value();
  CLP_CHECK(group != nullptr);
  group->entries.erase(*order_, row, groups_->memory());
  if (is_evicted && group->known == Known::kComplete) group->known = Known::kNothing;
  if (!group->entries.empty()) return;
  std::byte* const value = reinterpret_cast<std::byte*>(group);
  groups_->erase({&value, 1});
}

void EntryIndex::give_back() {
  groups_->give_back(true);
}

void EntryIndex::find_groups(const KeyBatch& keys, const EncodedKeys& encoded,
                             std::span<Group*> groups) {
  const auto count = static_cast<std::size_t>(keys.count);
  hashes_.resize(count);
  values_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = keys.rows != nullptr ? static_cast<std::size_t>(keys.rows[i]) : i;
    hashes_[i] = EntryOrder::group_hash(keys.hashes[row]);
  }
  groups_->find({.columns = {}, .hashes = hashes_.data(), .count = keys.count}, encoded, values_);
  for (std::size_t i = 0; i < count; ++i) groups[i] = reinterpret_cast<Group*>(values_[i]);
}

std::int64_t EntryIndex::live_bytes() const {
  return groups_->live_bytes();
}

void EncodedRanges::encode(const EntryOrder& order, const EntryRanges& ranges) {
  order_ = &order;
  outer_ = outer_encoder_.encode(order.outer_layout(), ranges.keys);
  encode(ranges.keys, ranges.from, from_);
  encode(ranges.keys, ranges.to, to_);
}

void EncodedRanges::encode(const KeyBatch& keys, const EntryRanges::Bound& given, Bounds& bounds) {
  bounds.columns = given.columns.size();
  bounds.is_included = given.is_included;
  if (given.columns.empty()) return;
  CLP_CHECK(given.columns.size() <= order_->entry_columns());
  bounds.keys = bounds.encoder.encode(
      order_->layout_of(given.columns.size()),
      {.columns = given.columns, .hashes = nullptr, .rows = keys.rows, .count = keys.count});
}

EntryBound EncodedRanges::bound(const Bounds& bounds, std::size_t i) const {
  if (bounds.columns == 0) return {};
  const std::int64_t key_bytes = order_->layout_of(bounds.columns).key_bytes();
  EntryBound bound{
      .key = {.slots = bounds.keys.slots + static_cast<std::int64_t>(i) * key_bytes,
              .null_bits = bounds.keys.null_bits != nullptr ? bounds.keys.null_bits[i] : 0,
              .columns = bounds.columns},
      .is_included = bounds.is_included};
  bound.prefix = order_->prefix(bound.key);
  return bound;
}

}  // namespace clepsydra
