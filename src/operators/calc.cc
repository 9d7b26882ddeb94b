// calc: keeps the rows for which a condition is TRUE and computes columns from them.
//
// Options
//   filter       expression of type BOOLEAN over the input; absent: every row stays
//   projection   [expression] over the input, one per output column; absent: the input's columns
//
// Columns that are only passed on are not copied. Marks and row kinds stay with their rows.
// CURRENT_WATERMARK begins anew, with NULL, after a restore, as in the reference.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/expression.h"
#include "functions/expression_program.h"
#include "operators/operator_registry.h"

namespace clepsydra {
namespace {

// Where an output column comes from: a column of the narrowed input, or a result of the program.
struct OutputColumn {
  bool is_computed;
  int index;
};

// Threads: task thread only.
// State:   none.
// Input:   any changelog.
class CalcOperator final : public Operator {
 public:
  struct Plan {
    std::optional<ExpressionProgram> filter;
    // Columns of the input that the projection reads, in the order in which its expressions number
    // them.
    std::vector<int> read_columns;
    SchemaPtr read_schema;
    std::optional<ExpressionProgram> program;
    std::vector<OutputColumn> outputs;
    SchemaPtr output_schema;
  };
  CalcOperator(Plan plan, MemoryPool& pool) : plan_(std::move(plan)), pool_(&pool) {}

  Status process(int /*input*/, Batch batch, Output& output) override {
    std::optional<std::int64_t> watermark;
    if (!batch.marks().empty()) watermark = batch.marks().back().watermark;
    CLP_RETURN_IF_ERROR(process_rows(std::move(batch), output));
    if (watermark && plan_.filter) plan_.filter->pass_watermark(*watermark);
    if (watermark && plan_.program) plan_.program->pass_watermark(*watermark);
    return Status::ok();
  }

 private:
  Status process_rows(Batch batch, Output& output) {
    if (batch.rows() == 0) {
      if (batch.marks().empty()) return Status::ok();
      return output.emit(Batch::of_watermark(plan_.output_schema, batch.marks().back().watermark));
    }
    std::optional<RowIndices> kept;
    if (plan_.filter) {
      CLP_ASSIGN_OR_RETURN(const RowIndices rows, plan_.filter->select(batch));
      if (static_cast<std::int64_t>(rows.size()) < batch.rows()) kept = rows;
      if (rows.empty() && batch.marks().empty()) return Status::ok();
    }
    // Only what is read further on is worth selecting.
    std::vector<Column> columns;
    columns.reserve(plan_.read_columns.size());
    for (const int column : plan_.read_columns) columns.push_back(batch.column(column));
    batch = batch.with_columns(plan_.read_schema, std::move(columns));
    if (kept) {
      CLP_ASSIGN_OR_RETURN(batch, batch.select(*kept, *pool_));
    }
    std::vector<Column> computed;
    if (plan_.program && batch.rows() > 0) {
      CLP_ASSIGN_OR_RETURN(computed, plan_.program->evaluate(batch));
    }
    if (batch.rows() == 0) {
      return output.emit(Batch::of_watermark(plan_.output_schema, batch.marks().back().watermark));
    }
    columns.clear();
    for (const OutputColumn& column : plan_.outputs) {
      columns.push_back(column.is_computed ? computed[static_cast<std::size_t>(column.index)]
                                           : batch.column(column.index));
    }
    return output.emit(batch.with_columns(plan_.output_schema, std::move(columns)));
  }

  Plan plan_;
  MemoryPool* pool_;
};

// The same expression over the columns of `places`: column i of the input is column places[i],
// numbered as it is first met.
Result<ExpressionPtr> renumbered(const ExpressionPtr& expression, const Schema& input,
                                 std::vector<int>& places, std::vector<int>& read_columns) {
  switch (expression->kind()) {
    case Expression::Kind::kLiteral:
      return expression;
    case Expression::Kind::kColumn: {
      const int column = expression->column_index();
      if (column < 0 || column >= input.size()) {
        return Status::invalid_argument(
            fmt::format("column {} of an input with {} columns", column, input.size()));
      }
      int& place = places[static_cast<std::size_t>(column)];
      if (place < 0) {
        place = static_cast<int>(read_columns.size());
        read_columns.push_back(column);
      }
      return Expression::column(place, expression->type(), expression->name());
    }
    case Expression::Kind::kCall:
      break;
  }
  std::vector<ExpressionPtr> arguments;
  for (const ExpressionPtr& argument : expression->arguments()) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr moved, renumbered(argument, input, places, read_columns));
    arguments.push_back(std::move(moved));
  }
  return Expression::call(expression->name(), std::move(arguments), expression->type());
}

Status check_columns(const Expression& expression, const Schema& input) {
  if (expression.kind() == Expression::Kind::kColumn &&
      (expression.column_index() < 0 || expression.column_index() >= input.size())) {
    return Status::invalid_argument(fmt::format("column {} of an input with {} columns",
                                                expression.column_index(), input.size()));
  }
  for (const ExpressionPtr& argument : expression.arguments()) {
    CLP_RETURN_IF_ERROR(check_columns(*argument, input));
  }
  return Status::ok();
}

Status plan_filter(const ValueTree& tree, const Schema& input, const EvaluationContext& evaluation,
                   CalcOperator::Plan& plan) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr filter, expression_from_tree(tree));
  CLP_RETURN_IF_ERROR(check_columns(*filter, input));
  if (filter->type().kind() != TypeKind::kBoolean) {
    return Status::invalid_argument(fmt::format("the filter {} is {}, not BOOLEAN",
                                                filter->to_string(), filter->type().to_string()));
  }
  CLP_ASSIGN_OR_RETURN(plan.filter, ExpressionProgram::make({filter}, evaluation));
  return Status::ok();
}

Status plan_projection(const ValueTree& tree, const Schema& input,
                       const EvaluationContext& evaluation, CalcOperator::Plan& plan) {
  const ValueTree::List* list = tree.as_list();
  if (list == nullptr)
    return Status::invalid_argument("the projection is not a list of expressions");
  std::vector<int> places(static_cast<std::size_t>(input.size()), -1);
  std::vector<ExpressionPtr> computed;
  for (const ValueTree& item : *list) {
    CLP_ASSIGN_OR_RETURN(const ExpressionPtr expression, expression_from_tree(item));
    CLP_ASSIGN_OR_RETURN(ExpressionPtr moved,
                         renumbered(expression, input, places, plan.read_columns));
    if (moved->kind() == Expression::Kind::kColumn) {
      plan.outputs.push_back({.is_computed = false, .index = moved->column_index()});
    } else {
      plan.outputs.push_back({.is_computed = true, .index = static_cast<int>(computed.size())});
      computed.push_back(std::move(moved));
    }
  }
  if (!computed.empty()) {
    CLP_ASSIGN_OR_RETURN(plan.program, ExpressionProgram::make(computed, evaluation));
  }
  return Status::ok();
}

Result<OperatorPtr> make_calc(const OperatorSpec& spec, OperatorContext& context) {
  const Schema& input = *spec.inputs[0];
  CalcOperator::Plan plan;
  plan.output_schema = spec.output;
  const ValueTree* filter = spec.options.find("filter");
  if (filter != nullptr && !filter->is_null()) {
    CLP_RETURN_IF_ERROR(plan_filter(*filter, input, context.evaluation(), plan));
  }
  const ValueTree* projection = spec.options.find("projection");
  if (projection != nullptr && !projection->is_null()) {
    CLP_RETURN_IF_ERROR(plan_projection(*projection, input, context.evaluation(), plan));
  } else {
    for (int i = 0; i < input.size(); ++i) {
      plan.read_columns.push_back(i);
      plan.outputs.push_back({.is_computed = false, .index = i});
    }
  }
  if (static_cast<int>(plan.outputs.size()) != spec.output->size()) {
    return Status::invalid_argument(
        fmt::format("its projection has {} columns, but {} are declared", plan.outputs.size(),
                    spec.output->size()));
  }
  std::vector<Field> fields;
  for (const int column : plan.read_columns) fields.push_back(input.field(column));
  plan.read_schema = make_schema(std::move(fields));
  return std::make_unique<CalcOperator>(std::move(plan), *context.pool);
}

}  // namespace

void register_calc(OperatorRegistry& registry) {
  registry.add({.kind = "calc", .inputs = 1, .make = make_calc});
}

}  // namespace clepsydra
