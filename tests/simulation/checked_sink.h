// A file sink that fails now and then and looks at what it is given: watermarks never go back, the
// rows of a key keep their order, nothing comes from before what an attempt has restored, and no
// window comes after a watermark that had passed it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/value_tree.h"
#include "clepsydra/sink.h"
#include "happenings.h"
#include "oracle.h"
#include "workload.h"

namespace clepsydra::testing {

// What the writers of one process share.
struct SinkProcess {
  Random random{1};
  double write_error = 0;        // Per batch.
  double preparation_error = 0;  // Per barrier.
  bool is_healed = false;
  Happenings* happened = nullptr;
  bool keeps_order = true;  // The rows of a key come as they were read.
  // Rows before these do not come again; null: they may.
  const Positions* restored = nullptr;
  std::string problem;  // The first.
};

// `inner` writes; `process` outlives the sink.
std::unique_ptr<Sink> make_checked_sink(SinkProcess& process, const Branch& branch,
                                        const Workload& workload, std::unique_ptr<Sink> inner);

}  // namespace clepsydra::testing
