// Runs the split enumerator of one source and hands its splits to the subtasks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "clepsydra/source.h"
#include "clepsydra/status.h"

namespace clepsydra {

struct SplitAssignerOptions {
  std::unique_ptr<Source> source;
  int parallelism = 1;
  FileSystem* file_system = nullptr;
  const Clock* clock = nullptr;
  // Sends splits to a subtask; neither splits nor no_more: none for now.
  std::function<void(int subtask, std::vector<SourceSplit> splits, bool no_more)> send;
  // Calls on_timer() after a delay.
  std::function<void(std::int64_t delay_ms)> schedule;
};

// A subtask is sent nothing before its first request: only then it exists for sure. Every request
// is answered at once, if only with "none for now", so that a source knows that it is idle before
// any row of its neighbours is emitted.
//
// Threads: one call at a time.
class SplitAssigner final : private SplitEnumeratorContext {
 public:
  static Result<std::unique_ptr<SplitAssigner>> make(SplitAssignerOptions options);

  Status start();
  // In place of start(), with what snapshot() gave. `splits`: what the tasks held. `finished`: the
  // subtasks that had finished; the enumerator does not see them.
  Status restore(const std::string& snapshot, std::vector<SourceSplit> splits,
                 const std::set<int>& finished);
  Status handle_request(int subtask);
  Status on_timer();
  // All splits that were not sent, also those that have been assigned. What was sent belongs to
  // the tasks: an order to snapshot that is sent after this call reaches them behind it.
  [[nodiscard]] std::string snapshot() const;

 private:
  struct Subtask {
    std::vector<SourceSplit> splits;  // Not sent yet.
    bool has_asked = false;
    bool no_more = false;
    bool has_sent_no_more = false;
  };

  SplitAssigner(SplitAssignerOptions options, std::unique_ptr<SplitEnumerator> enumerator);
  // What the enumerator assigned in a call goes out after it, one message per subtask.
  void send_assigned();
  bool send_to(int subtask);

  [[nodiscard]] int parallelism() const override { return static_cast<int>(live_.size()); }
  void assign_split(int subtask, SourceSplit split) override;
  void signal_no_more_splits(int subtask) override;
  void schedule(std::int64_t delay_ms) override { options_.schedule(delay_ms); }
  FileSystem& file_system() override { return *options_.file_system; }
  const Clock& clock() override { return *options_.clock; }
  Subtask& subtask_at(int subtask);

  SplitAssignerOptions options_;
  std::unique_ptr<SplitEnumerator> enumerator_;
  std::vector<Subtask> subtasks_;
  // The enumerator counts only these: its subtask i is live_[i].
  std::vector<int> live_;
};

}  // namespace clepsydra
