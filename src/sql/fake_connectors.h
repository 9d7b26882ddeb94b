// Connectors without a runtime, for the tests of this room: what the planner asks of them and
// nothing else.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/table_connector.h"

namespace clepsydra::sql::testing {

// Reads or writes nothing. Its scan spec repeats the request: {connector, schema, columns,
// metadata, has_watermark, partition_keys, conditions: number}.
struct FakeConnector final : TableConnector, PartitionedSinkConnector {
  std::string own_name;
  bool reads = true;
  bool writes = true;
  bool formatted = false;
  bool replays = true;
  bool prunes_fields = false;
  DeliveryGuarantee guarantee = DeliveryGuarantee::kExactlyOnce;
  std::string unbounded_without = {};  // Bounded only when this option is set.
  std::vector<OptionDescription> own_options = {};
  std::vector<MetadataColumn> metadata = {};
  std::vector<std::string> identity = {};
  bool has_partitions = false;
  bool has_login = false;  // Its specs have {password, address: "db://user:password@host"}.

  [[nodiscard]] std::string_view name() const override { return own_name; }
  [[nodiscard]] std::string_view description() const override { return "for tests"; }
  [[nodiscard]] bool can_read() const override { return reads; }
  [[nodiscard]] bool can_write() const override { return writes; }
  [[nodiscard]] bool can_overwrite() const override { return has_partitions || has_login; }
  void set_replaced(const ReplacedRows& replaced, ValueTree& sink_spec) const override;
  [[nodiscard]] bool uses_format() const override { return formatted; }
  [[nodiscard]] bool can_replay() const override { return replays; }
  [[nodiscard]] bool can_prune_fields(const TableOptions&) const override { return prunes_fields; }
  [[nodiscard]] std::vector<OptionDescription> options() const override { return own_options; }
  [[nodiscard]] std::vector<MetadataColumn> metadata_columns() const override { return metadata; }
  [[nodiscard]] std::vector<std::string> identity_options() const override { return identity; }
  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override;
  [[nodiscard]] Result<bool> is_bounded(const TableOptions& options) const override;
  [[nodiscard]] std::optional<double> estimated_rows(const TableOptions& options) const override {
    return options.contains("number-of-rows") ? std::optional<double>(1000) : std::nullopt;
  }
  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions&) const override {
    return guarantee;
  }
  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& options, const Schema& schema,
                                            const ScanRequest& request) const override;
  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& options,
                                            const Schema& schema) const override;
  [[nodiscard]] const PartitionedSinkConnector* partitioned_sink() const override {
    return has_partitions ? this : nullptr;
  }
  // {connector, schema, partition_keys}
  [[nodiscard]] Result<ValueTree> partitioned_sink_spec(
      const TableOptions& options, const Schema& schema,
      const std::vector<std::string>& partition_keys) const override;
  [[nodiscard]] Result<std::vector<std::vector<std::string>>> list_partitions(
      const TableOptions& options, const std::vector<std::string>& partition_keys,
      FileSystem& files) const override;
  // Kept for list_partitions().
  [[nodiscard]] Status create_partition(const TableOptions& options,
                                        const std::vector<std::string>& partition_keys,
                                        const std::vector<std::string>& values,
                                        FileSystem& files) const override;
  [[nodiscard]] Status drop_partition(const TableOptions& options,
                                      const std::vector<std::string>& partition_keys,
                                      const std::vector<std::string>& values,
                                      FileSystem& files) const override;

 private:
  mutable std::vector<std::vector<std::string>> partitions_;
};

// filesystem (csv, json), datagen, print, blackhole, `nested`, which finds ROW fields by name, and
// `vault`, which wants a password.
class FakeConnectors final : public TableConnectorRegistry {
 public:
  FakeConnectors();
  ~FakeConnectors() override;
  [[nodiscard]] const TableConnector* find_connector(std::string_view name) const override;
  [[nodiscard]] const TableFormat* find_format(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> connector_names() const override;
  [[nodiscard]] std::vector<std::string> format_names() const override;

 private:
  std::vector<std::unique_ptr<FakeConnector>> connectors_;
  std::vector<std::unique_ptr<TableFormat>> formats_;
};

}  // namespace clepsydra::sql::testing
