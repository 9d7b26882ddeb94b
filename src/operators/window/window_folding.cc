#include "operators/window/window_folding.h"

#include <vector>

#include "base/check.h"

namespace clepsydra {
namespace {

// State:   "slices".
class SingleSliceFolding final : public WindowFolding {
 public:
  explicit SingleSliceFolding(SliceStore& store) : store_(&store) {}

  Status add(std::int64_t slice_end, std::int64_t /*fired_until*/,
             const SliceInput& input) override {
    CLP_RETURN_IF_ERROR(store_->set_timer(slice_end));
    return store_->add(store_->slices(), slice_end, input);
  }
  Result<Rows> begin_fire(std::int64_t window_end) override {
    return Rows{.state = &store_->slices(), .ns = window_end};
  }
  Status end_fire(std::int64_t window_end) override {
    store_->slices().drop(window_end);
    return Status::ok();
  }

 private:
  SliceStore* store_;
};

// State:   "slices" that no window has included yet; "running", by the end of the longest window,
//          stored too.
class CumulativeFolding final : public WindowFolding {
 public:
  CumulativeFolding(SliceStore& store, KeyedRows& running) : store_(&store), running_(&running) {}

  Status add(std::int64_t slice_end, std::int64_t fired_until, const SliceInput& input) override {
    const WindowSpec& spec = store_->spec();
    CLP_RETURN_IF_ERROR(store_->set_timer(spec.first_window_end_after(slice_end, fired_until)));
    if (slice_end > fired_until) return store_->add(store_->slices(), slice_end, input);
    return store_->add(*running_, spec.last_window_end(slice_end), input);
  }
  Result<Rows> begin_fire(std::int64_t window_end) override {
    const std::int64_t last_end = store_->spec().last_window_end(window_end);
    if (window_end == last_end && !running_->contains(last_end)) {
      return Rows{.state = &store_->slices(), .ns = window_end};
    }
    if (store_->slices().contains(window_end)) {
      CLP_RETURN_IF_ERROR(store_->merge(store_->slices(), window_end, *running_, last_end));
    }
    return Rows{.state = running_, .ns = last_end};
  }
  Status end_fire(std::int64_t window_end) override {
    store_->slices().drop(window_end);
    const std::int64_t last_end = store_->spec().last_window_end(window_end);
    if (window_end != last_end) return store_->set_timer(window_end + store_->spec().step());
    running_->drop(last_end);
    return Status::ok();
  }

 private:
  SliceStore* store_;
  KeyedRows* running_;
};

// State:   "slices"; "window" while one fires, not stored.
class MergedFolding final : public WindowFolding {
 public:
  MergedFolding(SliceStore& store, KeyedRows& window) : store_(&store), window_(&window) {}

  Status add(std::int64_t slice_end, std::int64_t fired_until, const SliceInput& input) override {
    CLP_RETURN_IF_ERROR(
        store_->set_timer(store_->spec().first_window_end_after(slice_end, fired_until)));
    return store_->add(store_->slices(), slice_end, input);
  }
  Result<Rows> begin_fire(std::int64_t window_end) override {
    std::vector<StateNamespace> slices;
    for (const StateNamespace slice_end : store_->slices().namespaces()) {
      if (slice_end <= window_end && slice_end > window_end - store_->spec().size()) {
        slices.push_back(slice_end);
      }
    }
    if (slices.size() == 1) return Rows{.state = &store_->slices(), .ns = slices[0]};
    for (const StateNamespace slice_end : slices) {
      CLP_RETURN_IF_ERROR(store_->merge(store_->slices(), slice_end, *window_, window_end));
    }
    return Rows{.state = window_, .ns = window_end};
  }
  Status end_fire(std::int64_t window_end) override {
    window_->drop(window_end);
    bool next_is_set = false;
    for (const StateNamespace slice_end : store_->slices().namespaces()) {
      if (store_->spec().last_window_end(slice_end) <= window_end) {
        store_->slices().drop(slice_end);
      } else if (!next_is_set) {
        next_is_set = true;  // The oldest slice left has the earliest next window.
        CLP_RETURN_IF_ERROR(
            store_->set_timer(store_->spec().first_window_end_after(slice_end, window_end)));
      }
    }
    return Status::ok();
  }

 private:
  SliceStore* store_;
  KeyedRows* window_;
};

}  // namespace

Result<WindowFoldingPtr> make_single_slice_folding(SliceStore& store) {
  return std::make_unique<SingleSliceFolding>(store);
}

Result<WindowFoldingPtr> make_cumulative_folding(SliceStore& store) {
  CLP_ASSIGN_OR_RETURN(KeyedRows* const running, store.open_state("running", true));
  return std::make_unique<CumulativeFolding>(store, *running);
}

Result<WindowFoldingPtr> make_merged_folding(SliceStore& store) {
  CLP_ASSIGN_OR_RETURN(KeyedRows* const window, store.open_state("window", false));
  return std::make_unique<MergedFolding>(store, *window);
}

Result<WindowFoldingPtr> make_folding(SliceStore& store) {
  const WindowSpec& spec = store.spec();
  if (spec.kind() == WindowKind::kCumulate) return make_cumulative_folding(store);
  if (spec.slices_per_window() == 1 && spec.step() == spec.slice()) {
    return make_single_slice_folding(store);
  }
  // Stacks hold suffixes, in which a late row would come after rows of newer slices.
  if (spec.slices_per_window() <= kMergedSlicesMax || store.aggregates().is_order_sensitive()) {
    return make_merged_folding(store);
  }
  return store.aggregates().is_invertible() ? make_running_folding(store)
                                            : make_two_stack_folding(store);
}

}  // namespace clepsydra
