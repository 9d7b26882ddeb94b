// State as bytes: what checkpoints and savepoints consist of, one format for all backends.
// docs/formats/state.md specifies every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/snapshot_bytes.h"
#include "state/timer_service.h"
#include "stream/batch.h"
#include "stream/batch_codec.h"
#include "stream/column.h"
#include "stream/data_type.h"
#include "stream/key_group.h"

namespace clepsydra {

class MemoryPool;

inline constexpr std::int64_t kStateBlockHeaderBytes = 24;
// No block is larger. Rows that would need more are refused; writers stay far below.
inline constexpr std::int64_t kStateBlockBytesMax = 1LL << 30;

// Stored: never renumber.
enum class StateBlockKind : std::uint8_t {
  kBegin = 1,
  kState = 2,
  kRows = 3,
  kErased = 4,
  kDropped = 5,
  kNumber = 6,
  kList = 7,
  kTimers = 8,
  kEnd = 9,
  kEntries = 10,
};

// What a snapshot says of itself in its first block.
struct StoredOrigin {
  bool is_base = true;             // Else what changed since an earlier one.
  KeyGroupRange key_groups{0, 0};  // Of the subtask that wrote it.
  int max_parallelism = 0;
  // Changes with a slice of the other rows: how many snapshots before it make the state with it,
  // the first of which needs none. Else a base and all since then do.
  std::optional<std::uint32_t> needed = std::nullopt;
};

// A state of rows, as it was when it was stored.
struct StoredSchema {
  std::string name;
  std::vector<DataType> key_types;
  std::vector<Field> fields;  // Of RowValueCodec.
  int entry_columns = 0;      // KeyedRowsSpec.
};

// So many rows, one after the other, are of this namespace.
struct NamespaceRun {
  StateNamespace ns;
  std::int64_t rows;
  friend bool operator==(const NamespaceRun&, const NamespaceRun&) = default;
};

// Writes the blocks of one snapshot, in this order: begin(); any of the others, a state before its
// rows; finish(). Each call appends whole blocks to `out`. Threads: one at a time.
class StateBlockWriter {
 public:
  void begin(const StoredOrigin& origin, std::string& out);
  // The number by which blocks of rows name it.
  Result<std::uint32_t> add_state(const StoredSchema& schema, std::string& out);
  // One column per key, then one per field. A block that fails is not there at all.
  Status add_rows(std::uint32_t state, std::span<const NamespaceRun> runs,
                  std::vector<Column> columns, MemoryPool& pool, std::string& out);
  // Keys whose rows are no more: one column per key.
  Status add_erased(std::uint32_t state, std::span<const NamespaceRun> runs,
                    std::vector<Column> keys, MemoryPool& pool, std::string& out);
  void add_dropped(std::uint32_t state, std::span<const StateNamespace> dropped, std::string& out);
  void add_number(std::string_view name, std::int64_t value, std::string& out);
  Status add_list(std::string_view name, std::span<const std::string> items, std::string& out);
  void add_timers(std::string_view name, std::span<const Timer> timers, std::string& out);
  void finish(std::string& out);

 private:
  struct State {
    SchemaPtr rows;
    SchemaPtr keys;
  };
  Status add_batch(StateBlockKind kind, std::uint32_t state, std::span<const NamespaceRun> runs,
                   const SchemaPtr& schema, std::vector<Column> columns, MemoryPool& pool,
                   std::string& out);
  void close_block(std::size_t start, std::string& out);

  std::vector<State> states_;
  std::uint64_t blocks_ = 0;
};

// A block of rows or of erased keys.
struct StoredBatch {
  std::vector<NamespaceRun> runs;
  // Of the whole block, in the snapshot.
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

// What a snapshot has of one state. It means: first its namespaces were dropped, then keys erased,
// then rows written.
struct StoredRows {
  SnapshotBytes snapshot;  // Where its blocks are.
  StoredSchema schema;
  std::vector<StateNamespace> dropped;
  std::vector<StoredBatch> erased;
  std::vector<StoredBatch> rows;

  // The columns of a block: keys, and for rows the fields. DataLoss when its bytes are damaged, or
  // do not fit its runs.
  Result<Batch> decode_rows(const StoredBatch& block, MemoryPool& pool) const;
  Result<Batch> decode_erased(const StoredBatch& block, MemoryPool& pool) const;
};

// A snapshot, all of it checked but for rows, and, where it is in a file, the blocks of rows.
struct StoredSnapshot {
  StoredOrigin origin;
  std::vector<StoredRows> states;
  std::vector<std::pair<std::string, std::int64_t>> numbers;
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::vector<std::pair<std::string, std::vector<Timer>>> timers;

  [[nodiscard]] const StoredRows* find_state(std::string_view name) const;
};

// DataLoss for broken or missing bytes, which are named by their place; FailedPrecondition for
// another version.
Result<StoredSnapshot> read_state_blocks(const SnapshotBytes& bytes);

// What stands before the rows of a snapshot, so that little of a large one need be read.
struct StoredOutline {
  StoredOrigin origin;
  std::vector<StoredSchema> states;
};
// `read_at` gives bytes of the snapshot, less at its end. Errors as above, and those of `read_at`.
Result<StoredOutline> read_state_outline(
    const std::function<Result<std::string>(std::int64_t offset, std::int64_t bytes)>& read_at);

}  // namespace clepsydra
