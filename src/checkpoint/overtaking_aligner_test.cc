#include "checkpoint/overtaking_aligner.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/random.h"

namespace clepsydra {
namespace {

using Action = OvertakingAligner::Action;

TEST(OvertakingAlignerTest, aligns_as_long_as_nobody_asks_to_overtake) {
  OvertakingAligner aligner({true, true, true});
  EXPECT_EQ(aligner.on_announced(7), Action{});
  EXPECT_EQ(aligner.aligning(), 7);
  EXPECT_EQ(aligner.on_reached(0, 7), (Action{.hold = true}));
  EXPECT_EQ(aligner.on_reached(2, 7), (Action{.hold = true}));
  EXPECT_EQ(aligner.on_reached(1, 7), (Action{.release_all = true, .started = 7}));
  EXPECT_EQ(aligner.aligning(), 0);
}

TEST(OvertakingAlignerTest, overtakes_at_the_first_announcement_when_asked_to) {
  OvertakingAligner aligner({true, true});
  aligner.on_announced(1);
  EXPECT_EQ(aligner.overtake(), (Action{.started = 1}));
  // What the other channels say of it later changes nothing.
  EXPECT_EQ(aligner.on_announced(1), Action{});
  EXPECT_EQ(aligner.overtake(), Action{});
}

TEST(OvertakingAlignerTest, lets_held_channels_go_when_it_overtakes) {
  OvertakingAligner aligner({true, true});
  aligner.on_announced(1);
  aligner.on_reached(0, 1);
  EXPECT_EQ(aligner.overtake(), (Action{.release_all = true, .started = 1}));
}

TEST(OvertakingAlignerTest, waits_for_channels_that_cannot_be_overtaken) {
  OvertakingAligner aligner({true, false, false});
  aligner.on_announced(1);
  EXPECT_EQ(aligner.overtake(), Action{});
  EXPECT_EQ(aligner.on_reached(1, 1), (Action{.hold = true}));
  EXPECT_EQ(aligner.overtake(), Action{});
  EXPECT_EQ(aligner.on_end(2), Action{});
  EXPECT_EQ(aligner.overtake(), (Action{.release_all = true, .started = 1}));
}

TEST(OvertakingAlignerTest, ended_channels_have_given_every_barrier) {
  OvertakingAligner aligner({true, true});
  aligner.on_end(0);
  EXPECT_EQ(aligner.on_reached(1, 4), (Action{.release_all = true, .started = 4}));
  EXPECT_EQ(aligner.on_trigger(5), Action{});
  EXPECT_EQ(aligner.on_end(1), (Action{.started = 5}));
  EXPECT_EQ(aligner.on_trigger(6), (Action{.started = 6}));
}

TEST(OvertakingAlignerTest, a_newer_one_takes_the_place_of_an_older) {
  OvertakingAligner aligner({true, true});
  aligner.on_announced(1);
  aligner.on_reached(0, 1);
  EXPECT_EQ(aligner.on_announced(2), (Action{.given_up = 1, .release_all = true}));
  EXPECT_EQ(aligner.on_reached(1, 1), Action{});  // Too late.
  EXPECT_EQ(aligner.on_reached(0, 2), (Action{.hold = true}));
}

TEST(OvertakingAlignerTest, an_aborted_one_does_not_come_back) {
  OvertakingAligner aligner({true, true});
  aligner.on_announced(3);
  aligner.on_reached(0, 3);
  EXPECT_EQ(aligner.on_abort(3), (Action{.release_all = true}));
  EXPECT_EQ(aligner.on_announced(3), Action{});
  EXPECT_EQ(aligner.overtake(), Action{});
  // One that nobody has spoken of yet.
  EXPECT_EQ(aligner.on_abort(5), Action{});
  EXPECT_EQ(aligner.on_announced(4), Action{});
  EXPECT_EQ(aligner.on_announced(5), Action{});
  EXPECT_EQ(aligner.aligning(), 0);
  aligner.on_announced(6);
  EXPECT_EQ(aligner.aligning(), 6);
}

// Any order of events: a checkpoint starts at most once, never after its abort, and never before
// the channels that cannot be overtaken were reached.
TEST(OvertakingAlignerTest, random_events_keep_the_rules) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const int channels = static_cast<int>(random.uniform_between(1, 4));
    std::vector<bool> may_be_overtaken;
    for (int c = 0; c < channels; ++c) may_be_overtaken.push_back(random.uniform_double() < 0.6);
    OvertakingAligner aligner(may_be_overtaken);
    std::vector<bool> held(may_be_overtaken.size());
    std::vector<bool> ended(may_be_overtaken.size());
    std::vector<CheckpointId> reached(may_be_overtaken.size());
    std::set<CheckpointId> over;
    CheckpointId id = 1;
    const auto apply = [&](const Action& action, int channel) {
      if (action.given_up != 0) {
        EXPECT_TRUE(over.insert(action.given_up).second) << "seed " << seed;
      }
      if (action.release_all) held.assign(held.size(), false);
      if (action.started != 0) {
        EXPECT_TRUE(over.insert(action.started).second) << "seed " << seed;
        for (std::size_t c = 0; c < ended.size(); ++c) {
          if (may_be_overtaken[c] || ended[c]) continue;
          EXPECT_EQ(reached[c], action.started) << "seed " << seed;
        }
      }
      if (action.hold) held[static_cast<std::size_t>(channel)] = true;
    };
    for (int step = 0; step < 60; ++step) {
      const int channel = static_cast<int>(random.uniform_between(0, channels - 1));
      const auto c = static_cast<std::size_t>(channel);
      switch (random.uniform_between(0, 5)) {
        case 0:
          ++id;
          break;
        case 1:
          apply(aligner.on_announced(id), -1);
          break;
        case 2:
          if (held[c] || ended[c] || reached[c] == id) break;
          reached[c] = id;
          apply(aligner.on_reached(channel, id), channel);
          break;
        case 3:
          apply(aligner.overtake(), -1);
          break;
        case 4:
          apply(aligner.on_abort(id), -1);
          over.insert(id);
          break;
        default:
          if (held[c] || ended[c] || random.uniform_double() < 0.7) break;
          ended[c] = true;
          apply(aligner.on_end(channel), -1);
          break;
      }
    }
  }
}

}  // namespace
}  // namespace clepsydra
