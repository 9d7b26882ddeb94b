// collect_sink: hands the rows of a SELECT to the client.
//
// Options
//   result       the name under which the task finds its end of the channel; see
//   OperatorContext::results
#include <memory>
#include <utility>

#include "base/check.h"
#include "operators/operator_registry.h"
#include "operators/result_sender.h"

namespace clepsydra {
namespace {

// Threads: task thread only.
// State:   none.
// Input:   any changelog; the client makes the table of it.
class CollectSink final : public Operator {
 public:
  explicit CollectSink(ResultSender& sender) : sender_(&sender) {}

  Status process(int /*input*/, Batch batch, Output& /*output*/) override {
    return batch.empty() ? Status::ok() : sender_->send(std::move(batch));
  }
  Status finish(Output& /*output*/) override { return sender_->finish(); }

 private:
  ResultSender* sender_;
};

Result<OperatorPtr> make_collect_sink(const OperatorSpec& /*spec*/, OperatorContext& context) {
  if (context.results == nullptr) {
    return Status::failed_precondition("nobody waits for the results of this job");
  }
  return std::make_unique<CollectSink>(*context.results);
}

}  // namespace

void register_collect_sink(OperatorRegistry& registry) {
  registry.add({.kind = "collect_sink", .inputs = 1, .make = make_collect_sink});
}

}  // namespace clepsydra
