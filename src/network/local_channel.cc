#include "network/local_channel.h"

#include <algorithm>
#include <utility>

namespace clepsydra {

void LocalChannel::set_wakers(Waker producer, Waker consumer) {
  producer_ = std::move(producer);
  consumer_ = std::move(consumer);
}

bool LocalChannel::try_push(StreamElement& element, std::int64_t bytes) {
  bytes = std::max(bytes, kElementBytesMin);
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::int64_t queued = queued_bytes_.load();
  if (queued != 0 && (queued + bytes > bytes_max_ ||
                      tail - head_.load(std::memory_order_acquire) == kElementsMax)) {
    return false;
  }
  const bool closes = as_signal<EndOfInputSignal>(element) != nullptr;
  Slot& slot = slots_[tail % kElementsMax];
  slot.element = std::move(element);
  slot.bytes = bytes;
  queued_bytes_.fetch_add(bytes);
  tail_.store(tail + 1, std::memory_order_release);
  if (closes) {
    is_closed_.store(true, std::memory_order_release);
    if (news_ != nullptr) news_->fetch_add(1, std::memory_order_release);
  }
  consumer_.wake();
  return true;
}

void LocalChannel::announce(const BarrierSignal& barrier) {
  {
    const MutexLock lock(mutex_);
    announcement_ = {barrier, tail_.load(std::memory_order_relaxed)};
  }
  // Before anything is pushed behind it: who sees that sees the news too.
  if (news_ != nullptr) news_->fetch_add(1, std::memory_order_release);
  consumer_.wake();
}

std::optional<LocalChannel::Announcement> LocalChannel::take_announcement() {
  const MutexLock lock(mutex_);
  return std::exchange(announcement_, std::nullopt);
}

bool LocalChannel::has_room() const {
  return queued_bytes_.load() < bytes_max_ &&
         tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire) <
             kElementsMax;
}

bool LocalChannel::is_empty() const {
  return queued_bytes_.load() == 0;
}

bool LocalChannel::is_over(ProducerWait wait) const {
  const std::int64_t queued = queued_bytes_.load();
  if (queued == 0) return true;
  if (wait == ProducerWait::kEmpty) return false;
  return queued <= bytes_max_ / 2 &&
         tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire) <=
             kElementsMax / 2;
}

bool LocalChannel::wake_when(ProducerWait wait) {
  producer_wait_.store(wait);
  if (!is_over(wait)) return true;
  producer_wait_.store(ProducerWait::kNone);
  return false;
}

bool LocalChannel::has_element() const {
  return head_.load(std::memory_order_relaxed) != tail_.load(std::memory_order_acquire);
}

bool LocalChannel::try_pop(StreamElement& element) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_acquire)) return false;
  Slot& slot = slots_[head % kElementsMax];
  // A moved-from variant may keep its alternative alive: the slot must not pin a batch.
  element = std::exchange(slot.element, StreamElement());
  const std::int64_t bytes = slot.bytes;
  head_.store(head + 1, std::memory_order_release);
  queued_bytes_.fetch_sub(bytes);
  const ProducerWait wait = producer_wait_.load();
  if (wait != ProducerWait::kNone && is_over(wait) &&
      producer_wait_.exchange(ProducerWait::kNone) != ProducerWait::kNone) {
    producer_.wake();
  }
  return true;
}

}  // namespace clepsydra
