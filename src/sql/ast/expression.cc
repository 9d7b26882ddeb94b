#include "sql/ast/expression.h"

#include "sql/ast/query.h"

namespace clepsydra::ast {

Expression::~Expression() = default;

// Here, where Query is complete.
InQuery::InQuery() = default;
InQuery::~InQuery() = default;
Exists::Exists() = default;
Exists::~Exists() = default;
Quantified::Quantified() = default;
Quantified::~Quantified() = default;
ScalarQuery::ScalarQuery() = default;
ScalarQuery::~ScalarQuery() = default;
ConstructorQuery::ConstructorQuery() = default;
ConstructorQuery::~ConstructorQuery() = default;
TableArgument::TableArgument() = default;
TableArgument::~TableArgument() = default;

std::string FunctionCall::upper_name() const {
  if (name.parts.size() != 1) return {};
  std::string upper = name.parts.front().name;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

FromItem::~FromItem() = default;
QueryBody::~QueryBody() = default;
Query::~Query() = default;

}  // namespace clepsydra::ast
