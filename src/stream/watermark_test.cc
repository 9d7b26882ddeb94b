#include "stream/watermark.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/random.h"

namespace clepsydra {
namespace {

TEST(WatermarkMergerTest, slowest_active_input_decides) {
  WatermarkMerger merger(3);
  EXPECT_FALSE(merger.advance(0, 10));
  EXPECT_FALSE(merger.advance(1, 20));
  EXPECT_EQ(merger.slowest_input(), 2);
  EXPECT_TRUE(merger.advance(2, 5));
  EXPECT_EQ(merger.watermark(), 5);
  EXPECT_FALSE(merger.advance(0, 30));
  EXPECT_TRUE(merger.advance(2, 25));
  EXPECT_EQ(merger.watermark(), 20);
  EXPECT_EQ(merger.slowest_input(), 1);
}

TEST(WatermarkMergerTest, watermark_of_an_input_never_goes_back) {
  WatermarkMerger merger(1);
  EXPECT_TRUE(merger.advance(0, 10));
  EXPECT_FALSE(merger.advance(0, 5));
  EXPECT_EQ(merger.watermark(), 10);
}

TEST(WatermarkMergerTest, idle_input_does_not_hold_time_back) {
  WatermarkMerger merger(2);
  merger.advance(0, 10);
  EXPECT_TRUE(merger.set_idle(1, true));
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_FALSE(merger.idle());
}

TEST(WatermarkMergerTest, input_that_wakes_up_behind_holds_time_but_does_not_turn_it_back) {
  WatermarkMerger merger(2);
  merger.set_idle(1, true);
  merger.advance(0, 10);
  EXPECT_FALSE(merger.advance(1, 4));  // Active again by speaking.
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_FALSE(merger.advance(0, 20));
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_TRUE(merger.advance(1, 15));
  EXPECT_EQ(merger.watermark(), 15);
}

TEST(WatermarkMergerTest, output_is_idle_when_none_is_active_and_keeps_its_watermark) {
  WatermarkMerger merger(2);
  merger.advance(0, 10);
  merger.advance(1, 20);
  EXPECT_FALSE(merger.set_idle(1, true));
  EXPECT_TRUE(merger.set_idle(0, true));
  EXPECT_TRUE(merger.idle());
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_EQ(merger.slowest_input(), -1);
  EXPECT_TRUE(merger.set_idle(1, false));
  EXPECT_FALSE(merger.idle());
  EXPECT_EQ(merger.watermark(), 20);
}

TEST(WatermarkMergerTest, finished_input_next_to_an_idle_one_leaves_the_output_idle) {
  WatermarkMerger merger(2);
  merger.advance(0, 10);
  merger.set_idle(1, true);
  EXPECT_TRUE(merger.finish(0));
  EXPECT_TRUE(merger.idle());
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_FALSE(merger.all_finished());
  EXPECT_TRUE(merger.finish(1));
  EXPECT_TRUE(merger.all_finished());
  EXPECT_FALSE(merger.idle());
  EXPECT_EQ(merger.watermark(), kMaxWatermark);
}

TEST(WatermarkMergerTest, last_watermark_before_the_end_does_not_end_time_for_an_idle_input) {
  WatermarkMerger merger(2);
  merger.set_idle(1, true);
  merger.advance(0, 10);
  merger.advance(0, kMaxWatermark);
  EXPECT_EQ(merger.watermark(), 10);
  EXPECT_TRUE(merger.idle());
  merger.advance(1, 12);
  EXPECT_EQ(merger.watermark(), 12);
  merger.advance(1, kMaxWatermark);
  EXPECT_EQ(merger.watermark(), kMaxWatermark);
}

TEST(WatermarkMergerTest, calls_after_the_end_change_nothing) {
  WatermarkMerger merger(2);
  merger.finish(0);
  EXPECT_FALSE(merger.advance(0, 99));
  EXPECT_FALSE(merger.set_idle(0, true));
  EXPECT_FALSE(merger.finish(0));
  EXPECT_EQ(merger.watermark(), kMinWatermark);
}

// Against the rules written down directly: never backwards, never past an active input unless it
// was there before, the end of time only when all have finished.
TEST(WatermarkMergerTest, random_calls_keep_the_rules) {
  Random random(8);
  for (int round = 0; round < 200; ++round) {
    const int inputs = 1 + static_cast<int>(random.uniform(4));
    WatermarkMerger merger(inputs);
    struct Model {
      std::int64_t watermark = kMinWatermark;
      bool idle = false;
      bool finished = false;
    };
    std::vector<Model> models(static_cast<std::size_t>(inputs));
    std::int64_t expected = kMinWatermark;
    for (int step = 0; step < 60; ++step) {
      const int input = static_cast<int>(random.uniform(static_cast<std::uint64_t>(inputs)));
      Model& model = models[static_cast<std::size_t>(input)];
      const std::int64_t before = merger.watermark();
      const bool was_idle = merger.idle();
      bool changed = false;
      const auto action = random.uniform(10);
      if (action == 0) {
        changed = merger.finish(input);
        model.finished = true;
      } else if (action < 4) {
        const bool idle = random.uniform(2) == 0;
        changed = merger.set_idle(input, idle);
        if (!model.finished) model.idle = idle;
      } else {
        const std::int64_t watermark = random.uniform_between(0, 100);
        changed = merger.advance(input, watermark);
        if (!model.finished) model = {std::max(model.watermark, watermark), false, false};
      }
      std::optional<std::int64_t> smallest;
      bool any_idle = false;
      bool all_finished = true;
      for (const Model& other : models) {
        all_finished = all_finished && other.finished;
        if (other.finished) continue;
        any_idle = any_idle || other.idle;
        if (!other.idle) smallest = std::min(smallest.value_or(kMaxWatermark), other.watermark);
      }
      if (smallest) expected = std::max(expected, *smallest);
      if (all_finished) expected = kMaxWatermark;
      EXPECT_EQ(merger.watermark(), expected);
      EXPECT_EQ(merger.idle(), !smallest && any_idle);
      EXPECT_EQ(merger.all_finished(), all_finished);
      EXPECT_EQ(changed, before != merger.watermark() || was_idle != merger.idle());
    }
  }
}

}  // namespace
}  // namespace clepsydra
