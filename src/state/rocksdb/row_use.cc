#include "state/rocksdb/row_use.h"

#include <algorithm>
#include <cmath>

namespace clepsydra {

// Two worths w and w - d stand for 2^(w/h) and 2^((w-d)/h) of uses, h being the half-life: together
// w + h * log2(1 + 2^(-d/h)).
RowUse::RowUse() {
  for (std::uint32_t i = 0; i < kBuckets; ++i) {
    const double distance = static_cast<double>(i * kBucket) / kHalfLife;
    more_[i] = static_cast<std::uint16_t>(kHalfLife * std::log2(1 + std::exp2(-distance)));
  }
}

void RowUse::pass(std::int64_t bytes, std::int64_t room_bytes) {
  passed_ += bytes * kTurnover;
  const std::int64_t tick = std::max<std::int64_t>(1, room_bytes);
  now_ = static_cast<std::uint32_t>(now_ + passed_ / tick) & kWorthMask;
  passed_ %= tick;
}

}  // namespace clepsydra
