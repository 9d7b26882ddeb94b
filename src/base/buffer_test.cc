#include "base/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(BufferTest, charges_its_pool_until_the_last_reference_is_gone) {
  const auto pool = MemoryPool::make_root("test");
  BufferPtr slice;
  {
    BufferPtr buffer = *allocate_buffer(*pool, 100);
    EXPECT_EQ(buffer->size(), 100);
    EXPECT_EQ(buffer->capacity(), 128);  // The next multiple of 64.
    EXPECT_EQ(pool->used_bytes(), 128);
    slice = Buffer::slice(buffer, 10, 20);
  }
  EXPECT_EQ(pool->used_bytes(), 128);
  slice.reset();
  EXPECT_EQ(pool->used_bytes(), 0);
  EXPECT_EQ(pool->peak_bytes(), 128);
}

TEST(BufferTest, is_aligned_and_readable_to_the_next_64_bytes) {
  const auto pool = MemoryPool::make_root("test");
  for (const std::int64_t size : {1, 63, 64, 65, 4095, 4097, 100'000, 5'000'000}) {
    const auto buffer = *allocate_zeroed_buffer(*pool, size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data()) % 64, 0U) << size;
    EXPECT_GE(buffer->capacity(), (size + 63) / 64 * 64) << size;
    EXPECT_EQ(buffer->data()[size - 1], 0) << size;
  }
}

TEST(BufferTest, slices_share_identity_and_keep_the_bytes) {
  const auto pool = MemoryPool::make_root("test");
  BufferPtr whole = *copy_to_buffer(*pool, bytes_of("hello world"));
  const BufferPtr part = Buffer::slice(whole, 6, 5);
  const BufferPtr part_of_part = Buffer::slice(part, 1, 2);
  EXPECT_EQ(part->allocation(), whole->allocation());
  EXPECT_EQ(part_of_part->allocation(), whole->allocation());
  EXPECT_EQ(part_of_part->capacity(), whole->capacity());
  whole.reset();
  EXPECT_EQ(std::memcmp(part->data(), "world", 5), 0);
  EXPECT_EQ(std::memcmp(part_of_part->data(), "or", 2), 0);
}

TEST(BufferTest, different_allocations_have_different_identities) {
  const auto pool = MemoryPool::make_root("test");
  const BufferPtr a = *allocate_buffer(*pool, 8);
  const BufferPtr b = *allocate_buffer(*pool, 8);
  EXPECT_NE(a->allocation(), b->allocation());
}

TEST(BufferTest, wrapped_memory_is_kept_alive_and_charged_to_nobody) {
  auto owner = std::make_shared<std::vector<std::uint8_t>>(std::vector<std::uint8_t>{1, 2, 3});
  const std::weak_ptr<std::vector<std::uint8_t>> watch = owner;
  const std::uint8_t* data = owner->data();
  BufferPtr wrapped = Buffer::wrap(std::move(owner), data, 3);
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(wrapped->data()[2], 3);
  wrapped.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(MutableBufferTest, growing_keeps_the_bytes_and_doubles) {
  const auto pool = MemoryPool::make_root("test");
  const auto buffer = *allocate_buffer(*pool, 0);
  EXPECT_EQ(pool->used_bytes(), 0);
  int moves = 0;
  const std::uint8_t* last = nullptr;
  for (std::int64_t i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(buffer->resize(i + 1).is_ok());
    moves += buffer->data() != last ? 1 : 0;
    last = buffer->data();
    buffer->mutable_data()[i] = static_cast<std::uint8_t>(i * 7);
  }
  for (std::int64_t i = 0; i < 100'000; ++i) {
    ASSERT_EQ(buffer->data()[i], static_cast<std::uint8_t>(i * 7));
  }
  EXPECT_LE(moves, 14);  // 64 bytes doubled 11 times are more than 100,000.
  EXPECT_EQ(pool->used_bytes(), buffer->capacity());
}

TEST(MutableBufferTest, shrink_to_fit_gives_memory_back) {
  const auto pool = MemoryPool::make_root("test");
  const auto buffer = *allocate_buffer(*pool, 3);
  std::memcpy(buffer->mutable_data(), "abc", 3);
  ASSERT_TRUE(buffer->reserve(1 << 20).is_ok());
  EXPECT_GE(pool->used_bytes(), 1 << 20);
  ASSERT_TRUE(buffer->shrink_to_fit().is_ok());
  EXPECT_EQ(pool->used_bytes(), 64);
  EXPECT_EQ(std::memcmp(buffer->data(), "abc", 3), 0);
}

TEST(MutableBufferTest, growth_takes_the_bare_need_when_doubling_would_break_the_limit) {
  const auto pool = MemoryPool::make_root("test", 64'000);
  const auto buffer = *allocate_buffer(*pool, 25'600);
  // Doubling needs 51,200 beside the old 25,600.
  EXPECT_TRUE(buffer->resize(32'000).is_ok());
  EXPECT_GE(buffer->capacity(), 32'000);
}

TEST(MutableBufferTest, failed_growth_changes_nothing) {
  const auto pool = MemoryPool::make_root("test", 1024);
  const auto buffer = *allocate_buffer(*pool, 512);
  buffer->mutable_data()[511] = 9;
  const Status status = buffer->resize(2000);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(buffer->size(), 512);
  EXPECT_EQ(buffer->data()[511], 9);
  EXPECT_EQ(pool->used_bytes(), 512);
}

TEST(BufferTest, size_classes_waste_at_most_a_quarter) {
  for (std::int64_t size = 1; size < (1LL << 26); size = size * 9 / 8 + 1) {
    const std::int64_t bytes = allocation_bytes(size);
    EXPECT_GE(bytes, size);
    EXPECT_EQ(bytes % 64, 0) << size;
    EXPECT_EQ(allocation_bytes(bytes), bytes) << size;
    EXPECT_LE(bytes - size, std::max<std::int64_t>(63, size / 4)) << size;
  }
  EXPECT_EQ(allocation_bytes(0), 0);
  EXPECT_EQ(allocation_bytes(65'536), 65'536);
}

TEST(BlockCacheTest, keeps_freed_blocks_within_its_bound) {
  std::vector<std::uint8_t*> blocks;
  constexpr std::int64_t kBytes = 1 << 20;
  for (int i = 0; i < 200; ++i) blocks.push_back(internal::allocate_block(kBytes));
  for (std::uint8_t* block : blocks) internal::free_block(block, kBytes);
  EXPECT_LE(internal::cached_block_bytes(), internal::kBlockCacheBytesMax);
}

}  // namespace
}  // namespace clepsydra
