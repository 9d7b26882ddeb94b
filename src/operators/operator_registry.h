// Builds operators from their specs by registered kind, and what an operator gets from its task.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fwd.h"
#include "clepsydra/status.h"
#include "functions/expression_program.h"
#include "graph/operator_spec.h"
#include "operators/fwd.h"
#include "operators/operator.h"
#include "state/fwd.h"

namespace clepsydra {

class ConnectorRuntime;
class TimeZone;

// Counters of one operator subtask. Written by the task thread only, published by the task after
// each step. "Late" rows came after all their windows had closed; "dropped" for other named
// reasons.
struct OperatorCounters {
  std::int64_t rows_in = 0;
  std::int64_t rows_out = 0;
  std::int64_t late_rows = 0;
  std::int64_t dropped_rows = 0;
  // Up to kLateSampleMax texts: "window_start ..., row (…), watermark …".
  static constexpr int kLateSampleMax = 5;
  std::vector<std::string> late_sample;
};

// What an operator may use; all of it outlives the operator.
struct OperatorContext {
  MemoryPool* pool = nullptr;
  const Clock* clock = nullptr;
  const Configuration* configuration = nullptr;
  FileSystem* file_system = nullptr;
  KeyedStateBackend* state = nullptr;  // This operator's own.
  const ConnectorRuntime* connectors = nullptr;
  TextOutput* standard_output = nullptr;
  OperatorCounters* counters = nullptr;
  ResultSender* results = nullptr;  // Of a collect_sink; null elsewhere.
  const TimeZone* session_zone = nullptr;
  std::string job_id;
  int attempt = 0;  // Of the job.
  int subtask = 0;
  int parallelism = 1;
  int max_parallelism = 128;
  std::int64_t batch_rows_max = 4096;
  // Where a sink writer leaves its committables at the end of input (and at barriers).
  std::function<void(std::vector<std::string>)> hand_over_committables;

  [[nodiscard]] EvaluationContext evaluation() const;
};

class OperatorRegistry {
 public:
  struct Entry {
    std::string kind;
    int inputs = 1;
    Result<OperatorPtr> (*make)(const OperatorSpec& spec, OperatorContext& context);
  };
  void add(Entry entry);
  // NotFound lists the known kinds.
  Result<OperatorPtr> make(const OperatorSpec& spec, OperatorContext& context) const;
  // All operators of this room.
  static const OperatorRegistry& built_in();

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// Defined by the build from the room's REGISTER list.
void register_all_operators(OperatorRegistry& registry);

}  // namespace clepsydra
