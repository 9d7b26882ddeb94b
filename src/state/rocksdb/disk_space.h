// What the states of one backend share: a local store, and how much of it they keep in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_pool.h"
#include "clepsydra/status.h"
#include "state/local_store.h"
#include "state/rocksdb/row_use.h"
#include "state/state_backend.h"

namespace clepsydra {

class DiskRows;

// Counts steps: rows that were handed out in the current one stay in memory. Threads: the owner of
// the state.
class DiskSpace {
 public:
  // `pool` is what the states take their memory from, and nothing else much.
  static Result<std::shared_ptr<DiskSpace>> open(const LocalStateOptions& options,
                                                 std::shared_ptr<MemoryPool> pool);
  ~DiskSpace();
  DiskSpace(const DiskSpace&) = delete;
  DiskSpace& operator=(const DiskSpace&) = delete;

  [[nodiscard]] LocalStore& store() const { return *store_; }
  [[nodiscard]] MemoryPool& pool() const { return *pool_; }
  // By which the rows of a namespace are found in the store; never given twice.
  std::uint64_t next_table() { return ++last_table_; }

  void add(DiskRows* rows) { states_.push_back(rows); }
  void remove(DiskRows* rows) { std::erase(states_, rows); }

  // Steps since `step`; 0: it is the current one.
  [[nodiscard]] std::uint32_t step() const { return step_; }
  [[nodiscard]] std::uint32_t age_of(std::uint32_t step) const { return step_ - step; }
  [[nodiscard]] const RowUse& use() const { return use_; }

  // Rows are in the store, or will be soon.
  [[nodiscard]] bool may_block() const {
    return has_written_ || pool_->used_bytes() > bytes_max() / 8 * 7;
  }
  void note_written() { has_written_ = true; }

  // Made with the next release(); they concern nothing that anybody asks for.
  StoreWrites& later() { return later_; }
  // Ends the step: lets rows go when they take more than they may.
  Status release();
  // Rows of so many bytes were added.
  void note_added(std::int64_t bytes) { added_bytes_ += bytes; }
  // What rows in memory may take. Of that, a step may add one part in kStepParts.
  [[nodiscard]] std::int64_t bytes_max() const;
  static constexpr int kStepParts = 8;
  [[nodiscard]] std::int64_t step_rows_max() const;
  // Lets half of the rows that were not handed out in this step go, or all, because memory has run
  // out.
  Status make_much_room(bool all);

  // The first error stays.
  void fail(const Status& status) {
    if (error_.is_ok()) error_ = status;
  }
  [[nodiscard]] const Status& error() const { return error_; }

 private:
  DiskSpace(LocalStateOptions options, std::shared_ptr<MemoryPool> pool,
            std::unique_ptr<LocalStore> store);
  [[nodiscard]] std::int64_t live_bytes() const;
  Status keep_within();
  Status evict(std::int64_t excess, bool may_move);
  Status evict(std::int32_t worth_max, std::int64_t& excess, bool may_move);
  [[nodiscard]] std::int32_t sample_worth(double part) const;

  const LocalStateOptions options_;
  const std::shared_ptr<MemoryPool> pool_;
  std::unique_ptr<LocalStore> store_;
  std::vector<DiskRows*> states_;
  std::uint64_t last_table_ = 0;
  bool has_written_ = false;
  std::uint32_t step_ = 1;
  StoreWrites later_;
  RowUse use_;
  std::int64_t added_bytes_ = 0;  // In this step.
  std::size_t next_state_ = 0;    // That lets rows go.
  // Of the rows in memory, so many parts of kEvictedParts are worth at most this; as of then.
  std::uint32_t low_worth_ = 0;
  std::uint32_t sampled_at_ = 0;
  bool was_sampled_ = false;
  Status error_;
};

}  // namespace clepsydra
