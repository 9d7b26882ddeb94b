#include "state/hashmap/hashmap_snapshot.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra {

HashmapSnapshot::HashmapSnapshot(SnapshotEpochs& epochs, MemoryPool& pool, bool& is_alive)
    : epochs_(&epochs), pool_(&pool), is_alive_(&is_alive), is_base_(epochs.after() == 0) {
  *is_alive_ = true;
}

HashmapSnapshot::~HashmapSnapshot() {
  states_.clear();
  if (!has_ended_) epochs_->abandon();
  *is_alive_ = false;
}

Status HashmapSnapshot::add_rows(HashmapRows& rows) {
  CLP_ASSIGN_OR_RETURN(const std::uint32_t state,
                       writer_.add_state({.name = rows.spec().name,
                                          .key_types = rows.spec().key_types,
                                          .fields = rows.spec().codec->fields(),
                                          .entry_columns = rows.spec().entry_columns},
                                         prefix_));
  states_.push_back(std::make_unique<RowsImages>(rows, *epochs_, state, writer_, *pool_));
  return Status::ok();
}

Result<bool> HashmapSnapshot::write_some(std::int64_t rows_max, std::string& out) {
  CLP_RETURN_IF_ERROR(error_);
  if (has_ended_ || (prefix_.empty() && bytes_ == 0)) return true;
  const std::size_t before = out.size();
  const Result<bool> is_done = write(std::max<std::int64_t>(1, rows_max), out);
  if (!is_done.is_ok()) {
    error_ = is_done.status();
    return error_;
  }
  bytes_ += static_cast<std::int64_t>(out.size() - before);
  if (*is_done) {
    has_ended_ = true;
    // Nothing more is needed from anybody.
    states_.clear();
    epochs_->end(bytes_);
  }
  return has_ended_;
}

Result<bool> HashmapSnapshot::write(std::int64_t budget, std::string& out) {
  out += prefix_;
  prefix_ = {};
  while (next_state_ < states_.size()) {
    CLP_ASSIGN_OR_RETURN(const bool is_done, states_[next_state_]->write_some(budget, out));
    if (!is_done) return false;
    ++next_state_;
  }
  for (const auto& state : states_) CLP_RETURN_IF_ERROR(state->finish(out));
  writer_.finish(out);
  return true;
}

}  // namespace clepsydra
