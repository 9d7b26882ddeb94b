// For tests of sources: plays enumerator and readers of all subtasks on one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "clepsydra/source.h"
#include "connectors/connector_registry.h"
#include "stream/batch.h"

namespace clepsydra::testing {

// What reading a table to its end gave, as lines (see tests/harness/batch_text.h).
struct ReadTable {
  std::vector<std::vector<std::string>> per_subtask;
  std::vector<std::string> split_ids;
  std::int64_t skipped_rows = 0;
  Status status;
  [[nodiscard]] std::vector<std::string> all() const;  // Subtask by subtask.
};

struct ReadOptions {
  int parallelism = 1;
  std::int64_t rows_max = 4096;
  bool has_watermark = false;
  // Each reader is closed after every poll and opened again at its position.
  bool reopen = false;
  // After so many polls the whole source stops and goes on from its snapshot, each time on the
  // other number of subtasks. 0: never.
  int restart_every = 0;
  int restart_parallelism = 1;
  // Of a table PARTITIONED BY columns.
  std::vector<std::string> partition_keys = {};
  std::vector<PartitionCondition> partition_conditions = {};
};

// Plans the scan of all columns of `schema` (and the metadata), then reads it. A reader that has
// nothing yet moves `clock` to when it asked to be asked again.
ReadTable read_table(const std::string& connector, const TableOptions& options,
                     const SchemaPtr& schema, const std::vector<std::string>& metadata,
                     FileSystem& files, SimulatedClock& clock, const ReadOptions& how);

}  // namespace clepsydra::testing
