// The operators of one task, wired by direct calls.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "clepsydra/status.h"
#include "graph/operator_spec.h"
#include "operators/operator.h"
#include "operators/operator_registry.h"
#include "stream/batch.h"

namespace clepsydra {

// A tree of operators. The head gets the task's input; every other operator gets what its producer
// emits. What an operator emits goes to its consumers in the order of their index, then to its
// external outputs.
//
// A step may leave work behind (an operator fires many windows, or a consumer still had work when
// its producer went on): then has_pending() is true and the task calls resume(), as its outputs
// have room, until it is false. Only then may it call process(), flush(), finish() or
// on_processing_time() again; a flush(), finish() or on_processing_time() is complete when
// has_pending() is false.
//
// Threads: the task's. Counters: read by others only when the task publishes them.
class OperatorChain {
 public:
  struct Link {
    OperatorSpec spec;
    int producer =
        -1;  // Index of an earlier link; -1 for the head, which is link 0 and the only one.
  };
  struct Wiring {
    // The context of operator `op`. The chain sets `counters` and keeps the context as long as the
    // operator.
    std::function<Result<OperatorContext>(int op, const OperatorSpec& spec)> context;
    // Where the output of operator `op` leaves the task: gates, in order; often none. They outlive
    // the chain.
    std::function<std::vector<Output*>(int op)> outputs;
  };
  static constexpr int kLinksMax = 1000;  // Calls nest as deep as the chain.

  // A head of kind "source" is not built: process(0, batch) then stands for what the source emits.
  // Errors name the operator.
  static Result<std::unique_ptr<OperatorChain>> make(std::vector<Link> links, const Wiring& wiring,
                                                     const OperatorRegistry& registry);
  ~OperatorChain();
  OperatorChain(const OperatorChain&) = delete;
  OperatorChain& operator=(const OperatorChain&) = delete;

  // A batch of input `input` of the head.
  Status process(int input, Batch batch);
  [[nodiscard]] bool has_pending() const;
  // One step of what was left behind.
  Status resume();
  // Lets every operator give out what it buffers: before a barrier, or because nothing more is
  // waiting.
  Status flush();
  // A barrier has come, and flush() is complete. State may be frozen when it answers.
  Status prepare_checkpoint();
  // After the last batch of every input.
  Status finish();
  // Calls the operators whose next timer is at or before `now_ms`.
  Status on_processing_time(std::int64_t now_ms);
  // The earliest next timer of all operators; kMaxWatermark: none.
  [[nodiscard]] std::int64_t next_timer_ms() const;

  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] const OperatorSpec& spec(int op) const;
  // rows_in and rows_out are counted by the chain (of a source: rows_out), the others by the
  // operator, or by the source's driver for a source.
  [[nodiscard]] OperatorCounters& counters(int op);
  [[nodiscard]] const OperatorCounters& counters(int op) const;

 private:
  struct Node;
  enum class Sweep : std::uint8_t { kNone, kFlush, kFinish, kProcessingTime };

  OperatorChain();
  Status deliver(Node& node, int input, Batch batch);
  Status start_sweep(Sweep sweep);
  Status continue_sweep();
  [[nodiscard]] bool has_waiting_work() const;

  std::vector<std::unique_ptr<Node>> nodes_;
  // A flush, finish or timer call that has reached operator sweep_next_ and waits for pending work.
  Sweep sweep_ = Sweep::kNone;
  std::size_t sweep_next_ = 0;
  std::int64_t sweep_now_ms_ = 0;
  bool error_named_ = false;  // The error on its way up already says which operator it is from.
};

}  // namespace clepsydra
