// Bound expressions: what the planner hands to the runtime. A tree of column references, literals and
// calls, every node typed. Evaluation is in expression_program.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class Expression;
// Shared by the plans that use it; immutable.
using ExpressionPtr = std::shared_ptr<const Expression>;

class Expression {
 public:
  enum class Kind : std::uint8_t { kColumn, kLiteral, kCall };

  static ExpressionPtr column(int index, DataType type, std::string name);
  // `value` is a column of one row.
  static ExpressionPtr literal(Column value);
  // `function` is the registered canonical name ("+", "=", "AND", "CASE", "CAST", "UPPER"); `type` its
  // result type as the registry derived it (for CAST: the target). Arguments have exactly the types that
  // the function takes: coercions are CAST calls put there by FunctionRegistry::resolve.
  static ExpressionPtr call(std::string function, std::vector<ExpressionPtr> arguments, DataType type);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const DataType& type() const { return type_; }
  [[nodiscard]] int column_index() const { return column_; }
  // Column: its name (for EXPLAIN). Call: the function.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Column& literal_value() const { return literal_; }
  [[nodiscard]] const std::vector<ExpressionPtr>& arguments() const { return arguments_; }
  [[nodiscard]] const ExpressionPtr& argument(int i) const {
    return arguments_[static_cast<std::size_t>(i)];
  }

  // As EXPLAIN shows it: "(price > 10)", "UPPER(name)".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Expression& a, const Expression& b);

 private:
  Kind kind_ = Kind::kLiteral;
  int column_ = -1;
  DataType type_;
  std::string name_;
  Column literal_;
  std::vector<ExpressionPtr> arguments_;
};

ValueTree expression_to_tree(const Expression& expression);
Result<ExpressionPtr> expression_from_tree(const ValueTree& tree);

}  // namespace clepsydra
