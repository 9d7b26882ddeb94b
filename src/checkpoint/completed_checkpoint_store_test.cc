#include "checkpoint/completed_checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

CompletedCheckpoint checkpoint(CheckpointId id, const std::vector<std::string>& paths) {
  OperatorSnapshot op;
  for (const std::string& path : paths) op.files.push_back({path, "", 1, 0});
  CompletedCheckpoint completed;
  completed.metadata.id = id;
  completed.metadata.vertices.resize(1);
  completed.metadata.vertices[0].subtasks.push_back({false, {std::move(op)}});
  completed.folder = "/job";
  completed.metadata_folder = "/job/chk-" + std::to_string(id);
  return completed;
}

TEST(CompletedCheckpointStoreTest, keeps_the_newest_and_files_that_they_share) {
  CompletedCheckpointStore store(1);
  EXPECT_EQ(store.latest(), nullptr);
  EXPECT_TRUE(store.add(checkpoint(1, {"shared/1-base"})).is_empty());
  // 2 builds upon the base of 1: the base stays.
  EXPECT_EQ(store.add(checkpoint(2, {"shared/1-base", "shared/2-delta"})),
            (CheckpointRemoval{{"/job/chk-1"}, {}}));
  // 3 is a base again.
  EXPECT_EQ(store.add(checkpoint(3, {"shared/3-base", "chk-3/own"})),
            (CheckpointRemoval{{"/job/chk-2"}, {"/job/shared/1-base", "/job/shared/2-delta"}}));
  EXPECT_EQ(store.latest()->metadata.id, 3);
  EXPECT_THAT(store.used_files(), ElementsAre("/job/chk-3/own", "/job/shared/3-base"));
  EXPECT_THAT(store.metadata_folders(), ElementsAre("/job/chk-3"));
}

TEST(CompletedCheckpointStoreTest, retains_as_many_as_asked) {
  CompletedCheckpointStore store(3);
  for (CheckpointId id = 1; id <= 3; ++id) {
    EXPECT_TRUE(store.add(checkpoint(id, {"shared/base"})).is_empty());
  }
  EXPECT_EQ(store.add(checkpoint(4, {"shared/base"})), (CheckpointRemoval{{"/job/chk-1"}, {}}));
  EXPECT_EQ(store.size(), 3);
  EXPECT_EQ(store.find(1), nullptr);
  EXPECT_EQ(store.find(2)->metadata.id, 2);
}

TEST(CompletedCheckpointStoreTest, one_that_cannot_be_used_gives_way_to_the_one_before) {
  CompletedCheckpointStore store(2);
  store.add(checkpoint(1, {"shared/a"}));
  store.add(checkpoint(2, {"shared/a", "shared/b"}));
  store.drop(2);
  EXPECT_EQ(store.latest()->metadata.id, 1);
  EXPECT_THAT(store.used_files(), ElementsAre("/job/shared/a"));
  store.drop(7);  // Nobody knows it.
  EXPECT_EQ(store.size(), 1);
}

TEST(CompletedCheckpointStoreTest, what_was_restored_from_and_is_not_its_own_is_never_removed) {
  CompletedCheckpointStore store(1);
  CompletedCheckpoint foreign = checkpoint(9, {"shared/x"});
  foreign.folder = "/other";
  foreign.metadata_folder = "/other/chk-9";
  store.add_foreign(foreign);
  EXPECT_EQ(store.latest()->metadata.id, 9);
  EXPECT_TRUE(store.add(checkpoint(10, {"shared/y"})).is_empty());
  EXPECT_EQ(store.latest()->metadata.id, 10);
  EXPECT_EQ(store.size(), 1);
}

TEST(CompletedCheckpointStoreTest, all_of_them_are_released_but_not_foreign_ones) {
  CompletedCheckpointStore store(2);
  store.add_foreign(checkpoint(1, {"shared/x"}));
  EXPECT_TRUE(store.take_all().is_empty());
  store.add(checkpoint(2, {"shared/a"}));
  store.add(checkpoint(3, {"shared/a", "shared/b"}));
  const CheckpointRemoval removal = store.take_all();
  EXPECT_THAT(removal.metadata_folders, ElementsAre("/job/chk-2", "/job/chk-3"));
  EXPECT_THAT(removal.files, UnorderedElementsAre("/job/shared/a", "/job/shared/b"));
  EXPECT_EQ(store.latest(), nullptr);
  EXPECT_THAT(store.used_files(), IsEmpty());
}

// Several are under way: 2 and 3 were begun on top of 1, and 2 turns out to be a base.
TEST(CompletedCheckpointStoreTest, what_one_under_way_may_be_built_upon_stays_until_its_end) {
  CompletedCheckpointStore store(1);
  store.add(checkpoint(1, {"shared/1-base"}));
  store.begin(2);
  store.begin(3);
  store.begin(4);
  EXPECT_EQ(store.add(checkpoint(2, {"shared/2-base"})), (CheckpointRemoval{{"/job/chk-1"}, {}}));
  EXPECT_TRUE(store.end(2).is_empty());
  EXPECT_THAT(store.used_files(), ElementsAre("/job/shared/1-base", "/job/shared/2-base"));
  EXPECT_EQ(store.add(checkpoint(3, {"shared/1-base", "shared/3-delta"})),
            (CheckpointRemoval{{"/job/chk-2"}, {"/job/shared/2-base"}}));
  EXPECT_TRUE(store.end(3).is_empty());
  // 4 was aborted.
  EXPECT_TRUE(store.end(4).is_empty());
  EXPECT_TRUE(store.end(4).is_empty());
  store.begin(5);
  EXPECT_EQ(store.add(checkpoint(5, {"shared/5-base"})), (CheckpointRemoval{{"/job/chk-3"}, {}}));
  EXPECT_THAT(store.end(5).files,
              UnorderedElementsAre("/job/shared/1-base", "/job/shared/3-delta"));
  store.begin(6);
  EXPECT_THAT(store.take_all().files, ElementsAre("/job/shared/5-base"));
  EXPECT_TRUE(store.end(6).is_empty());
  EXPECT_THAT(store.used_files(), IsEmpty());
}

TEST(CompletedCheckpointStoreTest, checkpoints_in_memory_leave_nothing_to_remove) {
  CompletedCheckpointStore store(1);
  CompletedCheckpoint first = checkpoint(1, {});
  first.folder = first.metadata_folder = "";
  CompletedCheckpoint second = first;
  second.metadata.id = 2;
  store.add(first);
  EXPECT_TRUE(store.add(second).is_empty());
  EXPECT_EQ(store.latest()->metadata.id, 2);
}

}  // namespace
}  // namespace clepsydra
