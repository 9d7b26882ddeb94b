// The part of a snapshot that is one state of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/base_slices.h"
#include "state/hashmap/hashmap_rows.h"
#include "state/hashmap/row_table.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/state_blocks.h"
#include "stream/column.h"

namespace clepsydra {

class MemoryPool;

// Writes the rows that a state had when it was frozen, a bounded number at a time; those that are
// about to be written, erased or dropped are taken in before. Threads: the owner of the state.
class RowsImages {
 public:
  // `state`: its number in `writer`, which outlives this, as do the others.
  RowsImages(HashmapRows& rows, const SnapshotEpochs& epochs, std::uint32_t state,
             StateBlockWriter& writer, MemoryPool& pool);
  ~RowsImages();
  RowsImages(const RowsImages&) = delete;
  RowsImages& operator=(const RowsImages&) = delete;

  // An error comes out of write_some().
  void take_early(StateNamespace ns, std::span<std::byte* const> values);
  void take_dropped(StateNamespace ns, std::unique_ptr<RowTable> table);

  // Appends blocks for at most about `budget` rows looked at, which are taken off. True: that was
  // all but for what is taken in early until finish().
  Result<bool> write_some(std::int64_t& budget, std::string& out);
  Status finish(std::string& out);
  // After the changes, when they all were written: as write_some(), for rows that did not change,
  // from `place` on and looking at no more than `left` of them. True: those were the last ones.
  Result<bool> write_slice(SlicePlace& place, std::int64_t& left, std::int64_t& budget,
                           std::string& out);
  [[nodiscard]] const HashmapRows& rows() const { return *rows_; }
  // So far: rows that have gone out, or will at the end, and all that were there.
  [[nodiscard]] std::int64_t changed_rows() const { return changed_rows_; }
  [[nodiscard]] std::int64_t all_rows() const { return all_rows_; }

 private:
  // Rows and bytes of a block, about.
  static constexpr std::size_t kBlockRowsMax = 4096;
  static constexpr std::size_t kBlockBytes = 256 << 10;
  // Rows taken in early wait for more of them.
  static constexpr std::int64_t kEarlyBytesMin = 32 << 10;

  enum class Next : std::uint8_t { kFound, kLater, kNone };

  Result<bool> write_more(std::int64_t& budget, std::string& out);
  Result<Next> next_table(std::int64_t& budget, std::string& out);
  Status start_table(StateNamespace ns, RowTable& table, std::string& out);
  void end_table();
  void leave_out_expired(std::size_t begin);
  Status write_erased(StateNamespace ns, std::int64_t rows, const std::vector<Column>& keys,
                      std::string& out);
  Status write_block(std::string& out);
  Status write_values(std::span<std::byte* const> values, std::span<const NamespaceRun> runs,
                      std::string& out);
  Status write_early(std::int64_t bytes_min, std::string& out);

  HashmapRows* rows_;
  const SnapshotEpochs* epochs_;
  const std::uint32_t state_;
  StateBlockWriter* writer_;
  MemoryPool* pool_;

  bool has_begun_ = false;
  // The next namespace to look at; the table that is being written, and what it has given.
  StateNamespace next_namespace_ = std::numeric_limits<StateNamespace>::min();
  bool is_at_end_ = false;
  StateNamespace namespace_ = 0;
  RowTable* table_ = nullptr;
  std::vector<std::byte*> values_;
  std::vector<NamespaceRun> runs_;
  std::size_t block_rows_ = 64;
  std::map<StateNamespace, std::unique_ptr<RowTable>> dropped_;
  std::vector<std::unique_ptr<RowTable>> done_;  // Dropped ones that values_ still refers to.

  struct Early {
    NamespaceRun run;
    std::vector<Column> columns;
    std::int64_t bytes;
  };
  std::vector<Early> early_;
  std::int64_t early_bytes_ = 0;
  std::int64_t changed_rows_ = 0;
  std::int64_t all_rows_ = 0;
  Status error_;
};

}  // namespace clepsydra
