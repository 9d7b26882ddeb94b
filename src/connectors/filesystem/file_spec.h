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
  SchemaPtr record;                   // All physical columns of the table.
  std::vector<int> columns;           // Of record, produced in this order, then the metadata.
  std::vector<std::string> metadata;  // Keys.
  SchemaPtr produced;
  bool may_split = false;  // Large files may be cut and read in parallel.

  std::string path;
  std::string path_pattern;              // Empty: every file.
  std::int64_t monitor_interval_ms = 0;  // 0: bounded.
  double rows_per_second = 0;            // 0: no limit.

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
