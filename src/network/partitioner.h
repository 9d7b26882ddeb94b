// Which channel a row takes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/batch.h"
#include "stream/column.h"
#include "stream/key_group.h"

namespace clepsydra {

enum class RoutingKind : std::uint8_t {
  kOne,         // Everything to the only channel: forward and global edges.
  kRoundRobin,  // Batch by batch.
  kHash,        // Rows by the key group of their key columns.
  kAll,         // Everything to every channel.
};

struct Routing {
  RoutingKind kind = RoutingKind::kOne;
  std::vector<int> keys = {};  // kHash: columns.
  int max_parallelism = kDefaultMaxParallelism;
  int first_channel = 0;  // kRoundRobin: where to begin, so that producers do not begin at one.
};

// Threads: the task's.
class Partitioner {
 public:
  static constexpr int kEveryChannel = -1;

  // Requires at least one channel; exactly one for kOne.
  Partitioner(Routing routing, int channels);

  // True: call split(); false: call next_channel() for each batch.
  [[nodiscard]] bool splits_rows() const {
    return routing_.kind == RoutingKind::kHash && channels_ > 1;
  }
  // Where the next batch goes as a whole.
  int next_channel();
  // The rows of `batch` by channel, ascending. Valid until the next call.
  std::span<const std::vector<std::int32_t>> split(const Batch& batch);

 private:
  const Routing routing_;
  const int channels_;
  int next_ = 0;
  std::vector<std::int32_t> channel_of_key_group_;
  // Scratch of split().
  std::vector<Column> key_columns_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::int32_t> channel_of_row_;
  std::vector<std::int32_t> counts_;
  std::vector<std::vector<std::int32_t>> rows_;
};

}  // namespace clepsydra
