#include "sql/bind/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/bind/error_list.h"

namespace clepsydra::sql {
namespace {

// {"b", "t"} is a suffix of {"a", "b", "t"}; an alias has one part and must match whole.
bool matches(const Relation& relation, std::span<const ast::Identifier> parts) {
  if (relation.name.empty() || parts.size() > relation.name.size()) return false;
  const std::size_t skip = relation.name.size() - parts.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (relation.name[skip + i] != parts[i].name) return false;
  }
  return true;
}

}  // namespace

Result<ExpressionPtr> bind_field(ExpressionPtr row, const ast::Identifier& field,
                                 const StatementText& text, const FunctionRegistry& functions) {
  if (row->type().physical() != PhysicalType::kStruct) {
    return text.invalid(field.range,
                        fmt::format("'{}' is not a field: {} is {}, not a ROW", field.name,
                                    row->to_string(), row->type().to_string()));
  }
  std::vector<std::string> names;
  int index = 0;
  for (const Field& candidate : row->type().fields()) {
    if (candidate.name == field.name) {
      auto bound = functions.resolve("FIELD", {std::move(row), integer_literal(index)});
      return bound.is_ok() ? std::move(bound)
                           : Result<ExpressionPtr>(text.at_place(field.range, bound.status()));
    }
    names.push_back(candidate.name);
    ++index;
  }
  return text.not_found(field.range,
                        fmt::format("field '{}' not found in {}", field.name, row->to_string()),
                        did_you_mean_name(field.name, names));
}

ExpressionPtr Scope::column(int index) const {
  const Field& field = schema_->field(index);
  return Expression::column(index, field.type, field.name);
}

Scope Scope::join(const Scope& left, const Scope& right, SchemaPtr schema) {
  std::vector<Relation> relations = left.relations_;
  for (Relation relation : right.relations_) {
    relation.first += left.schema_->size();
    relations.push_back(std::move(relation));
  }
  return Scope(std::move(schema), std::move(relations));
}

bool Scope::shares_name(const Scope& other, std::string& name) const {
  for (const Relation& relation : relations_) {
    for (const Relation& candidate : other.relations_) {
      if (relation.name.empty() || relation.name != candidate.name) continue;
      name = relation.name.back();
      return true;
    }
  }
  return false;
}

const Relation* Scope::find_relation(std::span<const ast::Identifier> parts) const {
  for (const Relation& relation : relations_) {
    if (matches(relation, parts)) return &relation;
  }
  return nullptr;
}

std::vector<std::string> Scope::column_names(int first, int count) const {
  std::vector<std::string> names;
  for (int i = first; i < first + count; ++i) names.push_back(schema_->field(i).name);
  return names;
}

Result<int> Scope::find_column(const Relation& relation, const ast::Identifier& name,
                               const StatementText& text) const {
  int found = -1;
  for (int i = relation.first; i < relation.first + relation.count; ++i) {
    if (schema_->field(i).name != name.name) continue;
    if (found >= 0)
      return text.invalid(name.range, fmt::format("column '{}' is ambiguous", name.name));
    found = i;
  }
  if (found >= 0) return found;
  return text.not_found(
      name.range,
      fmt::format("column '{}' not found in table '{}'", name.name, relation.name.back()),
      did_you_mean_name(name.name, column_names(relation.first, relation.count)));
}

Result<int> Scope::find_column(const ast::Identifier& name, const StatementText& text) const {
  if (wrong_.contains(name.name)) return ErrorList::told_elsewhere();
  int found = -1;
  for (int i = 0; i < schema_->size(); ++i) {
    if (schema_->field(i).name != name.name) continue;
    if (found >= 0) {
      return text.invalid(name.range, fmt::format("column '{}' is ambiguous", name.name),
                          relations_.size() > 1 ? "write table.column" : "");
    }
    found = i;
  }
  if (found >= 0) return found;
  if (schema_->size() == 0) {
    return text.not_found(
        name.range,
        fmt::format("column '{}' not found: there is no table to take it from", name.name));
  }
  return text.not_found(name.range, fmt::format("column '{}' not found in any table", name.name),
                        did_you_mean_name(name.name, column_names(0, schema_->size())));
}

Result<int> Scope::resolve_column(std::span<const ast::Identifier> parts, const StatementText& text,
                                  std::size_t& used) const {
  for (std::size_t n = std::min<std::size_t>(parts.size() - 1, 3); n >= 1; --n) {
    const Relation* relation = find_relation(parts.first(n));
    if (relation == nullptr) continue;
    used = n + 1;
    return find_column(*relation, parts[n], text);
  }
  used = 1;
  if (parts.size() > 1 && schema_->find(parts[0].name) < 0) {
    std::vector<std::string> names;
    for (const Relation& relation : relations_) {
      if (!relation.name.empty()) names.push_back(relation.name.back());
    }
    return text.not_found(parts[0].range, fmt::format("table '{}' not found", parts[0].name),
                          did_you_mean_name(parts[0].name, names));
  }
  return find_column(parts[0], text);
}

Result<ExpressionPtr> Scope::resolve(const ast::ColumnReference& reference,
                                     const StatementText& text,
                                     const FunctionRegistry& functions) const {
  const std::span<const ast::Identifier> parts(reference.parts);
  CLP_CHECK(!parts.empty());
  std::size_t used = 0;
  CLP_ASSIGN_OR_RETURN(const int index, resolve_column(parts, text, used));
  ExpressionPtr bound = column(index);
  for (std::size_t i = used; i < parts.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(bound, bind_field(std::move(bound), parts[i], text, functions));
  }
  return bound;
}

Result<std::vector<ExpressionPtr>> Scope::expand(const ast::Star& star, const StatementText& text,
                                                 const FunctionRegistry& functions) const {
  std::vector<ExpressionPtr> columns;
  if (star.qualifier.empty()) {
    if (relations_.empty()) return text.invalid(star.range, "* needs a FROM clause");
    for (int i = 0; i < schema_->size(); ++i) columns.push_back(column(i));
    return columns;
  }
  const std::span<const ast::Identifier> parts(star.qualifier);
  if (const Relation* relation = find_relation(parts); relation != nullptr) {
    for (int i = relation->first; i < relation->first + relation->count; ++i)
      columns.push_back(column(i));
    return columns;
  }
  // column.*: the fields of a ROW.
  std::size_t used = 0;
  CLP_ASSIGN_OR_RETURN(const int index, resolve_column(parts, text, used));
  ExpressionPtr row = column(index);
  for (std::size_t i = used; i < parts.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(row, bind_field(std::move(row), parts[i], text, functions));
  }
  if (row->type().physical() != PhysicalType::kStruct) {
    return text.invalid(star.range,
                        fmt::format("'{}' is neither a table nor a ROW", parts.back().name));
  }
  for (const Field& field : row->type().fields()) {
    ast::Identifier name{field.name, true, star.range};
    CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, bind_field(row, name, text, functions));
    columns.push_back(std::move(bound));
  }
  return columns;
}

}  // namespace clepsydra::sql
