// What other threads want from a task.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "clepsydra/source.h"

namespace clepsydra {

// All mail that came since the task looked last, in one piece: it does not grow with the number of
// messages, but for the splits.
struct Mail {
  bool cancel = false;
  // Answers to split requests. `has_answer` with neither splits nor no_more_splits: none for now.
  bool has_answer = false;
  std::vector<SourceSplit> splits;
  bool no_more_splits = false;
  // Splits ahead of this watermark pause.
  std::optional<std::int64_t> alignment_limit;
};

// Threads: all methods, any thread; take() the task's.
class Mailbox {
 public:
  // Before the task is first stepped.
  void set_waker(Waker waker) { waker_ = std::move(waker); }

  void post_cancel() {
    post([](Mail& mail) { mail.cancel = true; });
  }
  void post_splits(std::vector<SourceSplit> splits, bool no_more_splits) {
    post([&](Mail& mail) {
      mail.has_answer = true;
      mail.no_more_splits = mail.no_more_splits || no_more_splits;
      for (SourceSplit& split : splits) mail.splits.push_back(std::move(split));
    });
  }
  void post_alignment_limit(std::int64_t watermark) {
    post([&](Mail& mail) { mail.alignment_limit = watermark; });
  }

  // One atomic load when there is none.
  std::optional<Mail> take() {
    if (!has_mail_.load(std::memory_order_acquire)) return std::nullopt;
    const MutexLock lock(mutex_);
    has_mail_.store(false, std::memory_order_relaxed);
    return std::exchange(mail_, Mail());
  }

 private:
  template <typename Write>
  void post(const Write& write) {
    {
      const MutexLock lock(mutex_);
      write(mail_);
      has_mail_.store(true, std::memory_order_release);
    }
    waker_.wake();
  }

  Waker waker_;
  std::atomic<bool> has_mail_{false};
  Mutex mutex_;
  Mail mail_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
