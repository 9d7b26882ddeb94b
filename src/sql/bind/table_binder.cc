#include "sql/bind/table_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/error_list.h"
#include "sql/bind/expression_binder.h"
#include "sql/bind/type_binder.h"
#include "sql/catalog/option_check.h"
#include "sql/grammar/parser.h"

namespace clepsydra::sql {
namespace {

constexpr std::size_t kColumnsMax = 10000;

// Builds one table from its statement, clause by clause.
class TableBinder {
 public:
  TableBinder(const ast::CreateTable& statement, const BindEnvironment& environment,
              const StatementText& text)
      : statement_(statement),
        environment_(environment),
        text_(text),
        table_(std::make_shared<CatalogTable>()) {}

  Result<std::shared_ptr<CatalogTable>> bind() {
    CLP_RETURN_IF_ERROR(refuse_clauses());
    bind_columns();
    bind_primary_key();
    make_base_schemas();
    bind_computed_columns();
    make_table_schema();
    bind_options();
    bind_partition_keys();
    bind_distribution();
    bind_metadata();
    bind_watermark();
    CLP_RETURN_IF_ERROR(errors_.status());
    table_->temporary = statement_.temporary;
    table_->comment = statement_.comment;
    return std::move(table_);
  }

 private:
  Status refuse_clauses() const {
    if (statement_.replace) return text_.not_built(statement_.range, "REPLACE TABLE");
    if (statement_.query) return text_.not_built(statement_.query->range, "CREATE TABLE AS");
    if (statement_.like) return text_.not_built(statement_.like->range, "LIKE");
    if (statement_.schema.columns.empty()) {
      return text_.invalid(statement_.name.range(), "a table needs at least one column");
    }
    if (statement_.schema.columns.size() > kColumnsMax) {
      return text_.invalid(statement_.name.range(),
                           fmt::format("a table may have at most {} columns", kColumnsMax));
    }
    return Status::ok();
  }

  [[nodiscard]] int find_column(const std::string& name) const {
    for (std::size_t i = 0; i < table_->columns.size(); ++i) {
      if (table_->columns[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
  [[nodiscard]] std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const TableColumn& column : table_->columns) names.push_back(column.name);
    return names;
  }

  // What is wrong with the column at `range`: nothing is said of what refers to it.
  void add_wrong_column(const std::string& name, ast::SourceRange range, const Status& status) {
    if (status.is_ok()) return;
    errors_.add(range, status);
    wrong_.insert(name);
  }

  void bind_columns() {
    for (const ast::ColumnDefinition& definition : statement_.schema.columns) {
      TableColumn column;
      column.name = definition.name.name;
      column.comment = definition.comment;
      if (find_column(column.name) >= 0) {
        add_wrong_column(column.name, definition.range,
                         text_.invalid(definition.name.range,
                                       fmt::format("column '{}' is declared twice", column.name)));
      }
      if (definition.kind != ast::ColumnKind::kComputed) {
        const Result<DataType> type = bind_type(definition.type, text_);
        column.type = type.is_ok() ? *type : DataType::null();
        add_wrong_column(column.name, definition.range, type.status());
      }
      switch (definition.kind) {
        case ast::ColumnKind::kPhysical:
          break;
        case ast::ColumnKind::kComputed:
          column.role = ColumnRole::kComputed;
          column.computed_text = ast::to_sql(*definition.computed);
          break;
        case ast::ColumnKind::kMetadata:
          column.role = ColumnRole::kMetadata;
          column.metadata_key = definition.metadata_key.value_or(column.name);
          column.metadata_virtual = definition.metadata_virtual;
          break;
      }
      table_->columns.push_back(std::move(column));
      if (errors_.is_full()) return;
    }
  }

  Status check_enforcement(bool enforced, bool not_enforced, ast::SourceRange range) const {
    if (!enforced && not_enforced) return Status::ok();
    return text_.invalid(range, "a PRIMARY KEY cannot be enforced: the data belong to the outside",
                         "write PRIMARY KEY ... NOT ENFORCED");
  }

  Status add_key_column(const ast::Identifier& name) {
    const int index = find_column(name.name);
    if (index < 0) {
      return text_.not_found(
          name.range,
          fmt::format("primary key column '{}' is not a column of the table", name.name),
          did_you_mean_name(name.name, column_names()));
    }
    TableColumn& column = table_->columns[static_cast<std::size_t>(index)];
    if (column.role == ColumnRole::kComputed) {
      return text_.invalid(name.range,
                           fmt::format("primary key column '{}' is computed", name.name));
    }
    if (std::find(table_->primary_key.begin(), table_->primary_key.end(), index) !=
        table_->primary_key.end()) {
      return text_.invalid(name.range,
                           fmt::format("'{}' occurs twice in the primary key", name.name));
    }
    column.type = column.type.with_nullable(false);
    table_->primary_key.push_back(index);
    return Status::ok();
  }

  void bind_primary_key() {
    for (const ast::ColumnDefinition& definition : statement_.schema.columns) {
      if (errors_.is_full()) return;
      errors_.add(definition.range, bind_column_key(definition));
    }
    for (const ast::KeyConstraint& key : statement_.schema.keys) {
      if (errors_.is_full()) return;
      errors_.add(key.range, bind_table_key(key));
    }
  }

  Status bind_column_key(const ast::ColumnDefinition& definition) {
    if (definition.unique) return text_.not_built(definition.range, "UNIQUE");
    if (!definition.primary_key) return Status::ok();
    if (!table_->primary_key.empty()) return second_key(definition.range);
    CLP_RETURN_IF_ERROR(check_enforcement(definition.constraint_enforced,
                                          definition.constraint_not_enforced, definition.range));
    CLP_RETURN_IF_ERROR(add_key_column(definition.name));
    table_->primary_key_name = "PK_" + definition.name.name;
    return Status::ok();
  }

  Status bind_table_key(const ast::KeyConstraint& key) {
    if (!key.primary) return text_.not_built(key.range, "UNIQUE");
    if (!table_->primary_key.empty()) return second_key(key.range);
    ErrorList errors;
    errors.add(key.range, check_enforcement(key.enforced, key.not_enforced, key.range));
    table_->primary_key_name = "PK";
    for (const ast::Identifier& column : key.columns) {
      errors.add(column.range, add_key_column(column));
      table_->primary_key_name += "_" + column.name;
    }
    if (key.name) table_->primary_key_name = key.name->name;
    return errors.status();
  }

  Status second_key(ast::SourceRange range) const {
    return text_.invalid(range, "a table has at most one PRIMARY KEY");
  }

  void make_base_schemas() {
    std::vector<Field> physical;
    std::vector<Field> produced;
    for (const TableColumn& column : table_->columns) {
      if (column.role != ColumnRole::kPhysical) continue;
      physical.push_back({column.name, column.type, column.comment.value_or("")});
    }
    produced = physical;
    for (const TableColumn& column : table_->columns) {
      if (column.role == ColumnRole::kMetadata) produced.push_back({column.name, column.type, {}});
    }
    table_->physical = make_schema(std::move(physical));
    table_->produced = make_schema(std::move(produced));
  }

  void bind_computed_columns() {
    const Scope scope = scope_of(table_->produced);
    for (std::size_t i = 0; i < table_->columns.size() && !errors_.is_full(); ++i) {
      TableColumn& column = table_->columns[i];
      if (column.role != ColumnRole::kComputed) continue;
      const ast::ColumnDefinition& definition = statement_.schema.columns[i];
      ExpressionBinder binder(environment_, text_, scope, nullptr, "a computed column");
      Result<ExpressionPtr> computed = binder.bind(*definition.computed);
      if (computed.is_ok() && (*computed)->type().kind() == TypeKind::kNull) {
        computed = text_.invalid(definition.range,
                                 fmt::format("computed column '{}' has no type", column.name),
                                 "write CAST(NULL AS type)");
      }
      add_wrong_column(column.name, definition.range, computed.status());
      column.type = computed.is_ok() ? (*computed)->type() : DataType::null();
      if (computed.is_ok()) column.computed = *std::move(computed);
    }
  }

  [[nodiscard]] Scope scope_of(const SchemaPtr& schema) const {
    Scope scope(schema, {Relation{{}, 0, schema->size()}});
    scope.set_wrong(wrong_);
    return scope;
  }

  void make_table_schema() {
    std::vector<Field> fields;
    for (const TableColumn& column : table_->columns) {
      fields.push_back({column.name, column.type, column.comment.value_or("")});
    }
    table_->schema = make_schema(std::move(fields));
  }

  void bind_options() {
    for (const ast::Option& option : statement_.options) {
      if (errors_.is_full()) return;
      if (!table_->options.emplace(option.key, option.value).second) {
        errors_.add(
            option.key_range,
            text_.invalid(option.key_range, fmt::format("option '{}' is given twice", option.key)));
      }
    }
    // Connectors are not asked about columns of which nothing is known.
    const Schema* physical = wrong_.empty() ? table_->physical.get() : nullptr;
    for (OptionProblem& problem : check_table_options(
             table_->options, physical, environment_.connectors, ErrorList::kErrorsMax)) {
      ast::SourceRange place = statement_.name.range();
      for (const ast::Option& option : statement_.options) {
        if (option.key == problem.key)
          place = problem.in_value ? option.value_range : option.key_range;
      }
      errors_.add(place, text_.error(place, std::move(problem.message),
                                     std::move(problem.suggestion), problem.code));
    }
    const auto name = table_->options.find("connector");
    if (name != table_->options.end()) {
      connector_ = environment_.connectors.find_connector(name->second);
    }
  }

  // The column of this name that PARTITIONED BY or DISTRIBUTED BY may name: `what` it is for.
  Result<int> stored_column(const ast::Identifier& name, std::string_view what) const {
    const int index = find_column(name.name);
    if (index < 0) {
      return text_.not_found(
          name.range, fmt::format("{} column '{}' is not a column of the table", what, name.name),
          did_you_mean_name(name.name, column_names()));
    }
    if (table_->columns[static_cast<std::size_t>(index)].role != ColumnRole::kPhysical) {
      return text_.invalid(name.range, fmt::format("{} column '{}' is computed or of the "
                                                   "connector; expected a column with a type",
                                                   what, name.name));
    }
    return index;
  }

  // Only the definition: no connector of ours writes buckets, so that INSERT is refused.
  void bind_distribution() {
    if (!statement_.distribution) return;
    const ast::Distribution& distribution = *statement_.distribution;
    if (distribution.buckets && *distribution.buckets < 1) {
      errors_.add(distribution.range,
                  text_.invalid(distribution.range, "a table has at least one bucket"));
    }
    for (const ast::Identifier& name : distribution.columns) {
      if (errors_.is_full()) return;
      const Result<int> index = stored_column(name, "bucket");
      errors_.add(name.range, index.status());
      if (index.is_ok()) table_->distribution_keys.push_back(*index);
    }
    table_->distribution = ast::to_sql(distribution);
  }

  void bind_partition_keys() {
    if (statement_.partitioned_by.empty()) return;
    for (const ast::Identifier& name : statement_.partitioned_by) {
      if (errors_.is_full()) return;
      const Result<int> index = stored_column(name, "partition");
      errors_.add(name.range, index.status());
      if (!index.is_ok()) continue;
      if (std::find(table_->partition_keys.begin(), table_->partition_keys.end(), *index) !=
          table_->partition_keys.end()) {
        errors_.add(name.range,
                    text_.invalid(name.range,
                                  fmt::format("'{}' occurs twice in PARTITIONED BY", name.name)));
      }
      table_->partition_keys.push_back(*index);
    }
    errors_.add(statement_.partitioned_by.front().range, check_partitioned_sink());
  }

  Status check_partitioned_sink() const {
    if (connector_ == nullptr) return Status::ok();
    const ast::SourceRange place =
        ast::cover(statement_.partitioned_by.front().range, statement_.partitioned_by.back().range);
    if (connector_->partitioned_sink() == nullptr) {
      return text_.error(
          place, fmt::format("tables of connector '{}' cannot be partitioned", connector_->name()),
          {}, StatusCode::kUnimplemented);
    }
    if (errors_.failed()) return Status::ok();  // It is asked about what is right.
    const Result<ValueTree> spec = connector_->partitioned_sink()->partitioned_sink_spec(
        table_->options, *table_->physical, partition_key_names(*table_));
    return spec.is_ok() ? Status::ok() : text_.at_place(place, spec.status());
  }

  // The connector knows which metadata there is and its types; the declared type is a cast away.
  void bind_metadata() {
    if (connector_ == nullptr) return;
    const std::vector<MetadataColumn> known = connector_->metadata_columns();
    std::vector<Field> produced = table_->produced->fields();
    std::size_t position = static_cast<std::size_t>(table_->physical->size());
    for (std::size_t i = 0; i < table_->columns.size() && !errors_.is_full(); ++i) {
      TableColumn& column = table_->columns[i];
      if (column.role != ColumnRole::kMetadata) continue;
      const ast::ColumnDefinition& definition = statement_.schema.columns[i];
      Result<DataType> type = metadata_type(definition, known, column);
      errors_.add(definition.range, type.status());
      if (type.is_ok()) produced[position].type = *std::move(type);
      ++position;
    }
    table_->produced = make_schema(std::move(produced));
  }

  // The type of what the connector gives for this column.
  Result<DataType> metadata_type(const ast::ColumnDefinition& definition,
                                 const std::vector<MetadataColumn>& known,
                                 TableColumn& column) const {
    std::vector<std::string> keys;
    for (const MetadataColumn& metadata : known) keys.push_back(metadata.key);
    const auto found = std::find(keys.begin(), keys.end(), column.metadata_key);
    if (found == keys.end()) {
      return text_.not_found(
          definition.range,
          fmt::format("connector '{}' has no metadata '{}'", connector_->name(),
                      column.metadata_key),
          keys.empty() ? "it has none" : fmt::format("known metadata: {}", name_list(keys)));
    }
    const MetadataColumn& metadata = known[static_cast<std::size_t>(found - keys.begin())];
    if (!column.metadata_virtual && metadata.virtual_only) column.metadata_virtual = true;
    CLP_ASSIGN_OR_RETURN(const ast::TypeName written, grammar::parse_type(metadata.type));
    const StatementText type_text(metadata.type);
    CLP_ASSIGN_OR_RETURN(DataType type, bind_type(written, type_text));
    if (wrong_.contains(column.name)) return type;
    const Result<ExpressionPtr> cast =
        environment_.functions.cast(Expression::column(0, type, column.name), column.type, false);
    if (!cast.is_ok()) return text_.at_place(definition.range, cast.status());
    return type;
  }

  static bool is_watermark_type(const DataType& type) {
    return type.is_timestamp() && type.precision() <= 3;
  }

  void bind_watermark() {
    if (!statement_.schema.watermark) return;
    const ast::WatermarkDefinition& definition = *statement_.schema.watermark;
    if (definition.column.size() != 1) {
      const ast::SourceRange place =
          ast::cover(definition.column.front().range, definition.column.back().range);
      errors_.add(place, text_.not_built(place, "a watermark for a field of a ROW"));
      return;
    }
    TableWatermark watermark;
    const Status column_status = find_watermark_column(definition.column[0], watermark.column);
    errors_.add(definition.column[0].range, column_status);
    const auto* call = definition.expression->as_if<ast::FunctionCall>();
    watermark.is_from_source =
        call != nullptr && call->upper_name() == "SOURCE_WATERMARK" && call->arguments.empty();
    if (!watermark.is_from_source) {
      Result<ExpressionPtr> expression = bind_watermark_expression(*definition.expression);
      errors_.add(definition.expression->range, expression.status());
      if (expression.is_ok()) watermark.expression = *std::move(expression);
    }
    if (errors_.failed()) return;
    TableColumn& column = table_->columns[static_cast<std::size_t>(watermark.column)];
    if (watermark.is_from_source) {
      watermark.expression = Expression::column(watermark.column, column.type, column.name);
    }
    watermark.text = ast::to_sql(*definition.expression);
    column.type = column.type.with_time_attribute(TimeAttribute::kRowtime);
    table_->watermark = std::move(watermark);
    make_table_schema();
  }

  Status find_watermark_column(const ast::Identifier& name, int& index) const {
    index = find_column(name.name);
    if (index < 0) {
      return text_.not_found(
          name.range, fmt::format("watermark column '{}' is not a column of the table", name.name),
          did_you_mean_name(name.name, column_names()));
    }
    const DataType& type = table_->columns[static_cast<std::size_t>(index)].type;
    if (is_watermark_type(type) || wrong_.contains(name.name)) return Status::ok();
    return text_.invalid(
        name.range,
        fmt::format("a watermark column must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with "
                    "p from 0 to 3, but '{}' is {}",
                    name.name, type.with_nullable(true).to_string()),
        "CAST(column AS TIMESTAMP(3)) in a computed column");
  }

  Result<ExpressionPtr> bind_watermark_expression(const ast::Expression& written) const {
    const Scope scope = scope_of(table_->schema);
    ExpressionBinder binder(environment_, text_, scope, nullptr, "WATERMARK");
    CLP_ASSIGN_OR_RETURN(ExpressionPtr expression, binder.bind(written));
    if (is_watermark_type(expression->type())) return expression;
    return text_.invalid(written.range,
                         fmt::format("a watermark must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p "
                                     "from 0 to 3, but this is {}",
                                     expression->type().to_string()));
  }

  const ast::CreateTable& statement_;
  const BindEnvironment& environment_;
  const StatementText& text_;
  std::shared_ptr<CatalogTable> table_;
  const TableConnector* connector_ = nullptr;  // Once the options are known, if there is one.
  ErrorList errors_;
  std::set<std::string> wrong_;  // Columns that have no type, or several.
};

}  // namespace

Result<std::shared_ptr<CatalogTable>> bind_create_table(const ast::CreateTable& statement,
                                                        const BindEnvironment& environment,
                                                        const StatementText& text) {
  return TableBinder(statement, environment, text).bind();
}

}  // namespace clepsydra::sql
