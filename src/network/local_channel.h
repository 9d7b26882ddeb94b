// Connects a producing task with a consuming task of the same process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "stream/stream_element.h"

namespace clepsydra {

// A ring with one producer and one consumer. Bounded in bytes and elements; an element larger than
// all the bytes enters an empty ring. Nobody waits here: a side that cannot go on returns from its
// step and is woken by the other.
//
// A barrier that may overtake does not enter the ring: it is announced beside it, with the place
// where it stands. The consumer hears of it at once, however full the ring is, and may look at what
// stands before it.
//
// Threads: the methods under "Producer" one at a time, those under "Consumer" one at a time; the
// two sides at once. Kept alive by both tasks.
class LocalChannel {
 public:
  static constexpr std::size_t kElementsMax = 64;
  static constexpr std::int64_t kDefaultBytesMax = 1 << 20;
  // What every element counts at least, so that signals fill a ring too.
  static constexpr std::int64_t kElementBytesMin = 64;

  explicit LocalChannel(std::int64_t bytes_max) : bytes_max_(bytes_max) {}
  LocalChannel(const LocalChannel&) = delete;
  LocalChannel& operator=(const LocalChannel&) = delete;

  // A barrier beside the ring: `position` elements were pushed before it.
  struct Announcement {
    BarrierSignal barrier;
    std::uint64_t position = 0;
    friend bool operator==(const Announcement&, const Announcement&) = default;
  };
  // Counts announcements and ends of several channels, so that their consumer looks at one number.
  using News = std::atomic<std::uint64_t>;

  // Before either side runs.
  void set_wakers(Waker producer, Waker consumer);
  void set_news(std::shared_ptr<News> news) { news_ = std::move(news); }

  // Producer. `bytes`: what the element holds. Takes the element and wakes the consumer; false:
  // there is no room now, the element is untouched.
  bool try_push(StreamElement& element, std::int64_t bytes);
  [[nodiscard]] bool has_room() const;
  // The consumer has taken everything: it will look for more, or sleeps.
  [[nodiscard]] bool is_empty() const;
  // Asks to be woken once half of the ring is free, or all of it. False: that is so already.
  bool wake_when_room() { return wake_when(ProducerWait::kRoom); }
  bool wake_when_empty() { return wake_when(ProducerWait::kEmpty); }
  [[nodiscard]] std::int64_t bytes_max() const { return bytes_max_; }
  // The barrier stands behind all that was pushed. It takes the place of one that nobody has looked
  // at: that one will never complete.
  void announce(const BarrierSignal& barrier);

  // Consumer. False: there is none. May wake the producer.
  bool try_pop(StreamElement& element);
  [[nodiscard]] bool has_element() const;
  // What was announced since the last call.
  std::optional<Announcement> take_announcement();
  // The end of the channel is in the ring, or was.
  [[nodiscard]] bool is_closed() const { return is_closed_.load(std::memory_order_acquire); }
  // Elements popped, and elements pushed.
  [[nodiscard]] std::uint64_t position() const { return head_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t end_position() const { return tail_.load(std::memory_order_acquire); }
  // position() <= `at` < end_position().
  [[nodiscard]] const StreamElement& peek(std::uint64_t at) const {
    return slots_[at % kElementsMax].element;
  }

  // Either side, for metrics.
  [[nodiscard]] std::int64_t queued_bytes() const {
    return queued_bytes_.load(std::memory_order_relaxed);
  }

 private:
  enum class ProducerWait : std::uint8_t { kNone, kRoom, kEmpty };
  struct Slot {
    StreamElement element;
    std::int64_t bytes = 0;
  };

  bool wake_when(ProducerWait wait);
  [[nodiscard]] bool is_over(ProducerWait wait) const;

  const std::int64_t bytes_max_;
  Waker producer_;
  Waker consumer_;
  std::array<Slot, kElementsMax> slots_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // Elements pushed.
  alignas(64) std::atomic<std::uint64_t> head_{0};  // Elements popped.
  // Sequentially consistent together with producer_wait_: either the producer that goes to sleep
  // sees the bytes freed, or the consumer that frees them sees that the producer waits.
  alignas(64) std::atomic<std::int64_t> queued_bytes_{0};
  std::atomic<ProducerWait> producer_wait_{ProducerWait::kNone};

  std::shared_ptr<News> news_;  // Shared by the channels of a gate. Null: nobody asks.
  std::atomic<bool> is_closed_{false};
  Mutex mutex_;
  std::optional<Announcement> announcement_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
