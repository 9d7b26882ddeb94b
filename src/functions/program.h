// The inside of an ExpressionProgram: registers and instructions. program_compiler.cc makes it,
// program_runner.cc and program_choice.cc run it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "functions/expression_program.h"
#include "functions/scalar_function.h"
#include "functions/vector.h"
#include "stream/batch.h"

namespace clepsydra {

struct Register {
  enum class Source : std::uint8_t { kComputed, kInput, kConstant };
  Source source = Source::kComputed;
  int input_column = -1;
  Vector vector;
  ResultBuffers buffers;
};

struct Instruction;

// Instructions that run for the same rows. `result` may be computed by an enclosing block.
struct Block {
  std::vector<Instruction> code;
  int result = -1;
};

struct Instruction {
  enum class Op : std::uint8_t {
    kCall,  // kernel(arguments)
    kAnd,   // blocks: the conditions, each only for rows that are still undecided
    kOr,
    kCase,      // blocks: condition, value, condition, value, ..., else
    kCoalesce,  // blocks: the values
  };
  Op op = Op::kCall;
  int out = -1;
  ExpressionPtr expression;  // For messages.
  // kCall:
  const ScalarFunction* function = nullptr;
  BoundKernel kernel;
  std::vector<int> arguments;
  // The others. A block without code was computed before, for all rows of the instruction.
  std::vector<Block> blocks;
};

// A compiled program and its memory.
class Program {
 public:
  explicit Program(EvaluationContext context) : context_(context) {}

  // Appends the code for one more result.
  Status compile(const ExpressionPtr& expression);
  [[nodiscard]] int result_count() const { return static_cast<int>(results_.size()); }

  // Computes all results for the rows of `batch`, which has some.
  Status run(const Batch& batch);
  // After run(): result `i` as a column.
  Result<Column> take_result(int i, std::int64_t rows);
  // After run(): the register of result `i`.
  [[nodiscard]] const Vector& result(int i) const;
  // After all results were taken: lets go of the batch.
  void finish();

  [[nodiscard]] const EvaluationContext& context() const { return context_; }

 private:
  // What has been computed in a block, by value number; inner blocks see the outer ones'.
  struct Scope {
    Scope* outer = nullptr;
    Block* block = nullptr;
    std::map<std::string, int> known;
    [[nodiscard]] int find(const std::string& key) const;
  };

  // program_compiler.cc
  int add_register(DataType type);
  Result<int> compile(const ExpressionPtr& expression, Scope& scope, int depth);
  Result<int> compile_call(const ExpressionPtr& expression, Scope& scope, int depth);
  Result<int> compile_control(const ExpressionPtr& expression, Scope& scope, int depth);
  Result<Block> compile_block(const ExpressionPtr& expression, Scope& scope, bool always_runs,
                              int depth);
  int add_constant(const Column& value);
  bool fold(Instruction& instruction);

  // program_runner.cc
  Status run_block(Block& block, Rows rows);
  Status run_call(Instruction& instruction, Rows rows);
  Status run_logic(Instruction& instruction, Rows rows);
  Status run_case(Instruction& instruction, Rows rows);
  Status run_coalesce(Instruction& instruction, Rows rows);
  // program_choice.cc: a CASE whose conditions and values are there for every row.
  [[nodiscard]] static bool is_flat_case(const Instruction& instruction);
  Status run_flat_case(Instruction& instruction, Rows rows);
  [[nodiscard]] Status explain_failure(const Instruction& instruction,
                                       const KernelCall& call) const;
  Result<Column> to_column(Register& from, std::int64_t rows);
  [[nodiscard]] Register& at(int index) { return *registers_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] const Register& at(int index) const {
    return *registers_[static_cast<std::size_t>(index)];
  }

  EvaluationContext context_;
  std::vector<std::unique_ptr<Register>> registers_;  // Their addresses stay.
  Block main_;
  Scope scope_;
  std::vector<int> results_;
  const Batch* batch_ = nullptr;  // While running.
  std::vector<const Vector*> argument_scratch_;
  std::vector<std::uint8_t> choice_scratch_;  // Of a flat CASE: the value that each row takes.
  // Row indices of the branches that are being run, by nesting; kept for the next batch.
  std::vector<std::unique_ptr<std::vector<std::int32_t>>> index_scratch_;
  std::size_t index_scratch_used_ = 0;
};

// Kernels leave what lies under a NULL as it was: views must point nowhere, booleans be 0 or 1.
void clean_nulls(const Vector& vector, const ResultBuffers& buffers, Rows rows);

// Collects the rows of `rows` where the BOOLEAN `condition` is TRUE, and the others when `rest` is
// given.
void split_rows(const Vector& condition, Rows rows, std::vector<std::int32_t>& taken,
                std::vector<std::int32_t>* rest);

}  // namespace clepsydra
