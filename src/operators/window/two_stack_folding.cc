#include <algorithm>
#include <deque>

#include "base/check.h"
#include "operators/window/window_folding.h"

namespace clepsydra {
namespace {

// The slices of the current window, oldest first, are `front_` and then `back_`. For each slice of
// the front there is the aggregate of itself and all newer slices of the front; those of the back
// are merged in one aggregate per key. So a window is the oldest of the front and that one
// aggregate. When the front runs out, the back becomes the front: each slice is merged once per
// turn and not once per window.
//
// State:   "slices"; "front", "back", and "window" while one fires, not stored: after a restore
//          neither stack has slices, and the next window takes in those that it needs, as a front.
//          The next timer is set as long as a stack has slices.
class TwoStackFolding final : public WindowFolding {
 public:
  TwoStackFolding(SliceStore& store, KeyedRows& front, KeyedRows& back, KeyedRows& window)
      : store_(&store), front_rows_(&front), back_rows_(&back), window_rows_(&window) {}

  Status add(std::int64_t slice_end, std::int64_t fired_until, const SliceInput& input) override {
    CLP_RETURN_IF_ERROR(
        store_->set_timer(store_->spec().first_window_end_after(slice_end, fired_until)));
    if (slice_end > absorbed_end_) return store_->add(store_->slices(), slice_end, input);
    if (slice_end > front_end_) return add_late_to_back(slice_end, input);
    return add_late_to_front(slice_end, input);
  }

  Result<Rows> begin_fire(std::int64_t window_end) override {
    const std::int64_t start = window_end - store_->spec().size();
    if (absorbed_end_ == kNothing) store_->drop_slices_until(start);
    drop_until(front_, start);
    std::deque<StateNamespace> entering;
    const std::int64_t slice = store_->spec().slice();
    for (std::int64_t end = std::max(absorbed_end_, start) + slice; end <= window_end;
         end += slice) {
      if (store_->slices().contains(end)) entering.push_back(end);
    }
    absorbed_end_ = window_end;
    if (front_.empty()) {
      drop_until(back_, start);
      back_.insert(back_.end(), entering.begin(), entering.end());
      CLP_RETURN_IF_ERROR(turn_over());
    } else {
      for (const StateNamespace slice_end : entering) {
        back_.push_back(slice_end);
        CLP_RETURN_IF_ERROR(store_->merge(store_->slices(), slice_end, *back_rows_, kBack));
      }
    }
    if (back_.empty()) {
      return Rows{.state = front_rows_, .ns = front_.empty() ? window_end : front_.front()};
    }
    CLP_RETURN_IF_ERROR(store_->merge(*front_rows_, front_.front(), *window_rows_, window_end));
    CLP_RETURN_IF_ERROR(store_->merge(*back_rows_, kBack, *window_rows_, window_end));
    return Rows{.state = window_rows_, .ns = window_end};
  }

  Status end_fire(std::int64_t window_end) override {
    window_rows_->drop(window_end);
    if (front_.empty() && back_.empty()) return Status::ok();
    return store_->set_timer(window_end + store_->spec().step());
  }

 private:
  static constexpr StateNamespace kBack = 0;
  static constexpr std::int64_t kNothing = 2 * WindowSpec::kTimeMin;

  void drop_until(std::deque<StateNamespace>& stack, std::int64_t end) {
    while (!stack.empty() && stack.front() <= end) {
      store_->slices().drop(stack.front());
      front_rows_->drop(stack.front());
      stack.pop_front();
    }
  }

  // The back becomes the front: from the newest slice to the oldest, each takes in what is newer.
  Status turn_over() {
    for (std::size_t i = back_.size(); i-- > 0;) {
      CLP_RETURN_IF_ERROR(store_->merge(store_->slices(), back_[i], *front_rows_, back_[i]));
      if (i + 1 == back_.size()) continue;
      CLP_RETURN_IF_ERROR(store_->merge(*front_rows_, back_[i + 1], *front_rows_, back_[i]));
    }
    front_ = std::move(back_);
    back_.clear();
    back_rows_->drop(kBack);
    front_end_ = absorbed_end_;
    return Status::ok();
  }

  Status add_late_to_back(std::int64_t slice_end, const SliceInput& input) {
    const auto place = std::lower_bound(back_.begin(), back_.end(), slice_end);
    if (place == back_.end() || *place != slice_end) back_.insert(place, slice_end);
    CLP_RETURN_IF_ERROR(store_->add(store_->slices(), slice_end, input));
    return store_->add(*back_rows_, kBack, input);
  }

  // Costs a step per older slice, or, for a slice without rows so far, a copy of the next one.
  Status add_late_to_front(std::int64_t slice_end, const SliceInput& input) {
    CLP_RETURN_IF_ERROR(store_->add(store_->slices(), slice_end, input));
    auto place = std::lower_bound(front_.begin(), front_.end(), slice_end);
    if (place == front_.end() || *place != slice_end) {
      if (place != front_.end()) {
        CLP_RETURN_IF_ERROR(store_->merge(*front_rows_, *place, *front_rows_, slice_end));
      }
      place = front_.insert(place, slice_end);
    }
    for (auto older = front_.begin(); older <= place; ++older) {
      CLP_RETURN_IF_ERROR(store_->add(*front_rows_, *older, input));
    }
    return Status::ok();
  }

  SliceStore* store_;
  KeyedRows* front_rows_;
  KeyedRows* back_rows_;
  KeyedRows* window_rows_;
  std::deque<StateNamespace> front_;
  std::deque<StateNamespace> back_;
  std::int64_t front_end_ = kNothing;     // Slices up to here are in the front.
  std::int64_t absorbed_end_ = kNothing;  // Those up to here in front or back.
};

}  // namespace

Result<WindowFoldingPtr> make_two_stack_folding(SliceStore& store) {
  CLP_ASSIGN_OR_RETURN(KeyedRows* const front, store.open_state("front", false));
  CLP_ASSIGN_OR_RETURN(KeyedRows* const back, store.open_state("back", false));
  CLP_ASSIGN_OR_RETURN(KeyedRows* const window, store.open_state("window", false));
  return std::make_unique<TwoStackFolding>(store, *front, *back, *window);
}

}  // namespace clepsydra
