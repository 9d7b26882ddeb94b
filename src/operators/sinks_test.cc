// sink_writer and collect_sink against a connector and a client of the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clepsydra/connector_runtime.h"
#include "operators/operator_harness.h"
#include "operators/result_sender.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::OperatorHarness;
using testing::schema_of;

using Events = std::vector<std::string>;

class FakeWriter final : public SinkWriter {
 public:
  explicit FakeWriter(Events& events) : events_(&events) {}
  Status write(const Batch& batch) override {
    for (const std::string& line : testing::lines_of(batch)) events_->push_back(line);
    return events_->size() > 3 ? Status::unavailable("the disk went away") : Status::ok();
  }
  Status flush() override {
    events_->push_back("flush");
    return Status::ok();
  }
  Result<std::vector<std::string>> prepare_commit() override {
    events_->push_back("prepare");
    return std::vector<std::string>{"part-0"};
  }
  void abort() override { events_->push_back("abort"); }

 private:
  Events* events_;
};

class FakeSink final : public Sink {
 public:
  explicit FakeSink(Events& events) : events_(&events) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    events_->push_back("open " + context.job_id);
    return std::make_unique<FakeWriter>(*events_);
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(const SinkContext&) const override {
    return std::unique_ptr<SinkCommitter>();
  }

 private:
  Events* events_;
};

class FakeConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree&) const override {
    return Status::unimplemented("no sources here");
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override {
    if (spec.get_string_or("connector", "") != "fake") return Status::not_found("no such sink");
    return std::make_unique<FakeSink>(events);
  }
  mutable Events events;
};

class FakeClient final : public ResultSender {
 public:
  [[nodiscard]] bool has_room() const override { return true; }
  Status send(Batch batch) override {
    if (is_gone) return Status::cancelled("the client has gone");
    for (const std::string& line : testing::lines_of(batch)) events.push_back(line);
    return Status::ok();
  }
  Status finish() override {
    events.emplace_back("finish");
    return Status::ok();
  }
  bool is_gone = false;
  Events events;
};

OperatorSpec sink_spec(const char* kind, const char* connector) {
  OperatorSpec spec;
  spec.kind = kind;
  spec.name = "Sink: out";
  spec.inputs = {schema_of("a INT")};
  ValueTree sink;
  sink.set("connector", connector);
  spec.options.set("sink", std::move(sink));
  return spec;
}

class SinksTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<OperatorHarness>> make(const OperatorSpec& spec) {
    OperatorHarness::Options options;
    options.customize = [this](OperatorContext& context) {
      context.connectors = &connectors_;
      context.results = client_is_there_ ? &client_ : nullptr;
      context.hand_over_committables = [this](std::vector<std::string> committables) {
        committables_ = std::move(committables);
      };
    };
    return OperatorHarness::make({spec}, options);
  }

  FakeConnectors connectors_;
  FakeClient client_;
  bool client_is_there_ = true;
  std::vector<std::string> committables_;
};

TEST_F(SinksTest, a_writer_gets_rows_flushes_and_the_end_and_its_committables_are_handed_over) {
  {
    auto harness = make(sink_spec("sink_writer", "fake")).value();
    ASSERT_TRUE(harness->push({"1", "~1970-01-01 00:00:01"}).is_ok());
    // Nothing to write.
    ASSERT_TRUE(harness->push({"~1970-01-01 00:00:02"}).is_ok());
    ASSERT_TRUE(harness->flush().is_ok());
    EXPECT_THAT(committables_, IsEmpty());
    ASSERT_TRUE(harness->finish().is_ok());
  }
  EXPECT_THAT(connectors_.events, ElementsAre("open test", "1", "@1000", "flush", "prepare"));
  EXPECT_THAT(committables_, ElementsAre("part-0"));
}

TEST_F(SinksTest, committables_are_handed_over_at_every_barrier_and_at_the_end) {
  auto harness = make(sink_spec("sink_writer", "fake")).value();
  ASSERT_TRUE(harness->push({"1"}).is_ok());
  ASSERT_TRUE(harness->checkpoint().is_ok());
  EXPECT_THAT(connectors_.events, ElementsAre("open test", "1", "flush", "prepare"));
  EXPECT_THAT(std::exchange(committables_, {}), ElementsAre("part-0"));
  connectors_.events.clear();
  ASSERT_TRUE(harness->push({"2"}).is_ok());
  ASSERT_TRUE(harness->finish().is_ok());
  EXPECT_THAT(connectors_.events, ElementsAre("2", "prepare"));
  EXPECT_THAT(committables_, ElementsAre("part-0"));
}

TEST_F(SinksTest, a_writer_that_does_not_reach_the_end_is_aborted) {
  {
    auto harness = make(sink_spec("sink_writer", "fake")).value();
    ASSERT_TRUE(harness->push({"1"}).is_ok());
    EXPECT_EQ(harness->push({"2", "3"}).code(), StatusCode::kUnavailable);
  }
  EXPECT_EQ(connectors_.events.back(), "abort");
  EXPECT_THAT(committables_, IsEmpty());
}

TEST_F(SinksTest, a_sink_that_cannot_be_made_is_an_error_with_the_operators_name) {
  const Status status = make(sink_spec("sink_writer", "other")).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.to_string(), HasSubstr("Sink: out"));
}

TEST_F(SinksTest, the_client_gets_rows_and_watermarks_and_the_end) {
  auto harness = make(sink_spec("collect_sink", "")).value();
  ASSERT_TRUE(harness->push({"1", "~1970-01-01 00:00:01", "2"}).is_ok());
  ASSERT_TRUE(harness->finish().is_ok());
  const std::string end = "@" + std::to_string(kMaxWatermark);
  EXPECT_THAT(client_.events, ElementsAre("1", "@1000", "2", end, "finish"));
}

TEST_F(SinksTest, a_client_that_has_gone_ends_the_job) {
  auto harness = make(sink_spec("collect_sink", "")).value();
  client_.is_gone = true;
  EXPECT_EQ(harness->push({"1"}).code(), StatusCode::kCancelled);
  client_is_there_ = false;
  EXPECT_EQ(make(sink_spec("collect_sink", "")).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(SinksTest, a_null_in_a_column_that_must_have_none_fails_the_job_and_is_not_written) {
  for (const char* kind : {"sink_writer", "collect_sink"}) {
    OperatorSpec spec = sink_spec(kind, "fake");
    auto lenient = make(spec).value();
    EXPECT_TRUE(lenient->push({"NULL"}).is_ok()) << kind;
    spec.options.set("not_null", ValueTree(ValueTree::List{ValueTree(0)}));
    connectors_.events.clear();
    auto strict = make(spec).value();
    ASSERT_TRUE(strict->push({"1"}).is_ok()) << kind;
    connectors_.events.clear();
    client_.events.clear();
    const Status status = strict->push({"NULL"});
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << kind;
    EXPECT_THAT(status.to_string(), HasSubstr("column 'a' is INT NOT NULL and got a NULL"));
    EXPECT_THAT(connectors_.events, IsEmpty());
    EXPECT_THAT(client_.events, IsEmpty());
    spec.options.set("not_null", ValueTree(ValueTree::List{ValueTree(1)}));
    EXPECT_EQ(make(spec).status().code(), StatusCode::kInvalidArgument) << kind;
  }
}

}  // namespace
}  // namespace clepsydra
