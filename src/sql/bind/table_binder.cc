#include "sql/bind/table_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/ast/print.h"
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
    CLP_RETURN_IF_ERROR(bind_columns());
    CLP_RETURN_IF_ERROR(bind_primary_key());
    make_base_schemas();
    CLP_RETURN_IF_ERROR(bind_computed_columns());
    make_table_schema();
    CLP_RETURN_IF_ERROR(bind_options());
    CLP_RETURN_IF_ERROR(bind_partition_keys());
    CLP_RETURN_IF_ERROR(bind_distribution());
    CLP_RETURN_IF_ERROR(bind_metadata());
    CLP_RETURN_IF_ERROR(bind_watermark());
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

  Status bind_columns() {
    for (const ast::ColumnDefinition& definition : statement_.schema.columns) {
      if (find_column(definition.name.name) >= 0) {
        return text_.invalid(definition.name.range,
                             fmt::format("column '{}' is declared twice", definition.name.name));
      }
      TableColumn column;
      column.name = definition.name.name;
      column.comment = definition.comment;
      if (definition.kind != ast::ColumnKind::kComputed) {
        CLP_ASSIGN_OR_RETURN(column.type, bind_type(definition.type, text_));
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
    }
    return Status::ok();
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

  Status bind_primary_key() {
    for (const ast::ColumnDefinition& definition : statement_.schema.columns) {
      if (definition.unique) return text_.not_built(definition.range, "UNIQUE");
      if (!definition.primary_key) continue;
      if (!table_->primary_key.empty()) return second_key(definition.range);
      CLP_RETURN_IF_ERROR(check_enforcement(definition.constraint_enforced,
                                            definition.constraint_not_enforced, definition.range));
      CLP_RETURN_IF_ERROR(add_key_column(definition.name));
      table_->primary_key_name = "PK_" + definition.name.name;
    }
    for (const ast::KeyConstraint& key : statement_.schema.keys) {
      if (!key.primary) return text_.not_built(key.range, "UNIQUE");
      if (!table_->primary_key.empty()) return second_key(key.range);
      CLP_RETURN_IF_ERROR(check_enforcement(key.enforced, key.not_enforced, key.range));
      for (const ast::Identifier& column : key.columns) CLP_RETURN_IF_ERROR(add_key_column(column));
      table_->primary_key_name = "PK";
      for (const ast::Identifier& column : key.columns)
        table_->primary_key_name += "_" + column.name;
      if (key.name) table_->primary_key_name = key.name->name;
    }
    return Status::ok();
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

  Status bind_computed_columns() {
    const Scope scope(table_->produced, {Relation{{}, 0, table_->produced->size()}});
    for (std::size_t i = 0; i < table_->columns.size(); ++i) {
      TableColumn& column = table_->columns[i];
      if (column.role != ColumnRole::kComputed) continue;
      ExpressionBinder binder(environment_, text_, scope, nullptr, "a computed column");
      CLP_ASSIGN_OR_RETURN(column.computed, binder.bind(*statement_.schema.columns[i].computed));
      if (column.computed->type().kind() == TypeKind::kNull) {
        return text_.invalid(statement_.schema.columns[i].range,
                             fmt::format("computed column '{}' has no type", column.name),
                             "write CAST(NULL AS type)");
      }
      column.type = column.computed->type();
    }
    return Status::ok();
  }

  void make_table_schema() {
    std::vector<Field> fields;
    for (const TableColumn& column : table_->columns) {
      fields.push_back({column.name, column.type, column.comment.value_or("")});
    }
    table_->schema = make_schema(std::move(fields));
  }

  Status bind_options() {
    for (const ast::Option& option : statement_.options) {
      if (!table_->options.emplace(option.key, option.value).second) {
        return text_.invalid(option.key_range,
                             fmt::format("option '{}' is given twice", option.key));
      }
    }
    const auto problem =
        check_table_options(table_->options, *table_->physical, environment_.connectors);
    if (!problem) return Status::ok();
    ast::SourceRange place = statement_.name.range();
    for (const ast::Option& option : statement_.options) {
      if (option.key == problem->key)
        place = problem->in_value ? option.value_range : option.key_range;
    }
    return text_.error(place, problem->message, problem->suggestion, problem->code);
  }

  // Only the definition: no connector of ours writes buckets, so that INSERT is refused.
  Status bind_distribution() {
    if (!statement_.distribution) return Status::ok();
    const ast::Distribution& distribution = *statement_.distribution;
    if (distribution.buckets && *distribution.buckets < 1) {
      return text_.invalid(distribution.range, "a table has at least one bucket");
    }
    for (const ast::Identifier& name : distribution.columns) {
      const int index = find_column(name.name);
      if (index < 0) {
        return text_.not_found(
            name.range, fmt::format("bucket column '{}' is not a column of the table", name.name),
            did_you_mean_name(name.name, column_names()));
      }
      if (table_->columns[static_cast<std::size_t>(index)].role != ColumnRole::kPhysical) {
        return text_.invalid(name.range, fmt::format("bucket column '{}' is computed or of the "
                                                     "connector; expected a column with a type",
                                                     name.name));
      }
      table_->distribution_keys.push_back(index);
    }
    table_->distribution = ast::to_sql(distribution);
    return Status::ok();
  }

  Status bind_partition_keys() {
    if (statement_.partitioned_by.empty()) return Status::ok();
    for (const ast::Identifier& name : statement_.partitioned_by) {
      const int index = find_column(name.name);
      if (index < 0) {
        return text_.not_found(
            name.range,
            fmt::format("partition column '{}' is not a column of the table", name.name),
            did_you_mean_name(name.name, column_names()));
      }
      if (table_->columns[static_cast<std::size_t>(index)].role != ColumnRole::kPhysical) {
        return text_.invalid(name.range, fmt::format("partition column '{}' is computed or of the "
                                                     "connector; expected a column with a type",
                                                     name.name));
      }
      if (std::find(table_->partition_keys.begin(), table_->partition_keys.end(), index) !=
          table_->partition_keys.end()) {
        return text_.invalid(name.range,
                             fmt::format("'{}' occurs twice in PARTITIONED BY", name.name));
      }
      table_->partition_keys.push_back(index);
    }
    const TableConnector* connector =
        environment_.connectors.find_connector(table_->options.at("connector"));
    CLP_CHECK(connector != nullptr);
    const ast::SourceRange place =
        ast::cover(statement_.partitioned_by.front().range, statement_.partitioned_by.back().range);
    if (connector->partitioned_sink() == nullptr) {
      return text_.error(
          place, fmt::format("tables of connector '{}' cannot be partitioned", connector->name()),
          {}, StatusCode::kUnimplemented);
    }
    const Result<ValueTree> spec = connector->partitioned_sink()->partitioned_sink_spec(
        table_->options, *table_->physical, partition_key_names(*table_));
    return spec.is_ok() ? Status::ok() : text_.at_place(place, spec.status());
  }

  // The connector knows which metadata there is and its types; the declared type is a cast away.
  Status bind_metadata() {
    const TableConnector* connector =
        environment_.connectors.find_connector(table_->options.at("connector"));
    CLP_CHECK(connector != nullptr);
    const std::vector<MetadataColumn> known = connector->metadata_columns();
    std::vector<std::string> keys;
    for (const MetadataColumn& column : known) keys.push_back(column.key);
    std::vector<Field> produced = table_->produced->fields();
    std::size_t position = static_cast<std::size_t>(table_->physical->size());
    for (std::size_t i = 0; i < table_->columns.size(); ++i) {
      TableColumn& column = table_->columns[i];
      if (column.role != ColumnRole::kMetadata) continue;
      const ast::ColumnDefinition& definition = statement_.schema.columns[i];
      const auto found = std::find(keys.begin(), keys.end(), column.metadata_key);
      if (found == keys.end()) {
        return text_.not_found(
            definition.range,
            fmt::format("connector '{}' has no metadata '{}'", connector->name(),
                        column.metadata_key),
            keys.empty() ? "it has none" : fmt::format("known metadata: {}", name_list(keys)));
      }
      const MetadataColumn& metadata = known[static_cast<std::size_t>(found - keys.begin())];
      if (!column.metadata_virtual && metadata.virtual_only) column.metadata_virtual = true;
      CLP_ASSIGN_OR_RETURN(const ast::TypeName written, grammar::parse_type(metadata.type));
      const StatementText type_text(metadata.type);
      CLP_ASSIGN_OR_RETURN(DataType type, bind_type(written, type_text));
      const Result<ExpressionPtr> cast =
          environment_.functions.cast(Expression::column(0, type, column.name), column.type, false);
      if (!cast.is_ok()) return text_.at_place(definition.range, cast.status());
      produced[position++].type = std::move(type);
    }
    table_->produced = make_schema(std::move(produced));
    return Status::ok();
  }

  static bool is_watermark_type(const DataType& type) {
    return type.is_timestamp() && type.precision() <= 3;
  }

  Status bind_watermark() {
    if (!statement_.schema.watermark) return Status::ok();
    const ast::WatermarkDefinition& definition = *statement_.schema.watermark;
    if (definition.column.size() != 1) {
      return text_.not_built(
          ast::cover(definition.column.front().range, definition.column.back().range),
          "a watermark for a field of a ROW");
    }
    const ast::Identifier& name = definition.column[0];
    TableWatermark watermark;
    watermark.column = find_column(name.name);
    if (watermark.column < 0) {
      return text_.not_found(
          name.range, fmt::format("watermark column '{}' is not a column of the table", name.name),
          did_you_mean_name(name.name, column_names()));
    }
    TableColumn& column = table_->columns[static_cast<std::size_t>(watermark.column)];
    if (!is_watermark_type(column.type)) {
      return text_.invalid(
          name.range,
          fmt::format("a watermark column must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with "
                      "p from 0 to 3, but '{}' is {}",
                      name.name, column.type.with_nullable(true).to_string()),
          "CAST(column AS TIMESTAMP(3)) in a computed column");
    }
    const Scope scope(table_->schema, {Relation{{}, 0, table_->schema->size()}});
    ExpressionBinder binder(environment_, text_, scope, nullptr, "WATERMARK");
    const auto* call = definition.expression->as_if<ast::FunctionCall>();
    watermark.is_from_source =
        call != nullptr && call->upper_name() == "SOURCE_WATERMARK" && call->arguments.empty();
    if (watermark.is_from_source) {
      watermark.expression = Expression::column(watermark.column, column.type, column.name);
    } else {
      CLP_ASSIGN_OR_RETURN(watermark.expression, binder.bind(*definition.expression));
    }
    if (!is_watermark_type(watermark.expression->type())) {
      return text_.invalid(
          definition.expression->range,
          fmt::format("a watermark must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 "
                      "to 3, but this is {}",
                      watermark.expression->type().to_string()));
    }
    watermark.text = ast::to_sql(*definition.expression);
    column.type = column.type.with_time_attribute(TimeAttribute::kRowtime);
    table_->watermark = std::move(watermark);
    make_table_schema();
    return Status::ok();
  }

  const ast::CreateTable& statement_;
  const BindEnvironment& environment_;
  const StatementText& text_;
  std::shared_ptr<CatalogTable> table_;
};

}  // namespace

Result<std::shared_ptr<CatalogTable>> bind_create_table(const ast::CreateTable& statement,
                                                        const BindEnvironment& environment,
                                                        const StatementText& text) {
  return TableBinder(statement, environment, text).bind();
}

}  // namespace clepsydra::sql
