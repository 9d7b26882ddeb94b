#include "connectors/sink_conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "base/memory_file_system.h"
#include "base/object_store/memory_object_store.h"
#include "base/object_store/object_file_system.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

using ::testing::IsEmpty;

// What happens to the n-th file operation.
enum class Fault : std::uint8_t {
  kNone,
  kError,       // It fails.
  kLostAnswer,  // It succeeds and says that it has failed.
  kCrash,       // The process is killed before it.
  kPowerCut,    // The same, and what was not synced is gone.
};

// What a sink writes into, of which the n-th operation goes wrong. After a crash none is done any
// more.
class FaultyStorage {
 public:
  virtual ~FaultyStorage() = default;
  virtual FileSystem& faulty() = 0;
  virtual FileSystem& real() = 0;

  [[nodiscard]] bool has_fired() const { return left_ <= 0; }
  [[nodiscard]] bool is_dead() const { return is_dead_; }
  [[nodiscard]] bool was_removal() const { return was_removal_; }
  // The next process.
  void revive() { is_dead_ = false; }

 protected:
  FaultyStorage(Fault fault, std::int64_t at) : fault_(fault), left_(at) {}

  virtual void drop_unsynced() = 0;

  // The status that the operation must answer with without being done; ok: do it.
  Status before() {
    if (is_dead_) return Status::cancelled("the process is dead");
    if (fault_ == Fault::kNone || --left_ != 0) return Status::ok();
    if (fault_ == Fault::kLostAnswer) return Status::ok();
    if (fault_ == Fault::kError) return Status::unavailable("fault");
    is_dead_ = true;
    if (fault_ == Fault::kPowerCut) drop_unsynced();
    return Status::cancelled("the process is dead");
  }
  [[nodiscard]] bool loses_answer() const { return fault_ == Fault::kLostAnswer && left_ == 0; }

  bool was_removal_ = false;

 private:
  const Fault fault_;
  std::int64_t left_;
  bool is_dead_ = false;
};

class FaultyObjects final : public FaultyStorage {
 public:
  FaultyObjects(const Clock& clock, Fault fault, std::int64_t at)
      : FaultyStorage(fault, at), store_(clock) {
    store_.set_fault_hook([this](ObjectOperation operation, const std::string&) {
      ObjectFault answer;
      if (is_looking_) return answer;
      const bool had_fired = has_fired();
      answer.before = before();
      if (loses_answer()) answer.after = Status::unavailable("lost answer");
      // An upload whose creation or abortion went wrong may stay: a lifecycle rule of the bucket,
      // or remove_leftovers() of the next process, is for them.
      if (!had_fired && has_fired()) {
        was_removal_ = operation == ObjectOperation::kAbortUpload ||
                       operation == ObjectOperation::kCreateUpload ||
                       operation == ObjectOperation::kListUploads;
      }
      return answer;
    });
  }
  FileSystem& faulty() override {
    is_looking_ = false;
    return files_;
  }
  // Until faulty() is asked for again.
  FileSystem& real() override {
    is_looking_ = true;
    return files_;
  }

 private:
  void drop_unsynced() override {}

  MemoryObjectStore store_;
  ObjectFileSystem files_{[this](std::string_view) { return Result<ObjectStore*>(&store_); }};
  bool is_looking_ = false;
};

class FaultyFiles final : public FaultyStorage, public FileSystem {
 public:
  FaultyFiles(const Clock& clock, Fault fault, std::int64_t at)
      : FaultyStorage(fault, at), files_(clock) {}

  FileSystem& faulty() override { return *this; }
  FileSystem& real() override { return files_; }

  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override {
    return run<std::unique_ptr<RandomAccessFile>>([&] { return files_.open_for_read(path); });
  }
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override {
    return run<std::unique_ptr<WritableFile>>([&]() -> Result<std::unique_ptr<WritableFile>> {
      CLP_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files_.open_for_write(path, mode));
      return std::make_unique<File>(*this, std::move(file));
    });
  }
  Status rename(std::string_view from, std::string_view to) override {
    return run([&] { return files_.rename(from, to); });
  }
  Status remove(std::string_view path) override {
    const bool had_fired = has_fired();
    const Status removed = run([&] { return files_.remove(path); });
    if (!had_fired && has_fired()) was_removal_ = true;
    return removed;
  }
  Result<std::vector<FileInfo>> list(std::string_view directory) override {
    return run<std::vector<FileInfo>>([&] { return files_.list(directory); });
  }
  Result<FileInfo> stat(std::string_view path) override {
    return run<FileInfo>([&] { return files_.stat(path); });
  }
  Status create_directories(std::string_view path) override {
    return run([&] { return files_.create_directories(path); });
  }
  Status sync_directory(std::string_view directory) override {
    return run([&] { return files_.sync_directory(directory); });
  }

 private:
  class File final : public WritableFile {
   public:
    File(FaultyFiles& files, std::unique_ptr<WritableFile> file)
        : files_(files), file_(std::move(file)) {}
    Status append(std::string_view bytes) override {
      return files_.run([&] { return file_->append(bytes); });
    }
    Status sync() override {
      return files_.run([&] { return file_->sync(); });
    }
    Status close() override {
      return files_.run([&] { return file_->close(); });
    }
    [[nodiscard]] std::int64_t size() const override { return file_->size(); }
    [[nodiscard]] const std::string& path() const override { return file_->path(); }

   private:
    FaultyFiles& files_;
    const std::unique_ptr<WritableFile> file_;
  };

  void drop_unsynced() override { files_.drop_unsynced(); }

  template <typename Call>
  Status run(Call call) {
    CLP_RETURN_IF_ERROR(before());
    const Status status = call();
    if (loses_answer()) return Status::unavailable("lost answer");
    return status;
  }
  template <typename T, typename Call>
  Result<T> run(Call call) {
    CLP_RETURN_IF_ERROR(before());
    Result<T> result = call();
    if (loses_answer()) return Status::unavailable("lost answer");
    return result;
  }

  MemoryFileSystem files_;
};

std::unique_ptr<FaultyStorage> make_storage(const ConformingSink& spec, const Clock& clock,
                                            Fault fault = Fault::kNone, std::int64_t at = 1) {
  if (spec.on_objects) return std::make_unique<FaultyObjects>(clock, fault, at);
  return std::make_unique<FaultyFiles>(clock, fault, at);
}

// Plays the engine with two subtasks: rows in, checkpoints, failures, restarts.
class Life {
 public:
  static constexpr int kRows = 22;
  static constexpr int kRowsPerCheckpoint = 8;
  static constexpr int kSubtasks = 2;
  static constexpr int kAttemptsMax = 4;

  Life(const ConformingSink& spec, FileSystem& faulty, const Clock& clock)
      : spec_(spec), faulty_(faulty), clock_(clock) {}

  // Whether it has come to its end. `revive` is called when an attempt has failed; true: the
  // process was killed, and this is the next one.
  bool run(const std::function<bool()>& revive) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      if (run_attempt().is_ok()) return true;
      if (revive()) {
        dead_jobs_.push_back(job_);
        job_ = "job" + std::to_string(dead_jobs_.size());
        attempt_ = 0;
        prepared_.clear();
      } else {
        take_back();
        ++attempt_;
      }
    }
    return false;
  }

 private:
  SinkContext context(int subtask) const {
    SinkContext context;
    context.pool = &test_pool();
    context.file_system = &faulty_;
    context.clock = &clock_;
    context.job_id = job_;
    context.operator_uid = "sink";
    context.attempt = attempt_;
    context.subtask = subtask;
    context.parallelism = kSubtasks;
    return context;
  }

  Status run_attempt() {
    const std::unique_ptr<Sink> sink = spec_.make();
    CLP_ASSIGN_OR_RETURN(committer_, sink->make_committer(context(0)));
    if (checkpoint_rows_ > 0) CLP_RETURN_IF_ERROR(committer_->commit_restored(checkpoint_));
    for (const std::string& job : dead_jobs_) committer_->remove_leftovers(job);
    std::vector<std::unique_ptr<SinkWriter>> writers;
    const auto work = [&]() -> Status {
      for (int subtask = 0; subtask < kSubtasks; ++subtask) {
        CLP_ASSIGN_OR_RETURN(std::unique_ptr<SinkWriter> writer,
                             sink->open_writer(context(subtask)));
        writers.push_back(std::move(writer));
      }
      for (int row = checkpoint_rows_; row < kRows;) {
        const std::string line = spec_.line(row);
        SinkWriter& writer = *writers[static_cast<std::size_t>(row % kSubtasks)];
        CLP_RETURN_IF_ERROR(writer.write(batch_of(spec_.schema, {line})));
        ++row;
        if (row % 3 == 0) CLP_RETURN_IF_ERROR(writer.flush());
        if (row % kRowsPerCheckpoint != 0 && row != kRows) continue;
        CLP_RETURN_IF_ERROR(make_checkpoint(writers, row));
      }
      return Status::ok();
    };
    const Status worked = work();
    if (!worked.is_ok()) {
      for (const auto& writer : writers) writer->abort();
    }
    return worked;
  }

  Status make_checkpoint(std::vector<std::unique_ptr<SinkWriter>>& writers, int rows) {
    for (const auto& writer : writers) {
      if (rows == kRows) writer->advance_watermark(kMaxWatermark);
      CLP_ASSIGN_OR_RETURN(const std::vector<std::string> prepared, writer->prepare_commit());
      prepared_.insert(prepared_.end(), prepared.begin(), prepared.end());
    }
    checkpoint_ = std::exchange(prepared_, {});
    checkpoint_rows_ = rows;
    return committer_->commit(checkpoint_);
  }

  // What was prepared for a checkpoint that did not complete.
  void take_back() {
    if (committer_ != nullptr) committer_->abort(std::exchange(prepared_, {}));
  }

  const ConformingSink& spec_;
  FileSystem& faulty_;
  const Clock& clock_;
  std::string job_ = "job0";
  int attempt_ = 0;
  std::vector<std::string> dead_jobs_;
  std::unique_ptr<SinkCommitter> committer_;
  std::vector<std::string> prepared_;    // In no completed checkpoint.
  std::vector<std::string> checkpoint_;  // Durable.
  int checkpoint_rows_ = 0;
};

std::vector<std::string> all_lines(const ConformingSink& spec, int rows) {
  std::vector<std::string> lines;
  for (int i = 0; i < rows; ++i) lines.push_back(spec.line(i));
  std::sort(lines.begin(), lines.end());
  return lines;
}

// False: the life has fewer operations than `at`.
bool live_with_fault(const ConformingSink& spec, Fault fault, std::int64_t at) {
  SCOPED_TRACE(spec.name + ": fault " + std::to_string(static_cast<int>(fault)) + " at operation " +
               std::to_string(at));
  SimulatedClock clock(1'700'000'000'000);
  const std::unique_ptr<FaultyStorage> storage = make_storage(spec, clock, fault, at);
  Life life(spec, storage->faulty(), clock);
  const bool has_ended = life.run([&] {
    const bool was_dead = storage->is_dead();
    storage->revive();
    return was_dead;
  });
  FileSystem& files = storage->real();
  EXPECT_TRUE(has_ended) << "one fault ended more than one attempt";
  EXPECT_EQ(spec.visible(files), all_lines(spec, Life::kRows));
  // A file that could not be removed may stay, hidden.
  if (!storage->was_removal()) {
    EXPECT_THAT(spec.leftovers(files), IsEmpty());
  }
  return storage->has_fired();
}

void check_every_fault(const ConformingSink& spec) {
  live_with_fault(spec, Fault::kNone, 1);
  for (const Fault fault : {Fault::kError, Fault::kLostAnswer, Fault::kCrash, Fault::kPowerCut}) {
    std::int64_t at = 1;
    while (live_with_fault(spec, fault, at) && !::testing::Test::HasFailure()) ++at;
    EXPECT_GT(at, 20) << "hardly any operation was reached";
  }
}

// One writer and one committer, by hand.
struct ByHand {
  explicit ByHand(const ConformingSink& of) : spec(of), sink(of.make()) {
    context.pool = &test_pool();
    context.file_system = &files;
    context.clock = &clock;
    context.job_id = "job";
    context.operator_uid = "sink";
  }
  std::unique_ptr<SinkWriter> open() {
    auto writer = sink->open_writer(context);
    CLP_CHECK_MSG(writer.is_ok(), writer.status().to_string());
    return *std::move(writer);
  }
  std::unique_ptr<SinkCommitter> committer() { return *sink->make_committer(context); }
  void write(SinkWriter& writer, int from, int to) {
    for (int row = from; row < to; ++row) {
      const std::string line = spec.line(row);
      EXPECT_TRUE(writer.write(batch_of(spec.schema, {line})).is_ok());
    }
  }
  const ConformingSink& spec;
  SimulatedClock clock{1'700'000'000'000};
  const std::unique_ptr<FaultyStorage> storage = make_storage(spec, clock);
  FileSystem& files = storage->real();
  const std::unique_ptr<Sink> sink;
  SinkContext context;
};

void check_commits(const ConformingSink& spec) {
  SCOPED_TRACE(spec.name + ": commits");
  ByHand world(spec);
  const auto writer = world.open();
  world.write(*writer, 0, 3);
  ASSERT_TRUE(writer->flush().is_ok());
  EXPECT_THAT(spec.visible(world.files), IsEmpty());
  const auto first = writer->prepare_commit();
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  EXPECT_THAT(spec.visible(world.files), IsEmpty());
  world.write(*writer, 3, 5);
  const auto second = writer->prepare_commit();
  ASSERT_TRUE(second.is_ok());
  const auto committer = world.committer();
  // Whatever is repeated, by whomever, and in whatever order.
  ASSERT_TRUE(committer->commit(*first).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 3));
  ASSERT_TRUE(committer->commit(*first).is_ok());
  ASSERT_TRUE(world.committer()->commit_restored(*first).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 3));
  committer->remove_leftovers("another job");
  ASSERT_TRUE(world.committer()->commit(*second).is_ok());
  ASSERT_TRUE(committer->commit_restored(*second).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 5));
  // Nothing new: nothing changes.
  const auto third = writer->prepare_commit();
  ASSERT_TRUE(third.is_ok());
  ASSERT_TRUE(committer->commit(*third).is_ok());
  ASSERT_TRUE(committer->commit({}).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 5));
}

void check_aborts(const ConformingSink& spec) {
  SCOPED_TRACE(spec.name + ": aborts");
  ByHand world(spec);
  const auto committer = world.committer();
  {
    const auto writer = world.open();
    world.write(*writer, 0, 2);
    const auto kept = writer->prepare_commit();
    ASSERT_TRUE(committer->commit(*kept).is_ok());
    world.write(*writer, 2, 4);
    const auto aborted = writer->prepare_commit();
    world.write(*writer, 4, 6);
    committer->abort(*aborted);
    committer->abort(*aborted);
    writer->abort();
  }
  // The next attempt writes the same rows again, under names of its own.
  world.context.attempt = 1;
  const auto writer = world.open();
  world.write(*writer, 2, 4);
  const auto again = writer->prepare_commit();
  ASSERT_TRUE(committer->commit(*again).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 4));
  EXPECT_THAT(committer->commit(std::vector<std::string>{"not a committable"}).code(),
              ::testing::Ne(StatusCode::kOk));
  committer->abort(std::vector<std::string>{"not a committable"});
}

void check_leftovers(const ConformingSink& spec) {
  SCOPED_TRACE(spec.name + ": leftovers");
  ByHand world(spec);
  const auto writer = world.open();
  world.write(*writer, 0, 2);
  const auto committed = writer->prepare_commit();
  ASSERT_TRUE(world.committer()->commit(*committed).is_ok());
  // The rest of the job dies; somebody else writes to the same table.
  world.write(*writer, 2, 4);
  ASSERT_TRUE(writer->prepare_commit().is_ok());
  world.write(*writer, 4, 6);
  ASSERT_TRUE(writer->flush().is_ok());
  world.context.job_id = "job2";
  const auto other = world.open();
  world.write(*other, 2, 3);
  world.committer()->remove_leftovers("job");
  const auto prepared = other->prepare_commit();
  ASSERT_TRUE(prepared.is_ok()) << prepared.status().to_string();
  ASSERT_TRUE(world.committer()->commit(*prepared).is_ok());
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 3));
  EXPECT_THAT(spec.leftovers(world.files), IsEmpty());
}

void check_held(const ConformingSink& spec) {
  SCOPED_TRACE(spec.name + ": held");
  ByHand world(spec);
  const auto writer = world.open();
  world.write(*writer, 0, 2);
  const auto in_savepoint = writer->prepare_commit();
  ASSERT_TRUE(in_savepoint.is_ok());
  {
    const auto committer = world.committer();
    ASSERT_TRUE(committer->hold(*in_savepoint).is_ok());
    ASSERT_TRUE(committer->hold(*in_savepoint).is_ok());
    EXPECT_THAT(spec.visible(world.files), IsEmpty());
  }
  // The job dies, and another goes on from a checkpoint before the savepoint.
  world.write(*writer, 4, 6);
  ASSERT_TRUE(writer->flush().is_ok());
  world.context.job_id = "job2";
  world.committer()->remove_leftovers("job");
  // And one more from the savepoint.
  world.context.job_id = "job3";
  const auto committer = world.committer();
  ASSERT_TRUE(committer->commit_restored(*in_savepoint).is_ok());
  committer->remove_leftovers("job");
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 2));
  EXPECT_THAT(spec.leftovers(world.files), IsEmpty());
  // What is held may be committed without any restore, and taken back.
  world.context.job_id = "job4";
  const auto other = world.open();
  world.write(*other, 2, 4);
  const auto committed = other->prepare_commit();
  world.write(*other, 4, 6);
  const auto aborted = other->prepare_commit();
  ASSERT_TRUE(committer->hold(*committed).is_ok());
  ASSERT_TRUE(committer->hold(*aborted).is_ok());
  ASSERT_TRUE(committer->commit(*committed).is_ok());
  committer->abort(*aborted);
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 4));
  EXPECT_THAT(spec.leftovers(world.files), IsEmpty());
  EXPECT_FALSE(committer->hold(std::vector<std::string>{"not a committable"}).is_ok());
}

void check_neighbours(const ConformingSink& spec) {
  SCOPED_TRACE(spec.name + ": neighbours");
  ByHand world(spec);
  std::vector<std::unique_ptr<SinkWriter>> writers;
  for (const char* uid : {"sink", "another sink of the job"}) {
    for (const int subtask : {0, 1}) {
      world.context.operator_uid = uid;
      world.context.subtask = subtask;
      writers.push_back(world.open());
    }
  }
  const auto committer = world.committer();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const int row = round * 4 + static_cast<int>(i);
      world.write(*writers[i], row, row + 1);
      const auto prepared = writers[i]->prepare_commit();
      ASSERT_TRUE(prepared.is_ok()) << prepared.status().to_string();
      ASSERT_TRUE(committer->commit(*prepared).is_ok());
    }
  }
  EXPECT_EQ(spec.visible(world.files), all_lines(spec, 8));
}

}  // namespace

void check_sink_conformance(const ConformingSink& sink) {
  check_commits(sink);
  check_aborts(sink);
  check_held(sink);
  check_leftovers(sink);
  check_neighbours(sink);
  check_every_fault(sink);
}

}  // namespace clepsydra::testing
