// Rows that stand in the query itself: VALUES, and SELECT without FROM. Not a connector for tables.
//
// Spec: {connector: "values", schema, rows: count, columns: [column trees]}.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "connectors/connector_registry.h"
#include "connectors/dealt_splits.h"
#include "stream/batch.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

class ValuesReader final : public SplitReader {
 public:
  ValuesReader(Batch rows, std::int64_t next, MemoryPool& pool)
      : rows_(std::move(rows)), next_(next), pool_(pool) {}
  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    const std::int64_t count = std::min(rows_max, rows_.rows() - next_);
    CLP_ASSIGN_OR_RETURN(batch, rows_.slice(next_, count, pool_));
    next_ += count;
    return Poll{next_ == rows_.rows() ? PollState::kEndOfSplit : PollState::kRows, 0};
  }
  [[nodiscard]] std::string position() const override { return ValueTree(next_).encode(); }

 private:
  const Batch rows_;
  std::int64_t next_;
  MemoryPool& pool_;
};

class ValuesSource final : public Source {
 public:
  explicit ValuesSource(ValueTree spec) : spec_(std::move(spec)) {}
  [[nodiscard]] bool is_bounded() const override { return true; }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return make_dealt_splits([](int /*parallelism*/) {
      return std::vector<SourceSplit>{{"values", ValueTree(0).encode()}};
    });
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    CLP_ASSIGN_OR_RETURN(const ValueTree schema_tree, spec_.get("schema"));
    CLP_ASSIGN_OR_RETURN(SchemaPtr schema, schema_from_tree(schema_tree));
    CLP_ASSIGN_OR_RETURN(const std::int64_t rows, spec_.get_int("rows"));
    CLP_ASSIGN_OR_RETURN(const ValueTree::List trees, spec_.get_list("columns"));
    std::vector<Column> columns;
    for (const ValueTree& tree : trees) {
      CLP_ASSIGN_OR_RETURN(Column column, column_from_tree(tree, *context.pool));
      if (column.length() != rows)
        return Status::invalid_argument("a column of VALUES has another length");
      columns.push_back(std::move(column));
    }
    if (static_cast<int>(columns.size()) != schema->size() || rows < 0) {
      return Status::invalid_argument("the columns of VALUES do not fit their schema");
    }
    CLP_ASSIGN_OR_RETURN(const ValueTree position, ValueTree::decode(split.payload));
    if (position.as_int() == nullptr || *position.as_int() < 0 || *position.as_int() > rows) {
      return Status::data_loss("the position within VALUES is broken");
    }
    return std::make_unique<ValuesReader>(Batch(std::move(schema), rows, std::move(columns)),
                                          *position.as_int(), *context.pool);
  }

 private:
  const ValueTree spec_;
};

Result<std::unique_ptr<Source>> make_values_source(const ValueTree& spec) {
  return std::make_unique<ValuesSource>(spec);
}

}  // namespace

void register_values_connector(ConnectorRegistry& registry) {
  registry.add({.name = "values", .make_source = make_values_source});
}

}  // namespace clepsydra
