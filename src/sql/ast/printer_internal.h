// The machinery of ast/print.h: one growing text. Parts: print_expression.cc, print_query.cc,
// print_statement.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/alter.h"
#include "sql/ast/create.h"
#include "sql/ast/expression.h"
#include "sql/ast/print.h"
#include "sql/ast/query.h"
#include "sql/ast/statement.h"
#include "sql/ast/type.h"

namespace clepsydra::ast {

class Printer {
 public:
  void distribution(const Distribution& d);
  Printer() = default;
  // Replaces names of tables; `qualify` must outlive this.
  explicit Printer(const QualifyTable& qualify) : qualify_(&qualify) {}

  std::string take() { return std::move(out_); }

  void expression(const Expression& e);
  void query(const Query& q);
  void statement(const Statement& s);
  void type(const TypeName& t);
  void interval(const IntervalQualifier& q);
  void object_name(const ObjectName& n);

 private:
  void put(std::string_view text) { out_ += text; }
  void name(const Identifier& n);
  void table_name(const ObjectName& n);  // Of a table that a query reads.
  void names(const std::vector<Identifier>& n, std::string_view separator = ", ");
  void name_list(const std::vector<Identifier>& n);  // (a, b)
  void string(std::string_view text);
  template <typename Items, typename Print>
  void list(const Items& items, Print print) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) put(", ");
      first = false;
      print(item);
    }
  }

  // Expressions.
  void operand(const Expression& e, int min_precedence);
  void expressions(const std::vector<ExpressionPtr>& e);
  void literal(const Literal& l);
  void operation(const Operation& o);
  void between(const Between& b);
  void like(const Like& l);
  void quantified(const Quantified& q);
  void case_expression(const Case& c);
  void call(const FunctionCall& c);
  void call_arguments(const FunctionCall& c);
  void json_arguments(const FunctionCall& c);
  void json_handler(const JsonHandler& h, std::string_view on);
  void call_suffixes(const FunctionCall& c);
  void function_name(const ObjectName& n);
  void trim(const Trim& t);
  void constructor(const Constructor& c);
  void table_argument(const TableArgument& t);
  void window(const WindowSpecification& w);
  void frame_bound(const FrameBound& b);
  void order_by(const std::vector<OrderItem>& items);
  void type_fields(const std::vector<TypeField>& fields);
  void type_parameters(const TypeName& t);

  // Queries.
  void select(const Select& s);
  void set_operation(const SetOperation& s);
  void values(const Values& v);
  void grouping(const GroupingElement& g);
  void from(const FromItem& f);
  void from_operand(const FromItem& f, bool parentheses);
  void join(const Join& j);
  void match(const MatchRecognize& m);
  void pattern(const Pattern& p);
  void pattern_operand(const Pattern& p);
  void alias(const std::optional<TableAlias>& a);
  void hints(const std::vector<Hint>& h);

  // Statements.
  void options(const std::vector<Option>& o);
  void with_options(const std::vector<Option>& o);
  void keys(const std::vector<std::string>& k);
  void partition(const std::vector<PartitionValue>& p);
  void comment(const std::optional<std::string>& c);
  void insert(const Insert& s);
  void update(const Update& s);
  void remove(const Delete& s);
  void explain(const Explain& s);
  void show(const Show& s);
  void describe(const Describe& s);
  void drop(const Drop& s);
  void analyze(const AnalyzeTable& s);
  void schema(const TableSchema& s);
  void column(const ColumnDefinition& c);
  void key(const KeyConstraint& k);
  void watermark(const WatermarkDefinition& w);
  void table_parts(const TableSchema& s, const std::optional<std::string>& c,
                   const std::optional<Distribution>& d, const std::vector<Identifier>& partitioned,
                   const std::vector<Option>& o);
  void create_table(const CreateTable& s);
  void like_clause(const LikeClause& l);
  void create_view(const CreateView& s);
  void create_function(const CreateFunction& s);
  void language(FunctionLanguage l);
  void create_model(const CreateModel& s);
  void create_materialized_table(const CreateMaterializedTable& s);
  void create(const Statement& s);
  void alter(const Statement& s);
  void change(const TableChange& c);
  void schema_change(const TableChange& c);
  void alter_materialized_table(const AlterMaterializedTable& s);
  void alter_view(const AlterView& s);
  void alter_object(const AlterObject& s);
  void session(const Statement& s);

  std::string out_;
  const QualifyTable* qualify_ = nullptr;     // May be null.
  std::vector<std::string_view> with_names_;  // Names of WITH that are known here.
};

}  // namespace clepsydra::ast
