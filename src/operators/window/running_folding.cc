#include <algorithm>

#include "base/check.h"
#include "operators/window/window_folding.h"

namespace clepsydra {
namespace {

// State:   "slices"; "running", the aggregate of the slices in (absorbed_end_ - size,
//          absorbed_end_]. It is not stored: after a restore no slice is absorbed, and the next
//          window takes in those that it needs. The timer after absorbed_end_ is set as long as
//          "running" has rows.
class RunningFolding final : public WindowFolding {
 public:
  RunningFolding(SliceStore& store, KeyedRows& running) : store_(&store), running_(&running) {}

  Status add(std::int64_t slice_end, std::int64_t fired_until, const SliceInput& input) override {
    CLP_RETURN_IF_ERROR(
        store_->set_timer(store_->spec().first_window_end_after(slice_end, fired_until)));
    CLP_RETURN_IF_ERROR(store_->add(store_->slices(), slice_end, input));
    // A row that is late for the windows up to now still counts for the later ones.
    if (slice_end <= absorbed_end_) return store_->add(*running_, kRunning, input);
    return Status::ok();
  }

  Result<Rows> begin_fire(std::int64_t window_end) override {
    const std::int64_t size = store_->spec().size();
    const std::int64_t slice = store_->spec().slice();
    KeyedRows& slices = store_->slices();
    if (absorbed_end_ == kNothing) {
      store_->drop_slices_until(window_end - size);
      absorbed_end_ = window_end - size;
    }
    const std::int64_t left = std::min(window_end - size, absorbed_end_);
    for (std::int64_t end = absorbed_end_ - size + slice; end <= left; end += slice) {
      if (!slices.contains(end)) continue;
      CLP_RETURN_IF_ERROR(store_->subtract(slices, end, *running_, kRunning));
      slices.drop(end);
    }
    if (running_->row_count(kRunning) == 0) running_->drop(kRunning);
    for (std::int64_t end = std::max(absorbed_end_, window_end - size) + slice; end <= window_end;
         end += slice) {
      if (slices.contains(end)) {
        CLP_RETURN_IF_ERROR(store_->merge(slices, end, *running_, kRunning));
      }
    }
    absorbed_end_ = window_end;
    return Rows{.state = running_, .ns = kRunning};
  }

  Status end_fire(std::int64_t window_end) override {
    if (running_->row_count(kRunning) == 0) return Status::ok();
    return store_->set_timer(window_end + store_->spec().step());
  }

 private:
  static constexpr StateNamespace kRunning = 0;
  static constexpr std::int64_t kNothing = 2 * WindowSpec::kTimeMin;

  SliceStore* store_;
  KeyedRows* running_;
  std::int64_t absorbed_end_ = kNothing;
};

}  // namespace

Result<WindowFoldingPtr> make_running_folding(SliceStore& store) {
  CLP_ASSIGN_OR_RETURN(KeyedRows* const running, store.open_state("running", false));
  return std::make_unique<RunningFolding>(store, *running);
}

}  // namespace clepsydra
