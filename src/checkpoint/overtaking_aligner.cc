#include "checkpoint/overtaking_aligner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra {

OvertakingAligner::OvertakingAligner(const std::vector<bool>& may_be_overtaken) {
  CLP_CHECK(!may_be_overtaken.empty());
  for (const bool may : may_be_overtaken) channels_.push_back({.may_be_overtaken = may});
}

OvertakingAligner::Action OvertakingAligner::on_announced(CheckpointId id) {
  Action action;
  consider(id, action);
  return action;
}

OvertakingAligner::Action OvertakingAligner::on_reached(int channel, CheckpointId id) {
  Action action;
  if (!consider(id, action)) return action;
  Channel& from = channels_[static_cast<std::size_t>(channel)];
  CLP_CHECK(!from.is_reached && !from.has_ended);
  from.is_reached = true;
  start_if_aligned(action);
  action.hold = action.started == 0;
  return action;
}

OvertakingAligner::Action OvertakingAligner::on_end(int channel) {
  Action action;
  Channel& from = channels_[static_cast<std::size_t>(channel)];
  CLP_CHECK(!from.is_reached && !from.has_ended);
  from.has_ended = true;
  if (aligning_ != 0) start_if_aligned(action);
  return action;
}

OvertakingAligner::Action OvertakingAligner::on_trigger(CheckpointId id) {
  Action action;
  if (consider(id, action)) start_if_aligned(action);
  return action;
}

OvertakingAligner::Action OvertakingAligner::overtake() {
  Action action;
  if (aligning_ == 0) return action;
  const bool may_start = std::all_of(channels_.begin(), channels_.end(), [](const Channel& c) {
    return c.may_be_overtaken || c.is_reached || c.has_ended;
  });
  if (may_start) start(action);
  return action;
}

OvertakingAligner::Action OvertakingAligner::on_abort(CheckpointId id) {
  Action action;
  // Whatever comes of it, or of an older one, comes too late.
  newest_ = std::max(newest_, id);
  if (aligning_ != 0 && aligning_ <= id) {
    aligning_ = 0;
    release(action);
  }
  return action;
}

bool OvertakingAligner::consider(CheckpointId id, Action& action) {
  if (id == aligning_) return true;
  if (id <= newest_) return false;
  action.given_up = std::exchange(aligning_, id);
  newest_ = id;
  if (action.given_up != 0) release(action);
  return true;
}

void OvertakingAligner::start_if_aligned(Action& action) {
  const bool is_aligned = std::all_of(channels_.begin(), channels_.end(),
                                      [](const Channel& c) { return c.is_reached || c.has_ended; });
  if (is_aligned) start(action);
}

void OvertakingAligner::start(Action& action) {
  action.started = std::exchange(aligning_, 0);
  release(action);
}

void OvertakingAligner::release(Action& action) {
  for (Channel& channel : channels_) {
    action.release_all = action.release_all || channel.is_reached;
    channel.is_reached = false;
  }
}

}  // namespace clepsydra
