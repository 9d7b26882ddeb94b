#include "taskmanager/result_exchange.h"

#include <algorithm>
#include <utility>

namespace clepsydra {

std::unique_ptr<ResultChannel::Sender> ResultChannel::open_sender(int senders, int attempt) {
  {
    const MutexLock lock(mutex_);
    if (attempt > attempt_) {
      attempt_ = attempt;
      senders_left_ = senders;
    }
  }
  return std::make_unique<Sender>(shared_from_this());
}

void ResultChannel::forget(const Sender* sender) {
  const MutexLock lock(mutex_);
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first == sender; });
}

ResultChannel::State ResultChannel::take(Batch& batch) {
  std::vector<std::pair<const Sender*, Waker>> woken;
  {
    const MutexLock lock(mutex_);
    if (batches_.empty()) return senders_left_ == 0 ? State::kEnd : State::kNothingYet;
    batch = std::move(batches_.front().first);
    bytes_ -= batches_.front().second;
    batches_.pop_front();
    if (bytes_ <= bytes_max_ / 2) woken.swap(waiting_);
  }
  for (const auto& [sender, waker] : woken) waker.wake();
  return State::kBatch;
}

void ResultChannel::close() {
  std::vector<std::pair<const Sender*, Waker>> woken;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    batches_.clear();
    bytes_ = 0;
    woken.swap(waiting_);
  }
  for (const auto& [sender, waker] : woken) waker.wake();
}

bool ResultChannel::has_room_or_wait(const Sender* sender, const Waker& waker) {
  const MutexLock lock(mutex_);
  if (bytes_ < bytes_max_ || closed_) return true;
  const bool waits_already = std::any_of(waiting_.begin(), waiting_.end(),
                                         [&](const auto& entry) { return entry.first == sender; });
  if (!waits_already) waiting_.emplace_back(sender, waker);
  return false;
}

Status ResultChannel::send(Batch batch) {
  const std::int64_t bytes = std::max<std::int64_t>(64, batch.own_bytes());
  {
    const MutexLock lock(mutex_);
    if (closed_) return Status::cancelled("the reader of the results has gone");
    bytes_ += bytes;
    batches_.emplace_back(std::move(batch), bytes);
  }
  on_change_();
  return Status::ok();
}

void ResultChannel::finish() {
  {
    const MutexLock lock(mutex_);
    --senders_left_;
  }
  on_change_();
}

Status ResultChannel::Sender::finish() {
  if (!std::exchange(has_finished_, true)) channel_->finish();
  return Status::ok();
}

std::shared_ptr<ResultChannel> ResultExchange::channel(const JobId& job, std::string_view sink) {
  const MutexLock lock(mutex_);
  std::shared_ptr<ResultChannel>& channel = channels_[{job, std::string(sink)}];
  if (channel == nullptr) channel = std::make_shared<ResultChannel>(bytes_max_, on_change_);
  return channel;
}

void ResultExchange::release(const JobId& job) {
  const MutexLock lock(mutex_);
  std::erase_if(channels_, [&](const auto& entry) { return entry.first.first == job; });
}

}  // namespace clepsydra
