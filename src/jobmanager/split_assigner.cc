#include "jobmanager/split_assigner.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "base/check.h"

namespace clepsydra {

SplitAssigner::SplitAssigner(SplitAssignerOptions options,
                             std::unique_ptr<SplitEnumerator> enumerator)
    : options_(std::move(options)),
      enumerator_(std::move(enumerator)),
      subtasks_(static_cast<std::size_t>(options_.parallelism)) {}

Result<std::unique_ptr<SplitAssigner>> SplitAssigner::make(SplitAssignerOptions options) {
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<SplitEnumerator> enumerator,
                       options.source->make_enumerator());
  return std::unique_ptr<SplitAssigner>(
      new SplitAssigner(std::move(options), std::move(enumerator)));
}

Status SplitAssigner::start() {
  return enumerator_->start(*this);
}

Status SplitAssigner::handle_request(int subtask) {
  if (subtask < 0 || subtask >= options_.parallelism) {
    return Status::internal(fmt::format("split request of subtask {} of a source with {}", subtask,
                                        options_.parallelism));
  }
  subtask_at(subtask).has_asked = true;
  CLP_RETURN_IF_ERROR(enumerator_->handle_split_request(subtask, *this));
  if (!send_to(subtask)) options_.send(subtask, {}, subtask_at(subtask).no_more);
  send_assigned();
  return Status::ok();
}

Status SplitAssigner::on_timer() {
  CLP_RETURN_IF_ERROR(enumerator_->on_timer(*this));
  send_assigned();
  return Status::ok();
}

void SplitAssigner::send_assigned() {
  for (int subtask = 0; subtask < options_.parallelism; ++subtask) send_to(subtask);
}

bool SplitAssigner::send_to(int subtask) {
  Subtask& to = subtask_at(subtask);
  const bool tells_end = to.no_more && !to.has_sent_no_more;
  if (!to.has_asked || (to.splits.empty() && !tells_end)) return false;
  to.has_sent_no_more = to.no_more;
  options_.send(subtask, std::exchange(to.splits, {}), to.no_more);
  return true;
}

void SplitAssigner::assign_split(int subtask, SourceSplit split) {
  subtask_at(subtask).splits.push_back(std::move(split));
}

void SplitAssigner::signal_no_more_splits(int subtask) {
  subtask_at(subtask).no_more = true;
}

SplitAssigner::Subtask& SplitAssigner::subtask_at(int subtask) {
  CLP_CHECK(subtask >= 0 && subtask < options_.parallelism);
  return subtasks_[static_cast<std::size_t>(subtask)];
}

}  // namespace clepsydra
