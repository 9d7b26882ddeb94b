// The recursive-descent parser behind grammar/parser.h; its parts are in the parse_*.cc files.
//
// Every parse function starts at its first token and returns a node that is never null, also after
// an error (see TokenStream); what it returns then is thrown away by the caller at the top.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast/alter.h"
#include "sql/ast/create.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"
#include "sql/ast/statement.h"
#include "sql/ast/type.h"
#include "sql/grammar/token_stream.h"

namespace clepsydra::grammar {

// How tightly operators bind, as in the reference.
enum Precedence : int {
  kLowest = 0,
  kMultisetUnionPrecedence = 14,
  kMultisetIntersectPrecedence = 18,
  kOrPrecedence = 22,
  kAndPrecedence = 24,
  kNotPrecedence = 26,
  kIsPrecedence = 28,
  kComparisonPrecedence = 30,
  kBetweenPrecedence = 32,  // BETWEEN, IN, LIKE, SIMILAR TO
  kAdditivePrecedence = 40,
  kMultiplicativePrecedence = 60,  // and ||
  kUnaryPrecedence = 80,
};

class Parser {
 public:
  Parser(std::string_view text, std::size_t offset, std::size_t valid_end)
      : in_(text, offset, valid_end) {}

  TokenStream& tokens() { return in_; }

  ast::StatementPtr statement();
  ast::ExpressionPtr expression(int min_precedence = kLowest);
  ast::TypeName type();

 private:
  // Counts how deep the parser and the tree are, and fails above kMaxNesting. A parse function that
  // can reach itself opens one; code that puts a node on top of what it has so far calls wrap().
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting();
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
    int outer_height_;
  };
  void wrap();
  void fail_nesting();

  // Names and small parts: parse_names.cc.
  bool is_name(std::size_t count = 0);
  ast::Identifier name(std::string_view what);
  ast::Identifier take_name();  // The current token, whatever word it is.
  ast::ObjectName object_name(std::string_view what);
  std::vector<ast::Identifier> name_list(std::string_view what);  // (a, b)
  std::string string_text(std::string_view what);
  std::string string_value(ast::SourceRange* range = nullptr);  // At a string token.
  std::string unicode_string(const Token& token);
  std::string charset_string(const Token& token);
  // `odd`: set when half a byte is left over.
  std::string binary_string(bool& odd);
  std::optional<std::int32_t> small_number();
  std::vector<ast::Option> options();       // ('k' = 'v', ...)
  std::vector<ast::Option> with_options();  // [WITH (...)]
  std::vector<std::string> option_keys();
  std::optional<std::string> comment();  // [COMMENT 'text']
  std::vector<ast::Hint> hints();
  ast::Hint hint();
  std::vector<ast::PartitionValue> partition();  // (k = v, ...) after PARTITION
  bool if_exists();
  bool if_not_exists();

  // Types: parse_type.cc.
  ast::TypeName base_type();
  void type_parameters(ast::TypeName& type, bool with_scale);
  bool simple_type(ast::TypeName& type);
  void character_type(ast::TypeName& type);
  void timestamp_type(ast::TypeName& type);
  void row_type(ast::TypeName& type);
  void type_fields(ast::TypeName& type, TokenKind close);
  void class_type(ast::TypeName& type);
  std::optional<ast::TimeUnit> accept_time_unit();
  ast::TimeUnit time_unit();
  ast::IntervalQualifier interval_qualifier();

  // Operators: parse_expression.cc.
  ast::ExpressionPtr prefix();
  ast::ExpressionPtr continued(ast::ExpressionPtr left, int min_precedence);
  bool infix(ast::ExpressionPtr& left, int min_precedence, ast::Operation*& chain);
  bool negatable(ast::ExpressionPtr& left, int min_precedence);
  void is_test(ast::ExpressionPtr& left);
  void multiset_operator(ast::ExpressionPtr& left);
  void binary(ast::ExpressionPtr& left, ast::Operator op, ast::SourceRange op_range, int right);
  ast::ExpressionPtr between(ast::ExpressionPtr value, bool negated);
  ast::ExpressionPtr in(ast::ExpressionPtr value, bool negated);
  ast::ExpressionPtr like(ast::ExpressionPtr value, bool negated);
  ast::ExpressionPtr quantified(ast::ExpressionPtr value, ast::Operator op);

  // Operands: parse_operand.cc.
  ast::ExpressionPtr operand();
  ast::ExpressionPtr subscripts(ast::ExpressionPtr value);
  ast::ExpressionPtr brace_escape();
  ast::ExpressionPtr word_operand();
  ast::ExpressionPtr name_operand();
  ast::ExpressionPtr parenthesised();
  ast::ExpressionPtr interval_difference(ast::ExpressionPtr value, std::size_t begin);
  ast::ExpressionPtr query_value(ast::QueryPtr query, std::size_t begin);
  ast::ExpressionPtr literal(ast::LiteralKind kind, std::string text, std::size_t begin);
  ast::ExpressionPtr interval_literal();
  ast::ExpressionPtr case_expression();
  ast::ExpressionPtr cast();
  ast::ExpressionPtr constructor(ast::ConstructorKind kind);
  std::vector<ast::ExpressionPtr> expression_list(TokenKind close);
  ast::ExpressionPtr placeholder();

  // Calls: parse_call.cc.
  ast::ExpressionPtr call(ast::ObjectName name, ast::MatchSemantics semantics);
  ast::ExpressionPtr trim();  // Behind the word TRIM.
  void extract_arguments(ast::FunctionCall& call);
  void round_arguments(ast::FunctionCall& call);
  void timestamp_arguments(ast::FunctionCall& call);
  void worded_arguments(ast::FunctionCall& call, std::initializer_list<Word> words);
  void json_object_arguments(ast::FunctionCall& call);
  void json_arguments(ast::FunctionCall& call, Word function);
  void json_path_clauses(ast::JsonClauses& json);
  void json_null_clause(ast::JsonClauses& json);
  bool json_handler(ast::JsonHandler& handler);
  void add_argument(ast::FunctionCall& call, ast::ExpressionPtr value);
  void call_arguments(ast::FunctionCall& call);
  ast::Argument argument();
  ast::ExpressionPtr table_argument();
  void table_argument_clauses(ast::TableArgument& table);
  void call_suffixes(ast::FunctionCall& call);
  bool null_treatment(ast::FunctionCall& call);
  ast::WindowSpecification window_specification();  // From '('.
  ast::WindowFrame window_frame();
  ast::FrameBound frame_bound();
  std::vector<ast::OrderItem> order_by();  // Behind ORDER BY.
  ast::OrderItem order_item();

  // Queries: parse_query.cc.
  bool is_query_start(std::size_t count = 0);
  ast::QueryPtr query();
  ast::QueryPtr query_from(
      ast::QueryPtr first);  // Set operations and ORDER BY behind a first operand.
  bool is_query_continuation();
  ast::QueryPtr set_operations(ast::QueryPtr left);
  ast::QueryPtr intersections(ast::QueryPtr left);
  void add_input(ast::QueryPtr& left, ast::SetOperation*& chain, ast::SetOperator op);
  void order_and_limit(ast::QueryPtr& query);
  ast::QueryPtr query_operand();
  ast::QueryPtr body_query(ast::QueryBodyPtr body);
  void with_clause(ast::Query& query);
  ast::QueryBodyPtr select();
  ast::SelectItem select_item();
  std::optional<ast::Identifier> alias();
  void group_by(ast::Select& select);
  ast::GroupingElement grouping_element();
  void named_windows(ast::Select& select);
  ast::QueryBodyPtr values();

  // FROM: parse_from.cc.
  ast::FromItemPtr from();
  ast::FromItemPtr joins(ast::FromItemPtr left);
  bool is_join();
  ast::FromItemPtr join(ast::FromItemPtr left);
  ast::FromItemPtr table_factor();
  ast::FromItemPtr table_primary();
  ast::FromItemPtr parenthesised_from(bool lateral);
  ast::FromItemPtr named_table(bool lateral);
  ast::FromItemPtr table_function(bool lateral);
  ast::FromItemPtr unnest(bool lateral);
  std::optional<ast::TableAlias> table_alias();
  ast::TableSample table_sample();
  ast::FromItemPtr match_recognize(ast::FromItemPtr input);
  void match_rows(ast::MatchRecognize& match);
  ast::SkipClause skip_clause();
  ast::Pattern pattern();
  ast::Pattern pattern_sequence();
  ast::Pattern pattern_factor();
  ast::Pattern pattern_primary();
  void pattern_quantifier(ast::Pattern& quantified);

  // Statements: parse_statement.cc, parse_show.cc.
  ast::StatementPtr statement_body();
  ast::StatementPtr unsupported_statement();
  ast::StatementPtr query_statement(bool execute);
  ast::StatementPtr insert(bool execute);
  std::unique_ptr<ast::Insert> insert_node(bool execute);
  void on_conflict(ast::Insert& insert);
  ast::StatementPtr statement_set(bool execute);
  void statement_set_body(ast::StatementSet& set);
  ast::StatementPtr begin();
  ast::StatementPtr execute();
  ast::StatementPtr update();
  ast::StatementPtr delete_from();
  ast::StatementPtr truncate();
  ast::StatementPtr explain();
  ast::StatementPtr explained_statement();
  ast::StatementPtr compile_plan();
  ast::StatementPtr set();
  ast::StatementPtr reset();
  ast::StatementPtr use();
  ast::StatementPtr show();
  void show_list(ast::Show& show);
  void show_pattern(ast::Show& show);
  ast::StatementPtr describe();
  ast::StatementPtr drop();
  ast::StatementPtr analyze();
  ast::StatementPtr call_statement();
  ast::StatementPtr module(bool load);
  ast::StatementPtr jar(bool remove);
  ast::StatementPtr stop_job();
  ast::StatementPtr client_command(ast::ClientCommandKind kind);

  // CREATE: parse_create.cc.
  ast::StatementPtr create();
  ast::StatementPtr create_table(bool temporary, bool create, bool replace);
  ast::TableSchema table_schema();
  void table_element(ast::TableSchema& schema);
  ast::ColumnDefinition column_definition(ast::Identifier name);
  void column_constraints(ast::ColumnDefinition& column);
  ast::KeyConstraint key_constraint();
  void enforcement(bool& enforced, bool& not_enforced);
  ast::WatermarkDefinition watermark();
  std::optional<ast::Distribution> distribution();
  ast::Distribution distribution_body();
  std::vector<ast::Identifier> partitioned_by();
  ast::LikeClause like_clause();
  ast::StatementPtr create_view(bool temporary);
  ast::StatementPtr create_catalog();
  ast::StatementPtr create_database();
  ast::StatementPtr create_function(bool temporary, bool system);
  ast::FunctionLanguage function_language();
  ast::StatementPtr create_model(bool temporary);
  std::vector<ast::ColumnDefinition> model_columns();
  ast::StatementPtr create_materialized_table(bool or_alter);
  ast::RefreshMode refresh_mode();
  ast::StartMode start_mode();
  ast::StatementPtr create_connection(bool temporary, bool system);

  // ALTER: parse_alter.cc.
  ast::StatementPtr alter();
  ast::StatementPtr alter_table();
  void table_change(ast::TableChange& change);
  void rename(ast::TableChange& change);
  void add_or_modify(ast::TableChange& change, bool add);
  void schema_element(ast::TableChange& change);
  void drop_part(ast::TableChange& change);
  ast::PartitionSpec partition_spec();
  std::vector<ast::Identifier> nested_name(std::string_view what);
  ast::StatementPtr alter_materialized_table();
  ast::StatementPtr alter_view();
  ast::StatementPtr alter_object(ast::ObjectKind kind, bool temporary, bool system);
  ast::StatementPtr alter_function(bool temporary, bool system);

  template <typename T>
  std::unique_ptr<T> finish(std::unique_ptr<T> node, std::size_t begin) {
    node->range = in_.range_from(begin);
    return node;
  }

  TokenStream in_;
  int depth_ = 0;   // Parse functions that are open.
  int height_ = 0;  // An upper bound of the height of what the innermost of them has built.
};

}  // namespace clepsydra::grammar
