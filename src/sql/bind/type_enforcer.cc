#include "sql/bind/type_enforcer.h"

#include <utility>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"

namespace clepsydra::sql {
namespace {

// The value with the length of its type, which it may not have: sources do not look.
Result<ExpressionPtr> with_length(ExpressionPtr value, const FunctionRegistry& functions) {
  const DataType type = value->type();
  const TypeKind kind = type.kind();
  const bool is_text = kind == TypeKind::kChar || kind == TypeKind::kVarchar;
  if (!is_text && kind != TypeKind::kBinary && kind != TypeKind::kVarbinary) return value;
  const DataType any_length =
      (is_text ? DataType::string() : DataType::bytes()).with_nullable(type.nullable());
  if (type.same_values(any_length)) return value;
  CLP_ASSIGN_OR_RETURN(value, functions.cast(value, any_length, false));
  return functions.cast(std::move(value), type, false);
}

Result<PlanPtr> with_lengths(PlanPtr plan, const FunctionRegistry& functions) {
  std::vector<ExpressionPtr> columns;
  bool changes = false;
  for (int i = 0; i < plan->schema->size(); ++i) {
    const ExpressionPtr column = column_of(*plan, i);
    CLP_ASSIGN_OR_RETURN(ExpressionPtr value, with_length(column, functions));
    changes |= value != column;
    columns.push_back(std::move(value));
  }
  if (!changes) return plan;
  const SchemaPtr schema = plan->schema;
  return std::make_shared<ProjectNode>(std::move(plan), schema, std::move(columns));
}

// Whatever the types of the plan promise: a DECIMAL that overflows is NULL.
Result<PlanPtr> without_nulls(PlanPtr plan, const std::vector<DataType>& types,
                              const FunctionRegistry& functions) {
  std::vector<ExpressionPtr> conditions;
  std::vector<Field> fields = plan->schema->fields();
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].nullable()) continue;
    CLP_ASSIGN_OR_RETURN(ExpressionPtr condition,
                         functions.resolve("IS NOT NULL", {column_of(*plan, static_cast<int>(i))}));
    conditions.push_back(std::move(condition));
    fields[i].type = fields[i].type.with_nullable(false);
  }
  if (conditions.empty()) return plan;
  plan = std::make_shared<FilterNode>(std::move(plan), make_conjunction(conditions));
  std::vector<ExpressionPtr> columns;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    columns.push_back(Expression::column(static_cast<int>(i), fields[i].type, fields[i].name));
  }
  return std::make_shared<ProjectNode>(std::move(plan), make_schema(std::move(fields)),
                                       std::move(columns));
}

}  // namespace

Result<PlanPtr> enforce_types(PlanPtr plan, const std::vector<DataType>& types,
                              const BindEnvironment& environment) {
  CLP_CHECK(static_cast<int>(types.size()) == plan->schema->size());
  if (environment.settings.type_length_enforcer == TypeLengthEnforcer::kTrimPad) {
    CLP_ASSIGN_OR_RETURN(plan, with_lengths(std::move(plan), environment.functions));
  }
  if (environment.settings.not_null_enforcer != NotNullEnforcer::kDrop) return plan;
  return without_nulls(std::move(plan), types, environment.functions);
}

}  // namespace clepsydra::sql
