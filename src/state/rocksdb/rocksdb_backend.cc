// The state backend "rocksdb": rows in memory as far as there is room, the others on local disk.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/hashmap/hashmap_backend.h"
#include "state/rocksdb/disk_rows.h"
#include "state/rocksdb/disk_space.h"
#include "state/state_backend.h"

namespace clepsydra {
namespace {

// The rows in memory lie in at least so many pages, as long as these have so many bytes.
constexpr std::int64_t kPagesMin = 64;
constexpr std::int64_t kPageBytesMin = 4 << 10;

class RocksdbBackend final : public HashmapBackend {
 public:
  // `pool` is what `options` names.
  RocksdbBackend(StateBackendOptions options, std::shared_ptr<MemoryPool> pool)
      : HashmapBackend(std::move(options)), pool_(std::move(pool)) {}

  [[nodiscard]] bool may_block() const override { return space_ != nullptr && space_->may_block(); }
  [[nodiscard]] std::int64_t step_rows_max() const override {
    return space_ != nullptr ? space_->step_rows_max() : HashmapBackend::step_rows_max();
  }
  Status release_rows() override {
    CLP_RETURN_IF_ERROR(HashmapBackend::release_rows());
    return space_ != nullptr ? space_->release() : Status::ok();
  }

 protected:
  [[nodiscard]] bool has_slices() const override { return false; }
  // A state that is not stored follows from others, so it stays in memory. The store is opened when
  // the first other one is, because most operators have none.
  Result<std::unique_ptr<HashmapRows>> make_rows(KeyedRowsSpec spec, RowShape shape,
                                                 SnapshotEpochs& epochs) override {
    if (spec.codec == nullptr) {
      return HashmapBackend::make_rows(std::move(spec), std::move(shape), epochs);
    }
    if (space_ == nullptr) {
      CLP_ASSIGN_OR_RETURN(space_, DiskSpace::open(options().local, pool_));
    }
    shape.value_bytes += static_cast<std::int64_t>(sizeof(RowTrailer));
    // Pages that are only partly used count too.
    shape.page_bytes_max =
        std::clamp(options().local.cached_bytes / kPagesMin, kPageBytesMin, shape.page_bytes_max);
    return std::make_unique<DiskRows>(std::move(spec), std::move(shape), epochs, space_);
  }

 private:
  const std::shared_ptr<MemoryPool> pool_;
  std::shared_ptr<DiskSpace> space_;  // Shared by its states and their last tables.
};

Result<std::unique_ptr<KeyedStateBackend>> make_rocksdb_backend(
    const StateBackendOptions& options) {
  // One of its own: what it uses is what state takes.
  std::shared_ptr<MemoryPool> pool = options.pool->make_child("state");
  StateBackendOptions own = options;
  own.pool = pool.get();
  return std::make_unique<RocksdbBackend>(std::move(own), std::move(pool));
}

}  // namespace

void register_rocksdb_backend(StateBackendRegistry& registry) {
  registry.add({.name = "rocksdb", .make = make_rocksdb_backend, .uses_local_disk = true});
}

}  // namespace clepsydra
