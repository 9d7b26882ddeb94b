#include "network/input_gate.h"

#include <algorithm>
#include <cstddef>
#include <map>
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
    Input& input = inputs_.emplace_back();
    input.channel = std::move(channel.channel);
    input.input = channel.input;
    input.may_be_overtaken = channel.may_be_overtaken;
  }
  // A subtask that nobody sends anything (behind a global edge) has seen the end already.
  if (inputs_.empty()) merger_.finish(0);
}

int InputGate::next_channel() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[next_];
    const auto channel = static_cast<int>(next_);
    next_ = next_ + 1 == inputs_.size() ? 0 : next_ + 1;
    if (input.is_held || (silent_ > 0 && input.has_spoken)) continue;
    if (input.channel->has_element() || stands_at_barrier(input)) return channel;
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
    if (has_watermark()) {
      delivered_watermark_ = merger().watermark();
      return watermark_batch(delivered_watermark_);
    }
    if (recovery_ != nullptr) {
      const bool was_idle = idle();
      const bool had_started = has_started();
      CLP_ASSIGN_OR_RETURN(const bool has_taken, take_recovered());
      if (!has_taken) recovery_.reset();
      const bool is_news = idle() != was_idle || (!had_started && has_started());
      if (!has_taken || (is_news && ready_.empty() && !has_watermark())) {
        return Polled{.state = State::kAgain};
      }
      continue;
    }
    const int channel = next_channel();
    if (channel < 0) {
      const State state = merger_.all_finished() ? State::kEnd
                          : signals > 0          ? State::kAgain
                                                 : State::kNothing;
      return Polled{.state = state};
    }
    // Asked after it is known that there is an element: who pushes one behind a barrier has
    // announced the barrier before.
    if (has_news()) return Polled{.state = State::kAgain};
    Input& input = inputs_[static_cast<std::size_t>(channel)];
    if (stands_at_barrier(input)) {
      const BarrierSignal barrier = input.barrier->barrier;
      input.barrier.reset();
      input.reached = barrier.checkpoint_id;
      return Polled{.state = State::kBarrier, .channel = channel, .barrier = barrier};
    }
    StreamElement element;
    CLP_CHECK(input.channel->try_pop(element));
    if (const auto* barrier = as_signal<BarrierSignal>(element)) {
      if (!input.has_spoken) {
        return Status::failed_precondition("a channel began with a checkpoint barrier");
      }
      input.reached = barrier->checkpoint_id;
      return Polled{.state = State::kBarrier, .channel = channel, .barrier = *barrier};
    }
    if (input.is_recorded) record(input, element);
    CLP_ASSIGN_OR_RETURN(const bool is_news, take_element(std::move(element), channel));
    // Each change is seen, also one that the next element would take back.
    if (is_news && ready_.empty() && !has_watermark()) {
      return Polled{.state = State::kAgain};
    }
  }
  return Polled{.state = State::kAgain};
}

Result<bool> InputGate::take_element(StreamElement element, int channel) {
  Input& input = inputs_[static_cast<std::size_t>(channel)];
  const bool had_started = has_started();
  if (!input.has_spoken) {
    input.has_spoken = true;
    --silent_;
  }
  remember(input, element);
  const Origin from{channel, input.input, &merger_};
  if (Batch* batch = std::get_if<Batch>(&element)) {
    CLP_RETURN_IF_ERROR(take_batch(std::move(*batch), from));
    return false;
  }
  const bool was_idle = idle();
  CLP_RETURN_IF_ERROR(take_signal(std::get<Signal>(element), from));
  return idle() != was_idle || (!had_started && has_started());
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

Status InputGate::take_signal(const Signal& signal, const Origin& from) {
  WatermarkMerger& merger = *from.merger;
  if (const auto* watermark = std::get_if<WatermarkSignal>(&signal)) {
    merger.advance(from.channel, watermark->watermark);
  } else if (const auto* idle = std::get_if<IdleSignal>(&signal)) {
    merger.set_idle(from.channel, idle->idle);
  } else if (std::holds_alternative<EndOfInputSignal>(signal)) {
    merger.finish(from.channel);
    // All that the channel said goes before the news that it has ended.
    if (merger.watermark() > delivered_watermark_) {
      delivered_watermark_ = merger.watermark();
      ready_.push_back(watermark_batch(delivered_watermark_));
    }
    ready_.push_back({.state = State::kEndOfChannel, .channel = from.channel});
  } else {
    return Status::unimplemented("latency markers are not built yet");
  }
  return Status::ok();
}

Status InputGate::take_batch(Batch batch, const Origin& from) {
  const int input = from.input;
  Batch merged = relabelled(merge_marks(std::move(batch), from.channel, *from.merger), input);
  // After a recovery the channels may begin behind what was said before.
  if (!merged.marks().empty() && merged.marks().front().watermark <= delivered_watermark_) {
    std::vector<Mark> marks = merged.marks();
    std::erase_if(marks,
                  [this](const Mark& mark) { return mark.watermark <= delivered_watermark_; });
    merged = merged.with_marks(std::move(marks));
  }
  delivered_watermark_ = std::max(delivered_watermark_, from.merger->watermark());
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

// ---- What a restored task had under way ----

void InputGate::recover(std::vector<RecoveredChannel> channels) {
  if (channels.empty()) return;
  recovery_ = std::make_unique<Recovery>();
  std::map<int, std::vector<RecoveredChannel>> by_former;
  for (RecoveredChannel& channel : channels) {
    by_former[channel.former_consumer].push_back(std::move(channel));
  }
  recovery_->merger = WatermarkMerger(static_cast<int>(by_former.size()));
  for (auto& [former, of_former] : by_former) {
    Recovery::Group& group = recovery_->groups.emplace_back();
    group.merger = WatermarkMerger(static_cast<int>(of_former.size()));
    for (RecoveredChannel& of : of_former) {
      const auto place = static_cast<int>(group.channels.size());
      const InFlightChannel& content =
          group.channels.emplace_back(Recovery::Channel{std::move(of), 0, place}).of.content;
      const bool is_all = content.elements.empty();
      if (content.watermark > kMinWatermark) group.merger.advance(place, content.watermark);
      if (content.has_ended && is_all) group.merger.advance(place, kMaxWatermark);
      if (content.is_idle) group.merger.set_idle(place, true);
      if (!content.has_spoken && !is_all) ++recovery_->silent;
    }
    recovery_->merge(recovery_->groups.size() - 1);
  }
}

void InputGate::Recovery::merge(std::size_t g) {
  const WatermarkMerger& of = groups[g].merger;
  const auto input = static_cast<int>(g);
  if (of.watermark() > kMinWatermark) merger.advance(input, of.watermark());
  merger.set_idle(input, of.idle());
}

std::pair<std::size_t, InputGate::Recovery::Channel*> InputGate::Recovery::next() {
  // As with live ones: nobody's rows before everybody's first word.
  for (std::size_t g = 0; silent > 0 && g < groups.size(); ++g) {
    for (Channel& channel : groups[g].channels) {
      if (channel.has_first_word()) return {g, &channel};
    }
  }
  // Those that were behind in event time come first: so what is said of it is what each had heard.
  std::size_t behind = groups.size();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const bool is_done = std::all_of(groups[g].channels.begin(), groups[g].channels.end(),
                                     [](const Channel& channel) { return channel.is_done(); });
    if (is_done) continue;
    if (behind == groups.size() ||
        groups[g].merger.watermark() < groups[behind].merger.watermark()) {
      behind = g;
    }
  }
  if (behind == groups.size()) return {behind, nullptr};
  Group& group = groups[behind];
  while (true) {
    Channel& channel = group.channels[group.next];
    group.next = group.next + 1 == group.channels.size() ? 0 : group.next + 1;
    if (!channel.is_done()) return {behind, &channel};
  }
}

Result<bool> InputGate::take_recovered() {
  Recovery& recovery = *recovery_;
  const auto [g, channel] = recovery.next();
  if (channel == nullptr) return false;
  if (channel->has_first_word()) --recovery.silent;
  WatermarkMerger& merger = recovery.groups[g].merger;
  StreamElement element =
      std::exchange(channel->of.content.elements[channel->taken++], StreamElement());
  bool is_last = channel->is_done() && channel->of.content.has_ended;
  if (Batch* batch = std::get_if<Batch>(&element)) {
    std::vector<Mark> marks = batch->marks();
    const bool has_end_of_time =
        std::erase_if(marks, [](const Mark& mark) { return mark.watermark == kMaxWatermark; }) > 0;
    is_last = is_last || has_end_of_time;
    Batch merged = merge_marks(batch->with_marks(std::move(marks)), channel->place, merger);
    const Origin from{static_cast<int>(g), channel->of.input, &recovery.merger};
    CLP_RETURN_IF_ERROR(take_batch(std::move(merged), from));
  } else if (const auto* watermark = as_signal<WatermarkSignal>(element)) {
    merger.advance(channel->place, watermark->watermark);
  } else if (const auto* idle = as_signal<IdleSignal>(element)) {
    merger.set_idle(channel->place, idle->idle);
  }
  if (is_last) merger.advance(channel->place, kMaxWatermark);
  recovery.merge(g);
  return true;
}

// ---- Barriers that may overtake ----

void InputGate::expect_overtaking() {
  news_ = std::make_shared<LocalChannel::News>(0);
  for (Input& input : inputs_) input.channel->set_news(news_);
}

std::vector<InputGate::News> InputGate::take_news() {
  std::vector<News> news;
  if (!has_news()) return news;
  seen_news_ = news_->load(std::memory_order_acquire);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Input& input = inputs_[i];
    const int channel = static_cast<int>(i);
    if (std::optional<LocalChannel::Announcement> announced = input.channel->take_announcement()) {
      news.push_back({channel, announced->barrier});
      if (input.is_recorded && announced->barrier.checkpoint_id == recording_) {
        close_recording(input, announced->position);
      } else {
        input.barrier = announced;
      }
    }
    if (!input.is_closed && input.channel->is_closed()) {
      input.is_closed = true;
      news.push_back({channel, std::nullopt});
      if (input.is_recorded) close_recording(input, input.channel->end_position());
    }
  }
  return news;
}

void InputGate::start_recording(std::int64_t checkpoint_id) {
  CLP_CHECK(!is_recording() && checkpoint_id > 0 && ready_.empty());
  recording_ = checkpoint_id;
  recorded_bytes_ = 0;
  for (Input& input : inputs_) {
    input.in_flight = {.has_spoken = input.has_spoken,
                       .is_idle = input.is_idle,
                       .has_ended = input.has_ended,
                       .watermark = input.watermark};
    if (input.has_ended || !input.may_be_overtaken || input.reached == checkpoint_id) continue;
    input.is_recorded = true;
    ++open_recordings_;
    if (input.barrier && input.barrier->barrier.checkpoint_id == checkpoint_id) {
      close_recording(input, input.barrier->position);
      input.barrier.reset();
    } else if (input.is_closed) {
      close_recording(input, input.channel->end_position());
    }
  }
}

std::vector<InFlightChannel> InputGate::take_recorded() {
  CLP_CHECK(has_recorded());
  std::vector<InFlightChannel> recorded;
  for (Input& input : inputs_) recorded.push_back(std::exchange(input.in_flight, {}));
  stop_recording();
  return recorded;
}

void InputGate::stop_recording() {
  recording_ = 0;
  open_recordings_ = 0;
  recorded_bytes_ = 0;
  for (Input& input : inputs_) {
    input.is_recorded = false;
    input.in_flight = {};
  }
}

void InputGate::remember(Input& input, const StreamElement& element) {
  if (const Batch* batch = as_batch(element)) {
    input.is_idle = false;
    if (!batch->marks().empty()) input.watermark = batch->marks().back().watermark;
  } else if (const auto* watermark = as_signal<WatermarkSignal>(element)) {
    input.is_idle = false;
    input.watermark = watermark->watermark;
  } else if (const auto* idle = as_signal<IdleSignal>(element)) {
    input.is_idle = idle->idle;
  } else if (as_signal<EndOfInputSignal>(element) != nullptr) {
    input.has_ended = true;
  }
}

void InputGate::record(Input& input, const StreamElement& element) {
  if (as_signal<BarrierSignal>(element) != nullptr) return;
  if (as_signal<EndOfInputSignal>(element) != nullptr) {
    input.in_flight.has_ended = true;
    return;
  }
  const Batch* batch = as_batch(element);
  recorded_bytes_ += batch == nullptr ? LocalChannel::kElementBytesMin : batch->own_bytes();
  input.in_flight.elements.push_back(element);
}

void InputGate::close_recording(Input& input, std::uint64_t end) {
  for (std::uint64_t at = input.channel->position(); at < end; ++at) {
    record(input, input.channel->peek(at));
  }
  input.is_recorded = false;
  --open_recordings_;
}

}  // namespace clepsydra
