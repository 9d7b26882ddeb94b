#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_file_system.h"
#include "connectors/connector_registry.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_reading.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_table;
using testing::ReadOptions;
using testing::ReadTable;
using testing::schema_of;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string gzip(std::string_view text) {
  std::string out(text.size() + 1000, '\0');
  z_stream zlib{};
  EXPECT_EQ(deflateInit2(&zlib, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

class FilesystemTest : public ::testing::Test {
 protected:
  void put(std::string_view path, std::string_view bytes) {
    ASSERT_TRUE(files_.create_directories(directory_name(path)).is_ok());
    const Status status = write_file_atomically(files_, path, bytes);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }

  ReadTable read(TableOptions options, const ReadOptions& how = {},
                 const std::vector<std::string>& metadata = {}) {
    options.try_emplace("path", "/t");
    options.try_emplace("format", "csv");
    return read_table("filesystem", options, schema_, metadata, files_, clock_, how);
  }

  // Opens the table's sink as subtask 0 of job "j".
  Result<std::unique_ptr<SinkWriter>> open_writer(TableOptions options = {}) {
    options.try_emplace("path", "/out");
    options.try_emplace("format", "csv");
    const ConnectorRegistry& registry = ConnectorRegistry::built_in();
    CLP_ASSIGN_OR_RETURN(const ValueTree spec,
                         registry.find_connector("filesystem")->sink_spec(options, *schema_));
    CLP_ASSIGN_OR_RETURN(sink_, registry.make_sink(spec));
    context_.pool = &testing::test_pool();
    context_.file_system = &files_;
    context_.clock = &clock_;
    context_.job_id = "j";
    return sink_->open_writer(context_);
  }

  std::vector<std::string> names(std::string_view folder) {
    std::vector<std::string> found;
    const auto entries = files_.list(folder);
    if (entries.is_ok()) {
      for (const FileInfo& entry : *entries) found.push_back(entry.name);
    }
    return found;
  }

  SimulatedClock clock_{1'700'000'000'000};
  MemoryFileSystem files_{clock_};
  SchemaPtr schema_ = schema_of("id INT, name STRING");
  std::unique_ptr<Sink> sink_;
  SinkContext context_;
};

TEST_F(FilesystemTest, reads_all_files_of_a_folder_in_order_of_their_names) {
  put("/t/b.csv", "2,b\n");
  put("/t/a.csv", "1,a\n");
  put("/t/c/d.csv", "3,c\n");
  put("/t/.hidden", "x");
  put("/t/_SUCCESS", "x");
  put("/t/empty.csv", "");
  EXPECT_THAT(read({}).all(), ElementsAre("1 | a", "2 | b", "3 | c"));
}

TEST_F(FilesystemTest, a_path_pattern_picks_files) {
  put("/t/a.csv", "1,a\n");
  put("/t/b.txt", "2,b\n");
  EXPECT_THAT(read({{"source.path.regex-pattern", ".*[.]csv"}}).all(), ElementsAre("1 | a"));
  EXPECT_THAT(read({{"source.path.regex-pattern", "(["}}).status.message(),
              HasSubstr("not a regular expression at character"));
}

TEST_F(FilesystemTest, a_missing_file_is_an_error_that_names_it) {
  const ReadTable table = read({{"path", "/nowhere/x.csv"}});
  EXPECT_EQ(table.status.code(), StatusCode::kNotFound);
  EXPECT_THAT(table.status.message(), HasSubstr("/nowhere/x.csv"));
}

TEST_F(FilesystemTest, an_error_names_file_line_and_column) {
  put("/t/a.csv", "1,a\nx,b\n");
  EXPECT_THAT(
      read({}).status.message(),
      AllOf(HasSubstr("file '/t/a.csv': line 2, column 'id' (field 1): cannot read \"x\" as INT")));
  const ReadTable skipped = read({{"csv.ignore-parse-errors", "true"}});
  EXPECT_THAT(skipped.all(), ElementsAre("1 | a"));
  EXPECT_EQ(skipped.skipped_rows, 1);
}

TEST_F(FilesystemTest, gzip_is_read_as_its_content_also_in_several_members) {
  put("/t/a.csv.gz", gzip("1,a\n2,b\n") + gzip("3,c\n"));
  EXPECT_THAT(read({}).all(), ElementsAre("1 | a", "2 | b", "3 | c"));
  EXPECT_THAT(read({}, {.rows_max = 1, .reopen = true}).all(),
              ElementsAre("1 | a", "2 | b", "3 | c"));
  const std::string whole = gzip("1,a\n2,b\n");
  put("/t/a.csv.gz", whole.substr(0, whole.size() - 10));
  EXPECT_THAT(read({}).status.message(), HasSubstr("ends in the middle"));
  put("/t/a.csv.gz", "not gzip at all");
  EXPECT_EQ(read({}).status.code(), StatusCode::kDataLoss);
}

TEST_F(FilesystemTest, a_broken_zip_is_an_error) {
  put("/t/a.zip", "PK\x03\x04 not really");
  EXPECT_EQ(read({}).status.code(), StatusCode::kDataLoss);
}

TEST_F(FilesystemTest, metadata_columns_tell_the_file) {
  put("/t/a.csv", "1,a\n");
  EXPECT_THAT(read({}, {}, {"file.path", "file.name", "file.size"}).all(),
              ElementsAre("1 | a | /t/a.csv | a.csv | 4"));
}

// A large file: every row names itself, some hold line ends in quotes.
std::string large_file(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i);
    text += i % 7 == 0 ? ",\"" + std::string(90, 'x') + "\n1,2\"\n"
                       : "," + std::string(100, 'y') + "\n";
  }
  return text;
}

TEST_F(FilesystemTest, a_large_file_is_cut_at_records_and_read_in_parallel) {
  constexpr int kRows = 100'000;
  put("/t/a.csv", large_file(kRows));
  const ReadTable one = read({}, {.parallelism = 1});
  const ReadTable two = read({}, {.parallelism = 2});
  EXPECT_THAT(one.split_ids, SizeIs(1));
  EXPECT_THAT(two.split_ids, SizeIs(2));
  ASSERT_THAT(one.all(), SizeIs(kRows));
  EXPECT_EQ(two.all(), one.all());
  // With event time the file is one split, read in its own order.
  EXPECT_THAT(read({}, {.parallelism = 2, .has_watermark = true}).split_ids, SizeIs(1));
  // Line numbers go on in the second part.
  std::string broken = large_file(kRows);
  const auto lines = std::count(broken.begin(), broken.end(), '\n');
  put("/t/a.csv", broken + "x,y\n");
  EXPECT_THAT(read({}, {.parallelism = 2}).status.message(),
              HasSubstr("line " + std::to_string(lines + 1) + ", column 'id'"));
}

TEST_F(FilesystemTest, a_reader_continues_from_its_position) {
  put("/t/a.csv", "1,a\n2,\"b\nb\"\n3,c\n4,d\n");
  EXPECT_THAT(read({}, {.rows_max = 1, .reopen = true}).all(), SizeIs(4));
  EXPECT_EQ(read({}, {.rows_max = 1, .reopen = true}).all(), read({}).all());
}

TEST_F(FilesystemTest, rows_come_at_the_pace_asked_for) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(i) + ",a\n";
  put("/t/a.csv", text);
  const std::int64_t start = clock_.monotonic_ns();
  EXPECT_THAT(read({{"scan.rows-per-second", "100"}}).all(), SizeIs(1000));
  EXPECT_NEAR(static_cast<double>(clock_.monotonic_ns() - start), 10e9, 0.05e9);
}

TEST_F(FilesystemTest, a_file_appears_under_its_name_only_when_committed) {
  auto writer = open_writer();
  ASSERT_TRUE(writer.is_ok()) << writer.status().to_string();
  ASSERT_TRUE((*writer)->write(batch_of(schema_, {"1 | a", "2 | NULL"})).is_ok());
  ASSERT_TRUE((*writer)->flush().is_ok());
  EXPECT_THAT(names("/out"), ElementsAre(".part-j-0-0.csv.inprogress"));
  const auto committables = (*writer)->prepare_commit();
  ASSERT_TRUE(committables.is_ok());
  EXPECT_THAT(names("/out"), ElementsAre(".part-j-0-0.csv.inprogress"));
  const auto committer = sink_->make_committer(context_);
  ASSERT_TRUE((*committer)->commit(*committables).is_ok());
  EXPECT_THAT(names("/out"), ElementsAre("part-j-0-0.csv"));
  EXPECT_EQ(*read_file(files_, "/out/part-j-0-0.csv"), "1,a\n2,\n");
  // The same again changes nothing.
  EXPECT_TRUE((*committer)->commit(*committables).is_ok());
  EXPECT_THAT(names("/out"), ElementsAre("part-j-0-0.csv"));
}

TEST_F(FilesystemTest, what_is_aborted_leaves_no_file) {
  auto writer = open_writer({{"sink.rolling-policy.file-size", "1 b"}});
  ASSERT_TRUE((*writer)->write(batch_of(schema_, {"1 | a"})).is_ok());
  ASSERT_TRUE((*writer)->flush().is_ok());
  ASSERT_TRUE((*writer)->write(batch_of(schema_, {"2 | b"})).is_ok());
  (*writer)->abort();
  EXPECT_THAT(names("/out"), ElementsAre());
  writer = open_writer();
  ASSERT_TRUE((*writer)->write(batch_of(schema_, {"1 | a"})).is_ok());
  const auto committables = (*writer)->prepare_commit();
  const auto committer = sink_->make_committer(context_);
  (*committer)->abort(*committables);
  EXPECT_THAT(names("/out"), ElementsAre());
}

TEST_F(FilesystemTest, a_full_disk_is_an_error_and_leaves_no_file) {
  auto writer = open_writer();
  files_.set_capacity_bytes(100);
  std::vector<std::string> lines(100, "1 | " + std::string(50, 'x'));
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  ASSERT_TRUE((*writer)->write(batch_of(schema_, views)).is_ok());
  EXPECT_EQ((*writer)->flush().code(), StatusCode::kResourceExhausted);
  (*writer)->abort();
  EXPECT_THAT(names("/out"), ElementsAre());
}

TEST_F(FilesystemTest, a_sink_whose_path_is_a_file_is_refused) {
  put("/out", "a file");
  EXPECT_THAT(open_writer().status().message(), HasSubstr("it is a file; expected a folder"));
}

TEST_F(FilesystemTest, options_are_checked) {
  EXPECT_THAT(read({{"source.monitor-interval", "soon"}}).status.message(),
              HasSubstr("option 'source.monitor-interval' is 'soon'; expected a duration"));
  EXPECT_THAT(read({{"scan.rows-per-second", "-1"}}).status.message(),
              HasSubstr("expected a number"));
}

}  // namespace
}  // namespace clepsydra
