// utf8.h, edit_distance.h, ids.h: small text functions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/edit_distance.h"
#include "base/ids.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

using std::string_view_literals::operator""sv;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Utf8Test, accepts_what_the_standard_allows) {
  for (const std::string_view good :
       {""sv, "plain ascii, longer than one word"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv,
        "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv, "a\0b"sv}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
    EXPECT_EQ(replace_invalid_utf8(good), good);
  }
}

TEST(Utf8Test, finds_the_first_broken_byte) {
  const std::vector<std::pair<std::string_view, std::size_t>> broken = {
      {"\x80"sv, 0},              // A continuation without a start.
      {"12345678\xFF"sv, 8},      // No such byte.
      {"ab\xC0\xAF"sv, 2},        // Overlong '/'.
      {"\xE0\x9F\xBF"sv, 0},      // Overlong.
      {"\xED\xA0\x80"sv, 0},      // A surrogate.
      {"\xF4\x90\x80\x80"sv, 0},  // Above U+10FFFF.
      {"\xF5\x80\x80\x80"sv, 0},  // The same.
      {"x\xE2\x82"sv, 1},         // Cut off.
      {"\xC3\xA9\xC3"sv, 2},      // Cut off behind a good one.
  };
  for (const auto& [bytes, at] : broken) EXPECT_EQ(first_invalid_utf8(bytes), at) << at;
}

TEST(Utf8Test, replaces_maximal_parts) {
  // The example of the Unicode Standard, table 3-11.
  EXPECT_EQ(replace_invalid_utf8("a\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"sv),
            "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "b\xEF\xBF\xBD"
            "c\xEF\xBF\xBD\xEF\xBF\xBD"
            "d");
}

TEST(Utf8Test, counts_and_walks_code_points) {
  const std::string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";  // a é € and an emoji
  EXPECT_EQ(utf8_length(text), 4);
  EXPECT_EQ(utf8_offset(text, 2), 3U);
  EXPECT_EQ(utf8_offset(text, 4), text.size());
  std::u32string points;
  std::string again;
  for (std::size_t i = 0; i < text.size();) {
    points += utf8_next(text, i);
    utf8_append(points.back(), again);
  }
  EXPECT_EQ(points, U"a\u00E9\u20AC\U0001F600");
  EXPECT_EQ(again, text);
}

TEST(Utf8Test, clip_cuts_at_characters_and_shows_the_invisible) {
  EXPECT_EQ(clip("short", 64), "short");
  EXPECT_EQ(clip("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xC3\xA9...");
  EXPECT_EQ(clip("a\tb\n\x1B[2J\xFF", 64), "a\\tb\\n\\x1b[2J\\xff");
  EXPECT_TRUE(is_valid_utf8(clip("\xF0\x9F\x98", 64)));
}

TEST(EditDistanceTest, counts_edits_up_to_the_limit) {
  EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3U);
  EXPECT_EQ(edit_distance("", "abc", 5), 3U);
  EXPECT_EQ(edit_distance("abcd", "abdc", 5), 1U);  // One swap of neighbours.
  EXPECT_EQ(edit_distance("Count", "COUNT", 5), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting", 2), 3U);
  EXPECT_EQ(edit_distance("a", "abcdefgh", 2), 3U);
}

TEST(EditDistanceTest, close_names_come_closest_first) {
  const std::vector<std::string> tables = {"orders", "order_items", "customers", "Orders", "bids"};
  EXPECT_THAT(close_names("ordes", tables), ElementsAre("orders", "Orders"));
  EXPECT_THAT(close_names("custmers", tables), ElementsAre("customers"));
  EXPECT_THAT(close_names("ORDER", tables), ElementsAre("orders", "Orders", "order_items"));
  EXPECT_THAT(close_names("zzzzzz", tables), IsEmpty());
  EXPECT_THAT(close_names("", tables), IsEmpty());
}

TEST(EditDistanceTest, did_you_mean_reads_as_a_sentence) {
  EXPECT_EQ(did_you_mean({}), "");
  EXPECT_EQ(did_you_mean(std::vector<std::string>{"a"}), " Did you mean 'a'?");
  EXPECT_EQ(did_you_mean(std::vector<std::string>{"a", "b", "c"}),
            " Did you mean 'a', 'b' or 'c'?");
}

TEST(HexIdTest, prints_and_reads_32_digits) {
  Random random(5);
  const JobId id = JobId::make(random);
  EXPECT_FALSE(id.is_none());
  EXPECT_TRUE(JobId().is_none());
  EXPECT_EQ(id.to_string().size(), 32U);
  EXPECT_EQ(*JobId::parse(id.to_string()), id);
  JobId::Bytes bytes{};
  bytes[0] = 0x0A;
  bytes[15] = 0xF1;
  EXPECT_EQ(JobId(bytes).to_string(), "0a0000000000000000000000000000f1");
  EXPECT_EQ(*JobId::parse("0A0000000000000000000000000000F1"), JobId(bytes));
  EXPECT_EQ(std::unordered_set<JobId>({id, JobId(bytes), id}).size(), 2U);
}

TEST(HexIdTest, anything_else_is_refused_by_name) {
  for (const std::string_view text :
       {"", "0a", "0a0000000000000000000000000000fg", "0a0000000000000000000000000000f100"}) {
    const Result<JobId> parsed = JobId::parse(text);
    ASSERT_FALSE(parsed.is_ok()) << text;
    EXPECT_NE(parsed.status().message().find("job id"), std::string::npos);
  }
}

}  // namespace
}  // namespace clepsydra
