// What the filesystem connector carries in its source and sink specs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/data_type.h"

namespace clepsydra {

struct FileSourceSpec {
  TableOptions options;
  SchemaPtr record;          // What the files hold: physical columns, but for partition keys.
  std::vector<int> columns;  // Of record: what is decoded.
  SchemaPtr partition_keys;  // What the names of folders hold, in their order.
  // Conditions on these columns; partitions that do not meet all of them are passed over.
  std::vector<PartitionCondition> conditions;
  // What is produced first: >= 0 of `columns`, -1-k: partition key k. Metadata follow.
  std::vector<int> order;
  std::vector<std::string> metadata;  // Keys.
  SchemaPtr produced;
  bool may_split = false;  // Large files may be cut and read in parallel.

  std::string path;
  std::string path_pattern;              // Empty: every file.
  std::int64_t monitor_interval_ms = 0;  // 0: bounded.
  double rows_per_second = 0;            // 0: no limit.
  std::string default_partition;         // The value of a folder's name that stands for NULL.

  [[nodiscard]] bool is_partitioned() const { return partition_keys->size() > 0; }
  [[nodiscard]] ValueTree to_tree() const;
  static Result<FileSourceSpec> from_tree(const ValueTree& tree);
  // Fills what follows from `options`.
  Status read_options();
};

// A split's payload.
struct FileSplit {
  std::string path;
  std::int64_t begin = 0;         // Of the decompressed content, at a record's start.
  std::int64_t end = -1;          // At a record's start; -1: the file's end.
  std::int64_t line = 1;          // Number of the line at `begin`.
  std::string first_record = {};  // Of the file, for formats that need it to start in the middle.
  double rows_per_second = 0;

  [[nodiscard]] std::string encode() const;
  static Result<FileSplit> decode(const std::string& payload);
};

Result<std::unique_ptr<SplitEnumerator>> make_file_enumerator(FileSourceSpec spec);
Result<std::unique_ptr<SplitReader>> make_file_reader(const FileSourceSpec& spec,
                                                      const SourceSplit& split,
                                                      const SourceContext& context);

}  // namespace clepsydra
