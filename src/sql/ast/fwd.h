#pragma once

#include <memory>

namespace clepsydra::ast {

struct Expression;
struct FromItem;
struct Identifier;
struct ObjectName;
struct Query;
struct QueryBody;
struct SourceRange;
struct Statement;
struct TypeName;
using ExpressionPtr = std::unique_ptr<Expression>;
using QueryPtr = std::unique_ptr<Query>;
using StatementPtr = std::unique_ptr<Statement>;

}  // namespace clepsydra::ast
