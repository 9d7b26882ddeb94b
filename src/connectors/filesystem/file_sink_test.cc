#include "connectors/filesystem/file_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "connectors/filesystem/file_committer.h"
#include "connectors/filesystem/partition_path.h"
#include "connectors/sink_conformance.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using testing::batch_of;
using testing::check_sink_conformance;
using testing::ConformingSink;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::schema_of;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Every file below `folder`, by path.
void walk(FileSystem& files, const std::string& folder,
          const std::function<void(const std::string& path, const std::string& name)>& visit) {
  const auto entries = files.list(folder);
  if (!entries.is_ok()) return;
  for (const FileInfo& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    if (entry.is_directory) {
      walk(files, path, visit);
    } else {
      visit(path, entry.name);
    }
  }
}

// Where the tables of all tests are.
std::string table_of(FileSystem& files) {
  return files.staging_area("s3://bucket") == nullptr ? "/out" : "s3://bucket/out";
}

// Lines of all files that a reader of the table would read, sorted; with the folders below the
// table's in front.
std::vector<std::string> visible_lines(FileSystem& files) {
  std::vector<std::string> lines;
  const std::size_t root = table_of(files).size() + 1;
  walk(files, table_of(files), [&](const std::string& path, const std::string& name) {
    if (name.starts_with('.') || name.starts_with('_')) return;
    const std::string folder = path.substr(root, path.size() - root - name.size());
    const std::string text = *read_file(files, path);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      lines.push_back(folder + text.substr(at, end - at));
      at = end + 1;
    }
  });
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> hidden_files(FileSystem& files) {
  std::vector<std::string> hidden;
  if (StagingArea* area = files.staging_area(table_of(files)); area != nullptr) {
    const auto staged = area->list_staged("s3://bucket");
    for (const StagedInfo& info : *staged) hidden.push_back(info.path);
  }
  walk(files, table_of(files), [&](const std::string& path, const std::string& name) {
    if (name.starts_with('.')) hidden.push_back(path);
  });
  return hidden;
}

std::unique_ptr<Sink> make_sink(const SchemaPtr& schema, TableOptions options,
                                const std::vector<std::string>& keys = {},
                                const std::optional<ReplacedRows>& replaced = std::nullopt) {
  options.try_emplace("path", "/out");
  options.try_emplace("format", "csv");
  auto spec = file_sink_spec(options, *schema, keys);
  EXPECT_TRUE(spec.is_ok()) << spec.status().to_string();
  if (replaced) set_replaced_rows(*replaced, *spec);
  return *make_file_sink(*spec);
}

TEST(FileSinkConformanceTest, plain_files) {
  const SchemaPtr schema = schema_of("id INT");
  check_sink_conformance({.name = "plain files",
                          .schema = schema,
                          .make = [schema] { return make_sink(schema, {}); },
                          .visible = visible_lines,
                          .leftovers = hidden_files,
                          .line = [](int i) { return std::to_string(i); },
                          .on_objects = false});
}

TEST(FileSinkConformanceTest, files_that_roll_with_every_row) {
  const SchemaPtr schema = schema_of("id INT");
  check_sink_conformance(
      {.name = "rolling files",
       .schema = schema,
       .make =
           [schema] {
             return make_sink(schema, {{"sink.rolling-policy.file-size", "1 b"}});
           },
       .visible = visible_lines,
       .leftovers = hidden_files,
       .line = [](int i) { return std::to_string(i); },
       .on_objects = false});
}

TEST(FileSinkConformanceTest, objects) {
  const SchemaPtr schema = schema_of("id INT");
  for (const char* bytes : {"128 mb", "1 b"}) {
    check_sink_conformance(
        {.name = std::string("objects of ") + bytes,
         .schema = schema,
         .make =
             [schema, bytes] {
               return make_sink(
                   schema, {{"path", "s3://bucket/out"}, {"sink.rolling-policy.file-size", bytes}});
             },
         .visible = visible_lines,
         .leftovers = hidden_files,
         .line = [](int i) { return std::to_string(i); },
         .on_objects = true});
  }
}

ConformingSink partitioned_sink(const std::string& path, bool on_objects) {
  const SchemaPtr schema = schema_of("p INT, id INT");
  return {.name = "partitions",
          .schema = schema,
          .make =
              [schema, path] {
                return make_sink(schema,
                                 {{"path", path},
                                  {"sink.partition-commit.policy.kind", "success-file"},
                                  {"sink.partition-commit.delay", "1 h"}},
                                 {"p"});
              },
          .visible =
              [](FileSystem& files) {
                std::vector<std::string> lines = visible_lines(files);
                // Back to the form of the input.
                for (std::string& line : lines) {
                  const std::size_t slash = line.find('/');
                  line = line.substr(2, slash - 2) + " | " + line.substr(slash + 1);
                }
                std::sort(lines.begin(), lines.end());
                return lines;
              },
          .leftovers =
              [](FileSystem& files) {
                std::vector<std::string> hidden = hidden_files(files);
                std::erase_if(hidden, [](const std::string& name) {
                  return name.ends_with(FileCommitter::kPendingName);
                });
                return hidden;
              },
          .line = [](int i) { return std::to_string(i % 3) + " | " + std::to_string(i); },
          .on_objects = on_objects};
}

TEST(FileSinkConformanceTest, partitions_with_success_files) {
  check_sink_conformance(partitioned_sink("/out", false));
}

TEST(FileSinkConformanceTest, partitions_of_objects) {
  check_sink_conformance(partitioned_sink("s3://bucket/out", true));
}

class FileSinkTest : public ::testing::Test {
 protected:
  FileSinkTest() { context_.job_id = "j"; }
  void open(TableOptions options, const std::vector<std::string>& keys = {},
            const std::optional<ReplacedRows>& replaced = std::nullopt) {
    sink_ = make_sink(schema_, std::move(options), keys, replaced);
    context_.pool = &testing::test_pool();
    context_.file_system = &files_;
    context_.clock = &clock_;
    auto writer = sink_->open_writer(context_);
    ASSERT_TRUE(writer.is_ok()) << writer.status().to_string();
    writer_ = *std::move(writer);
    committer_ = *sink_->make_committer(context_);
  }
  void write(const std::vector<std::string_view>& lines) {
    const Status status = writer_->write(batch_of(schema_, lines));
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  // A checkpoint to its end.
  void checkpoint() {
    const auto prepared = writer_->prepare_commit();
    ASSERT_TRUE(prepared.is_ok()) << prepared.status().to_string();
    const Status committed = committer_->commit(*prepared);
    ASSERT_TRUE(committed.is_ok()) << committed.to_string();
  }
  void pass_ms(std::int64_t ms) { clock_.advance_ns(ms * 1'000'000); }
  // Folders with a success file.
  std::vector<std::string> complete() {
    std::vector<std::string> folders;
    walk(files_, "/out", [&](const std::string& path, const std::string& name) {
      if (name == "_SUCCESS") folders.push_back(path.substr(5, path.size() - 14));
    });
    return folders;
  }
  std::string error(TableOptions options, const std::vector<std::string>& keys = {}) {
    options.try_emplace("path", "/out");
    options.try_emplace("format", "csv");
    const auto spec = file_sink_spec(options, *schema_, keys);
    return spec.is_ok() ? "" : std::string(spec.status().message());
  }
  std::int64_t file_count() {
    std::int64_t count = 0;
    walk(files_, "/out", [&](const std::string&, const std::string&) { ++count; });
    return count;
  }

  SimulatedClock clock_{1'700'000'000'000};
  MemoryFileSystem files_{clock_};
  SchemaPtr schema_ = schema_of("day STRING, hour INT, v INT");
  std::unique_ptr<Sink> sink_;
  SinkContext context_;
  std::unique_ptr<SinkWriter> writer_;
  std::unique_ptr<SinkCommitter> committer_;
};

TEST_F(FileSinkTest, names_of_an_earlier_attempt_are_never_used_again) {
  open({});
  write({"a | 1 | 1"});
  const auto first = writer_->prepare_commit();
  context_.attempt = 1;
  auto second_writer = *sink_->open_writer(context_);
  ASSERT_TRUE(second_writer->write(batch_of(schema_, {"a | 1 | 2"})).is_ok());
  const auto second = second_writer->prepare_commit();
  ASSERT_TRUE(committer_->commit(*first).is_ok());
  ASSERT_TRUE(committer_->commit(*second).is_ok());
  EXPECT_THAT(visible_lines(files_), ElementsAre("a,1,1", "a,1,2"));
}

TEST_F(FileSinkTest, a_file_ends_by_size) {
  open({{"sink.rolling-policy.file-size", "20 b"}});
  for (int i = 0; i < 10; ++i) write({"a | 1 | 1"});  // 6 bytes each.
  EXPECT_EQ(file_count(), 3);
  checkpoint();
  EXPECT_THAT(visible_lines(files_), SizeIs(10));
}

TEST_F(FileSinkTest, a_file_ends_by_age_and_by_rest) {
  open({{"sink.rolling-policy.rollover-interval", "10 s"},
        {"sink.rolling-policy.inactivity-interval", "5 s"},
        {"sink.rolling-policy.check-interval", "1 s"}});
  for (int second = 0; second < 25; ++second) {
    write({"a | 1 | 1"});
    pass_ms(1000);
  }
  EXPECT_EQ(file_count(), 3);  // From 0, 10 and 20 s on.
  pass_ms(6000);
  ASSERT_TRUE(writer_->flush().is_ok());
  write({"a | 1 | 1"});
  EXPECT_EQ(file_count(), 4);
  checkpoint();
  EXPECT_THAT(visible_lines(files_), SizeIs(26));
}

TEST_F(FileSinkTest, rows_go_to_the_folder_of_their_partition_without_its_keys) {
  open({}, {"day", "hour"});
  write({"2024-01-31 | 7 | 1", "2024-01-31 | 8 | 2", "NULL | NULL | 3", "'' | 7 | 4",
         "2024-01-31 | 7 | 5", "a/b=c%.. | 0 | 6", "'..' | 0 | 7"});
  checkpoint();
  EXPECT_THAT(visible_lines(files_),
              UnorderedElementsAre("day=2024-01-31/hour=7/1", "day=2024-01-31/hour=7/5",
                                   "day=2024-01-31/hour=8/2",
                                   "day=__DEFAULT_PARTITION__/hour=__DEFAULT_PARTITION__/3",
                                   "day=__DEFAULT_PARTITION__/hour=7/4",
                                   "day=a%2Fb%3Dc%25../hour=0/6", "day=%2E%2E/hour=0/7"));
  EXPECT_THAT(complete(), IsEmpty());  // Nobody asked for it.
}

TEST_F(FileSinkTest, the_name_of_the_default_partition_can_be_chosen) {
  open({{"partition.default-name", "none"}}, {"day"});
  write({"NULL | 1 | 1"});
  checkpoint();
  EXPECT_THAT(visible_lines(files_), ElementsAre("day=none/1,1"));
}

TEST_F(FileSinkTest, more_partitions_than_files_may_be_open) {
  schema_ = schema_of("day INT, v INT");
  open({}, {"day"});
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) lines.push_back(std::to_string(i) + " | 1");
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  write(views);
  write(views);
  checkpoint();
  EXPECT_THAT(visible_lines(files_), SizeIs(2000));
  EXPECT_THAT(hidden_files(files_), IsEmpty());
}

// ---- INSERT OVERWRITE ----

TEST_F(FileSinkTest, what_was_there_goes_when_the_job_has_ended_well) {
  open({});
  write({"a | 1 | 1"});
  checkpoint();
  context_.job_id = "k";
  open({}, {}, ReplacedRows{});
  write({"b | 2 | 2"});
  writer_->advance_watermark(1000);
  checkpoint();
  EXPECT_THAT(visible_lines(files_), ElementsAre("a,1,1", "b,2,2"));
  write({"c | 3 | 3"});
  writer_->advance_watermark(kMaxWatermark);
  const auto prepared = writer_->prepare_commit();
  EXPECT_THAT(visible_lines(files_), ElementsAre("a,1,1", "b,2,2"));
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(committer_->commit(*prepared).is_ok());
    EXPECT_THAT(visible_lines(files_), ElementsAre("b,2,2", "c,3,3"));
  }
}

TEST_F(FileSinkTest, a_job_that_fails_replaces_nothing) {
  open({});
  write({"a | 1 | 1"});
  checkpoint();
  context_.job_id = "k";
  open({}, {}, ReplacedRows{});
  write({"b | 2 | 2"});
  writer_->advance_watermark(kMaxWatermark);
  committer_->abort(*writer_->prepare_commit());
  EXPECT_THAT(visible_lines(files_), ElementsAre("a,1,1"));
  EXPECT_THAT(hidden_files(files_), IsEmpty());
}

TEST_F(FileSinkTest, partitions_that_get_rows_are_replaced_and_no_others) {
  const TableOptions options = {{"sink.partition-commit.policy.kind", "success-file"}};
  open(options, {"day"});
  write({"a | 1 | 1", "b | 1 | 1"});
  checkpoint();
  context_.job_id = "k";
  open(options, {"day"}, ReplacedRows{});
  write({"b | 2 | 2", "c | 2 | 2"});
  writer_->advance_watermark(kMaxWatermark);
  checkpoint();
  EXPECT_THAT(visible_lines(files_), ElementsAre("day=a/1,1", "day=b/2,2", "day=c/2,2"));
  EXPECT_THAT(complete(), ElementsAre("day=a", "day=b", "day=c"));
}

TEST_F(FileSinkTest, a_partition_that_is_named_is_replaced_also_by_nothing) {
  open({}, {"day", "hour"});
  write({"a | 1 | 1", "a | 2 | 1", "NULL | 1 | 1"});
  checkpoint();
  context_.job_id = "k";
  open({}, {"day", "hour"}, ReplacedRows{{{"day", "a"}, {"hour", "2"}}});
  writer_->advance_watermark(kMaxWatermark);
  checkpoint();
  EXPECT_THAT(visible_lines(files_),
              ElementsAre("day=__DEFAULT_PARTITION__/hour=1/1", "day=a/hour=1/1"));
}

TEST_F(FileSinkTest, a_partition_name_that_is_too_long_is_an_error) {
  open({}, {"day"});
  const std::string line = std::string(300, 'x') + " | 1 | 1";
  EXPECT_THAT(writer_->write(batch_of(schema_, {line})).message(),
              HasSubstr("column 'day' makes a partition's name of"));
}

TEST_F(FileSinkTest, a_partition_is_complete_with_its_first_checkpoint_or_after_a_delay) {
  open({{"sink.partition-commit.policy.kind", "success-file"}}, {"day"});
  write({"a | 1 | 1"});
  checkpoint();
  EXPECT_THAT(complete(), ElementsAre("day=a"));
  open({{"sink.partition-commit.policy.kind", "success-file"},
        {"sink.partition-commit.delay", "1 h"}},
       {"day"});
  write({"b | 1 | 1"});
  checkpoint();
  pass_ms(3'600'000);
  checkpoint();
  EXPECT_THAT(complete(), ElementsAre("day=a"));
  write({"c | 1 | 1"});
  pass_ms(1);
  checkpoint();
  EXPECT_THAT(complete(), ElementsAre("day=a", "day=b"));
  // At the end of the input everything is.
  writer_->advance_watermark(kMaxWatermark);
  checkpoint();
  EXPECT_THAT(complete(), ElementsAre("day=a", "day=b", "day=c"));
  EXPECT_THAT(hidden_files(files_), IsEmpty());
}

TEST_F(FileSinkTest, a_partition_is_complete_when_the_slowest_writer_has_passed_its_time) {
  const TableOptions options = {{"sink.partition-commit.policy.kind", "success-file"},
                                {"sink.partition-commit.trigger", "partition-time"},
                                {"sink.partition-commit.delay", "1 h"},
                                {"partition.time-extractor.timestamp-pattern", "$day $hour:00:00"}};
  open(options, {"day", "hour"});
  write({"2024-01-31 | 07 | 1", "2024-01-31 | 08 | 2"});
  context_.subtask = 1;
  const auto other = *sink_->open_writer(context_);
  constexpr std::int64_t kEight = 1'706'688'000'000;  // 2024-01-31 08:00 UTC.
  const auto checkpoint_both = [&](std::int64_t one, std::int64_t two) {
    writer_->advance_watermark(one);
    other->advance_watermark(two);
    auto prepared = *writer_->prepare_commit();
    const auto more = *other->prepare_commit();
    prepared.insert(prepared.end(), more.begin(), more.end());
    ASSERT_TRUE(committer_->commit(prepared).is_ok());
  };
  checkpoint_both(kEight + 1, kEight);
  EXPECT_THAT(complete(), IsEmpty());
  checkpoint_both(kEight + 1, kEight + 1);
  EXPECT_THAT(complete(), ElementsAre("day=2024-01-31/hour=7"));
  // The next process knows what is pending from what it finds.
  committer_ = *sink_->make_committer(context_);
  checkpoint_both(kEight + 3'600'000, kEight + 3'600'001);
  EXPECT_THAT(complete(), ElementsAre("day=2024-01-31/hour=7"));
  checkpoint_both(kEight + 3'600'001, kEight + 3'600'001);
  EXPECT_THAT(complete(), ElementsAre("day=2024-01-31/hour=7", "day=2024-01-31/hour=8"));
}

TEST_F(FileSinkTest, times_of_partitions_are_in_the_zone_asked_for) {
  open({{"sink.partition-commit.policy.kind", "success-file"},
        {"sink.partition-commit.trigger", "partition-time"},
        {"sink.partition-commit.watermark-time-zone", "Asia/Shanghai"}},
       {"day"});
  write({"2024-01-31 | 7 | 1"});
  writer_->advance_watermark(1'706'630'400'000);  // 2024-01-30 16:00 UTC: midnight there.
  checkpoint();
  EXPECT_THAT(complete(), IsEmpty());
  writer_->advance_watermark(1'706'630'400'001);
  checkpoint();
  EXPECT_THAT(complete(), ElementsAre("day=2024-01-31"));
}

TEST_F(FileSinkTest, a_partition_without_a_time_is_an_error_that_says_what_is_expected) {
  open({{"sink.partition-commit.policy.kind", "success-file"},
        {"sink.partition-commit.trigger", "partition-time"}},
       {"day"});
  write({"someday | 7 | 1"});
  const auto prepared = writer_->prepare_commit();
  EXPECT_THAT(committer_->commit(*prepared).message(),
              AllOf(HasSubstr("partition 'day=someday'"), HasSubstr("2024-01-31 07:00:00")));
}

TEST_F(FileSinkTest, a_file_that_somebody_took_does_not_stop_a_restore) {
  open({});
  write({"a | 1 | 1"});
  const auto prepared = writer_->prepare_commit();
  ASSERT_TRUE(committer_->commit(*prepared).is_ok());
  walk(files_, "/out", [&](const std::string& path, const std::string&) {
    ASSERT_TRUE(files_.remove(path).is_ok());
  });
  EXPECT_TRUE(committer_->commit_restored(*prepared).is_ok());
  EXPECT_EQ(committer_->commit(*prepared).code(), StatusCode::kDataLoss);
}

TEST_F(FileSinkTest, options_are_checked) {
  EXPECT_THAT(error({{"sink.rolling-policy.file-size", "0 b"}}), HasSubstr("at least 1 byte"));
  EXPECT_THAT(error({{"sink.rolling-policy.check-interval", "0 s"}}), HasSubstr("at least 1 ms"));
  EXPECT_THAT(error({{"sink.partition-commit.trigger", "never"}}),
              HasSubstr("process-time or partition-time"));
  EXPECT_THAT(error({{"sink.partition-commit.policy.kind", "metastore"}}), HasSubstr("not built"));
  EXPECT_THAT(error({{"sink.partition-commit.policy.kind", "tell"}}), HasSubstr("success-file"));
  EXPECT_THAT(error({{"sink.partition-commit.success-file.name", "a/b"}}),
              HasSubstr("the name of a file"));
  EXPECT_THAT(error({{"sink.partition-commit.watermark-time-zone", "Mars"}}), HasSubstr("Mars"));
  EXPECT_THAT(error({{"auto-compaction", "true"}}), HasSubstr("not built"));
  EXPECT_THAT(error({{"partition.time-extractor.kind", "custom"}}), HasSubstr("not built"));
  EXPECT_THAT(error({}, {"month"}), HasSubstr("partitioned by 'month'"));
  EXPECT_THAT(error({}, {"day", "hour", "v"}), HasSubstr("a column beside its keys"));
  schema_ = schema_of("a ARRAY<INT>, v INT");
  EXPECT_THAT(error({}, {"a"}), HasSubstr("expected text, a number, a boolean or a time"));
}

TEST(PartitionPathTest, names_survive_the_way_there_and_back) {
  const PartitionValues values = {{"a key", "=/%\\:*?\"'[]{}^#\x01\x7F end"}, {"b", "ü."}};
  const std::string path = partition_path(values);
  EXPECT_EQ(std::count(path.begin(), path.end(), '/'), 1);
  const auto parsed = parse_partition_path(path, {"a key", "b"});
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, values);
  EXPECT_FALSE(parse_partition_path(path, {"a key"}).has_value());
  EXPECT_FALSE(parse_partition_path("a=1", {"b"}).has_value());
  EXPECT_FALSE(parse_partition_path("a", {"a"}).has_value());
  EXPECT_EQ(unescape_path_part("%4%zz%"), "%4%zz%");
}

TEST(PartitionPathTest, times_come_from_the_pattern_or_the_first_value) {
  EXPECT_EQ(*partition_time({{"dt", "1970-01-02"}, {"h", "x"}}, ""), 86'400'000);
  EXPECT_EQ(*partition_time({{"dt", "1970-01-01 00:00:01"}}, ""), 1000);
  EXPECT_EQ(
      *partition_time({{"y", "1970"}, {"m", "01"}, {"d", "01"}, {"h", "02"}}, "$y-$m-$d $h:00:00"),
      7'200'000);
  EXPECT_FALSE(partition_time({{"y", "$y"}}, "$y").is_ok());
  EXPECT_FALSE(partition_time({}, "").is_ok());
}

}  // namespace
}  // namespace clepsydra
