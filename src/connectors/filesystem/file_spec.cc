#include "connectors/filesystem/file_spec.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/table_options.h"
#include "stream/type_codec.h"

namespace clepsydra {

ValueTree FileSourceSpec::to_tree() const {
  ValueTree tree = ValueTree::map();
  tree.set("connector", "filesystem");
  tree.set("schema", schema_to_tree(*produced));
  tree.set("options", options_to_tree(options));
  tree.set("record", schema_to_tree(*record));
  ValueTree column_list = ValueTree::list();
  for (const int column : columns) column_list.add(column);
  tree.set("columns", std::move(column_list));
  ValueTree metadata_list = ValueTree::list();
  for (const std::string& key : metadata) metadata_list.add(key);
  tree.set("metadata", std::move(metadata_list));
  tree.set("may_split", may_split);
  return tree;
}

Result<FileSourceSpec> FileSourceSpec::from_tree(const ValueTree& tree) {
  FileSourceSpec spec;
  CLP_ASSIGN_OR_RETURN(const ValueTree options, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(spec.options, options_from_tree(options));
  CLP_ASSIGN_OR_RETURN(const ValueTree record, tree.get("record"));
  CLP_ASSIGN_OR_RETURN(spec.record, schema_from_tree(record));
  CLP_ASSIGN_OR_RETURN(const ValueTree produced, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(spec.produced, schema_from_tree(produced));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List columns, tree.get_list("columns"));
  for (const ValueTree& column : columns) {
    if (column.as_int() == nullptr || *column.as_int() < 0 ||
        *column.as_int() >= spec.record->size()) {
      return Status::invalid_argument("a file source's column list is broken");
    }
    spec.columns.push_back(static_cast<int>(*column.as_int()));
  }
  CLP_ASSIGN_OR_RETURN(const ValueTree::List metadata, tree.get_list("metadata"));
  for (const ValueTree& key : metadata) {
    if (key.as_string() == nullptr) {
      return Status::invalid_argument("a file source's metadata list is broken");
    }
    spec.metadata.push_back(*key.as_string());
  }
  if (spec.produced->size() != static_cast<int>(spec.columns.size() + spec.metadata.size())) {
    return Status::invalid_argument("a file source's schema does not fit its columns");
  }
  spec.may_split = tree.get_bool_or("may_split", false);
  CLP_RETURN_IF_ERROR(spec.read_options());
  return spec;
}

Status FileSourceSpec::read_options() {
  CLP_ASSIGN_OR_RETURN(path, canonical_path(text_option(options, "path").value_or("")));
  path_pattern = text_option(options, "source.path.regex-pattern").value_or("");
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
