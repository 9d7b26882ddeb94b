// Memory blocks for buffers, with freed ones kept for reuse: batches come and go all the time, and
// giving large blocks back to the system each time costs page faults.
#pragma once

#include <cstdint>

namespace clepsydra::internal {

// The size of the block that serves `size` bytes (>= 0): a size class.
std::int64_t block_bytes(std::int64_t size);

// A block of exactly `bytes`, a size class; aligned to 64 bytes, not initialised. Null when the
// system has none. Any thread.
std::uint8_t* allocate_block(std::int64_t bytes);

// `block` may be null. `bytes` as it was allocated with. Any thread.
void free_block(std::uint8_t* block, std::int64_t bytes);

// Bytes of freed blocks kept: at most kBlockCacheBytesMax. They belong to no pool.
std::int64_t cached_block_bytes();
inline constexpr std::int64_t kBlockCacheBytesMax = 64LL << 20;

}  // namespace clepsydra::internal
