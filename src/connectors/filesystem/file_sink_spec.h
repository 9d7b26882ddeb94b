// What the filesystem connector carries in its sink specs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/data_type.h"
#include "stream/time_zone.h"

namespace clepsydra {

struct FileSinkSpec {
  TableOptions options;
  SchemaPtr schema;                 // What the sink gets.
  std::vector<int> partition_keys;  // Of it, in the order of the folders; not in the files.
  SchemaPtr file_schema;            // Without the partition keys.
  std::string directory;
  std::string extension;                                    // The format's name.
  std::string default_partition = "__DEFAULT_PARTITION__";  // For NULL and empty text.

  // INSERT OVERWRITE: when the job has ended well, other files of this partition
  // ("day=2024-01-31"), or without one of the partitions that got rows (of the table, if it has
  // none), go.
  bool replaces = false;
  std::string replaced_partition;

  // A file ends when it is so long, has been open for so long, or was not written to for so long;
  // the latter two are looked at every check_ms.
  std::int64_t roll_bytes = std::int64_t{128} << 20;
  std::int64_t rollover_ms = 30L * 60'000;
  std::int64_t inactivity_ms = 30L * 60'000;
  std::int64_t check_ms = 60'000;

  // Partitions that are complete get a file that says so.
  bool marks_partitions = false;
  bool by_event_time = false;  // Complete when event time has passed it; else: after a delay.
  std::int64_t commit_delay_ms = 0;
  TimeZonePtr watermark_zone;
  std::string time_pattern;
  std::string success_file = "_SUCCESS";

  [[nodiscard]] std::vector<std::string> key_names() const;
  static Result<FileSinkSpec> from_tree(const ValueTree& tree);
  // Fills what follows from `options`; errors name key, value and what is expected.
  Status read_options();

 private:
  Status read_replaced(const ValueTree::List& values);
  Status read_rolling();
  Status read_partition_commit();
};

}  // namespace clepsydra
