#include "connectors/filesystem/file_spec.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/table_options.h"
#include "stream/type_codec.h"

namespace clepsydra {

namespace {

ValueTree integers_to_tree(const std::vector<int>& values) {
  ValueTree list = ValueTree::list();
  for (const int value : values) list.add(value);
  return list;
}

// Each at least `min` and below `end`.
Result<std::vector<int>> integers_from_tree(const ValueTree& tree, std::string_view key, int min,
                                            int end) {
  std::vector<int> values;
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, tree.get_list(key));
  for (const ValueTree& value : list) {
    if (value.as_int() == nullptr || *value.as_int() < min || *value.as_int() >= end) {
      return Status::invalid_argument(fmt::format("a file source's list '{}' is broken", key));
    }
    values.push_back(static_cast<int>(*value.as_int()));
  }
  return values;
}

ValueTree texts_to_tree(const std::vector<std::string>& texts) {
  ValueTree list = ValueTree::list();
  for (const std::string& text : texts) list.add(text);
  return list;
}

Result<std::vector<std::string>> texts_from_tree(const ValueTree& tree, std::string_view key) {
  std::vector<std::string> texts;
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, tree.get_list(key));
  for (const ValueTree& text : list) {
    if (text.as_string() == nullptr) {
      return Status::invalid_argument(fmt::format("a file source's list '{}' is broken", key));
    }
    texts.push_back(*text.as_string());
  }
  return texts;
}

ValueTree conditions_to_tree(const std::vector<PartitionCondition>& conditions) {
  ValueTree list = ValueTree::list();
  for (const PartitionCondition& condition : conditions) {
    list.add(ValueTree::map()
                 .set("column", condition.column)
                 .set("kind", static_cast<int>(condition.kind))
                 .set("values", texts_to_tree(condition.values)));
  }
  return list;
}

Result<std::vector<PartitionCondition>> conditions_from_tree(const ValueTree& tree) {
  std::vector<PartitionCondition> conditions;
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, tree.get_list("conditions"));
  for (const ValueTree& item : list) {
    PartitionCondition condition;
    CLP_ASSIGN_OR_RETURN(condition.column, item.get_string("column"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t kind, item.get_int("kind"));
    if (kind < 0 || kind > static_cast<int>(PartitionCondition::Kind::kIsNotNull)) {
      return Status::invalid_argument("a file source's conditions are broken");
    }
    condition.kind = static_cast<PartitionCondition::Kind>(kind);
    CLP_ASSIGN_OR_RETURN(condition.values, texts_from_tree(item, "values"));
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace

ValueTree FileSourceSpec::to_tree() const {
  return ValueTree::map()
      .set("connector", "filesystem")
      .set("schema", schema_to_tree(*produced))
      .set("options", options_to_tree(options))
      .set("record", schema_to_tree(*record))
      .set("columns", integers_to_tree(columns))
      .set("partition_keys", schema_to_tree(*partition_keys))
      .set("conditions", conditions_to_tree(conditions))
      .set("order", integers_to_tree(order))
      .set("metadata", texts_to_tree(metadata))
      .set("may_split", may_split);
}

Result<FileSourceSpec> FileSourceSpec::from_tree(const ValueTree& tree) {
  FileSourceSpec spec;
  CLP_ASSIGN_OR_RETURN(const ValueTree options, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(spec.options, options_from_tree(options));
  CLP_ASSIGN_OR_RETURN(const ValueTree record, tree.get("record"));
  CLP_ASSIGN_OR_RETURN(spec.record, schema_from_tree(record));
  CLP_ASSIGN_OR_RETURN(const ValueTree produced, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(spec.produced, schema_from_tree(produced));
  CLP_ASSIGN_OR_RETURN(spec.columns, integers_from_tree(tree, "columns", 0, spec.record->size()));
  CLP_ASSIGN_OR_RETURN(const ValueTree keys, tree.get("partition_keys"));
  CLP_ASSIGN_OR_RETURN(spec.partition_keys, schema_from_tree(keys));
  CLP_ASSIGN_OR_RETURN(spec.conditions, conditions_from_tree(tree));
  CLP_ASSIGN_OR_RETURN(spec.order, integers_from_tree(tree, "order", -spec.partition_keys->size(),
                                                      static_cast<int>(spec.columns.size())));
  CLP_ASSIGN_OR_RETURN(spec.metadata, texts_from_tree(tree, "metadata"));
  if (spec.produced->size() != static_cast<int>(spec.order.size() + spec.metadata.size())) {
    return Status::invalid_argument("a file source's schema does not fit its columns");
  }
  spec.may_split = tree.get_bool_or("may_split", false);
  CLP_RETURN_IF_ERROR(spec.read_options());
  return spec;
}

Status FileSourceSpec::read_options() {
  CLP_ASSIGN_OR_RETURN(path, canonical_path(text_option(options, "path").value_or("")));
  path_pattern = text_option(options, "source.path.regex-pattern").value_or("");
  default_partition =
      text_option(options, "partition.default-name").value_or("__DEFAULT_PARTITION__");
  CLP_ASSIGN_OR_RETURN(const std::optional<Duration> interval,
                       duration_option(options, "source.monitor-interval"));
  monitor_interval_ms =
      interval ? std::chrono::duration_cast<std::chrono::milliseconds>(*interval).count() : 0;
  if (interval && monitor_interval_ms < 1) {
    return Status::invalid_argument(
        fmt::format("option 'source.monitor-interval' is '{}'; expected at least 1 ms",
                    options.at("source.monitor-interval")));
  }
  CLP_ASSIGN_OR_RETURN(const std::optional<double> rate,
                       double_option(options, "scan.rows-per-second", 0, 1e12));
  rows_per_second = rate.value_or(0);
  return Status::ok();
}

std::string FileSplit::encode() const {
  ValueTree tree = ValueTree::map();
  tree.set("path", path);
  tree.set("begin", begin);
  tree.set("end", end);
  tree.set("line", line);
  tree.set("first_record", first_record);
  tree.set("rate", rows_per_second);
  return tree.encode();
}

Result<FileSplit> FileSplit::decode(const std::string& payload) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(payload));
  FileSplit split;
  CLP_ASSIGN_OR_RETURN(split.path, tree.get_string("path"));
  CLP_ASSIGN_OR_RETURN(split.begin, tree.get_int("begin"));
  CLP_ASSIGN_OR_RETURN(split.end, tree.get_int("end"));
  CLP_ASSIGN_OR_RETURN(split.line, tree.get_int("line"));
  CLP_ASSIGN_OR_RETURN(split.first_record, tree.get_string("first_record"));
  CLP_ASSIGN_OR_RETURN(split.rows_per_second, tree.get_double("rate"));
  if (split.begin < 0) return Status::data_loss("a file split starts before the file");
  return split;
}

}  // namespace clepsydra
