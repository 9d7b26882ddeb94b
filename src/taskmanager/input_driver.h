// Feeds a task from its input channels.
#pragma once

#include <utility>

#include "network/input_gate.h"
#include "taskmanager/task_input.h"

namespace clepsydra {

class InputDriver final : public TaskInput {
 public:
  explicit InputDriver(InputGate gate) : gate_(std::move(gate)) {}

  Result<Next> poll() override;
  [[nodiscard]] InputGate& gate() { return gate_; }
  [[nodiscard]] bool has_started() const override { return gate_.has_started(); }
  [[nodiscard]] bool idle() const override { return gate_.idle(); }
  [[nodiscard]] std::int64_t watermark() const override { return gate_.watermark(); }

 private:
  InputGate gate_;
};

}  // namespace clepsydra
