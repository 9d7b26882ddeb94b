#include "jobmanager/split_assigner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/value_tree.h"
#include "stream/split_codec.h"

namespace clepsydra {

SplitAssigner::SplitAssigner(SplitAssignerOptions options,
                             std::unique_ptr<SplitEnumerator> enumerator)
    : options_(std::move(options)),
      enumerator_(std::move(enumerator)),
      subtasks_(static_cast<std::size_t>(options_.parallelism)),
      live_(subtasks_.size()) {
  std::iota(live_.begin(), live_.end(), 0);
}

Result<std::unique_ptr<SplitAssigner>> SplitAssigner::make(SplitAssignerOptions options) {
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<SplitEnumerator> enumerator,
                       options.source->make_enumerator());
  return std::unique_ptr<SplitAssigner>(
      new SplitAssigner(std::move(options), std::move(enumerator)));
}

Status SplitAssigner::start() {
  return enumerator_->start(*this);
}

Status SplitAssigner::restore(const std::string& snapshot, std::vector<SourceSplit> splits,
                              const std::set<int>& finished) {
  // When all have finished nobody will ask; an enumerator still counts on one.
  if (finished.size() < live_.size()) {
    std::erase_if(live_, [&](int subtask) { return finished.contains(subtask); });
  }
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
  CLP_ASSIGN_OR_RETURN(const std::string enumerator, tree.get_string("enumerator"));
  CLP_ASSIGN_OR_RETURN(const ValueTree assigned_tree, tree.get("assigned"));
  CLP_ASSIGN_OR_RETURN(const std::vector<SourceSplit> assigned, splits_from_tree(assigned_tree));
  splits.insert(splits.end(), assigned.begin(), assigned.end());
  CLP_RETURN_IF_ERROR(enumerator_->restore(enumerator, *this));
  enumerator_->add_splits_back(std::move(splits));
  return Status::ok();
}

std::string SplitAssigner::snapshot() const {
  std::vector<SourceSplit> assigned;
  for (const Subtask& subtask : subtasks_) {
    assigned.insert(assigned.end(), subtask.splits.begin(), subtask.splits.end());
  }
  return ValueTree::map()
      .set("enumerator", enumerator_->snapshot())
      .set("assigned", splits_to_tree(assigned))
      .encode();
}

Status SplitAssigner::handle_request(int subtask) {
  const auto asking = std::find(live_.begin(), live_.end(), subtask);
  if (asking == live_.end()) {
    return Status::internal(fmt::format("split request of subtask {} of a source with {}", subtask,
                                        options_.parallelism));
  }
  Subtask& asks = subtasks_[static_cast<std::size_t>(subtask)];
  asks.has_asked = true;
  CLP_RETURN_IF_ERROR(
      enumerator_->handle_split_request(static_cast<int>(asking - live_.begin()), *this));
  if (!send_to(subtask)) options_.send(subtask, {}, asks.no_more);
  send_assigned();
  return Status::ok();
}

Status SplitAssigner::on_timer() {
  CLP_RETURN_IF_ERROR(enumerator_->on_timer(*this));
  send_assigned();
  return Status::ok();
}

void SplitAssigner::send_assigned() {
  for (const int subtask : live_) send_to(subtask);
}

bool SplitAssigner::send_to(int subtask) {
  Subtask& to = subtasks_[static_cast<std::size_t>(subtask)];
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
  CLP_CHECK(subtask >= 0 && subtask < parallelism());
  return subtasks_[static_cast<std::size_t>(live_[static_cast<std::size_t>(subtask)])];
}

}  // namespace clepsydra
