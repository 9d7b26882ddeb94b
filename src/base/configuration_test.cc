#include "base/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clepsydra {

enum class Mode : std::uint8_t { kExactlyOnce, kAtLeastOnce };

template <>
struct EnumNames<Mode> {
  static constexpr std::pair<std::string_view, Mode> kNames[] = {
      {"EXACTLY_ONCE", Mode::kExactlyOnce}, {"AT_LEAST_ONCE", Mode::kAtLeastOnce}};
};

namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr ConfigOption<bool> kFlag{"flag", "false", "a flag"};
constexpr ConfigOption<std::int32_t> kCount{"count", "4", "how many"};
constexpr ConfigOption<double> kShare{"share", "0.5", "how much"};
constexpr ConfigOption<std::string> kPath{"path", std::nullopt, "where the file is"};
constexpr ConfigOption<Duration> kTimeout{"timeout", "PT10S", "how long"};
constexpr ConfigOption<MemorySize> kMemory{"memory", "64 mb", "how large"};
constexpr ConfigOption<StringList> kNames{"names", "", "some names"};
constexpr ConfigOption<StringMap> kWeights{"weights", "{A=70, B=30}", "some weights"};
constexpr ConfigOption<Mode> kMode{"mode", "EXACTLY_ONCE", "which guarantee"};

Configuration with(std::string key, std::string value) {
  Configuration configuration;
  configuration.set(std::move(key), std::move(value));
  return configuration;
}

TEST(ConfigurationTest, defaults_come_from_the_option) {
  const Configuration empty;
  EXPECT_EQ(*empty.get(kFlag), false);
  EXPECT_EQ(*empty.get(kCount), 4);
  EXPECT_EQ(*empty.get(kShare), 0.5);
  EXPECT_EQ(*empty.get(kTimeout), 10s);
  EXPECT_EQ(empty.get(kMemory)->bytes, 64 << 20);
  EXPECT_EQ(*empty.get(kMode), Mode::kExactlyOnce);
  EXPECT_THAT(*empty.get(kNames), ElementsAre());
  EXPECT_THAT(*empty.get(kWeights), ElementsAre(Pair("A", "70"), Pair("B", "30")));
  EXPECT_FALSE(empty.get_optional(kPath)->has_value());
  const Status required = empty.get(kPath).status();
  EXPECT_EQ(required.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(required.message()), HasSubstr("'path' is required"));
}

TEST(ConfigurationTest, values_are_read_by_type) {
  EXPECT_EQ(*with("flag", " TRUE ").get(kFlag), true);
  EXPECT_EQ(*with("count", "-12").get(kCount), -12);
  EXPECT_EQ(*with("count", " +7 ").get(kCount), 7);
  EXPECT_EQ(*with("share", "1e-3").get(kShare), 0.001);
  EXPECT_EQ(*with("timeout", "3 min").get(kTimeout), 3min);
  EXPECT_EQ(*with("mode", "at-least-once").get(kMode), Mode::kAtLeastOnce);
  EXPECT_EQ(**with("path", "/tmp").get_optional(kPath), "/tmp");
}

TEST(ConfigurationTest, lists_and_maps_have_the_forms_of_the_reference) {
  EXPECT_THAT(*with("names", "a;b; c ;").get(kNames), ElementsAre("a", "b", "c"));
  EXPECT_THAT(*with("names", "[a, 'b, c']").get(kNames), ElementsAre("a", "b, c"));
  EXPECT_THAT(*with("names", "'it''s; one';\"two\"").get(kNames), ElementsAre("it's; one", "two"));
  EXPECT_FALSE(with("names", "'open").get(kNames).is_ok());
  EXPECT_FALSE(with("names", "'a'b;c").get(kNames).is_ok());
  EXPECT_THAT(*with("weights", "x:1,y:a:b").get(kWeights),
              ElementsAre(Pair("x", "1"), Pair("y", "a:b")));
  EXPECT_THAT(*with("weights", "{x: 1, y: 2}").get(kWeights),
              ElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_FALSE(with("weights", "x").get(kWeights).is_ok());
  EXPECT_FALSE(with("weights", "x:1,x:2").get(kWeights).is_ok());
}

TEST(ConfigurationTest, wrong_values_name_key_value_and_expected_form) {
  EXPECT_EQ(
      with("count", "many").get(kCount).status().message(),
      "could not parse value 'many' for key 'count': expected a whole number from -2147483648 "
      "to 2147483647");
  for (const std::string_view text : {"", "1.5", "2147483648", "0x10", "+-1", "1 2", "--1"}) {
    EXPECT_FALSE(with("count", std::string(text)).get(kCount).is_ok()) << text;
  }
  for (const std::string_view text : {"", "nan", "inf", "1,5", "one"}) {
    EXPECT_FALSE(with("share", std::string(text)).get(kShare).is_ok()) << text;
  }
  for (const std::string_view text : {"", "yes", "1", "tru", "truefalse"}) {
    EXPECT_FALSE(with("flag", std::string(text)).get(kFlag).is_ok()) << text;
  }
  EXPECT_THAT(std::string(with("mode", "twice").get(kMode).status().message()),
              HasSubstr("expected one of EXACTLY_ONCE AT_LEAST_ONCE"));
  EXPECT_THAT(std::string(with("timeout", "soon").get(kTimeout).status().message()),
              HasSubstr("'timeout': expected a duration such as '10 s'"));
  EXPECT_THAT(std::string(with("memory", "big").get(kMemory).status().message()),
              HasSubstr("'64 mb'"));
}

TEST(ConfigurationTest, secrets_are_never_printed) {
  constexpr ConfigOption<std::int32_t> kSecret{"security.ssl.key-password", std::nullopt, "secret"};
  const Status status = with("security.ssl.key-password", "hunter2").get(kSecret).status();
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(printable_value("s3.Secret-Key", "x"), "******");
  EXPECT_EQ(printable_value("parallelism.default", "2"), "2");
}

TEST(ConfigurationTest, merge_and_prefixes) {
  Configuration base = with("a.x", "1");
  base.set("a.y", "2");
  base.set("ab", "3");
  Configuration other = with("a.y", "20");
  base.merge(other);
  EXPECT_THAT(base.with_prefix_removed("a.").values(),
              ElementsAre(Pair("x", "1"), Pair("y", "20")));
  EXPECT_TRUE(base.remove("ab"));
  EXPECT_FALSE(base.remove("ab"));
}

TEST(ConfigurationTest, assignments_split_at_the_first_equals_sign) {
  Configuration configuration;
  EXPECT_TRUE(configuration.set_from_assignment("a.b=c=d").is_ok());
  EXPECT_EQ(*configuration.find("a.b"), "c=d");
  EXPECT_TRUE(configuration.set_from_assignment("empty=").is_ok());
  EXPECT_EQ(*configuration.find("empty"), "");
  EXPECT_FALSE(configuration.set_from_assignment("a.b").is_ok());
  EXPECT_FALSE(configuration.set_from_assignment("=x").is_ok());
}

TEST(ConfigurationYamlTest, nested_keys_are_joined_by_dots) {
  const Result<Configuration> read = Configuration::from_yaml(R"(
# a comment
parallelism.default: 2
taskmanager:
  memory:
    process.size: 1 gb
  numberOfTaskSlots: 4
names: [a, "b;c", d]
long-list:
  - it's
  - two
nothing:
quoted: "10 s"
)");
  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_THAT(read->values(),
              ElementsAre(Pair("long-list", "'it''s';two"), Pair("names", "a;'b;c';d"),
                          Pair("parallelism.default", "2"), Pair("quoted", "10 s"),
                          Pair("taskmanager.memory.process.size", "1 gb"),
                          Pair("taskmanager.numberOfTaskSlots", "4")));
  EXPECT_THAT(*read->get(kNames), ElementsAre("a", "b;c", "d"));
  EXPECT_TRUE(Configuration::from_yaml("")->values().empty());
}

TEST(ConfigurationYamlTest, errors_name_line_and_column) {
  const auto message = [](std::string_view text) {
    const Result<Configuration> read = Configuration::from_yaml(text);
    return read.is_ok() ? std::string("no error") : std::string(read.status().message());
  };
  EXPECT_THAT(message("a: 1\nb: [1, 2\n"), HasSubstr("line "));
  EXPECT_THAT(message("a: 1\na: 2\n"), HasSubstr("line 2, column 4: the key 'a' is set twice"));
  EXPECT_THAT(message("a.b: 1\na:\n  b: 2\n"), HasSubstr("the key 'a.b' is set twice"));
  EXPECT_THAT(message("- 1\n"), HasSubstr("expected 'key: value' lines"));
  EXPECT_THAT(message("just text"), HasSubstr("expected 'key: value' lines"));
  EXPECT_THAT(message("a: [{b: 1}]"), HasSubstr("plain values only"));
  EXPECT_THAT(message("a: \xFF"), HasSubstr("not UTF-8"));
  EXPECT_THAT(message(std::string(2 << 20, ' ')), HasSubstr("at most"));
  EXPECT_THAT(message("a: &x [1]\nb: *y\n"), HasSubstr("line 2"));
}

TEST(ConfigurationYamlTest, deep_or_exploding_files_end_in_an_error) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{a: ";
  EXPECT_FALSE(Configuration::from_yaml(deep).is_ok());
  std::string levels;
  for (int i = 0; i < 150; ++i) levels += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  levels += std::string(150, ' ') + "a: 1\n";
  EXPECT_FALSE(Configuration::from_yaml(levels).is_ok());
  // Each level repeats the one below ten times.
  std::string laughs = "l0: &l0 {a: 1, b: 2}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*l" + std::to_string(i - 1);
    laughs += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " {";
    for (int k = 0; k < 10; ++k) laughs += (k > 0 ? ", k" : "k") + std::to_string(k) + ": " + below;
    laughs += "}\n";
  }
  const Result<Configuration> exploded = Configuration::from_yaml(laughs);
  ASSERT_FALSE(exploded.is_ok());
  EXPECT_THAT(std::string(exploded.status().message()), HasSubstr("100000 keys"));
}

TEST(KnownOptionsTest, every_option_is_there_once_in_order) {
  const auto options = known_options();
  EXPECT_GT(options.size(), 800U);
  for (std::size_t i = 1; i < options.size(); ++i) {
    EXPECT_LT(options[i - 1].key, options[i].key);
  }
}

TEST(KnownOptionsTest, finds_exact_keys_and_patterns) {
  ASSERT_NE(find_known_option("parallelism.default"), nullptr);
  EXPECT_EQ(find_known_option("parallelism.default")->type, "Integer");
  EXPECT_NE(find_known_option("clepsydra.batch.rows-max"), nullptr);
  EXPECT_NE(find_known_option("external-resource.gpu.amount"), nullptr);
  EXPECT_EQ(find_known_option("external-resource..amount"), nullptr);
  EXPECT_EQ(find_known_option("paralelism.default"), nullptr);
  EXPECT_THAT(close_option_keys("paralelism.defalt"), Contains("parallelism.default"));
}

// A default that its own type cannot read would be a bug in the table.
TEST(KnownOptionsTest, defaults_are_readable_as_their_type) {
  for (const OptionInfo& option : known_options()) {
    if (option.default_text == "(none)" || option.default_text.empty()) continue;
    const std::string_view text = option.default_text;
    if (option.type == "Duration") {
      EXPECT_TRUE(parse_duration(text).is_ok()) << option.key << " " << text;
    } else if (option.type == "Boolean") {
      EXPECT_TRUE(text == "true" || text == "false") << option.key << " " << text;
    }
  }
}

}  // namespace
}  // namespace clepsydra
