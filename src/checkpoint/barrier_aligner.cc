#include "checkpoint/barrier_aligner.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"

namespace clepsydra {

BarrierAligner::BarrierAligner(int channels, Mode mode) : mode_(mode) {
  CLP_CHECK(channels >= 1);
  channels_.resize(static_cast<std::size_t>(channels));
}

const BarrierAligner::Channel& BarrierAligner::at(int channel) const {
  CLP_CHECK(channel >= 0 && channel < static_cast<int>(channels_.size()));
  return channels_[static_cast<std::size_t>(channel)];
}

BarrierAligner::Channel& BarrierAligner::at(int channel) {
  CLP_CHECK(channel >= 0 && channel < static_cast<int>(channels_.size()));
  return channels_[static_cast<std::size_t>(channel)];
}

BarrierAligner::Action BarrierAligner::on_barrier(int channel, CheckpointId id) {
  Action action;
  Channel& from = at(channel);
  CLP_CHECK(!from.is_held && !from.has_ended);
  from.last_barrier = std::max(from.last_barrier, id);
  give_up_before(channel, id, action);
  if (!is_ignored(id) && (pending_.contains(id) || !is_passed(id))) {
    if (!pending_.contains(id)) {
      std::set<int> missing;
      for (std::size_t c = 0; c < channels_.size(); ++c) {
        if (!channels_[c].has_ended) missing.insert(static_cast<int>(c));
      }
      pending_.emplace(id, std::move(missing));
      newest_ = id;
    }
    pending_.at(id).erase(channel);
    if (mode_ == Mode::kExactlyOnce && !pending_.at(id).empty()) {
      from.is_held = true;
      action.hold = true;
    }
    collect_aligned(action);
  }
  forget_aborted();
  return action;
}

BarrierAligner::Action BarrierAligner::on_end(int channel) {
  Action action;
  Channel& from = at(channel);
  CLP_CHECK(!from.is_held && !from.has_ended);
  from.has_ended = true;
  for (auto& [id, missing] : pending_) missing.erase(channel);
  collect_aligned(action);
  forget_aborted();
  return action;
}

BarrierAligner::Action BarrierAligner::on_trigger(CheckpointId id) {
  Action action;
  if (is_ignored(id) || pending_.contains(id)) return action;
  // Older ones may wait for the same ends and keep their holds: no barrier of `id` will come, so it
  // holds nothing itself.
  std::set<int> missing;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (!channels_[c].has_ended) missing.insert(static_cast<int>(c));
  }
  pending_.emplace(id, std::move(missing));
  newest_ = std::max(newest_, id);
  collect_aligned(action);
  return action;
}

BarrierAligner::Action BarrierAligner::on_abort(CheckpointId id) {
  Action action;
  if (id > aborted_up_to_) aborted_.insert(id);
  if (pending_.erase(id) > 0 && mode_ == Mode::kExactlyOnce) release(action);
  forget_aborted();
  return action;
}

bool BarrierAligner::is_ignored(CheckpointId id) const {
  if (id <= aborted_up_to_ || aborted_.contains(id)) return true;
  // Every channel gives ascending ids: one that was started and is gone will not come back, and one
  // that was passed over cannot be aligned.
  return id <= newest_ && !pending_.contains(id);
}

bool BarrierAligner::is_passed(CheckpointId id) const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [id](const Channel& channel) { return channel.last_barrier > id; });
}

void BarrierAligner::give_up_before(int channel, CheckpointId id, Action& action) {
  bool has_held = false;
  for (auto it = pending_.begin(); it != pending_.end() && it->first < id;) {
    if (!it->second.contains(channel)) {
      ++it;
      continue;
    }
    action.given_up.push_back(it->first);
    has_held = has_held || mode_ == Mode::kExactlyOnce;
    it = pending_.erase(it);
  }
  if (has_held) release(action);
}

void BarrierAligner::collect_aligned(Action& action) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (!it->second.empty()) {
      ++it;
      continue;
    }
    action.aligned.push_back(it->first);
    it = pending_.erase(it);
    if (mode_ == Mode::kExactlyOnce) release(action);
  }
}

void BarrierAligner::release(Action& action) {
  for (Channel& channel : channels_) {
    action.release_all = action.release_all || channel.is_held;
    channel.is_held = false;
  }
}

void BarrierAligner::forget_aborted() {
  CheckpointId passed = newest_;
  bool any_live = false;
  for (const Channel& channel : channels_) {
    if (channel.has_ended) continue;
    passed = any_live ? std::min(passed, channel.last_barrier) : channel.last_barrier;
    any_live = true;
  }
  if (any_live) aborted_.erase(aborted_.begin(), aborted_.upper_bound(passed));
  while (aborted_.size() > kAbortedMax) {
    aborted_up_to_ = *aborted_.begin();
    aborted_.erase(aborted_.begin());
  }
}

}  // namespace clepsydra
