#include "functions/json/json_document.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/json/json_path.h"
#include "functions/json/json_text.h"

namespace clepsydra {
namespace {

std::string written(std::string_view text, JsonOrder order = JsonOrder::kAsWritten) {
  JsonDocument document;
  if (!document.parse(text)) return "refused";
  std::string out;
  append_json(document, 0, order, out);
  return out;
}

// What the path finds, separated by blanks.
std::string found(std::string_view path, std::string_view text) {
  JsonDocument document;
  EXPECT_TRUE(document.parse(text));
  const Result<JsonPath> compiled = JsonPath::compile(path);
  if (!compiled.is_ok()) return std::string(compiled.status().message());
  std::vector<std::int32_t> matches;
  if (compiled->find(document, matches) == JsonPath::Outcome::kMissing) return "missing";
  std::string out;
  for (const std::int32_t match : matches) {
    if (!out.empty()) out += ' ';
    append_json(document, match, JsonOrder::kAsWritten, out);
  }
  return out;
}

TEST(JsonDocumentTest, reads_exactly_one_value) {
  EXPECT_EQ(written(R"( {"a" : [1, "x", null, true, -0.5e3]} )"),
            R"({"a":[1,"x",null,true,-5E+2]})");
  for (const char* wrong : {"", " ", "1 2", "[1", "[1,]", "{\"a\"}", "nul", "01", "1.", "'a'",
                            "[1]]", "],[", "\"a", "\"\\x\"", "{\"a\":1,}", "\xff"}) {
    EXPECT_EQ(written(wrong), "refused") << wrong;
  }
}

TEST(JsonDocumentTest, strings_lose_their_escapes) {
  const auto text_of = [](std::string_view json) {
    JsonDocument document;
    return document.parse(json) ? std::string(document.node(0).text) : "refused";
  };
  EXPECT_EQ(text_of(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(text_of(R"("a\u0041\u00e9\u20AC\ud83d\ude00z")"), "aA\u00e9\u20ac\U0001f600z");
  EXPECT_EQ(text_of("\"\u00e9 and \U0001f600 as they are\""), "\u00e9 and \U0001f600 as they are");
  // Escapes at every place of a block of sixteen bytes, with text before and behind.
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string filling(before, 'x');
    EXPECT_EQ(text_of("\"" + filling + "\\n" + filling + "\\u0041" + filling + "\""),
              filling + "\n" + filling + "A" + filling);
  }
  for (const char* wrong : {R"("\u12")", R"("\u12g4")", R"("\ud800")", R"("\ud800\u0041")",
                            R"("\ude00")", R"("\a")", R"("\)", "\"a\nb\"", "\"a\tb\"", "\"a\x01\"",
                            "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\""}) {
    EXPECT_EQ(text_of(wrong), "refused") << wrong;
  }
  EXPECT_EQ(text_of(std::string_view("\"a\0b\"", 5)), "refused");
}

TEST(JsonDocumentTest, says_where_a_text_stops_being_json) {
  JsonDocument document;
  EXPECT_FALSE(document.parse(R"({"a": [1, x]})"));
  EXPECT_EQ(document.problem(), R"(not JSON (expected a value at byte 10): {"a": [1, x]})");
  EXPECT_FALSE(document.parse("[1] 2"));
  EXPECT_EQ(document.problem(), "not JSON (expected the end at byte 4): [1] 2");
  EXPECT_FALSE(document.parse(std::string_view("1\0", 2)));
}

TEST(JsonDocumentTest, numbers_are_kept_as_written) {
  for (const char* good :
       {"0", "-0", "10", "1.5", "-0.25", "1e5", "1E+05", "2.5e-300", "123456789"}) {
    JsonDocument document;
    ASSERT_TRUE(document.parse(good)) << good;
    EXPECT_EQ(document.node(0).kind, JsonKind::kNumber);
    EXPECT_EQ(document.node(0).text, good);
  }
  for (const char* wrong : {"-", "+1", ".5", "1.e5", "1e", "1e+", "00", "-01", "0x10", "1_0", "NaN",
                            "Infinity", "tru", "truee", "nulL"}) {
    EXPECT_EQ(written(wrong), "refused") << wrong;
  }
}

TEST(JsonDocumentTest, reads_long_texts) {
  const std::string text(10 << 20, 'x');
  JsonDocument document;
  ASSERT_TRUE(document.parse("{\"" + text + "\":\"" + text + "\"}"));
  EXPECT_EQ(document.node(1).key, text);
  EXPECT_EQ(document.node(1).text, text);
  EXPECT_FALSE(document.parse("\"" + text));
}

TEST(JsonDocumentTest, refuses_what_is_nested_too_deeply) {
  const std::string open(JsonDocument::kNestingMax - 1, '[');
  const std::string close(JsonDocument::kNestingMax - 1, ']');
  EXPECT_EQ(written(open + close), open + close);
  const std::string much(100'000, '[');
  EXPECT_EQ(written(much), "refused");
  EXPECT_EQ(written(much + std::string(100'000, ']')), "refused");
}

TEST(JsonDocumentTest, members_in_either_order_and_the_last_of_equal_ones) {
  EXPECT_EQ(written(R"({"b":1,"a":2,"b":3})", JsonOrder::kByKey), R"({"a":2,"b":3})");
}

TEST(JsonDocumentTest, one_text_after_the_other) {
  JsonDocument document;
  EXPECT_FALSE(document.parse("{"));
  EXPECT_FALSE(document.problem().empty());
  ASSERT_TRUE(document.parse("[7]"));
  EXPECT_EQ(document.nodes().size(), 2U);
  EXPECT_EQ(document.node(1).text, "7");
}

TEST(JsonPathTest, steps) {
  const std::string text = R"({"a":[1,2,{"b":3}],"c d":{"b":4},"e":null})";
  EXPECT_EQ(found("$", "1"), "1");
  EXPECT_EQ(found("$.a[1]", text), "2");
  EXPECT_EQ(found("$.a[-1].b", text), "3");
  EXPECT_EQ(found("$['c d'].b", text), "4");
  EXPECT_EQ(found("$.a[0,1]", text), "1 2");
  EXPECT_EQ(found("$.a[1:]", text), R"(2 {"b":3})");
  EXPECT_EQ(found("$.a[:-1]", text), "1 2");
  EXPECT_EQ(found("$.*.b", text), "4");
  EXPECT_EQ(found("$..b", text), "3 4");
  EXPECT_EQ(found("$.x", text), "missing");
  EXPECT_EQ(found("lax $.x", text), "");
}

TEST(JsonPathTest, wrong_paths_say_what_is_wrong) {
  EXPECT_EQ(found("$.", "1"), "the path \"$.\" lacks a name");
  EXPECT_EQ(found("$[", "1"), "the path \"$[\" lacks a ']'");
  EXPECT_EQ(found("$['a", "1"), "the path \"$['a\" lacks a closing quote");
  EXPECT_EQ(found("$[?(@.a)]", "1"), "a filter in the path \"$[?(@.a)]\" is not built yet");
}

TEST(JsonPathTest, gives_up_on_paths_that_visit_everything_many_times) {
  std::string text = "1";
  for (int i = 0; i < 200; ++i) text.insert(0, "[").append("]");
  JsonDocument document;
  ASSERT_TRUE(document.parse(text));
  std::string path = "$";
  for (int i = 0; i < 20; ++i) path += "..*";
  const Result<JsonPath> compiled = JsonPath::compile(path);
  ASSERT_TRUE(compiled.is_ok());
  std::vector<std::int32_t> matches;
  EXPECT_EQ(compiled->find(document, matches), JsonPath::Outcome::kGaveUp);
}

}  // namespace
}  // namespace clepsydra
