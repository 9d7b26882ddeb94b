#include "gateway/console/result_output.h"

#include "base/check.h"

namespace clepsydra::console {

void ResultOutput::redirect(TextOutput& output) {
  const MutexLock lock(mutex_);
  output_ = &output;
  last_ = Last::kNothing;
}

Status ResultOutput::begin_result() {
  const MutexLock lock(mutex_);
  const bool is_first = last_ == Last::kNothing;
  last_ = Last::kOpenResult;
  return is_first ? Status::ok() : output_->write("\n");
}

Status ResultOutput::write_result(std::string_view text) {
  const MutexLock lock(mutex_);
  return text.empty() ? Status::ok() : output_->write(text);
}

Status ResultOutput::end_result() {
  const MutexLock lock(mutex_);
  last_ = Last::kResult;
  return output_->flush();
}

Status ResultOutput::write(std::string_view text) {
  const MutexLock lock(mutex_);
  if (text.empty()) return Status::ok();
  // Between the rows of a result that is still open nothing separates them.
  if (last_ == Last::kResult) CLP_RETURN_IF_ERROR(output_->write("\n"));
  if (last_ != Last::kOpenResult) last_ = Last::kPrinted;
  return output_->write(text);
}

}  // namespace clepsydra::console
