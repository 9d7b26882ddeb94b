#include "state/hashmap/rows_images.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {

RowsImages::RowsImages(HashmapRows& rows, const SnapshotEpochs& epochs, std::uint32_t state,
                       StateBlockWriter& writer, MemoryPool& pool)
    : rows_(&rows), epochs_(&epochs), state_(state), writer_(&writer), pool_(&pool) {
  rows_->set_images(this);
}

RowsImages::~RowsImages() {
  rows_->set_images(nullptr);
}

void RowsImages::take_early(StateNamespace ns, std::span<std::byte* const> values) {
  while (error_.is_ok() && !values.empty()) {
    const auto part = values.first(std::min(values.size(), block_rows_));
    values = values.subspan(part.size());
    Early early{.run = {.ns = ns, .rows = static_cast<std::int64_t>(part.size())},
                .columns = {},
                .bytes = static_cast<std::int64_t>(sizeof(NamespaceRun))};
    error_ = rows_->read_columns(part, *pool_, early.columns);
    for (const Column& column : early.columns) early.bytes += column.own_bytes();
    early_bytes_ += early.bytes;
    changed_rows_ += early.run.rows;
    early_.push_back(std::move(early));
  }
}

void RowsImages::take_dropped(StateNamespace ns, std::unique_ptr<RowTable> table) {
  // One per namespace: what comes after it in the same namespace was not there when it was frozen.
  CLP_CHECK(dropped_.emplace(ns, std::move(table)).second);
}

Result<bool> RowsImages::write_some(std::int64_t& budget, std::string& out) {
  CLP_RETURN_IF_ERROR(error_);
  if (!has_begun_) {
    has_begun_ = true;
    // A base has nothing that could have been dropped.
    if (epochs_->after() != 0) {
      writer_->add_dropped(state_, rows_->dropped(epochs_->after(), epochs_->frozen()), out);
    }
  }
  CLP_RETURN_IF_ERROR(write_early(kEarlyBytesMin, out));
  Result<bool> is_done = write_more(budget, out);
  CLP_RETURN_IF_ERROR(rows_->end_images_step());
  return is_done;
}

Result<bool> RowsImages::write_more(std::int64_t& budget, std::string& out) {
  const std::size_t before = out.size();
  while (budget > 0 && out.size() - before < kBlockBytes) {
    if (table_ == nullptr) {
      CLP_ASSIGN_OR_RETURN(const Next next, next_table(budget, out));
      if (next == Next::kLater) break;
      if (next == Next::kNone) {
        CLP_RETURN_IF_ERROR(write_block(out));
        return true;
      }
    }
    const std::size_t rows_before = values_.size();
    const bool is_done = table_->take_images(block_rows_, budget, values_);
    changed_rows_ += static_cast<std::int64_t>(values_.size() - rows_before);
    // A delta tells of all that changed: without an expired row it would leave what it was before.
    if (epochs_->after() == 0) leave_out_expired(rows_before);
    if (values_.size() > rows_before) {
      runs_.push_back(
          {.ns = namespace_, .rows = static_cast<std::int64_t>(values_.size() - rows_before)});
    }
    if (is_done) end_table();
    if (values_.size() >= block_rows_) CLP_RETURN_IF_ERROR(write_block(out));
  }
  CLP_RETURN_IF_ERROR(write_block(out));
  return false;
}

Status RowsImages::finish(std::string& out) {
  CLP_RETURN_IF_ERROR(error_);
  return write_early(1, out);
}

Result<bool> RowsImages::write_slice(SlicePlace& place, std::int64_t& left, std::int64_t& budget,
                                     std::string& out) {
  CLP_RETURN_IF_ERROR(error_);
  bool is_done = false;
  while (!is_done && left > 0 && budget > 0 && values_.size() < block_rows_) {
    StateNamespace ns = place.ns;
    const RowTable* table = rows_->table_from(ns);
    is_done = table == nullptr;
    if (is_done) break;
    if (ns != place.ns || table->moves() != place.moves) {
      place.ns = ns;
      place.at = {};
      place.moves = table->moves();
    }
    const std::size_t rows_before = values_.size();
    const bool is_at_end = table->take_slice(place.at, block_rows_, budget, left, values_);
    leave_out_expired(rows_before);
    if (values_.size() > rows_before) {
      runs_.push_back({.ns = ns, .rows = static_cast<std::int64_t>(values_.size() - rows_before)});
    }
    if (!is_at_end) continue;
    --budget;
    is_done = ns == std::numeric_limits<StateNamespace>::max();
    if (!is_done) place = {.lap = place.lap, .state = place.state, .ns = ns + 1};
  }
  CLP_RETURN_IF_ERROR(write_block(out));
  return is_done;
}

// Of the values from `begin` on.
void RowsImages::leave_out_expired(std::size_t begin) {
  const RowValueCodec& codec = *rows_->spec().codec;
  if (!codec.may_expire()) return;
  const auto from = values_.begin() + static_cast<std::ptrdiff_t>(begin);
  values_.erase(std::remove_if(from, values_.end(),
                               [&](const std::byte* value) { return codec.is_expired(value); }),
                values_.end());
}

// Dropped namespaces first: nobody else needs their memory.
Result<RowsImages::Next> RowsImages::next_table(std::int64_t& budget, std::string& out) {
  while (true) {
    if (budget-- <= 0) return Next::kLater;
    if (!dropped_.empty()) {
      CLP_RETURN_IF_ERROR(start_table(dropped_.begin()->first, *dropped_.begin()->second, out));
      return Next::kFound;
    }
    if (is_at_end_) return Next::kNone;
    StateNamespace ns = next_namespace_;
    RowTable* table = rows_->table_from(ns);
    if (table == nullptr) {
      is_at_end_ = true;
      continue;
    }
    is_at_end_ = ns == std::numeric_limits<StateNamespace>::max();
    if (!is_at_end_) next_namespace_ = ns + 1;
    all_rows_ += table->row_count();
    table->prune_changes();
    if (!table->has_images()) continue;
    CLP_RETURN_IF_ERROR(start_table(ns, *table, out));
    return Next::kFound;
  }
}

Status RowsImages::start_table(StateNamespace ns, RowTable& table, std::string& out) {
  namespace_ = ns;
  table_ = &table;
  table.start_images();
  return table.visit_erased([&](std::int64_t rows, const std::vector<Column>& keys) -> Status {
    return write_erased(ns, rows, keys, out);
  });
}

void RowsImages::end_table() {
  const auto dropped = dropped_.find(namespace_);
  if (dropped != dropped_.end() && dropped->second.get() == table_) {
    done_.push_back(std::move(dropped->second));
    dropped_.erase(dropped);
  }
  table_ = nullptr;
}

Status RowsImages::write_erased(StateNamespace ns, std::int64_t rows,
                                const std::vector<Column>& keys, std::string& out) {
  for (std::int64_t begin = 0; begin < rows; begin += static_cast<std::int64_t>(kBlockRowsMax)) {
    const NamespaceRun run{
        .ns = ns, .rows = std::min(rows - begin, static_cast<std::int64_t>(kBlockRowsMax))};
    std::vector<Column> part;
    for (const Column& column : keys) part.push_back(column.slice(begin, run.rows, *pool_));
    CLP_RETURN_IF_ERROR(writer_->add_erased(state_, {&run, 1}, std::move(part), *pool_, out));
  }
  return Status::ok();
}

Status RowsImages::write_block(std::string& out) {
  if (values_.empty()) return Status::ok();
  const std::size_t before = out.size();
  CLP_RETURN_IF_ERROR(write_values(values_, runs_, out));
  const std::size_t row_bytes = (out.size() - before) / values_.size() + 1;
  block_rows_ = std::clamp<std::size_t>(kBlockBytes / row_bytes, 1, kBlockRowsMax);
  values_.clear();
  runs_.clear();
  done_.clear();
  return Status::ok();
}

// Rows may be much larger than those before them: what is too much for a block becomes two.
Status RowsImages::write_values(std::span<std::byte* const> values,
                                std::span<const NamespaceRun> runs, std::string& out) {
  std::vector<Column> columns;
  Status status = rows_->read_columns(values, *pool_, columns);
  if (status.is_ok()) status = writer_->add_rows(state_, runs, std::move(columns), *pool_, out);
  if (status.code() != StatusCode::kResourceExhausted || values.size() == 1) return status;
  const std::size_t half = values.size() / 2;
  auto left = static_cast<std::int64_t>(half);
  std::vector<NamespaceRun> first;
  std::vector<NamespaceRun> second;
  for (const NamespaceRun& run : runs) {
    const std::int64_t rows = std::min(run.rows, left);
    left -= rows;
    if (rows > 0) first.push_back({.ns = run.ns, .rows = rows});
    if (rows < run.rows) second.push_back({.ns = run.ns, .rows = run.rows - rows});
  }
  CLP_RETURN_IF_ERROR(write_values(values.first(half), first, out));
  return write_values(values.subspan(half), second, out);
}

Status RowsImages::write_early(std::int64_t bytes_min, std::string& out) {
  if (early_bytes_ < bytes_min) return Status::ok();
  for (std::size_t begin = 0; begin < early_.size();) {
    std::vector<NamespaceRun> runs;
    std::int64_t bytes = 0;
    std::size_t end = begin;
    while (end < early_.size() && bytes < static_cast<std::int64_t>(kBlockBytes)) {
      bytes += early_[end].bytes;
      runs.push_back(early_[end++].run);
    }
    std::vector<Column> columns;
    std::vector<Column> parts(end - begin);
    for (std::size_t c = 0; c < early_[begin].columns.size(); ++c) {
      for (std::size_t i = begin; i < end; ++i) parts[i - begin] = early_[i].columns[c];
      CLP_ASSIGN_OR_RETURN(Column column, concatenate(parts, *pool_));
      columns.push_back(std::move(column));
    }
    CLP_RETURN_IF_ERROR(writer_->add_rows(state_, runs, std::move(columns), *pool_, out));
    begin = end;
  }
  early_.clear();
  early_bytes_ = 0;
  return Status::ok();
}

}  // namespace clepsydra
