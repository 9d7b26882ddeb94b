#include "state/rocksdb/disk_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/rocksdb/disk_rows.h"

namespace clepsydra {
namespace {

// Rows whose ages stand for all.
constexpr std::int64_t kSamples = 2048;

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
  step_ = (step_ + 1) & kStepMask;
  if (!later_.empty() && error_.is_ok()) {
    fail(store_->write(later_));
    later_.clear();
  }
  if (error_.is_ok()) fail(keep_within());
  return error_;
}

Status DiskSpace::make_much_room(bool all) {
  return evict(all ? 0 : live_bytes() / 2, false);
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

// Letting rows go looks at all of them, so it waits until there are more than a few. Memory that is
// taken and not used is left for new rows.
Status DiskSpace::keep_within() {
  const std::int64_t max = bytes_max();
  const std::int64_t used = pool_->used_bytes();
  if (used <= max) return Status::ok();
  if (added_bytes_ + std::max<std::int64_t>(0, used - used_bytes_) < max / 8) return Status::ok();
  added_bytes_ = 0;
  used_bytes_ = used;
  if (live_bytes() <= max / 8 * 7) return Status::ok();
  return evict(max / 8 * 5, true);
}

// The rows that were used longest ago, until the others take about `keep_bytes`.
Status DiskSpace::evict(std::int64_t keep_bytes, bool may_move) {
  const std::int64_t bytes = live_bytes();
  std::int64_t live_rows = 0;
  for (const DiskRows* rows : states_) live_rows += rows->rows_in_memory();
  std::int64_t excess = bytes - keep_bytes;
  std::uint32_t age_min = 1;
  if (excess > 0 && excess < bytes) {
    std::vector<std::uint32_t> ages;
    for (const DiskRows* rows : states_) {
      rows->sample_ages(std::max<std::int64_t>(1, live_rows / kSamples), ages);
    }
    if (!ages.empty()) {
      const auto place =
          static_cast<std::size_t>(static_cast<double>(ages.size() - 1) *
                                   static_cast<double>(keep_bytes) / static_cast<double>(bytes));
      std::nth_element(ages.begin(), ages.begin() + static_cast<std::ptrdiff_t>(place), ages.end());
      age_min = std::max(age_min, ages[place]);
    }
  }
  for (DiskRows* rows : states_) {
    const Status status = rows->evict(age_min, excess, may_move);
    fail(status);
    CLP_RETURN_IF_ERROR(status);
  }
  used_bytes_ = pool_->used_bytes();
  return Status::ok();
}

}  // namespace clepsydra
