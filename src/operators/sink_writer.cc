// sink_writer: hands rows to a connector's writer.
//
// Options
//   sink         as TableConnector::sink_spec() wrote it
//   not_null     columns in which a NULL fails the job; see NullCheck
//
// At every barrier and at the end of the input the writer's committables go to
// OperatorContext::hand_over_committables. A writer that does not get to the end is aborted.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "clepsydra/connector_runtime.h"
#include "clepsydra/sink.h"
#include "operators/null_check.h"
#include "operators/operator_registry.h"

namespace clepsydra {
namespace {

// Threads: task thread only.
// State:   none; what is written and not committed yet is the writer's.
// Input:   what the connector takes; the planner checked the changelog.
class SinkWriterOperator final : public Operator {
 public:
  SinkWriterOperator(std::unique_ptr<Sink> sink, std::unique_ptr<SinkWriter> writer,
                     NullCheck null_check, OperatorContext& context)
      : sink_(std::move(sink)),
        writer_(std::move(writer)),
        null_check_(std::move(null_check)),
        context_(&context) {}
  ~SinkWriterOperator() override {
    if (!is_finished_) writer_->abort();
  }

  Status process(int /*input*/, Batch batch, Output& /*output*/) override {
    CLP_RETURN_IF_ERROR(null_check_.check(batch));
    if (batch.rows() > 0) CLP_RETURN_IF_ERROR(writer_->write(batch));
    if (!batch.marks().empty()) writer_->advance_watermark(batch.marks().back().watermark);
    return Status::ok();
  }

  Status flush(Output& /*output*/) override { return writer_->flush(); }

  Status prepare_checkpoint() override { return hand_over(); }

  Status finish(Output& /*output*/) override {
    writer_->advance_watermark(kMaxWatermark);
    CLP_RETURN_IF_ERROR(hand_over());
    is_finished_ = true;
    return Status::ok();
  }

 private:
  Status hand_over() {
    CLP_ASSIGN_OR_RETURN(std::vector<std::string> committables, writer_->prepare_commit());
    if (!committables.empty()) context_->hand_over_committables(std::move(committables));
    return Status::ok();
  }

  std::unique_ptr<Sink> sink_;
  std::unique_ptr<SinkWriter> writer_;
  NullCheck null_check_;
  OperatorContext* context_;
  bool is_finished_ = false;
};

Result<OperatorPtr> make_sink_writer(const OperatorSpec& spec, OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, spec.options.get("sink"));
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<Sink> sink, context.connectors->make_sink(tree));
  const SinkContext sink_context{.pool = context.pool,
                                 .file_system = context.file_system,
                                 .clock = context.clock,
                                 .configuration = context.configuration,
                                 .standard_output = context.standard_output,
                                 .job_id = context.job_id,
                                 .operator_uid = spec.uid,
                                 .attempt = context.attempt,
                                 .subtask = context.subtask,
                                 .parallelism = context.parallelism};
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<SinkWriter> writer, sink->open_writer(sink_context));
  CLP_ASSIGN_OR_RETURN(NullCheck null_check, NullCheck::make(spec.options, spec.inputs[0]));
  return std::make_unique<SinkWriterOperator>(std::move(sink), std::move(writer),
                                              std::move(null_check), context);
}

}  // namespace

void register_sink_writer(OperatorRegistry& registry) {
  registry.add({.kind = "sink_writer", .inputs = 1, .make = make_sink_writer});
}

}  // namespace clepsydra
