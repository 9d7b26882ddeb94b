// Hashes of key columns, and key groups: the fixed shards in which keyed state is split and moved.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/column.h"

namespace clepsydra {

inline constexpr int kDefaultMaxParallelism = 128;
inline constexpr int kMaxMaxParallelism = 32768;

// One 64-bit hash per row over the key columns. Depends on values alone (not on blobs or batch
// size): equal keys hash equally in every process and release; NULL is a value; -0.0 hashes as 0.0,
// all NaN alike. Stored state depends on it: never change.
void hash_rows(std::span<const Column> keys, std::int64_t rows, std::uint64_t* hashes);

inline int key_group_of(std::uint64_t hash, int max_parallelism) {
  // The upper bits scaled to the range: no division, and every group equally likely.
  return static_cast<int>(((hash >> 32) * static_cast<std::uint64_t>(max_parallelism)) >> 32);
}
// The subtask that owns a key group.
inline int subtask_of_key_group(int key_group, int max_parallelism, int parallelism) {
  return key_group * parallelism / max_parallelism;
}
struct KeyGroupRange {
  int begin;  // Included.
  int end;    // Excluded.
};
// The key groups of a subtask; ranges of all subtasks cover [0, max_parallelism) without overlap.
KeyGroupRange key_group_range(int subtask, int max_parallelism, int parallelism);

// Whether row `a_row` of the columns `a` equals row `b_row` of `b` (NULL equals NULL here).
bool keys_equal(std::span<const Column> a, std::int64_t a_row, std::span<const Column> b,
                std::int64_t b_row);

}  // namespace clepsydra
