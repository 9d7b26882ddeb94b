#include "network/partitioner.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"

namespace clepsydra {

Partitioner::Partitioner(Routing routing, int channels)
    : routing_(std::move(routing)), channels_(channels) {
  CLP_CHECK(channels >= 1 && (routing_.kind != RoutingKind::kOne || channels == 1));
  next_ = routing_.first_channel % channels;
  if (!splits_rows()) return;
  rows_.resize(static_cast<std::size_t>(channels));
  for (int group = 0; group < routing_.max_parallelism; ++group) {
    channel_of_key_group_.push_back(
        subtask_of_key_group(group, routing_.max_parallelism, channels));
  }
}

int Partitioner::next_channel() {
  switch (routing_.kind) {
    case RoutingKind::kOne:
    case RoutingKind::kHash:
      return 0;
    case RoutingKind::kAll:
      return kEveryChannel;
    case RoutingKind::kRoundRobin:
      break;
  }
  const int channel = next_;
  next_ = next_ + 1 == channels_ ? 0 : next_ + 1;
  return channel;
}

std::span<const std::vector<std::int32_t>> Partitioner::split(const Batch& batch) {
  const auto count = static_cast<std::size_t>(batch.rows());
  key_columns_.clear();
  for (const int key : routing_.keys) key_columns_.push_back(batch.column(key));
  hashes_.resize(count);
  hash_rows(key_columns_, batch.rows(), hashes_.data());

  // First count, then write without a check for room per row.
  channel_of_row_.resize(count);
  counts_.assign(rows_.size(), 0);
  for (std::size_t row = 0; row < count; ++row) {
    const int group = key_group_of(hashes_[row], routing_.max_parallelism);
    const std::int32_t channel = channel_of_key_group_[static_cast<std::size_t>(group)];
    channel_of_row_[row] = channel;
    ++counts_[static_cast<std::size_t>(channel)];
  }
  for (std::size_t channel = 0; channel < rows_.size(); ++channel) {
    rows_[channel].resize(static_cast<std::size_t>(counts_[channel]));
    counts_[channel] = 0;
  }
  for (std::size_t row = 0; row < count; ++row) {
    const auto channel = static_cast<std::size_t>(channel_of_row_[row]);
    rows_[channel][static_cast<std::size_t>(counts_[channel]++)] = static_cast<std::int32_t>(row);
  }
  return rows_;
}

}  // namespace clepsydra
