// Literals as written to constants.
#pragma once

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "sql/ast/expression.h"
#include "sql/bind/statement_text.h"

namespace clepsydra::sql {

// Types as the reference derives them: 1 is INT NOT NULL, 1.50 DECIMAL(3, 2) NOT NULL, 'a' CHAR(1)
// NOT NULL, TIMESTAMP '... .5' TIMESTAMP(1) NOT NULL.
Result<ExpressionPtr> bind_literal(const ast::Literal& literal, const StatementText& text);

}  // namespace clepsydra::sql
