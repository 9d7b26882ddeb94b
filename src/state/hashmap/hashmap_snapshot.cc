#include "state/hashmap/hashmap_snapshot.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra {

namespace {

// Of a slice, in one step: what one block may have, about.
constexpr std::size_t kSliceStepBytes = 256 << 10;

}  // namespace

HashmapSnapshot::HashmapSnapshot(SnapshotEpochs& epochs, BaseSlices* slices, std::size_t outdated,
                                 MemoryPool& pool, bool& is_alive)
    : epochs_(&epochs),
      slices_(slices),
      pool_(&pool),
      is_alive_(&is_alive),
      is_base_(epochs.after() == 0),
      outdated_(outdated) {
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
    if (slices_ != nullptr) slices_->end();
  }
  return has_ended_;
}

// Once around at most: with the second end of all states it has come to where it began, or further.
Result<bool> HashmapSnapshot::write_slice(std::int64_t& budget, std::string& out) {
  if (!slice_left_) {
    std::int64_t changed = 0;
    std::int64_t all = 0;
    for (const auto& state : states_) {
      changed += state->changed_rows();
      all += state->all_rows();
    }
    slice_left_ = slices_->rows_of_slice(changed, all);
  }
  SlicePlace& place = slices_->place();
  const std::size_t before = out.size();
  while (*slice_left_ > 0) {
    if (budget <= 0 || out.size() - before >= kSliceStepBytes) return false;
    const auto state = std::find_if(states_.begin(), states_.end(), [&](const auto& of) {
      return of->rows().spec().name >= place.state;
    });
    if (state == states_.end()) {
      place = {.lap = place.lap + 1};
      if (std::exchange(has_wrapped_, true)) break;
      continue;
    }
    const std::string& name = (*state)->rows().spec().name;
    if (name != place.state) place = {.lap = place.lap, .state = name};
    CLP_ASSIGN_OR_RETURN(const bool is_done,
                         (*state)->write_slice(place, *slice_left_, budget, out));
    if (is_done) place = {.lap = place.lap, .state = name + '\0'};  // The first name after it.
  }
  return true;
}

Result<bool> HashmapSnapshot::write(std::int64_t budget, std::string& out) {
  out += prefix_;
  prefix_ = {};
  while (next_state_ < states_.size()) {
    CLP_ASSIGN_OR_RETURN(const bool is_done, states_[next_state_]->write_some(budget, out));
    if (!is_done) return false;
    ++next_state_;
  }
  if (slices_ != nullptr && !is_base_) {
    CLP_ASSIGN_OR_RETURN(const bool is_done, write_slice(budget, out));
    if (!is_done) return false;
  }
  for (const auto& state : states_) CLP_RETURN_IF_ERROR(state->finish(out));
  writer_.finish(out);
  return true;
}

}  // namespace clepsydra
