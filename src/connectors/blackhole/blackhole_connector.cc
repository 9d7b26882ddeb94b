// The blackhole connector: takes every row, with every column computed, and forgets it.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/connector_registry.h"
#include "stream/batch.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

class BlackholeWriter final : public SinkWriter {
 public:
  Status write(const Batch& batch) override {
    // Columns are computed before a sink sees them; a column that is missing would be a bug.
    for (const Column& column : batch.columns()) {
      if (column.length() != batch.rows()) {
        return Status::internal("a column of a batch is not as long as the batch");
      }
    }
    return Status::ok();
  }
  Status flush() override { return Status::ok(); }
  Result<std::vector<std::string>> prepare_commit() override { return std::vector<std::string>(); }
  void abort() override {}
};

class BlackholeSink final : public Sink {
 public:
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& /*context*/) const override {
    return std::make_unique<BlackholeWriter>();
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::unique_ptr<SinkCommitter>();
  }
};

class BlackholeConnector final : public TableConnector {
 public:
  [[nodiscard]] std::string_view name() const override { return "blackhole"; }
  [[nodiscard]] std::string_view description() const override {
    return "Takes every row and forgets it: for measuring.";
  }
  [[nodiscard]] bool can_read() const override { return false; }
  [[nodiscard]] bool can_write() const override { return true; }
  [[nodiscard]] bool uses_format() const override { return false; }
  [[nodiscard]] std::vector<OptionDescription> options() const override { return {}; }
  [[nodiscard]] Status validate(const TableOptions& /*options*/,
                                const Schema& /*schema*/) const override {
    return Status::ok();
  }
  [[nodiscard]] Result<bool> is_bounded(const TableOptions& /*options*/) const override {
    return true;
  }
  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions& /*options*/) const override {
    return DeliveryGuarantee::kNone;
  }
  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& /*options*/,
                                            const Schema& /*schema*/,
                                            const ScanRequest& /*request*/) const override {
    return Status::invalid_argument("connector 'blackhole' can only be written to");
  }
  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& /*options*/,
                                            const Schema& schema) const override {
    return ValueTree::map().set("connector", "blackhole").set("schema", schema_to_tree(schema));
  }
};

Result<std::unique_ptr<Sink>> make_blackhole_sink(const ValueTree& /*spec*/) {
  return std::make_unique<BlackholeSink>();
}

}  // namespace

void register_blackhole_connector(ConnectorRegistry& registry) {
  registry.add({.table = std::make_shared<BlackholeConnector>(), .make_sink = make_blackhole_sink});
}

}  // namespace clepsydra
