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
};

class TestEnumerator final : public SplitEnumerator {
 public:
  explicit TestEnumerator(const Behaviour& behaviour) : behaviour_(behaviour) {}
  Status start(SplitEnumeratorContext& context) override {
    return behaviour_.on_start(-1, context);
  }
  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    return behaviour_.on_request(subtask, context);
  }
  Status on_timer(SplitEnumeratorContext& context) override {
    return behaviour_.on_timer(-1, context);
  }
  void add_splits_back(std::vector<SourceSplit> /*splits*/) override {}
  [[nodiscard]] std::string snapshot() const override { return {}; }
  Status restore(const std::string& /*snapshot*/, SplitEnumeratorContext& /*context*/) override {
    return Status::ok();
  }

 private:
  const Behaviour& behaviour_;
};

class TestSource final : public Source {
 public:
  explicit TestSource(const Behaviour& behaviour) : behaviour_(behaviour) {}
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return std::make_unique<TestEnumerator>(behaviour_);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& /*split*/,
                                                  const SourceContext& /*context*/) const override {
    return Status::unimplemented("not in this test");
  }

 private:
  const Behaviour& behaviour_;
};

class SplitAssignerTest : public ::testing::Test {
 protected:
  void open() {
    SplitAssignerOptions options;
    options.source = std::make_unique<TestSource>(behaviour_);
    options.parallelism = 3;
    options.file_system = &files_;
    options.clock = &clock_;
    options.send = [this](int subtask, std::vector<SourceSplit> splits, bool no_more) {
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
