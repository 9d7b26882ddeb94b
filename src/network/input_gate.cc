#include "network/input_gate.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/memory_pool.h"
#include "network/mark_merging.h"

namespace clepsydra {
namespace {

// Cutting a batch shares its columns; only bits of validity may be copied.
MemoryPool& slicing_pool() {
  static const std::shared_ptr<MemoryPool> pool = MemoryPool::make_root("input-gate");
  return *pool;
}

}  // namespace

InputGate::InputGate(std::vector<Channel> channels, std::vector<SchemaPtr> schemas)
    : schemas_(std::move(schemas)),
      merger_(std::max(1, static_cast<int>(channels.size()))),
      silent_(static_cast<int>(channels.size())) {
  for (Channel& channel : channels) {
    CLP_CHECK(channel.input >= 0 && channel.input < static_cast<int>(schemas_.size()));
    inputs_.push_back({std::move(channel.channel), channel.input});
  }
  // A subtask that nobody sends anything (behind a global edge) has seen the end already.
  if (inputs_.empty()) merger_.finish(0);
}

int InputGate::next_channel() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[next_];
    const auto channel = static_cast<int>(next_);
    next_ = next_ + 1 == inputs_.size() ? 0 : next_ + 1;
    if (input.is_held || (!has_started() && input.has_spoken)) continue;
    if (input.channel->has_element()) return channel;
  }
  return -1;
}

Result<InputGate::Polled> InputGate::poll() {
  for (int signals = 0; signals < kSignalsMax; ++signals) {
    if (!ready_.empty()) {
      Polled polled = std::move(ready_.front());
      ready_.pop_front();
      return polled;
    }
    if (merger_.watermark() > delivered_watermark_) {
      delivered_watermark_ = merger_.watermark();
      return watermark_batch(delivered_watermark_);
    }
    const int channel = next_channel();
    if (channel < 0) {
      const State state = merger_.all_finished() ? State::kEnd
                          : signals > 0          ? State::kAgain
                                                 : State::kNothing;
      return Polled{.state = state};
    }
    Input& input = inputs_[static_cast<std::size_t>(channel)];
    const bool had_started = has_started();
    StreamElement element;
    CLP_CHECK(input.channel->try_pop(element));
    if (const auto* barrier = as_signal<BarrierSignal>(element)) {
      if (!input.has_spoken) {
        return Status::failed_precondition("a channel began with a checkpoint barrier");
      }
      return Polled{.state = State::kBarrier, .channel = channel, .barrier = *barrier};
    }
    if (!input.has_spoken) {
      input.has_spoken = true;
      --silent_;
    }
    if (Batch* batch = std::get_if<Batch>(&element)) {
      CLP_RETURN_IF_ERROR(take_batch(std::move(*batch), channel));
      continue;
    }
    const bool was_idle = idle();
    CLP_RETURN_IF_ERROR(take_signal(std::get<Signal>(element), channel));
    // Each change is seen, also one that the next element would take back.
    const bool is_news = idle() != was_idle || (!had_started && has_started());
    if (is_news && ready_.empty() && merger_.watermark() == delivered_watermark_) {
      return Polled{.state = State::kAgain};
    }
  }
  return Polled{.state = State::kAgain};
}

void InputGate::hold(int channel) {
  inputs_[static_cast<std::size_t>(channel)].is_held = true;
}

void InputGate::release_all() {
  for (Input& input : inputs_) input.is_held = false;
}

InputGate::Polled InputGate::watermark_batch(std::int64_t watermark) const {
  return {.state = State::kBatch, .batch = Batch::of_watermark(schemas_[0], watermark)};
}

Status InputGate::take_signal(const Signal& signal, int channel) {
  if (const auto* watermark = std::get_if<WatermarkSignal>(&signal)) {
    merger_.advance(channel, watermark->watermark);
  } else if (const auto* idle = std::get_if<IdleSignal>(&signal)) {
    merger_.set_idle(channel, idle->idle);
  } else if (std::holds_alternative<EndOfInputSignal>(signal)) {
    merger_.finish(channel);
    // All that the channel said goes before the news that it has ended.
    if (merger_.watermark() > delivered_watermark_) {
      delivered_watermark_ = merger_.watermark();
      ready_.push_back(watermark_batch(delivered_watermark_));
    }
    ready_.push_back({.state = State::kEndOfChannel, .channel = channel});
  } else {
    return Status::unimplemented("latency markers are not built yet");
  }
  return Status::ok();
}

Status InputGate::take_batch(Batch batch, int channel) {
  const int input = inputs_[static_cast<std::size_t>(channel)].input;
  Batch merged = relabelled(merge_marks(std::move(batch), channel, merger_), input);
  delivered_watermark_ = merger_.watermark();
  if (input == 0 || merged.marks().empty()) {
    if (!merged.empty()) {
      ready_.push_back({.state = State::kBatch, .input = input, .batch = std::move(merged)});
    }
    return Status::ok();
  }
  std::int64_t begin = 0;
  const auto cut_at = [&](std::int64_t end) -> Status {
    if (end > begin) {
      CLP_ASSIGN_OR_RETURN(const Batch piece, merged.slice(begin, end - begin, slicing_pool()));
      ready_.push_back({.state = State::kBatch, .input = input, .batch = piece.with_marks({})});
    }
    begin = end;
    return Status::ok();
  };
  for (const Mark& mark : merged.marks()) {
    CLP_RETURN_IF_ERROR(cut_at(mark.row));
    ready_.push_back(watermark_batch(mark.watermark));
  }
  return cut_at(merged.rows());
}

Batch InputGate::relabelled(Batch batch, int input) const {
  const SchemaPtr& schema = schemas_[static_cast<std::size_t>(input)];
  if (batch.schema() == schema) return batch;
  return batch.with_columns(schema, batch.columns());
}

}  // namespace clepsydra
