#include "taskmanager/source_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_pool.h"
#include "clepsydra/connector_runtime.h"
#include "functions/expression.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::schema_of;
using testing::test_pool;

constexpr std::int64_t kMs = 1'000'000;

// "10 ms" in a script is a rest; a number is a row with that event time in milliseconds; "end" and
// "fail" speak for themselves. Consecutive rows of one list come in one batch.
using Script = std::vector<std::vector<std::string>>;

SchemaPtr times() {
  return schema_of("at TIMESTAMP(3)");
}

class ScriptedReader final : public SplitReader {
 public:
  ScriptedReader(std::string name, const Script& script, std::size_t begin,
                 const SourceContext& context)
      : name_(std::move(name)),
        taken_(begin),
        script_(script.begin() + static_cast<std::ptrdiff_t>(begin), script.end()),
        context_(context) {}

  Result<Poll> poll(std::int64_t /*rows_max*/, Batch& batch) override {
    if (script_.empty() || context_.clock->monotonic_ns() < rests_until_ns_) {
      return Poll{PollState::kNothingYet, script_.empty() ? 0 : rests_until_ns_};
    }
    const std::vector<std::string> entry = script_.front();
    script_.pop_front();
    ++taken_;
    if (entry[0] == "end") return Poll{PollState::kEndOfSplit, 0};
    if (entry[0] == "fail") return Status::data_loss("scripted failure");
    if (entry[0].ends_with(" ms")) {
      rests_until_ns_ = context_.clock->monotonic_ns() + std::stoll(entry[0]) * kMs;
      return Poll{PollState::kNothingYet, rests_until_ns_};
    }
    BatchBuilder builder(times(), test_pool());
    bool ends = false;
    for (const std::string& row : entry) {
      ends = row == "end";
      if (ends) break;
      if (row == "NULL") {
        builder.column(0).append_null();
      } else {
        builder.column(0).append<std::int64_t>(std::stoll(row));
      }
      builder.commit_row();
    }
    CLP_ASSIGN_OR_RETURN(batch, builder.finish());
    return Poll{ends ? PollState::kEndOfSplit : PollState::kRows, 0};
  }
  // "a+2": what is left of script "a" after two entries.
  [[nodiscard]] std::string position() const override {
    return name_ + "+" + std::to_string(taken_);
  }
  [[nodiscard]] std::int64_t bytes_read() const override { return 7; }

 private:
  const std::string name_;
  std::size_t taken_;
  std::deque<std::vector<std::string>> script_;
  const SourceContext context_;
  std::int64_t rests_until_ns_ = 0;
};

class ScriptedSource final : public Source {
 public:
  explicit ScriptedSource(const std::map<std::string, Script>& scripts) : scripts_(scripts) {}
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    const std::size_t plus = split.payload.find('+');
    const std::string name = split.payload.substr(0, plus);
    const auto script = scripts_.find(name);
    if (script == scripts_.end()) return Status::not_found("no split " + split.payload);
    const std::size_t begin =
        plus == std::string::npos ? 0 : std::stoul(split.payload.substr(plus + 1));
    return std::make_unique<ScriptedReader>(name, script->second, begin, context);
  }

 private:
  const std::map<std::string, Script>& scripts_;
};

class ScriptedConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& /*spec*/) const override {
    return std::make_unique<ScriptedSource>(scripts);
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& /*spec*/) const override {
    return Status::unimplemented("not in this test");
  }
  std::map<std::string, Script> scripts;
};

class SourceDriverTest : public ::testing::Test {
 protected:
  SourceDriverTest() {
    options_.set("source", ValueTree::map())
        .set("rowtime", 0)
        .set("watermark", expression_to_tree(*Expression::column(0, times()->field(0).type, "at")));
  }

  // A driver over the scripts of splits "a", "b", ...
  void open(std::map<std::string, Script> scripts) {
    connectors_.scripts = std::move(scripts);
    Result<std::unique_ptr<SourceDriver>> made = make();
    ASSERT_TRUE(made.is_ok()) << made.status().to_string();
    driver_ = *std::move(made);
  }
  Result<std::unique_ptr<SourceDriver>> make() {
    SourceDriverOptions options;
    options.spec = options_;
    options.output = output_;
    options.connectors = &connectors_;
    options.context.pool = &test_pool();
    options.context.clock = &clock_;
    options.evaluation.pool = &test_pool();
    options.evaluation.clock = &clock_;
    options.request_splits = [this] { ++requests_; };
    options.report_alignment = [this](std::int64_t watermark) { reports_.push_back(watermark); };
    return SourceDriver::make(std::move(options));
  }
  void give(const std::vector<std::string>& splits, bool no_more = false) {
    std::vector<SourceSplit> given;
    for (const std::string& split : splits) given.push_back({split, split});
    const Status status = driver_->add_splits(given, no_more);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  // The same source after a failure, with the splits that snapshot_splits() gave.
  void restart(const std::vector<SourceSplit>& splits, bool no_more = true) {
    driver_ = *make();
    was_idle_ = false;
    take();
    const Status status = driver_->add_splits(splits, no_more);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  // What comes until there is nothing: rows as milliseconds, marks as "@5", the ends of batches
  // not shown; "idle" or "active" when that changes, "end" at the end.
  std::vector<std::string> take() {
    std::vector<std::string> taken;
    while (true) {
      Result<TaskInput::Next> next = driver_->poll();
      if (!next.is_ok()) return {next.status().to_string()};
      if (driver_->has_started() && driver_->idle() != was_idle_) {
        was_idle_ = driver_->idle();
        taken.emplace_back(was_idle_ ? "idle" : "active");
      }
      if (next->state == TaskInput::State::kNothing) return taken;
      if (next->state == TaskInput::State::kEnd) {
        taken.emplace_back("end");
        return taken;
      }
      for (const std::string& line : show(next->batch)) taken.push_back(line);
    }
  }
  static std::vector<std::string> show(const Batch& batch) {
    std::vector<std::string> lines;
    std::size_t mark = 0;
    for (std::int64_t row = 0; row <= batch.rows(); ++row) {
      while (mark < batch.marks().size() && batch.marks()[mark].row == row) {
        const std::int64_t watermark = batch.marks()[mark++].watermark;
        lines.push_back(watermark == kMaxWatermark ? "@max" : "@" + std::to_string(watermark));
      }
      if (row == batch.rows()) break;
      lines.push_back(batch.column(0).is_null(row)
                          ? "NULL"
                          : std::to_string(batch.column(0).values<std::int64_t>()[row]));
    }
    return lines;
  }

  ValueTree options_;
  SchemaPtr output_ = times();
  SimulatedClock clock_;
  ScriptedConnectors connectors_;
  std::unique_ptr<SourceDriver> driver_;
  int requests_ = 0;
  std::vector<std::int64_t> reports_;
  bool was_idle_ = false;
};

TEST_F(SourceDriverTest, rows_come_with_marks_and_time_ends_with_the_last_split) {
  open({{"a", {{"1000", "1100", "1300"}, {"end"}}}});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_FALSE(driver_->has_started());
  EXPECT_EQ(requests_, 1);
  give({"a"});
  EXPECT_THAT(take(), ElementsAre("1000", "@1000", "1100", "1300", "@1300"));
  EXPECT_EQ(requests_, 2);
  give({}, true);
  EXPECT_THAT(take(), ElementsAre("idle", "@max", "end"));
  EXPECT_EQ(requests_, 2);
  EXPECT_EQ(driver_->bytes_read(), 7);
}

TEST_F(SourceDriverTest, without_a_split_it_has_ended_or_is_idle) {
  open({});
  give({});
  EXPECT_THAT(take(), ElementsAre("idle"));
  EXPECT_EQ(requests_, 0);  // The enumerator remembers the request that it answered with nothing.
  give({}, true);
  EXPECT_THAT(take(), ElementsAre("@max", "end"));
}

TEST_F(SourceDriverTest, a_subtask_that_never_gets_a_split_says_so_with_its_first_word) {
  open({});
  give({}, true);
  EXPECT_TRUE(driver_->has_started());
  EXPECT_TRUE(driver_->idle());
}

TEST_F(SourceDriverTest, marks_are_the_minimum_over_splits) {
  open({{"a", {{"1000"}, {"5000"}, {"end"}}}, {"b", {{"2000"}, {"3000"}, {"end"}}}});
  give({"a", "b"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "2000", "@1000", "5000", "@2000", "3000", "@3000", "@max",
                                  "end"));
}

TEST_F(SourceDriverTest, a_split_that_ends_leaves_time_to_the_others) {
  open({{"a", {{"1000"}, {"end"}}}, {"b", {{"2000"}, {"10 ms"}, {"9000"}, {"end"}}}});
  give({"a", "b"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "2000", "@1000", "@2000"));
  clock_.advance_ms(10);
  EXPECT_THAT(take(), ElementsAre("9000", "@9000", "@max", "end"));
}

TEST_F(SourceDriverTest, time_does_not_go_back_with_the_next_split) {
  open({{"a", {{"5000", "end"}}}, {"b", {{"1000", "6000", "end"}}}});
  give({"a"});
  EXPECT_THAT(take(), ElementsAre("5000", "@5000"));
  give({"b"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "6000", "@6000", "@max", "end"));
}

TEST_F(SourceDriverTest, a_small_advance_waits_for_the_tick_but_never_for_a_batch) {
  open({{"a", {{"1000"}, {"1100"}, {"1150"}, {"1000 ms"}, {"1160"}, {"end"}}}});
  give({"a"});
  EXPECT_THAT(take(), ElementsAre("1000", "@1000", "1100", "1150"));
  EXPECT_EQ(driver_->wake_deadline_ns(), 200 * kMs);
  clock_.advance_ms(199);
  EXPECT_THAT(take(), IsEmpty());
  clock_.advance_ms(1);
  EXPECT_THAT(take(), ElementsAre("@1150"));
  EXPECT_EQ(driver_->wake_deadline_ns(), 1000 * kMs);
}

TEST_F(SourceDriverTest, a_small_advance_goes_out_with_the_end_of_the_last_split) {
  open({{"a", {{"1000", "1100", "end"}}}});
  give({"a"});
  EXPECT_THAT(take(), ElementsAre("1000", "@1000", "1100", "@1100"));
}

TEST_F(SourceDriverTest, a_split_without_rows_becomes_idle_and_active_again) {
  options_.set("idle_timeout_ms", 50);
  open({{"a", {{"1000", "1100"}, {"60 ms"}, {"2000"}, {"30 ms"}, {"3000"}, {"end"}}}});
  give({"a"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "@1000", "1100"));
  EXPECT_EQ(driver_->wake_deadline_ns(), 50 * kMs);
  clock_.advance_ms(50);
  // What is pending goes out first.
  EXPECT_THAT(take(), ElementsAre("idle", "@1100"));
  clock_.advance_ms(10);
  EXPECT_THAT(take(), ElementsAre("active", "2000", "@2000"));
  clock_.advance_ms(30);
  EXPECT_THAT(take(), ElementsAre("3000", "@3000", "@max", "end"));
}

TEST_F(SourceDriverTest, an_idle_split_does_not_hold_the_others_back) {
  options_.set("idle_timeout_ms", 50);
  open({{"a", {{"1000"}, {"100 ms"}, {"end"}}}, {"b", {{"2000"}, {"60 ms"}, {"7000"}}}});
  give({"a", "b"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "2000", "@1000"));
  clock_.advance_ms(49);
  EXPECT_THAT(take(), IsEmpty());
  clock_.advance_ms(11);
  const std::vector<std::string> taken = take();
  EXPECT_THAT(taken, ElementsAre("7000", "@7000"));
}

TEST_F(SourceDriverTest, on_event_marks_every_advance) {
  options_.set("watermark_emit", "on-event");
  open({{"a", {{"1000", "1001", "end"}}}});
  give({"a"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "@1000", "1001", "@1001", "@max", "end"));
}

TEST_F(SourceDriverTest, rows_without_event_time_pass_and_do_not_count) {
  open({{"a", {{"NULL", "1000", "NULL", "end"}}}});
  give({"a"}, true);
  EXPECT_THAT(take(), ElementsAre("NULL", "1000", "@1000", "NULL", "@max", "end"));
}

TEST_F(SourceDriverTest, without_a_watermark_time_only_ends) {
  options_ = ValueTree().set("source", ValueTree::map());
  open({{"a", {{"1000", "end"}}}});
  give({"a"}, true);
  EXPECT_THAT(take(), ElementsAre("1000", "@max", "end"));
}

TEST_F(SourceDriverTest, computed_columns_come_before_the_watermark) {
  output_ = schema_of("x BIGINT NOT NULL, at TIMESTAMP(3)");
  options_
      .set("projection",
           ValueTree::list()
               .add(expression_to_tree(*big_int_literal(9)))
               .add(expression_to_tree(*Expression::column(0, times()->field(0).type, "at"))))
      .set("rowtime", 1)
      .set("watermark", expression_to_tree(*Expression::column(1, times()->field(0).type, "at")));
  open({{"a", {{"1000", "end"}}}});
  give({"a"}, true);
  const Result<TaskInput::Next> next = driver_->poll();
  ASSERT_TRUE(next.is_ok());
  EXPECT_THAT(lines_of(next->batch), ElementsAre("9 | 1970-01-01 00:00:01.000", "@1000"));
}

TEST_F(SourceDriverTest, splits_ahead_of_the_group_pause) {
  options_.set("alignment_group", "g").set("alignment_max_drift_ms", 1000);
  open({{"a", {{"1000"}, {"3000"}, {"9000"}, {"end"}}}});
  give({"a"}, true);
  // How far the others are is not known yet.
  EXPECT_THAT(take(), ElementsAre("1000", "@1000"));
  EXPECT_THAT(reports_, ElementsAre(1000));
  EXPECT_EQ(driver_->wake_deadline_ns(), Steppable::kNever);
  driver_->set_alignment_limit(2000);
  EXPECT_THAT(take(), ElementsAre("3000", "@3000"));
  EXPECT_THAT(reports_, ElementsAre(1000, 3000));
  driver_->set_alignment_limit(2999);
  EXPECT_THAT(take(), IsEmpty());
  driver_->set_alignment_limit(3000);
  EXPECT_THAT(take(), ElementsAre("9000", "@9000"));
  driver_->set_alignment_limit(kMaxWatermark);
  EXPECT_THAT(take(), ElementsAre("@max", "end"));
  EXPECT_THAT(reports_, ElementsAre(1000, 3000, 9000, kMaxWatermark));
}

TEST_F(SourceDriverTest, an_idle_subtask_holds_no_group_back) {
  options_.set("alignment_group", "g").set("alignment_max_drift_ms", 1000);
  open({});
  give({});
  take();
  EXPECT_THAT(reports_, ElementsAre(kMaxWatermark));
}

TEST_F(SourceDriverTest, a_restored_split_goes_on_at_its_position_and_says_its_time_again) {
  open({{"a", {{"1000", "1100"}, {"1150", "1250"}, {"1190", "1300"}, {"end"}}}});
  give({"a"}, true);
  EXPECT_THAT(show(driver_->poll()->batch), ElementsAre("1000", "@1000", "1100"));
  const std::vector<SourceSplit> splits = driver_->snapshot_splits();
  ASSERT_EQ(splits.size(), 1);
  EXPECT_EQ(splits[0].id, "a");
  EXPECT_EQ(splits[0].payload, "a+1");
  const std::vector<std::string> rest = take();
  EXPECT_THAT(rest, ElementsAre("1150", "1250", "@1250", "1190", "1300", "@max", "end"));
  restart(splits);
  std::vector<std::string> again = take();
  EXPECT_EQ(again[0], "@1000");
  // The same marks as without a failure: the pending 1100 counts.
  EXPECT_EQ(std::vector<std::string>(again.begin() + 1, again.end()), rest);
}

TEST_F(SourceDriverTest, restored_splits_keep_the_time_of_the_driver_that_was_furthest_behind) {
  open({{"a", {{"1000"}, {"5000"}, {"end"}}}, {"b", {{"2000"}, {"9000"}, {"end"}}}});
  give({"a"});
  take();  // "a" alone, to its end.
  give({"b"});
  ASSERT_TRUE(driver_->poll().is_ok());
  const std::vector<SourceSplit> of_b = driver_->snapshot_splits();
  EXPECT_EQ(driver_->watermark(), 5000);
  open({{"a", {{"1000"}, {"5000"}, {"end"}}}, {"b", {{"2000"}, {"9000"}, {"end"}}}});
  give({"a"});
  ASSERT_TRUE(driver_->poll().is_ok());
  std::vector<SourceSplit> both = driver_->snapshot_splits();
  // Alone it goes on where its driver was, though its own rows were not there yet.
  restart(of_b);
  EXPECT_EQ(show(driver_->poll()->batch), std::vector<std::string>{"@5000"});
  both.push_back(of_b[0]);
  restart(both);
  EXPECT_THAT(take(), ElementsAre("@1000", "5000", "@2000", "9000", "@5000", "@max", "end"));
}

// Another subtask was to read it: time there was held back until it had a word.
TEST_F(SourceDriverTest, a_split_that_nobody_has_read_holds_back_those_it_is_restored_with) {
  open({{"a", {{"5000"}, {"6000"}, {"end"}}}, {"b", {{"2000"}, {"end"}}}});
  give({"a"});
  ASSERT_TRUE(driver_->poll().is_ok());
  EXPECT_EQ(driver_->watermark(), 5000);
  std::vector<SourceSplit> both = driver_->snapshot_splits();
  both.push_back({"b", "b"});
  restart(both);
  EXPECT_THAT(take(), ElementsAre("6000", "2000", "@2000", "@max", "end"));
}

TEST_F(SourceDriverTest, new_splits_and_sources_without_time_have_no_progress) {
  options_ = ValueTree().set("source", ValueTree::map());
  open({{"a", {{"1000"}, {"2000"}, {"end"}}}});
  EXPECT_THAT(driver_->snapshot_splits(), IsEmpty());
  give({"a"}, true);
  ASSERT_TRUE(driver_->poll().is_ok());
  const std::vector<SourceSplit> splits = driver_->snapshot_splits();
  EXPECT_EQ(splits[0].progress, "");
  restart(splits);
  EXPECT_THAT(take(), ElementsAre("2000", "@max", "end"));
}

TEST_F(SourceDriverTest, a_subtask_that_had_ended_ends_at_once_and_asks_for_nothing) {
  open({});
  driver_->end_at_once();
  EXPECT_TRUE(driver_->has_started());
  EXPECT_THAT(take(), ElementsAre("idle", "@max", "end"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(SourceDriverTest, progress_that_cannot_be_read_is_an_error) {
  open({{"a", {{"1000"}, {"end"}}}});
  const Status status = driver_->add_splits({{"a", "a", "broken"}}, false);
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("the progress of split 'a'"));
}

TEST_F(SourceDriverTest, failures_of_readers_and_splits_are_errors) {
  open({{"a", {{"1000"}, {"fail"}}}});
  give({"a"});
  EXPECT_TRUE(driver_->poll().is_ok());
  EXPECT_EQ(driver_->poll().status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(driver_->add_splits({{"b", "b"}}, false).code(), StatusCode::kNotFound);
}

TEST_F(SourceDriverTest, wrong_options_are_refused) {
  const auto refuse = [&](const char* part) {
    const Status status = make().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  };
  options_.set("rowtime", 4);
  refuse("rowtime column 4");
  options_.set("rowtime", 0).set("watermark", expression_to_tree(*big_int_literal(1)));
  refuse("expected TIMESTAMP");
  options_.set("projection", ValueTree::list()
                                 .add(expression_to_tree(*big_int_literal(1)))
                                 .add(expression_to_tree(*big_int_literal(1))));
  refuse("2 projected columns");
}

}  // namespace
}  // namespace clepsydra
