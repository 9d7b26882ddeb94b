#include "state/hashmap/row_changes.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kPieceRowsMin = 8;
constexpr std::int64_t kPieceRowsMax = 8192;
constexpr std::int64_t kPrefetchRows = 8;

}  // namespace

Status RowList::push(RowHeader* row, MemoryPool& pool) {
  if (pieces_.empty() || pieces_.back().count == pieces_.back().capacity) {
    const std::int64_t capacity =
        pieces_.empty() ? kPieceRowsMin : std::min(pieces_.back().capacity * 2, kPieceRowsMax);
    CLP_ASSIGN_OR_RETURN(
        std::shared_ptr<MutableBuffer> buffer,
        allocate_buffer(pool, capacity * static_cast<std::int64_t>(sizeof(RowHeader*))));
    auto* rows = reinterpret_cast<RowHeader**>(buffer->mutable_data());
    pieces_.push_back(
        {.buffer = std::move(buffer), .rows = rows, .count = 0, .capacity = capacity});
  }
  Piece& piece = pieces_.back();
  piece.rows[piece.count++] = row;
  ++size_;
  return Status::ok();
}

void RowList::clear() {
  pieces_.clear();
  size_ = 0;
}

RowHeader* RowList::next(Cursor& cursor) const {
  while (cursor.piece < pieces_.size() && cursor.at == pieces_[cursor.piece].count) {
    ++cursor.piece;
    cursor.at = 0;
  }
  if (cursor.piece == pieces_.size()) return nullptr;
  const Piece& piece = pieces_[cursor.piece];
  // Rows lie anywhere: they are asked for ahead of use.
  if (cursor.at + kPrefetchRows < piece.count) {
    __builtin_prefetch(piece.rows[cursor.at + kPrefetchRows], 1);
  }
  return piece.rows[cursor.at++];
}

RowChanges::Epoch& RowChanges::current() {
  if (changes_.empty() || changes_.back().epoch != epochs_->current()) {
    prune();
    changes_.push_back({.epoch = epochs_->current()});
  }
  return changes_.back();
}

void RowChanges::push(Epoch& epoch, RowHeader* row) {
  if (!epoch.rows.push(row, *pool_).is_ok()) {
    epochs_->lose_changes(epochs_->current());
  }
}

void RowChanges::prune() {
  std::erase_if(changes_,
                [served = epochs_->served()](const Epoch& epoch) { return epoch.epoch <= served; });
}

bool RowChanges::note_written(RowHeader* row) {
  const bool is_first = changes_.empty() || changes_.back().epoch != epochs_->current();
  push(current(), row);
  return is_first;
}

void RowChanges::note_erased(std::span<const RowHeader* const> rows, const KeyLayout& layout) {
  Epoch& epoch = current();
  std::vector<Column> keys;
  if (!layout.read(rows, *pool_, keys).is_ok()) {
    epochs_->lose_changes(epochs_->current());
    return;
  }
  if (epoch.erased_builders.empty()) {
    for (const DataType& type : layout.types()) epoch.erased_builders.emplace_back(type, *pool_);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // The first error comes out of finish().
    epoch.erased_builders[i].append_range(keys[i], 0, keys[i].length());
  }
  epoch.erased += static_cast<std::int64_t>(rows.size());
}

void RowChanges::clear_rows() {
  for (Epoch& epoch : changes_) epoch.rows.clear();
}

void RowChanges::note_again(RowHeader* row) {
  // A row that went out bears a mark in place of its epoch: any epoch of that snapshot will do, and
  // the last one is listed longest.
  const auto after = std::upper_bound(
      changes_.begin(), changes_.end(), row->epoch,
      [](std::uint32_t written, const Epoch& epoch) { return written < epoch.epoch; });
  if (after == changes_.begin() || row->epoch <= epochs_->served()) return;
  push(*std::prev(after), row);
}

bool RowChanges::has_changes_in(std::uint32_t after, std::uint32_t until) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Epoch& epoch) {
    return epoch.epoch > after && epoch.epoch <= until;
  });
}

RowChanges::Epoch* RowChanges::next_epoch(std::uint32_t after, std::uint32_t until) {
  for (Epoch& epoch : changes_) {
    if (epoch.epoch > after) return epoch.epoch <= until ? &epoch : nullptr;
  }
  return nullptr;
}

Status RowChanges::read_erased(Epoch& epoch) {
  while (epoch.erased_keys.size() < epoch.erased_builders.size()) {
    Result<Column> keys = epoch.erased_builders[epoch.erased_keys.size()].finish();
    if (!keys.is_ok()) {
      epochs_->lose_changes(epoch.epoch);
      return keys.status();
    }
    epoch.erased_keys.push_back(*std::move(keys));
  }
  return Status::ok();
}

bool RowChanges::is_wasteful(std::int64_t live_rows) const {
  std::int64_t listed = 0;
  for (const Epoch& epoch : changes_) listed += epoch.rows.size();
  return listed > 2 * live_rows + kWasteRowsMin;
}

}  // namespace clepsydra
