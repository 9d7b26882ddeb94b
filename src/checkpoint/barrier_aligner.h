// When a checkpoint's barrier has come from all channels of a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "checkpoint/checkpoint_types.h"

namespace clepsydra {

// Pure: what channels say in, what the task has to do out. A channel's elements come in order and
// its barriers with ascending ids; one that has ended counts as having given every barrier.
//
// Exactly-once: a channel that has given its barrier is held until all have, so there is one
// checkpoint at a time. At-least-once: none is held, and several checkpoints may be on their way.
// A checkpoint whose barrier a channel has skipped will never be aligned: it is given up, for the
// newer one whose barrier came instead. Barriers of checkpoints that were given up, aborted or
// aligned are ignored.
//
// Threads: one call at a time (the task's).
class BarrierAligner {
 public:
  enum class Mode : std::uint8_t { kExactlyOnce, kAtLeastOnce };

  // What to do, in the order of the fields.
  struct Action {
    // Will never be aligned: to be declined. Ascending. The task has not snapshotted them.
    std::vector<CheckpointId> given_up = {};
    bool release_all = false;  // Take from all channels again.
    // Snapshot now, in this order, before anything more is taken from any channel.
    std::vector<CheckpointId> aligned = {};
    bool hold = false;  // Take nothing more from this channel until release_all.
    friend bool operator==(const Action&, const Action&) = default;
  };

  // `channels` of all inputs of the task together, at least 1.
  BarrierAligner(int channels, Mode mode);

  // Not for a channel that is held or has ended: it cannot speak.
  Action on_barrier(int channel, CheckpointId id);
  // Nothing follows on this channel. It is not held.
  Action on_end(int channel);
  // The JobManager triggers the task itself because all its producers have finished, though their
  // last rows may be under way: aligned when all channels have ended. None of them gives a barrier
  // of it or of a later one any more.
  Action on_trigger(CheckpointId id);
  // The JobManager has given it up: nothing is declined.
  Action on_abort(CheckpointId id);

  // Nothing may be taken from this channel.
  [[nodiscard]] bool is_held(int channel) const { return at(channel).is_held; }
  // The oldest checkpoint whose barriers are coming in; 0: none. For measuring alignment.
  [[nodiscard]] CheckpointId aligning() const {
    return pending_.empty() ? 0 : pending_.begin()->first;
  }

  // Aborted checkpoints are remembered until every live channel is past them, at most so many;
  // beyond, everything up to the oldest is ignored.
  static constexpr std::size_t kAbortedMax = 1000;

 private:
  struct Channel {
    bool is_held = false;
    bool has_ended = false;
    CheckpointId last_barrier = 0;
  };

  [[nodiscard]] const Channel& at(int channel) const;
  Channel& at(int channel);
  [[nodiscard]] bool is_ignored(CheckpointId id) const;
  // A channel has skipped it, though no other has given it before.
  [[nodiscard]] bool is_passed(CheckpointId id) const;
  // Checkpoints before `id` that a channel has skipped.
  void give_up_before(int channel, CheckpointId id, Action& action);
  // All pending ones that every channel has given.
  void collect_aligned(Action& action);
  void release(Action& action);
  void forget_aborted();

  const Mode mode_;
  std::vector<Channel> channels_;
  // Started, not aligned: by id, the channels that are missing.
  std::map<CheckpointId, std::set<int>> pending_;
  CheckpointId newest_ = 0;         // That was ever started.
  std::set<CheckpointId> aborted_;  // Above aborted_up_to_.
  CheckpointId aborted_up_to_ = 0;
};

}  // namespace clepsydra
