// Edits the definition of a table, still as a tree: ALTER TABLE, LIKE, AS SELECT. What comes out is
// bound as any CREATE TABLE.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "sql/ast/alter.h"
#include "sql/ast/create.h"
#include "sql/bind/statement_text.h"
#include "sql/catalog/table.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

// A statement and, behind it in one text, the definition of a table that it is about. Both are
// trees of their own that may be taken apart.
//
// Trees and text() point into this: it is not moved.
class TableEdit {
 public:
  // `statement`: at its place in `sql`. What is wrong in the definition is shown at `place` of it.
  TableEdit(std::string_view sql, const ast::Statement& statement, const CatalogTable* table,
            ast::SourceRange place);
  TableEdit(const TableEdit&) = delete;
  TableEdit& operator=(const TableEdit&) = delete;

  // Whether the definition could be read back; without, only text() is there.
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const StatementText& text() const { return text_; }
  [[nodiscard]] ast::Statement& statement() { return *statement_; }
  // Only with a table.
  [[nodiscard]] ast::CreateTable& definition() { return definition_->as<ast::CreateTable>(); }

 private:
  const std::string all_;
  const StatementText text_;
  ast::StatementPtr statement_;
  ast::StatementPtr definition_;
  Status status_ = Status::ok();
};

// ALTER TABLE: ADD, MODIFY, DROP, RENAME of columns, SET and RESET. `statement` is taken apart.
// `table` is what `definition` says, bound. What is refused has its place in the change.
Status apply_change(ast::AlterTable& statement, const CatalogTable& table,
                    ast::CreateTable& definition, const StatementText& text);

// CREATE TABLE .. LIKE: takes into `statement` what its LIKE includes of `source`, and removes the
// LIKE.
Status merge_like(ast::CreateTable& source, ast::CreateTable& statement, const StatementText& text);

// CREATE TABLE .. AS: takes the columns of the query's result into `statement`: columns that it
// declares and the query does not have come first, those of the query follow in its order, with
// declared types where there are any. Types of `result` are parsed again, so they must have SQL
// texts.
Status merge_query_columns(const Schema& result, ast::CreateTable& statement,
                           const StatementText& text);

}  // namespace clepsydra::sql
