#include "taskmanager/in_flight_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using testing::lines_of;
using testing::schema_of;
using testing::test_pool;

std::vector<InFlightOf> some_channels() {
  std::vector<InFlightOf> channels(3);
  channels[0] = {.peer = 4, .content = {.has_spoken = true, .watermark = -7}};
  channels[0].content.elements.emplace_back(batch_of("k BIGINT", {"1", "@5", "2"}));
  channels[0].content.elements.emplace_back(Signal(WatermarkSignal{9}));
  channels[0].content.elements.emplace_back(batch_of("k BIGINT", {"3"}));
  channels[1] = {.peer = 5, .content = {.has_spoken = true, .is_idle = true}};
  channels[1].content.elements.emplace_back(Signal(IdleSignal{false}));
  channels[2] = {.peer = 0, .content = {.has_ended = true, .watermark = kMaxWatermark}};
  return channels;
}

std::string encoded(std::int64_t bytes_max) {
  InFlightEncoder encoder(schema_of("k BIGINT"), some_channels(), test_pool());
  EXPECT_EQ(encoder.rows(), 3);
  std::string bytes;
  int steps = 0;
  while (true) {
    const Result<bool> is_all = encoder.encode_some(bytes_max, bytes);
    EXPECT_TRUE(is_all.is_ok());
    ++steps;
    if (!is_all.is_ok() || *is_all) break;
  }
  EXPECT_GE(steps, bytes_max == 1 ? 4 : 1);  // One element each.
  return bytes;
}

TEST(InFlightCodecTest, what_was_encoded_comes_back_in_pieces_or_at_once) {
  const std::string bytes = encoded(1 << 20);
  EXPECT_EQ(encoded(1), bytes);
  const Result<std::vector<InFlightOf>> decoded =
      decode_in_flight(bytes, schema_of("k BIGINT"), test_pool());
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  ASSERT_EQ(decoded->size(), 3);
  const InFlightChannel& first = (*decoded)[0].content;
  EXPECT_EQ((*decoded)[0].peer, 4);
  EXPECT_TRUE(first.has_spoken);
  EXPECT_FALSE(first.is_idle);
  EXPECT_EQ(first.watermark, -7);
  ASSERT_EQ(first.elements.size(), 3);
  EXPECT_EQ(lines_of(*as_batch(first.elements[0])),
            lines_of(batch_of("k BIGINT", {"1", "@5", "2"})));
  EXPECT_EQ(*as_signal<WatermarkSignal>(first.elements[1]), WatermarkSignal{9});
  EXPECT_THAT(lines_of(*as_batch(first.elements[2])), ElementsAre("3"));
  EXPECT_TRUE((*decoded)[1].content.is_idle);
  EXPECT_EQ(*as_signal<IdleSignal>((*decoded)[1].content.elements[0]), IdleSignal{false});
  EXPECT_TRUE((*decoded)[2].content.has_ended);
  EXPECT_EQ((*decoded)[2].content.watermark, kMaxWatermark);
}

TEST(InFlightCodecTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::string good = encoded(1 << 20);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_in_flight(good.substr(0, size), schema_of("k BIGINT"), test_pool()).is_ok())
        << size;
  }
  EXPECT_FALSE(decode_in_flight(good + "x", schema_of("k BIGINT"), test_pool()).is_ok());
  EXPECT_EQ(decode_in_flight(good, schema_of("k STRING"), test_pool()).status().code(),
            StatusCode::kFailedPrecondition);
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = good;
    const auto at = static_cast<std::size_t>(random.uniform(bytes.size()));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.uniform(8)));
    (void)decode_in_flight(bytes, schema_of("k BIGINT"), test_pool());
  }
}

}  // namespace
}  // namespace clepsydra
