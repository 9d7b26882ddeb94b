// Where a SELECT's results leave the job.
#pragma once

#include "clepsydra/status.h"
#include "stream/batch.h"

namespace clepsydra {

// The task's end of a bounded channel to the client. Threads: the task's.
class ResultSender {
 public:
  virtual ~ResultSender() = default;
  // While false the task does not step the sink; the task is woken when the client has read on.
  [[nodiscard]] virtual bool has_room() const = 0;
  // Rows and marks, in order. Cancelled when the client has gone.
  virtual Status send(Batch batch) = 0;
  // No more batches follow.
  virtual Status finish() = 0;
};

}  // namespace clepsydra
