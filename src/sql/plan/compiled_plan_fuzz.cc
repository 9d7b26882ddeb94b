// Any bytes are a compiled plan: it is refused with a message, or it is a valid graph, which makes
// a job graph or says why not, and is written as it was read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "graph/job_graph.h"
#include "sql/plan/json_compiled_plan.h"

using clepsydra::InsertJob;
using clepsydra::Result;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<InsertJob> job = clepsydra::sql::read_compiled_plan(text);
  if (!job.is_ok()) {
    CLP_CHECK(!job.status().message().empty());
    return 0;
  }
  CLP_CHECK(job->graph.validate().is_ok());
  (void)clepsydra::build_job_graph(job->graph);
  const std::string written = clepsydra::sql::write_compiled_plan(*job);
  const Result<InsertJob> again = clepsydra::sql::read_compiled_plan(written);
  CLP_CHECK_MSG(again.is_ok(), again.status().message());
  CLP_CHECK(clepsydra::sql::write_compiled_plan(*again) == written);
  return 0;
}
