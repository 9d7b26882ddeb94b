// What a window operator gives out in a step: rows, and the watermarks that follow them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/operator.h"
#include "stream/batch.h"

namespace clepsydra {

// Puts a watermark into the batch of rows before it, and leaves out watermarks that another one
// follows without rows in between: to those who see them they are one.
class WindowOutput {
 public:
  explicit WindowOutput(SchemaPtr schema) : schema_(std::move(schema)) {}

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }

  // Rows that come before all watermarks from now on.
  Status emit(Batch batch, Output& output) {
    CLP_RETURN_IF_ERROR(hand_over(output));
    // With nothing in front of it, the watermark goes to the start of the rows.
    if (mark_) {
      batch = batch.with_marks({{.row = 0, .watermark = *std::exchange(mark_, std::nullopt)}});
    }
    held_ = std::move(batch);
    ++batches_;
    return Status::ok();
  }
  // The watermark has passed; ascending. All that it fires has been emitted.
  void mark(std::int64_t watermark) { mark_ = watermark; }
  // Hands over what is held back. At the end of a step.
  Status close_step(Output& output) {
    CLP_RETURN_IF_ERROR(hand_over(output));
    batches_ = 0;
    if (!mark_) return Status::ok();
    const std::int64_t watermark = *std::exchange(mark_, std::nullopt);
    return output.emit(Batch::of_watermark(schema_, watermark));
  }
  // How many batches were emitted in this step.
  [[nodiscard]] int batches() const { return batches_; }

 private:
  Status hand_over(Output& output) {
    if (!held_) return Status::ok();
    Batch batch = *std::exchange(held_, std::nullopt);
    if (mark_) {
      std::vector<Mark> marks = batch.marks();
      marks.push_back({.row = static_cast<std::int32_t>(batch.rows()),
                       .watermark = *std::exchange(mark_, std::nullopt)});
      batch = batch.with_marks(std::move(marks));
    }
    return output.emit(std::move(batch));
  }

  SchemaPtr schema_;
  std::optional<Batch> held_;
  std::optional<std::int64_t> mark_;  // After `held_`, or alone.
  int batches_ = 0;
};

}  // namespace clepsydra
