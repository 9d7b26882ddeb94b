#include "main/test_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "clepsydra/sink.h"
#include "clepsydra/source.h"
#include "functions/expression.h"
#include "stream/batch.h"
#include "stream/split_codec.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

ValueTree spec_of(const RowsSource& rows) {
  ValueTree spec;
  spec.set("connector", "rows")
      .set("splits", rows.splits)
      .set("rows", rows.rows)
      .set("keys", rows.keys)
      .set("step_ms", rows.step_ms)
      .set("skew_ms", rows.skew_ms)
      .set("disorder_ms", rows.disorder_ms)
      .set("bounded", rows.bounded)
      .set("fail_at", rows.fail_at)
      .set("rest_every", rows.rest_every)
      .set("rest_ms", rows.rest_ms)
      .set("fail_enumerator", rows.fail_enumerator)
      .set("fail_open", rows.fail_open)
      .set("discover_after_ms", rows.discover_after_ms);
  return spec;
}

RowsSource read_rows(const ValueTree& spec) {
  RowsSource rows;
  rows.splits = static_cast<int>(spec.get_int_or("splits", 1));
  rows.rows = spec.get_int_or("rows", 0);
  rows.keys = spec.get_int_or("keys", 1);
  rows.step_ms = spec.get_int_or("step_ms", 0);
  rows.skew_ms = spec.get_int_or("skew_ms", 0);
  rows.disorder_ms = spec.get_int_or("disorder_ms", 0);
  rows.bounded = spec.get_bool_or("bounded", true);
  rows.fail_at = spec.get_int_or("fail_at", -1);
  rows.rest_every = spec.get_int_or("rest_every", 0);
  rows.rest_ms = spec.get_int_or("rest_ms", 0);
  rows.fail_enumerator = spec.get_bool_or("fail_enumerator", false);
  rows.fail_open = spec.get_bool_or("fail_open", false);
  rows.discover_after_ms = spec.get_int_or("discover_after_ms", 0);
  return rows;
}

std::string rows_position(int split, std::int64_t next) {
  return ValueTree::map().set("split", split).set("next", next).encode();
}

class RowsReader final : public SplitReader {
 public:
  RowsReader(RowsSource rows, int split, std::int64_t next, const SourceContext& context)
      : rows_(std::move(rows)), split_(split), context_(context), next_(next) {}

  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    if (next_ == rows_.rows) {
      if (rows_.bounded) return Poll{PollState::kEndOfSplit, 0};
      return Poll{PollState::kNothingYet, 0};
    }
    if (rests_until_ns_ > context_.clock->monotonic_ns()) {
      return Poll{PollState::kNothingYet, rests_until_ns_};
    }
    BatchBuilder builder(rows_schema(), *context_.pool);
    while (builder.rows() < rows_max && next_ < rows_.rows) {
      if (next_ == rows_.fail_at) return Status::data_loss(fmt::format("row {} is broken", next_));
      const RowValues row = row_of(rows_, split_, next_++);
      builder.column(0).append<std::int64_t>(row.k);
      builder.column(1).append<std::int64_t>(row.v);
      builder.column(2).append<std::int64_t>(row.at_ms);
      builder.commit_row();
      if (rows_.rest_every > 0 && next_ % rows_.rest_every == 0) {
        rests_until_ns_ = context_.clock->monotonic_ns() + rows_.rest_ms * kNsPerMs;
        break;
      }
    }
    CLP_ASSIGN_OR_RETURN(batch, builder.finish());
    return Poll{PollState::kRows, 0};
  }
  [[nodiscard]] std::string position() const override { return rows_position(split_, next_); }
  [[nodiscard]] std::int64_t bytes_read() const override { return next_ * 24; }

 private:
  const RowsSource rows_;
  const int split_;
  const SourceContext context_;
  std::int64_t next_;
  std::int64_t rests_until_ns_ = 0;
};

// Gives each subtask one split per request.
class RowsEnumerator final : public SplitEnumerator {
 public:
  explicit RowsEnumerator(RowsSource rows) : rows_(std::move(rows)) {}

  Status start(SplitEnumeratorContext& context) override {
    if (rows_.fail_enumerator) return Status::not_found("no such rows");
    if (rows_.discover_after_ms > 0) {
      context.schedule(rows_.discover_after_ms);
    } else {
      find_splits();
    }
    return Status::ok();
  }
  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    if (!found_) {
      waiting_.push_back(subtask);
    } else if (!pending_.empty()) {
      context.assign_split(subtask, std::move(pending_.front()));
      pending_.pop_front();
    } else if (rows_.bounded) {
      context.signal_no_more_splits(subtask);
    }
    return Status::ok();
  }
  Status on_timer(SplitEnumeratorContext& context) override {
    find_splits();
    for (const int subtask : waiting_) CLP_RETURN_IF_ERROR(handle_split_request(subtask, context));
    waiting_.clear();
    return Status::ok();
  }
  void add_splits_back(std::vector<SourceSplit> splits) override {
    for (SourceSplit& split : splits) pending_.push_back(std::move(split));
  }
  [[nodiscard]] std::string snapshot() const override {
    const std::vector<SourceSplit> left(pending_.begin(), pending_.end());
    return ValueTree::map().set("found", found_).set("splits", splits_to_tree(left)).encode();
  }
  Status restore(const std::string& snapshot, SplitEnumeratorContext& context) override {
    CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
    CLP_ASSIGN_OR_RETURN(found_, tree.get_bool("found"));
    CLP_ASSIGN_OR_RETURN(const ValueTree left, tree.get("splits"));
    CLP_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, splits_from_tree(left));
    pending_.assign(splits.begin(), splits.end());
    if (!found_) context.schedule(rows_.discover_after_ms);
    return Status::ok();
  }

 private:
  void find_splits() {
    found_ = true;
    for (int split = 0; split < rows_.splits; ++split) {
      pending_.push_back({std::to_string(split), rows_position(split, 0)});
    }
  }

  const RowsSource rows_;
  std::deque<SourceSplit> pending_;
  bool found_ = false;
  std::vector<int> waiting_;
};

class RowsSourceImpl final : public Source {
 public:
  explicit RowsSourceImpl(RowsSource rows) : rows_(std::move(rows)) {}
  [[nodiscard]] bool is_bounded() const override { return rows_.bounded; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return std::make_unique<RowsEnumerator>(rows_);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    if (rows_.fail_open) return Status::not_found("split " + split.id + " has gone");
    CLP_ASSIGN_OR_RETURN(const ValueTree position, ValueTree::decode(split.payload));
    CLP_ASSIGN_OR_RETURN(const std::int64_t number, position.get_int("split"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t next, position.get_int("next"));
    return std::make_unique<RowsReader>(rows_, static_cast<int>(number), next, context);
  }

 private:
  const RowsSource rows_;
};

class MemoryWriter final : public SinkWriter {
 public:
  // Committables name themselves, so that one that is committed again is known.
  MemoryWriter(MemorySink sink, SinkLog& log, const SinkContext& context)
      : sink_(sink),
        log_(log),
        name_(fmt::format("{}/{}/{}", context.job_id, context.attempt, context.subtask)) {}

  Status write(const Batch& batch) override {
    for (const std::string& line : lines_of(batch.with_marks({}))) {
      if (rows_ == sink_.fail_at) return Status::resource_exhausted("no space left");
      ++rows_;
      log_.wrote(1);
      lines_ += line + "\n";
    }
    return Status::ok();
  }
  Status flush() override { return Status::ok(); }
  Result<std::vector<std::string>> prepare_commit() override {
    if (sink_.fail_prepare) return Status::unavailable("cannot prepare");
    return std::vector<std::string>{
        fmt::format("{}/{}\n{}", name_, prepared_++, std::exchange(lines_, {}))};
  }
  void abort() override { log_.abort_writer(); }

 private:
  const MemorySink sink_;
  SinkLog& log_;
  const std::string name_;
  int prepared_ = 0;
  std::int64_t rows_ = 0;
  std::string lines_;
};

class MemoryCommitter final : public SinkCommitter {
 public:
  MemoryCommitter(MemorySink sink, SinkLog& log) : sink_(sink), log_(log) {}
  Status commit(std::span<const std::string> committables) override {
    if (sink_.fail_commit) return Status::permission_denied("cannot commit");
    for (const std::string& committable : committables) log_.commit(committable);
    return Status::ok();
  }
  void abort(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) log_.abort(committable);
  }

 private:
  const MemorySink sink_;
  SinkLog& log_;
};

class MemorySinkImpl final : public Sink {
 public:
  MemorySinkImpl(MemorySink sink, SinkLog& log) : sink_(sink), log_(log) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    return std::make_unique<MemoryWriter>(sink_, log_, context);
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::make_unique<MemoryCommitter>(sink_, log_);
  }

 private:
  const MemorySink sink_;
  SinkLog& log_;
};

}  // namespace

void SinkLog::commit(const std::string& committable) {
  const MutexLock lock(mutex_);
  const std::size_t name_end = committable.find('\n');
  if (!committed_.insert(committable.substr(0, name_end)).second) return;
  ++commits_;
  std::string_view left = std::string_view(committable).substr(name_end + 1);
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    lines_.emplace_back(left.substr(0, end));
    left.remove_prefix(end + 1);
  }
}
void SinkLog::abort(const std::string& /*committable*/) {
  const MutexLock lock(mutex_);
  ++aborted_committables_;
}
void SinkLog::abort_writer() {
  const MutexLock lock(mutex_);
  ++aborted_writers_;
}
void SinkLog::wrote(std::int64_t rows) {
  const MutexLock lock(mutex_);
  rows_written_ += rows;
}
std::vector<std::string> SinkLog::committed_lines() const {
  const MutexLock lock(mutex_);
  return sorted(lines_);
}
int SinkLog::commits() const {
  const MutexLock lock(mutex_);
  return commits_;
}
int SinkLog::aborted_committables() const {
  const MutexLock lock(mutex_);
  return aborted_committables_;
}
int SinkLog::aborted_writers() const {
  const MutexLock lock(mutex_);
  return aborted_writers_;
}
std::int64_t SinkLog::rows_written() const {
  const MutexLock lock(mutex_);
  return rows_written_;
}

RowValues row_of(const RowsSource& source, int split, std::int64_t i) {
  return {
      (i * 7 + split) % source.keys, i,
      kRowsBaseMs + i * source.step_ms + split * source.skew_ms - i * 37 % 11 * source.disorder_ms};
}

SchemaPtr rows_schema() {
  static const SchemaPtr schema =
      schema_of("k BIGINT NOT NULL, v BIGINT NOT NULL, at TIMESTAMP(3) *ROWTIME*");
  return schema;
}

std::vector<std::string> lines_of_rows(const RowsSource& source) {
  std::vector<std::string> lines;
  for (int split = 0; split < source.splits; ++split) {
    BatchBuilder builder(rows_schema(), test_pool());
    for (std::int64_t i = 0; i < source.rows; ++i) {
      const RowValues row = row_of(source, split, i);
      builder.column(0).append<std::int64_t>(row.k);
      builder.column(1).append<std::int64_t>(row.v);
      builder.column(2).append<std::int64_t>(row.at_ms);
      builder.commit_row();
    }
    for (std::string& line : lines_of(*builder.finish())) lines.push_back(std::move(line));
  }
  return sorted(std::move(lines));
}

Result<std::unique_ptr<Source>> TestConnectors::make_source(const ValueTree& spec) const {
  const std::string name = spec.get_string_or("connector", "");
  if (name != "rows") return Status::not_found("no source connector '" + name + "'");
  return std::make_unique<RowsSourceImpl>(read_rows(spec));
}

Result<std::unique_ptr<Sink>> TestConnectors::make_sink(const ValueTree& spec) const {
  const std::string name = spec.get_string_or("connector", "");
  if (name != "memory") return Status::not_found("no sink connector '" + name + "'");
  MemorySink sink;
  sink.fail_at = spec.get_int_or("fail_at", -1);
  sink.fail_prepare = spec.get_bool_or("fail_prepare", false);
  sink.fail_commit = spec.get_bool_or("fail_commit", false);
  return std::make_unique<MemorySinkImpl>(sink, *log_);
}

std::string JobBuilder::next_uid(std::string_view kind) {
  return fmt::format("{}-{}", kind, graph_.nodes.size());
}

int JobBuilder::source(const RowsSource& rows, int parallelism) {
  StreamNode node;
  node.spec.kind = "source";
  node.spec.uid = next_uid("source");
  node.spec.name = "Source: rows";
  node.spec.output = rows_schema();
  node.spec.options.set("source", spec_of(rows)).set("bounded", rows.bounded);
  if (rows.has_watermark) {
    node.spec.options.set("rowtime", 2)
        .set("watermark",
             expression_to_tree(*Expression::column(2, rows_schema()->field(2).type, "at")));
  }
  node.spec.options.set("idle_timeout_ms", rows.idle_timeout_ms)
      .set("alignment_group", rows.alignment_group)
      .set("alignment_max_drift_ms", rows.alignment_max_drift_ms);
  node.parallelism = parallelism;
  return add(std::move(node));
}

int JobBuilder::calc(const std::vector<int>& from, Partitioning partitioning, int parallelism,
                     bool filters) {
  StreamNode node;
  node.spec.kind = "calc";
  node.spec.uid = next_uid("calc");
  node.spec.name = filters ? "Calc[k <> 0]" : "Pass";
  node.spec.inputs = {rows_schema()};
  node.spec.output = rows_schema();
  if (filters) {
    const DataType type = rows_schema()->field(0).type;
    node.spec.options.set("filter",
                          expression_to_tree(*Expression::call(
                              "<>", {Expression::column(0, type, "k"), big_int_literal(0)},
                              DataType::boolean().with_nullable(false))));
  }
  node.parallelism = parallelism;
  node.may_chain = filters;
  const int added = add(std::move(node));
  for (const int producer : from) connect(producer, added, partitioning);
  return added;
}

int JobBuilder::filter(int from, Partitioning partitioning, int parallelism) {
  return calc({from}, partitioning, parallelism, true);
}

int JobBuilder::then(int from, OperatorSpec spec, Partitioning partitioning, int parallelism) {
  StreamNode node;
  node.spec = std::move(spec);
  node.spec.uid = next_uid(node.spec.kind);
  node.parallelism = parallelism;
  const int added = add(std::move(node));
  connect(from, added, partitioning);
  return added;
}

int JobBuilder::pass(const std::vector<int>& from, Partitioning partitioning, int parallelism) {
  return calc(from, partitioning, parallelism, false);
}

int JobBuilder::collect(int from, std::string_view name, Partitioning partitioning) {
  StreamNode node;
  node.spec.kind = "collect_sink";
  node.spec.uid = next_uid("collect");
  node.spec.name = "Collect";
  node.spec.inputs = {graph_.nodes[static_cast<std::size_t>(from)].spec.output};
  node.spec.options.set("result", name);
  const int added = add(std::move(node));
  connect(from, added, partitioning);
  return added;
}

int JobBuilder::write(int from, const MemorySink& sink, Partitioning partitioning,
                      int parallelism) {
  ValueTree spec;
  spec.set("connector", "memory")
      .set("fail_at", sink.fail_at)
      .set("fail_prepare", sink.fail_prepare)
      .set("fail_commit", sink.fail_commit);
  StreamNode node;
  node.spec.kind = "sink_writer";
  node.spec.uid = next_uid("write");
  node.spec.name = "Sink: memory";
  node.spec.inputs = {rows_schema()};
  node.spec.options.set("sink", std::move(spec));
  node.parallelism = parallelism;
  const int added = add(std::move(node));
  connect(from, added, partitioning);
  return added;
}

void JobBuilder::connect(int from, int to, Partitioning partitioning, int input) {
  std::vector<int> keys;
  if (partitioning == Partitioning::kHash) keys = {0};
  graph_.connect({from, to, input, partitioning, std::move(keys)});
}

JobGraph JobBuilder::build() {
  Result<JobGraph> job = build_job_graph(graph_);
  CLP_CHECK_MSG(job.is_ok(), job.status().to_string());
  return *std::move(job);
}

Result<Collected> read_all(ResultReader& reader) {
  Collected collected;
  while (true) {
    CLP_ASSIGN_OR_RETURN(const ResultReader::Fetched fetched,
                         reader.next(std::chrono::seconds(60)));
    if (fetched.state == ResultReader::State::kEnd) return collected;
    if (fetched.state == ResultReader::State::kNothingYet) {
      return Status::deadline_exceeded("no result for 60 s");
    }
    for (const Mark& mark : fetched.batch.marks()) collected.watermarks.push_back(mark.watermark);
    for (std::string& line : lines_of(fetched.batch.with_marks({}))) {
      collected.lines.push_back(std::move(line));
    }
  }
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

ThreadedCluster::ThreadedCluster(int threads, Configuration configuration) {
  LocalClusterOptions options;
  options.connectors = &connectors;
  options.worker_threads = threads;
  options.configuration = std::move(configuration);
  Result<std::unique_ptr<LocalCluster>> made = LocalCluster::make(std::move(options));
  CLP_CHECK_MSG(made.is_ok(), made.status().to_string());
  cluster = *std::move(made);
}

SimulatedCluster::SimulatedCluster(std::uint64_t seed)
    : pool(clock, {.seed = seed}),
      blocking_pool(pool),
      transport(pool, {.seed = seed, .delay_ns_max = 500'000, .limits = {}}),
      file_system(clock) {
  Random random = Random(seed).fork("configuration");
  LocalClusterOptions options;
  options.configuration.set("clepsydra.batch.rows-max",
                            std::to_string(random.uniform_between(1, 64)));
  options.configuration.set("clepsydra.channel.bytes-max",
                            std::to_string(random.uniform_between(1, 4096)) + " b");
  options.connectors = &connectors;
  options.clock = &clock;
  options.worker_pool = &pool;
  options.blocking_pool = &blocking_pool;
  options.transport = &transport;
  options.file_system = &file_system;
  options.seed = seed;
  options.run_until = [this](const std::function<bool()>& predicate) {
    return pool.run_until(predicate) == SimulationEnd::kSatisfied;
  };
  Result<std::unique_ptr<LocalCluster>> made = LocalCluster::make(std::move(options));
  CLP_CHECK_MSG(made.is_ok(), made.status().to_string());
  cluster = *std::move(made);
}

SimulatedCluster::~SimulatedCluster() {
  cluster.reset();
}

}  // namespace clepsydra::testing
