#include "sql/fake_connectors.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/value_tree.h"
#include "stream/data_type.h"
#include "stream/type_codec.h"

namespace clepsydra::sql::testing {
namespace {

struct FakeFormat final : TableFormat {
  std::string own_name;
  std::vector<OptionDescription> own_options;

  [[nodiscard]] std::string_view name() const override { return own_name; }
  [[nodiscard]] std::string_view description() const override { return "for tests"; }
  [[nodiscard]] std::vector<OptionDescription> options() const override { return own_options; }
  [[nodiscard]] Status validate(const TableOptions& options, const Schema&) const override {
    const auto it = options.find("json.fail-on-missing-field");
    const auto ignore = options.find("json.ignore-parse-errors");
    if (it != options.end() && ignore != options.end() && it->second == "true" &&
        ignore->second == "true") {
      return Status::invalid_argument(
          "'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true");
    }
    return Status::ok();
  }
};

OptionDescription option(std::string key, OptionKind kind = OptionKind::kString,
                         bool required = false) {
  return {.key = std::move(key),
          .kind = kind,
          .default_value = "",
          .description = "an option",
          .choices = {},
          .required = required};
}

ValueTree texts(const std::vector<std::string>& values) {
  ValueTree list = ValueTree::list();
  for (const std::string& value : values) list.add(value);
  return list;
}

}  // namespace

namespace {

void set_login(const TableOptions& options, ValueTree& spec) {
  spec.set("password", options.at("password"));
  spec.set("address", fmt::format("db://user:{}@host", options.at("password")));
}

}  // namespace

Status FakeConnector::validate(const TableOptions& options, const Schema&) const {
  for (const auto& [key, value] : options) {
    const bool is_sequence = key.ends_with(".kind") && value == "sequence";
    if (!is_sequence) continue;
    const std::string end = key.substr(0, key.size() - 4) + "end";
    if (!options.contains(end)) {
      return Status::invalid_argument(fmt::format("'{}' = 'sequence' needs '{}'", key, end));
    }
  }
  return Status::ok();
}

Result<bool> FakeConnector::is_bounded(const TableOptions& options) const {
  return unbounded_without.empty() || options.contains(unbounded_without);
}

Result<ValueTree> FakeConnector::scan_spec(const TableOptions& options, const Schema& schema,
                                           const ScanRequest& request) const {
  std::vector<Field> fields;
  for (const std::string& column : request.columns) {
    const int index = schema.find(column);
    if (index < 0) return Status::internal(fmt::format("no column {}", column));
    fields.push_back(schema.field(index));
  }
  for (const std::string& key : request.metadata) {
    fields.push_back({key, DataType::string().with_nullable(false), {}});
  }
  ValueTree spec = ValueTree::map();
  spec.set("connector", own_name);
  spec.set("schema", schema_to_tree(Schema(std::move(fields))));
  spec.set("columns", texts(request.columns));
  spec.set("metadata", texts(request.metadata));
  spec.set("has_watermark", request.has_watermark);
  spec.set("partition_keys", texts(request.partition_keys));
  spec.set("conditions", static_cast<std::int64_t>(request.partition_conditions.size()));
  if (has_login) set_login(options, spec);
  return spec;
}

Result<ValueTree> FakeConnector::sink_spec(const TableOptions& options,
                                           const Schema& schema) const {
  ValueTree spec = ValueTree::map();
  spec.set("connector", own_name);
  spec.set("schema", schema_to_tree(schema));
  if (has_login) set_login(options, spec);
  return spec;
}

void FakeConnector::set_replaced(const ReplacedRows& replaced, ValueTree& sink_spec) const {
  ValueTree partition = ValueTree::map();
  for (const auto& [key, value] : replaced.partition) partition.set(key, value);
  sink_spec.set("replaced", std::move(partition));
}

Result<ValueTree> FakeConnector::partitioned_sink_spec(
    const TableOptions& options, const Schema& schema,
    const std::vector<std::string>& partition_keys) const {
  if (partition_keys.size() == static_cast<std::size_t>(schema.size())) {
    return Status::invalid_argument("a partitioned table needs a column beside its keys");
  }
  CLP_ASSIGN_OR_RETURN(ValueTree spec, sink_spec(options, schema));
  spec.set("partition_keys", texts(partition_keys));
  return spec;
}

Result<std::vector<std::vector<std::string>>> FakeConnector::list_partitions(
    const TableOptions&, const std::vector<std::string>&, FileSystem&) const {
  return partitions_;
}

Status FakeConnector::create_partition(const TableOptions&, const std::vector<std::string>&,
                                       const std::vector<std::string>& values, FileSystem&) const {
  partitions_.push_back(values);
  return Status::ok();
}

Status FakeConnector::drop_partition(const TableOptions&, const std::vector<std::string>&,
                                     const std::vector<std::string>& values, FileSystem&) const {
  std::erase(partitions_, values);
  return Status::ok();
}

FakeConnectors::FakeConnectors() {
  const auto add = [&](std::string name) -> FakeConnector& {
    connectors_.push_back(std::make_unique<FakeConnector>());
    connectors_.back()->own_name = std::move(name);
    return *connectors_.back();
  };
  FakeConnector& files = add("filesystem");
  files.formatted = true;
  files.identity = {"path"};
  files.has_partitions = true;
  files.own_options = {option("path", OptionKind::kString, true),
                       option("source.monitor-interval", OptionKind::kDuration),
                       option("scan.rows-per-second", OptionKind::kDouble),
                       option("sink.shuffle-by-partition.enable", OptionKind::kBoolean)};
  files.metadata = {{.key = "file.path", .type = "STRING NOT NULL"}};
  FakeConnector& generator = add("datagen");
  generator.writes = false;
  generator.unbounded_without = "number-of-rows";
  generator.own_options = {option("number-of-rows", OptionKind::kLong),
                           option("rows-per-second", OptionKind::kLong), option("fields.#.kind"),
                           option("fields.#.start"), option("fields.#.end")};
  FakeConnector& print = add("print");
  print.reads = false;
  print.guarantee = DeliveryGuarantee::kAtLeastOnce;
  FakeConnector& hole = add("blackhole");
  hole.reads = false;
  FakeConnector& nested = add("nested");
  nested.writes = false;
  nested.prunes_fields = true;

  FakeConnector& vault = add("vault");
  vault.has_login = true;
  vault.own_options = {option("password", OptionKind::kString, true)};

  auto csv = std::make_unique<FakeFormat>();
  csv->own_name = "csv";
  csv->own_options = {option("csv.null-literal"),
                      option("csv.ignore-parse-errors", OptionKind::kBoolean)};
  formats_.push_back(std::move(csv));
  auto json = std::make_unique<FakeFormat>();
  json->own_name = "json";
  json->own_options = {option("json.fail-on-missing-field", OptionKind::kBoolean),
                       option("json.ignore-parse-errors", OptionKind::kBoolean)};
  json->own_options.push_back({.key = "json.timestamp-format.standard",
                               .kind = OptionKind::kEnum,
                               .default_value = "SQL",
                               .description = "how timestamps are written",
                               .choices = {"SQL", "ISO-8601"}});
  formats_.push_back(std::move(json));
}

FakeConnectors::~FakeConnectors() = default;

const TableConnector* FakeConnectors::find_connector(std::string_view name) const {
  for (const auto& connector : connectors_) {
    if (connector->own_name == name) return connector.get();
  }
  return nullptr;
}

const TableFormat* FakeConnectors::find_format(std::string_view name) const {
  for (const auto& format : formats_) {
    if (format->name() == name) return format.get();
  }
  return nullptr;
}

std::vector<std::string> FakeConnectors::connector_names() const {
  std::vector<std::string> names;
  for (const auto& connector : connectors_) names.push_back(connector->own_name);
  return names;
}

std::vector<std::string> FakeConnectors::format_names() const {
  std::vector<std::string> names;
  for (const auto& format : formats_) names.emplace_back(format->name());
  return names;
}

}  // namespace clepsydra::sql::testing
