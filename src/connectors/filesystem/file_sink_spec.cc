#include "connectors/filesystem/file_sink_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/filesystem/partition_path.h"
#include "connectors/table_options.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

Status read_ms(const TableOptions& options, const std::string& key, std::int64_t& value_ms) {
  CLP_ASSIGN_OR_RETURN(const std::optional<Duration> duration, duration_option(options, key));
  if (!duration) return Status::ok();
  value_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count();
  return Status::ok();
}

Status wrong(const TableOptions& options, const std::string& key, std::string_view expected) {
  return Status::invalid_argument(
      fmt::format("option '{}' is '{}'; expected {}", key, options.at(key), expected));
}

Status not_built(const TableOptions& options, const std::string& key) {
  return Status::unimplemented(
      fmt::format("option '{}' = '{}' is not built", key, options.at(key)));
}

}  // namespace

std::vector<std::string> FileSinkSpec::key_names() const {
  std::vector<std::string> names;
  for (const int key : partition_keys) names.push_back(schema->field(key).name);
  return names;
}

Result<FileSinkSpec> FileSinkSpec::from_tree(const ValueTree& tree) {
  FileSinkSpec spec;
  CLP_ASSIGN_OR_RETURN(const ValueTree options, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(spec.options, options_from_tree(options));
  CLP_ASSIGN_OR_RETURN(const ValueTree schema, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(spec.schema, schema_from_tree(schema));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List keys, tree.get_list("partition_keys"));
  for (const ValueTree& key : keys) {
    if (key.as_int() == nullptr || *key.as_int() < 0 || *key.as_int() >= spec.schema->size()) {
      return Status::invalid_argument("a file sink's list of partition keys is broken");
    }
    spec.partition_keys.push_back(static_cast<int>(*key.as_int()));
  }
  CLP_RETURN_IF_ERROR(spec.read_options());
  if (tree.find("replaces") != nullptr) {
    CLP_ASSIGN_OR_RETURN(const ValueTree::List values, tree.get_list("replaces"));
    CLP_RETURN_IF_ERROR(spec.read_replaced(values));
  }
  return spec;
}

Status FileSinkSpec::read_options() {
  CLP_ASSIGN_OR_RETURN(directory, canonical_path(text_option(options, "path").value_or("")));
  if (!options.contains("format")) {
    return Status::invalid_argument("connector 'filesystem' needs the option 'format'");
  }
  extension = options.at("format");
  std::vector<Field> fields;
  for (int i = 0; i < schema->size(); ++i) {
    if (std::find(partition_keys.begin(), partition_keys.end(), i) == partition_keys.end()) {
      fields.push_back(schema->field(i));
    } else if (const DataType& type = schema->field(i).type; type.is_nested() || type.is_binary()) {
      return Status::invalid_argument(
          fmt::format("a table cannot be partitioned by column '{}' of type {}: expected text, a "
                      "number, a boolean or a time",
                      schema->field(i).name, type.to_string()));
    }
  }
  if (fields.empty()) {
    return Status::invalid_argument("a partitioned table needs a column beside its keys");
  }
  file_schema = make_schema(std::move(fields));
  default_partition = text_option(options, "partition.default-name").value_or(default_partition);
  CLP_RETURN_IF_ERROR(read_rolling());
  return read_partition_commit();
}

Status FileSinkSpec::read_replaced(const ValueTree::List& values) {
  replaces = true;
  const std::vector<std::string> names = key_names();
  PartitionValues partition;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == names.size() || values[i].as_string() == nullptr) {
      return Status::invalid_argument("a file sink's partition to replace is broken");
    }
    const std::string& value = *values[i].as_string();
    partition.emplace_back(names[i], value.empty() ? default_partition : value);
  }
  replaced_partition = partition_path(partition);
  return Status::ok();
}

Status FileSinkSpec::read_rolling() {
  const std::string size_key = "sink.rolling-policy.file-size";
  CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> size, bytes_option(options, size_key));
  if (size && *size < 1) return wrong(options, size_key, "at least 1 byte");
  roll_bytes = size.value_or(roll_bytes);
  CLP_RETURN_IF_ERROR(read_ms(options, "sink.rolling-policy.rollover-interval", rollover_ms));
  CLP_RETURN_IF_ERROR(read_ms(options, "sink.rolling-policy.inactivity-interval", inactivity_ms));
  CLP_RETURN_IF_ERROR(read_ms(options, "sink.rolling-policy.check-interval", check_ms));
  for (const auto& [key, value] :
       {std::pair("sink.rolling-policy.rollover-interval", rollover_ms),
        std::pair("sink.rolling-policy.inactivity-interval", inactivity_ms),
        std::pair("sink.rolling-policy.check-interval", check_ms)}) {
    if (value < 1) return wrong(options, key, "at least 1 ms");
  }
  CLP_ASSIGN_OR_RETURN(const std::optional<bool> compacts, bool_option(options, "auto-compaction"));
  if (compacts.value_or(false)) return not_built(options, "auto-compaction");
  return Status::ok();
}

Status FileSinkSpec::read_partition_commit() {
  const std::string trigger_key = "sink.partition-commit.trigger";
  const std::string trigger = text_option(options, trigger_key).value_or("process-time");
  by_event_time = trigger == "partition-time";
  if (!by_event_time && trigger != "process-time") {
    return wrong(options, trigger_key, "process-time or partition-time");
  }
  CLP_RETURN_IF_ERROR(read_ms(options, "sink.partition-commit.delay", commit_delay_ms));
  Result<TimeZonePtr> zone = find_time_zone(
      text_option(options, "sink.partition-commit.watermark-time-zone").value_or("UTC"));
  if (!zone.is_ok()) {
    return zone.status().with_context("option 'sink.partition-commit.watermark-time-zone'");
  }
  watermark_zone = *std::move(zone);
  const std::string policy_key = "sink.partition-commit.policy.kind";
  if (const std::optional<std::string> policy = text_option(options, policy_key)) {
    if (*policy == "metastore" || *policy == "custom" || policy->find(',') != std::string::npos) {
      return not_built(options, policy_key);
    }
    if (*policy != "success-file") return wrong(options, policy_key, "success-file");
    marks_partitions = !partition_keys.empty();
  }
  success_file =
      text_option(options, "sink.partition-commit.success-file.name").value_or(success_file);
  if (success_file.empty() || success_file.find('/') != std::string::npos) {
    return wrong(options, "sink.partition-commit.success-file.name", "the name of a file");
  }
  const std::string extractor_key = "partition.time-extractor.kind";
  if (text_option(options, extractor_key).value_or("default") != "default") {
    return not_built(options, extractor_key);
  }
  for (const char* key :
       {"partition.time-extractor.class", "partition.time-extractor.timestamp-formatter",
        "sink.partition-commit.policy.class"}) {
    if (options.contains(key)) return not_built(options, key);
  }
  time_pattern = text_option(options, "partition.time-extractor.timestamp-pattern").value_or("");
  return Status::ok();
}

}  // namespace clepsydra
