#include "network/output_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "stream/stream_element.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::schema_of;
using testing::test_pool;

std::string text_of(const Signal& signal) {
  if (const auto* watermark = std::get_if<WatermarkSignal>(&signal)) {
    return "watermark " + std::to_string(watermark->watermark);
  }
  if (const auto* idle = std::get_if<IdleSignal>(&signal)) return idle->idle ? "idle" : "active";
  if (const auto* barrier = std::get_if<BarrierSignal>(&signal)) {
    return "barrier " + std::to_string(barrier->checkpoint_id);
  }
  return std::holds_alternative<EndOfInputSignal>(signal) ? "end" : "other";
}

class OutputGateTest : public ::testing::Test {
 protected:
  void open(Routing routing, int channels, std::int64_t rows_max = 4096,
            std::int64_t channel_bytes = 1 << 20, std::int64_t bytes_max = 16 << 20) {
    channels_.clear();
    for (int i = 0; i < channels; ++i) {
      channels_.push_back(std::make_shared<LocalChannel>(channel_bytes));
    }
    OutputGateOptions options;
    options.routing = std::move(routing);
    options.schema = schema_of(kSchema);
    options.rows_max = rows_max;
    options.bytes_max = bytes_max;
    options.pool = &test_pool();
    gate_ = std::make_unique<OutputGate>(std::move(options), channels_);
  }
  void emit(const std::vector<std::string_view>& lines) {
    const Status emitted = gate_->emit(batch_of(schema_of(kSchema), lines));
    ASSERT_TRUE(emitted.is_ok()) << emitted.to_string();
  }
  // What is in a channel: "[" and "]" around each batch.
  std::vector<std::string> take(int channel) {
    std::vector<std::string> lines;
    StreamElement element;
    while (channels_[static_cast<std::size_t>(channel)]->try_pop(element)) {
      if (const auto* signal = std::get_if<Signal>(&element)) {
        lines.push_back(text_of(*signal));
        continue;
      }
      std::string batch = "[";
      for (const std::string& line : lines_of(std::get<Batch>(element))) batch += line + ", ";
      lines.push_back(batch.substr(0, batch.size() - 2) + "]");
    }
    return lines;
  }
  // Puts something into a channel, so that its consumer is busy.
  void occupy(int channel) {
    StreamElement filler = Signal(IdleSignal{false});
    ASSERT_TRUE(channels_[static_cast<std::size_t>(channel)]->try_push(filler, 0));
  }

  static constexpr std::string_view kSchema = "k BIGINT";
  std::vector<std::shared_ptr<LocalChannel>> channels_;
  std::unique_ptr<OutputGate> gate_;
};

TEST_F(OutputGateTest, a_consumer_that_waits_gets_a_small_batch_at_once) {
  open({}, 1);
  emit({"1", "@5", "2"});
  EXPECT_THAT(take(0), ElementsAre("[1, @5, 2]"));
}

TEST_F(OutputGateTest, while_the_consumer_is_busy_small_batches_become_one) {
  open({}, 1);
  occupy(0);
  emit({"1"});
  emit({"@5", "2", "@6"});
  emit({"3"});
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_FALSE(gate_->is_drained());
  EXPECT_THAT(take(0), ElementsAre("active"));
  ASSERT_TRUE(gate_->end_step().is_ok());  // The consumer has taken all there was.
  EXPECT_THAT(take(0), ElementsAre("[1, @5, 2, @6, 3]"));
  EXPECT_TRUE(gate_->is_drained());
}

TEST_F(OutputGateTest, an_open_batch_is_handed_over_at_rows_max) {
  open({}, 1, 3);
  occupy(0);
  emit({"1", "2"});
  emit({"3", "@7"});
  emit({"4"});
  EXPECT_THAT(take(0), ElementsAre("active", "[1, 2, 3, @7]"));
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_THAT(take(0), ElementsAre("[4]"));
}

TEST_F(OutputGateTest, a_signal_goes_after_what_was_emitted) {
  open({}, 1);
  occupy(0);
  emit({"1"});
  ASSERT_TRUE(gate_->send(IdleSignal{true}).is_ok());
  ASSERT_TRUE(gate_->send(EndOfInputSignal{}).is_ok());
  EXPECT_THAT(take(0), ElementsAre("active", "[1]", "idle", "end"));
}

TEST_F(OutputGateTest, a_barrier_keeps_its_place_in_every_channel_also_behind_a_backlog) {
  open({}, 1, 1, 2 * LocalChannel::kElementBytesMin);
  for (const char* row : {"1", "2", "3"}) emit({row});
  emit({"@9"});
  ASSERT_TRUE(gate_->send(BarrierSignal{5, 1000, CheckpointKind::kCheckpoint}).is_ok());
  emit({"4"});
  std::vector<std::string> sent;
  while (!gate_->is_drained() || channels_[0]->has_element()) {
    for (std::string& line : take(0)) sent.push_back(std::move(line));
    gate_->make_room();
  }
  EXPECT_THAT(sent, ElementsAre("[1]", "[2]", "[3]", "watermark 9", "barrier 5", "[4]"));

  open({.kind = RoutingKind::kRoundRobin}, 2);
  occupy(0);
  emit({"1"});
  ASSERT_TRUE(gate_->send(BarrierSignal{6, 1000, CheckpointKind::kCheckpoint}).is_ok());
  EXPECT_THAT(take(0), ElementsAre("active", "[1]", "barrier 6"));
  EXPECT_THAT(take(1), ElementsAre("barrier 6"));
}

TEST_F(OutputGateTest, a_mark_without_rows_becomes_a_signal) {
  open({}, 1);
  emit({"@3"});
  emit({"@4"});
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_THAT(take(0), ElementsAre("watermark 4"));
}

TEST_F(OutputGateTest, round_robin_sends_rows_to_one_and_marks_to_all) {
  open({.kind = RoutingKind::kRoundRobin}, 2);
  emit({"1", "@5", "2", "@6"});
  // Where the rows between two marks went elsewhere, the last mark says it all.
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_THAT(take(0), ElementsAre("[1, @5, 2, @6]"));
  EXPECT_THAT(take(1), ElementsAre("watermark 6"));
  emit({"3", "@7"});
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_THAT(take(0), ElementsAre("watermark 7"));
  EXPECT_THAT(take(1), ElementsAre("[3, @7]"));
}

TEST_F(OutputGateTest, broadcast_sends_everything_to_all) {
  open({.kind = RoutingKind::kAll}, 2);
  emit({"1", "@5", "2"});
  EXPECT_THAT(take(0), ElementsAre("[1, @5, 2]"));
  EXPECT_THAT(take(1), ElementsAre("[1, @5, 2]"));
}

// Whatever the batches and limits: each channel gets its rows in order and every mark at its place,
// as found by going through the rows one by one.
TEST_F(OutputGateTest, hash_keeps_every_mark_at_its_place_among_the_rows_of_each_channel) {
  constexpr int kChannels = 3;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    open({.kind = RoutingKind::kHash, .keys = {0}}, kChannels, random.uniform_between(1, 9));
    std::vector<std::vector<std::string>> expected(kChannels);
    std::vector<std::vector<std::string>> got(kChannels);
    std::int64_t watermark = 0;
    const auto collect = [&] {
      for (int c = 0; c < kChannels; ++c) {
        StreamElement element;
        while (channels_[static_cast<std::size_t>(c)]->try_pop(element)) {
          auto& lines = got[static_cast<std::size_t>(c)];
          if (const auto* batch = as_batch(element)) {
            for (std::string& line : lines_of(*batch)) lines.push_back(std::move(line));
          } else {
            lines.push_back("@" + std::to_string(as_signal<WatermarkSignal>(element)->watermark));
          }
        }
      }
    };
    for (int round = 0; round < 20; ++round) {
      std::vector<std::string> lines;
      for (std::int64_t i = random.uniform_between(0, 30); i > 0; --i) {
        if (random.uniform(3) == 0) {
          lines.push_back("@" + std::to_string(++watermark));
          for (auto& of_channel : expected) {
            // Marks with no row between them: the last one stays.
            if (!of_channel.empty() && of_channel.back()[0] == '@') of_channel.pop_back();
            of_channel.push_back(lines.back());
          }
        } else {
          const std::int64_t key = random.uniform_between(0, 1000);
          lines.push_back(std::to_string(key));
          const Batch row = batch_of(kSchema, {lines.back()});
          std::uint64_t hash = 0;
          hash_rows(row.columns(), 1, &hash);
          const int channel = subtask_of_key_group(key_group_of(hash, kDefaultMaxParallelism),
                                                   kDefaultMaxParallelism, kChannels);
          expected[static_cast<std::size_t>(channel)].push_back(lines.back());
        }
      }
      emit({lines.begin(), lines.end()});
      if (random.uniform(2) == 0) {
        ASSERT_TRUE(gate_->end_step().is_ok());
      }
      if (random.uniform(2) == 0) collect();
    }
    for (int i = 0; i < 100 && !gate_->is_drained(); ++i) {
      collect();
      gate_->make_room();
      ASSERT_TRUE(gate_->end_step().is_ok());
    }
    collect();
    // Across batches a mark may be followed by another at the same place.
    for (auto& of_channel : got) {
      for (std::size_t i = 1; i < of_channel.size();) {
        const bool repeats = of_channel[i][0] == '@' && of_channel[i - 1][0] == '@';
        if (repeats) {
          of_channel.erase(of_channel.begin() + static_cast<std::ptrdiff_t>(i) - 1);
        } else {
          ++i;
        }
      }
    }
    EXPECT_EQ(got, expected) << "seed " << seed;
  }
}

TEST_F(OutputGateTest, row_kinds_travel_with_their_rows) {
  open({.kind = RoutingKind::kHash, .keys = {0}}, 2);
  emit({"1", "-D 1"});
  ASSERT_TRUE(gate_->end_step().is_ok());
  std::vector<std::string> all = take(0);
  for (const std::string& line : take(1)) all.push_back(line);
  EXPECT_THAT(all, ElementsAre("[1, -D 1]"));
}

TEST_F(OutputGateTest, without_room_a_backlog_waits_and_the_task_is_told) {
  open({}, 1, 1, 3 * LocalChannel::kElementBytesMin);
  EXPECT_TRUE(gate_->make_room());
  for (int i = 0; i < 6; ++i) emit({std::to_string(i)});
  EXPECT_FALSE(gate_->make_room());
  EXPECT_FALSE(gate_->is_drained());
  EXPECT_TRUE(gate_->prepare_to_wait());
  EXPECT_THAT(take(0), ElementsAre("[0]", "[1]", "[2]"));
  EXPECT_FALSE(gate_->prepare_to_wait());  // There is room now: step again.
  EXPECT_FALSE(gate_->make_room());        // The backlog filled it again.
  EXPECT_THAT(take(0), ElementsAre("[3]", "[4]", "[5]"));
  EXPECT_TRUE(gate_->make_room());
  EXPECT_TRUE(gate_->is_drained());
}

TEST_F(OutputGateTest, a_barrier_that_may_overtake_is_announced_when_it_has_left_the_backlog) {
  open({}, 1, 1, 2 * LocalChannel::kElementBytesMin);
  for (int i = 0; i < 4; ++i) emit({std::to_string(i)});
  ASSERT_TRUE(gate_->send_overtaking({7, 0, CheckpointKind::kCheckpoint}).is_ok());
  emit({"4"});
  EXPECT_TRUE(gate_->has_waiting_barrier());
  EXPECT_EQ(channels_[0]->take_announcement(), std::nullopt);
  EXPECT_THAT(take(0), ElementsAre("[0]", "[1]"));
  EXPECT_FALSE(gate_->make_room());
  EXPECT_FALSE(gate_->has_waiting_barrier());
  const auto announced = channels_[0]->take_announcement();
  ASSERT_TRUE(announced.has_value());
  EXPECT_EQ(announced->barrier.checkpoint_id, 7);
  EXPECT_EQ(announced->position, 4);  // Behind four elements, though 4 is in the ring or will be.
  EXPECT_THAT(gate_->take_overtaken(), IsEmpty());
}

TEST_F(OutputGateTest, a_barrier_that_overtakes_leaves_what_it_overtook_to_be_kept_and_sent) {
  open({.kind = RoutingKind::kAll}, 2, 1, 2 * LocalChannel::kElementBytesMin);
  for (int i = 0; i < 4; ++i) emit({std::to_string(i)});
  EXPECT_THAT(take(1), ElementsAre("[0]", "[1]"));
  gate_->make_room();
  ASSERT_TRUE(gate_->send_overtaking({7, 0, CheckpointKind::kCheckpoint}).is_ok());
  // Channel 1 has no backlog: it was announced at once.
  EXPECT_EQ(channels_[1]->take_announcement()->position, 4);
  gate_->overtake();
  EXPECT_EQ(channels_[0]->take_announcement()->position, 2);
  emit({"4"});
  const std::vector<OutputGate::Overtaken> overtaken = gate_->take_overtaken();
  ASSERT_EQ(overtaken.size(), 1);
  EXPECT_EQ(overtaken[0].channel, 0);
  std::vector<std::string> kept;
  for (const StreamElement& element : overtaken[0].elements) {
    for (const std::string& line : lines_of(*as_batch(element))) kept.push_back(line);
  }
  EXPECT_THAT(kept, ElementsAre("2", "3"));
  EXPECT_THAT(take(0), ElementsAre("[0]", "[1]"));
  gate_->make_room();
  EXPECT_THAT(take(0), ElementsAre("[2]", "[3]"));
}

TEST_F(OutputGateTest, a_barrier_that_was_overtaken_is_not_kept) {
  open({}, 1, 1, 2 * LocalChannel::kElementBytesMin);
  for (int i = 0; i < 2; ++i) emit({std::to_string(i)});
  ASSERT_TRUE(gate_->send(BarrierSignal{6, 0, CheckpointKind::kSavepoint}).is_ok());
  emit({"2"});
  ASSERT_TRUE(gate_->send_overtaking({7, 0, CheckpointKind::kCheckpoint}).is_ok());
  gate_->overtake();
  const std::vector<OutputGate::Overtaken> overtaken = gate_->take_overtaken();
  ASSERT_EQ(overtaken.size(), 1);
  ASSERT_EQ(overtaken[0].elements.size(), 1);
  EXPECT_THAT(lines_of(*as_batch(overtaken[0].elements[0])), ElementsAre("2"));
}

TEST_F(OutputGateTest, an_open_batch_goes_before_a_barrier_that_may_overtake) {
  open({}, 1);
  occupy(0);
  emit({"1"});
  ASSERT_TRUE(gate_->send_overtaking({7, 0, CheckpointKind::kCheckpoint}).is_ok());
  EXPECT_EQ(channels_[0]->take_announcement()->position, 2);
  EXPECT_THAT(take(0), ElementsAre("active", "[1]"));
}

TEST_F(OutputGateTest, a_task_with_an_open_batch_waits_for_its_consumer_to_run_dry) {
  open({}, 1);
  EXPECT_TRUE(gate_->prepare_to_wait());  // Nothing is open.
  occupy(0);
  emit({"1"});
  EXPECT_TRUE(gate_->prepare_to_wait());
  take(0);
  EXPECT_FALSE(gate_->prepare_to_wait());
}

TEST_F(OutputGateTest, large_batches_are_handed_over_without_a_copy) {
  open({}, 1);
  occupy(0);
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) lines.push_back(std::to_string(i));
  const Batch batch = batch_of(schema_of(kSchema), {lines.begin(), lines.end()});
  emit({"7"});
  ASSERT_TRUE(gate_->emit(batch).is_ok());
  StreamElement element;
  ASSERT_TRUE(channels_[0]->try_pop(element));
  ASSERT_TRUE(channels_[0]->try_pop(element));  // What was open goes first.
  EXPECT_EQ(as_batch(element)->rows(), 1);
  ASSERT_TRUE(channels_[0]->try_pop(element));
  EXPECT_EQ(as_batch(element)->column(0).values<std::int64_t>(),
            batch.column(0).values<std::int64_t>());
}

TEST_F(OutputGateTest, batches_above_bytes_max_are_cut_and_larger_rows_refused) {
  open({}, 1, 4096, 1 << 20, 64);
  std::vector<std::string> lines;
  for (int i = 0; i < 20; ++i) lines.push_back(std::to_string(i));
  emit({lines.begin(), lines.end()});
  std::vector<std::string> got;
  StreamElement element;
  while (channels_[0]->try_pop(element)) {
    EXPECT_LE(as_batch(element)->own_bytes(), 64);
    for (std::string& line : lines_of(*as_batch(element))) got.push_back(std::move(line));
  }
  EXPECT_EQ(got, lines);

  OutputGateOptions options;
  options.schema = schema_of("s STRING");
  options.bytes_max = 100;
  options.pool = &test_pool();
  OutputGate gate(std::move(options), {std::make_shared<LocalChannel>(1 << 20)});
  const std::string text(200, 'x');
  const Status refused = gate.emit(batch_of("s STRING", {text}));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("clepsydra.batch.bytes-max"));
}

TEST_F(OutputGateTest, an_empty_batch_sends_nothing) {
  open({}, 1);
  emit({});
  ASSERT_TRUE(gate_->end_step().is_ok());
  EXPECT_THAT(take(0), IsEmpty());
}

}  // namespace
}  // namespace clepsydra
