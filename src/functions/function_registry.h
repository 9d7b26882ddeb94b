// The built-in functions and operators: names, types, coercions. What the binder asks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "stream/data_type.h"

namespace clepsydra {

class FunctionRegistry {
 public:
  // All built-in functions; built once.
  static const FunctionRegistry& built_in();

  // The call of scalar function or operator `name` (case-insensitive; operators by their sign: "+",
  // "||", "IS NULL", "BETWEEN", "CASE", "ITEM" for a[i], "ROW", "ARRAY", "MAP", "EXTRACT_<unit>"
  // ...) over bound arguments: derives the result type, inserts the coercions. InvalidArgument says
  // what types were found and which signatures exist; NotFound for an unknown name (the binder adds
  // close names). The binder adds line and column.
  Result<ExpressionPtr> resolve(std::string_view name, std::vector<ExpressionPtr> arguments) const;
  // CAST / TRY_CAST; InvalidArgument for a pair that has no cast.
  Result<ExpressionPtr> cast(ExpressionPtr value, const DataType& target, bool try_cast) const;
  // An implicit conversion (set operations, CASE branches, INSERT columns): the value itself when
  // the types already agree; InvalidArgument when none is allowed.
  Result<ExpressionPtr> coerce(ExpressionPtr value, const DataType& target) const;
  // The least type all of `types` convert to implicitly (UNION, CASE, VALUES, COALESCE).
  Result<DataType> common_type(std::span<const DataType> types) const;

  // Aggregates ("COUNT", "SUM", ...): result type for argument types; COUNT(*) has no arguments.
  // `arguments` come back coerced. See aggregate_function.h for running them.
  struct ResolvedAggregate {
    std::string function;  // Canonical name.
    std::vector<ExpressionPtr> arguments;
    DataType type;
  };
  Result<ResolvedAggregate> resolve_aggregate(std::string_view name,
                                              std::vector<ExpressionPtr> arguments,
                                              bool distinct) const;

  [[nodiscard]] bool is_scalar(std::string_view name) const;
  [[nodiscard]] bool is_aggregate(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names()
      const;  // Of all functions, sorted: close names, SHOW FUNCTIONS.
  // FALSE for RAND, UUID, CURRENT_TIMESTAMP, PROCTIME ...: must not be folded or duplicated.
  [[nodiscard]] bool is_deterministic(const Expression& expression) const;
};

}  // namespace clepsydra
