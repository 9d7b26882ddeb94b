#include "tests/harness/source_reading.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

class Context final : public SplitEnumeratorContext {
 public:
  Context(int parallelism, FileSystem& files, const Clock& clock)
      : splits(static_cast<std::size_t>(parallelism)),
        no_more(static_cast<std::size_t>(parallelism), false),
        files_(files),
        clock_(clock) {}
  [[nodiscard]] int parallelism() const override { return static_cast<int>(splits.size()); }
  void assign_split(int subtask, SourceSplit split) override {
    splits[static_cast<std::size_t>(subtask)].push_back(std::move(split));
  }
  void signal_no_more_splits(int subtask) override {
    no_more[static_cast<std::size_t>(subtask)] = true;
  }
  void schedule(std::int64_t /*delay_ms*/) override {}
  FileSystem& file_system() override { return files_; }
  const Clock& clock() override { return clock_; }

  std::vector<std::deque<SourceSplit>> splits;
  std::vector<bool> no_more;

 private:
  FileSystem& files_;
  const Clock& clock_;
};

// A source that is read by turns, as tasks on as many cores would.
class Reading {
 public:
  Reading(std::unique_ptr<Source> source, FileSystem& files, SimulatedClock& clock,
          const ReadOptions& how, ReadTable& read)
      : source_(std::move(source)), files_(files), clock_(clock), how_(how), read_(read) {
    source_context_.pool = &test_pool();
    source_context_.file_system = &files;
    source_context_.clock = &clock;
    source_context_.skipped_rows = &read.skipped_rows;
  }

  Status run() {
    CLP_ASSIGN_OR_RETURN(enumerator_, source_->make_enumerator());
    open_subtasks(how_.parallelism);
    CLP_RETURN_IF_ERROR(enumerator_->start(*context_));
    for (bool any = true; any;) {
      any = false;
      for (std::size_t i = 0; i < readers_.size(); ++i) {
        CLP_ASSIGN_OR_RETURN(const bool reads, step(i));
        any = any || reads;
        if (!reads || how_.restart_every == 0 || ++polls_ % how_.restart_every != 0) continue;
        CLP_RETURN_IF_ERROR(restart());
        break;
      }
    }
    return Status::ok();
  }

 private:
  void open_subtasks(int parallelism) {
    context_ = std::make_unique<Context>(parallelism, files_, clock_);
    readers_.clear();
    readers_.resize(static_cast<std::size_t>(parallelism));
    current_.assign(readers_.size(), {});
    read_.per_subtask.resize(std::max(read_.per_subtask.size(), readers_.size()));
    source_context_.parallelism = parallelism;
  }

  // False when the subtask has nothing to read any more.
  Result<bool> step(std::size_t i) {
    if (!readers_[i]) {
      if (context_->splits[i].empty() && !context_->no_more[i]) {
        CLP_RETURN_IF_ERROR(enumerator_->handle_split_request(static_cast<int>(i), *context_));
      }
      if (context_->splits[i].empty()) return false;
      current_[i] = std::move(context_->splits[i].front());
      context_->splits[i].pop_front();
      read_.split_ids.push_back(current_[i].id);
      CLP_RETURN_IF_ERROR(open(i));
    }
    Batch batch;
    CLP_ASSIGN_OR_RETURN(const SplitReader::Poll poll, readers_[i]->poll(how_.rows_max, batch));
    if (poll.state == PollState::kNothingYet) {
      clock_.advance_ns(poll.wake_at_ns - clock_.monotonic_ns());
      return true;
    }
    for (std::string& line : lines_of(batch)) read_.per_subtask[i].push_back(std::move(line));
    if (poll.state == PollState::kEndOfSplit) {
      readers_[i] = nullptr;
    } else if (how_.reopen) {
      current_[i].payload = readers_[i]->position();
      CLP_RETURN_IF_ERROR(open(i));
    }
    return true;
  }

  Status open(std::size_t i) {
    source_context_.subtask = static_cast<int>(i);
    CLP_ASSIGN_OR_RETURN(readers_[i], source_->open_split(current_[i], source_context_));
    return Status::ok();
  }

  Status restart() {
    const std::string snapshot = enumerator_->snapshot();
    std::vector<SourceSplit> held;
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      if (readers_[i]) {
        current_[i].payload = readers_[i]->position();
        held.push_back(current_[i]);
      }
      held.insert(held.end(), context_->splits[i].begin(), context_->splits[i].end());
    }
    CLP_ASSIGN_OR_RETURN(enumerator_, source_->make_enumerator());
    const bool was_first = context_->parallelism() == how_.parallelism;
    open_subtasks(was_first ? how_.restart_parallelism : how_.parallelism);
    CLP_RETURN_IF_ERROR(enumerator_->restore(snapshot, *context_));
    enumerator_->add_splits_back(std::move(held));
    return Status::ok();
  }

  const std::unique_ptr<Source> source_;
  FileSystem& files_;
  SimulatedClock& clock_;
  const ReadOptions how_;
  ReadTable& read_;
  SourceContext source_context_;
  std::unique_ptr<SplitEnumerator> enumerator_;
  std::unique_ptr<Context> context_;
  std::vector<std::unique_ptr<SplitReader>> readers_;
  std::vector<SourceSplit> current_;
  int polls_ = 0;
};

}  // namespace

std::vector<std::string> ReadTable::all() const {
  std::vector<std::string> lines;
  for (const auto& subtask : per_subtask) lines.insert(lines.end(), subtask.begin(), subtask.end());
  return lines;
}

ReadTable read_table(const std::string& connector, const TableOptions& options,
                     const SchemaPtr& schema, const std::vector<std::string>& metadata,
                     FileSystem& files, SimulatedClock& clock, const ReadOptions& how) {
  ReadTable read;
  const ConnectorRegistry& registry = ConnectorRegistry::built_in();
  ScanRequest request;
  for (const Field& field : schema->fields()) request.columns.push_back(field.name);
  request.metadata = metadata;
  request.has_watermark = how.has_watermark;
  request.partition_keys = how.partition_keys;
  request.partition_conditions = how.partition_conditions;
  const TableConnector* table = registry.find_connector(connector);
  CLP_CHECK(table != nullptr);
  const auto run = [&]() -> Status {
    CLP_RETURN_IF_ERROR(table->validate(options, *schema));
    CLP_ASSIGN_OR_RETURN(const ValueTree spec, table->scan_spec(options, *schema, request));
    CLP_ASSIGN_OR_RETURN(std::unique_ptr<Source> source, registry.make_source(spec));
    return Reading(std::move(source), files, clock, how, read).run();
  };
  read.status = run();
  return read;
}

}  // namespace clepsydra::testing
