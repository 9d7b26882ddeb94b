#include "functions/expression_program.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "functions/function_registry.h"
#include "functions/program.h"

namespace clepsydra {

struct ExpressionProgram::Impl {
  explicit Impl(EvaluationContext context) : program(with_watermarks(context)) {}
  // `context` with the watermarks that this keeps.
  EvaluationContext with_watermarks(EvaluationContext context) {
    context.watermarks = &watermarks;
    return context;
  }
  // Lets kernels see the marks of the batch.
  Status run(const Batch& batch) {
    watermarks.marks = batch.marks();
    Status status = program.run(batch);
    watermarks.marks = {};
    return status;
  }

  WatermarkView watermarks;
  Program program;
  std::vector<DataType> types;  // Of the results.
  std::vector<std::int32_t> selected;
};

ExpressionProgram::ExpressionProgram(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ExpressionProgram::~ExpressionProgram() = default;
ExpressionProgram::ExpressionProgram(ExpressionProgram&&) noexcept = default;
ExpressionProgram& ExpressionProgram::operator=(ExpressionProgram&&) noexcept = default;

Result<ExpressionProgram> ExpressionProgram::make(const std::vector<ExpressionPtr>& expressions,
                                                  EvaluationContext context) {
  if (context.pool == nullptr) context.pool = &literal_pool();
  auto impl = std::make_unique<Impl>(context);
  for (const ExpressionPtr& expression : expressions) {
    CLP_RETURN_IF_ERROR(impl->program.compile(expression));
    impl->types.push_back(expression->type());
  }
  return ExpressionProgram(std::move(impl));
}

Result<std::vector<Column>> ExpressionProgram::evaluate(const Batch& batch) {
  Program& program = impl_->program;
  std::vector<Column> columns;
  columns.reserve(impl_->types.size());
  if (batch.rows() == 0) {
    for (const DataType& type : impl_->types) {
      CLP_ASSIGN_OR_RETURN(Column empty, make_null_column(type, 0, *program.context().pool));
      columns.push_back(std::move(empty));
    }
    return columns;
  }
  Status status = impl_->run(batch);
  for (int i = 0; status.is_ok() && i < program.result_count(); ++i) {
    Result<Column> column = program.take_result(i, batch.rows());
    if (column.is_ok()) {
      columns.push_back(*std::move(column));
    } else {
      status = column.status();
    }
  }
  program.finish();
  CLP_RETURN_IF_ERROR(std::move(status));
  return columns;
}

void ExpressionProgram::pass_watermark(std::int64_t watermark) {
  impl_->watermarks.before = watermark;
}

Result<RowIndices> ExpressionProgram::select(const Batch& batch) {
  Program& program = impl_->program;
  CLP_CHECK(program.result_count() == 1 && impl_->types[0].kind() == TypeKind::kBoolean);
  impl_->selected.clear();
  if (batch.rows() > 0) {
    const Status status = impl_->run(batch);
    if (status.is_ok()) {
      const auto rows = static_cast<std::int32_t>(batch.rows());
      split_rows(program.result(0), Rows{.count = rows, .length = rows}, impl_->selected, nullptr);
    }
    program.finish();
    CLP_RETURN_IF_ERROR(status);
  }
  return RowIndices(impl_->selected);
}

namespace {

bool is_literal(const ExpressionPtr& expression) {
  return expression->kind() == Expression::Kind::kLiteral;
}

// The value of CAST(integer AS integer) without a program for it: long statements have many. Null
// for all else.
ExpressionPtr fold_whole_cast(const Expression& call) {
  if (call.name() != "CAST" || !call.type().is_integer()) return nullptr;
  const std::optional<std::int64_t> value = integer_value(*call.argument(0));
  return value ? whole_literal(call.type(), *value) : nullptr;
}

}  // namespace

Result<ExpressionPtr> fold_constants(const ExpressionPtr& expression,
                                     const EvaluationContext& context) {
  if (expression->kind() != Expression::Kind::kCall) return expression;
  std::vector<ExpressionPtr> arguments;
  bool changed = false;
  bool all_literal = true;
  for (const ExpressionPtr& argument : expression->arguments()) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr folded, fold_constants(argument, context));
    changed = changed || folded != argument;
    all_literal = all_literal && is_literal(folded);
    arguments.push_back(std::move(folded));
  }
  ExpressionPtr call =
      changed ? Expression::call(expression->name(), std::move(arguments), expression->type())
              : expression;
  const ScalarFunction* function = find_scalar_function(call->name());
  const bool is_pure = function != nullptr && function->volatility == Volatility::kPure;
  if (!all_literal || !is_pure) return call;
  if (ExpressionPtr number = fold_whole_cast(*call); number != nullptr) return number;
  EvaluationContext planning = context;
  planning.pool = &literal_pool();
  CLP_ASSIGN_OR_RETURN(ExpressionProgram program, ExpressionProgram::make({call}, planning));
  // A value that cannot be computed fails where and when it is needed, if ever.
  Result<std::vector<Column>> value = program.evaluate(Batch(make_schema({}), 1, {}));
  if (!value.is_ok()) return call;
  return Expression::literal(std::move((*value)[0]));
}

}  // namespace clepsydra
