// Runs bound expressions over batches: a short program of vector kernels with selection and null
// masks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "stream/batch.h"

namespace clepsydra {

class Clock;
class MemoryPool;
class TimeZone;

// The watermarks that the rows of the batch at hand come after.
struct WatermarkView {
  std::int64_t before = kMinWatermark;  // The last one of all batches before.
  std::span<const Mark> marks;          // Of the batch.
};

// What a running expression may read besides its input.
struct EvaluationContext {
  MemoryPool* pool = nullptr;
  const Clock* clock = nullptr;               // CURRENT_TIMESTAMP, PROCTIME() ...
  const TimeZone* session_zone = nullptr;     // table.local-time-zone; null: UTC
  std::uint64_t random_seed = 0;              // RAND, UUID
  const WatermarkView* watermarks = nullptr;  // CURRENT_WATERMARK; the program's own.
};

// Compiled once per operator; common subexpressions are computed once per batch.
// Threads: one at a time (keeps scratch memory).
class ExpressionProgram {
 public:
  ~ExpressionProgram();
  ExpressionProgram(ExpressionProgram&&) noexcept;
  ExpressionProgram& operator=(ExpressionProgram&&) noexcept;

  static Result<ExpressionProgram> make(const std::vector<ExpressionPtr>& expressions,
                                        EvaluationContext context);

  // One column per expression, each batch.rows() long. A run-time failure (division by zero, a bad
  // CAST) names the expression and the row's values.
  Result<std::vector<Column>> evaluate(const Batch& batch);
  // The batches to come are behind this watermark. Those inside batches are seen without it.
  void pass_watermark(std::int64_t watermark);
  // Rows where the only, BOOLEAN expression is TRUE, ascending. Valid until the next call.
  Result<RowIndices> select(const Batch& batch);

 private:
  struct Impl;
  explicit ExpressionProgram(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The value of an expression without columns, as a literal; used while planning. Keeps an
// expression that is not deterministic as it is.
Result<ExpressionPtr> fold_constants(const ExpressionPtr& expression,
                                     const EvaluationContext& context);

}  // namespace clepsydra
