#include "network/input_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/stream_element.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::schema_of;

class InputGateTest : public ::testing::Test {
 protected:
  // One channel per entry of `inputs`: the input that it feeds.
  void open(const std::vector<int>& inputs, bool started = true) {
    channels_.clear();
    std::vector<InputGate::Channel> channels;
    int count = 1;
    for (const int input : inputs) {
      channels_.push_back(std::make_shared<LocalChannel>(1 << 20));
      channels.push_back({channels_.back(), input});
      count = std::max(count, input + 1);
    }
    std::vector<SchemaPtr> schemas(static_cast<std::size_t>(count), schema_of("x BIGINT"));
    gate_ = std::make_unique<InputGate>(std::move(channels), std::move(schemas));
    if (!started) return;
    for (int i = 0; i < static_cast<int>(inputs.size()); ++i) send(i, IdleSignal{false});
    take();
  }
  void push(int channel, const std::vector<std::string_view>& lines) {
    StreamElement element = batch_of("k BIGINT", lines);
    ASSERT_TRUE(channels_[static_cast<std::size_t>(channel)]->try_push(element, 8));
  }
  void send(int channel, Signal signal) {
    StreamElement element = signal;
    ASSERT_TRUE(channels_[static_cast<std::size_t>(channel)]->try_push(element, 0));
  }
  // All that can be taken: the lines of each batch, the input in front when it is not 0; "barrier
  // 7 of 0"; and "end". The ends of channels only on request: "end of 0".
  std::vector<std::string> take(bool with_ends_of_channels = false) {
    std::vector<std::string> taken;
    while (true) {
      Result<InputGate::Polled> polled = gate_->poll();
      if (!polled.is_ok()) return {polled.status().to_string()};
      if (polled->state == InputGate::State::kNothing) return taken;
      if (polled->state == InputGate::State::kEnd) {
        taken.emplace_back("end");
        return taken;
      }
      if (polled->state == InputGate::State::kAgain) continue;
      if (polled->state == InputGate::State::kEndOfChannel) {
        if (with_ends_of_channels) taken.push_back("end of " + std::to_string(polled->channel));
        continue;
      }
      if (polled->state == InputGate::State::kBarrier) {
        taken.push_back("barrier " + std::to_string(polled->barrier.checkpoint_id) + " of " +
                        std::to_string(polled->channel));
        // As a task does that aligns.
        if (holds_at_barriers_) gate_->hold(polled->channel);
        continue;
      }
      EXPECT_EQ(polled->batch.schema()->field(0).name, "x");
      for (const std::string& line : lines_of(polled->batch)) {
        taken.push_back((polled->input > 0 ? std::to_string(polled->input) + ": " : "") + line);
      }
    }
  }

  static Signal barrier(std::int64_t id) {
    return BarrierSignal{id, 1000, CheckpointKind::kCheckpoint};
  }

  std::vector<std::shared_ptr<LocalChannel>> channels_;
  std::unique_ptr<InputGate> gate_;
  bool holds_at_barriers_ = true;
};

TEST_F(InputGateTest, the_marks_of_a_single_channel_stay) {
  open({0});
  push(0, {"1", "@5", "2", "@6"});
  EXPECT_THAT(take(), ElementsAre("1", "@5", "2", "@6"));
}

TEST_F(InputGateTest, a_mark_stays_where_the_merged_watermark_advances_with_its_value) {
  open({0, 0});
  push(0, {"1", "@5", "2", "@8", "3"});
  push(1, {"4", "@3", "5", "@6", "6", "@9", "7"});
  EXPECT_THAT(take(), ElementsAre("1", "2", "3", "4", "@3", "5", "@6", "6", "@8", "7"));
  EXPECT_EQ(gate_->watermark(), 8);
}

TEST_F(InputGateTest, channels_are_taken_from_in_turn) {
  open({0, 0, 0});
  push(0, {"1"});
  push(0, {"2"});
  push(1, {"3"});
  push(2, {"4"});
  push(2, {"5"});
  EXPECT_THAT(take(), ElementsAre("1", "3", "4", "2", "5"));
}

TEST_F(InputGateTest, watermark_signals_come_as_batches_without_rows) {
  open({0, 0});
  send(0, WatermarkSignal{7});
  send(1, WatermarkSignal{4});
  EXPECT_THAT(take(), ElementsAre("@4"));
}

TEST_F(InputGateTest, an_idle_channel_does_not_hold_time_back) {
  open({0, 0});
  push(0, {"1", "@5"});
  EXPECT_THAT(take(), ElementsAre("1"));
  send(1, IdleSignal{true});
  EXPECT_THAT(take(), ElementsAre("@5"));
  EXPECT_FALSE(gate_->idle());
  send(0, IdleSignal{true});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_TRUE(gate_->idle());
  // Rows make it active again; time does not go back.
  push(1, {"2", "@3", "3"});
  EXPECT_THAT(take(), ElementsAre("2", "3"));
  EXPECT_FALSE(gate_->idle());
  EXPECT_EQ(gate_->watermark(), 5);
}

TEST_F(InputGateTest, time_ends_only_when_every_channel_has_ended) {
  open({0, 0});
  push(0, {"1", "@5"});
  send(0, WatermarkSignal{kMaxWatermark});
  send(0, EndOfInputSignal{});
  EXPECT_THAT(take(), ElementsAre("1"));
  push(1, {"2", "@9"});
  EXPECT_THAT(take(), ElementsAre("2", "@9"));
  send(1, EndOfInputSignal{});
  EXPECT_THAT(take(), ElementsAre("@" + std::to_string(kMaxWatermark), "end"));
  EXPECT_THAT(take(), ElementsAre("end"));
}

TEST_F(InputGateTest, a_finished_channel_beside_an_idle_one_leaves_time_where_it_is) {
  open({0, 0});
  push(0, {"1", "@5"});
  push(1, {"2", "@7"});
  EXPECT_THAT(take(), ElementsAre("1", "2", "@5"));
  send(1, IdleSignal{true});
  EXPECT_THAT(take(), IsEmpty());
  send(0, EndOfInputSignal{});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_TRUE(gate_->idle());
  EXPECT_EQ(gate_->watermark(), 5);
}

TEST_F(InputGateTest, no_batch_is_delivered_before_every_channel_has_spoken) {
  open({0, 0, 0}, false);
  send(0, IdleSignal{false});
  push(0, {"1", "@5", "2"});
  EXPECT_THAT(take(), IsEmpty());
  send(1, IdleSignal{true});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_FALSE(gate_->has_started());
  send(2, EndOfInputSignal{});
  // Neither the idle nor the ended channel holds the mark back.
  EXPECT_THAT(take(), ElementsAre("1", "@5", "2"));
  EXPECT_TRUE(gate_->has_started());
}

TEST_F(InputGateTest, idleness_is_seen_even_if_the_next_element_ends_it) {
  open({0}, false);
  send(0, IdleSignal{true});
  send(0, WatermarkSignal{kMaxWatermark});
  EXPECT_EQ(gate_->poll()->state, InputGate::State::kAgain);
  EXPECT_TRUE(gate_->has_started());
  EXPECT_TRUE(gate_->idle());
  EXPECT_THAT(take(), ElementsAre("@" + std::to_string(kMaxWatermark)));
  EXPECT_FALSE(gate_->idle());
}

TEST_F(InputGateTest, a_gate_without_channels_has_ended) {
  open({}, false);
  EXPECT_TRUE(gate_->has_started());
  EXPECT_THAT(take(), ElementsAre("@" + std::to_string(kMaxWatermark), "end"));
}

TEST_F(InputGateTest, marks_of_a_second_input_are_delivered_on_the_first) {
  open({0, 1});
  push(0, {"1", "@9"});
  push(1, {"2", "@5", "3", "@6"});
  EXPECT_THAT(take(), ElementsAre("1", "1: 2", "@5", "1: 3", "@6"));
}

TEST_F(InputGateTest, a_barrier_comes_after_all_that_stood_before_it_on_its_channel) {
  open({0});
  push(0, {"1", "@5", "2"});
  send(0, WatermarkSignal{6});
  send(0, BarrierSignal{7, 1234, CheckpointKind::kSavepoint});
  EXPECT_THAT(lines_of(gate_->poll()->batch), ElementsAre("1", "@5", "2"));
  EXPECT_THAT(lines_of(gate_->poll()->batch), ElementsAre("@6"));
  const InputGate::Polled polled = *gate_->poll();
  EXPECT_EQ(polled.state, InputGate::State::kBarrier);
  EXPECT_EQ(polled.channel, 0);
  EXPECT_EQ(polled.barrier, (BarrierSignal{7, 1234, CheckpointKind::kSavepoint}));
}

TEST_F(InputGateTest, nothing_is_taken_from_a_held_channel_while_the_others_go_on) {
  open({0, 0, 1});
  push(0, {"1", "@5"});
  send(0, barrier(1));
  push(0, {"9"});
  push(1, {"2", "@4"});
  push(2, {"3", "@8"});
  EXPECT_THAT(take(), ElementsAre("1", "2", "1: 3", "@4", "barrier 1 of 0"));
  push(1, {"4", "@7"});
  send(1, barrier(1));
  push(1, {"10", "@20"});
  // Time stays where the held channels have left it.
  EXPECT_THAT(take(), ElementsAre("4", "@5", "barrier 1 of 1"));
  EXPECT_EQ(channels_[0]->queued_bytes(), LocalChannel::kElementBytesMin);
  send(2, barrier(1));
  EXPECT_THAT(take(), ElementsAre("barrier 1 of 2"));
  push(2, {"11"});
  EXPECT_THAT(take(), IsEmpty());
  gate_->release_all();
  EXPECT_THAT(take(), ElementsAre("9", "10", "1: 11"));
}

TEST_F(InputGateTest, channels_that_are_not_held_go_on_after_their_barrier) {
  holds_at_barriers_ = false;
  open({0, 0});
  send(0, barrier(1));
  push(0, {"1"});
  push(1, {"2"});
  EXPECT_THAT(take(), ElementsAre("barrier 1 of 0", "2", "1"));
}

TEST_F(InputGateTest, the_ring_of_a_held_channel_fills_and_makes_its_producer_wait) {
  open({0, 0});
  send(0, barrier(1));
  take();
  for (std::size_t i = 0; i < LocalChannel::kElementsMax; ++i) push(0, {"1"});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_FALSE(channels_[0]->has_room());
  EXPECT_TRUE(channels_[0]->wake_when_room());
  gate_->release_all();
  EXPECT_EQ(take().size(), LocalChannel::kElementsMax);
  EXPECT_TRUE(channels_[0]->has_room());
}

TEST_F(InputGateTest, the_end_of_a_channel_is_told_after_all_that_it_said) {
  open({0, 0});
  push(0, {"1", "@5"});
  push(1, {"2", "@3"});
  EXPECT_THAT(take(true), ElementsAre("1", "2", "@3"));
  send(1, EndOfInputSignal{});
  // Without channel 1, channel 0 says how far time is.
  EXPECT_THAT(take(true), ElementsAre("@5", "end of 1"));
  send(0, EndOfInputSignal{});
  EXPECT_THAT(take(true), ElementsAre("@" + std::to_string(kMaxWatermark), "end of 0", "end"));
}

TEST_F(InputGateTest, an_end_behind_a_barrier_waits_for_the_release) {
  open({0, 0});
  send(0, barrier(1));
  send(0, EndOfInputSignal{});
  send(1, EndOfInputSignal{});
  EXPECT_THAT(take(true), ElementsAre("barrier 1 of 0", "end of 1"));
  gate_->release_all();
  EXPECT_THAT(take(true), ElementsAre("@" + std::to_string(kMaxWatermark), "end of 0", "end"));
}

TEST_F(InputGateTest, barriers_leave_idleness_and_first_words_as_they_are) {
  open({0, 0}, false);
  send(0, IdleSignal{true});
  send(0, barrier(1));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_FALSE(gate_->has_started());
  send(1, IdleSignal{true});
  EXPECT_THAT(take(), ElementsAre("barrier 1 of 0"));
  EXPECT_TRUE(gate_->idle());
  // The idle channel that is held still does not hold time back.
  push(1, {"1", "@5"});
  EXPECT_THAT(take(), ElementsAre("1", "@5"));
  send(1, barrier(1));
  EXPECT_THAT(take(), ElementsAre("barrier 1 of 1"));
  gate_->release_all();
  send(1, IdleSignal{true});
  take();
  EXPECT_TRUE(gate_->idle());
}

TEST_F(InputGateTest, a_channel_must_not_begin_with_a_barrier) {
  open({0}, false);
  send(0, barrier(1));
  EXPECT_EQ(gate_->poll().status().code(), StatusCode::kFailedPrecondition);
}

// ---- Barriers that may overtake ----

class OvertakingGateTest : public InputGateTest {
 protected:
  void open_overtaking(int channels, const std::vector<bool>& may_be_overtaken = {}) {
    channels_.clear();
    std::vector<InputGate::Channel> of_gate;
    for (int i = 0; i < channels; ++i) {
      channels_.push_back(std::make_shared<LocalChannel>(1 << 20));
      of_gate.push_back(
          {channels_.back(), 0,
           may_be_overtaken.empty() || may_be_overtaken[static_cast<std::size_t>(i)]});
    }
    gate_ = std::make_unique<InputGate>(std::move(of_gate), std::vector{schema_of("x BIGINT")});
    gate_->expect_overtaking();
    for (int i = 0; i < channels; ++i) send(i, IdleSignal{false});
    take();
  }
  void announce(int channel, std::int64_t id) {
    channels_[static_cast<std::size_t>(channel)]->announce({id, 0, CheckpointKind::kCheckpoint});
  }
  // "7 of 0", "end of 1".
  std::vector<std::string> news() {
    std::vector<std::string> all;
    for (const InputGate::News& each : gate_->take_news()) {
      all.push_back((each.barrier ? std::to_string(each.barrier->checkpoint_id) : "end") + " of " +
                    std::to_string(each.channel));
    }
    return all;
  }
  std::string poll_line() {
    const Result<InputGate::Polled> polled = gate_->poll();
    if (!polled.is_ok()) return polled.status().to_string();
    switch (polled->state) {
      case InputGate::State::kBatch:
        return lines_of(polled->batch)[0];
      case InputGate::State::kBarrier:
        return "barrier " + std::to_string(polled->barrier.checkpoint_id);
      case InputGate::State::kAgain:
        return "again";
      default:
        return "nothing";
    }
  }
  static std::vector<std::string> rows(const InFlightChannel& channel) {
    std::vector<std::string> all;
    for (const StreamElement& element : channel.elements) {
      const Batch* batch = as_batch(element);
      for (const std::string& line :
           batch == nullptr ? std::vector<std::string>{"signal"} : lines_of(*batch)) {
        all.push_back(line);
      }
    }
    return all;
  }
};

TEST_F(OvertakingGateTest, nothing_is_taken_before_the_news_are_heard) {
  open_overtaking(1);
  push(0, {"1"});
  announce(0, 7);
  push(0, {"2"});
  EXPECT_EQ(poll_line(), "again");
  EXPECT_THAT(news(), ElementsAre("7 of 0"));
  EXPECT_FALSE(gate_->has_news());
  EXPECT_EQ(poll_line(), "1");
  EXPECT_EQ(poll_line(), "barrier 7");  // At its place.
  EXPECT_EQ(poll_line(), "2");
}

TEST_F(OvertakingGateTest, what_stands_before_the_barrier_is_recorded_and_delivered_all_the_same) {
  open_overtaking(2);
  push(0, {"1"});
  send(0, WatermarkSignal{5});
  announce(0, 7);
  push(0, {"2"});
  push(1, {"10"});
  EXPECT_THAT(news(), ElementsAre("7 of 0"));
  gate_->start_recording(7);
  EXPECT_FALSE(gate_->has_recorded());  // Of channel 1 no barrier is known.
  EXPECT_THAT(take(), ::testing::UnorderedElementsAre("1", "2", "10"));
  push(1, {"11"});
  announce(1, 7);
  push(1, {"12"});
  EXPECT_THAT(news(), ElementsAre("7 of 1"));
  ASSERT_TRUE(gate_->has_recorded());
  const std::vector<InFlightChannel> recorded = gate_->take_recorded();
  EXPECT_THAT(rows(recorded[0]), ElementsAre("1", "signal"));
  EXPECT_TRUE(recorded[0].has_spoken);
  EXPECT_THAT(rows(recorded[1]), ElementsAre("10", "11"));
  EXPECT_THAT(take(), ElementsAre("11", "12"));
  EXPECT_FALSE(gate_->is_recording());
}

TEST_F(OvertakingGateTest, the_end_of_a_channel_stands_for_its_barrier) {
  open_overtaking(2);
  announce(0, 3);
  push(1, {"10"});
  send(1, EndOfInputSignal{});
  EXPECT_THAT(news(), ElementsAre("3 of 0", "end of 1"));
  gate_->start_recording(3);
  ASSERT_TRUE(gate_->has_recorded());
  const std::vector<InFlightChannel> recorded = gate_->take_recorded();
  EXPECT_FALSE(recorded[0].has_ended);
  EXPECT_THAT(rows(recorded[1]), ElementsAre("10"));
  EXPECT_TRUE(recorded[1].has_ended);
}

TEST_F(OvertakingGateTest, channels_that_cannot_be_overtaken_have_nothing_in_flight) {
  open_overtaking(2, {true, false});
  push(1, {"@40"});
  send(1, barrier(3));
  announce(0, 3);
  EXPECT_THAT(news(), ElementsAre("3 of 0"));
  EXPECT_THAT(take(), ::testing::IsSupersetOf({"barrier 3 of 1"}));
  gate_->start_recording(3);
  push(1, {"11"});
  ASSERT_TRUE(gate_->has_recorded());
  const std::vector<InFlightChannel> recorded = gate_->take_recorded();
  EXPECT_THAT(rows(recorded[1]), IsEmpty());
  EXPECT_EQ(recorded[1].watermark, 40);
}

TEST_F(OvertakingGateTest, recovered_rows_come_first_with_their_watermarks_and_before_any_barrier) {
  open_overtaking(2);
  std::vector<RecoveredChannel> recovered(2);
  recovered[0] = {.input = 0, .content = {.has_spoken = true, .watermark = 100}};
  recovered[0].content.elements.emplace_back(batch_of("k BIGINT", {"1", "@120", "2"}));
  recovered[1] = {.input = 0, .content = {.has_spoken = true, .watermark = 110}};
  recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"3"}));
  gate_->recover(std::move(recovered));
  push(0, {"9"});
  announce(0, 4);
  EXPECT_TRUE(gate_->is_recovering());
  EXPECT_FALSE(gate_->has_news());
  std::vector<std::string> taken;
  while (gate_->is_recovering()) {
    const Result<InputGate::Polled> polled = gate_->poll();
    ASSERT_TRUE(polled.is_ok());
    if (polled->state != InputGate::State::kBatch) continue;
    for (const std::string& line : lines_of(polled->batch)) taken.push_back(line);
  }
  // Merged: 100 at first; 110 when channel 0 is past it.
  EXPECT_THAT(taken, ElementsAre("@100", "1", "@110", "2", "3"));
  EXPECT_EQ(gate_->watermark(), 110);
  EXPECT_THAT(news(), ElementsAre("4 of 0"));
  EXPECT_EQ(poll_line(), "9");
  // The channels begin anew, but time does not go back.
  push(1, {"@115"});
  EXPECT_EQ(poll_line(), "barrier 4");
  push(0, {"@105"});
  EXPECT_EQ(poll_line(), "again");
  push(0, {"@130"});
  EXPECT_EQ(poll_line(), "@115");
}

TEST_F(OvertakingGateTest, time_does_not_end_and_does_not_go_back_with_what_is_recovered) {
  open_overtaking(2);
  std::vector<RecoveredChannel> recovered(2);
  recovered[0] = {.input = 0, .content = {.has_spoken = true, .watermark = 100}};
  recovered[0].content.elements.emplace_back(Signal(WatermarkSignal{kMaxWatermark}));
  recovered[0].content.has_ended = true;
  recovered[1] = {.input = 0, .content = {.has_spoken = true, .watermark = 200}};
  recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"3"}));
  gate_->recover(std::move(recovered));
  EXPECT_THAT(take(), ElementsAre("@100", "@200", "3"));
  push(0, {"@150", "4", "@250"});
  push(1, {"@150", "5", "@260"});
  // Each channel said 150, which is behind what was said before.
  EXPECT_THAT(take(), ::testing::UnorderedElementsAre("4", "5", "@250"));
}

// A task that restored channels say nothing more of must not let event time go on without it: what
// it holds has not gone out yet.
TEST_F(OvertakingGateTest, recovered_channels_that_have_ended_make_nobody_idle) {
  open_overtaking(2);
  std::vector<RecoveredChannel> recovered(2);
  recovered[0].content = {.has_spoken = true, .has_ended = true, .watermark = 100};
  recovered[1].content = {.has_spoken = true, .watermark = kMaxWatermark};
  gate_->recover(recovered);
  EXPECT_FALSE(gate_->idle());
  EXPECT_THAT(take(), IsEmpty());
  // One that may speak again does.
  recovered[1].content = {.has_spoken = true, .is_idle = true, .watermark = 100};
  gate_->recover(recovered);
  EXPECT_TRUE(gate_->idle());
}

TEST_F(OvertakingGateTest, a_recovered_channel_at_the_end_of_time_holds_nobody_back) {
  for (const bool has_heard : {true, false}) {
    open_overtaking(2);
    std::vector<RecoveredChannel> recovered(2);
    recovered[0].content = {.has_spoken = true, .watermark = has_heard ? kMaxWatermark : 90};
    if (!has_heard) {
      recovered[0].content.elements.emplace_back(Signal(WatermarkSignal{kMaxWatermark}));
    }
    recovered[1].content = {.has_spoken = true, .watermark = 100};
    recovered[1].content.elements.emplace_back(Signal(IdleSignal{false}));
    recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"1", "@120", "2"}));
    gate_->recover(std::move(recovered));
    std::vector<std::string> expected = {"@100", "1", "@120", "2"};
    if (!has_heard) expected.insert(expected.begin(), "@90");
    EXPECT_EQ(take(), expected);
    EXPECT_EQ(gate_->watermark(), 120);
  }
}

TEST_F(OvertakingGateTest, a_restored_gate_has_started_when_first_words_under_way_are_heard) {
  open_overtaking(2);
  std::vector<RecoveredChannel> recovered(2);
  recovered[0].content.has_spoken = true;
  recovered[0].content.elements.emplace_back(batch_of("k BIGINT", {"1"}));
  recovered[0].content.is_idle = true;
  recovered[1].content.elements.emplace_back(Signal(IdleSignal{true}));
  gate_->recover(std::move(recovered));
  EXPECT_FALSE(gate_->has_started());
  EXPECT_EQ(poll_line(), "again");
  EXPECT_TRUE(gate_->has_started());
  EXPECT_TRUE(gate_->idle());
  EXPECT_EQ(poll_line(), "1");
}

// The rows of a former subtask are judged by the event time that it had heard of: they wait until
// what others had has come so far.
TEST_F(OvertakingGateTest, what_former_subtasks_had_comes_in_the_order_of_their_event_times) {
  open_overtaking(2);
  std::vector<RecoveredChannel> recovered(3);
  recovered[0].former_consumer = 7;
  recovered[0].content = {.has_spoken = true, .watermark = 100};
  recovered[0].content.elements.emplace_back(batch_of("k BIGINT", {"1"}));
  recovered[0].content.elements.emplace_back(Signal(WatermarkSignal{130}));
  recovered[0].content.elements.emplace_back(batch_of("k BIGINT", {"2"}));
  recovered[1].former_consumer = 9;
  recovered[1].content = {.has_spoken = true, .watermark = 50};
  recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"3"}));
  recovered[1].content.elements.emplace_back(Signal(WatermarkSignal{110}));
  recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"5"}));
  recovered[1].content.elements.emplace_back(Signal(WatermarkSignal{130}));
  recovered[1].content.elements.emplace_back(batch_of("k BIGINT", {"6"}));
  recovered[2].former_consumer = 9;
  recovered[2].content = {.has_spoken = true, .watermark = 60};
  recovered[2].content.elements.emplace_back(batch_of("k BIGINT", {"4"}));
  recovered[2].content.elements.emplace_back(Signal(WatermarkSignal{130}));
  gate_->recover(std::move(recovered));
  EXPECT_THAT(take(),
              ElementsAre("@50", "3", "4", "@60", "@100", "1", "@110", "5", "@130", "2", "6"));
}

TEST_F(InputGateTest, latency_markers_are_refused_as_long_as_nobody_sends_them) {
  open({0});
  send(0, LatencyMarkerSignal{1, 2, 3});
  EXPECT_EQ(gate_->poll().status().code(), StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace clepsydra
