#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "connectors/connector_registry.h"
#include "connectors/nexmark/nexmark_generator.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_reading.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::MatchesRegex;
using testing::read_table;
using testing::ReadOptions;
using testing::ReadTable;
using testing::schema_of;
using ::testing::SizeIs;

constexpr const char* kBids =
    "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime "
    "TIMESTAMP(3), extra STRING";
constexpr const char* kEvents =
    "event_type INT, person ROW<id BIGINT, name STRING, dateTime TIMESTAMP(3)>, auction ROW<id "
    "BIGINT, "
    "initialBid BIGINT, reserve BIGINT, seller BIGINT, category BIGINT, dateTime TIMESTAMP(3), "
    "expires "
    "TIMESTAMP(3)>, bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, dateTime TIMESTAMP(3)>";

// Who gets which splits.
class SplitsOf final : public SplitEnumeratorContext {
 public:
  SplitsOf(int parallelism, FileSystem& files, const Clock& clock)
      : parallelism_(parallelism), files_(files), clock_(clock) {}
  [[nodiscard]] int parallelism() const override { return parallelism_; }
  void assign_split(int /*subtask*/, SourceSplit split) override {
    given.push_back(std::move(split));
  }
  void signal_no_more_splits(int /*subtask*/) override {}
  void schedule(std::int64_t /*delay_ms*/) override {}
  FileSystem& file_system() override { return files_; }
  const Clock& clock() override { return clock_; }
  std::vector<SourceSplit> given;

 private:
  const int parallelism_;
  FileSystem& files_;
  const Clock& clock_;
};

class GeneratorsTest : public ::testing::Test {
 protected:
  ReadTable read(const std::string& connector, const TableOptions& options,
                 const std::string& schema, const ReadOptions& how = {}) {
    return read_table(connector, options, schema_of(schema), {}, files_, clock_, how);
  }
  static std::vector<std::string> sorted(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find(" | ", begin), line.size());
      parts.push_back(line.substr(begin, end - begin));
      begin = end + 3;
    }
    return parts;
  }

  SimulatedClock clock_{1'700'000'000'000};
  MemoryFileSystem files_{clock_};
};

TEST(NexmarkDividerTest, gives_the_quotients_of_division) {
  constexpr std::int64_t kMax = (std::int64_t{1} << 53) - 1;
  for (const std::int64_t divisor :
       std::vector<std::int64_t>{1, 2, 3, 7, 50, 64, 1023, 1024, 1025, 3'000'000}) {
    const Divider divider(divisor);
    for (const std::int64_t around :
         {std::int64_t{0}, divisor, kMax / 3, kMax / divisor * divisor}) {
      for (std::int64_t n = std::max<std::int64_t>(around - 3, 0); n <= std::min(around + 3, kMax);
           ++n) {
        EXPECT_EQ(divider.quotient(n), n / divisor) << n << " / " << divisor;
      }
    }
    EXPECT_EQ(divider.quotient(kMax), kMax / divisor) << divisor;
  }
}

TEST_F(GeneratorsTest, sequences_end_the_table_and_come_once_at_any_parallelism) {
  const TableOptions options = {
      {"fields.n.kind", "sequence"}, {"fields.n.start", "3"}, {"fields.n.end", "7"}};
  EXPECT_THAT(read("datagen", options, "n INT").all(), ElementsAre("3", "4", "5", "6", "7"));
  EXPECT_THAT(sorted(read("datagen", options, "n INT", {.parallelism = 3}).all()),
              ElementsAre("3", "4", "5", "6", "7"));
  EXPECT_THAT(read("datagen", options, "n STRING", {.rows_max = 1, .reopen = true}).all(),
              ElementsAre("3", "4", "5", "6", "7"));
}

TEST_F(GeneratorsTest, random_values_keep_their_bounds) {
  const auto rows = read("datagen",
                         {{"number-of-rows", "500"},
                          {"fields.i.min", "-2"},
                          {"fields.i.max", "3"},
                          {"fields.s.length", "5"},
                          {"fields.d.min", "0.5"},
                          {"fields.d.max", "0.75"}},
                         "i INT, s STRING, d DOUBLE")
                        .all();
  ASSERT_THAT(rows, SizeIs(500));
  std::set<std::string> integers;
  for (const std::string& row : rows) {
    const auto parts = split(row);
    integers.insert(parts[0]);
    EXPECT_THAT(parts[1], MatchesRegex("'?[0-9a-f]{5}'?"));
    EXPECT_GE(std::stod(parts[2]), 0.5);
    EXPECT_LE(std::stod(parts[2]), 0.75);
  }
  EXPECT_EQ(integers, (std::set<std::string>{"-1", "-2", "0", "1", "2", "3"}));
}

TEST_F(GeneratorsTest, null_rate_is_kept_roughly) {
  const auto rows =
      read("datagen", {{"number-of-rows", "1000"}, {"fields.i.null-rate", "0.3"}}, "i BIGINT")
          .all();
  const auto nulls = std::count(rows.begin(), rows.end(), "NULL");
  EXPECT_GT(nulls, 230);
  EXPECT_LT(nulls, 370);
}

TEST_F(GeneratorsTest, rows_come_at_the_rate) {
  const std::int64_t start = clock_.monotonic_ns();
  EXPECT_THAT(
      read("datagen", {{"number-of-rows", "1000"}, {"rows-per-second", "200"}}, "i INT").all(),
      SizeIs(1000));
  EXPECT_NEAR(static_cast<double>(clock_.monotonic_ns() - start), 5e9, 0.05e9);
}

TEST_F(GeneratorsTest, datagen_options_are_checked) {
  EXPECT_THAT(read("datagen", {{"rows-per-second", "abc"}}, "i INT").status.message(),
              HasSubstr("option 'rows-per-second' is 'abc'; expected a whole number"));
  EXPECT_THAT(read("datagen", {{"fields.i.kind", "sequence"}, {"fields.i.start", "1"}}, "i INT")
                  .status.message(),
              HasSubstr("option 'fields.i.end' is missing"));
  EXPECT_THAT(read("datagen", {{"fields.j.min", "1"}}, "i INT").status.message(),
              HasSubstr("option 'fields.j.min' belongs to no column"));
  EXPECT_THAT(
      read("datagen", {{"fields.i.min", "5"}, {"fields.i.max", "1"}}, "i INT").status.message(),
      HasSubstr("option 'fields.i.max' is '1'; expected at least 'fields.i.min'"));
}

TEST_F(GeneratorsTest, datagen_goes_on_after_every_row_and_on_another_number_of_subtasks) {
  const TableOptions options = {{"number-of-rows", "200"}};
  const auto straight = sorted(read("datagen", options, "i INT, s STRING").all());
  ASSERT_THAT(straight, SizeIs(200));
  EXPECT_EQ(
      sorted(read("datagen", options, "i INT, s STRING", {.rows_max = 1, .reopen = true}).all()),
      straight);
  for (const auto& [from, to] : std::vector<std::pair<int, int>>{{2, 3}, {3, 1}, {1, 4}}) {
    EXPECT_EQ(
        sorted(
            read(
                "datagen", options, "i INT, s STRING",
                {.parallelism = from, .rows_max = 7, .restart_every = 3, .restart_parallelism = to})
                .all()),
        straight)
        << from << " to " << to;
  }
}

TEST_F(GeneratorsTest, splits_without_end_are_all_read_by_fewer_subtasks) {
  // Two splits that never end come back to one subtask: it must get both at once.
  const ConnectorRegistry& registry = ConnectorRegistry::built_in();
  for (const char* connector : {"datagen", "nexmark"}) {
    const auto schema =
        connector == std::string("datagen") ? schema_of("i INT") : schema_of("event_type INT");
    const auto spec = registry.find_connector(connector)->scan_spec(
        {}, *schema, {.columns = {schema->fields()[0].name}, .metadata = {}});
    ASSERT_TRUE(spec.is_ok()) << spec.status().to_string();
    const auto source = registry.make_source(*spec);
    ASSERT_TRUE(source.is_ok()) << source.status().to_string();
    SplitsOf two(2, files_, clock_);
    const auto first = *(*source)->make_enumerator();
    ASSERT_TRUE(first->start(two).is_ok());
    ASSERT_TRUE(first->handle_split_request(0, two).is_ok());
    ASSERT_THAT(two.given, SizeIs(1));
    SplitsOf one(1, files_, clock_);
    const auto second = *(*source)->make_enumerator();
    ASSERT_TRUE(second->restore(first->snapshot(), one).is_ok());
    two.given[0].progress = "kept";
    second->add_splits_back(two.given);
    ASSERT_TRUE(second->handle_split_request(0, one).is_ok());
    ASSERT_THAT(one.given, SizeIs(2));
    EXPECT_NE(one.given[0].id, one.given[1].id);
    EXPECT_EQ(one.given[0].progress + one.given[1].progress, "kept");
    EXPECT_EQ(second->restore("no snapshot", one).code(), StatusCode::kDataLoss);
  }
}

TEST_F(GeneratorsTest, nexmark_goes_on_after_every_event_and_on_another_number_of_subtasks) {
  for (const char* group : {"1", "10"}) {
    TableOptions options = {{"events.num", "200"}, {"out-of-order-group-size", group}};
    EXPECT_EQ(sorted(read("nexmark", options, kEvents, {.rows_max = 1, .reopen = true}).all()),
              sorted(read("nexmark", options, kEvents).all()));
    options["events.num"] = "9000";
    const auto straight = sorted(read("nexmark", options, kEvents).all());
    ASSERT_THAT(straight, SizeIs(9000));
    for (const auto& [from, to] : std::vector<std::pair<int, int>>{{2, 3}, {3, 1}}) {
      EXPECT_EQ(sorted(read("nexmark", options, kEvents,
                            {.parallelism = from,
                             .rows_max = 311,
                             .restart_every = 4,
                             .restart_parallelism = to})
                           .all()),
                straight);
    }
  }
}

TEST_F(GeneratorsTest, nexmark_knows_the_options_of_the_benchmark) {
  const TableOptions options = {{"events.num", "1000"},   {"stop-at", "100"},
                                {"rate.limited", "true"}, {"max-emit-speed", "true"},
                                {"rate.shape", "SQUARE"}, {"rate.period", "10 s"}};
  EXPECT_THAT(read("nexmark", options, kEvents).all(), SizeIs(100));
  const TableConnector* nexmark = ConnectorRegistry::built_in().find_connector("nexmark");
  const auto problem = [&](const TableOptions& wrong) {
    return std::string(nexmark->validate(wrong, *schema_of("event_type INT")).message());
  };
  EXPECT_EQ(problem({{"keep-alive", "true"}}), "");
  EXPECT_FALSE(*nexmark->is_bounded({{"events.num", "10"}, {"keep-alive", "true"}}));
  EXPECT_TRUE(*nexmark->is_bounded({{"events.num", "10"}}));
  EXPECT_TRUE(*nexmark->is_bounded({{"stop-at", "10"}}));
  EXPECT_THAT(problem({{"stop-at", "0"}}), HasSubstr("'stop-at'"));
  EXPECT_THAT(problem({{"rate.shape", "ROUND"}}), HasSubstr("SINE or SQUARE"));
  EXPECT_THAT(problem({{"max-emit-speed", "100"}}), HasSubstr("true or false"));
  EXPECT_THAT(problem({{"first-event.rate", "1"}, {"next-event.rate", "2"}}),
              HasSubstr("expected one rate"));
}

TEST_F(GeneratorsTest, nexmark_events_are_the_same_at_any_parallelism_batch_and_restart) {
  const TableOptions options = {{"events.num", "20000"}};
  const auto one = sorted(read("nexmark", options, kEvents).all());
  ASSERT_THAT(one, SizeIs(20000));
  EXPECT_EQ(sorted(read("nexmark", options, kEvents, {.parallelism = 3}).all()), one);
  EXPECT_EQ(
      sorted(read("nexmark", options, kEvents, {.parallelism = 2, .rows_max = 997, .reopen = true})
                 .all()),
      one);
  EXPECT_NE(sorted(read("nexmark", {{"events.num", "20000"}, {"seed", "1"}}, kEvents).all()), one);
}

TEST_F(GeneratorsTest, nexmark_keeps_the_rules_of_the_benchmark) {
  const auto bids =
      read("nexmark", {{"events.num", "50000"}, {"nexmark.table", "bid"}}, kBids).all();
  ASSERT_THAT(bids, SizeIs(46000));
  std::int64_t hot_bidders = 0;
  std::int64_t hot_channels = 0;
  std::int64_t with_id = 0;
  // Made once: a regular expression takes longer to compile than to match.
  const Matcher<std::string> cold_channel = MatchesRegex("channel-[0-9]{1,4}");
  const Matcher<std::string> url = MatchesRegex(
      "'?https://www.nexmark.com/[a-z]{3,4}/[a-z]{3,4}/[a-z]{3,4}/"
      "item.htm.query=1(&channel_id=[0-9]+)?'?");
  const Matcher<std::string> extra = MatchesRegex("'?[a-z]{54,82}'?");
  for (const std::string& line : bids) {
    const auto bid = split(line);
    const std::int64_t bidder = std::stoll(bid[1]);
    EXPECT_GE(bidder, 2000);
    EXPECT_LE(bidder, 2000 + 1000 + 10);
    hot_bidders += bidder % 100 == 1 ? 1 : 0;
    const std::int64_t price = std::stoll(bid[2]);
    EXPECT_GE(price, 100);
    EXPECT_LE(price, 100'000'000);
    const bool hot =
        bid[3] == "Google" || bid[3] == "Facebook" || bid[3] == "Baidu" || bid[3] == "Apple";
    hot_channels += hot ? 1 : 0;
    if (!hot) {
      EXPECT_THAT(bid[3], cold_channel);
    }
    EXPECT_THAT(bid[4], url);
    with_id += bid[4].find("channel_id") != std::string::npos ? 1 : 0;
    EXPECT_THAT(bid[6], extra);
  }
  EXPECT_NEAR(static_cast<double>(hot_bidders) / 46000, 0.75, 0.02);
  EXPECT_NEAR(static_cast<double>(hot_channels) / 46000, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(with_id) / 46000, 0.45, 0.02);
  // 50,000 events at 10,000 a second: five seconds of event time.
  EXPECT_EQ(split(bids.front())[5], "2015-07-15 00:00:00.000");
  EXPECT_EQ(split(bids.back())[5], "2015-07-15 00:00:04.999");
}

TEST_F(GeneratorsTest, nexmark_has_one_person_three_auctions_and_46_bids_per_block) {
  const auto events = read("nexmark", {{"events.num", "100"}}, "event_type INT").all();
  ASSERT_THAT(events, SizeIs(100));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(events[i], i % 50 == 0 ? "0" : i % 50 <= 3 ? "1" : "2") << i;
  }
}

TEST_F(GeneratorsTest, nexmark_groups_out_of_order_hold_the_same_events) {
  const TableOptions in_order = {{"events.num", "1000"}, {"nexmark.table", "bid"}};
  TableOptions out_of_order = in_order;
  out_of_order["out-of-order-group-size"] = "10";
  const auto a = read("nexmark", in_order, kBids).all();
  const auto b = read("nexmark", out_of_order, kBids).all();
  EXPECT_NE(a, b);
  EXPECT_EQ(sorted(a), sorted(b));
}

TEST_F(GeneratorsTest, nexmark_refuses_columns_it_does_not_know) {
  EXPECT_THAT(read("nexmark", {{"nexmark.table", "bid"}}, "auctoin BIGINT").status.message(),
              HasSubstr("has no column 'auctoin' in bid (did you mean 'auction'?)"));
  EXPECT_THAT(read("nexmark", {{"nexmark.table", "bid"}}, "auction INT").status.message(),
              HasSubstr("column 'auction' of bid is declared INT; expected BIGINT"));
  EXPECT_THAT(read("nexmark", {}, "person STRING").status.message(),
              HasSubstr("'person' must be a ROW"));
}

}  // namespace
}  // namespace clepsydra
