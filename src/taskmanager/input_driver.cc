#include "taskmanager/input_driver.h"

#include "base/check.h"

namespace clepsydra {

Result<TaskInput::Next> InputDriver::poll() {
  CLP_ASSIGN_OR_RETURN(InputGate::Polled polled, gate_.poll());
  Next next;
  next.input = polled.input;
  next.channel = polled.channel;
  next.batch = std::move(polled.batch);
  next.barrier = polled.barrier;
  switch (polled.state) {
    case InputGate::State::kBatch:
      next.state = State::kBatch;
      break;
    case InputGate::State::kAgain:
      next.state = State::kAgain;
      break;
    case InputGate::State::kBarrier:
      next.state = State::kBarrier;
      break;
    case InputGate::State::kEndOfChannel:
      next.state = State::kEndOfChannel;
      break;
    case InputGate::State::kNothing:
      next.state = State::kNothing;
      break;
    case InputGate::State::kEnd:
      next.state = State::kEnd;
      break;
  }
  return next;
}

}  // namespace clepsydra
