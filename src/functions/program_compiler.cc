#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "functions/program.h"
#include "functions/signature_rules.h"
#include "functions/user/user_library.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

constexpr int kDepthMax = 200;

// Instructions that may be run for rows nobody asked for: they cannot fail and cost next to
// nothing.
bool is_cheap(const Block& block) {
  for (const Instruction& instruction : block.code) {
    if (instruction.op == Instruction::Op::kCall &&
        (instruction.kernel.can_fail || instruction.kernel.is_costly)) {
      return false;
    }
    for (const Block& inner : instruction.blocks) {
      if (!is_cheap(inner)) return false;
    }
  }
  return true;
}

// Flattens nested AND or OR: ((a AND b) AND c) is one instruction.
void flatten(const ExpressionPtr& expression, const std::string& name,
             std::vector<ExpressionPtr>& out) {
  if (expression->kind() == Expression::Kind::kCall && expression->name() == name) {
    for (const ExpressionPtr& argument : expression->arguments()) flatten(argument, name, out);
  } else {
    out.push_back(expression);
  }
}

// A planner makes calls whose arguments have the types that the function takes. Other calls (a plan
// from elsewhere, a broken one) must not reach kernels, which trust their types.
Status check_call(const ScalarFunction& function, const Expression& call) {
  const auto count = static_cast<int>(call.arguments().size());
  if (count < function.arguments_min || count > function.arguments_max) {
    return Status::invalid_argument(fmt::format("{} with {} arguments", call.to_string(), count));
  }
  // CAST is checked by its bind(): the target is not among the arguments.
  if (function.name == "CAST" || function.name == "TRY_CAST") return Status::ok();
  CallTyping typing{.name = function.name, .arguments = call.arguments()};
  const Result<DataType> derived =
      function.derive != nullptr ? function.derive(typing) : derive_by_signature(function, typing);
  CLP_RETURN_IF_ERROR(derived.status().with_context(call.to_string()));
  // The remainder's type depends on types that a cast has hidden; its bind() checks them.
  const bool same_result = derived->physical() == call.type().physical() || function.name == "%";
  if (typing.arguments != call.arguments() || !same_result) {
    return Status::invalid_argument(
        fmt::format("{} of type {} has arguments of types that {} does not take", call.to_string(),
                    call.type().to_string(), function.name));
  }
  return Status::ok();
}

bool is_control(const Expression& call) {
  return call.name() == "AND" || call.name() == "OR" || call.name() == "CASE" ||
         call.name() == "COALESCE";
}

}  // namespace

int Program::Scope::find(const std::string& key) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
    const auto found = scope->known.find(key);
    if (found != scope->known.end()) return found->second;
  }
  return -1;
}

int Program::add_register(DataType type) {
  auto added = std::make_unique<Register>();
  added->vector.type = std::move(type);
  registers_.push_back(std::move(added));
  return static_cast<int>(registers_.size()) - 1;
}

int Program::add_constant(const Column& value) {
  const int index = add_register(value.type());
  at(index).source = Register::Source::kConstant;
  at(index).vector.set_column(value, true);
  if (value.is_null(0)) at(index).vector.set_null_constant();
  return index;
}

Status Program::compile(const ExpressionPtr& expression) {
  scope_.block = &main_;
  CLP_ASSIGN_OR_RETURN(const int result, compile(expression, scope_, 0));
  results_.push_back(result);
  return Status::ok();
}

Result<int> Program::compile(const ExpressionPtr& expression, Scope& scope, int depth) {
  if (depth > kDepthMax) {
    return Status::invalid_argument(
        fmt::format("an expression is nested more than {} deep", kDepthMax));
  }
  switch (expression->kind()) {
    case Expression::Kind::kColumn: {
      // Inputs belong to the outermost scope: they are there before any code runs.
      std::string key = fmt::format("column {}", expression->column_index());
      int index = scope_.find(key);
      if (index < 0) {
        index = add_register(expression->type());
        at(index).source = Register::Source::kInput;
        at(index).input_column = expression->column_index();
        scope_.known.emplace(std::move(key), index);
      }
      return index;
    }
    case Expression::Kind::kLiteral: {
      std::string key = "literal " + column_to_tree(expression->literal_value()).encode();
      int index = scope_.find(key);
      if (index < 0) {
        index = add_constant(expression->literal_value());
        scope_.known.emplace(std::move(key), index);
      }
      return index;
    }
    case Expression::Kind::kCall:
      break;
  }
  return is_control(*expression) ? compile_control(expression, scope, depth)
                                 : compile_call(expression, scope, depth);
}

Result<int> Program::compile_call(const ExpressionPtr& expression, Scope& scope, int depth) {
  const ScalarFunction* function = find_scalar_function(expression->name());
  if (function == nullptr) {
    // Why its library cannot be loaded says more.
    if (is_user_function(expression->name())) {
      CLP_RETURN_IF_ERROR(find_user_functions(expression->name()).status());
    }
    return Status::unimplemented(
        fmt::format("function {} is not known to this version", expression->name()));
  }
  CLP_RETURN_IF_ERROR(check_call(*function, *expression));
  Instruction instruction;
  instruction.expression = expression;
  instruction.function = function;
  std::string key = fmt::format("{} {}", function->name, type_to_tree(expression->type()).encode());
  for (const ExpressionPtr& argument : expression->arguments()) {
    CLP_ASSIGN_OR_RETURN(const int index, compile(argument, scope, depth + 1));
    instruction.arguments.push_back(index);
    key += fmt::format(" {}", index);
  }
  const bool is_shareable = function->volatility != Volatility::kPerRow;
  if (const int known = is_shareable ? scope.find(key) : -1; known >= 0) return known;

  const bool same =
      instruction.arguments.size() == 2 && instruction.arguments[0] == instruction.arguments[1];
  CLP_ASSIGN_OR_RETURN(
      instruction.kernel,
      function->bind({.call = *expression, .context = context_, .same_arguments = same}));
  instruction.out = add_register(expression->type());
  const int out = instruction.out;
  if (fold(instruction)) {
    // A constant: computed now, for every scope.
    scope_.known.emplace(std::move(key), out);
    return out;
  }
  scope.block->code.push_back(std::move(instruction));
  if (is_shareable) scope.known.emplace(std::move(key), out);
  return out;
}

// Computes a pure call of constants once and for all. What fails stays an instruction, so that it
// fails only where it is needed.
bool Program::fold(Instruction& instruction) {
  if (instruction.function->volatility != Volatility::kPure) return false;
  for (const int argument : instruction.arguments) {
    if (at(argument).source != Register::Source::kConstant) return false;
  }
  Register& out = at(instruction.out);
  if (!run_call(instruction, Rows{.count = 1, .length = 1}).is_ok()) {
    out.vector.release();
    return false;
  }
  Result<Column> value = to_column(out, 1);
  if (!value.is_ok()) return false;
  out.source = Register::Source::kConstant;
  out.vector.release();
  out.vector.set_column(*value, true);
  if (value->is_null(0)) out.vector.set_null_constant();
  return true;
}

Result<Block> Program::compile_block(const ExpressionPtr& expression, Scope& scope,
                                     bool always_runs, int depth) {
  // What runs for all rows anyway, or may as well, belongs to the enclosing block, where others
  // share it.
  if (always_runs) {
    Block block;
    CLP_ASSIGN_OR_RETURN(block.result, compile(expression, scope, depth + 1));
    return block;
  }
  Block block;
  Scope inner{.outer = &scope, .block = &block, .known = {}};
  CLP_ASSIGN_OR_RETURN(block.result, compile(expression, inner, depth + 1));
  if (!is_cheap(block)) return block;
  for (Instruction& instruction : block.code) scope.block->code.push_back(std::move(instruction));
  scope.known.merge(inner.known);
  block.code.clear();
  return block;
}

Result<int> Program::compile_control(const ExpressionPtr& expression, Scope& scope, int depth) {
  std::string key = "control " + expression_to_tree(*expression).encode();
  if (const int known = scope.find(key); known >= 0) return known;
  CLP_RETURN_IF_ERROR(check_call(*find_scalar_function(expression->name()), *expression));
  Instruction instruction;
  instruction.expression = expression;
  std::vector<ExpressionPtr> parts = expression->arguments();
  if (expression->name() == "AND" || expression->name() == "OR") {
    instruction.op = expression->name() == "AND" ? Instruction::Op::kAnd : Instruction::Op::kOr;
    parts.clear();
    flatten(expression, expression->name(), parts);
  } else if (expression->name() == "CASE") {
    instruction.op = Instruction::Op::kCase;
  } else {
    instruction.op = Instruction::Op::kCoalesce;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_condition = instruction.op == Instruction::Op::kCase
                                  ? i % 2 == 0 && i + 1 < parts.size()
                                  : instruction.op != Instruction::Op::kCoalesce;
    const DataType& type = parts[i]->type();
    if (is_condition ? type.kind() != TypeKind::kBoolean : !type.same_values(expression->type())) {
      return Status::invalid_argument(
          fmt::format("{} has a part of type {}", expression->to_string(), type.to_string()));
    }
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(Block block, compile_block(parts[i], scope, i == 0, depth));
    instruction.blocks.push_back(std::move(block));
  }
  instruction.out = add_register(expression->type());
  const int out = instruction.out;
  scope.block->code.push_back(std::move(instruction));
  scope.known.emplace(std::move(key), out);
  return out;
}

}  // namespace clepsydra
