#include "operators/operator_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_pool.h"
#include "operators/operator_harness.h"
#include "stream/column_builder.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What happened, in order: "a got 2", "a flushed".
std::vector<std::string> events;

// Gives each batch out `copies` times, one per step after the first, and one more batch at a flush
// and at the finish when told so.
class EchoOperator final : public Operator {
 public:
  EchoOperator(const OperatorSpec& spec, std::int64_t copies, bool gives_at_end, std::int64_t timer)
      : name_(spec.name), copies_(copies), gives_at_end_(gives_at_end), timer_ms_(timer) {}

  Status process(int input, Batch batch, Output& output) override {
    EXPECT_EQ(left_, 0) << name_ << " got more while it had work";
    if (batch.rows() == 13) return Status::internal("thirteen rows");
    events.push_back(name_ + " got " + std::to_string(batch.rows()) +
                     (input > 0 ? " at input " + std::to_string(input) : ""));
    batch_ = std::move(batch);
    left_ = copies_;
    return resume(output);
  }
  [[nodiscard]] bool has_pending() const override { return left_ > 0; }
  Status resume(Output& output) override {
    if (left_ == 0) return Status::ok();
    --left_;
    return output.emit(batch_);
  }
  Status flush(Output& output) override { return give("flushed", output); }
  Status prepare_checkpoint() override {
    events.push_back(name_ + " prepared");
    return batch_.rows() == 7 ? Status::internal("seven rows") : Status::ok();
  }
  Status finish(Output& output) override { return give("finished", output); }
  Status on_processing_time(std::int64_t now_ms, Output& /*output*/) override {
    events.push_back(name_ + " woke at " + std::to_string(now_ms));
    timer_ms_ = kMaxWatermark;
    return Status::ok();
  }
  [[nodiscard]] std::int64_t next_timer_ms() const override { return timer_ms_; }

 private:
  Status give(const char* what, Output& output) {
    events.push_back(name_ + " " + what);
    return gives_at_end_ ? output.emit(batch_) : Status::ok();
  }

  std::string name_;
  std::int64_t copies_;
  bool gives_at_end_;
  std::int64_t timer_ms_;
  Batch batch_;
  std::int64_t left_ = 0;
};

Result<OperatorPtr> make_echo(const OperatorSpec& spec, OperatorContext& /*context*/) {
  if (spec.name == "broken") return Status::invalid_argument("no such thing");
  return std::make_unique<EchoOperator>(spec, spec.options.get_int_or("copies", 1),
                                        spec.options.get_bool_or("gives_at_end", false),
                                        spec.options.get_int_or("timer", kMaxWatermark));
}

class Recorder final : public Output {
 public:
  Status emit(Batch batch) override {
    rows.push_back(batch.rows());
    return Status::ok();
  }
  std::vector<std::int64_t> rows;
};

class OperatorChainTest : public ::testing::Test {
 protected:
  OperatorChainTest() {
    events.clear();
    registry_.add({.kind = "echo", .inputs = 1, .make = make_echo});
    registry_.add({.kind = "join", .inputs = 2, .make = make_echo});
  }

  static OperatorChain::Link link(std::string name, int producer, ValueTree options = {},
                                  std::string kind = "echo") {
    OperatorChain::Link link;
    link.spec.kind = std::move(kind);
    link.spec.name = std::move(name);
    link.spec.inputs.resize(link.spec.kind == "join" ? 2 : 1);
    link.spec.options = std::move(options);
    link.producer = producer;
    return link;
  }
  static ValueTree options(const char* key, ValueTree value) {
    ValueTree tree;
    tree.set(key, std::move(value));
    return tree;
  }

  // outputs_[i] hangs on operator output_of_[i].
  Result<std::unique_ptr<OperatorChain>> make(std::vector<OperatorChain::Link> links,
                                              std::vector<int> output_of) {
    output_of_ = std::move(output_of);
    outputs_.resize(output_of_.size());
    return OperatorChain::make(std::move(links),
                               {.context = [](int, const OperatorSpec&) -> Result<OperatorContext> {
                                  return OperatorContext();
                                },
                                .outputs =
                                    [this](int op) {
                                      std::vector<Output*> found;
                                      for (std::size_t i = 0; i < outputs_.size(); ++i) {
                                        if (output_of_[i] == op) found.push_back(&outputs_[i]);
                                      }
                                      return found;
                                    }},
                               registry_);
  }

  Batch rows(std::int64_t count) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (std::int64_t i = 0; i < count; ++i) builder.append(i);
    return {schema_, count, {builder.finish().value()}};
  }
  static void settle(OperatorChain& chain) {
    for (int i = 0; chain.has_pending(); ++i) {
      ASSERT_LT(i, 1000);
      ASSERT_TRUE(chain.resume().is_ok());
    }
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  SchemaPtr schema_ = testing::schema_of("a BIGINT");
  OperatorRegistry registry_;
  std::vector<int> output_of_;
  std::vector<Recorder> outputs_;
};

TEST_F(OperatorChainTest, a_tree_gets_every_batch_and_counts_rows) {
  auto chain =
      make({link("a", -1), link("b", 0), link("c", 0), link("d", 1)}, {0, 2, 3, 3}).value();

  ASSERT_TRUE(chain->process(0, rows(2)).is_ok());

  EXPECT_THAT(events, ElementsAre("a got 2", "b got 2", "d got 2", "c got 2"));
  for (const Recorder& output : outputs_) EXPECT_THAT(output.rows, ElementsAre(2));
  EXPECT_EQ(chain->counters(0).rows_in, 2);
  EXPECT_EQ(chain->counters(0).rows_out, 2);
  EXPECT_EQ(chain->counters(3).rows_in, 2);
  EXPECT_FALSE(chain->has_pending());
}

TEST_F(OperatorChainTest, a_source_at_the_head_is_not_built_and_its_rows_count_as_given_out) {
  auto chain = make({link("s", -1, {}, "source"), link("a", 0)}, {0, 1}).value();

  ASSERT_TRUE(chain->process(0, rows(5)).is_ok());
  ASSERT_TRUE(chain->finish().is_ok());

  EXPECT_THAT(events, ElementsAre("a got 5", "a finished"));
  EXPECT_EQ(chain->counters(0).rows_in, 0);
  EXPECT_EQ(chain->counters(0).rows_out, 5);
  EXPECT_THAT(outputs_[0].rows, ElementsAre(5));
}

TEST_F(OperatorChainTest, inputs_of_the_head_keep_their_number) {
  auto chain = make({link("j", -1, {}, "join")}, {}).value();

  ASSERT_TRUE(chain->process(1, rows(1)).is_ok());

  EXPECT_THAT(events, ElementsAre("j got 1 at input 1"));
}

TEST_F(OperatorChainTest, batches_wait_for_a_consumer_that_has_work_left) {
  // a gives out 3 batches per input, one per step; b 2 for each of them.
  auto chain =
      make({link("a", -1, options("copies", 3)), link("b", 0, options("copies", 2))}, {1}).value();

  ASSERT_TRUE(chain->process(0, rows(4)).is_ok());

  EXPECT_TRUE(chain->has_pending());
  EXPECT_EQ(outputs_[0].rows.size(), 1U);
  // The consumer catches up before the producer goes on.
  ASSERT_TRUE(chain->resume().is_ok());
  EXPECT_THAT(events, ElementsAre("a got 4", "b got 4"));
  EXPECT_EQ(outputs_[0].rows.size(), 2U);
  settle(*chain);
  EXPECT_EQ(outputs_[0].rows.size(), 6U);
  EXPECT_EQ(chain->counters(1).rows_in, 12);
  EXPECT_EQ(chain->counters(1).rows_out, 24);
}

TEST_F(OperatorChainTest, a_flush_goes_from_producers_to_consumers_and_waits_for_pending_work) {
  ValueTree gives = options("gives_at_end", true);
  auto chain =
      make({link("a", -1, gives), link("b", 0, options("copies", 2)), link("c", 1)}, {2}).value();
  ASSERT_TRUE(chain->process(0, rows(1)).is_ok());
  settle(*chain);
  events.clear();
  outputs_[0].rows.clear();

  ASSERT_TRUE(chain->flush().is_ok());

  // b got what a gave out and has work left: its turn, and c's, come after that.
  EXPECT_TRUE(chain->has_pending());
  EXPECT_THAT(events, ElementsAre("a flushed", "b got 1", "c got 1"));
  settle(*chain);
  EXPECT_THAT(events,
              ElementsAre("a flushed", "b got 1", "c got 1", "c got 1", "b flushed", "c flushed"));
  EXPECT_THAT(outputs_[0].rows, ElementsAre(1, 1));
}

TEST_F(OperatorChainTest, a_barrier_reaches_all_operators_after_the_flush) {
  auto chain = make({link("source", -1), link("a", 0), link("b", 1)}, {}).value();
  ASSERT_TRUE(chain->flush().is_ok());
  settle(*chain);
  events.clear();

  ASSERT_TRUE(chain->prepare_checkpoint().is_ok());

  EXPECT_THAT(events, ElementsAre("source prepared", "a prepared", "b prepared"));
  ASSERT_TRUE(chain->process(0, rows(7)).is_ok());
  settle(*chain);
  EXPECT_EQ(chain->prepare_checkpoint().message(), "operator 'source': seven rows");
}

TEST_F(OperatorChainTest, the_end_reaches_all_operators_once) {
  auto chain =
      make({link("a", -1, options("gives_at_end", true)), link("b", 0), link("c", 0)}, {1, 2})
          .value();
  ASSERT_TRUE(chain->process(0, rows(1)).is_ok());
  events.clear();

  ASSERT_TRUE(chain->finish().is_ok());
  settle(*chain);

  EXPECT_THAT(events, ElementsAre("a finished", "b got 1", "c got 1", "b finished", "c finished"));
}

TEST_F(OperatorChainTest, only_due_timers_are_called_and_the_earliest_is_known) {
  auto chain =
      make({link("a", -1, options("timer", 50)), link("b", 0, options("timer", 20)), link("c", 0)},
           {})
          .value();
  EXPECT_EQ(chain->next_timer_ms(), 20);

  ASSERT_TRUE(chain->on_processing_time(30).is_ok());

  EXPECT_THAT(events, ElementsAre("b woke at 30"));
  EXPECT_EQ(chain->next_timer_ms(), 50);
  ASSERT_TRUE(chain->on_processing_time(50).is_ok());
  EXPECT_EQ(chain->next_timer_ms(), kMaxWatermark);
}

TEST_F(OperatorChainTest, an_error_names_the_operator_it_comes_from) {
  auto chain = make({link("first", -1), link("second", 0)}, {}).value();

  const Status status = chain->process(0, rows(13));

  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(status.message(), "operator 'first': thirteen rows");
  EXPECT_THAT(events, IsEmpty());
  const Status made = make({link("a", -1), link("broken", 0)}, {}).status();
  EXPECT_EQ(made.message(), "operator 'broken': no such thing");
}

TEST_F(OperatorChainTest, links_that_are_no_tree_and_unknown_kinds_are_refused) {
  EXPECT_EQ(make({}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(make({link("a", 0)}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(make({link("a", -1), link("b", -1)}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(make({link("a", -1), link("b", 1)}, {}).status().code(), StatusCode::kInvalidArgument);
  const Status unknown = make({link("a", -1, {}, "merge")}, {}).status();
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_THAT(unknown.to_string(), HasSubstr("known: echo, join"));
  OperatorChain::Link two_inputs = link("a", -1);
  two_inputs.spec.inputs.resize(2);
  EXPECT_EQ(make({two_inputs}, {}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace clepsydra
