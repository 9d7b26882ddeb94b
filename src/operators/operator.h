// What a dataflow operator is. One operator per file; the class lives in an anonymous namespace and
// is reached by its registered kind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "clepsydra/status.h"
#include "stream/batch.h"

namespace clepsydra {

// Where an operator's results go: the next operators of the chain, or the task's output gates.
class Output {
 public:
  virtual ~Output() = default;
  // Never blocks; the overshoot of one step is bounded by one step's results. Marks in the batch
  // are the watermarks of this output: an operator that holds rows back re-emits them itself.
  virtual Status emit(Batch batch) = 0;
};

// One step of a task calls these from one thread. An operator never blocks, waits or locks.
//
// Time: watermarks arrive only as marks in batches (a batch may have marks and no rows); the last
// one is kMaxWatermark, followed by finish(). An operator that does not hold rows back keeps the
// marks at their place by Batch::select()/with_columns(). An operator with two inputs gets merged
// watermarks: only the chain's merger decides what the operator's event time is, and delivers it as
// marks of input 0's batches or as batches without rows. Idleness is not mentioned here, and
// snapshots hardly: the state handles own them.
class Operator {
 public:
  virtual ~Operator() = default;

  // Rows and marks of one input, in order. Work that cannot be finished within the step (many
  // windows fire) stays behind and is told by has_pending().
  virtual Status process(int input, Batch batch, Output& output) = 0;

  // True while work is left; the task calls resume() (as its outputs have room) before the next
  // input.
  [[nodiscard]] virtual bool has_pending() const { return false; }
  virtual Status resume(Output& output);

  // What must leave before a barrier, or because nothing more is waiting (local aggregation).
  virtual Status flush(Output& output);

  // A barrier has come, everything before it was processed and flushed (has_pending() is false),
  // and state is frozen next: what is kept outside of state (files being written) is made part of
  // it or handed over now.
  virtual Status prepare_checkpoint();

  // Called once after the last batch of every input (all marks up to kMaxWatermark were seen).
  virtual Status finish(Output& output);

  // Processing time has reached `now_ms` and next_timer_ms() was due.
  virtual Status on_processing_time(std::int64_t now_ms, Output& output);
  // When on_processing_time wants to be called; kMaxWatermark: never.
  [[nodiscard]] virtual std::int64_t next_timer_ms() const { return kMaxWatermark; }
};
using OperatorPtr = std::unique_ptr<Operator>;

}  // namespace clepsydra
