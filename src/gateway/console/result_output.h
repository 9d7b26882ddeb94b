// Standard output as results share it.
#pragma once

#include <string_view>

#include "base/mutex.h"
#include "base/process.h"
#include "base/thread_annotations.h"
#include "clepsydra/status.h"

namespace clepsydra::console {

// Puts one empty line between results. As a TextOutput it is what the `print` connector writes to:
// all printed lines in a row count as one result.
//
// Threads: all methods, any thread.
class ResultOutput final : public TextOutput {
 public:
  explicit ResultOutput(TextOutput& output) : output_(&output) {}

  // From now on everything goes there. The next result is the first.
  void redirect(TextOutput& output);

  // A result starts, its text follows in pieces of whole lines.
  Status begin_result();
  Status write_result(std::string_view text);
  Status end_result();

  // Printed lines.
  Status write(std::string_view text) override;
  Status flush() override { return output().flush(); }
  [[nodiscard]] bool is_terminal() const override { return output().is_terminal(); }
  [[nodiscard]] bool is_closed() const override { return output().is_closed(); }

 private:
  enum class Last { kNothing, kOpenResult, kResult, kPrinted };

  TextOutput& output() const {
    const MutexLock lock(mutex_);
    return *output_;
  }

  mutable Mutex mutex_;
  TextOutput* output_ CLP_GUARDED_BY(mutex_);
  Last last_ CLP_GUARDED_BY(mutex_) = Last::kNothing;
};

}  // namespace clepsydra::console
