// Describes connectors and formats to the planner: options, abilities, guarantees. No I/O happens
// here beyond what validate() documents.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

class FileSystem;
class Schema;
class ValueTree;

/// How an option's value must look; checked by the planner before a connector sees it.
enum class OptionKind : std::uint8_t {
  kString,
  kBoolean,
  kInteger,
  kLong,
  kDouble,
  kDuration,
  kMemorySize,
  kEnum,
  kMap
};

struct OptionDescription {
  std::string key;  ///< "csv.field-delimiter"; "fields.#.kind" has one key part free.
  OptionKind kind = OptionKind::kString;
  std::string default_value = {};  ///< Empty: none.
  std::string description = {};
  std::vector<std::string> choices = {};  ///< kEnum: the accepted values.
  bool required = false;
};

/// Options of a WITH clause as written, keys as the reference spells them.
using TableOptions = std::map<std::string, std::string>;

enum class DeliveryGuarantee : std::uint8_t { kNone, kAtLeastOnce, kIdempotent, kExactlyOnce };

struct MetadataColumn {
  std::string key;   ///< "file.path"
  std::string type;  ///< SQL text, e.g. "STRING NOT NULL"
  bool virtual_only = true;
};

/// A condition on a column that a table is PARTITIONED BY. NULL meets none but kIsNull.
struct PartitionCondition {
  enum class Kind : std::uint8_t {
    kOneOf,  ///< Equals one of the values.
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kIsNull,
    kIsNotNull
  };
  std::string column;
  Kind kind = Kind::kOneOf;
  std::vector<std::string> values = {};  ///< As CAST of the column's type to STRING gives them.
};

/// What the planner asks a source to produce.
struct ScanRequest {
  /// Physical columns to produce in this order, then metadata columns; all the reader builds.
  std::vector<std::string> columns;
  std::vector<std::string> metadata;  ///< Keys.
  bool has_watermark = false;         ///< The table declares a WATERMARK (files are then not cut).
  /// Columns that the table is PARTITIONED BY, in their order; only for a connector that has
  /// partitioned_sink().
  std::vector<std::string> partition_keys = {};
  /// Rows of partitions that do not meet all of them need not be produced.
  std::vector<PartitionCondition> partition_conditions = {};
};

/// The part of a connector that has tables PARTITIONED BY columns.
class PartitionedSinkConnector {
 public:
  virtual ~PartitionedSinkConnector() = default;
  /// What there is, ordered: one value per key, NULL as the connector writes it. Reads folders or
  /// asks the outside.
  [[nodiscard]] virtual Result<std::vector<std::vector<std::string>>> list_partitions(
      const TableOptions& options, const std::vector<std::string>& partition_keys,
      FileSystem& files) const = 0;
  /// Makes the partition of these values (one per key), or takes it away with its rows. Whether it
  /// is there was asked before.
  [[nodiscard]] virtual Status create_partition(const TableOptions& options,
                                                const std::vector<std::string>& partition_keys,
                                                const std::vector<std::string>& values,
                                                FileSystem& files) const = 0;
  [[nodiscard]] virtual Status drop_partition(const TableOptions& options,
                                              const std::vector<std::string>& partition_keys,
                                              const std::vector<std::string>& values,
                                              FileSystem& files) const = 0;
  /// As TableConnector::sink_spec(). `partition_keys`: columns of `schema`, in their order.
  [[nodiscard]] virtual Result<ValueTree> partitioned_sink_spec(
      const TableOptions& options, const Schema& schema,
      const std::vector<std::string>& partition_keys) const = 0;
};

/// What an INSERT OVERWRITE takes the place of: with all partition keys in `partition`, in the
/// order of the table's keys, that one partition; else every partition that gets rows, or, of a
/// table without partitions, all of it.
struct ReplacedRows {
  std::vector<std::pair<std::string, std::string>> partition;
};

/// A connector, or a format with `is_format` (then options carry the prefix "<name>.").
class TableConnector {
 public:
  virtual ~TableConnector() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string_view description() const = 0;
  [[nodiscard]] virtual bool can_read() const = 0;
  [[nodiscard]] virtual bool can_write() const = 0;
  /// Whether what it writes can take the place of what is there: INSERT OVERWRITE.
  [[nodiscard]] virtual bool can_overwrite() const { return false; }
  /// Makes a sink spec one that replaces rows when the job has ended well. Only called when
  /// can_overwrite().
  virtual void set_replaced(const ReplacedRows& replaced, ValueTree& sink_spec) const {
    (void)replaced;
    (void)sink_spec;
  }
  /// Whether it reads or writes bytes through a format ("format" option).
  [[nodiscard]] virtual bool uses_format() const = 0;
  [[nodiscard]] virtual std::vector<OptionDescription> options() const = 0;
  [[nodiscard]] virtual std::vector<MetadataColumn> metadata_columns() const { return {}; }
  /// Checks what one option's kind cannot say. `schema`: the physical columns.
  [[nodiscard]] virtual Status validate(const TableOptions& options,
                                        const Schema& schema) const = 0;
  [[nodiscard]] virtual Result<bool> is_bounded(const TableOptions& options) const = 0;
  /// How many rows a scan gives, where that is known without looking.
  [[nodiscard]] virtual std::optional<double> estimated_rows(const TableOptions& options) const {
    (void)options;
    return std::nullopt;
  }
  /// Whether scan_spec() accepts a `schema` whose ROW columns lack fields that no query reads
  /// (fields are then found by name). Otherwise it always gets the whole declared types.
  [[nodiscard]] virtual bool can_prune_fields(const TableOptions& options) const {
    (void)options;
    return false;
  }
  /// Replayable from a position, so that state and source agree after a restore.
  [[nodiscard]] virtual bool can_replay() const { return true; }
  [[nodiscard]] virtual DeliveryGuarantee sink_guarantee(const TableOptions& options) const = 0;
  /// Keys of the options that say what is read: a position in one value of them means nothing for
  /// another. They are part of the ids of sources.
  [[nodiscard]] virtual std::vector<std::string> identity_options() const { return {}; }
  /// Rows a second that the table's options ask for etc. stay in the options; the planner only
  /// carries them. The product goes into OperatorSpec::options of the source or sink operator, and
  /// comes back to ConnectorRegistry::make_source / make_sink. `schema`: all physical columns of
  /// the table.
  [[nodiscard]] virtual Result<ValueTree> scan_spec(const TableOptions& options,
                                                    const Schema& schema,
                                                    const ScanRequest& request) const = 0;
  [[nodiscard]] virtual Result<ValueTree> sink_spec(const TableOptions& options,
                                                    const Schema& schema) const = 0;
  /// Null unless it reads and writes tables that are PARTITIONED BY columns.
  [[nodiscard]] virtual const PartitionedSinkConnector* partitioned_sink() const { return nullptr; }
};

/// A format as the planner sees it.
class TableFormat {
 public:
  virtual ~TableFormat() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string_view description() const = 0;
  /// Keys with the prefix: "csv.null-literal".
  [[nodiscard]] virtual std::vector<OptionDescription> options() const = 0;
  [[nodiscard]] virtual Status validate(const TableOptions& options,
                                        const Schema& schema) const = 0;
};

/// All connectors and formats by name: what `sql` and `api` get injected.
class TableConnectorRegistry {
 public:
  virtual ~TableConnectorRegistry() = default;
  [[nodiscard]] virtual const TableConnector* find_connector(std::string_view name) const = 0;
  [[nodiscard]] virtual const TableFormat* find_format(std::string_view name) const = 0;
  [[nodiscard]] virtual std::vector<std::string> connector_names() const = 0;
  [[nodiscard]] virtual std::vector<std::string> format_names() const = 0;
};

}  // namespace clepsydra
