#include "operators/operator_harness.h"

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
  harness->options_ = std::move(options);
  OperatorHarness& self = *harness;
  self.clock_.advance_ms(self.options_.clock_start_ms - self.clock_.now_ms());
  self.pool_ = MemoryPool::make_root("test", self.options_.pool_bytes);
  self.sink_ = std::make_unique<Sink>(self);
  self.input_ = specs[0].inputs[0];
  std::vector<OperatorChain::Link> links;
  for (OperatorSpec& spec : specs) {
    const int producer = static_cast<int>(links.size()) - 1;
    links.push_back({.spec = std::move(spec), .producer = producer});
  }
  const int last = static_cast<int>(links.size()) - 1;
  const OperatorChain::Wiring wiring{
      .context = [&self](int, const OperatorSpec&) -> Result<OperatorContext> {
        CLP_ASSIGN_OR_RETURN(
            std::unique_ptr<KeyedStateBackend> backend,
            StateBackendRegistry::built_in().make("hashmap", {.pool = self.pool_.get()}));
        OperatorContext context;
        context.pool = self.pool_.get();
        context.clock = &self.clock_;
        context.state = backend.get();
        context.job_id = "test";
        context.batch_rows_max = self.options_.output_rows_max;
        if (self.options_.customize) self.options_.customize(context);
        self.backends_.push_back(std::move(backend));
        return context;
      },
      .outputs = [&self, last](int op) -> std::vector<Output*> {
        return op == last ? std::vector<Output*>{self.sink_.get()} : std::vector<Output*>{};
      }};
  CLP_ASSIGN_OR_RETURN(self.chain_,
                       OperatorChain::make(std::move(links), wiring, OperatorRegistry::built_in()));
  return harness;
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
    return settle(chain_->process(0, std::move(batch)));
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
