// What other threads want from a task.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "clepsydra/source.h"
#include "taskmanager/checkpoint_orders.h"

namespace clepsydra {

// The answer to a split request, or to several. With neither splits nor no_more_splits: none for
// now.
struct SplitsMail {
  std::vector<SourceSplit> splits;
  bool no_more_splits = false;
};
struct CheckpointEndMail {
  CheckpointId id = 0;
  bool completed = false;  // Else: aborted.
};

// All mail that came since the task looked last. It does not grow with the number of messages, but
// for the splits.
struct Mail {
  bool cancel = false;
  // Splits ahead of this watermark pause.
  std::optional<std::int64_t> alignment_limit;
  // In order, but before `in_order`, whatever came first: nothing can begin that has ended.
  std::vector<CheckpointEndMail> ended_checkpoints;
  // Splits and triggers in the order in which they came: what a source is given after a trigger is
  // not in that checkpoint. A trigger is the last.
  std::vector<std::variant<SplitsMail, TaskCheckpointOrder>> in_order;
};

// Threads: all methods, any thread; take() the task's.
class Mailbox {
 public:
  // Of triggers, and of ends, that wait: the newest are kept.
  static constexpr std::size_t kCheckpointsMax = 64;

  // Before the task is first stepped.
  void set_waker(Waker waker) { waker_ = std::move(waker); }

  void post_cancel() {
    post([](State& state) { state.cancel = true; });
  }
  void post_alignment_limit(std::int64_t watermark) {
    post([&](State& state) { state.alignment_limit = watermark; });
  }
  void post_splits(std::vector<SourceSplit> splits, bool no_more_splits) {
    post([&](State& state) {
      // Answers that nothing stands between are one.
      if (state.in_order.empty() || !std::holds_alternative<SplitsMail>(state.in_order.back())) {
        state.in_order.emplace_back(SplitsMail());
      }
      auto& mail = std::get<SplitsMail>(state.in_order.back());
      mail.no_more_splits = mail.no_more_splits || no_more_splits;
      for (SourceSplit& split : splits) mail.splits.push_back(std::move(split));
    });
  }
  void post_trigger(TaskCheckpointOrder order) {
    post([&](State& state) {
      std::size_t triggers = 0;
      auto oldest = state.in_order.end();
      for (auto it = state.in_order.end(); it != state.in_order.begin();) {
        --it;
        if (!std::holds_alternative<TaskCheckpointOrder>(*it)) continue;
        ++triggers;
        oldest = it;
      }
      if (triggers >= kCheckpointsMax) state.in_order.erase(oldest);
      state.in_order.emplace_back(std::move(order));
    });
  }
  void post_checkpoint_ended(CheckpointId id, bool completed) {
    post([&](State& state) {
      // A trigger that nobody has read is not worth reading any more.
      std::erase_if(state.in_order, [&](const auto& mail) {
        const auto* order = std::get_if<TaskCheckpointOrder>(&mail);
        return order != nullptr && order->id == id;
      });
      state.ended_checkpoints.push_back({id, completed});
      if (state.ended_checkpoints.size() > kCheckpointsMax) state.ended_checkpoints.pop_front();
    });
  }

  // One atomic load when there is none. Of what came in order everything up to the first trigger;
  // without `take_in_order` nothing of it: the rest stays.
  std::optional<Mail> take(bool take_in_order = true) {
    if (!has_mail_.load(std::memory_order_acquire)) return std::nullopt;
    const MutexLock lock(mutex_);
    Mail mail;
    mail.cancel = std::exchange(state_.cancel, false);
    mail.alignment_limit = std::exchange(state_.alignment_limit, std::nullopt);
    mail.ended_checkpoints.assign(state_.ended_checkpoints.begin(), state_.ended_checkpoints.end());
    state_.ended_checkpoints.clear();
    while (take_in_order && !state_.in_order.empty()) {
      mail.in_order.push_back(std::move(state_.in_order.front()));
      state_.in_order.pop_front();
      if (std::holds_alternative<TaskCheckpointOrder>(mail.in_order.back())) break;
    }
    has_mail_.store(!state_.in_order.empty(), std::memory_order_relaxed);
    return mail;
  }

 private:
  struct State {
    bool cancel = false;
    std::optional<std::int64_t> alignment_limit;
    std::deque<CheckpointEndMail> ended_checkpoints;
    std::deque<std::variant<SplitsMail, TaskCheckpointOrder>> in_order;
  };

  template <typename Write>
  void post(const Write& write) {
    {
      const MutexLock lock(mutex_);
      write(state_);
      has_mail_.store(true, std::memory_order_release);
    }
    waker_.wake();
  }

  Waker waker_;
  std::atomic<bool> has_mail_{false};
  Mutex mutex_;
  State state_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
