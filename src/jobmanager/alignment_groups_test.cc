#include "jobmanager/alignment_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> text_of(const std::vector<AlignmentGroups::Limit>& limits) {
  std::vector<std::string> texts;
  for (const AlignmentGroups::Limit& limit : limits) {
    texts.push_back(std::to_string(limit.vertex) + "/" + std::to_string(limit.subtask) + " <= " +
                    (limit.watermark == kMaxWatermark ? "max" : std::to_string(limit.watermark)));
  }
  return texts;
}

TEST(AlignmentGroupsTest, nobody_may_go_on_before_all_have_reported) {
  AlignmentGroups groups;
  groups.add_source(0, 1, "g", 100);
  groups.add_source(1, 2, "g", 50);
  EXPECT_THAT(text_of(groups.report(0, 0, 1000)), IsEmpty());
  EXPECT_THAT(text_of(groups.report(1, 0, 5000)), IsEmpty());
  EXPECT_THAT(text_of(groups.report(1, 1, 2000)),
              ElementsAre("0/0 <= 1100", "1/0 <= 1050", "1/1 <= 1050"));
}

TEST(AlignmentGroupsTest, limits_follow_the_slowest_and_are_told_once) {
  AlignmentGroups groups;
  groups.add_source(0, 1, "g", 100);
  groups.add_source(1, 1, "g", 100);
  groups.report(0, 0, 1000);
  groups.report(1, 0, 2000);
  EXPECT_THAT(text_of(groups.report(1, 0, 3000)), IsEmpty());
  EXPECT_THAT(text_of(groups.report(0, 0, 1500)), ElementsAre("0/0 <= 1600", "1/0 <= 1600"));
}

TEST(AlignmentGroupsTest, who_is_idle_or_has_ended_holds_nobody_back) {
  AlignmentGroups groups;
  groups.add_source(0, 1, "g", 100);
  groups.add_source(1, 1, "g", 100);
  groups.report(0, 0, 1000);
  EXPECT_THAT(text_of(groups.report(1, 0, kMaxWatermark)),
              ElementsAre("0/0 <= 1100", "1/0 <= 1100"));
  EXPECT_THAT(text_of(groups.report(0, 0, kMaxWatermark)), ElementsAre("0/0 <= max", "1/0 <= max"));
}

TEST(AlignmentGroupsTest, groups_and_sources_without_one_do_not_meet) {
  AlignmentGroups groups;
  groups.add_source(0, 1, "a", 100);
  groups.add_source(1, 1, "b", 100);
  EXPECT_THAT(text_of(groups.report(0, 0, 1000)), ElementsAre("0/0 <= 1100"));
  EXPECT_THAT(text_of(groups.report(7, 0, 1000)), IsEmpty());
  EXPECT_THAT(text_of(groups.report(0, 3, 1000)), IsEmpty());
}

}  // namespace
}  // namespace clepsydra
