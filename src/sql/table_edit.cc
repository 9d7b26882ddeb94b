#include "sql/table_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/check.h"
#include "sql/catalog/definition_text.h"
#include "sql/grammar/parser.h"
#include "sql/logical/expression_rewrite.h"

namespace clepsydra::sql {
namespace {

using ast::AlterTableAction;
using ast::ColumnDefinition;
using ast::ColumnKind;
using ast::LikeAction;
using ast::LikeFeature;

using Columns = std::vector<ColumnDefinition>;

ast::SourceRange range_of(const std::vector<ast::Identifier>& name) {
  return ast::cover(name.front().range, name.back().range);
}

Columns::iterator find_column(Columns& columns, std::string_view name) {
  return std::find_if(columns.begin(), columns.end(),
                      [&](const ColumnDefinition& column) { return column.name.name == name; });
}

std::vector<std::string> names_of(const Columns& columns) {
  std::vector<std::string> names;
  for (const ColumnDefinition& column : columns) names.push_back(column.name.name);
  return names;
}

// "computed column 'c'", "the watermark", "PARTITIONED BY", "the primary key": who reads column
// `name`, leaving out columns in `ignored`; empty when nobody does.
std::string user_of(const CatalogTable& table, std::string_view name,
                    const std::set<std::string>& ignored, bool with_primary_key) {
  std::string user;
  for (const TableColumn& column : table.columns) {
    if (column.role != ColumnRole::kComputed || ignored.contains(column.name)) continue;
    for_each_column(*column.computed, [&](int index) {
      if (table.produced->field(index).name == name) {
        user = fmt::format("computed column '{}'", column.name);
      }
    });
    if (!user.empty()) return user;
  }
  if (table.watermark) {
    bool used = table.columns[static_cast<std::size_t>(table.watermark->column)].name == name;
    for_each_column(*table.watermark->expression,
                    [&](int index) { used = used || table.schema->field(index).name == name; });
    if (used) return "the watermark";
  }
  for (const int index : table.partition_keys) {
    if (table.columns[static_cast<std::size_t>(index)].name == name) return "PARTITIONED BY";
  }
  for (const int index : table.distribution_keys) {
    if (table.columns[static_cast<std::size_t>(index)].name == name) return "DISTRIBUTED BY";
  }
  if (!with_primary_key) return {};
  for (const int index : table.primary_key) {
    if (table.columns[static_cast<std::size_t>(index)].name == name) return "the primary key";
  }
  return {};
}

// Applies one change, kind by kind.
class ChangeApplier {
 public:
  ChangeApplier(ast::AlterTable& statement, const CatalogTable& table, ast::CreateTable& definition,
                const StatementText& text)
      : change_(statement.change),
        table_(table),
        definition_(definition),
        text_(text),
        place_(statement.name.range()) {}

  Status apply() {
    switch (change_.action) {
      case AlterTableAction::kRenameColumn:
        return rename_column();
      case AlterTableAction::kAdd:
        return add();
      case AlterTableAction::kModify:
        return modify();
      case AlterTableAction::kDropColumns:
        return drop_columns();
      case AlterTableAction::kDropPrimaryKey:
      case AlterTableAction::kDropConstraint:
        return drop_key();
      case AlterTableAction::kDropWatermark:
        if (!definition_.schema.watermark) return missing_watermark(place_);
        definition_.schema.watermark.reset();
        return Status::ok();
      case AlterTableAction::kDropDistribution:
        if (!definition_.distribution) return missing_distribution(place_);
        definition_.distribution.reset();
        return Status::ok();
      case AlterTableAction::kSetOptions:
        return set_options();
      case AlterTableAction::kResetOptions:
        return reset_options();
      default:
        CLP_CHECK(false);  // The caller answers the others.
    }
    return Status::ok();
  }

 private:
  Columns& columns() { return definition_.schema.columns; }

  Status unknown_column(const ast::Identifier& name) {
    return text_.not_found(name.range, fmt::format("the table has no column '{}'", name.name),
                           did_you_mean_name(name.name, names_of(columns())));
  }

  Status rename_column() {
    if (change_.column.size() != 1) {
      return text_.not_built(range_of(change_.column), "renaming a field of a ROW column");
    }
    const ast::Identifier& old = change_.column[0];
    const auto column = find_column(columns(), old.name);
    if (column == columns().end()) return unknown_column(old);
    if (find_column(columns(), change_.new_column.name) != columns().end()) {
      return text_.invalid(
          change_.new_column.range,
          fmt::format("the table has a column '{}' already", change_.new_column.name));
    }
    const std::string user = user_of(table_, old.name, {}, false);
    if (!user.empty()) return in_use(old.range, old.name, user);
    if (column->kind == ColumnKind::kMetadata && !column->metadata_key) {
      column->metadata_key = old.name;
    }
    column->name = change_.new_column;
    for (ast::KeyConstraint& key : definition_.schema.keys) {
      for (ast::Identifier& name : key.columns) {
        if (name.name == old.name) name = change_.new_column;
      }
    }
    return Status::ok();
  }

  Status in_use(ast::SourceRange range, std::string_view name, const std::string& user) const {
    return text_.error(range, fmt::format("column '{}' is used by {}", name, user),
                       "change that first", StatusCode::kFailedPrecondition);
  }

  // Puts `column` where it says, else at `otherwise`.
  Status place(ast::PlacedColumn& placed, std::size_t otherwise) {
    std::size_t position = otherwise;
    if (placed.place == ast::ColumnPlace::kFirst) position = 0;
    if (placed.place == ast::ColumnPlace::kAfter) {
      const auto after = find_column(columns(), placed.after->name);
      if (after == columns().end()) return unknown_column(*placed.after);
      position = static_cast<std::size_t>(after - columns().begin()) + 1;
    }
    columns().insert(columns().begin() + static_cast<std::ptrdiff_t>(position),
                     std::move(placed.column));
    return Status::ok();
  }

  Status missing_distribution(ast::SourceRange range) const {
    return text_.invalid(range, "the table is not distributed");
  }

  Status add() {
    if (change_.distribution) {
      if (definition_.distribution) {
        return text_.invalid(change_.distribution->range, "the table is distributed already",
                             "write MODIFY to change it");
      }
      definition_.distribution = std::move(change_.distribution);
    }
    for (ast::PlacedColumn& placed : change_.columns) {
      const ast::Identifier name = placed.column.name;
      if (find_column(columns(), name.name) != columns().end()) {
        return text_.invalid(name.range,
                             fmt::format("the table has a column '{}' already", name.name),
                             "write MODIFY to change it");
      }
      CLP_RETURN_IF_ERROR(place(placed, columns().size()));
    }
    for (ast::KeyConstraint& key : change_.keys) {
      if (has_key()) {
        return text_.invalid(
            key.range,
            fmt::format("the table has the primary key '{}' already", table_.primary_key_name),
            "write MODIFY to change it");
      }
      definition_.schema.keys.push_back(std::move(key));
    }
    if (change_.watermark) {
      if (definition_.schema.watermark) {
        return text_.invalid(change_.watermark->range, "the table has a watermark already",
                             "write MODIFY to change it");
      }
      definition_.schema.watermark = std::move(change_.watermark);
    }
    return Status::ok();
  }

  Status modify() {
    if (change_.distribution) {
      if (!definition_.distribution) return missing_distribution(change_.distribution->range);
      definition_.distribution = std::move(change_.distribution);
    }
    std::set<std::string> seen;
    for (ast::PlacedColumn& placed : change_.columns) {
      const ast::Identifier name = placed.column.name;
      const auto column = find_column(columns(), name.name);
      if (column == columns().end()) return unknown_column(name);
      if (!seen.insert(name.name).second) {
        return text_.invalid(name.range, fmt::format("column '{}' is modified twice", name.name));
      }
      const auto position = static_cast<std::size_t>(column - columns().begin());
      // What is not said anew of a comment stays.
      if (!placed.column.comment) placed.column.comment = column->comment;
      columns().erase(column);
      CLP_RETURN_IF_ERROR(place(placed, position));
    }
    for (ast::KeyConstraint& key : change_.keys) {
      if (!has_key()) return missing_key(key.range);
      definition_.schema.keys.clear();
      definition_.schema.keys.push_back(std::move(key));
    }
    if (change_.watermark) {
      if (!definition_.schema.watermark) return missing_watermark(change_.watermark->range);
      definition_.schema.watermark = std::move(change_.watermark);
    }
    return Status::ok();
  }

  Status drop_columns() {
    std::set<std::string> dropped;
    for (const std::vector<ast::Identifier>& name : change_.names) {
      if (name.size() != 1) {
        return text_.not_built(range_of(name), "dropping a field of a ROW column");
      }
      if (find_column(columns(), name[0].name) == columns().end()) return unknown_column(name[0]);
      if (!dropped.insert(name[0].name).second) {
        return text_.invalid(name[0].range,
                             fmt::format("column '{}' is dropped twice", name[0].name));
      }
    }
    for (const std::vector<ast::Identifier>& name : change_.names) {
      const std::string user = user_of(table_, name[0].name, dropped, true);
      if (!user.empty()) return in_use(name[0].range, name[0].name, user);
    }
    std::erase_if(columns(), [&](const ColumnDefinition& column) {
      return dropped.contains(column.name.name);
    });
    return Status::ok();
  }

  Status drop_key() {
    if (!has_key()) return missing_key(place_);
    if (change_.action == AlterTableAction::kDropConstraint) {
      const ast::Identifier& name = change_.names[0][0];
      if (name.name != table_.primary_key_name) {
        return text_.not_found(name.range,
                               fmt::format("the table has no constraint '{}'", name.name),
                               fmt::format("its primary key is '{}'", table_.primary_key_name));
      }
    }
    definition_.schema.keys.clear();
    return Status::ok();
  }

  Status set_options() {
    if (change_.options.empty()) {
      return text_.invalid(place_, "SET needs at least one option");
    }
    for (ast::Option& option : change_.options) {
      const auto known =
          std::find_if(definition_.options.begin(), definition_.options.end(),
                       [&](const ast::Option& other) { return other.key == option.key; });
      if (known == definition_.options.end()) {
        definition_.options.push_back(std::move(option));
      } else {
        *known = std::move(option);
      }
    }
    return Status::ok();
  }

  Status reset_options() {
    if (change_.keys_to_reset.empty()) {
      return text_.invalid(place_, "RESET needs at least one option");
    }
    for (const std::string& key : change_.keys_to_reset) {
      std::erase_if(definition_.options,
                    [&](const ast::Option& option) { return option.key == key; });
    }
    return Status::ok();
  }

  [[nodiscard]] bool has_key() const { return !definition_.schema.keys.empty(); }
  Status missing_key(ast::SourceRange range) const {
    return text_.invalid(range, "the table has no primary key");
  }
  Status missing_watermark(ast::SourceRange range) const {
    return text_.invalid(range, "the table has no watermark");
  }

  ast::TableChange& change_;
  const CatalogTable& table_;
  ast::CreateTable& definition_;
  const StatementText& text_;
  const ast::SourceRange place_;  // Of what has none of its own.
};

// What LIKE does with each kind of part.
class LikeActions {
 public:
  Status read(const ast::LikeClause& like, const StatementText& text) {
    // The last of all: OPTIONS of the new table win unless something else is said.
    actions_.fill(LikeAction::kIncluding);
    at(LikeFeature::kOptions) = LikeAction::kOverwriting;
    std::set<LikeFeature> seen;
    for (const ast::LikeOption& option : like.options) {
      if (!seen.insert(option.feature).second) {
        return text.invalid(option.range, "each part can be given once only in LIKE");
      }
      if (option.action == LikeAction::kOverwriting && !can_overwrite(option.feature)) {
        return text.invalid(option.range,
                            "only GENERATED, METADATA, OPTIONS and WATERMARKS can be OVERWRITING");
      }
      if (option.feature == LikeFeature::kAll) actions_.fill(option.action);
    }
    for (const ast::LikeOption& option : like.options) at(option.feature) = option.action;
    return Status::ok();
  }

  [[nodiscard]] LikeAction of(LikeFeature feature) const {
    return actions_[static_cast<std::size_t>(feature)];
  }
  [[nodiscard]] bool excluded(LikeFeature feature) const {
    return of(feature) == LikeAction::kExcluding;
  }
  [[nodiscard]] bool overwrites(LikeFeature feature) const {
    return of(feature) == LikeAction::kOverwriting;
  }

 private:
  static bool can_overwrite(LikeFeature feature) {
    return feature == LikeFeature::kGenerated || feature == LikeFeature::kMetadata ||
           feature == LikeFeature::kOptions || feature == LikeFeature::kWatermarks;
  }
  LikeAction& at(LikeFeature feature) { return actions_[static_cast<std::size_t>(feature)]; }

  std::array<LikeAction, 8> actions_{};
};

// The parts of a source table that go into a new one.
class LikeMerger {
 public:
  LikeMerger(ast::CreateTable& source, ast::CreateTable& statement, const StatementText& text)
      : source_(source), statement_(statement), text_(text) {}

  Status merge() {
    CLP_RETURN_IF_ERROR(actions_.read(*statement_.like, text_));
    CLP_RETURN_IF_ERROR(merge_columns());
    CLP_RETURN_IF_ERROR(merge_watermark());
    CLP_RETURN_IF_ERROR(merge_key());
    CLP_RETURN_IF_ERROR(merge_partitions());
    CLP_RETURN_IF_ERROR(merge_distribution());
    CLP_RETURN_IF_ERROR(merge_options());
    statement_.like.reset();
    return Status::ok();
  }

 private:
  static LikeFeature feature_of(const ColumnDefinition& column) {
    return column.kind == ColumnKind::kComputed ? LikeFeature::kGenerated : LikeFeature::kMetadata;
  }

  // What keeps a new column from taking the place of one of the source; nothing when it may.
  Status check_column(const ColumnDefinition& own, const ColumnDefinition& base) const {
    const std::string taken =
        fmt::format("the source table has a column '{}' already", own.name.name);
    if (base.kind != own.kind || base.kind == ColumnKind::kPhysical) {
      return text_.invalid(own.name.range, taken, "give the new column another name");
    }
    if (actions_.overwrites(feature_of(base))) return Status::ok();
    const char* word = base.kind == ColumnKind::kComputed ? "GENERATED" : "METADATA";
    return text_.invalid(own.name.range, taken,
                         fmt::format("write EXCLUDING {0} or OVERWRITING {0}", word));
  }

  Status merge_columns() {
    Columns merged;
    for (ColumnDefinition& base : source_.schema.columns) {
      if (base.kind != ColumnKind::kPhysical && actions_.excluded(feature_of(base))) continue;
      merged.push_back(std::move(base));
    }
    for (ColumnDefinition& own : statement_.schema.columns) {
      const auto base = find_column(merged, own.name.name);
      // Twice in the statement itself: the binder says so.
      if (base == merged.end() || base->name.range.begin < source_.range.begin) {
        merged.push_back(std::move(own));
        continue;
      }
      CLP_RETURN_IF_ERROR(check_column(own, *base));
      *base = std::move(own);
    }
    statement_.schema.columns = std::move(merged);
    return Status::ok();
  }

  Status merge_watermark() {
    if (!source_.schema.watermark || actions_.excluded(LikeFeature::kWatermarks)) {
      return Status::ok();
    }
    if (!statement_.schema.watermark) {
      statement_.schema.watermark = std::move(source_.schema.watermark);
      return Status::ok();
    }
    if (actions_.overwrites(LikeFeature::kWatermarks)) return Status::ok();
    return text_.invalid(statement_.schema.watermark->range,
                         "the source table has a watermark already",
                         "write EXCLUDING WATERMARKS or OVERWRITING WATERMARKS");
  }

  Status merge_key() {
    if (source_.schema.keys.empty() || actions_.excluded(LikeFeature::kConstraints)) {
      return Status::ok();
    }
    if (statement_.schema.keys.empty()) {
      statement_.schema.keys = std::move(source_.schema.keys);
      return Status::ok();
    }
    return text_.invalid(statement_.schema.keys[0].range,
                         "the source table has a primary key already",
                         "write EXCLUDING CONSTRAINTS");
  }

  Status merge_partitions() {
    if (source_.partitioned_by.empty() || actions_.excluded(LikeFeature::kPartitions)) {
      return Status::ok();
    }
    if (statement_.partitioned_by.empty()) {
      statement_.partitioned_by = std::move(source_.partitioned_by);
      return Status::ok();
    }
    return text_.invalid(statement_.partitioned_by[0].range,
                         "the source table is partitioned already", "write EXCLUDING PARTITIONS");
  }

  Status merge_distribution() {
    if (!source_.distribution || actions_.excluded(LikeFeature::kDistribution)) {
      return Status::ok();
    }
    if (!statement_.distribution) {
      statement_.distribution = std::move(source_.distribution);
      return Status::ok();
    }
    return text_.invalid(statement_.distribution->range, "the source table is distributed already",
                         "write EXCLUDING DISTRIBUTION");
  }

  Status merge_options() {
    if (actions_.excluded(LikeFeature::kOptions)) return Status::ok();
    for (ast::Option& base : source_.options) {
      const auto own =
          std::find_if(statement_.options.begin(), statement_.options.end(),
                       [&](const ast::Option& option) { return option.key == base.key; });
      if (own == statement_.options.end()) {
        statement_.options.push_back(std::move(base));
      } else if (!actions_.overwrites(LikeFeature::kOptions)) {
        return text_.invalid(own->key_range,
                             fmt::format("the source table has option '{}' already", own->key),
                             "write EXCLUDING OPTIONS or OVERWRITING OPTIONS");
      }
    }
    return Status::ok();
  }

  ast::CreateTable& source_;
  ast::CreateTable& statement_;
  const StatementText& text_;
  LikeActions actions_;
};

Result<ColumnDefinition> column_of(const Field& field, const ast::CreateTable& statement,
                                   const StatementText& text) {
  ColumnDefinition column;
  column.name.name = field.name;
  column.name.range = column.range = statement.query->range;
  const DataType type = field.type.with_time_attribute(TimeAttribute::kNone);
  Result<ast::TypeName> name = grammar::parse_type(type.to_string());
  if (!name.is_ok()) {
    return text.invalid(statement.query->range,
                        fmt::format("column '{}' has the type {}, which no table can have",
                                    field.name, type.to_string()),
                        "CAST it to another type");
  }
  column.type = *std::move(name);
  return column;
}

// CREATE TABLE t (b, a) AS SELECT: names alone put the query's columns in another order.
Status order_columns(Columns& columns, const ast::CreateTable& statement,
                     const StatementText& text) {
  const std::vector<ast::Identifier>& names = statement.schema.column_names;
  const ast::SourceRange range = ast::cover(names.front().range, names.back().range);
  if (names.size() != columns.size()) {
    return text.invalid(range, fmt::format("{} columns are named, but the query has {}",
                                           names.size(), columns.size()));
  }
  Columns ordered;
  for (const ast::Identifier& name : names) {
    const auto column = find_column(columns, name.name);
    if (column == columns.end()) {
      return text.not_found(name.range, fmt::format("the query has no column '{}'", name.name),
                            did_you_mean_name(name.name, names_of(columns)));
    }
    ordered.push_back(std::move(*column));
    columns.erase(column);
  }
  columns = std::move(ordered);
  return Status::ok();
}

}  // namespace

TableEdit::TableEdit(std::string_view sql, const ast::Statement& statement,
                     const CatalogTable* table, ast::SourceRange place)
    : all_(fmt::format(
          "{}\n{}", sql.substr(statement.range.begin, statement.range.end - statement.range.begin),
          table == nullptr ? std::string() : create_table_text(*table, Secrets::kKeep))),
      text_(all_, sql, statement.range, place) {
  const std::size_t own_bytes = statement.range.end - statement.range.begin;
  Result<ast::StatementPtr> again = grammar::parse_statement(all_, {0, own_bytes});
  CLP_CHECK(again.is_ok());  // It was parsed before.
  statement_ = *std::move(again);
  if (table == nullptr) return;
  // Deep expressions may be a level too deep once they are printed.
  Result<ast::StatementPtr> definition =
      grammar::parse_statement(all_, {own_bytes + 1, all_.size()});
  if (definition.is_ok()) {
    definition_ = *std::move(definition);
  } else {
    const std::size_t begin = statement.range.begin;
    status_ = text_.error({place.begin - begin, place.end - begin},
                          "the definition of the table cannot be read back", {},
                          definition.status().code());
  }
}

Status apply_change(ast::AlterTable& statement, const CatalogTable& table,
                    ast::CreateTable& definition, const StatementText& text) {
  return ChangeApplier(statement, table, definition, text).apply();
}

Status merge_like(ast::CreateTable& source, ast::CreateTable& statement,
                  const StatementText& text) {
  return LikeMerger(source, statement, text).merge();
}

Status merge_query_columns(const Schema& result, ast::CreateTable& statement,
                           const StatementText& text) {
  Columns queried;
  for (const Field& field : result.fields()) {
    CLP_ASSIGN_OR_RETURN(ColumnDefinition column, column_of(field, statement, text));
    if (find_column(queried, field.name) != queried.end()) {
      return text.invalid(statement.query->range,
                          fmt::format("column '{}' occurs twice in the query", field.name),
                          "give it another name with AS");
    }
    queried.push_back(std::move(column));
  }
  if (!statement.schema.column_names.empty()) {
    CLP_RETURN_IF_ERROR(order_columns(queried, statement, text));
    statement.schema.column_names.clear();
  }
  Columns merged;
  for (ColumnDefinition& own : statement.schema.columns) {
    const auto column = find_column(queried, own.name.name);
    if (column == queried.end()) {
      merged.push_back(std::move(own));
      continue;
    }
    if (own.kind == ColumnKind::kComputed || own.metadata_virtual) {
      return text.invalid(own.name.range,
                          fmt::format("the query has a column '{}', which cannot be written to "
                                      "this column",
                                      own.name.name),
                          "give one of them another name");
    }
    *column = std::move(own);
  }
  for (ColumnDefinition& column : queried) merged.push_back(std::move(column));
  statement.schema.columns = std::move(merged);
  return Status::ok();
}

}  // namespace clepsydra::sql
