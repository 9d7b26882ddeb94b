#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_file_system.h"
#include "connectors/connector_registry.h"
#include "connectors/filesystem/part_file.h"
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

std::string zip(const std::vector<std::string>& members) {
  std::string bytes(1 << 16, '\0');
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(target);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, nullptr);
  for (std::size_t i = 0; i < members.size(); ++i) {
    zip_source_t* member = zip_source_buffer(archive, members[i].data(), members[i].size(), 0);
    EXPECT_GE(zip_file_add(archive, std::to_string(i).c_str(), member, ZIP_FL_ENC_UTF_8), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  EXPECT_EQ(zip_source_open(target), 0);
  const zip_int64_t size = zip_source_read(target, bytes.data(), bytes.size());
  EXPECT_GT(size, 0);
  zip_source_close(target);
  zip_source_free(target);
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
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
  // The first file of subtask 0 of the first attempt of job "j" by operator "".
  const std::string part_ = part_file_name("j", "", 0, 0, 0, "csv");
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

// Content that a reader must be able to leave and take up again after every row.
struct Resumable {
  std::string name;
  std::string file;
  TableOptions options;
  std::string bytes;
  std::vector<std::string> rows;
};

std::vector<Resumable> resumable_files() {
  const std::vector<std::string> rows = {"1 | a", "2 | b", "3 | c"};
  std::vector<Resumable> files = {
      {"without a line end", "a.csv", {}, "1,a\n2,b\n3,c", rows},
      {"line ends of two bytes", "a.csv", {}, "1,a\r\n2,b\r\n3,c\r\n", rows},
      {"byte order mark",
       "a.csv",
       {},
       "\xEF\xBB\xBF"
       "1,a\n2,b\n3,c\n",
       rows},
      {"a header to skip", "a.csv", {{"csv.header", "skip"}}, "x,y\n1,a\n2,b\n3,c\n", rows},
      {"a header that orders",
       "a.csv",
       {{"csv.header", "match"}},
       "\xEF\xBB\xBFname,other,id\na,,1\nb,,2\nc,,3\n",
       rows},
      {"an escaped header",
       "a.csv",
       {{"csv.header", "match"}, {"csv.escape-character", "\\"}},
       "\"name\",id\na,1\nb,2\nc,3\n",
       rows},
      {"comments",
       "a.csv",
       {{"csv.allow-comments", "true"}},
       "# one\n1,a\n# two\n2,b\n3,c\n# end\n",
       rows},
      {"rows to skip",
       "a.csv",
       {{"csv.ignore-parse-errors", "true"}},
       "x,x\n1,a\nx,x\nx,x\n2,b\n3,c\nx,x\n",
       rows},
      {"quotes", "a.csv", {}, "1,\"a\nb\"\n2,\"c\"\"\"\n3,\"\n\"\n", {}},
      {"json",
       "a.json",
       {{"format", "json"}},
       "{\"id\":1,\"name\":\"a\"}\n\n{\"id\":2,\"name\":\"b\"}\n{\"name\":\"c\",\"id\":3}",
       rows},
      {"gzip members", "a.csv.gz", {}, gzip("1,a\n2,") + gzip("") + gzip("b\n3,c\n"), rows},
      {"gzip with a header",
       "a.csv.gz",
       {{"csv.header", "match"}},
       gzip("name,") + gzip("id\na,1\nb,2\nc,3\n"),
       rows},
      {"zip members", "a.zip", {}, zip({"1,a\n2,", "b\n", "", "3,c\n"}), rows},
  };
  // Longer than a reader's buffer in all, and one line alone.
  Resumable large{"lines over chunks", "a.csv", {}, "", {}};
  for (int i = 0; i < 12; ++i) {
    const std::string text(i == 7 ? 2'500'000 : 300'000, static_cast<char>('a' + i));
    large.bytes += std::to_string(i) + "," + text + "\n";
    large.rows.push_back(std::to_string(i) + " | " + text);
  }
  files.push_back(std::move(large));
  return files;
}

TEST_F(FilesystemTest, readers_go_on_after_every_row) {
  for (const Resumable& file : resumable_files()) {
    SCOPED_TRACE(file.name);
    ASSERT_TRUE(files_.remove_all("/t").is_ok());
    put("/t/" + file.file, file.bytes);
    const ReadTable straight = read(file.options);
    ASSERT_TRUE(straight.status.is_ok()) << straight.status.to_string();
    if (!file.rows.empty()) {
      ASSERT_EQ(straight.all(), file.rows);
    }
    ASSERT_GE(straight.all().size(), 3);
    for (const bool has_watermark : {false, true}) {
      const ReadTable stopping =
          read(file.options, {.rows_max = 1, .has_watermark = has_watermark, .reopen = true});
      EXPECT_TRUE(stopping.status.is_ok()) << stopping.status.to_string();
      EXPECT_EQ(stopping.all(), straight.all());
      EXPECT_EQ(stopping.skipped_rows, straight.skipped_rows);
    }
    const ReadTable restarted =
        read(file.options, {.parallelism = 2, .rows_max = 1, .restart_every = 1});
    EXPECT_TRUE(restarted.status.is_ok()) << restarted.status.to_string();
    EXPECT_EQ(sorted(restarted.all()), sorted(straight.all()));
  }
}

TEST_F(FilesystemTest, line_numbers_go_on_after_a_restart) {
  put("/t/a.csv", "name,id\na,1\n\"b\nb\",2\nc,3\nd,x\n");
  EXPECT_THAT(read({{"csv.header", "match"}}, {.rows_max = 1, .reopen = true}).status.message(),
              HasSubstr("line 6, column 'id'"));
}

TEST_F(FilesystemTest, the_files_listed_at_the_start_are_read_once_over_restarts) {
  std::vector<std::string> all;
  for (int file = 0; file < 10; ++file) {
    std::string text;
    for (int row = 0; row < 5; ++row) {
      text += std::to_string(file * 5 + row) + ",x\n";
      all.push_back(std::to_string(file * 5 + row) + " | x");
    }
    put("/t/" + std::to_string(file) + ".csv", text);
  }
  for (int every = 1; every < 8; ++every) {
    EXPECT_EQ(sorted(read({}, {.parallelism = 2,
                               .rows_max = 2,
                               .restart_every = every,
                               .restart_parallelism = 3})
                         .all()),
              sorted(all))
        << every;
  }
}

TEST_F(FilesystemTest, large_files_are_read_once_over_restarts_in_the_parts_they_were_cut_into) {
  put("/t/a.csv", large_file(100'000));
  const auto straight = sorted(read({}).all());
  const ReadTable restarted =
      read({}, {.parallelism = 3, .rows_max = 4000, .restart_every = 7, .restart_parallelism = 2});
  EXPECT_EQ(sorted(restarted.all()), straight);
  EXPECT_THAT(std::set<std::string>(restarted.split_ids.begin(), restarted.split_ids.end()),
              SizeIs(3));
}

// What a watched folder's enumerator gives.
class WatchedFolder final : public SplitEnumeratorContext {
 public:
  WatchedFolder(FileSystem& files, const Clock& clock) : files_(files), clock_(clock) {
    const ConnectorRegistry& registry = ConnectorRegistry::built_in();
    const SchemaPtr schema = schema_of("id INT");
    source_ = *registry.make_source(
        *registry.find_connector("filesystem")
             ->scan_spec({{"path", "/t"}, {"format", "csv"}, {"source.monitor-interval", "1 s"}},
                         *schema, {.columns = {"id"}, .metadata = {}}));
    enumerator = *source_->make_enumerator();
  }
  [[nodiscard]] int parallelism() const override { return 1; }
  void assign_split(int /*subtask*/, SourceSplit split) override {
    given.push_back(std::move(split));
  }
  void signal_no_more_splits(int /*subtask*/) override { ended = true; }
  void schedule(std::int64_t delay_ms) override { delays.push_back(delay_ms); }
  FileSystem& file_system() override { return files_; }
  const Clock& clock() override { return clock_; }
  std::vector<std::string> ask(int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(enumerator->handle_split_request(0, *this).is_ok());
    }
    std::vector<std::string> ids;
    for (const SourceSplit& split : std::exchange(given, {})) ids.push_back(split.id);
    return ids;
  }

  std::unique_ptr<SplitEnumerator> enumerator;
  std::vector<SourceSplit> given;
  std::vector<std::int64_t> delays;
  bool ended = false;

 private:
  FileSystem& files_;
  const Clock& clock_;
  std::unique_ptr<Source> source_;
};

TEST_F(FilesystemTest, a_watched_folder_gives_each_file_once_over_restarts) {
  put("/t/a.csv", "1\n");
  put("/t/b.csv", "2\n");
  put("/t/c.csv", "3\n");
  WatchedFolder before(files_, clock_);
  ASSERT_TRUE(before.enumerator->start(before).is_ok());
  EXPECT_THAT(before.ask(1), ElementsAre("/t/a.csv"));
  const std::string snapshot = before.enumerator->snapshot();
  EXPECT_THAT(before.ask(1), ElementsAre("/t/b.csv"));  // Not in the snapshot.

  put("/t/d.csv", "4\n");  // Came while nobody looked.
  WatchedFolder after(files_, clock_);
  ASSERT_TRUE(after.enumerator->restore(snapshot, after).is_ok());
  after.enumerator->add_splits_back({{"/t/a.csv", "the middle of a"}});
  EXPECT_THAT(after.ask(4), ElementsAre("/t/a.csv", "/t/b.csv", "/t/c.csv", "/t/d.csv"));
  EXPECT_THAT(after.delays, ElementsAre(1000));
  put("/t/e.csv", "5\n");
  ASSERT_TRUE(after.enumerator->on_timer(after).is_ok());
  EXPECT_THAT(after.ask(2), ElementsAre("/t/e.csv"));
  EXPECT_FALSE(after.ended);
  EXPECT_EQ(after.enumerator->restore("broken", after).code(), StatusCode::kDataLoss);
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
  EXPECT_THAT(names("/out"), ElementsAre("." + part_ + ".inprogress"));
  const auto committables = (*writer)->prepare_commit();
  ASSERT_TRUE(committables.is_ok());
  EXPECT_THAT(names("/out"), ElementsAre("." + part_ + ".inprogress"));
  const auto committer = sink_->make_committer(context_);
  ASSERT_TRUE((*committer)->commit(*committables).is_ok());
  EXPECT_THAT(names("/out"), ElementsAre(part_));
  EXPECT_EQ(*read_file(files_, "/out/" + part_), "1,a\n2,\n");
  // The same again changes nothing.
  EXPECT_TRUE((*committer)->commit(*committables).is_ok());
  EXPECT_THAT(names("/out"), ElementsAre(part_));
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
