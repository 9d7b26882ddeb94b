// Where a task's input comes in: the channels of all its inputs, merged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "clepsydra/status.h"
#include "network/local_channel.h"
#include "stream/batch.h"
#include "stream/stream_element.h"
#include "stream/watermark.h"

namespace clepsydra {

// Takes elements from channels in turn. Event time is merged over all channels of all inputs:
// batches come with the marks of the merged stream. An operator with several inputs gets marks on
// input 0 alone: a batch of another input is cut where one falls.
//
// A channel begins with an IdleSignal that says whether its producer has input; no batch is
// delivered before every channel has said so or ended. So an input that will never speak (a source
// subtask without a split) does not hold time back, or stop doing so, somewhere among the rows.
//
// A barrier is given out at its place: after all that came before it on its channel. The gate does
// not know what it means. Its user may hold the channel back, so that nothing more is taken from it
// (its ring fills and its producer waits) while the others go on.
//
// Threads: the task's.
class InputGate {
 public:
  struct Channel {
    std::shared_ptr<LocalChannel> channel;
    int input = 0;
  };
  enum class State : std::uint8_t {
    kBatch,         // `batch` of `input`.
    kAgain,         // Signals were taken: look at idle() and has_started(), and poll again.
    kBarrier,       // `barrier` of `channel`; what stood before it was delivered.
    kEndOfChannel,  // Nothing more comes from `channel`; all of it was delivered. As kAgain.
    kNothing,       // No channel that is not held has an element: the task is woken by the next.
    kEnd,           // Every channel has ended and everything was delivered.
  };
  struct Polled {
    State state = State::kNothing;
    int input = 0;
    int channel = 0;  // As given to the constructor, counted from 0.
    Batch batch{};
    BarrierSignal barrier{};
  };

  // `schemas`: one per input; batches are relabelled with them.
  InputGate(std::vector<Channel> channels, std::vector<SchemaPtr> schemas);

  // Unimplemented for signals that nobody sends yet (latency markers). FailedPrecondition for a
  // channel that begins with a barrier.
  Result<Polled> poll();

  // Takes nothing more from `channel`; its event time stays where it is.
  void hold(int channel);
  void release_all();

  [[nodiscard]] int channels() const { return static_cast<int>(inputs_.size()); }
  // Every channel has said whether it has input.
  [[nodiscard]] bool has_started() const { return silent_ == 0; }
  // No channel holds event time back, but one may do so again.
  [[nodiscard]] bool idle() const { return merger_.idle(); }
  [[nodiscard]] std::int64_t watermark() const { return merger_.watermark(); }

 private:
  // Signals taken in one poll at most.
  static constexpr int kSignalsMax = 64;

  struct Input {
    std::shared_ptr<LocalChannel> channel;
    int input = 0;
    bool has_spoken = false;
    bool is_held = false;
  };
  // The next channel in turn that is not held and has an element, or -1. Until all have spoken only
  // those that have not.
  int next_channel();
  // What a batch without rows and the mark of the merged watermark are told by.
  Polled watermark_batch(std::int64_t watermark) const;
  Status take_signal(const Signal& signal, int channel);
  // Queues what a batch of one channel becomes.
  Status take_batch(Batch batch, int channel);
  Batch relabelled(Batch batch, int input) const;

  std::vector<Input> inputs_;
  const std::vector<SchemaPtr> schemas_;
  WatermarkMerger merger_;
  std::int64_t delivered_watermark_ = kMinWatermark;
  std::size_t next_ = 0;
  int silent_ = 0;
  std::deque<Polled> ready_;  // Pieces of one batch, or what a signal became.
};

}  // namespace clepsydra
