#include "connectors/filesystem/file_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "connectors/filesystem/file_committer.h"
#include "connectors/filesystem/file_sink_spec.h"
#include "connectors/filesystem/file_writer.h"
#include "connectors/table_options.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

class FileSink final : public Sink {
 public:
  explicit FileSink(FileSinkSpec spec) : spec_(std::move(spec)) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    return FileWriter::make(spec_, context);
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(const SinkContext& context) const override {
    return std::make_unique<FileCommitter>(spec_, context);
  }

 private:
  const FileSinkSpec spec_;
};

}  // namespace

Result<ValueTree> file_sink_spec(const TableOptions& options, const Schema& schema,
                                 const std::vector<std::string>& partition_keys) {
  ValueTree keys = ValueTree::list();
  for (const std::string& name : partition_keys) {
    const int index = schema.find(name);
    if (index < 0) {
      return Status::invalid_argument(
          fmt::format("the table is partitioned by '{}', which is not one of its columns", name));
    }
    keys.add(index);
  }
  ValueTree tree = ValueTree::map()
                       .set("connector", "filesystem")
                       .set("schema", schema_to_tree(schema))
                       .set("options", options_to_tree(options))
                       .set("partition_keys", std::move(keys));
  // What is wrong is said when the statement is planned.
  CLP_RETURN_IF_ERROR(FileSinkSpec::from_tree(tree).status());
  return tree;
}

void set_replaced_rows(const ReplacedRows& replaced, ValueTree& spec) {
  ValueTree values = ValueTree::list();
  for (const auto& [key, value] : replaced.partition) values.add(value);
  spec.set("replaces", std::move(values));
}

Result<std::unique_ptr<Sink>> make_file_sink(const ValueTree& tree) {
  CLP_ASSIGN_OR_RETURN(FileSinkSpec spec, FileSinkSpec::from_tree(tree));
  return std::make_unique<FileSink>(std::move(spec));
}

}  // namespace clepsydra
