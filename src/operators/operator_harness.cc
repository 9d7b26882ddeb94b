#include "operators/operator_harness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "stream/value_text.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
class OperatorHarness::Sink final : public Output {
 public:
  explicit Sink(OperatorHarness& harness) : harness_(&harness) {}

  Status emit(Batch batch) override {
    for (const Mark& mark : batch.marks()) {
      EXPECT_GT(mark.watermark, last_watermark_) << "a watermark that does not advance";
      last_watermark_ = mark.watermark;
    }
    for (const std::string& line : lines_of(batch)) {
      if (line[0] != '@') {
        harness_->rows_.push_back(line);
        harness_->output_.push_back(line);
      } else {
        harness_->output_.push_back(watermark_line(std::stoll(line.substr(1))));
      }
    }
    harness_->step_rows_ += batch.rows();
    return Status::ok();
  }

 private:
  static std::string watermark_line(std::int64_t watermark) {
    if (watermark == kMaxWatermark) return "~end";
    std::string text = "~";
    append_timestamp_text(watermark, 3, text);
    return text;
  }

  OperatorHarness* harness_;
  std::int64_t last_watermark_ = kMinWatermark;
};

OperatorHarness::OperatorHarness() = default;
OperatorHarness::~OperatorHarness() = default;

Result<std::unique_ptr<OperatorHarness>> OperatorHarness::make(std::vector<OperatorSpec> specs,
                                                               Options options) {
  std::unique_ptr<OperatorHarness> harness(new OperatorHarness());
  OperatorHarness& self = *harness;
  self.specs_ = std::move(specs);
  std::vector<RestoredState> restored = std::move(options.restored);
  self.options_ = std::move(options);
  self.clock_.advance_ms(self.options_.clock_start_ms - self.clock_.now_ms());
  self.pool_ = MemoryPool::make_root("test", self.options_.pool_bytes);
  self.sink_ = std::make_unique<Sink>(self);
  self.input_ = self.specs_[0].inputs[0];
  self.former_counters_.resize(self.specs_.size());
  restored.resize(self.specs_.size());
  CLP_RETURN_IF_ERROR(self.make_chain(std::move(restored)));
  return harness;
}

Status OperatorHarness::make_chain(std::vector<RestoredState> restored) {
  std::vector<OperatorChain::Link> links;
  for (const OperatorSpec& spec : specs_) {
    const int producer = static_cast<int>(links.size()) - 1;
    links.push_back({.spec = spec, .producer = producer});
  }
  const int last = static_cast<int>(links.size()) - 1;
  const OperatorChain::Wiring wiring{
      .context = [&](int op, const OperatorSpec&) -> Result<OperatorContext> {
        CLP_ASSIGN_OR_RETURN(
            std::unique_ptr<KeyedStateBackend> backend,
            StateBackendRegistry::built_in().make(
                "hashmap",
                {.pool = pool_.get(), .key_groups = options_.key_groups, .clock = &clock_}));
        CLP_RETURN_IF_ERROR(backend->restore(std::move(restored[static_cast<std::size_t>(op)])));
        OperatorContext context;
        context.pool = pool_.get();
        context.clock = &clock_;
        context.state = backend.get();
        context.job_id = "test";
        context.batch_rows_max = options_.output_rows_max;
        if (options_.customize) options_.customize(context);
        backends_.push_back(std::move(backend));
        return context;
      },
      .outputs = [&](int op) -> std::vector<Output*> {
        return op == last ? std::vector<Output*>{sink_.get()} : std::vector<Output*>{};
      }};
  CLP_ASSIGN_OR_RETURN(chain_,
                       OperatorChain::make(std::move(links), wiring, OperatorRegistry::built_in()));
  for (const auto& backend : backends_) EXPECT_THAT(backend->unclaimed(), ::testing::IsEmpty());
  return Status::ok();
}

Status OperatorHarness::checkpoint(bool as_base) {
  CLP_RETURN_IF_ERROR(settle(chain_->flush()));
  CLP_RETURN_IF_ERROR(chain_->prepare_checkpoint());
  snapshots_.resize(backends_.size());
  for (std::size_t op = 0; op < backends_.size(); ++op) {
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<StateSnapshot> snapshot,
                         backends_[op]->freeze(as_base));
    std::string bytes;
    for (bool is_done = false; !is_done;) {
      CLP_ASSIGN_OR_RETURN(is_done, snapshot->write_some(50, bytes));
    }
    std::vector<std::string>& chain = snapshots_[op];
    const std::size_t outdated = snapshot->is_base() ? chain.size() : snapshot->outdated();
    chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outdated));
    chain.push_back(std::move(bytes));
  }
  for (const auto& backend : backends_) backend->confirm(true);
  return Status::ok();
}

Status OperatorHarness::restore() {
  std::vector<RestoredState> restored(snapshots_.size());
  for (std::size_t op = 0; op < snapshots_.size(); ++op) {
    restored[op].parts.push_back({.snapshots = SnapshotBytes::all_of(snapshots_[op])});
  }
  for (int op = 0; op < chain_->size(); ++op)
    former_counters_[static_cast<std::size_t>(op)] = counters(op);
  chain_.reset();
  backends_.clear();
  return make_chain(std::move(restored));
}

OperatorCounters OperatorHarness::counters(int op) const {
  OperatorCounters sum = former_counters_[static_cast<std::size_t>(op)];
  const OperatorCounters& now = chain_->counters(op);
  sum.rows_in += now.rows_in;
  sum.rows_out += now.rows_out;
  sum.late_rows += now.late_rows;
  sum.dropped_rows += now.dropped_rows;
  for (const std::string& text : now.late_sample) {
    if (sum.late_sample.size() < static_cast<std::size_t>(OperatorCounters::kLateSampleMax)) {
      sum.late_sample.push_back(text);
    }
  }
  return sum;
}

Status OperatorHarness::push(const std::vector<std::string>& lines) {
  std::vector<std::string> marks;
  marks.reserve(lines.size());  // Views of them are kept.
  std::vector<std::string_view> part;
  std::int64_t rows = 0;
  const auto process = [&]() -> Status {
    Batch batch = batch_of(input_, part, *pool_);
    part.clear();
    rows = 0;
    CLP_RETURN_IF_ERROR(settle(chain_->process(0, std::move(batch))));
    ++batches_;
    const auto is_due = [&](std::int64_t every) { return every > 0 && batches_ % every == 0; };
    const bool is_restored = is_due(options_.restore_every);
    if (is_restored || is_due(options_.checkpoint_every)) CLP_RETURN_IF_ERROR(checkpoint());
    return is_restored ? restore() : Status::ok();
  };
  for (const std::string& line : lines) {
    if (line[0] == '~') {
      marks.push_back("@" + std::to_string(millis_of(std::string_view(line).substr(1))));
      part.emplace_back(marks.back());
      continue;
    }
    // A mark stays in the batch of the row before it.
    if (rows >= options_.batch_rows) CLP_RETURN_IF_ERROR(process());
    part.emplace_back(line);
    ++rows;
  }
  return part.empty() ? Status::ok() : process();
}

Status OperatorHarness::step(Status status) {
  step_rows_max_ = std::max(step_rows_max_, std::exchange(step_rows_, 0));
  return status;
}

Status OperatorHarness::settle(Status status) {
  CLP_RETURN_IF_ERROR(step(std::move(status)));
  while (chain_->has_pending()) CLP_RETURN_IF_ERROR(step(chain_->resume()));
  return Status::ok();
}

Status OperatorHarness::flush() {
  return settle(chain_->flush());
}

Status OperatorHarness::finish() {
  CLP_RETURN_IF_ERROR(settle(chain_->process(0, Batch::of_watermark(input_, kMaxWatermark))));
  return settle(chain_->finish());
}

Status OperatorHarness::advance_clock(std::int64_t to_ms) {
  while (chain_->next_timer_ms() <= to_ms) {
    const std::int64_t due = chain_->next_timer_ms();
    clock_.advance_ms(std::max<std::int64_t>(0, due - clock_.now_ms()));
    CLP_RETURN_IF_ERROR(settle(chain_->on_processing_time(clock_.now_ms())));
    if (chain_->next_timer_ms() == due) return Status::internal("a timer that stays due");
  }
  clock_.advance_ms(std::max<std::int64_t>(0, to_ms - clock_.now_ms()));
  return Status::ok();
}

std::int64_t millis_of(std::string_view timestamp) {
  std::int64_t ticks = 0;
  CLP_CHECK_MSG(parse_timestamp(timestamp, 3, ticks), timestamp);
  return ticks;
}

}  // namespace clepsydra::testing
