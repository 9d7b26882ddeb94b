#include "state/hashmap/base_slices.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "state/hashmap/row_table.h"

namespace clepsydra {
namespace {

const RowTable* table_of(const SlicePlace& place, const BaseSlices::Rows& rows) {
  const auto found = rows.find(place.state);
  if (found == rows.end()) return nullptr;
  StateNamespace ns = place.ns;
  const RowTable* table = found->second->table_from(ns);
  return table != nullptr && ns == place.ns ? table : nullptr;
}

bool is_before(const SlicePlace& a, const SlicePlace& b) {
  return std::tie(a.lap, a.state, a.ns, a.at.page, a.at.row) <
         std::tie(b.lap, b.state, b.ns, b.at.page, b.at.row);
}

}  // namespace

void BaseSlices::begin_base() {
  writing_ = {.begins = {confirmed_.next}, .next = confirmed_.next};
}

std::size_t BaseSlices::begin_changes(const Rows& rows) {
  writing_ = confirmed_;
  SlicePlace& next = writing_.next;
  if (const RowTable* table = table_of(next, rows); table && table->moves() != next.moves) {
    next.at = {};
    next.moves = table->moves();
  }
  std::deque<SlicePlace>& begins = writing_.begins;
  begins.push_back(next);
  std::size_t outdated = 0;
  while (begins.size() > 2) {
    SlicePlace round = begins[1];
    ++round.lap;
    if (const RowTable* table = table_of(round, rows); table && table->moves() != round.moves) {
      round.at = {.page = std::numeric_limits<std::int64_t>::max(), .row = 0};
    }
    if (is_before(next, round)) break;
    begins.pop_front();
    ++outdated;
  }
  return outdated;
}

void BaseSlices::end() {
  written_ = std::move(writing_);
}

void BaseSlices::confirm(bool completed) {
  if (completed && written_) confirmed_ = *std::move(written_);
  written_.reset();
}

std::int64_t BaseSlices::rows_of_slice(std::int64_t changed, std::int64_t all) const {
  const std::int64_t rows = std::max(changed / kChangesPerRow, rows_min_ - changed);
  if (writing_.begins.size() <= kLongChain) return rows;
  return std::max(rows, all / kSlicesOfLongChain + 1);
}

}  // namespace clepsydra
