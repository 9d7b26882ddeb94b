#include "base/option_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/configuration.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(std::string_view key, std::string_view value) {
  const Status status = check_option(key, value);
  if (status.is_ok()) return "ok";
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(OptionCheckTest, values_have_the_form_of_their_option) {
  EXPECT_EQ(error_of("execution.checkpointing.interval", "10 s"), "ok");
  EXPECT_THAT(error_of("execution.checkpointing.interval", "-10 s"),
              AllOf(HasSubstr("execution.checkpointing.interval"), HasSubstr("-10 s"),
                    HasSubstr("a duration such as")));
  EXPECT_THAT(error_of("state.backend.rocksdb.memory.managed", "perhaps"),
              HasSubstr("true or false"));
  EXPECT_THAT(error_of("clepsydra.batch.bytes-max", "-1 mb"), HasSubstr("a memory size such as"));
  EXPECT_THAT(error_of("clepsydra.batch.rows-max", "99999999999"), HasSubstr("a whole number"));
  EXPECT_THAT(error_of("restart-strategy.exponential-delay.jitter-factor", "nan"),
              HasSubstr("a number such as"));
  // Also those that nothing here reads.
  EXPECT_THAT(error_of("rest.port", "eighty"), HasSubstr("rest.port"));
}

TEST(OptionCheckTest, keys_of_state_must_be_known) {
  EXPECT_THAT(error_of("execution.checkpointing.intervall", "10 s"),
              AllOf(HasSubstr("no option 'execution.checkpointing.intervall'"),
                    HasSubstr("Did you mean 'execution.checkpointing.interval'")));
  EXPECT_THAT(error_of("state.backend.rocksdb.local-dir", "/tmp"),
              HasSubstr("state.backend.rocksdb.localdir"));
  EXPECT_THAT(error_of("restart-strategy.fixed-delay.attempt", "3"),
              HasSubstr("restart-strategy.fixed-delay.attempts"));
  EXPECT_THAT(error_of("clepsydra.batch.row-max", "3"), HasSubstr("clepsydra.batch.rows-max"));
  EXPECT_EQ(error_of("my.own.key", "anything"), "ok");
}

// Or somebody who writes a default into his configuration could not start.
TEST(OptionCheckTest, every_default_that_is_a_value_passes) {
  for (const OptionInfo& option : known_options()) {
    const bool is_value = option.default_text != "(none)" && option.default_text != "Int.MAX" &&
                          option.default_text != "Long.MAX";
    if (is_value && option.key.find('<') == std::string_view::npos) {
      EXPECT_EQ(error_of(option.key, option.default_text), "ok") << option.key;
    }
  }
}

}  // namespace
}  // namespace clepsydra
