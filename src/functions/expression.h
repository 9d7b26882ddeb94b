// Bound expressions: what the planner hands to the runtime. A tree of column references, literals
// and calls, every node typed. Evaluation is in expression_program.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

class Expression;
// Shared by the plans that use it; immutable.
using ExpressionPtr = std::shared_ptr<const Expression>;

class Expression {
 public:
  enum class Kind : std::uint8_t { kColumn, kLiteral, kCall };

  static ExpressionPtr column(int index, DataType type, std::string name);
  // `value` is a column of one row.
  static ExpressionPtr literal(Column value);
  // `function` is the registered canonical name ("+", "=", "AND", "CASE", "CAST", "UPPER"); `type`
  // its result type as the registry derived it (for CAST: the target). Arguments have exactly the
  // types that the function takes: coercions are CAST calls put there by FunctionRegistry::resolve.
  static ExpressionPtr call(std::string function, std::vector<ExpressionPtr> arguments,
                            DataType type);

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
// Accepts any tree; nesting is bounded.
Result<ExpressionPtr> expression_from_tree(const ValueTree& tree);

// Where the one-row columns of literals are charged: they belong to plans, not to a task.
MemoryPool& literal_pool();
// Literals from C++ values. `text_literal` is CHAR(n) NOT NULL as SQL's 'text' is.
ExpressionPtr null_literal(const DataType& type);
ExpressionPtr boolean_literal(bool value);
ExpressionPtr integer_literal(std::int32_t value);
ExpressionPtr big_int_literal(std::int64_t value);
ExpressionPtr text_literal(std::string_view value);
// Of an integer type; null when the value is out of its range.
ExpressionPtr whole_literal(const DataType& type, std::int64_t value);
ExpressionPtr year_month_literal(std::int64_t months);  // INTERVAL MONTH
ExpressionPtr day_time_literal(std::int64_t millis);    // INTERVAL SECOND(3)
// The value of a literal of an integer type, or nothing (NULL, another kind or type).
std::optional<std::int64_t> integer_value(const Expression& expression);
// The bytes of a literal of a character or binary type, or nothing.
std::optional<std::string_view> text_value(const Expression& expression);

}  // namespace clepsydra
