#include "workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/value_tree.h"
#include "stream/split_codec.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// How the rows of all splits are made.
struct Shape {
  std::int64_t keys = 1;
  std::int64_t key_stride = 1;  // So that keys are of any key groups.
  std::int64_t step = 1;        // Event time per row, in kEventStepMs.
  std::int64_t disorder = 0;    // How far back a row may be, in kEventStepMs.
  std::int64_t flips_at = 0;    // After so many rows another key is hot; 0: none is.
  std::int64_t burst_max = 1;   // Rows between rests.
  std::int64_t rest_ms_max = 0;
  std::int64_t delay_ms = 0;
};

void add_watermarks(WorkloadSplit& split, std::int64_t delay_ms) {
  split.watermarks = {kMinWatermark};
  std::int64_t largest = kMinWatermark;
  for (const WorkloadRow& row : split.rows) {
    largest = std::max(largest, row.at_ms - delay_ms);
    split.watermarks.push_back(largest);
  }
}

WorkloadSplit draw_split(Random& random, const Shape& shape, int number, std::int64_t rows) {
  WorkloadSplit split;
  std::int64_t hot = 0;
  std::int64_t burst = 0;
  // Whole stretches come late, not only single rows.
  std::int64_t stretch = 0;
  std::int64_t back = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (shape.flips_at > 0 && i % shape.flips_at == 0) {
      hot = random.uniform_between(0, shape.keys - 1);
    }
    if (stretch-- <= 0) {
      stretch = random.uniform(4) == 0 ? random.uniform_between(2, 12) : 0;
      back = random.uniform_between(0, shape.disorder);
    } else if (random.uniform(2) == 0) {
      back = random.uniform_between(0, shape.disorder);
    }
    const bool is_hot = shape.flips_at > 0 && random.uniform(10) != 0;
    const std::int64_t key = is_hot ? hot : random.uniform_between(0, shape.keys - 1);
    split.rows.push_back({key * shape.key_stride, number * Workload::kRowsPerSplitMax + i,
                          kWorkloadBaseMs + (i * shape.step - back) * kEventStepMs});
    const bool rests = burst-- <= 0;
    if (rests) burst = random.uniform_between(0, shape.burst_max);
    split.rests_ms.push_back(
        rests ? static_cast<std::int32_t>(random.uniform_between(0, shape.rest_ms_max)) : 0);
  }
  add_watermarks(split, shape.delay_ms);
  return split;
}

// One split goes quiet within its rows and comes back with later ones when all others have ended.
void let_one_wait(Random& random, const Shape& shape, Workload& workload) {
  std::size_t rows_max = 0;
  for (const WorkloadSource& source : workload.sources) {
    for (const WorkloadSplit& split : source.splits)
      rows_max = std::max(rows_max, split.rows.size());
  }
  WorkloadSource& source = workload.sources[random.uniform(workload.sources.size())];
  WorkloadSplit& split = source.splits[random.uniform(source.splits.size())];
  split.waits_at = static_cast<std::int64_t>(random.uniform(split.rows.size()));
  const std::int64_t later =
      (static_cast<std::int64_t>(rows_max) * shape.step + shape.disorder) * kEventStepMs;
  for (auto i = static_cast<std::size_t>(split.waits_at); i < split.rows.size(); ++i) {
    split.rows[i].at_ms += later;
  }
  add_watermarks(split, shape.delay_ms);
  // No rest and no stall is as long.
  workload.idle_timeout_ms = 300;
}

std::string position_text(int split, std::int64_t next) {
  return ValueTree::map().set("split", split).set("next", next).encode();
}

class WorkloadReader final : public SplitReader {
 public:
  WorkloadReader(WorkloadProcess& process, int source, int split, std::int64_t next,
                 const SourceContext& context)
      : process_(process),
        rows_(process.workload->sources[static_cast<std::size_t>(source)]
                  .splits[static_cast<std::size_t>(split)]),
        number_(process.workload->split_number(source, split)),
        source_(static_cast<std::size_t>(source)),
        split_(split),
        context_(context),
        next_(next) {
    process_.read_to_end.erase(number_);
  }

  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    const std::int64_t now_ns = context_.clock->monotonic_ns();
    if (!process_.is_healed) {
      if (process_.random.uniform_double() < process_.faults.poll_error) {
        process_.happened->add(Happening::kSourceError);
        return Status::unavailable("the source has gone away");
      }
      if (process_.random.uniform_double() < process_.faults.stall) {
        process_.happened->add(Happening::kStall);
        rests_until_ns_ =
            now_ns + process_.random.uniform_between(1, process_.faults.stall_ms_max) * kNsPerMs;
      }
    }
    if (next_ == rows_count()) {
      process_.read_to_end.insert(number_);
      if (process_.workload->is_bounded) return Poll{PollState::kEndOfSplit, 0};
      return Poll{PollState::kNothingYet, 0};
    }
    if (rests_until_ns_ > now_ns) return Poll{PollState::kNothingYet, rests_until_ns_};
    if (next_ == rows_.waits_at && !others_have_ended()) return Poll{PollState::kNothingYet, 0};
    if (rests_before_ != next_) {
      rests_before_ = next_;
      const std::int64_t rest_ms = rows_.rests_ms[static_cast<std::size_t>(next_)];
      if (rest_ms > 0) {
        rests_until_ns_ = now_ns + rest_ms * kNsPerMs;
        return Poll{PollState::kNothingYet, rests_until_ns_};
      }
    }
    return read(rows_max, batch);
  }
  [[nodiscard]] std::string position() const override { return position_text(split_, next_); }
  [[nodiscard]] std::int64_t bytes_read() const override { return next_ * 24; }

 private:
  [[nodiscard]] std::int64_t rows_count() const {
    return static_cast<std::int64_t>(rows_.rows.size());
  }

  // Those that set out with it; of others it is not known here where they are.
  [[nodiscard]] bool others_have_ended() const {
    const std::vector<WorkloadSource>& sources = process_.workload->sources;
    int number = 0;
    for (std::size_t source = 0; source < sources.size(); ++source) {
      for (std::size_t i = 0; i < sources[source].splits.size(); ++i, ++number) {
        if (number == number_ || process_.region_of[source] != process_.region_of[source_])
          continue;
        if (!process_.read_to_end.contains(number)) return false;
      }
    }
    return true;
  }

  Result<Poll> read(std::int64_t rows_max, Batch& batch) {
    BatchBuilder builder(workload_schema(), *context_.pool);
    do {
      const WorkloadRow& row = rows_.rows[static_cast<std::size_t>(next_++)];
      builder.column(0).append<std::int64_t>(row.k);
      builder.column(1).append<std::int64_t>(row.v);
      builder.column(2).append<std::int64_t>(row.at_ms);
      builder.commit_row();
    } while (builder.rows() < rows_max && next_ < rows_count() && next_ != rows_.waits_at &&
             rows_.rests_ms[static_cast<std::size_t>(next_)] == 0);
    CLP_ASSIGN_OR_RETURN(batch, builder.finish());
    return Poll{PollState::kRows, 0};
  }

  WorkloadProcess& process_;
  const WorkloadSplit& rows_;
  const int number_;
  const std::size_t source_;
  const int split_;
  const SourceContext context_;
  std::int64_t next_;
  std::int64_t rests_before_ = -1;  // The row whose rest was taken.
  std::int64_t rests_until_ns_ = 0;
};

// Deals all splits out at the first request of each subtask.
class WorkloadEnumerator final : public SplitEnumerator {
 public:
  WorkloadEnumerator(WorkloadProcess& process, int source) : process_(process), source_(source) {
    process_.restored.resize(process_.workload->sources.size());
    process_.restored[static_cast<std::size_t>(source_)] = std::nullopt;
    process_.beginning.insert(region());
  }

  Status start(SplitEnumeratorContext& /*context*/) override {
    const auto& splits = process_.workload->sources[static_cast<std::size_t>(source_)].splits;
    for (std::size_t i = 0; i < splits.size(); ++i) {
      splits_.push_back({std::to_string(i), position_text(static_cast<int>(i), 0)});
    }
    return Status::ok();
  }

  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    if (process_.beginning.erase(region()) > 0) {
      process_.on_attempt(region(), process_.restored);
    }
    bool gave = false;
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (static_cast<int>(i) % context.parallelism() != subtask || given_.contains(i)) continue;
      given_.insert(i);
      context.assign_split(subtask, splits_[i]);
      gave = true;
    }
    if (!gave) context.signal_no_more_splits(subtask);
    return Status::ok();
  }

  Status on_timer(SplitEnumeratorContext& /*context*/) override { return Status::ok(); }

  void add_splits_back(std::vector<SourceSplit> splits) override {
    for (SourceSplit& split : splits) splits_.push_back(std::move(split));
    process_.restored[static_cast<std::size_t>(source_)] = splits_;
  }

  [[nodiscard]] std::string snapshot() const override {
    std::vector<SourceSplit> left;
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (!given_.contains(i)) left.push_back(splits_[i]);
    }
    return ValueTree::map().set("splits", splits_to_tree(left)).encode();
  }

  Status restore(const std::string& snapshot, SplitEnumeratorContext& /*context*/) override {
    CLP_ASSIGN_OR_RETURN(splits_, splits_of_enumerator(snapshot));
    process_.restored[static_cast<std::size_t>(source_)] = splits_;
    return Status::ok();
  }

 private:
  [[nodiscard]] int region() const { return process_.region_of[static_cast<std::size_t>(source_)]; }

  WorkloadProcess& process_;
  const int source_;
  std::vector<SourceSplit> splits_;
  std::set<std::size_t> given_;
};

class WorkloadSourceImpl final : public Source {
 public:
  WorkloadSourceImpl(WorkloadProcess& process, int source) : process_(process), source_(source) {}
  [[nodiscard]] bool is_bounded() const override { return process_.workload->is_bounded; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return std::make_unique<WorkloadEnumerator>(process_, source_);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    CLP_ASSIGN_OR_RETURN(const ValueTree position, ValueTree::decode(split.payload));
    CLP_ASSIGN_OR_RETURN(const std::int64_t number, position.get_int("split"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t next, position.get_int("next"));
    return std::make_unique<WorkloadReader>(process_, source_, static_cast<int>(number), next,
                                            context);
  }

 private:
  WorkloadProcess& process_;
  const int source_;
};

}  // namespace

std::int64_t Workload::rows() const {
  std::int64_t total = 0;
  for (const WorkloadSource& source : sources) {
    for (const WorkloadSplit& split : source.splits) {
      total += static_cast<std::int64_t>(split.rows.size());
    }
  }
  return total;
}

int Workload::split_count() const {
  return split_number(static_cast<int>(sources.size()), 0);
}

int Workload::split_number(int source, int split) const {
  int number = split;
  for (int i = 0; i < source; ++i) {
    number += static_cast<int>(sources[static_cast<std::size_t>(i)].splits.size());
  }
  return number;
}

std::int64_t Workload::duration_ms() const {
  std::int64_t longest = 0;
  for (const WorkloadSource& source : sources) {
    for (const WorkloadSplit& split : source.splits) {
      std::int64_t total = 0;
      for (const std::int32_t rest_ms : split.rests_ms) total += rest_ms;
      longest = std::max(longest, total);
    }
  }
  return longest;
}

std::string Workload::describe() const {
  return fmt::format("{} rows in {} sources and {} splits{}{}{}", rows(), sources.size(),
                     split_count(), is_bounded ? "" : ", unbounded",
                     has_late_rows ? ", late rows" : "",
                     idle_timeout_ms > 0 ? ", one split waits for the others" : "");
}

Workload draw_workload(Random& random) {
  Workload workload;
  workload.sources.resize(random.uniform(5) < 2 ? 2 : 1);
  Shape shape;
  shape.keys = random.uniform_between(1, 12);
  shape.key_stride = random.uniform_between(1, 10'000);
  shape.step = random.uniform_between(1, 4);
  shape.disorder = random.uniform(3) == 0 ? 0 : random.uniform_between(1, 12);
  shape.flips_at = random.uniform(2) == 0 ? 0 : random.uniform_between(10, 60);
  workload.is_out_of_order = shape.disorder > 0;
  workload.has_key_flips = shape.flips_at > 0;
  shape.burst_max = random.uniform(4) == 0 ? 60 : 10;
  shape.rest_ms_max = 2 * shape.burst_max;
  const std::int64_t rows = random.uniform_between(60, 240);
  std::vector<int> splits;
  int split_count = 0;
  for (std::size_t i = 0; i < workload.sources.size(); ++i) {
    splits.push_back(static_cast<int>(random.uniform_between(1, 3)));
    split_count += splits.back();
  }
  // With several splits it depends on who is faster which rows are late, so none is.
  workload.has_late_rows = split_count == 1 && shape.disorder > 0 && random.uniform(4) != 0;
  shape.delay_ms = (workload.has_late_rows ? random.uniform_between(0, shape.disorder - 1)
                                           : shape.disorder + random.uniform_between(0, 2)) *
                   kEventStepMs;
  workload.delay_ms = shape.delay_ms;
  int number = 0;
  for (std::size_t i = 0; i < workload.sources.size(); ++i) {
    for (int split = 0; split < splits[i]; ++split) {
      const std::int64_t share = rows / split_count;
      workload.sources[i].splits.push_back(
          draw_split(random, shape, number++, random.uniform_between(share / 2 + 1, share + 1)));
    }
  }
  if (split_count > 1 && random.uniform(6) == 0) let_one_wait(random, shape, workload);
  workload.is_bounded = workload.idle_timeout_ms > 0 || random.uniform(5) != 0;
  return workload;
}

Positions Positions::at_start(const Workload& workload) {
  Positions positions;
  for (const WorkloadSource& source : workload.sources) {
    positions.sources.emplace_back(source.splits.size());
  }
  return positions;
}

Positions Positions::at_end(const Workload& workload) {
  Positions positions = at_start(workload);
  for (std::size_t source = 0; source < workload.sources.size(); ++source) {
    for (std::size_t i = 0; i < workload.sources[source].splits.size(); ++i) {
      const WorkloadSplit& split = workload.sources[source].splits[i];
      positions.sources[source][i] = {workload.is_bounded,
                                      static_cast<std::int64_t>(split.rows.size()),
                                      split.watermarks.back()};
    }
  }
  return positions;
}

Status Positions::set_remaining(int source, const std::vector<SourceSplit>& splits) {
  std::vector<Split>& of_source = sources.at(static_cast<std::size_t>(source));
  for (Split& split : of_source) split = {.has_finished = true};
  for (const SourceSplit& split : splits) {
    CLP_ASSIGN_OR_RETURN(const ValueTree payload, ValueTree::decode(split.payload));
    CLP_ASSIGN_OR_RETURN(const std::int64_t number, payload.get_int("split"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t next, payload.get_int("next"));
    Split& position = of_source.at(static_cast<std::size_t>(number));
    if (!position.has_finished) {
      return Status::internal(fmt::format("split {} is there twice", number));
    }
    position = {.has_finished = false, .next = next};
    if (split.progress.empty()) continue;
    CLP_ASSIGN_OR_RETURN(const ValueTree progress, ValueTree::decode(split.progress));
    CLP_ASSIGN_OR_RETURN(position.delivered, progress.get_int("delivered"));
  }
  return Status::ok();
}

bool Positions::is_at(const Positions& other) const {
  return std::equal(sources.begin(), sources.end(), other.sources.begin(), other.sources.end(),
                    [](const std::vector<Split>& a, const std::vector<Split>& b) {
                      return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                        [](const Split& x, const Split& y) {
                                          return x.has_finished == y.has_finished &&
                                                 x.next == y.next;
                                        });
                    });
}

Workload read_of(const Workload& workload, const Positions& positions) {
  Workload read = workload;
  for (std::size_t source = 0; source < read.sources.size(); ++source) {
    for (std::size_t i = 0; i < read.sources[source].splits.size(); ++i) {
      const Positions::Split& position = positions.sources[source][i];
      if (position.has_finished) continue;
      read.sources[source].splits[i].rows.resize(static_cast<std::size_t>(position.next));
    }
  }
  return read;
}

Result<std::vector<SourceSplit>> splits_of_enumerator(const std::string& snapshot) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
  CLP_ASSIGN_OR_RETURN(const ValueTree splits, tree.get("splits"));
  return splits_from_tree(splits);
}

std::unique_ptr<Source> make_workload_source(WorkloadProcess& process, int source) {
  return std::make_unique<WorkloadSourceImpl>(process, source);
}

SchemaPtr workload_schema() {
  static const SchemaPtr schema =
      schema_of("k BIGINT NOT NULL, v BIGINT NOT NULL, at TIMESTAMP(3) *ROWTIME*");
  return schema;
}

}  // namespace clepsydra::testing
