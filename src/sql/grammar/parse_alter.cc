// ALTER.
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {

using ast::AlterTableAction;
using ast::ObjectKind;
using ast::StatementPtr;

StatementPtr Parser::alter() {
  const std::size_t begin = in_.take().range.begin;
  const bool temporary = in_.accept("TEMPORARY");
  const bool system = temporary && in_.accept("SYSTEM");
  StatementPtr result;
  if (in_.accept("FUNCTION")) {
    result = alter_function(temporary, system);
  } else if (in_.accept("CONNECTION")) {
    result = alter_object(ObjectKind::kConnection, temporary, system);
  } else if (temporary) {
    in_.fail_expected("FUNCTION or CONNECTION");
  } else if (in_.accept_sequence({"MATERIALIZED", "TABLE"})) {
    result = alter_materialized_table();
  } else if (in_.accept("TABLE")) {
    result = alter_table();
  } else if (in_.accept("VIEW")) {
    result = alter_view();
  } else if (in_.accept("CATALOG")) {
    result = alter_object(ObjectKind::kCatalog, false, false);
  } else if (in_.accept("DATABASE")) {
    result = alter_object(ObjectKind::kDatabase, false, false);
  } else if (in_.accept("MODEL")) {
    result = alter_object(ObjectKind::kModel, false, false);
  } else {
    in_.fail_expected(
        "TABLE, VIEW, FUNCTION, DATABASE, CATALOG, MODEL or another object after ALTER");
  }
  if (result == nullptr) result = std::make_unique<ast::AlterView>();
  result->range = in_.range_from(begin);
  return result;
}

StatementPtr Parser::alter_table() {
  auto node = std::make_unique<ast::AlterTable>();
  node->if_exists = if_exists();
  node->name = object_name("a table name");
  if (in_.accept("PARTITION")) {
    node->change.action = AlterTableAction::kRenamePartition;
    node->change.partitions.emplace_back().values = partition();
    in_.expect_sequence({"RENAME", "TO", "PARTITION"});
    node->change.partitions.emplace_back().values = partition();
    return node;
  }
  table_change(node->change);
  return node;
}

void Parser::table_change(ast::TableChange& change) {
  if (in_.accept("RENAME")) {
    rename(change);
  } else if (in_.accept("ADD")) {
    add_or_modify(change, true);
  } else if (in_.accept("MODIFY")) {
    add_or_modify(change, false);
  } else if (in_.accept("DROP")) {
    drop_part(change);
  } else if (in_.accept("SET")) {
    change.action = AlterTableAction::kSetOptions;
    change.options = options();
  } else if (in_.accept("RESET")) {
    change.action = AlterTableAction::kResetOptions;
    change.keys_to_reset = option_keys();
  } else {
    in_.fail_expected("RENAME, ADD, MODIFY, DROP, SET or RESET");
  }
}

// RENAME TO t; RENAME [COLUMN] a TO b, where a may be nested.
void Parser::rename(ast::TableChange& change) {
  if (in_.accept("TO")) {
    change.action = AlterTableAction::kRenameTable;
    change.new_name = object_name("a table name");
    return;
  }
  in_.accept("COLUMN");
  change.action = AlterTableAction::kRenameColumn;
  change.column = nested_name("TO or a column name");
  in_.expect("TO");
  change.new_column = name("a column name");
}

void Parser::add_or_modify(ast::TableChange& change, bool add) {
  change.action = add ? AlterTableAction::kAdd : AlterTableAction::kModify;
  if (add && (in_.is("PARTITION") || in_.is_sequence({"IF", "NOT", "EXISTS"}))) {
    change.action = AlterTableAction::kAddPartitions;
    change.if_exists = if_not_exists();
    while (in_.accept("PARTITION")) change.partitions.push_back(partition_spec());
    if (change.partitions.empty()) in_.fail_expected("PARTITION");
    return;
  }
  if (in_.accept("DISTRIBUTION")) {
    change.distribution = distribution_body();
    return;
  }
  if (in_.accept("DISTRIBUTED")) {
    change.distribution = distribution_body();
    return;
  }
  if (!in_.is(TokenKind::kLeftParen)) {
    in_.accept("COLUMN");
    schema_element(change);
    return;
  }
  const Token open = in_.take();
  do {
    schema_element(change);
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
}

// A column with its place, a key or a watermark.
void Parser::schema_element(ast::TableChange& change) {
  if (in_.is("WATERMARK")) {
    change.watermark = watermark();
    return;
  }
  if (in_.is_one_of({"CONSTRAINT", "PRIMARY", "UNIQUE"})) {
    change.keys.push_back(key_constraint());
    return;
  }
  ast::PlacedColumn placed;
  placed.column = column_definition(name("a column name"));
  if (in_.accept("FIRST")) {
    placed.place = ast::ColumnPlace::kFirst;
  } else if (in_.accept("AFTER")) {
    placed.place = ast::ColumnPlace::kAfter;
    placed.after = name("a column name");
  }
  change.columns.push_back(std::move(placed));
}

void Parser::drop_part(ast::TableChange& change) {
  if (in_.is("PARTITION") || in_.is_sequence({"IF", "EXISTS", "PARTITION"})) {
    change.action = AlterTableAction::kDropPartitions;
    change.if_exists = if_exists();
    do {
      in_.expect("PARTITION");
      change.partitions.emplace_back().values = partition();
    } while (in_.accept(TokenKind::kComma));
  } else if (in_.accept("PRIMARY")) {
    in_.expect("KEY");
    change.action = AlterTableAction::kDropPrimaryKey;
  } else if (in_.accept("CONSTRAINT")) {
    change.action = AlterTableAction::kDropConstraint;
    change.names.push_back({name("the name of a constraint")});
  } else if (in_.accept("WATERMARK")) {
    change.action = AlterTableAction::kDropWatermark;
  } else if (in_.accept("DISTRIBUTION")) {
    change.action = AlterTableAction::kDropDistribution;
  } else if (in_.is(TokenKind::kLeftParen)) {
    change.action = AlterTableAction::kDropColumns;
    const Token open = in_.take();
    do {
      change.names.push_back(nested_name("a column name"));
    } while (in_.accept(TokenKind::kComma));
    in_.expect_close(open.range);
  } else {
    in_.accept("COLUMN");
    change.action = AlterTableAction::kDropColumns;
    change.names.push_back(nested_name("what to drop, such as a column name"));
  }
}

ast::PartitionSpec Parser::partition_spec() {
  ast::PartitionSpec spec;
  spec.values = partition();
  spec.options = with_options();
  return spec;
}

// a or a.b: a column or a field in one.
std::vector<ast::Identifier> Parser::nested_name(std::string_view what) {
  return object_name(what).parts;
}

StatementPtr Parser::alter_materialized_table() {
  using ast::AlterMaterializedTableAction;
  auto node = std::make_unique<ast::AlterMaterializedTable>();
  node->name = object_name("a table name");
  if (in_.accept("SUSPEND")) {
    node->action = AlterMaterializedTableAction::kSuspend;
  } else if (in_.accept("RESUME")) {
    node->action = AlterMaterializedTableAction::kResume;
    node->options = with_options();
  } else if (in_.accept("REFRESH")) {
    node->action = AlterMaterializedTableAction::kRefresh;
    if (in_.accept("PARTITION")) node->partition = partition();
  } else if (in_.accept("AS")) {
    node->action = AlterMaterializedTableAction::kAsQuery;
    node->query = query();
  } else if (in_.accept_sequence({"SET", "FRESHNESS"})) {
    node->action = AlterMaterializedTableAction::kSetFreshness;
    in_.expect(TokenKind::kEqual);
    node->freshness = expression();
  } else if (in_.accept_sequence({"SET", "REFRESH_MODE"})) {
    node->action = AlterMaterializedTableAction::kSetRefreshMode;
    in_.expect(TokenKind::kEqual);
    node->refresh_mode = refresh_mode();
  } else if (in_.is_one_of({"ADD", "MODIFY", "DROP", "SET", "RESET"})) {
    node->action = AlterMaterializedTableAction::kChange;
    table_change(node->change);
  } else {
    in_.fail_expected("SUSPEND, RESUME, REFRESH, AS, SET, RESET, ADD, MODIFY or DROP");
  }
  return node;
}

StatementPtr Parser::alter_view() {
  auto node = std::make_unique<ast::AlterView>();
  node->if_exists = if_exists();
  node->name = object_name("the name of a view");
  if (in_.accept("RENAME")) {
    in_.expect("TO");
    node->new_name = object_name("a name for the view");
  } else if (in_.accept("SET")) {
    node->options = options();
  } else if (in_.accept("RESET")) {
    node->keys_to_reset = option_keys();
  } else if (in_.accept("AS")) {
    node->query = query();
  } else {
    in_.fail_expected("RENAME TO, SET, RESET or AS");
  }
  return node;
}

StatementPtr Parser::alter_object(ObjectKind kind, bool temporary, bool system) {
  auto node = std::make_unique<ast::AlterObject>();
  node->object = kind;
  node->temporary = temporary;
  node->system = system;
  node->if_exists = if_exists();
  node->name = object_name("a name");
  const bool can_be_renamed = kind == ObjectKind::kModel || kind == ObjectKind::kConnection;
  if (in_.accept("SET")) {
    node->options = options();
  } else if (in_.accept("RESET")) {
    node->keys_to_reset = option_keys();
  } else if (kind == ObjectKind::kCatalog && in_.is("COMMENT")) {
    node->comment = comment();
  } else if (can_be_renamed && in_.accept("RENAME")) {
    in_.expect("TO");
    node->new_name = object_name("a name");
  } else {
    in_.fail_expected(can_be_renamed ? "SET, RESET or RENAME TO" : "SET or RESET");
  }
  return node;
}

StatementPtr Parser::alter_function(bool temporary, bool system) {
  auto node = std::make_unique<ast::AlterFunction>();
  node->temporary = temporary;
  node->system = system;
  node->if_exists = if_exists();
  node->name = object_name("the name of a function");
  in_.expect("AS");
  node->identifier_range = in_.peek().range;
  node->identifier = string_text("the implementation in single quotes");
  if (in_.accept("LANGUAGE")) {
    node->language_range = in_.peek().range;
    node->language = function_language();
  }
  return node;
}

}  // namespace clepsydra::grammar
