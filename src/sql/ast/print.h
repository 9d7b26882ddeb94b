// AST back to canonical SQL text: one line, keywords in capitals, names in backticks only where
// needed, one blank between tokens. Parsing the text gives an equal tree.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sql/ast/create.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"
#include "sql/ast/statement.h"
#include "sql/ast/type.h"

namespace clepsydra::ast {

std::string to_sql(const Expression& expression);
std::string to_sql(const Query& query);
std::string to_sql(const Statement& statement);
std::string to_sql(const TypeName& type);
std::string to_sql(const IntervalQualifier& qualifier);
std::string to_sql(const ObjectName& name);
// Behind DISTRIBUTED: "BY HASH (a) INTO 4 BUCKETS".
std::string to_sql(const Distribution& distribution);

// The full name of a table as a query names it.
using QualifyTable = std::function<ObjectName(const ObjectName&)>;
// The query with every name of a table replaced, but for names of its own WITH.
std::string to_sql(const Query& query, const QualifyTable& qualify);

// `name`, or name as it is where it needs no backticks.
std::string quote_identifier(std::string_view name);
// 'text' with quotes doubled.
std::string quote_string(std::string_view text);

}  // namespace clepsydra::ast
