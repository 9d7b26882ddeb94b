#include "sql/bind/query_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

// Queries of one statement, subqueries and those inside views counted: bounds the plan.
constexpr int kQueriesMax = 2000;

std::string_view set_operator_name(ast::SetOperator op) {
  switch (op) {
    case ast::SetOperator::kUnion:
      return "UNION";
    case ast::SetOperator::kIntersect:
      return "INTERSECT";
    case ast::SetOperator::kExcept:
      return "EXCEPT";
  }
  return "";
}

// One row without columns: what a query without FROM reads.
PlanPtr single_row() {
  return std::make_shared<ValuesNode>(make_schema({}), std::vector<Column>{}, 1);
}

// The type of a column of several inputs. A time attribute stays one only when all inputs have it.
Result<DataType> common_type_of(const std::vector<DataType>& types,
                                const FunctionRegistry& functions) {
  CLP_ASSIGN_OR_RETURN(DataType type, functions.common_type(types));
  const TimeAttribute attribute = types[0].time_attribute();
  const bool same = std::all_of(types.begin(), types.end(), [&](const DataType& t) {
    return t.time_attribute() == attribute && t.same_values(types[0]);
  });
  return type.with_time_attribute(same ? attribute : TimeAttribute::kNone);
}

// The expression as `type` but for nullability.
Result<ExpressionPtr> coerce_to(ExpressionPtr value, const DataType& type,
                                const FunctionRegistry& functions) {
  if (value->type().same_values(type)) return value;
  return functions.coerce(std::move(value), type);
}

}  // namespace

PlanPtr rename_columns(PlanPtr plan, const std::vector<std::string>& names) {
  std::vector<Field> fields = plan->schema->fields();
  std::vector<ExpressionPtr> expressions;
  bool changes = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    expressions.push_back(column_of(*plan, static_cast<int>(i)));
    changes |= fields[i].name != names[i];
    fields[i].name = names[i];
  }
  if (!changes) return plan;
  return std::make_shared<ProjectNode>(std::move(plan), make_schema(std::move(fields)),
                                       std::move(expressions));
}

std::vector<std::string> unique_names(const Schema& schema) {
  std::set<std::string> used;
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) {
    std::string name = field.name;
    for (int attempt = 0; !used.insert(name).second; ++attempt) {
      name = fmt::format("{}{}", field.name, attempt);
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<PlanPtr> QueryBinder::bind(const ast::Query& query) {
  if (++state_.queries > kQueriesMax) {
    return text_.invalid(query.range,
                         fmt::format("a statement may contain at most {} queries, those of "
                                     "its views counted",
                                     kQueriesMax));
  }
  if (query.recursive) return text_.not_built(query.range, "WITH RECURSIVE");
  const std::size_t visible = ctes_.size();
  ErrorList errors;
  for (const ast::CommonTableExpression& cte : query.with) {
    Result<PlanPtr> plan = bind_common(cte);
    errors.add(cte.query->range, plan.status());
    ctes_.emplace_back(cte.name.name, plan.is_ok() ? *std::move(plan) : nullptr);
  }
  const auto* select = query.body->as_if<ast::Select>();
  Result<PlanPtr> plan =
      select != nullptr ? bind_select(*select, query.order_by) : bind_body(*query.body);
  ctes_.resize(visible);
  errors.add(query.body->range, plan.status());
  CLP_RETURN_IF_ERROR(errors.status());
  if (select == nullptr && !query.order_by.empty()) {
    state_.refuse(text_.not_built(query.order_by[0].range, "ORDER BY"));
  }
  refuse_limit(query);
  return plan;
}

Result<PlanPtr> QueryBinder::bind_common(const ast::CommonTableExpression& cte) {
  CLP_ASSIGN_OR_RETURN(PlanPtr plan, bind(*cte.query));
  if (cte.columns.empty()) return plan;
  CLP_ASSIGN_OR_RETURN(Source source, with_alias({std::move(plan), {}}, {cte.name, cte.columns}));
  return std::move(source.plan);
}

void QueryBinder::refuse_limit(const ast::Query& query) {
  if (query.offset) state_.refuse(text_.not_built(query.offset->range, "OFFSET"));
  if (query.limit) state_.refuse(text_.not_built(query.limit->range, "LIMIT"));
}

PlanPtr QueryBinder::unbuilt(SchemaPtr schema) {
  return std::make_shared<ValuesNode>(std::move(schema), std::vector<Column>{}, 0);
}

Result<PlanPtr> QueryBinder::bind_body(const ast::QueryBody& body) {
  switch (body.kind) {
    case ast::QueryBodyKind::kSelect:
      return bind_select(body.as<ast::Select>(), {});
    case ast::QueryBodyKind::kSetOperation:
      return bind_set_operation(body.as<ast::SetOperation>());
    case ast::QueryBodyKind::kValues:
      return bind_values(body.as<ast::Values>());
    case ast::QueryBodyKind::kNested:
      return bind(*body.as<ast::NestedQuery>().query);
    case ast::QueryBodyKind::kTable:
      break;
  }
  CLP_ASSIGN_OR_RETURN(Source source, bind_named(body.as<ast::ExplicitTable>().name, {}));
  return std::move(source.plan);
}

Result<PlanPtr> QueryBinder::bind_set_operation(const ast::SetOperation& operation) {
  std::vector<PlanPtr> inputs;
  ErrorList errors;
  for (const ast::QueryPtr& query : operation.inputs) {
    if (errors.is_full()) break;
    Result<PlanPtr> bound = bind(*query);
    errors.add(query->range, bound.status());
    if (!bound.is_ok()) continue;
    PlanPtr input = *std::move(bound);
    if (!inputs.empty() && input->schema->size() != inputs[0]->schema->size()) {
      errors.add(query->range,
                 text_.invalid(query->range,
                               fmt::format("the inputs of {} have different numbers of columns: {} "
                                           "and {}",
                                           set_operator_name(operation.op),
                                           inputs[0]->schema->size(), input->schema->size())));
      continue;
    }
    inputs.push_back(std::move(input));
  }
  CLP_RETURN_IF_ERROR(errors.status());
  std::vector<Field> fields = inputs[0]->schema->fields();
  for (std::size_t c = 0; c < fields.size(); ++c) {
    std::vector<DataType> types;
    for (const PlanPtr& input : inputs) types.push_back(input->schema->fields()[c].type);
    Result<DataType> type = common_type_of(types, environment_.functions);
    if (!type.is_ok()) {
      return text_.invalid(operation.range,
                           fmt::format("column {} of {} has no common type: {}", c + 1,
                                       set_operator_name(operation.op), type.status().message()));
    }
    fields[c].type = *std::move(type);
  }
  if (operation.op != ast::SetOperator::kUnion || !operation.all) {
    state_.refuse(text_.not_built(
        operation.range,
        fmt::format("{}{}", set_operator_name(operation.op), operation.all ? " ALL" : ""),
        operation.op == ast::SetOperator::kUnion ? "UNION ALL keeps duplicates" : ""));
    return unbuilt(make_schema(std::move(fields)));
  }
  for (PlanPtr& input : inputs) {
    std::vector<ExpressionPtr> expressions;
    std::vector<Field> input_fields = fields;
    bool changes = false;
    for (std::size_t c = 0; c < fields.size(); ++c) {
      const ExpressionPtr column = column_of(*input, static_cast<int>(c));
      CLP_ASSIGN_OR_RETURN(ExpressionPtr value,
                           coerce_to(column, fields[c].type, environment_.functions));
      changes |= value != column || input->schema->fields()[c].name != fields[c].name;
      input_fields[c].type = value->type();
      expressions.push_back(std::move(value));
    }
    if (changes) {
      input = std::make_shared<ProjectNode>(input, make_schema(std::move(input_fields)),
                                            std::move(expressions));
    }
  }
  return std::make_shared<UnionAllNode>(std::move(inputs), make_schema(std::move(fields)));
}

Result<PlanPtr> QueryBinder::bind_values(const ast::Values& values) {
  const Scope scope;
  ExpressionBinder binder(environment_, text_, scope, nullptr, "VALUES");
  const std::size_t width = values.rows[0].size();
  std::vector<std::vector<ExpressionPtr>> columns(width);
  ErrorList errors;
  for (std::size_t r = 0; r < values.rows.size(); ++r) {
    if (values.rows[r].size() != width) {
      errors.add(values.row_ranges[r],
                 text_.invalid(values.row_ranges[r],
                               fmt::format("row {} of VALUES has {} columns, the first row has {}",
                                           r + 1, values.rows[r].size(), width)));
    }
    for (std::size_t c = 0; c < values.rows[r].size() && !errors.is_full(); ++c) {
      Result<ExpressionPtr> value = binder.bind(*values.rows[r][c]);
      errors.add(values.rows[r][c]->range, value.status());
      if (value.is_ok() && c < width) columns[c].push_back(*std::move(value));
    }
    if (errors.is_full()) break;
  }
  CLP_RETURN_IF_ERROR(errors.status());
  std::vector<Field> fields;
  bool constant = true;
  for (std::size_t c = 0; c < width; ++c) {
    std::vector<DataType> types;
    for (const ExpressionPtr& value : columns[c]) types.push_back(value->type());
    Result<DataType> type = environment_.functions.common_type(types);
    if (!type.is_ok()) {
      return text_.invalid(values.range, fmt::format("column {} of VALUES has no common type: {}",
                                                     c + 1, type.status().message()));
    }
    if (type->kind() == TypeKind::kNull) {
      return text_.invalid(values.rows[0][c]->range,
                           fmt::format("column {} of VALUES has no type", c + 1),
                           "write CAST(NULL AS type)");
    }
    for (std::size_t r = 0; r < columns[c].size(); ++r) {
      Result<ExpressionPtr> value = coerce_to(columns[c][r], *type, environment_.functions);
      if (value.is_ok()) value = fold(*value, environment_);
      if (!value.is_ok()) {
        const ast::SourceRange place = values.rows[r][c]->range;
        errors.add(place, text_.at_place(place, value.status()));
        if (errors.is_full()) return errors.status();
        continue;
      }
      constant &= (*value)->kind() == Expression::Kind::kLiteral;
      columns[c][r] = *std::move(value);
    }
    fields.push_back({fmt::format("EXPR${}", c), *std::move(type), {}});
  }
  CLP_RETURN_IF_ERROR(errors.status());
  SchemaPtr schema = make_schema(std::move(fields));
  if (constant) {
    std::vector<Column> data;
    for (std::size_t c = 0; c < width; ++c) {
      ColumnBuilder builder(schema->fields()[c].type, literal_pool());
      for (const ExpressionPtr& value : columns[c]) builder.append_from(value->literal_value(), 0);
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      data.push_back(std::move(column));
    }
    return std::make_shared<ValuesNode>(std::move(schema), std::move(data),
                                        static_cast<std::int64_t>(values.rows.size()));
  }
  // RAND() and the like are computed when the job runs: one projection per row.
  std::vector<PlanPtr> rows;
  for (std::size_t r = 0; r < values.rows.size(); ++r) {
    std::vector<ExpressionPtr> row;
    for (std::size_t c = 0; c < width; ++c) row.push_back(columns[c][r]);
    rows.push_back(std::make_shared<ProjectNode>(single_row(), schema, std::move(row)));
  }
  if (rows.size() == 1) return rows[0];
  return std::make_shared<UnionAllNode>(std::move(rows), schema);
}

}  // namespace clepsydra::sql
