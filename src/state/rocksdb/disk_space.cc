#include "state/rocksdb/disk_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/rocksdb/disk_rows.h"

namespace clepsydra {
namespace {

// Rows whose worth stands for that of all.
constexpr std::int64_t kSamples = 2048;
// What is looked at when one row in sixteen goes: more than go, so that the search for them is
// short.
constexpr double kLowPart = 0.125;
constexpr std::int32_t kSampleTicks = RowUse::kTurnover / 16;
// Room is made for a few more rows than came, so that a small step need not make any.
constexpr std::int64_t kSpareParts = 32;
constexpr std::int64_t kSpareBytesMax = 64 << 10;

}  // namespace

Result<std::shared_ptr<DiskSpace>> DiskSpace::open(const LocalStateOptions& options,
                                                   std::shared_ptr<MemoryPool> pool) {
  if (options.stores == nullptr) {
    return Status::failed_precondition(
        "the state backend 'rocksdb' was given no local directory to keep state in");
  }
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<LocalStore> store,
                       options.stores->open(options.name, options.store));
  return std::shared_ptr<DiskSpace>(new DiskSpace(options, std::move(pool), std::move(store)));
}

DiskSpace::DiskSpace(LocalStateOptions options, std::shared_ptr<MemoryPool> pool,
                     std::unique_ptr<LocalStore> store)
    : options_(std::move(options)), pool_(std::move(pool)), store_(std::move(store)) {
  if (options_.sharers != nullptr) options_.sharers->fetch_add(1, std::memory_order_relaxed);
}

DiskSpace::~DiskSpace() {
  if (options_.sharers != nullptr) options_.sharers->fetch_sub(1, std::memory_order_relaxed);
  // Its files serve nobody any more; what cannot be removed goes with the directory's next owner.
  store_.reset();
  static_cast<void>(options_.stores->remove(options_.name));
}

Status DiskSpace::release() {
  ++step_;
  use_.end_step();
  use_.pass(std::exchange(added_bytes_, 0), bytes_max());
  if (!later_.empty() && error_.is_ok()) {
    fail(store_->write(later_));
    later_.clear();
  }
  if (error_.is_ok()) fail(keep_within());
  return error_;
}

Status DiskSpace::make_much_room(bool all) {
  const std::int64_t bytes = live_bytes();
  return evict(all ? bytes : (bytes + 1) / 2, false);
}

std::int64_t DiskSpace::live_bytes() const {
  std::int64_t bytes = 0;
  for (const DiskRows* rows : states_) bytes += rows->live_bytes();
  return bytes;
}

std::int64_t DiskSpace::bytes_max() const {
  const int sharers =
      options_.sharers != nullptr ? options_.sharers->load(std::memory_order_relaxed) : 1;
  return options_.cached_bytes / std::max(1, sharers);
}

// Rows that come take about as much as those that are there.
std::int64_t DiskSpace::step_rows_max() const {
  std::int64_t row_bytes = 1;
  for (const DiskRows* rows : states_) row_bytes = std::max(row_bytes, rows->bytes_of_a_row());
  return std::max<std::int64_t>(1, bytes_max() / kStepParts / row_bytes);
}

// Leaves room for the rows of the next step. Memory that is taken and not used is left for them.
Status DiskSpace::keep_within() {
  const std::int64_t max = bytes_max() / kStepParts * (kStepParts - 1);
  if (pool_->used_bytes() <= max) return Status::ok();
  const std::int64_t bytes = live_bytes();
  if (bytes <= max) return Status::ok();
  return evict(bytes - max + std::min(max / kSpareParts, kSpareBytesMax), true);
}

// Rows that are worth least, until `excess` bytes have gone; if need be, all that were not handed
// out in this step.
Status DiskSpace::evict(std::int64_t excess, bool may_move) {
  const double part = 2 * static_cast<double>(excess) /
                      static_cast<double>(std::max<std::int64_t>(1, live_bytes()));
  if (part > kLowPart) {
    CLP_RETURN_IF_ERROR(evict(sample_worth(part), excess, may_move));
  } else {
    if (!was_sampled_ || use_.from_now(sampled_at_) <= -kSampleTicks) {
      was_sampled_ = true;
      sampled_at_ = use_.now();
      low_worth_ = use_.now() + static_cast<std::uint32_t>(sample_worth(kLowPart));
    }
    CLP_RETURN_IF_ERROR(evict(use_.from_now(low_worth_), excess, may_move));
  }
  if (excess <= 0) return Status::ok();
  was_sampled_ = false;
  return evict(std::numeric_limits<std::int32_t>::max(), excess, may_move);
}

// One round over all rows in memory at most.
Status DiskSpace::evict(std::int32_t worth_max, std::int64_t& excess, bool may_move) {
  for (std::size_t i = 0; i <= states_.size() && !states_.empty() && excess > 0; ++i) {
    if (next_state_ >= states_.size()) next_state_ = 0;
    const Status status = states_[next_state_]->evict(worth_max, excess, may_move);
    fail(status);
    CLP_RETURN_IF_ERROR(status);
    if (excess > 0) ++next_state_;
  }
  return Status::ok();
}

// From now, what that part of the rows in memory is not worth more than.
std::int32_t DiskSpace::sample_worth(double part) const {
  std::int64_t rows_in_memory = 0;
  for (const DiskRows* rows : states_) rows_in_memory += rows->rows_in_memory();
  std::vector<std::int32_t> worths;
  for (const DiskRows* rows : states_) {
    rows->sample_worths(std::max<std::int64_t>(1, rows_in_memory / kSamples), worths);
  }
  if (worths.empty() || part >= 1) return std::numeric_limits<std::int32_t>::max();
  const auto place = static_cast<std::size_t>(static_cast<double>(worths.size() - 1) * part);
  std::nth_element(worths.begin(), worths.begin() + static_cast<std::ptrdiff_t>(place),
                   worths.end());
  return worths[place];
}

}  // namespace clepsydra
