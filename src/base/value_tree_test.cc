#include "base/value_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "base/base64.h"
#include "base/check.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

ValueTree sample() {
  ValueTree list = ValueTree::list();
  list.add(1).add("two").add(ValueTree());
  ValueTree tree = ValueTree::map();
  tree.set("flag", true)
      .set("low", std::numeric_limits<std::int64_t>::min())
      .set("half", 0.5)
      .set("bytes", std::string("\0\xFF", 2))
      .set("list", list)
      .set("empty", ValueTree::map());
  return tree;
}

TEST(ValueTreeTest, what_is_encoded_is_decoded) {
  const ValueTree tree = sample();
  const Result<ValueTree> again = ValueTree::decode(tree.encode());
  ASSERT_TRUE(again.is_ok()) << again.status().to_string();
  EXPECT_EQ(*again, tree);
  EXPECT_EQ(*again->get_int("low"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(again->get_string("bytes")->size(), 2U);
  EXPECT_EQ(again->get_list("list")->size(), 3U);
  EXPECT_TRUE(again->get_list("absent")->empty());
}

// Version 1, a map (7) of one entry: key of one byte "a", an int (3) of zigzag 1 = 2.
TEST(ValueTreeTest, bytes_are_as_documented) {
  ValueTree tree;
  tree.set("a", 1);
  EXPECT_EQ(tree.encode(), std::string("\x01\x07\x01\x01\x61\x03\x02", 7));
}

TEST(ValueTreeTest, no_bytes_crash_the_decoder) {
  const std::string good = sample().encode();
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(ValueTree::decode(good.substr(0, length)).is_ok()) << length;
  }
  EXPECT_FALSE(ValueTree::decode(good + "x").is_ok());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = good;
      broken[i] = static_cast<char>(broken[i] ^ (1 << bit));
      (void)ValueTree::decode(broken);  // An answer or an error.
    }
  }
  std::string deep("\x01", 1);
  for (int i = 0; i < 100'000; ++i) deep += std::string("\x06\x01", 2);
  EXPECT_THAT(std::string(ValueTree::decode(deep).status().message()), HasSubstr("200 levels"));
  EXPECT_FALSE(
      ValueTree::decode(std::string("\x01\x06\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11)).is_ok());
}

TEST(ValueTreeTest, reading_another_kind_names_the_key) {
  const ValueTree tree = sample();
  EXPECT_EQ(tree.get_int("flag").status().message(),
            "plan value 'flag' is true; expected an integer");
  EXPECT_EQ(tree.get_bool("absent").status().message(),
            "plan value 'absent' is missing; expected a boolean");
  EXPECT_EQ(tree.get_int_or("absent", 7), 7);
  EXPECT_EQ(tree.to_string().substr(0, 12), "{flag: true,");
}

TEST(Base64Test, equals_the_examples_of_the_rfc) {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    std::string encoded;
    append_base64(bytes, encoded);
    EXPECT_EQ(encoded, text);
    std::string decoded;
    EXPECT_TRUE(decode_base64(text, decoded));
    EXPECT_EQ(decoded, bytes);
  }
  std::string ignored;
  for (const char* bad : {"Zg=", "Zg", "Z===", "Zm9v!", "====", "Zg==Zg=="}) {
    EXPECT_FALSE(decode_base64(bad, ignored)) << bad;
  }
}

TEST(StatusTest, context_and_text) {
  EXPECT_TRUE(Status().is_ok());
  EXPECT_EQ(Status::ok().to_string(), "OK");
  const Status status = Status::not_found("no table 't'").with_context("planning");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.to_string(), "NotFound: planning: no table 't'");
  EXPECT_TRUE(Status::ok().with_context("x").is_ok());
}

Result<int> half(int n) {
  if (n % 2 != 0) return Status::invalid_argument("odd");
  return n / 2;
}

Result<int> quarter(int n) {
  CLP_ASSIGN_OR_RETURN(const int once, half(n));
  CLP_ASSIGN_OR_RETURN(const int twice, half(once));
  return twice;
}

TEST(StatusTest, macros_hand_errors_upwards) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).status().message(), "odd");
}

TEST(StatusDeathTest, the_value_of_an_error_ends_the_process_with_its_text) {
  EXPECT_DEATH((void)*half(1), "InvalidArgument: odd");
  EXPECT_DEATH(CLP_CHECK_MSG(1 == 2, "details"), "check failed: 1 == 2 details");
}

}  // namespace
}  // namespace clepsydra
