#include "state/row_states.h"

namespace clepsydra {

void RowInHand::set(const KeyBatch& keys, std::int64_t i, StateNamespace ns) {
  const std::int64_t row = keys.rows != nullptr ? keys.rows[i] : i;
  columns_.clear();
  for (const Column& column : keys.columns) columns_.push_back(column.slice(row, 1, *pool_));
  hash_ = keys.hashes[row];
  key_ = {.columns = columns_, .hashes = &hash_, .rows = nullptr, .count = 1};
  ns_ = ns;
}

Result<KeyBatch> RowInHand::repeated(std::size_t times) {
  const auto rows = static_cast<std::int64_t>(times);
  many_columns_.clear();
  for (const Column& column : columns_) {
    CLP_ASSIGN_OR_RETURN(Column many, repeat_row(column, 0, rows, *pool_));
    many_columns_.push_back(std::move(many));
  }
  many_hashes_.assign(times, hash_);
  return KeyBatch{
      .columns = many_columns_, .hashes = many_hashes_.data(), .rows = nullptr, .count = rows};
}

}  // namespace clepsydra
