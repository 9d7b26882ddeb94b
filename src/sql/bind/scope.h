// The names that an expression may use: the relations of a FROM clause and their columns.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "functions/function_registry.h"
#include "sql/ast/expression.h"
#include "sql/bind/statement_text.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

// One item of FROM: columns [first, first + count) of the scope's schema.
struct Relation {
  // What qualifies its columns: {"o"} for an alias; {catalog, database, table} for a plain table,
  // of which any suffix matches; empty for a subquery without a name.
  std::vector<std::string> name;
  int first = 0;
  int count = 0;
};

class Scope {
 public:
  Scope() = default;
  Scope(SchemaPtr schema, std::vector<Relation> relations)
      : schema_(std::move(schema)), relations_(std::move(relations)) {}

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  // Columns about which something is wrong, and told: nothing is said of what refers to them.
  void set_wrong(std::set<std::string> columns) { wrong_ = std::move(columns); }

  // The column (or a field of a ROW column) that a.b.c names. A relation's name goes before a
  // column's.
  Result<ExpressionPtr> resolve(const ast::ColumnReference& reference, const StatementText& text,
                                const FunctionRegistry& functions) const;
  // The columns of * or t.*, fields of a ROW column for column.*.
  Result<std::vector<ExpressionPtr>> expand(const ast::Star& star, const StatementText& text,
                                            const FunctionRegistry& functions) const;
  [[nodiscard]] ExpressionPtr column(int index) const;
  // The relations of both, the columns of `left` first, over `schema`.
  static Scope join(const Scope& left, const Scope& right, SchemaPtr schema);
  // Whether a relation of `other` has the name of one here.
  [[nodiscard]] bool shares_name(const Scope& other, std::string& name) const;

 private:
  [[nodiscard]] const Relation* find_relation(std::span<const ast::Identifier> parts) const;
  Result<int> find_column(const Relation& relation, const ast::Identifier& name,
                          const StatementText& text) const;
  Result<int> find_column(const ast::Identifier& name, const StatementText& text) const;
  [[nodiscard]] std::vector<std::string> column_names(int first, int count) const;
  // Finds the column that the first parts name; `used` of them.
  Result<int> resolve_column(std::span<const ast::Identifier> parts, const StatementText& text,
                             std::size_t& used) const;

  SchemaPtr schema_ = make_schema({});
  std::vector<Relation> relations_;
  std::set<std::string> wrong_;
};

// row.field, checked.
Result<ExpressionPtr> bind_field(ExpressionPtr row, const ast::Identifier& field,
                                 const StatementText& text, const FunctionRegistry& functions);

}  // namespace clepsydra::sql
