#include "base/bits.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace clepsydra {
namespace {

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next_u64());
  return bytes;
}

TEST(BitsTest, single_bits) {
  std::array<std::uint8_t, 2> bitmap{};
  set_bit(bitmap.data(), 9);
  EXPECT_EQ(bitmap[1], 2);
  EXPECT_TRUE(get_bit(bitmap.data(), 9));
  put_bit(bitmap.data(), 0, true);
  clear_bit(bitmap.data(), 9);
  EXPECT_EQ(bitmap[0], 1);
  EXPECT_EQ(bitmap[1], 0);
  EXPECT_EQ(align_up(65, 64), 128);
  EXPECT_EQ(align_up(64, 64), 64);
  EXPECT_EQ(bitmap_bytes(9), 2);
}

// Each against the same work done bit by bit, at every alignment.
TEST(BitsTest, ranges_equal_the_work_bit_by_bit) {
  Random random(11);
  const std::vector<std::uint8_t> source = random_bytes(random, 40);
  for (int round = 0; round < 5000; ++round) {
    const std::int64_t from = random.uniform_between(0, 100);
    const std::int64_t to = random.uniform_between(0, 100);
    const std::int64_t length = random.uniform_between(0, 200);
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < length; ++i) count += get_bit(source.data(), from + i) ? 1 : 0;
    ASSERT_EQ(count_set_bits(source.data(), from, length), count);

    std::vector<std::uint8_t> expected = random_bytes(random, 40);
    std::vector<std::uint8_t> copied = expected;
    std::vector<std::uint8_t> filled = expected;
    std::vector<std::uint8_t> expected_fill = expected;
    const bool value = random.uniform(2) == 1;
    for (std::int64_t i = 0; i < length; ++i) {
      put_bit(expected.data(), to + i, get_bit(source.data(), from + i));
      put_bit(expected_fill.data(), to + i, value);
    }
    copy_bits(source.data(), from, copied.data(), to, length);
    fill_bits(filled.data(), to, length, value);
    ASSERT_EQ(copied, expected) << from << " " << to << " " << length;
    ASSERT_EQ(filled, expected_fill) << to << " " << length;
  }
}

TEST(BitsTest, copying_reads_no_byte_behind_the_last_bit) {
  // The address sanitizer sees a read past the end of these exactly sized arrays.
  for (std::int64_t from = 0; from < 8; ++from) {
    for (std::int64_t length = 1; length + from <= 24; ++length) {
      const std::vector<std::uint8_t> source(static_cast<std::size_t>(bitmap_bytes(from + length)),
                                             0xFF);
      std::vector<std::uint8_t> target(static_cast<std::size_t>(bitmap_bytes(length)), 0);
      copy_bits(source.data(), from, target.data(), 0, length);
      EXPECT_EQ(count_set_bits(target.data(), 0, length), length);
    }
  }
}

}  // namespace
}  // namespace clepsydra
