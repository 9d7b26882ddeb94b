// The print connector: every row as a line on standard output (or error), for people.
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/process.h"
#include "connectors/connector_registry.h"
#include "connectors/table_options.h"
#include "stream/batch.h"
#include "stream/type_codec.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

class PrintWriter final : public SinkWriter {
 public:
  PrintWriter(const std::string& identifier, const SinkContext& context)
      : output_(*context.standard_output), prefix_(identifier) {
    // As in the reference: "identifier:subtask> ", each part where it says something.
    if (context.parallelism > 1)
      prefix_ += fmt::format("{}{}", prefix_.empty() ? "" : ":", context.subtask + 1);
    if (!prefix_.empty()) prefix_ += "> ";
  }

  Status write(const Batch& batch) override {
    const TextStyle style{.binary_as_hex = true, .null_text = "null"};
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      text_ += prefix_;
      text_ += row_kind_text(batch.row_kind(row));
      text_ += '[';
      for (int i = 0; i < batch.column_count(); ++i) {
        if (i > 0) text_ += ", ";
        if (batch.column(i).is_null(row)) {
          text_ += style.null_text;
        } else {
          append_value_text(batch.column(i), row, style, text_);
        }
      }
      text_ += "]\n";
    }
    // One write per batch, so that rows of other subtasks never stand inside one of ours.
    const Status written = output_.write(text_);
    text_.clear();
    return written;
  }

  Status flush() override { return output_.flush(); }
  Result<std::vector<std::string>> prepare_commit() override {
    CLP_RETURN_IF_ERROR(output_.flush());
    return std::vector<std::string>();
  }
  void abort() override {}

 private:
  TextOutput& output_;
  std::string prefix_;
  std::string text_;
};

class PrintSink final : public Sink {
 public:
  explicit PrintSink(std::string identifier) : identifier_(std::move(identifier)) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    if (context.standard_output == nullptr) {
      return Status::failed_precondition("connector 'print' has no standard output here");
    }
    return std::make_unique<PrintWriter>(identifier_, context);
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::unique_ptr<SinkCommitter>();
  }

 private:
  const std::string identifier_;
};

class PrintConnector final : public TableConnector {
 public:
  [[nodiscard]] std::string_view name() const override { return "print"; }
  [[nodiscard]] std::string_view description() const override {
    return "Writes every change as a line, such as +I[1, a], to standard output.";
  }
  [[nodiscard]] bool can_read() const override { return false; }
  [[nodiscard]] bool can_write() const override { return true; }
  [[nodiscard]] bool uses_format() const override { return false; }
  [[nodiscard]] std::vector<OptionDescription> options() const override {
    return {{.key = "print-identifier",
             .kind = OptionKind::kString,
             .description = "Stands in front of every line: 'identifier> +I[...]'."}};
  }
  [[nodiscard]] Status validate(const TableOptions& /*options*/,
                                const Schema& /*schema*/) const override {
    return Status::ok();
  }
  [[nodiscard]] Result<bool> is_bounded(const TableOptions& /*options*/) const override {
    return true;
  }
  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions& /*options*/) const override {
    return DeliveryGuarantee::kAtLeastOnce;
  }
  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& /*options*/,
                                            const Schema& /*schema*/,
                                            const ScanRequest& /*request*/) const override {
    return Status::invalid_argument("connector 'print' can only be written to");
  }
  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& options,
                                            const Schema& schema) const override {
    return ValueTree::map()
        .set("connector", "print")
        .set("schema", schema_to_tree(schema))
        .set("identifier", text_option(options, "print-identifier").value_or(""));
  }
};

Result<std::unique_ptr<Sink>> make_print_sink(const ValueTree& spec) {
  CLP_ASSIGN_OR_RETURN(std::string identifier, spec.get_string("identifier"));
  return std::make_unique<PrintSink>(std::move(identifier));
}

}  // namespace

void register_print_connector(ConnectorRegistry& registry) {
  registry.add({.table = std::make_shared<PrintConnector>(), .make_sink = make_print_sink});
}

}  // namespace clepsydra
