#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>

#include "base/hash.h"

namespace clepsydra {
namespace {

// Reference values computed with Python from the authors' C code of splitmix64 and xoshiro256**.
TEST(RandomTest, equals_the_published_generators) {
  EXPECT_EQ(mix64(0), 0xE220A8397B1DCDAFULL);
  Random zero(0);
  EXPECT_EQ(zero.next_u64(), 11091344671253066420ULL);
  EXPECT_EQ(zero.next_u64(), 13793997310169335082ULL);
  EXPECT_EQ(zero.next_u64(), 1900383378846508768ULL);
  Random answer(42);
  EXPECT_EQ(answer.next_u64(), 1546998764402558742ULL);
}

TEST(RandomTest, forks_depend_on_seed_and_name_only) {
  Random parent(7);
  const std::uint64_t before = parent.fork("source").next_u64();
  parent.next_u64();
  EXPECT_EQ(parent.fork("source").next_u64(), before);
  EXPECT_NE(parent.fork("sink").next_u64(), before);
  EXPECT_NE(Random(8).fork("source").next_u64(), before);
}

TEST(RandomTest, uniform_covers_its_range_evenly) {
  Random random(1);
  std::map<std::uint64_t, int> counts;
  for (int i = 0; i < 60'000; ++i) ++counts[random.uniform(6)];
  ASSERT_EQ(counts.size(), 6U);
  // Chi-squared with 5 degrees of freedom: 20.5 is exceeded once in a thousand seeds.
  double chi_squared = 0;
  for (const auto& [value, count] : counts)
    chi_squared += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 20.5);
}

TEST(RandomTest, bounds_are_included_where_promised) {
  Random random(3);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t value = random.uniform_between(-2, 2);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 2);
    low = low || value == -2;
    high = high || value == 2;
    const double fraction = random.uniform_double();
    ASSERT_GE(fraction, 0.0);
    ASSERT_LT(fraction, 1.0);
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(random.uniform_between(5, 5), 5);
  random.uniform_between(INT64_MIN, INT64_MAX);  // The whole range does not overflow.
}

// Values from the Python packages xxhash and zlib.
TEST(HashTest, is_xxh3_and_crc32) {
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2ULL);
  EXPECT_EQ(hash64("clepsydra"), 0xB8096955C3685F9ULL);
  EXPECT_EQ(hash64_with_seed("clepsydra", 7), 0xE5CDF9CA0FA6DFAAULL);
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 1024; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(checksum64(bytes), 0xA870F92984398D22ULL);
  const std::string_view digits = "123456789";
  const std::span<const std::uint8_t> span(reinterpret_cast<const std::uint8_t*>(digits.data()), 9);
  EXPECT_EQ(crc32(span), 0xCBF43926U);
  EXPECT_EQ(crc32(span.subspan(4), crc32(span.first(4))), 0xCBF43926U);
}

TEST(HashTest, pieces_hash_as_the_whole) {
  const std::string text(5000, 'x');
  Hasher64 hasher;
  hasher.update(std::string_view(text).substr(0, 17));
  hasher.update("");
  hasher.update(std::string_view(text).substr(17));
  EXPECT_EQ(hasher.digest(), hash64(text));
}

}  // namespace
}  // namespace clepsydra
