// The job graph as bytes: proto/job_graph.proto.
#pragma once

#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "graph/job_graph.h"

namespace clepsydra {

// Equal graphs give equal bytes.
std::string encode_job_graph(const JobGraph& graph);
// Accepts any bytes; what it returns is valid. Equal schemas share one object.
Result<JobGraph> decode_job_graph(std::string_view bytes);

}  // namespace clepsydra
