#include "jobmanager/split_assigner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Call = std::function<Status(int subtask, SplitEnumeratorContext& context)>;

// What an enumerator does is up to the test.
struct Behaviour {
  Call on_start = [](int, SplitEnumeratorContext&) { return Status::ok(); };
  Call on_request = on_start;
  Call on_timer = on_start;
  std::string snapshot = {};
  std::string restored = {};
  std::vector<SourceSplit> came_back = {};
};

class TestEnumerator final : public SplitEnumerator {
 public:
  explicit TestEnumerator(Behaviour& behaviour) : behaviour_(behaviour) {}
  Status start(SplitEnumeratorContext& context) override {
    return behaviour_.on_start(-1, context);
  }
  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    return behaviour_.on_request(subtask, context);
  }
  Status on_timer(SplitEnumeratorContext& context) override {
    return behaviour_.on_timer(-1, context);
  }
  void add_splits_back(std::vector<SourceSplit> splits) override {
    behaviour_.came_back = std::move(splits);
  }
  [[nodiscard]] std::string snapshot() const override { return behaviour_.snapshot; }
  Status restore(const std::string& snapshot, SplitEnumeratorContext& context) override {
    behaviour_.restored = snapshot + " on " + std::to_string(context.parallelism());
    return Status::ok();
  }

 private:
  Behaviour& behaviour_;
};

class TestSource final : public Source {
 public:
  explicit TestSource(Behaviour& behaviour) : behaviour_(behaviour) {}
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return std::make_unique<TestEnumerator>(behaviour_);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& /*split*/,
                                                  const SourceContext& /*context*/) const override {
    return Status::unimplemented("not in this test");
  }

 private:
  Behaviour& behaviour_;
};

class SplitAssignerTest : public ::testing::Test {
 protected:
  void open() {
    SplitAssignerOptions options;
    options.source = std::make_unique<TestSource>(behaviour_);
    options.parallelism = 3;
    options.file_system = &files_;
    options.clock = &clock_;
    options.send = [this](int subtask, const std::vector<SourceSplit>& splits, bool no_more) {
      std::string text = std::to_string(subtask) + ":";
      for (const SourceSplit& split : splits) text += " " + split.id;
      sent_.push_back(text + (no_more ? " end" : ""));
    };
    options.schedule = [this](std::int64_t delay_ms) { delays_.push_back(delay_ms); };
    assigner_ = *SplitAssigner::make(std::move(options));
  }
  std::vector<std::string> sent() { return std::exchange(sent_, {}); }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  Behaviour behaviour_;
  std::unique_ptr<SplitAssigner> assigner_;
  std::vector<std::string> sent_;
  std::vector<std::int64_t> delays_;
};

TEST_F(SplitAssignerTest, a_request_is_answered_with_what_was_assigned) {
  behaviour_.on_request = [](int subtask, SplitEnumeratorContext& context) {
    EXPECT_EQ(context.parallelism(), 3);
    context.assign_split(subtask, {"a", ""});
    context.assign_split(subtask, {"b", ""});
    context.signal_no_more_splits(subtask);
    return Status::ok();
  };
  open();
  ASSERT_TRUE(assigner_->handle_request(1).is_ok());
  EXPECT_THAT(sent(), ElementsAre("1: a b end"));
}

TEST_F(SplitAssignerTest, a_request_without_an_answer_is_told_so_at_once) {
  open();
  ASSERT_TRUE(assigner_->handle_request(2).is_ok());
  EXPECT_THAT(sent(), ElementsAre("2:"));
}

TEST_F(SplitAssignerTest, what_is_assigned_early_waits_for_the_first_request) {
  behaviour_.on_start = [](int, SplitEnumeratorContext& context) {
    for (int subtask = 0; subtask < 3; ++subtask) {
      context.assign_split(subtask, {"s" + std::to_string(subtask), ""});
    }
    return Status::ok();
  };
  open();
  ASSERT_TRUE(assigner_->start().is_ok());
  EXPECT_THAT(sent(), IsEmpty());
  ASSERT_TRUE(assigner_->handle_request(2).is_ok());
  EXPECT_THAT(sent(), ElementsAre("2: s2"));
  ASSERT_TRUE(assigner_->handle_request(0).is_ok());
  EXPECT_THAT(sent(), ElementsAre("0: s0"));
}

TEST_F(SplitAssignerTest, splits_found_by_a_timer_go_to_those_who_have_asked) {
  behaviour_.on_start = [](int, SplitEnumeratorContext& context) {
    context.schedule(50);
    return Status::ok();
  };
  behaviour_.on_timer = [](int, SplitEnumeratorContext& context) {
    context.assign_split(0, {"late", ""});
    context.signal_no_more_splits(1);
    return Status::ok();
  };
  open();
  ASSERT_TRUE(assigner_->start().is_ok());
  EXPECT_THAT(delays_, ElementsAre(50));
  ASSERT_TRUE(assigner_->handle_request(0).is_ok());
  EXPECT_THAT(sent(), ElementsAre("0:"));
  ASSERT_TRUE(assigner_->on_timer().is_ok());
  EXPECT_THAT(sent(), ElementsAre("0: late"));
  ASSERT_TRUE(assigner_->handle_request(1).is_ok());
  EXPECT_THAT(sent(), ElementsAre("1: end"));
}

TEST_F(SplitAssignerTest, a_snapshot_has_what_was_assigned_but_not_sent) {
  behaviour_.snapshot = "state";
  behaviour_.on_start = [](int, SplitEnumeratorContext& context) {
    for (int subtask = 0; subtask < 3; ++subtask) {
      context.assign_split(subtask, {"s" + std::to_string(subtask), "p", "w"});
    }
    return Status::ok();
  };
  open();
  ASSERT_TRUE(assigner_->start().is_ok());
  ASSERT_TRUE(assigner_->handle_request(1).is_ok());
  EXPECT_THAT(sent(), ElementsAre("1: s1"));
  const std::string snapshot = assigner_->snapshot();
  ASSERT_TRUE(assigner_->handle_request(0).is_ok());

  open();
  ASSERT_TRUE(assigner_->restore(snapshot, {{"s1", "further", "far"}}, {}).is_ok());
  EXPECT_EQ(behaviour_.restored, "state on 3");
  ASSERT_EQ(behaviour_.came_back.size(), 3);
  EXPECT_EQ(behaviour_.came_back[0].id, "s1");
  EXPECT_EQ(behaviour_.came_back[0].payload, "further");
  EXPECT_EQ(behaviour_.came_back[0].progress, "far");
  EXPECT_EQ(behaviour_.came_back[1].id, "s0");
  EXPECT_EQ(behaviour_.came_back[2].id, "s2");
  EXPECT_EQ(behaviour_.came_back[2].progress, "w");
}

TEST_F(SplitAssignerTest, subtasks_that_had_finished_get_nothing) {
  open();
  const std::string snapshot = assigner_->snapshot();
  behaviour_.on_request = [](int subtask, SplitEnumeratorContext& context) {
    context.assign_split(subtask, {"s" + std::to_string(subtask), ""});
    return Status::ok();
  };
  open();
  ASSERT_TRUE(assigner_->restore(snapshot, {}, {0}).is_ok());
  EXPECT_EQ(behaviour_.restored, " on 2");
  ASSERT_TRUE(assigner_->handle_request(2).is_ok());
  ASSERT_TRUE(assigner_->handle_request(1).is_ok());
  EXPECT_THAT(sent(), ElementsAre("2: s1", "1: s0"));
  EXPECT_EQ(assigner_->handle_request(0).code(), StatusCode::kInternal);

  open();
  ASSERT_TRUE(assigner_->restore(snapshot, {}, {0, 1, 2}).is_ok());
}

TEST_F(SplitAssignerTest, a_broken_snapshot_is_an_error) {
  open();
  EXPECT_FALSE(assigner_->restore("", {}, {}).is_ok());
  EXPECT_FALSE(assigner_->restore("no tree", {}, {}).is_ok());
}

TEST_F(SplitAssignerTest, failures_and_unknown_subtasks_are_errors) {
  behaviour_.on_request = [](int, SplitEnumeratorContext&) {
    return Status::unavailable("no answer");
  };
  open();
  EXPECT_EQ(assigner_->handle_request(0).code(), StatusCode::kUnavailable);
  EXPECT_EQ(assigner_->handle_request(3).code(), StatusCode::kInternal);
  EXPECT_EQ(assigner_->handle_request(-1).code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace clepsydra
