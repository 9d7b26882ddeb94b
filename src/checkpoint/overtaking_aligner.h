// When a task begins a checkpoint whose barriers may overtake the rows before them.
#pragma once

#include <cstddef>
#include <vector>

#include "checkpoint/checkpoint_types.h"

namespace clepsydra {

// Pure: what channels say in, what the task has to do out. A barrier is announced before it is
// reached. Until overtake() is called the checkpoint is aligned: a channel whose barrier was
// reached is held, and the checkpoint starts when all were. From overtake() on it starts as soon as
// the barriers of those channels were reached that cannot be overtaken: what the others have in
// flight is part of it.
//
// There is one such checkpoint at a time: a newer one takes the place of an older one. One that has
// started is none of the aligner's business any more. An ended channel counts as having given every
// barrier.
//
// Threads: one call at a time (the task's).
class OvertakingAligner {
 public:
  // What to do, in the order of the fields.
  struct Action {
    CheckpointId given_up = 0;  // Not started, and never will be: to be declined.
    bool release_all = false;   // Take from all channels again.
    CheckpointId started = 0;   // Snapshot now, before anything more is taken from any channel.
    bool hold = false;          // Take nothing more from this channel until release_all.
    friend bool operator==(const Action&, const Action&) = default;
  };

  // By channel of all inputs of the task: whether its barriers may overtake.
  explicit OvertakingAligner(const std::vector<bool>& may_be_overtaken);

  Action on_announced(CheckpointId id);
  // All that stood before the barrier was taken.
  Action on_reached(int channel, CheckpointId id);
  // Nothing follows on this channel. It is not held.
  Action on_end(int channel);
  // The JobManager triggers the task itself because all its producers have finished.
  Action on_trigger(CheckpointId id);
  // The checkpoint that is being aligned has waited long enough.
  Action overtake();
  // Given up, by the JobManager or for a newer one of another kind: nothing is declined.
  Action on_abort(CheckpointId id);

  // Announced or reached, and not started; 0: none.
  [[nodiscard]] CheckpointId aligning() const { return aligning_; }

 private:
  struct Channel {
    bool may_be_overtaken = false;
    bool is_reached = false;  // The barrier of aligning_.
    bool has_ended = false;
  };

  // False: the checkpoint is none that could still start.
  bool consider(CheckpointId id, Action& action);
  void start_if_aligned(Action& action);
  void start(Action& action);
  void release(Action& action);

  std::vector<Channel> channels_;
  CheckpointId aligning_ = 0;
  CheckpointId newest_ = 0;  // That was ever heard of.
};

}  // namespace clepsydra
