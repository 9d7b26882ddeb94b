// SHOW, DESCRIBE, DROP and ANALYZE TABLE.
#include <array>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::ObjectKind;
using ast::StatementPtr;

struct ObjectWord {
  Word word;
  ObjectKind kind;
};

// SHOW lists these.
constexpr auto kPlurals = std::to_array<ObjectWord>({
    {"CATALOGS", ObjectKind::kCatalog},
    {"DATABASES", ObjectKind::kDatabase},
    {"TABLES", ObjectKind::kTable},
    {"VIEWS", ObjectKind::kView},
    {"FUNCTIONS", ObjectKind::kFunction},
    {"PROCEDURES", ObjectKind::kProcedure},
    {"MODELS", ObjectKind::kModel},
    {"CONNECTIONS", ObjectKind::kConnection},
    {"MODULES", ObjectKind::kModule},
    {"COLUMNS", ObjectKind::kColumn},
    {"PARTITIONS", ObjectKind::kPartition},
    {"JARS", ObjectKind::kJar},
    {"JOBS", ObjectKind::kJob},
});

// SHOW CREATE, DESCRIBE and DROP speak of one of these.
constexpr auto kSingulars = std::to_array<ObjectWord>({
    {"CATALOG", ObjectKind::kCatalog},
    {"DATABASE", ObjectKind::kDatabase},
    {"TABLE", ObjectKind::kTable},
    {"VIEW", ObjectKind::kView},
    {"FUNCTION", ObjectKind::kFunction},
    {"MODEL", ObjectKind::kModel},
    {"CONNECTION", ObjectKind::kConnection},
});

}  // namespace

StatementPtr Parser::show() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Show>();
  if (in_.accept("CURRENT")) {
    node->show = ast::ShowKind::kCurrent;
    node->object = in_.is("DATABASE") ? ObjectKind::kDatabase : ObjectKind::kCatalog;
    if (!in_.accept("DATABASE")) in_.expect("CATALOG");
  } else if (in_.accept("CREATE")) {
    node->show = ast::ShowKind::kCreate;
    bool found = in_.accept_sequence({"MATERIALIZED", "TABLE"});
    if (found) node->object = ObjectKind::kMaterializedTable;
    for (const ObjectWord& entry : kSingulars) {
      if (found || entry.kind == ObjectKind::kDatabase || entry.kind == ObjectKind::kFunction) {
        continue;
      }
      found = in_.accept(entry.word);
      if (found) node->object = entry.kind;
    }
    if (!found) in_.fail_expected("TABLE, VIEW, CATALOG, MODEL or another object after CREATE");
    node->name = object_name("a name");
  } else {
    node->user_only = in_.is("USER") && in_.is_ahead(1, "FUNCTIONS");
    node->full = in_.is("FULL") && in_.is_ahead(1, "MODULES");
    if (node->user_only || node->full) in_.take();
    show_list(*node);
  }
  return finish(std::move(node), begin);
}

void Parser::show_list(ast::Show& show) {
  bool found = in_.accept_sequence({"MATERIALIZED", "TABLES"});
  if (found) show.object = ObjectKind::kMaterializedTable;
  for (const ObjectWord& entry : kPlurals) {
    if (found) break;
    found = in_.accept(entry.word);
    if (found) show.object = entry.kind;
  }
  if (!found) {
    in_.fail_expected(
        "what to show: TABLES, VIEWS, DATABASES, CATALOGS, FUNCTIONS, CREATE TABLE, ...");
    return;
  }
  switch (show.object) {
    case ObjectKind::kPartition:
      show.name = object_name("a table name");
      if (in_.accept("PARTITION")) show.partition = partition();
      return;
    case ObjectKind::kColumn:
      if (!in_.accept("FROM") && !in_.accept("IN")) in_.fail_expected("FROM or IN");
      show.name = object_name("a table name");
      break;
    case ObjectKind::kJar:
    case ObjectKind::kJob:
    case ObjectKind::kModule:
      return;
    default:
      if (in_.accept("FROM") || in_.accept("IN")) show.name = object_name("a name");
      break;
  }
  show_pattern(show);
}

// [NOT] LIKE 'pattern', [NOT] ILIKE 'pattern'.
void Parser::show_pattern(ast::Show& show) {
  const std::size_t begin = in_.peek().range.begin;
  const bool negated = in_.accept("NOT");
  const bool ignore_case = in_.is("ILIKE");
  if (!in_.accept("LIKE") && !in_.accept("ILIKE")) {
    if (negated) in_.fail_expected("LIKE or ILIKE");
    return;
  }
  ast::ShowPattern pattern;
  pattern.negated = negated;
  pattern.ignore_case = ignore_case;
  pattern.pattern = string_text("a pattern in single quotes");
  pattern.range = in_.range_from(begin);
  show.pattern = std::move(pattern);
}

// {DESCRIBE|DESC} [CATALOG|DATABASE|FUNCTION|MODEL|CONNECTION|JOB] [EXTENDED] name.
StatementPtr Parser::describe() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Describe>();
  if (in_.is("JOB") && in_.is_ahead(1, TokenKind::kString)) {
    in_.take();
    node->object = ObjectKind::kJob;
    node->job_id = string_value();
    return finish(std::move(node), begin);
  }
  for (const ObjectWord& entry : kSingulars) {
    // Some of the words are names, too: DESCRIBE model is about a table.
    const bool word = in_.is(entry.word) &&
                      (entry.word.is_reserved() || is_name(1) || in_.is_ahead(1, "EXTENDED"));
    if (!word || entry.kind == ObjectKind::kTable || entry.kind == ObjectKind::kView) continue;
    in_.take();
    node->object = entry.kind;
    break;
  }
  node->extended = in_.accept("EXTENDED");
  node->name = object_name("a name");
  return finish(std::move(node), begin);
}

// DROP [TEMPORARY [SYSTEM]] object [IF EXISTS] name [RESTRICT|CASCADE].
StatementPtr Parser::drop() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Drop>();
  node->temporary = in_.accept("TEMPORARY");
  node->system = node->temporary && in_.accept("SYSTEM");
  const Token object = in_.peek();
  bool found = in_.accept_sequence({"MATERIALIZED", "TABLE"});
  if (found) node->object = ObjectKind::kMaterializedTable;
  for (const ObjectWord& entry : kSingulars) {
    if (found) break;
    found = in_.accept(entry.word);
    if (found) node->object = entry.kind;
  }
  if (!found) {
    in_.fail_expected(
        "TABLE, VIEW, FUNCTION, DATABASE, CATALOG, MODEL or another object after DROP");
  }
  const bool can_be_system =
      node->object == ObjectKind::kFunction || node->object == ObjectKind::kConnection;
  const bool can_be_temporary = can_be_system || node->object == ObjectKind::kTable ||
                                node->object == ObjectKind::kView ||
                                node->object == ObjectKind::kModel;
  if ((node->system && !can_be_system) || (node->temporary && !can_be_temporary)) {
    in_.fail({object.range, "this object cannot be temporary", ""});
  }
  node->if_exists = if_exists();
  node->name = object_name("a name");
  if (node->object == ObjectKind::kDatabase) {
    if (in_.accept("RESTRICT")) {
      node->behavior = ast::DropBehavior::kRestrict;
    } else if (in_.accept("CASCADE")) {
      node->behavior = ast::DropBehavior::kCascade;
    }
  }
  return finish(std::move(node), begin);
}

// ANALYZE TABLE t [PARTITION (..)] COMPUTE STATISTICS [FOR COLUMNS a, b | FOR ALL COLUMNS].
StatementPtr Parser::analyze() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::AnalyzeTable>();
  in_.expect("TABLE");
  node->table = object_name("a table name");
  if (in_.accept("PARTITION")) node->partition = partition();
  in_.expect_sequence({"COMPUTE", "STATISTICS"});
  if (in_.accept("FOR")) {
    node->all_columns = in_.accept("ALL");
    in_.expect("COLUMNS");
    if (!node->all_columns) {
      do {
        node->columns.push_back(name("a column name"));
      } while (in_.accept(TokenKind::kComma));
    }
  }
  return finish(std::move(node), begin);
}

}  // namespace clepsydra::grammar
