// collect_sink: hands the rows of a SELECT to the client.
//
// Options
//   result       the name under which the task finds its end of the channel; see
//   OperatorContext::results
//   not_null     columns in which a NULL fails the job; see NullCheck
#include <memory>
#include <utility>

#include "base/check.h"
#include "operators/null_check.h"
#include "operators/operator_registry.h"
#include "operators/result_sender.h"

namespace clepsydra {
namespace {

// Threads: task thread only.
// State:   none.
// Input:   any changelog; the client makes the table of it.
class CollectSink final : public Operator {
 public:
  CollectSink(ResultSender& sender, NullCheck null_check)
      : sender_(&sender), null_check_(std::move(null_check)) {}

  Status process(int /*input*/, Batch batch, Output& /*output*/) override {
    CLP_RETURN_IF_ERROR(null_check_.check(batch));
    return batch.empty() ? Status::ok() : sender_->send(std::move(batch));
  }
  Status finish(Output& /*output*/) override { return sender_->finish(); }

 private:
  ResultSender* sender_;
  NullCheck null_check_;
};

Result<OperatorPtr> make_collect_sink(const OperatorSpec& spec, OperatorContext& context) {
  if (context.results == nullptr) {
    return Status::failed_precondition("nobody waits for the results of this job");
  }
  CLP_ASSIGN_OR_RETURN(NullCheck null_check, NullCheck::make(spec.options, spec.inputs[0]));
  return std::make_unique<CollectSink>(*context.results, std::move(null_check));
}

}  // namespace

void register_collect_sink(OperatorRegistry& registry) {
  registry.add({.kind = "collect_sink", .inputs = 1, .make = make_collect_sink});
}

}  // namespace clepsydra
