#include "operators/operator.h"

namespace clepsydra {

Status Operator::resume(Output& /*output*/) {
  return Status::ok();
}

Status Operator::flush(Output& /*output*/) {
  return Status::ok();
}

Status Operator::prepare_checkpoint() {
  return Status::ok();
}

Status Operator::finish(Output& /*output*/) {
  return Status::ok();
}

Status Operator::on_processing_time(std::int64_t /*now_ms*/, Output& /*output*/) {
  return Status::ok();
}

}  // namespace clepsydra
