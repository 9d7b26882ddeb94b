#include "checkpoint/checkpoint_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace clepsydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<CheckpointOptions> read(StringMap values) {
  return read_checkpoint_options(Configuration(std::move(values)));
}

std::string error_of(const std::string& key, const std::string& value) {
  const auto options = read({{"execution.checkpointing." + key, value}});
  if (options.is_ok()) return "ok";
  EXPECT_EQ(options.status().code(), StatusCode::kInvalidArgument);
  return std::string(options.status().message());
}

TEST(CheckpointOptionsTest, defaults_are_the_references) {
  const auto options = read({});
  ASSERT_TRUE(options.is_ok()) << options.status().to_string();
  EXPECT_FALSE(options->is_enabled());
  EXPECT_EQ(options->timeout_ms, 600'000);
  EXPECT_EQ(options->min_pause_ms, 0);
  EXPECT_EQ(options->max_concurrent, 1);
  EXPECT_EQ(options->tolerable_failures, 0);
  EXPECT_EQ(options->mode, CheckpointingMode::kExactlyOnce);
  EXPECT_EQ(options->retention, CheckpointRetention::kNone);
  EXPECT_EQ(options->num_retained, 1);
  EXPECT_TRUE(options->is_incremental);
  EXPECT_TRUE(options->after_tasks_finish);
  EXPECT_EQ(options->inline_bytes_max, 20'480);
  EXPECT_EQ(options->dir, "");
  EXPECT_EQ(options->savepoint_dir, "");
}

TEST(CheckpointOptionsTest, every_key_is_read) {
  const auto options =
      read({{"execution.checkpointing.interval", "1 min"},
            {"execution.checkpointing.timeout", "30 s"},
            {"execution.checkpointing.min-pause", "500 ms"},
            {"execution.checkpointing.max-concurrent-checkpoints", "2"},
            {"execution.checkpointing.tolerable-failed-checkpoints", "3"},
            {"execution.checkpointing.mode", "at-least-once"},
            {"execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"},
            {"execution.checkpointing.num-retained", "5"},
            {"execution.checkpointing.incremental", "false"},
            {"execution.checkpointing.checkpoints-after-tasks-finish", "false"},
            {"execution.checkpointing.data-inline-threshold", "1 kb"},
            {"execution.checkpointing.storage", "filesystem"},
            {"execution.checkpointing.dir", "file:///check%20points"},
            {"execution.checkpointing.savepoint-dir", "/savepoints"}});
  ASSERT_TRUE(options.is_ok()) << options.status().to_string();
  EXPECT_TRUE(options->is_enabled());
  EXPECT_EQ(options->interval_ms, 60'000);
  EXPECT_EQ(options->timeout_ms, 30'000);
  EXPECT_EQ(options->min_pause_ms, 500);
  EXPECT_EQ(options->max_concurrent, 2);
  EXPECT_EQ(options->tolerable_failures, 3);
  EXPECT_EQ(options->mode, CheckpointingMode::kAtLeastOnce);
  EXPECT_EQ(options->retention, CheckpointRetention::kRetainOnCancel);
  EXPECT_EQ(options->num_retained, 5);
  EXPECT_FALSE(options->is_incremental);
  EXPECT_FALSE(options->after_tasks_finish);
  EXPECT_EQ(options->inline_bytes_max, 1024);
  EXPECT_EQ(options->dir, "/check points");
  EXPECT_EQ(options->savepoint_dir, "/savepoints");
}

TEST(CheckpointOptionsTest, local_copies_are_read_where_they_are_written_unless_it_is_said) {
  EXPECT_FALSE(read({})->has_local_copies);
  EXPECT_FALSE(read({})->reads_local_copies);
  const auto both = read({{"execution.checkpointing.local-backup.enabled", "true"},
                          {"execution.checkpointing.local-backup.dirs", "file:///fast%20disk"}});
  ASSERT_TRUE(both.is_ok()) << both.status().to_string();
  EXPECT_TRUE(both->has_local_copies);
  EXPECT_TRUE(both->reads_local_copies);
  EXPECT_EQ(both->local_copies_dir, "/fast disk");
  const auto written = read({{"execution.checkpointing.local-backup.enabled", "true"},
                             {"execution.state-recovery.from-local", "false"}});
  EXPECT_TRUE(written->has_local_copies);
  EXPECT_FALSE(written->reads_local_copies);
  const auto only_read = read({{"execution.state-recovery.from-local", "true"}});
  EXPECT_FALSE(only_read->has_local_copies);
  EXPECT_TRUE(only_read->reads_local_copies);
  EXPECT_THAT(error_of("local-backup.dirs", "s3://bucket/a"),
              HasSubstr("expected a folder of this machine"));
  EXPECT_THAT(error_of("local-backup.dirs", ""), HasSubstr("local-backup.dirs"));
  const auto several = read({{"execution.checkpointing.local-backup.dirs", "/a;/b"}});
  EXPECT_EQ(several.status().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(several.status().message()), HasSubstr("local-backup.dirs"));
}

TEST(CheckpointOptionsTest, what_the_reference_only_has_is_refused_when_it_is_asked_for) {
  const auto error = [](const std::string& key, const std::string& value) {
    const auto options = read({{key, value}});
    if (options.is_ok()) return std::string("ok");
    EXPECT_EQ(options.status().code(), StatusCode::kUnimplemented);
    return std::string(options.status().message());
  };
  EXPECT_THAT(error("execution.checkpointing.snapshot-compression", "true"),
              AllOf(HasSubstr("execution.checkpointing.snapshot-compression"),
                    HasSubstr("not built yet; remove it")));
  EXPECT_EQ(error("execution.checkpointing.snapshot-compression", "FALSE"), "ok");
  EXPECT_THAT(error("execution.checkpointing.interval-during-backlog", "1 s"),
              HasSubstr("interval-during-backlog"));
  EXPECT_THAT(error("execution.checkpointing.create-subdir", "false"), HasSubstr("create-subdir"));
  EXPECT_THAT(error("state.changelog.enabled", "true"), HasSubstr("state.changelog.enabled"));
}

TEST(CheckpointOptionsTest, absurd_values_are_refused_by_key_value_and_bounds) {
  EXPECT_THAT(error_of("interval", "9 ms"),
              AllOf(HasSubstr("execution.checkpointing.interval"), HasSubstr("9 ms"),
                    HasSubstr("from 10 ms to 365 d")));
  EXPECT_THAT(error_of("interval", "0"), HasSubstr("from 10 ms"));
  EXPECT_THAT(error_of("interval", "-5 s"), HasSubstr("interval"));
  EXPECT_THAT(error_of("interval", "366 d"), HasSubstr("to 365 d"));
  EXPECT_THAT(error_of("interval", "often"), HasSubstr("a duration such as"));
  EXPECT_THAT(error_of("timeout", "0 ms"), HasSubstr("from 10 ms"));
  EXPECT_THAT(error_of("timeout", "-1 s"), HasSubstr("timeout"));
  EXPECT_THAT(error_of("min-pause", "-1 ms"), HasSubstr("min-pause"));
  EXPECT_THAT(error_of("max-concurrent-checkpoints", "0"), HasSubstr("expected from 1 to 100"));
  EXPECT_THAT(error_of("max-concurrent-checkpoints", "101"), HasSubstr("is 101"));
  EXPECT_THAT(error_of("tolerable-failed-checkpoints", "-1"), HasSubstr("expected from 0"));
  EXPECT_THAT(error_of("num-retained", "0"), HasSubstr("expected from 1 to 10000"));
  EXPECT_THAT(error_of("num-retained", "-3"), HasSubstr("is -3"));
  EXPECT_THAT(error_of("data-inline-threshold", "2 mb"), HasSubstr("to 1 mb"));
  EXPECT_THAT(error_of("incremental", "yes please"), HasSubstr("true or false"));
}

TEST(CheckpointOptionsTest, unknown_names_list_the_known_ones) {
  EXPECT_THAT(error_of("mode", "exactly-twice"),
              AllOf(HasSubstr("exactly-twice"), HasSubstr("EXACTLY_ONCE AT_LEAST_ONCE")));
  EXPECT_THAT(error_of("externalized-checkpoint-retention", "keep"),
              HasSubstr("NO_EXTERNALIZED_CHECKPOINTS DELETE_ON_CANCELLATION "
                        "RETAIN_ON_CANCELLATION"));
  EXPECT_THAT(error_of("storage", "tape"), HasSubstr("jobmanager filesystem"));
}

TEST(CheckpointOptionsTest, folders_must_be_paths_and_agree_with_the_storage) {
  EXPECT_THAT(error_of("dir", ""), HasSubstr("execution.checkpointing.dir"));
  EXPECT_THAT(error_of("dir", "gopher://host/a"), HasSubstr("scheme"));
  EXPECT_THAT(error_of("storage", "filesystem"), HasSubstr("set 'execution.checkpointing.dir'"));
  const auto both = read({{"execution.checkpointing.storage", "jobmanager"},
                          {"execution.checkpointing.dir", "/checkpoints"}});
  EXPECT_EQ(both.status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(read({{"execution.checkpointing.storage", "jobmanager"}}).is_ok());
}

TEST(CheckpointOptionsTest, unaligned_checkpoints_are_alone_and_exactly_once) {
  const auto plain = read({{"execution.checkpointing.unaligned.enabled", "true"},
                           {"execution.checkpointing.aligned-checkpoint-timeout", "3 s"}});
  ASSERT_TRUE(plain.is_ok());
  EXPECT_TRUE(plain->is_unaligned);
  EXPECT_EQ(plain->aligned_timeout_ms, 3000);
  EXPECT_THAT(plain->overruled, IsEmpty());

  const auto several = read({{"execution.checkpointing.unaligned.enabled", "true"},
                             {"execution.checkpointing.max-concurrent-checkpoints", "4"}});
  ASSERT_TRUE(several.is_ok());
  EXPECT_EQ(several->max_concurrent, 1);
  EXPECT_THAT(several->overruled, ElementsAre(HasSubstr("max-concurrent-checkpoints")));

  const auto at_least_once = read({{"execution.checkpointing.unaligned.enabled", "true"},
                                   {"execution.checkpointing.mode", "AT_LEAST_ONCE"},
                                   {"execution.checkpointing.max-concurrent-checkpoints", "4"}});
  ASSERT_TRUE(at_least_once.is_ok());
  EXPECT_FALSE(at_least_once->is_unaligned);
  EXPECT_EQ(at_least_once->max_concurrent, 4);
  EXPECT_THAT(at_least_once->overruled, ElementsAre(HasSubstr("unaligned.enabled")));
}

TEST(CheckpointOptionsTest, absurd_values_are_refused_by_name) {
  EXPECT_THAT(error_of("aligned-checkpoint-timeout", "-1 s"), HasSubstr("aligned-checkpoint"));
  EXPECT_THAT(error_of("aligned-checkpoint-timeout", "1000000 d"), HasSubstr("aligned-checkpoint"));
  EXPECT_THAT(error_of("unaligned.enabled", "perhaps"), HasSubstr("unaligned.enabled"));
}

TEST(RecoveryOptionsTest, are_read) {
  const auto none = read_recovery_options(Configuration());
  ASSERT_TRUE(none.is_ok());
  EXPECT_EQ(none->path, "");
  EXPECT_EQ(none->claim_mode, RecoveryClaimMode::kNoClaim);
  EXPECT_FALSE(none->ignore_unclaimed_state);
  const auto all = read_recovery_options(
      Configuration({{"execution.state-recovery.path", "file:///a/chk-7"},
                     {"execution.state-recovery.claim-mode", "CLAIM"},
                     {"execution.state-recovery.ignore-unclaimed-state", "true"}}));
  ASSERT_TRUE(all.is_ok());
  EXPECT_EQ(all->path, "/a/chk-7");
  EXPECT_EQ(all->claim_mode, RecoveryClaimMode::kClaim);
  EXPECT_TRUE(all->ignore_unclaimed_state);
}

TEST(RecoveryOptionsTest, unknown_claim_modes_list_the_known_ones) {
  const auto legacy = read_recovery_options(
      Configuration(StringMap{{"execution.state-recovery.claim-mode", "LEGACY"}}));
  EXPECT_EQ(legacy.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(legacy.status().message()), HasSubstr("NO_CLAIM CLAIM"));
}

}  // namespace
}  // namespace clepsydra
