// For tests: what a JobManager sends to TaskManagers, decoded.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/transport.h"
#include "checkpoint/checkpoint_coordinator.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"

namespace clepsydra::testing {

struct RecordedOrder {
  enum class Kind : std::uint8_t { kDeploy, kCancel, kSplits, kTrigger, kEndCheckpoint, kOther };
  Kind kind = Kind::kOther;
  int attempt = 0;
  // kDeploy
  std::vector<int> vertices;
  std::vector<TaskRestore> restores;
  // kSplits
  SubtaskIndex task;
  std::vector<SourceSplit> splits;
  bool no_more_splits = false;
  // kTrigger, kEndCheckpoint
  CheckpointId checkpoint = 0;
  CheckpointKind checkpoint_kind = CheckpointKind::kCheckpoint;
  std::string folder;
  bool as_base = false;
  std::vector<SubtaskIndex> tasks;
  bool completed = false;

  // "deploy 0", "cancel 0", "splits 0/1: a b end", "trigger 3: 0/0 0/1", "completed 3".
  [[nodiscard]] std::string to_string() const;
};

// Takes messages and keeps them.
class RecordingTransport final : public Transport {
 public:
  Status listen(std::string /*endpoint*/, MessageHandler /*handler*/) override {
    return Status::ok();
  }
  void close(std::string_view /*endpoint*/) override {}
  Status send(std::string_view from, std::string_view to, std::string bytes) override;

  std::deque<RecordedOrder> orders;  // Oldest first.
  bool reachable = true;
};

}  // namespace clepsydra::testing
