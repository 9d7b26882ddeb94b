#include "tests/harness/source_reading.h"

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
  const TableConnector* table = registry.find_connector(connector);
  CLP_CHECK(table != nullptr);
  const auto run = [&]() -> Status {
    CLP_RETURN_IF_ERROR(table->validate(options, *schema));
    CLP_ASSIGN_OR_RETURN(const ValueTree spec, table->scan_spec(options, *schema, request));
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, registry.make_source(spec));
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<SplitEnumerator> enumerator,
                         source->make_enumerator());
    Context context(how.parallelism, files, clock);
    CLP_RETURN_IF_ERROR(enumerator->start(context));
    read.per_subtask.resize(static_cast<std::size_t>(how.parallelism));
    std::vector<std::unique_ptr<SplitReader>> readers(static_cast<std::size_t>(how.parallelism));
    std::vector<SourceSplit> current(readers.size());
    SourceContext source_context;
    source_context.pool = &test_pool();
    source_context.file_system = &files;
    source_context.clock = &clock;
    source_context.parallelism = how.parallelism;
    source_context.skipped_rows = &read.skipped_rows;
    // In turns, as tasks on as many cores would.
    for (bool any = true; any;) {
      any = false;
      for (std::size_t i = 0; i < readers.size(); ++i) {
        if (!readers[i]) {
          if (context.splits[i].empty() && !context.no_more[i]) {
            CLP_RETURN_IF_ERROR(enumerator->handle_split_request(static_cast<int>(i), context));
          }
          if (context.splits[i].empty()) continue;
          current[i] = std::move(context.splits[i].front());
          context.splits[i].pop_front();
          read.split_ids.push_back(current[i].id);
          source_context.subtask = static_cast<int>(i);
          CLP_ASSIGN_OR_RETURN(readers[i], source->open_split(current[i], source_context));
        }
        any = true;
        Batch batch;
        CLP_ASSIGN_OR_RETURN(const SplitReader::Poll poll, readers[i]->poll(how.rows_max, batch));
        if (poll.state == PollState::kNothingYet) {
          clock.advance_ns(poll.wake_at_ns - clock.monotonic_ns());
          continue;
        }
        for (std::string& line : lines_of(batch)) read.per_subtask[i].push_back(std::move(line));
        if (poll.state == PollState::kEndOfSplit) {
          readers[i] = nullptr;
        } else if (how.reopen) {
          current[i].payload = readers[i]->position();
          CLP_ASSIGN_OR_RETURN(readers[i], source->open_split(current[i], source_context));
        }
      }
    }
    return Status::ok();
  };
  read.status = run();
  return read;
}

}  // namespace clepsydra::testing
