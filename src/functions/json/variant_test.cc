#include "functions/json/variant.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/random.h"
#include "functions/json/json_document.h"

namespace clepsydra {
namespace {

std::string variant_of(std::string_view json, bool allow_duplicate_keys = false) {
  JsonDocument document;
  std::string text;
  if (!document.parse(json)) return "no JSON";
  return append_variant(document, allow_duplicate_keys, text) ? text : "a key twice";
}

std::string text_of(VariantPart found, std::string_view part) {
  if (found == VariantPart::kMissing) return "missing";
  return found == VariantPart::kWrongShape ? "wrong shape" : std::string(part);
}
std::string field(std::string_view variant, std::string_view quoted_key) {
  std::string_view part;
  const VariantPart found = variant_field(variant, quoted_key, part);
  return text_of(found, part);
}
std::string element(std::string_view variant, std::int64_t index) {
  std::string_view part;
  const VariantPart found = variant_element(variant, index, part);
  return text_of(found, part);
}

// What Apache Flink 2.3.0 prints of PARSE_JSON.
TEST(VariantTest, texts_are_as_the_reference_prints_them) {
  EXPECT_EQ(variant_of("1.50"), "1.5");
  EXPECT_EQ(variant_of("100.00"), "100");
  EXPECT_EQ(variant_of("-0"), "0");
  EXPECT_EQ(variant_of("-0.0"), "0");
  EXPECT_EQ(variant_of("0.00000000001"), "0.00000000001");
  EXPECT_EQ(variant_of("1e3"), "1000.0");
  EXPECT_EQ(variant_of("1.5E2"), "150.0");
  EXPECT_EQ(variant_of("1e400"), "Infinity");
  EXPECT_EQ(variant_of("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(variant_of("12345678901234567890123"), "12345678901234567890123");
  EXPECT_EQ(variant_of("123456789012345678901234567890123456789012345"), "1.2345678901234567E44");
  EXPECT_EQ(variant_of("[1e2, 1.0E-7, 123456789.0e3]"), "[100.0,1.0E-7,1.23456789E11]");
  EXPECT_EQ(variant_of(R"({"b":1,"a":2})"), R"({"a":2,"b":1})");
  EXPECT_EQ(variant_of("{\"a\" : [ 1 , 2 ] , \"é\":\"x\" }"), "{\"a\":[1,2],\"é\":\"x\"}");
  EXPECT_EQ(variant_of("\"é\\u0001\\n/\""), "\"é\\u0001\\n/\"");
  // By UTF-16, in which U+1F600 begins with 0xD83D.
  EXPECT_EQ(variant_of(R"({"\uFFFD":2,"\uD83D\uDE00":1})"), "{\"😀\":1,\"\uFFFD\":2}");
}

TEST(VariantTest, a_key_twice_is_refused_unless_it_is_allowed) {
  EXPECT_EQ(variant_of(R"({"a":1,"a":2})"), "a key twice");
  EXPECT_EQ(variant_of(R"([{"x":{"a":1,"\u0061":2}}])"), "a key twice");
  EXPECT_EQ(variant_of(R"({"b":1,"a":2,"b":3,"c":4})", true), R"({"a":2,"b":3,"c":4})");
}

TEST(VariantTest, parts_are_found_by_key_and_by_index) {
  const std::string variant =
      variant_of(R"({"x":[1,"a,]\"",{"y":[]},null],"k\"ey":{"z":-1.5},"":true})");
  EXPECT_EQ(field(variant, R"("x")"), R"([1,"a,]\"",{"y":[]},null])");
  EXPECT_EQ(field(variant, R"("k\"ey")"), R"({"z":-1.5})");
  EXPECT_EQ(field(variant, R"("")"), "true");
  EXPECT_EQ(field(variant, R"("z")"), "missing");
  EXPECT_EQ(element(field(variant, R"("x")"), 1), "1");
  EXPECT_EQ(element(field(variant, R"("x")"), 2), R"("a,]\"")");
  EXPECT_EQ(element(field(variant, R"("x")"), 3), R"({"y":[]})");
  EXPECT_EQ(element(field(variant, R"("x")"), 4), "null");
  for (const std::int64_t index : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{5}}) {
    EXPECT_EQ(element(field(variant, R"("x")"), index), "missing") << index;
  }
  EXPECT_EQ(element("[]", 1), "missing");
  EXPECT_EQ(field("{}", "\"a\""), "missing");
  EXPECT_EQ(element(variant, 1), "wrong shape");
  EXPECT_EQ(field("[1]", "\"a\""), "wrong shape");
  EXPECT_EQ(field("5", "\"a\""), "wrong shape");
}

// Columns from elsewhere may hold anything.
TEST(VariantTest, any_text_is_walked_over_without_leaving_it) {
  Random random(5);
  constexpr std::string_view kBytes = "{}[],:\"\\a1";
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random.uniform(12), ' ');
    for (char& c : text) c = kBytes[random.uniform(kBytes.size())];
    field("{" + text, "\"a\"");
    element("[" + text, 2);
  }
}

}  // namespace
}  // namespace clepsydra
