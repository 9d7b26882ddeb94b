// How the results of a SELECT get from its collect_sink to the client, within one process.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "clepsydra/status.h"
#include "operators/result_sender.h"
#include "stream/batch.h"

namespace clepsydra {

// Bounded in bytes: a sink whose channel is full is not stepped until the client has read half of
// it.
//
// Threads: all methods, any thread; each sender by its task.
class ResultChannel : public std::enable_shared_from_this<ResultChannel> {
 public:
  // `on_change`: called without locks after every batch sent and when the last sender has finished.
  ResultChannel(std::int64_t bytes_max, std::function<void()> on_change)
      : bytes_max_(bytes_max), on_change_(std::move(on_change)) {}

  // A sink subtask's end; `senders` is the number of all of them. With the first of a new attempt
  // of the job all have to send, and to finish, again.
  class Sender;
  std::unique_ptr<Sender> open_sender(int senders, int attempt = 0);

  enum class State : std::uint8_t { kBatch, kNothingYet, kEnd };
  // The next batch into `batch`. kEnd: all senders have finished and everything was read.
  State take(Batch& batch);
  // The client has gone: senders get Cancelled.
  void close();

 private:
  // False: `waker`, of the sender `sender`, is woken when there is room.
  bool has_room_or_wait(const Sender* sender, const Waker& waker);
  Status send(Batch batch);
  void finish();
  void forget(const Sender* sender);

  const std::int64_t bytes_max_;
  const std::function<void()> on_change_;
  Mutex mutex_;
  std::deque<std::pair<Batch, std::int64_t>> batches_ CLP_GUARDED_BY(mutex_);
  std::int64_t bytes_ CLP_GUARDED_BY(mutex_) = 0;
  int senders_left_ CLP_GUARDED_BY(mutex_) = -1;  // -1: none has opened yet.
  int attempt_ CLP_GUARDED_BY(mutex_) = -1;
  bool closed_ CLP_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<const Sender*, Waker>> waiting_ CLP_GUARDED_BY(mutex_);
};

// Threads: the task's.
class ResultChannel::Sender final : public ResultSender {
 public:
  explicit Sender(std::shared_ptr<ResultChannel> channel) : channel_(std::move(channel)) {}
  ~Sender() override { channel_->forget(this); }

  // Before the task is first stepped.
  void set_waker(Waker waker) { waker_ = std::move(waker); }
  [[nodiscard]] bool has_room() const override { return channel_->has_room_or_wait(this, waker_); }
  Status send(Batch batch) override { return channel_->send(std::move(batch)); }
  Status finish() override;

 private:
  const std::shared_ptr<ResultChannel> channel_;
  Waker waker_;
  bool has_finished_ = false;
};

// Finds the channel of a sink for both sides, whoever comes first.
//
// Threads: all methods, any thread.
class ResultExchange {
 public:
  static constexpr std::int64_t kDefaultBytesMax = 4 << 20;

  explicit ResultExchange(std::function<void()> on_change,
                          std::int64_t bytes_max = kDefaultBytesMax)
      : bytes_max_(bytes_max), on_change_(std::move(on_change)) {}

  std::shared_ptr<ResultChannel> channel(const JobId& job, std::string_view sink);
  // Forgets the channels of a job; readers keep theirs.
  void release(const JobId& job);

 private:
  const std::int64_t bytes_max_;
  const std::function<void()> on_change_;
  Mutex mutex_;
  std::map<std::pair<JobId, std::string>, std::shared_ptr<ResultChannel>> channels_
      CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
