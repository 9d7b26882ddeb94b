// The datagen connector: rows of random values and sequences, for trying out and for tests.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "connectors/connector_registry.h"
#include "connectors/datagen/field_generator.h"
#include "connectors/dealt_splits.h"
#include "connectors/pacing.h"
#include "connectors/table_options.h"
#include "stream/batch.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

constexpr double kRowsPerSecond = 10'000;

struct DatagenSpec {
  std::vector<FieldGenerator> fields;  // One per produced column.
  std::optional<std::int64_t> rows;    // None: without end.
  double rows_per_second = kRowsPerSecond;
  std::uint64_t seed = 0;

  static Result<DatagenSpec> parse(const TableOptions& options, const Schema& table,
                                   const Schema& produced);
};

Result<DatagenSpec> DatagenSpec::parse(const TableOptions& options, const Schema& table,
                                       const Schema& produced) {
  DatagenSpec spec;
  CLP_ASSIGN_OR_RETURN(
      const std::optional<std::int64_t> rows,
      int_option(options, "number-of-rows", 0, std::numeric_limits<std::int64_t>::max()));
  spec.rows = rows;
  CLP_ASSIGN_OR_RETURN(
      const std::optional<std::int64_t> rate,
      int_option(options, "rows-per-second", 1, std::numeric_limits<std::int64_t>::max()));
  if (rate) spec.rows_per_second = static_cast<double>(*rate);
  CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> seed,
                       int_option(options, "seed", 0, std::numeric_limits<std::int64_t>::max()));
  spec.seed = static_cast<std::uint64_t>(seed.value_or(0));
  // All columns of the table are checked, and a sequence ends the table even when nobody reads it.
  std::set<std::string> used;
  for (const Field& field : table.fields()) {
    CLP_ASSIGN_OR_RETURN(FieldGenerator generator,
                         FieldGenerator::make(field.name, field.type, options, used));
    if (generator.rows())
      spec.rows = std::min(spec.rows.value_or(*generator.rows()), *generator.rows());
  }
  for (const auto& [key, value] : options) {
    if (key.starts_with("fields.") && !used.contains(key)) {
      return Status::invalid_argument(fmt::format(
          "option '{}' belongs to no column, or not to one of this kind; expected "
          "fields.<column>.kind, min, max, "
          "max-past, length, var-len, start, end or null-rate as the column's type allows",
          key));
    }
  }
  for (const Field& field : produced.fields()) {
    CLP_ASSIGN_OR_RETURN(FieldGenerator generator,
                         FieldGenerator::make(field.name, field.type, options, used));
    spec.fields.push_back(std::move(generator));
  }
  return spec;
}

// Row n goes to split n mod parallelism.
std::vector<SourceSplit> make_splits(int parallelism) {
  std::vector<SourceSplit> splits;
  for (int i = 0; i < parallelism; ++i) {
    splits.push_back({fmt::format("{} of {}", i + 1, parallelism),
                      ValueTree::map().set("next", i).set("step", parallelism).encode()});
  }
  return splits;
}

class DatagenReader final : public SplitReader {
 public:
  DatagenReader(const DatagenSpec& spec, const SchemaPtr& schema, std::int64_t next,
                std::int64_t step, const SourceContext& context)
      : spec_(spec),
        end_(spec.rows.value_or(std::numeric_limits<std::int64_t>::max())),
        next_(next),
        step_(step),
        context_(context),
        pacing_(spec.rows_per_second / static_cast<double>(step)),
        builder_(schema, *context.pool) {}

  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    const std::int64_t now = context_.clock->monotonic_ns();
    const std::int64_t left = next_ >= end_ ? 0 : (end_ - next_ - 1) / step_ + 1;
    const std::int64_t due = pacing_.due(now, std::min(rows_max, left));
    if (due == 0 && left > 0) return Poll{PollState::kNothingYet, pacing_.next_ns(now)};
    const std::int64_t now_ms = context_.clock->now_ms();
    for (std::int64_t i = 0; i < due && builder_.bytes() < context_.batch_bytes_max; ++i) {
      for (std::size_t k = 0; k < spec_.fields.size(); ++k) {
        spec_.fields[k].append(next_, spec_.seed, now_ms, builder_.column(static_cast<int>(k)));
      }
      builder_.commit_row();
      next_ += step_;
    }
    pacing_.take(builder_.rows());
    CLP_ASSIGN_OR_RETURN(batch, builder_.finish());
    return Poll{next_ >= end_ ? PollState::kEndOfSplit : PollState::kRows, 0};
  }

  [[nodiscard]] std::string position() const override {
    return ValueTree::map().set("next", next_).set("step", step_).encode();
  }

 private:
  const DatagenSpec spec_;
  const std::int64_t end_;
  std::int64_t next_;
  const std::int64_t step_;
  const SourceContext context_;
  Pacing pacing_;
  BatchBuilder builder_;
};

class DatagenSource final : public Source {
 public:
  DatagenSource(DatagenSpec spec, SchemaPtr schema)
      : spec_(std::move(spec)), schema_(std::move(schema)) {}
  [[nodiscard]] bool is_bounded() const override { return spec_.rows.has_value(); }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return make_dealt_splits(make_splits);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    CLP_ASSIGN_OR_RETURN(const ValueTree position, ValueTree::decode(split.payload));
    CLP_ASSIGN_OR_RETURN(const std::int64_t next, position.get_int("next"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t step, position.get_int("step"));
    if (next < 0 || step < 1) return Status::data_loss("the position of a datagen split is broken");
    return std::make_unique<DatagenReader>(spec_, schema_, next, step, context);
  }

 private:
  const DatagenSpec spec_;
  const SchemaPtr schema_;
};

class DatagenConnector final : public TableConnector {
 public:
  [[nodiscard]] std::string_view name() const override { return "datagen"; }
  [[nodiscard]] std::string_view description() const override {
    return "Rows of random values and sequences.";
  }
  [[nodiscard]] bool can_read() const override { return true; }
  [[nodiscard]] bool can_write() const override { return false; }
  [[nodiscard]] bool uses_format() const override { return false; }

  [[nodiscard]] std::vector<OptionDescription> options() const override {
    using enum OptionKind;
    return {
        {.key = "rows-per-second",
         .kind = kLong,
         .default_value = "10000",
         .description = "Rows per second of all subtasks together."},
        {.key = "number-of-rows",
         .kind = kLong,
         .description = "Rows in all; without it there is no end."},
        {.key = "seed",
         .kind = kLong,
         .default_value = "0",
         .description = "Another seed, other rows."},
        {.key = "fields.#.kind",
         .kind = kEnum,
         .default_value = "random",
         .description = "How the values of a column come about. A sequence ends the table.",
         .choices = {"random", "sequence"}},
        {.key = "fields.#.min", .kind = kString, .description = "Least random value."},
        {.key = "fields.#.max", .kind = kString, .description = "Greatest random value."},
        {.key = "fields.#.max-past",
         .kind = kDuration,
         .default_value = "0 ms",
         .description = "Timestamps lie so far back at most."},
        {.key = "fields.#.length",
         .kind = kInteger,
         .default_value = "100",
         .description =
             "Characters, bytes or elements of random texts and collections (these: 3)."},
        {.key = "fields.#.var-len",
         .kind = kBoolean,
         .default_value = "false",
         .description = "Lengths vary from 1 to the length."},
        {.key = "fields.#.start", .kind = kString, .description = "First value of a sequence."},
        {.key = "fields.#.end", .kind = kString, .description = "Last value of a sequence."},
        {.key = "fields.#.null-rate",
         .kind = kDouble,
         .default_value = "0.0",
         .description = "Share of NULLs, from 0 to 1."},
    };
  }

  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override {
    const Result<DatagenSpec> spec = DatagenSpec::parse(options, schema, schema);
    return spec.is_ok() ? Status::ok() : spec.status();
  }
  [[nodiscard]] Result<bool> is_bounded(const TableOptions& options) const override {
    if (options.contains("number-of-rows")) return true;
    return std::any_of(options.begin(), options.end(), [](const auto& option) {
      return option.first.starts_with("fields.") && option.first.ends_with(".kind") &&
             option.second == "sequence";
    });
  }
  [[nodiscard]] std::optional<double> estimated_rows(const TableOptions& options) const override {
    const auto rows = options.find("number-of-rows");
    if (rows == options.end()) return std::nullopt;
    const Result<std::int64_t> count = parse_option_value<std::int64_t>(rows->first, rows->second);
    return count.is_ok() ? std::optional<double>(static_cast<double>(*count)) : std::nullopt;
  }
  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions& /*options*/) const override {
    return DeliveryGuarantee::kNone;
  }
  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& options, const Schema& schema,
                                            const ScanRequest& request) const override {
    std::vector<Field> produced;
    for (const std::string& column : request.columns) {
      const int index = schema.find(column);
      if (index < 0)
        return Status::invalid_argument(fmt::format("the table has no column '{}'", column));
      produced.push_back(schema.field(index));
    }
    return ValueTree::map()
        .set("connector", "datagen")
        .set("schema", schema_to_tree(Schema(std::move(produced))))
        .set("table", schema_to_tree(schema))
        .set("options", options_to_tree(options));
  }
  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& /*options*/,
                                            const Schema& /*schema*/) const override {
    return Status::invalid_argument("connector 'datagen' can only be read from");
  }
};

Result<std::unique_ptr<Source>> make_datagen_source(const ValueTree& tree) {
  CLP_ASSIGN_OR_RETURN(const ValueTree option_tree, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(const TableOptions options, options_from_tree(option_tree));
  CLP_ASSIGN_OR_RETURN(const ValueTree table_tree, tree.get("table"));
  CLP_ASSIGN_OR_RETURN(const SchemaPtr table, schema_from_tree(table_tree));
  CLP_ASSIGN_OR_RETURN(const ValueTree schema_tree, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(SchemaPtr schema, schema_from_tree(schema_tree));
  CLP_ASSIGN_OR_RETURN(DatagenSpec spec, DatagenSpec::parse(options, *table, *schema));
  return std::make_unique<DatagenSource>(std::move(spec), std::move(schema));
}

}  // namespace

void register_datagen_connector(ConnectorRegistry& registry) {
  registry.add({.table = std::make_shared<DatagenConnector>(), .make_source = make_datagen_source});
}

}  // namespace clepsydra
