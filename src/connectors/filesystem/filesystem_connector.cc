// The filesystem connector as the planner sees it, and the source. Reading and writing have files
// of their own.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/connector_registry.h"
#include "connectors/filesystem/file_sink.h"
#include "connectors/filesystem/file_sink_spec.h"
#include "connectors/filesystem/file_spec.h"
#include "connectors/filesystem/partition_path.h"
#include "connectors/filesystem/path_pattern.h"
#include "connectors/table_options.h"

namespace clepsydra {
namespace {

DataType metadata_type(const std::string& key) {
  if (key == "file.size") return DataType::big_int().with_nullable(false);
  if (key == "file.modification-time") return DataType::timestamp_ltz(3).with_nullable(false);
  return DataType::string().with_nullable(false);
}

class FilesystemConnector final : public TableConnector, public PartitionedSinkConnector {
 public:
  [[nodiscard]] std::string_view name() const override { return "filesystem"; }
  [[nodiscard]] std::string_view description() const override {
    return "Files in a folder: read once or watched, written exactly once.";
  }
  [[nodiscard]] bool can_read() const override { return true; }
  [[nodiscard]] bool can_write() const override { return true; }
  [[nodiscard]] bool can_overwrite() const override { return true; }
  void set_replaced(const ReplacedRows& replaced, ValueTree& sink_spec) const override {
    set_replaced_rows(replaced, sink_spec);
  }
  [[nodiscard]] bool uses_format() const override { return true; }

  [[nodiscard]] std::vector<std::string> identity_options() const override { return {"path"}; }

  [[nodiscard]] std::vector<OptionDescription> options() const override {
    using enum OptionKind;
    return {
        {.key = "path",
         .kind = kString,
         .description =
             "File or folder to read, with all folders in it; folder to write to. Names that "
             "start with '.' or '_' are passed over.",
         .required = true},
        {.key = "source.monitor-interval",
         .kind = kDuration,
         .description =
             "Looks for new files this often and never ends; otherwise the files at the start."},
        {.key = "source.path.regex-pattern",
         .kind = kString,
         .description = "Only files whose whole path matches."},
        {.key = "scan.rows-per-second",
         .kind = kDouble,
         .default_value = "0",
         .description = "Reads at most so many rows a second, evenly; 0: no limit."},
        {.key = "sink.rolling-policy.file-size",
         .kind = kMemorySize,
         .default_value = "128 mb",
         .description = "Starts a new file when one is this long."},
        {.key = "sink.rolling-policy.rollover-interval",
         .kind = kDuration,
         .default_value = "30 min",
         .description = "Starts a new file when one has been open for so long."},
        {.key = "sink.rolling-policy.inactivity-interval",
         .kind = kDuration,
         .default_value = "30 min",
         .description = "Ends a file that has not been written to for so long."},
        {.key = "sink.rolling-policy.check-interval",
         .kind = kDuration,
         .default_value = "1 min",
         .description = "How often the age of files is looked at."},
        {.key = "auto-compaction",
         .kind = kBoolean,
         .default_value = "false",
         .description = "Joining small files is not built."},
        {.key = "partition.default-name",
         .kind = kString,
         .default_value = "__DEFAULT_PARTITION__",
         .description = "What stands for NULL and empty text in the folder of a partition."},
        {.key = "partition.time-extractor.kind",
         .kind = kString,
         .default_value = "default",
         .description = "How the time of a partition is found; others are not built."},
        {.key = "partition.time-extractor.class",
         .kind = kString,
         .description = "Time extractors of one's own are not built."},
        {.key = "partition.time-extractor.timestamp-formatter",
         .kind = kString,
         .description = "Other forms of timestamps are not built."},
        {.key = "partition.time-extractor.timestamp-pattern",
         .kind = kString,
         .description = "Puts a timestamp together from keys: '$day $hour:00:00'. Without it the "
                        "first key is one."},
        {.key = "sink.partition-commit.trigger",
         .kind = kEnum,
         .default_value = "process-time",
         .description = "A partition is complete some time after its first file, or when the "
                        "watermark has passed its time.",
         .choices = {"process-time", "partition-time"}},
        {.key = "sink.partition-commit.delay",
         .kind = kDuration,
         .default_value = "0 s",
         .description = "Added to the time at which a partition is complete."},
        {.key = "sink.partition-commit.watermark-time-zone",
         .kind = kString,
         .default_value = "UTC",
         .description = "The zone that the times of partitions are in."},
        {.key = "sink.partition-commit.policy.kind",
         .kind = kString,
         .description = "success-file: a complete partition gets an empty file."},
        {.key = "sink.partition-commit.policy.class",
         .kind = kString,
         .description = "Policies of one's own are not built."},
        {.key = "sink.partition-commit.success-file.name",
         .kind = kString,
         .default_value = "_SUCCESS",
         .description = "The name of that file."},
        {.key = "sink.shuffle-by-partition.enable",
         .kind = kBoolean,
         .default_value = "false",
         .description = "All rows of a partition go to one writer: fewer files, less at a time."},
    };
  }

  [[nodiscard]] std::vector<MetadataColumn> metadata_columns() const override {
    return {{.key = "file.path", .type = "STRING NOT NULL"},
            {.key = "file.name", .type = "STRING NOT NULL"},
            {.key = "file.size", .type = "BIGINT NOT NULL"},
            {.key = "file.modification-time", .type = "TIMESTAMP_LTZ(3) NOT NULL"}};
  }

  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override {
    FileSourceSpec spec;
    spec.options = options;
    CLP_RETURN_IF_ERROR(spec.read_options());
    if (!spec.path_pattern.empty()) {
      const Result<PathPattern> pattern = PathPattern::make(spec.path_pattern);
      if (!pattern.is_ok()) return pattern.status();
    }
    FileSinkSpec sink;
    sink.options = options;
    sink.schema = std::make_shared<const Schema>(schema);
    return sink.read_options();
  }

  [[nodiscard]] Result<bool> is_bounded(const TableOptions& options) const override {
    return !options.contains("source.monitor-interval");
  }

  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions& /*options*/) const override {
    return DeliveryGuarantee::kExactlyOnce;
  }

  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& options, const Schema& schema,
                                            const ScanRequest& request) const override {
    FileSourceSpec spec;
    spec.options = options;
    spec.conditions = request.partition_conditions;
    const std::vector<std::string>& keys = request.partition_keys;
    const auto key_of = [&](const std::string& column) {
      return static_cast<int>(std::find(keys.begin(), keys.end(), column) - keys.begin());
    };
    std::vector<Field> in_files;
    std::vector<Field> in_names(keys.size());
    for (const Field& field : schema.fields()) {
      const int key = key_of(field.name);
      if (key == static_cast<int>(keys.size())) {
        in_files.push_back(field);
      } else {
        in_names[static_cast<std::size_t>(key)] = field;
      }
    }
    spec.record = make_schema(std::move(in_files));
    spec.partition_keys = make_schema(std::move(in_names));
    std::vector<Field> produced;
    for (const std::string& column : request.columns) {
      const int index = schema.find(column);
      if (index < 0)
        return Status::invalid_argument(fmt::format("the table has no column '{}'", column));
      produced.push_back(schema.field(index));
      if (const int key = key_of(column); key < static_cast<int>(keys.size())) {
        spec.order.push_back(-1 - key);
        continue;
      }
      spec.order.push_back(static_cast<int>(spec.columns.size()));
      spec.columns.push_back(spec.record->find(column));
    }
    for (const std::string& key : request.metadata) {
      produced.push_back({key, metadata_type(key), ""});
      spec.metadata.push_back(key);
    }
    spec.produced = make_schema(std::move(produced));
    // With event time a file is read in its own order; so is one that is read at a pace.
    spec.may_split = !request.has_watermark && !options.contains("scan.rows-per-second");
    CLP_RETURN_IF_ERROR(spec.read_options());
    return spec.to_tree();
  }

  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& options,
                                            const Schema& schema) const override {
    return file_sink_spec(options, schema, {});
  }
  [[nodiscard]] const PartitionedSinkConnector* partitioned_sink() const override { return this; }
  [[nodiscard]] Result<ValueTree> partitioned_sink_spec(
      const TableOptions& options, const Schema& schema,
      const std::vector<std::string>& partition_keys) const override {
    return file_sink_spec(options, schema, partition_keys);
  }
  [[nodiscard]] Result<std::vector<std::vector<std::string>>> list_partitions(
      const TableOptions& options, const std::vector<std::string>& partition_keys,
      FileSystem& files) const override {
    FileSourceSpec spec;
    spec.options = options;
    CLP_RETURN_IF_ERROR(spec.read_options());
    return partitions_below(files, spec.path, partition_keys);
  }
  [[nodiscard]] Status create_partition(const TableOptions& options,
                                        const std::vector<std::string>& partition_keys,
                                        const std::vector<std::string>& values,
                                        FileSystem& files) const override {
    CLP_ASSIGN_OR_RETURN(const std::string folder,
                         partition_folder(options, partition_keys, values));
    return files.create_directories(folder);
  }
  [[nodiscard]] Status drop_partition(const TableOptions& options,
                                      const std::vector<std::string>& partition_keys,
                                      const std::vector<std::string>& values,
                                      FileSystem& files) const override {
    CLP_ASSIGN_OR_RETURN(const std::string folder,
                         partition_folder(options, partition_keys, values));
    return files.remove_all(folder);
  }

 private:
  static Result<std::string> partition_folder(const TableOptions& options,
                                              const std::vector<std::string>& partition_keys,
                                              const std::vector<std::string>& values) {
    FileSourceSpec spec;
    spec.options = options;
    CLP_RETURN_IF_ERROR(spec.read_options());
    PartitionValues partition;
    for (std::size_t i = 0; i < partition_keys.size(); ++i) {
      partition.emplace_back(partition_keys[i], values[i]);
    }
    return join_path(spec.path, partition_path(partition));
  }
};

class FileSource final : public Source {
 public:
  explicit FileSource(FileSourceSpec spec) : spec_(std::move(spec)) {}
  [[nodiscard]] bool is_bounded() const override { return spec_.monitor_interval_ms == 0; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return make_file_enumerator(spec_);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    return make_file_reader(spec_, split, context);
  }

 private:
  const FileSourceSpec spec_;
};

Result<std::unique_ptr<Source>> make_file_source(const ValueTree& tree) {
  CLP_ASSIGN_OR_RETURN(FileSourceSpec spec, FileSourceSpec::from_tree(tree));
  return std::make_unique<FileSource>(std::move(spec));
}

}  // namespace

void register_filesystem_connector(ConnectorRegistry& registry) {
  registry.add({.table = std::make_shared<FilesystemConnector>(),
                .make_source = make_file_source,
                .make_sink = make_file_sink});
}

}  // namespace clepsydra
