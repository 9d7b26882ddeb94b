// Runs operators in tests: text in, text out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "clepsydra/status.h"
#include "operators/operator_chain.h"
#include "state/state_backend.h"
#include "stream/batch.h"

namespace clepsydra::testing {

// A chain of operators, each fed by the one before it, on a simulated clock. Lines are those of
// tests/harness/batch_text.h, and watermarks with their time: "~2024-01-01 10:00:00", "~end".
class OperatorHarness {
 public:
  struct Options {
    std::int64_t batch_rows = 4096;  // Rows per input batch.
    std::int64_t output_rows_max = 4096;
    std::int64_t pool_bytes = std::int64_t{1} << 30;
    std::int64_t clock_start_ms = 0;
    // After so many input batches a checkpoint is taken, and after so many the chain is built anew
    // from one that is taken then; 0: never.
    std::int64_t checkpoint_every = 0;
    std::int64_t restore_every = 0;
    // Of the subtask; rows of others must not be pushed.
    KeyGroupRange key_groups{0, kDefaultMaxParallelism};
    // What it starts from: per operator.
    std::vector<RestoredState> restored = {};
    // Changes what operators get; may be empty.
    std::function<void(OperatorContext&)> customize = {};
  };

  // The error of OperatorChain::make().
  static Result<std::unique_ptr<OperatorHarness>> make(std::vector<OperatorSpec> specs,
                                                       Options options);

  ~OperatorHarness();

  Status push(const std::vector<std::string>& lines);
  Status flush();
  // A last watermark, then the end of input.
  Status finish();
  // Moves the clock and calls what is due.
  Status advance_clock(std::int64_t to_ms);
  // A barrier: flushes, and takes a snapshot of each operator, which is confirmed. Changes alone
  // are taken when `as_base` is false and there was one before.
  Status checkpoint(bool as_base = false);
  // Builds the chain anew from the last checkpoint.
  Status restore();
  // The snapshots of the last checkpoint, per operator: a base and its deltas.
  [[nodiscard]] const std::vector<std::vector<std::string>>& snapshots() const {
    return snapshots_;
  }

  // What came out so far: rows alone, and rows with watermarks as they came.
  [[nodiscard]] const std::vector<std::string>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& output() const { return output_; }
  // The most rows that one call of the chain gave out.
  [[nodiscard]] std::int64_t step_rows_max() const { return step_rows_max_; }

  // Of all chains that were built.
  [[nodiscard]] OperatorCounters counters(int op = 0) const;
  [[nodiscard]] OperatorChain& chain() { return *chain_; }
  [[nodiscard]] MemoryPool& pool() { return *pool_; }

 private:
  class Sink;
  OperatorHarness();
  Status make_chain(std::vector<RestoredState> restored);
  // Resumes until nothing is pending.
  Status settle(Status status);
  Status step(Status status);

  std::vector<OperatorSpec> specs_;
  Options options_;
  SimulatedClock clock_{0};
  std::shared_ptr<MemoryPool> pool_;
  std::vector<std::unique_ptr<KeyedStateBackend>> backends_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<OperatorChain> chain_;
  SchemaPtr input_;
  std::vector<std::string> rows_;
  std::vector<std::string> output_;
  std::int64_t step_rows_ = 0;
  std::int64_t step_rows_max_ = 0;
  std::int64_t batches_ = 0;
  std::vector<std::vector<std::string>> snapshots_;
  std::vector<OperatorCounters> former_counters_;  // Of chains taken down.
};

// Milliseconds of "2024-01-01 10:00:00".
std::int64_t millis_of(std::string_view timestamp);

}  // namespace clepsydra::testing
