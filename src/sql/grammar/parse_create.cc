// CREATE and REPLACE.
#include <charconv>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {

using ast::StatementPtr;

StatementPtr Parser::create() {
  const std::size_t begin = in_.peek().range.begin;
  const bool create = in_.accept("CREATE");
  bool replace = !create;
  bool or_alter = false;
  if (create && in_.accept("OR")) {
    or_alter = in_.accept("ALTER");
    if (!or_alter) in_.expect("REPLACE");
    replace = !or_alter;
  }
  if (!create) in_.expect("REPLACE");
  const bool temporary = create && in_.accept("TEMPORARY");
  const bool system = temporary && in_.accept("SYSTEM");
  StatementPtr result;
  if (in_.accept_sequence({"MATERIALIZED", "TABLE"}) && !replace && !temporary) {
    result = create_materialized_table(or_alter);
  } else if (or_alter) {
    in_.fail_expected("MATERIALIZED TABLE after OR ALTER");
  } else if (in_.accept("TABLE") && !system) {
    result = create_table(temporary, create, replace);
  } else if (replace) {
    in_.fail_expected("TABLE after REPLACE");
  } else if (in_.accept("FUNCTION")) {
    result = create_function(temporary, system);
  } else if (in_.accept("CONNECTION")) {
    result = create_connection(temporary, system);
  } else if (system) {
    in_.fail_expected("FUNCTION or CONNECTION after SYSTEM");
  } else if (in_.accept("VIEW")) {
    result = create_view(temporary);
  } else if (in_.accept("MODEL")) {
    result = create_model(temporary);
  } else if (!temporary && in_.accept("CATALOG")) {
    result = create_catalog();
  } else if (!temporary && in_.accept("DATABASE")) {
    result = create_database();
  } else {
    in_.fail_expected(
        "TABLE, VIEW, FUNCTION, DATABASE, CATALOG, MODEL or another object after CREATE");
  }
  if (result == nullptr) result = std::make_unique<ast::CreateView>();
  result->range = in_.range_from(begin);
  return result;
}

StatementPtr Parser::create_table(bool temporary, bool create, bool replace) {
  auto node = std::make_unique<ast::CreateTable>();
  node->temporary = temporary;
  node->create = create;
  node->replace = replace;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a table name");
  if (in_.is(TokenKind::kLeftParen)) node->schema = table_schema();
  node->comment = comment();
  node->distribution = distribution();
  node->partitioned_by = partitioned_by();
  node->options = with_options();
  if (in_.is("LIKE")) {
    node->like = like_clause();
  } else if (in_.accept("AS")) {
    node->query = query();
  } else if (!node->schema.column_names.empty()) {
    in_.fail_expected("a data type for each column, or AS with a query");
  }
  if (replace && node->query == nullptr) in_.fail_expected("AS with a query");
  return node;
}

ast::TableSchema Parser::table_schema() {
  ast::TableSchema schema;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  do {
    table_element(schema);
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return schema;
}

void Parser::table_element(ast::TableSchema& schema) {
  if (in_.is("WATERMARK")) {
    const Token token = in_.peek();
    ast::WatermarkDefinition definition = watermark();
    if (schema.watermark) {
      in_.fail({token.range, "a table can have one WATERMARK only", ""});
      return;
    }
    schema.watermark = std::move(definition);
    return;
  }
  if (in_.is_one_of({"CONSTRAINT", "PRIMARY", "UNIQUE"})) {
    schema.keys.push_back(key_constraint());
    return;
  }
  ast::Identifier column = name("a column name");
  // Names alone give the order of the query's columns in CREATE TABLE .. AS.
  if (in_.is(TokenKind::kComma) || in_.is(TokenKind::kRightParen)) {
    if (!schema.columns.empty()) in_.fail_expected("a data type");
    schema.column_names.push_back(std::move(column));
    return;
  }
  if (!schema.column_names.empty()) in_.fail_expected("',' or ')'");
  schema.columns.push_back(column_definition(std::move(column)));
}

ast::ColumnDefinition Parser::column_definition(ast::Identifier column_name) {
  ast::ColumnDefinition column;
  const std::size_t begin = column_name.range.begin;
  column.name = std::move(column_name);
  if (in_.accept("AS")) {
    column.kind = ast::ColumnKind::kComputed;
    column.computed = expression();
    column.comment = comment();
    column.range = in_.range_from(begin);
    return column;
  }
  column.type = type();
  if (in_.accept("METADATA")) {
    column.kind = ast::ColumnKind::kMetadata;
    if (in_.accept("FROM")) column.metadata_key = string_text("the metadata key in single quotes");
    column.metadata_virtual = in_.accept("VIRTUAL");
  } else {
    column_constraints(column);
  }
  column.comment = comment();
  column.range = in_.range_from(begin);
  return column;
}

void Parser::column_constraints(ast::ColumnDefinition& column) {
  if (in_.accept("PRIMARY")) {
    in_.expect("KEY");
    column.primary_key = true;
  } else if (in_.accept("UNIQUE")) {
    column.unique = true;
  } else {
    return;
  }
  enforcement(column.constraint_enforced, column.constraint_not_enforced);
}

// [CONSTRAINT name] {PRIMARY KEY | UNIQUE} (a, b) [[NOT] ENFORCED].
ast::KeyConstraint Parser::key_constraint() {
  ast::KeyConstraint key;
  const std::size_t begin = in_.peek().range.begin;
  if (in_.accept("CONSTRAINT")) key.name = name("a name for the constraint");
  if (in_.accept("UNIQUE")) {
    key.primary = false;
  } else {
    in_.expect_sequence({"PRIMARY", "KEY"});
  }
  key.columns = name_list("a column name");
  enforcement(key.enforced, key.not_enforced);
  key.range = in_.range_from(begin);
  return key;
}

void Parser::enforcement(bool& enforced, bool& not_enforced) {
  not_enforced = in_.accept_sequence({"NOT", "ENFORCED"});
  enforced = !not_enforced && in_.accept("ENFORCED");
}

ast::WatermarkDefinition Parser::watermark() {
  ast::WatermarkDefinition definition;
  const std::size_t begin = in_.peek().range.begin;
  in_.expect_sequence({"WATERMARK", "FOR"});
  definition.column = nested_name("a column name");
  in_.expect("AS");
  definition.expression = expression();
  definition.range = in_.range_from(begin);
  return definition;
}

std::optional<ast::Distribution> Parser::distribution() {
  if (!in_.accept("DISTRIBUTED")) return std::nullopt;
  return distribution_body();
}

// [BY [HASH|RANGE] (a, b)] [INTO n BUCKETS]: at least one of the two.
ast::Distribution Parser::distribution_body() {
  ast::Distribution result;
  const std::size_t begin = in_.peek().range.begin;
  const bool by = in_.accept("BY");
  if (by) {
    if (in_.accept("HASH")) {
      result.kind = ast::DistributionKind::kHash;
    } else if (in_.accept("RANGE")) {
      result.kind = ast::DistributionKind::kRange;
    }
    result.columns = name_list("a column name");
  }
  if (in_.accept("INTO")) {
    result.buckets = small_number();
    in_.expect("BUCKETS");
  } else if (!by) {
    in_.fail_expected("BY or INTO");
  }
  result.range = in_.range_from(begin);
  return result;
}

std::vector<ast::Identifier> Parser::partitioned_by() {
  if (!in_.accept("PARTITIONED")) return {};
  in_.expect("BY");
  return name_list("a column name");
}

ast::LikeClause Parser::like_clause() {
  using ast::LikeAction;
  using ast::LikeFeature;
  ast::LikeClause clause;
  const std::size_t begin = in_.take().range.begin;
  clause.source = object_name("a table name");
  if (in_.is(TokenKind::kLeftParen)) {
    const Token open = in_.take();
    while (!in_.failed() && !in_.is(TokenKind::kRightParen)) {
      ast::LikeOption option;
      const std::size_t option_begin = in_.peek().range.begin;
      if (in_.accept("EXCLUDING")) {
        option.action = LikeAction::kExcluding;
      } else if (in_.accept("OVERWRITING")) {
        option.action = LikeAction::kOverwriting;
      } else if (!in_.accept("INCLUDING")) {
        in_.fail_expected("INCLUDING, EXCLUDING or OVERWRITING");
      }
      if (in_.accept("ALL")) {
        option.feature = LikeFeature::kAll;
      } else if (in_.accept("CONSTRAINTS")) {
        option.feature = LikeFeature::kConstraints;
      } else if (in_.accept("DISTRIBUTION")) {
        option.feature = LikeFeature::kDistribution;
      } else if (in_.accept("GENERATED")) {
        option.feature = LikeFeature::kGenerated;
      } else if (in_.accept("METADATA")) {
        option.feature = LikeFeature::kMetadata;
      } else if (in_.accept("OPTIONS")) {
        option.feature = LikeFeature::kOptions;
      } else if (in_.accept("PARTITIONS")) {
        option.feature = LikeFeature::kPartitions;
      } else if (in_.accept("WATERMARKS")) {
        option.feature = LikeFeature::kWatermarks;
      } else {
        in_.fail_expected(
            "ALL, CONSTRAINTS, DISTRIBUTION, GENERATED, METADATA, OPTIONS, PARTITIONS "
            "or WATERMARKS");
      }
      option.range = in_.range_from(option_begin);
      clause.options.push_back(option);
    }
    in_.expect_close(open.range);
  }
  clause.range = in_.range_from(begin);
  return clause;
}

StatementPtr Parser::create_view(bool temporary) {
  auto node = std::make_unique<ast::CreateView>();
  node->temporary = temporary;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the view");
  if (in_.is(TokenKind::kLeftParen)) node->columns = name_list("a column name");
  node->comment = comment();
  in_.expect("AS");
  node->query = query();
  return node;
}

StatementPtr Parser::create_catalog() {
  auto node = std::make_unique<ast::CreateCatalog>();
  node->if_not_exists = if_not_exists();
  node->name = name("a name for the catalog");
  node->comment = comment();
  node->options = with_options();
  return node;
}

StatementPtr Parser::create_database() {
  auto node = std::make_unique<ast::CreateDatabase>();
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the database");
  node->comment = comment();
  node->options = with_options();
  return node;
}

StatementPtr Parser::create_function(bool temporary, bool system) {
  auto node = std::make_unique<ast::CreateFunction>();
  node->temporary = temporary;
  node->system = system;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the function");
  in_.expect("AS");
  node->identifier_range = in_.peek().range;
  node->identifier = string_text("the implementation in single quotes");
  if (in_.accept("LANGUAGE")) {
    node->language_range = in_.peek().range;
    node->language = function_language();
  }
  if (in_.accept("USING")) {
    do {
      ast::FunctionResource resource;
      resource.range = in_.peek().range;
      resource.artifact = in_.accept("ARTIFACT");
      if (!resource.artifact) in_.expect("JAR");
      resource.range = ast::cover(resource.range, in_.peek().range);
      resource.uri = string_text("the location in single quotes");
      node->resources.push_back(std::move(resource));
    } while (in_.accept(TokenKind::kComma));
  }
  node->options = with_options();
  return node;
}

ast::FunctionLanguage Parser::function_language() {
  if (in_.accept("JAVA")) return ast::FunctionLanguage::kJava;
  if (in_.accept("SCALA")) return ast::FunctionLanguage::kScala;
  if (in_.accept("PYTHON")) return ast::FunctionLanguage::kPython;
  if (in_.accept("SQL")) return ast::FunctionLanguage::kSql;
  if (in_.accept("CPP")) return ast::FunctionLanguage::kCpp;
  in_.fail_expected("CPP, JAVA, SCALA, SQL or PYTHON");
  return ast::FunctionLanguage::kDefault;
}

StatementPtr Parser::create_model(bool temporary) {
  auto node = std::make_unique<ast::CreateModel>();
  node->temporary = temporary;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the model");
  if (in_.accept("INPUT")) node->inputs = model_columns();
  if (in_.accept("OUTPUT")) node->outputs = model_columns();
  node->comment = comment();
  node->options = with_options();
  if (in_.accept("AS")) node->query = query();
  return node;
}

std::vector<ast::ColumnDefinition> Parser::model_columns() {
  std::vector<ast::ColumnDefinition> columns;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  do {
    columns.push_back(column_definition(name("a column name")));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return columns;
}

StatementPtr Parser::create_materialized_table(bool or_alter) {
  auto node = std::make_unique<ast::CreateMaterializedTable>();
  node->or_alter = or_alter;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the materialized table");
  if (in_.is(TokenKind::kLeftParen)) node->schema = table_schema();
  node->comment = comment();
  node->distribution = distribution();
  node->partitioned_by = partitioned_by();
  node->options = with_options();
  if (in_.accept("FRESHNESS")) {
    in_.expect(TokenKind::kEqual);
    if (!in_.is("INTERVAL")) in_.fail_expected("INTERVAL");
    node->freshness = expression();
  }
  if (in_.accept("REFRESH_MODE")) {
    in_.expect(TokenKind::kEqual);
    node->refresh_mode = refresh_mode();
  }
  if (in_.accept("START_MODE")) {
    in_.expect(TokenKind::kEqual);
    node->start_mode = start_mode();
  }
  in_.expect("AS");
  node->query = query();
  return node;
}

ast::RefreshMode Parser::refresh_mode() {
  if (in_.accept("FULL")) return ast::RefreshMode::kFull;
  if (!in_.accept("CONTINUOUS")) in_.fail_expected("CONTINUOUS or FULL");
  return ast::RefreshMode::kContinuous;
}

ast::StartMode Parser::start_mode() {
  using ast::StartModeKind;
  ast::StartMode mode;
  if (in_.accept("FROM_BEGINNING")) {
    mode.kind = StartModeKind::kFromBeginning;
  } else if (in_.accept("FROM_NOW")) {
    mode.kind = StartModeKind::kFromNow;
  } else if (in_.accept("FROM_TIMESTAMP")) {
    mode.kind = StartModeKind::kFromTimestamp;
  } else if (in_.accept("RESUME_OR_FROM_BEGINNING")) {
    mode.kind = StartModeKind::kResumeOrFromBeginning;
  } else if (in_.accept("RESUME_OR_FROM_NOW")) {
    mode.kind = StartModeKind::kResumeOrFromNow;
  } else if (in_.accept("RESUME_OR_FROM_TIMESTAMP")) {
    mode.kind = StartModeKind::kResumeOrFromTimestamp;
  } else {
    in_.fail_expected("a start mode such as FROM_BEGINNING or RESUME_OR_FROM_NOW");
  }
  const bool needs_argument = mode.kind == StartModeKind::kFromTimestamp ||
                              mode.kind == StartModeKind::kResumeOrFromTimestamp;
  if (in_.is(TokenKind::kLeftParen)) {
    const Token open = in_.take();
    mode.argument = expression();
    in_.expect_close(open.range);
  } else if (needs_argument) {
    in_.fail_expected("'(' and a timestamp");
  }
  return mode;
}

StatementPtr Parser::create_connection(bool temporary, bool system) {
  auto node = std::make_unique<ast::CreateConnection>();
  node->temporary = temporary;
  node->system = system;
  node->if_not_exists = if_not_exists();
  node->name = object_name("a name for the connection");
  node->comment = comment();
  in_.expect("WITH");
  node->options = options();
  return node;
}

}  // namespace clepsydra::grammar
