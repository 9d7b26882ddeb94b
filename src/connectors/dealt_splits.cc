#include "connectors/dealt_splits.h"

#include <cstddef>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/value_tree.h"
#include "stream/split_codec.h"

namespace clepsydra {
namespace {

class DealtSplits final : public SplitEnumerator {
 public:
  explicit DealtSplits(std::function<std::vector<SourceSplit>(int parallelism)> make_splits)
      : make_splits_(std::move(make_splits)) {}

  Status start(SplitEnumeratorContext& context) override {
    splits_ = make_splits_(context.parallelism());
    given_.assign(splits_.size(), false);
    return Status::ok();
  }

  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    bool gave = false;
    for (auto i = static_cast<std::size_t>(subtask); i < splits_.size();
         i += static_cast<std::size_t>(context.parallelism())) {
      if (given_[i]) continue;
      given_[i] = true;
      gave = true;
      context.assign_split(subtask, splits_[i]);
    }
    if (!gave) context.signal_no_more_splits(subtask);
    return Status::ok();
  }

  Status on_timer(SplitEnumeratorContext& /*context*/) override { return Status::ok(); }

  void add_splits_back(std::vector<SourceSplit> splits) override {
    for (SourceSplit& split : splits) splits_.push_back(std::move(split));
    given_.resize(splits_.size(), false);
  }

  [[nodiscard]] std::string snapshot() const override {
    std::vector<SourceSplit> left;
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (!given_[i]) left.push_back(splits_[i]);
    }
    return ValueTree::map().set("splits", splits_to_tree(left)).encode();
  }

  Status restore(const std::string& snapshot, SplitEnumeratorContext& /*context*/) override {
    CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
    CLP_ASSIGN_OR_RETURN(const ValueTree left, tree.get("splits"));
    CLP_ASSIGN_OR_RETURN(splits_, splits_from_tree(left));
    given_.assign(splits_.size(), false);
    return Status::ok();
  }

 private:
  const std::function<std::vector<SourceSplit>(int parallelism)> make_splits_;
  std::vector<SourceSplit> splits_;
  std::vector<bool> given_;
};

}  // namespace

std::unique_ptr<SplitEnumerator> make_dealt_splits(
    std::function<std::vector<SourceSplit>(int parallelism)> make_splits) {
  return std::make_unique<DealtSplits>(std::move(make_splits));
}

}  // namespace clepsydra
