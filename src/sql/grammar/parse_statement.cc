// Statements but SHOW, DESCRIBE, DROP and their kin (parse_show.cc), CREATE and ALTER.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::StatementPtr;

// First words of statements of other systems, to be refused by name.
constexpr auto kUnsupportedStatements = std::to_array<std::string_view>(
    {"ALLOCATE", "CLOSE", "COMMIT", "CONNECT", "COPY", "DEALLOCATE", "DECLARE", "GRANT", "IMPORT",
     "LOCK", "MERGE", "PREPARE", "REVOKE", "ROLLBACK", "SAVEPOINT", "UPSERT", "VACUUM"});

StatementPtr missing_statement() {
  return std::make_unique<ast::ClientCommand>();
}

}  // namespace

StatementPtr Parser::statement() {
  const Nesting nesting(*this);
  const std::size_t begin = in_.peek().range.begin;
  StatementPtr result = statement_body();
  if (!in_.is(TokenKind::kEnd) && !in_.is(TokenKind::kSemicolon)) {
    in_.fail_expected(kStatementEnd);
  }
  result->range = in_.range_from(begin);
  return result;
}

StatementPtr Parser::statement_body() {
  if (is_query_start() || in_.is(TokenKind::kLeftParen)) return query_statement(false);
  if (in_.is("INSERT")) return insert(false);
  if (in_.is("CREATE") || in_.is("REPLACE")) return create();
  if (in_.is("DROP")) return drop();
  if (in_.is("ALTER")) return alter();
  if (in_.is("SHOW")) return show();
  if (in_.is("DESCRIBE") || in_.is("DESC")) return describe();
  if (in_.is("EXPLAIN")) return explain();
  if (in_.is("SET")) return set();
  if (in_.is("RESET")) return reset();
  if (in_.is("USE")) return use();
  if (in_.is("EXECUTE")) return execute();
  if (in_.is("BEGIN")) return begin();
  if (in_.is_sequence({"STATEMENT", "SET"})) return statement_set(false);
  if (in_.is("UPDATE")) return update();
  if (in_.is("DELETE")) return delete_from();
  if (in_.is("TRUNCATE")) return truncate();
  if (in_.is("COMPILE")) return compile_plan();
  if (in_.is("ANALYZE")) return analyze();
  if (in_.is("CALL")) return call_statement();
  if (in_.is("LOAD")) return module(true);
  if (in_.is("UNLOAD")) return module(false);
  if (in_.is("ADD")) return jar(false);
  if (in_.is("REMOVE")) return jar(true);
  if (in_.is("STOP")) return stop_job();
  if (in_.is("QUIT") || in_.is("EXIT")) return client_command(ast::ClientCommandKind::kQuit);
  if (in_.is("CLEAR")) return client_command(ast::ClientCommandKind::kClear);
  if (in_.is("HELP")) return client_command(ast::ClientCommandKind::kHelp);
  return unsupported_statement();
}

StatementPtr Parser::unsupported_statement() {
  const Token token = in_.peek();
  std::string word(in_.text_of(token.range));
  for (char& c : word) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const bool known = std::find(kUnsupportedStatements.begin(), kUnsupportedStatements.end(),
                               word) != kUnsupportedStatements.end();
  if (token.kind == TokenKind::kWord && known) {
    in_.fail(
        {token.range, fmt::format("{} is not supported", word), "", StatusCode::kUnimplemented});
  } else {
    // Tried here so that a slip such as SELCT finds its word.
    for (const Word first : std::to_array<Word>(
             {"SELECT", "WITH",     "VALUES",  "INSERT",   "CREATE",  "DROP",    "ALTER",
              "SHOW",   "DESCRIBE", "EXPLAIN", "SET",      "RESET",   "USE",     "EXECUTE",
              "BEGIN",  "UPDATE",   "DELETE",  "TRUNCATE", "COMPILE", "ANALYZE", "CALL"})) {
      in_.accept(first);
    }
    in_.fail_expected("a statement");
  }
  return missing_statement();
}

StatementPtr Parser::query_statement(bool execute) {
  const std::size_t begin = in_.peek().range.begin;
  auto node = std::make_unique<ast::QueryStatement>();
  node->execute = execute;
  node->query = query();
  return finish(std::move(node), begin);
}

StatementPtr Parser::insert(bool execute) {
  return insert_node(execute);
}

std::unique_ptr<ast::Insert> Parser::insert_node(bool execute) {
  const std::size_t begin = in_.peek().range.begin;
  auto node = std::make_unique<ast::Insert>();
  node->execute = execute;
  in_.expect("INSERT");
  node->overwrite = in_.accept("OVERWRITE");
  if (!node->overwrite && !in_.accept("INTO")) in_.fail_expected("INTO or OVERWRITE");
  node->table = object_name("a table name");
  if (in_.is(TokenKind::kHintBegin)) node->hints = hints();
  if (in_.accept("PARTITION")) node->partition = partition();
  // '(' begins the columns or the query.
  if (in_.is(TokenKind::kLeftParen) && is_name(1)) node->columns = name_list("a column name");
  node->query = query();
  if (in_.is("ON")) on_conflict(*node);
  return finish(std::move(node), begin);
}

void Parser::on_conflict(ast::Insert& insert) {
  in_.expect_sequence({"ON", "CONFLICT", "DO"});
  if (in_.accept("ERROR")) {
    insert.on_conflict = ast::ConflictAction::kError;
  } else if (in_.accept("NOTHING")) {
    insert.on_conflict = ast::ConflictAction::kNothing;
  } else if (in_.accept("DEDUPLICATE")) {
    insert.on_conflict = ast::ConflictAction::kDeduplicate;
  } else {
    in_.fail_expected("ERROR, NOTHING or DEDUPLICATE");
  }
}

// STATEMENT SET BEGIN a; b; END.
StatementPtr Parser::statement_set(bool execute) {
  const std::size_t begin = in_.peek().range.begin;
  auto node = std::make_unique<ast::StatementSet>();
  node->execute = execute;
  in_.expect_sequence({"STATEMENT", "SET", "BEGIN"});
  statement_set_body(*node);
  return finish(std::move(node), begin);
}

void Parser::statement_set_body(ast::StatementSet& set) {
  do {
    if (!in_.is("INSERT")) {
      in_.fail_expected(set.inserts.empty() ? "INSERT" : "INSERT or END");
      break;
    }
    set.inserts.push_back(insert_node(false));
    in_.expect(TokenKind::kSemicolon);
  } while (!in_.failed() && !in_.is("END"));
  in_.expect("END");
}

// BEGIN STATEMENT SET; a; b; END.
StatementPtr Parser::begin() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::StatementSet>();
  in_.expect_sequence({"STATEMENT", "SET"});
  in_.expect(TokenKind::kSemicolon);
  statement_set_body(*node);
  return finish(std::move(node), begin);
}

StatementPtr Parser::execute() {
  const std::size_t begin = in_.take().range.begin;
  if (in_.is("STATEMENT")) return statement_set(true);
  if (in_.is("INSERT")) return insert(true);
  if (in_.accept("PLAN")) {
    auto node = std::make_unique<ast::ExecutePlan>();
    node->file = string_text("the plan file in single quotes");
    return finish(std::move(node), begin);
  }
  if (is_query_start()) return query_statement(true);
  in_.fail_expected("STATEMENT SET, INSERT, SELECT or PLAN after EXECUTE");
  return missing_statement();
}

StatementPtr Parser::update() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Update>();
  node->table = object_name("a table name");
  if (in_.accept("AS")) {
    node->alias = name("a name for the table");
  } else if (is_name()) {
    node->alias = take_name();
  }
  in_.expect("SET");
  do {
    ast::Assignment assignment;
    assignment.column = name("a column name");
    in_.expect(TokenKind::kEqual);
    assignment.value = expression();
    node->assignments.push_back(std::move(assignment));
  } while (in_.accept(TokenKind::kComma));
  if (in_.accept("WHERE")) node->where = expression();
  return finish(std::move(node), begin);
}

StatementPtr Parser::delete_from() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Delete>();
  in_.expect("FROM");
  node->table = object_name("a table name");
  if (in_.accept("AS")) {
    node->alias = name("a name for the table");
  } else if (is_name()) {
    node->alias = take_name();
  }
  if (in_.accept("WHERE")) node->where = expression();
  return finish(std::move(node), begin);
}

StatementPtr Parser::truncate() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Truncate>();
  in_.expect("TABLE");
  node->table = object_name("a table name");
  return finish(std::move(node), begin);
}

// EXPLAIN [PLAN FOR | AST | details] statement.
StatementPtr Parser::explain() {
  using ast::ExplainDetail;
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Explain>();
  if (in_.accept("PLAN")) {
    in_.expect("FOR");
  } else if (!in_.accept("AST")) {
    bool more = true;
    while (more) {
      if (in_.accept("ESTIMATED_COST")) {
        node->details.push_back(ExplainDetail::kEstimatedCost);
      } else if (in_.accept("CHANGELOG_MODE")) {
        node->details.push_back(ExplainDetail::kChangelogMode);
      } else if (in_.accept("PLAN_ADVICE")) {
        node->details.push_back(ExplainDetail::kPlanAdvice);
      } else if (in_.accept("JSON_EXECUTION_PLAN")) {
        node->details.push_back(ExplainDetail::kJsonExecutionPlan);
      } else if (!node->details.empty()) {
        in_.fail_expected("an EXPLAIN detail after ','");
      }
      more = !node->details.empty() && in_.accept(TokenKind::kComma);
    }
  }
  node->statement = explained_statement();
  return finish(std::move(node), begin);
}

StatementPtr Parser::explained_statement() {
  if (is_query_start() || in_.is(TokenKind::kLeftParen)) return query_statement(false);
  if (in_.is("INSERT")) return insert(false);
  if (in_.is("EXECUTE")) return execute();
  if (in_.is("STATEMENT")) return statement_set(false);
  if (in_.is("CREATE") || in_.is("REPLACE")) return create();
  if (in_.is("UPDATE")) return update();
  if (in_.is("DELETE")) return delete_from();
  in_.fail_expected("a statement to explain (SELECT, INSERT, STATEMENT SET or CREATE TABLE AS)");
  return missing_statement();
}

// COMPILE [AND EXECUTE] PLAN 'file' [IF NOT EXISTS] FOR statement.
StatementPtr Parser::compile_plan() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::CompilePlan>();
  if (in_.accept("AND")) {
    in_.expect("EXECUTE");
    node->execute = true;
  }
  in_.expect("PLAN");
  node->file = string_text("the plan file in single quotes");
  node->if_not_exists = if_not_exists();
  in_.expect("FOR");
  if (in_.is("STATEMENT")) {
    node->statement = statement_set(false);
  } else if (in_.is("INSERT")) {
    node->statement = insert(false);
  } else {
    in_.fail_expected("INSERT or STATEMENT SET");
    node->statement = missing_statement();
  }
  return finish(std::move(node), begin);
}

StatementPtr Parser::set() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::SetOption>();
  if (in_.is(TokenKind::kEnd) || in_.is(TokenKind::kSemicolon)) {
    return finish(std::move(node), begin);
  }
  ast::Option option;
  if (!in_.is(TokenKind::kString)) {
    const Token token = in_.peek();
    if (token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName) {
      in_.fail(
          {token.range, "the key of SET stands in single quotes", "write SET 'key' = 'value'"});
    }
    in_.fail_expected("a key in single quotes");
    return finish(std::move(node), begin);
  }
  option.key = string_value(&option.key_range);
  in_.expect(TokenKind::kEqual);
  if (!in_.is(TokenKind::kString)) {
    in_.fail_expected("a value in single quotes");
    return finish(std::move(node), begin);
  }
  option.value = string_value(&option.value_range);
  node->option = std::move(option);
  return finish(std::move(node), begin);
}

StatementPtr Parser::reset() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::ResetOption>();
  if (!in_.is(TokenKind::kEnd) && !in_.is(TokenKind::kSemicolon)) {
    if (in_.is(TokenKind::kString)) {
      node->key = string_value(&node->key_range);
    } else {
      in_.fail_expected("a key in single quotes");
    }
  }
  return finish(std::move(node), begin);
}

StatementPtr Parser::use() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Use>();
  if (in_.is("CATALOG") && is_name(1)) {
    in_.take();
    node->use = ast::UseKind::kCatalog;
    node->name.parts.push_back(take_name());
  } else if (in_.accept("MODULES")) {
    node->use = ast::UseKind::kModules;
    do {
      node->names.push_back(name("a module name"));
    } while (in_.accept(TokenKind::kComma));
  } else {
    node->name = object_name("CATALOG, MODULES or a database name");
  }
  return finish(std::move(node), begin);
}

StatementPtr Parser::call_statement() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Call>();
  ast::ObjectName procedure = object_name("the name of a procedure");
  if (!in_.is(TokenKind::kLeftParen)) in_.fail_expected("'(' and the arguments of the procedure");
  node->call = call(std::move(procedure), ast::MatchSemantics::kNone);
  return finish(std::move(node), begin);
}

StatementPtr Parser::module(bool load) {
  const std::size_t begin = in_.take().range.begin;
  in_.expect("MODULE");
  ast::Identifier module_name = name("a module name");
  if (!load) {
    auto node = std::make_unique<ast::UnloadModule>();
    node->name = std::move(module_name);
    return finish(std::move(node), begin);
  }
  auto node = std::make_unique<ast::LoadModule>();
  node->name = std::move(module_name);
  node->options = with_options();
  return finish(std::move(node), begin);
}

StatementPtr Parser::jar(bool remove) {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Jar>();
  node->remove = remove;
  in_.expect("JAR");
  node->path = string_text("the path in single quotes");
  return finish(std::move(node), begin);
}

StatementPtr Parser::stop_job() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::StopJob>();
  in_.expect("JOB");
  node->job_id = string_text("the id of the job in single quotes");
  node->with_savepoint = in_.accept_sequence({"WITH", "SAVEPOINT"});
  node->with_drain = in_.accept_sequence({"WITH", "DRAIN"});
  return finish(std::move(node), begin);
}

StatementPtr Parser::client_command(ast::ClientCommandKind kind) {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::ClientCommand>();
  node->command = kind;
  return finish(std::move(node), begin);
}

}  // namespace clepsydra::grammar
