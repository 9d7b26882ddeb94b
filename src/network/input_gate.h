// Where a task's input comes in: the channels of all its inputs, merged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "network/in_flight.h"
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
// With barriers that may overtake (expect_overtaking()) its user hears at once of those that were
// announced (take_news()), and may ask for what they overtake: from start_recording() on the gate
// keeps, of every channel, all that comes before the barrier, whether it is delivered meanwhile or
// not.
//
// What a restored task had under way (recover()) is delivered first; no barrier is looked at before
// that is done.
//
// Threads: the task's.
class InputGate {
 public:
  struct Channel {
    std::shared_ptr<LocalChannel> channel;
    int input = 0;
    // Its barriers may overtake: they are announced, not in the ring.
    bool may_be_overtaken = false;
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
  // Every channel has said whether it has input, now or before the task was restored.
  [[nodiscard]] bool has_started() const {
    return recovery_ != nullptr ? recovery_->silent == 0 : silent_ == 0;
  }
  // No channel holds event time back, but one may do so again.
  [[nodiscard]] bool idle() const { return merger().idle(); }
  [[nodiscard]] std::int64_t watermark() const {
    return has_watermark() ? merger().watermark() : delivered_watermark_;
  }

  // Before the first poll.
  void recover(std::vector<RecoveredChannel> channels);
  [[nodiscard]] bool is_recovering() const { return recovery_ != nullptr; }

  // ---- Barriers that may overtake ----

  // Before any side runs.
  void expect_overtaking();
  [[nodiscard]] bool expects_overtaking() const { return news_ != nullptr; }
  [[nodiscard]] bool may_be_overtaken(int channel) const {
    return inputs_[static_cast<std::size_t>(channel)].may_be_overtaken;
  }
  // Something was announced, or a channel was closed.
  [[nodiscard]] bool has_news() const {
    return news_ != nullptr && !is_recovering() &&
           news_->load(std::memory_order_acquire) != seen_news_;
  }
  struct News {
    int channel = 0;
    std::optional<BarrierSignal> barrier;  // None: nothing follows on the channel.
  };
  // Until has_news() is false nothing more is taken from any channel.
  std::vector<News> take_news();
  // Something taken before is not delivered yet.
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }

  // Everything delivered so far is before the checkpoint. One at a time.
  void start_recording(std::int64_t checkpoint_id);
  [[nodiscard]] bool is_recording() const { return recording_ != 0; }
  // The barrier of every channel is known, or its end.
  [[nodiscard]] bool has_recorded() const { return is_recording() && open_recordings_ == 0; }
  [[nodiscard]] std::int64_t recorded_bytes() const { return recorded_bytes_; }
  // By channel; ends the recording.
  std::vector<InFlightChannel> take_recorded();
  void stop_recording();

 private:
  // Signals taken in one poll at most.
  static constexpr int kSignalsMax = 64;

  struct Input {
    std::shared_ptr<LocalChannel> channel;
    int input = 0;
    bool may_be_overtaken = false;
    bool has_spoken = false;
    bool is_held = false;
    // What was taken so far has said.
    bool is_idle = false;
    bool has_ended = false;
    std::int64_t watermark = kMinWatermark;
    bool is_closed = false;                             // As far as the news were read.
    std::optional<LocalChannel::Announcement> barrier;  // Announced and not reached.
    std::int64_t reached = 0;                           // The last one reached.
    bool is_recorded = false;                           // What is taken goes into `in_flight`.
    InFlightChannel in_flight;
  };
  // What the task is restored with, as channels of its own.
  struct Recovery {
    struct Channel {
      RecoveredChannel of;
      std::size_t taken = 0;  // Elements.
      int place = 0;          // In the merger of its group.

      [[nodiscard]] bool is_done() const { return taken == of.content.elements.size(); }
      [[nodiscard]] bool has_first_word() const {
        return !of.content.has_spoken && taken == 0 && !is_done();
      }
    };
    // What one former subtask had. A channel that has ended, or has said that nothing more comes,
    // holds nobody back.
    struct Group {
      std::vector<Channel> channels;
      WatermarkMerger merger{1};
      std::size_t next = 0;
    };
    std::vector<Group> groups;
    WatermarkMerger merger{1};
    int silent = 0;  // Channels with their first word under way.

    // What group `g` says is said to the merger of all.
    void merge(std::size_t g);
    // Where the next element is; null: there is none.
    std::pair<std::size_t, Channel*> next();
  };
  // Where an element comes from.
  struct Origin {
    int channel = 0;  // In the merger.
    int input = 0;
    WatermarkMerger* merger = nullptr;
  };
  [[nodiscard]] const WatermarkMerger& merger() const {
    return recovery_ != nullptr ? recovery_->merger : merger_;
  }
  // Event time has advanced beyond what was delivered. That it ends is for live channels to say:
  // who had finished says so again.
  [[nodiscard]] bool has_watermark() const {
    const std::int64_t merged = merger().watermark();
    return merged > delivered_watermark_ && (recovery_ == nullptr || merged < kMaxWatermark);
  }
  // The next channel in turn that is not held and has an element, or -1. Until all have spoken only
  // those that have not.
  int next_channel();
  [[nodiscard]] static bool stands_at_barrier(const Input& input) {
    return input.barrier && input.barrier->position == input.channel->position();
  }
  // What a batch without rows and the mark of the merged watermark are told by.
  Polled watermark_batch(std::int64_t watermark) const;
  // True: idle() or has_started() may have changed.
  Result<bool> take_element(StreamElement element, int channel);
  // False: there is nothing left.
  Result<bool> take_recovered();
  Status take_signal(const Signal& signal, const Origin& from);
  // Queues what a batch of one channel becomes.
  Status take_batch(Batch batch, const Origin& from);
  Batch relabelled(Batch batch, int input) const;
  void remember(Input& input, const StreamElement& element);
  void record(Input& input, const StreamElement& element);
  // What stands in the ring before `end`, and no more.
  void close_recording(Input& input, std::uint64_t end);

  std::vector<Input> inputs_;
  const std::vector<SchemaPtr> schemas_;
  WatermarkMerger merger_;
  std::int64_t delivered_watermark_ = kMinWatermark;
  std::size_t next_ = 0;
  int silent_ = 0;
  std::deque<Polled> ready_;  // Pieces of one batch, or what a signal became.
  std::unique_ptr<Recovery> recovery_;
  std::shared_ptr<LocalChannel::News> news_;  // Shared with the channels.
  std::uint64_t seen_news_ = 0;
  std::int64_t recording_ = 0;  // Of which checkpoint; 0: none.
  int open_recordings_ = 0;
  std::int64_t recorded_bytes_ = 0;
};

}  // namespace clepsydra
