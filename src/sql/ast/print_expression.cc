#include <algorithm>
#include <array>
#include <utility>

#include "sql/ast/print.h"
#include "sql/ast/printer_internal.h"
#include "sql/grammar/keyword.h"

namespace clepsydra::ast {
namespace {

// Binding strengths, as the parser's.
constexpr int kNot = 26;
constexpr int kIs = 28;
constexpr int kComparison = 30;
constexpr int kBetween = 32;
constexpr int kUnary = 80;
constexpr int kOperand = 100;

int precedence(Operator op) {
  switch (op) {
    case Operator::kMultisetUnion:
    case Operator::kMultisetUnionAll:
    case Operator::kMultisetExcept:
    case Operator::kMultisetExceptAll:
      return 14;
    case Operator::kMultisetIntersect:
    case Operator::kMultisetIntersectAll:
      return 18;
    case Operator::kOr:
      return 22;
    case Operator::kAnd:
      return 24;
    case Operator::kNot:
      return kNot;
    case Operator::kAdd:
    case Operator::kSubtract:
      return 40;
    case Operator::kConcat:
    case Operator::kMultiply:
    case Operator::kDivide:
    case Operator::kModulo:
      return 60;
    case Operator::kPlus:
    case Operator::kMinus:
      return kUnary;
    default:
      return op >= Operator::kIsNull ? kIs : kComparison;
  }
}

int precedence(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kOperation:
      return precedence(e.as<Operation>().op);
    case ExpressionKind::kBetween:
    case ExpressionKind::kLike:
    case ExpressionKind::kInList:
    case ExpressionKind::kInQuery:
      return kBetween;
    case ExpressionKind::kQuantified:
      return kComparison;
    default:
      return kOperand;
  }
}

const char* constructor_name(ConstructorKind kind) {
  switch (kind) {
    case ConstructorKind::kRow:
    case ConstructorKind::kImplicitRow:
      return "ROW";
    case ConstructorKind::kArray:
      return "ARRAY";
    case ConstructorKind::kMap:
      return "MAP";
    case ConstructorKind::kMultiset:
      return "MULTISET";
  }
  return "";
}

// Words that are names in most places only: FIRST in SKIP TO, MAP before '[', and so on.
constexpr auto kAmbiguousWords = std::to_array<grammar::Word>(
    {"BITMAP", "DESCRIPTOR", "FIRST", "LAST", "MAP", "MODEL", "UNBOUNDED", "VARIANT"});

bool is_plain_word(std::string_view text) {
  const grammar::Word word = grammar::Word::find(text);
  return !word.is_reserved() &&
         std::find(kAmbiguousWords.begin(), kAmbiguousWords.end(), word) == kAmbiguousWords.end();
}

bool is_name_text(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !is_letter(text.front())) return false;
  for (const char c : text) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '$') return false;
  }
  return true;
}

}  // namespace

const char* operator_name(Operator op) {
  constexpr std::array<const char*, 56> kNames = {"OR",
                                                  "AND",
                                                  "=",
                                                  "<>",
                                                  "<",
                                                  "<=",
                                                  ">",
                                                  ">=",
                                                  "IS DISTINCT FROM",
                                                  "IS NOT DISTINCT FROM",
                                                  "||",
                                                  "+",
                                                  "-",
                                                  "*",
                                                  "/",
                                                  "%",
                                                  "OVERLAPS",
                                                  "CONTAINS",
                                                  "EQUALS",
                                                  "PRECEDES",
                                                  "IMMEDIATELY PRECEDES",
                                                  "SUCCEEDS",
                                                  "IMMEDIATELY SUCCEEDS",
                                                  "MEMBER OF",
                                                  "SUBMULTISET OF",
                                                  "NOT SUBMULTISET OF",
                                                  "MULTISET UNION",
                                                  "MULTISET UNION ALL",
                                                  "MULTISET INTERSECT",
                                                  "MULTISET INTERSECT ALL",
                                                  "MULTISET EXCEPT",
                                                  "MULTISET EXCEPT ALL",
                                                  "NOT",
                                                  "+",
                                                  "-",
                                                  "IS NULL",
                                                  "IS NOT NULL",
                                                  "IS TRUE",
                                                  "IS NOT TRUE",
                                                  "IS FALSE",
                                                  "IS NOT FALSE",
                                                  "IS UNKNOWN",
                                                  "IS NOT UNKNOWN",
                                                  "IS A SET",
                                                  "IS NOT A SET",
                                                  "IS EMPTY",
                                                  "IS NOT EMPTY",
                                                  "IS JSON VALUE",
                                                  "IS NOT JSON VALUE",
                                                  "IS JSON OBJECT",
                                                  "IS NOT JSON OBJECT",
                                                  "IS JSON ARRAY",
                                                  "IS NOT JSON ARRAY",
                                                  "IS JSON SCALAR",
                                                  "IS NOT JSON SCALAR",
                                                  ""};
  return kNames[static_cast<std::size_t>(op)];
}

std::string quote_identifier(std::string_view text) {
  if (is_name_text(text) && is_plain_word(text)) return std::string(text);
  std::string quoted = "`";
  for (const char c : text) {
    quoted.push_back(c);
    if (c == '`') quoted.push_back(c);
  }
  return quoted + "`";
}

std::string quote_string(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted.push_back(c);
    if (c == '\'') quoted.push_back(c);
  }
  return quoted + "'";
}

void Printer::name(const Identifier& n) {
  put(quote_identifier(n.name));
}

void Printer::names(const std::vector<Identifier>& n, std::string_view separator) {
  for (std::size_t i = 0; i < n.size(); ++i) {
    if (i > 0) put(separator);
    name(n[i]);
  }
}

void Printer::name_list(const std::vector<Identifier>& n) {
  put("(");
  names(n);
  put(")");
}

void Printer::object_name(const ObjectName& n) {
  names(n.parts, ".");
}

void Printer::string(std::string_view text) {
  put(quote_string(text));
}

void Printer::operand(const Expression& e, int min_precedence) {
  const bool parentheses = precedence(e) < min_precedence;
  if (parentheses) put("(");
  expression(e);
  if (parentheses) put(")");
}

void Printer::expressions(const std::vector<ExpressionPtr>& e) {
  list(e, [this](const ExpressionPtr& item) { expression(*item); });
}

void Printer::expression(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kLiteral:
      return literal(e.as<Literal>());
    case ExpressionKind::kColumnReference:
      return names(e.as<ColumnReference>().parts, ".");
    case ExpressionKind::kStar: {
      const auto& star = e.as<Star>();
      names(star.qualifier, ".");
      return put(star.qualifier.empty() ? "*" : ".*");
    }
    case ExpressionKind::kOperation:
      return operation(e.as<Operation>());
    case ExpressionKind::kBetween:
      return between(e.as<Between>());
    case ExpressionKind::kLike:
      return like(e.as<Like>());
    case ExpressionKind::kInList: {
      const auto& in = e.as<InList>();
      operand(*in.value, kBetween);
      put(in.negated ? " NOT IN (" : " IN (");
      expressions(in.list);
      return put(")");
    }
    case ExpressionKind::kInQuery: {
      const auto& in = e.as<InQuery>();
      operand(*in.value, kBetween);
      put(in.negated ? " NOT IN (" : " IN (");
      query(*in.query);
      return put(")");
    }
    case ExpressionKind::kExists:
      put("EXISTS (");
      query(*e.as<Exists>().query);
      return put(")");
    case ExpressionKind::kQuantified:
      return quantified(e.as<Quantified>());
    case ExpressionKind::kScalarQuery:
      put("(");
      query(*e.as<ScalarQuery>().query);
      return put(")");
    case ExpressionKind::kCase:
      return case_expression(e.as<Case>());
    case ExpressionKind::kCast: {
      const auto& cast = e.as<Cast>();
      put(cast.try_cast ? "TRY_CAST(" : "CAST(");
      expression(*cast.value);
      put(" AS ");
      type(cast.type);
      return put(")");
    }
    case ExpressionKind::kFunctionCall:
      return call(e.as<FunctionCall>());
    case ExpressionKind::kTimeUnit:
      return put(time_unit_name(e.as<TimeUnitArgument>().unit));
    case ExpressionKind::kTrim:
      return trim(e.as<Trim>());
    case ExpressionKind::kConstructor:
      return constructor(e.as<Constructor>());
    case ExpressionKind::kConstructorQuery: {
      const auto& c = e.as<ConstructorQuery>();
      put(constructor_name(c.constructor));
      put("(");
      query(*c.query);
      return put(")");
    }
    case ExpressionKind::kElementAccess: {
      const auto& access = e.as<ElementAccess>();
      const bool bare = access.value->kind == ExpressionKind::kLiteral;
      operand(*access.value, bare ? kOperand + 1 : kOperand);
      put("[");
      expression(*access.index);
      return put("]");
    }
    case ExpressionKind::kFieldAccess: {
      // Without parentheses a.b would be one name.
      const auto& access = e.as<FieldAccess>();
      const bool bare = access.value->kind == ExpressionKind::kLiteral ||
                        access.value->kind == ExpressionKind::kColumnReference;
      operand(*access.value, bare ? kOperand + 1 : kOperand);
      put(".");
      return name(access.field);
    }
    case ExpressionKind::kIntervalDifference: {
      const auto& difference = e.as<IntervalDifference>();
      put("(");
      operand(*difference.left, precedence(Operator::kSubtract));
      put(" - ");
      operand(*difference.right, precedence(Operator::kSubtract) + 1);
      put(") ");
      return interval(difference.interval);
    }
    case ExpressionKind::kDefault:
      return put("DEFAULT");
    case ExpressionKind::kTableArgument:
      return table_argument(e.as<TableArgument>());
    case ExpressionKind::kModelArgument:
      put("MODEL ");
      return object_name(e.as<ModelArgument>().model);
    case ExpressionKind::kDescriptor:
      put("DESCRIPTOR");
      return name_list(e.as<Descriptor>().columns);
  }
}

void Printer::literal(const Literal& l) {
  switch (l.literal_kind) {
    case LiteralKind::kNull:
    case LiteralKind::kBoolean:
    case LiteralKind::kUnknown:
    case LiteralKind::kExact:
    case LiteralKind::kApproximate:
      return put(l.text);
    case LiteralKind::kString:
      return string(l.text);
    case LiteralKind::kBinary: {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      put("X'");
      for (const char c : l.text) {
        const auto byte = static_cast<unsigned char>(c);
        out_.push_back(kDigits[byte >> 4U]);
        out_.push_back(kDigits[byte & 0x0FU]);
      }
      if (l.odd) out_.pop_back();
      return put("'");
    }
    case LiteralKind::kDate:
      put("DATE ");
      return string(l.text);
    case LiteralKind::kTime:
      put("TIME ");
      return string(l.text);
    case LiteralKind::kTimestamp:
      put("TIMESTAMP ");
      return string(l.text);
    case LiteralKind::kInterval:
      put(l.negative ? "INTERVAL -" : "INTERVAL ");
      string(l.text);
      put(" ");
      return interval(l.interval);
  }
}

void Printer::operation(const Operation& o) {
  const int own = precedence(o.op);
  if (o.op == Operator::kNot) {
    put("NOT ");
    return operand(*o.operands.front(), own);
  }
  if (o.op == Operator::kMinus || o.op == Operator::kPlus) {
    put(operator_name(o.op));
    // "--" would begin a comment.
    return operand(*o.operands.front(), own + 1);
  }
  if (o.operands.size() == 1) {
    operand(*o.operands.front(), own);
    put(" ");
    return put(operator_name(o.op));
  }
  const bool chain = o.op == Operator::kOr || o.op == Operator::kAnd;
  for (std::size_t i = 0; i < o.operands.size(); ++i) {
    if (i > 0) {
      put(" ");
      put(operator_name(o.op));
      put(" ");
    }
    operand(*o.operands[i], i == 0 && !chain ? own : own + 1);
  }
}

void Printer::between(const Between& b) {
  operand(*b.value, kBetween);
  put(b.negated ? " NOT BETWEEN " : " BETWEEN ");
  if (b.symmetric) put("SYMMETRIC ");
  operand(*b.low, kBetween + 1);
  put(" AND ");
  operand(*b.high, kBetween + 1);
}

void Printer::like(const Like& l) {
  operand(*l.value, kBetween);
  put(l.negated ? " NOT " : " ");
  put(l.similar ? "SIMILAR TO " : "LIKE ");
  operand(*l.pattern, kBetween + 1);
  if (l.escape != nullptr) {
    put(" ESCAPE ");
    operand(*l.escape, kBetween + 1);
  }
}

void Printer::quantified(const Quantified& q) {
  operand(*q.value, kComparison);
  put(" ");
  put(operator_name(q.comparison));
  put(q.quantifier == Quantifier::kAll ? " ALL (" : " ANY (");
  if (q.query != nullptr) {
    query(*q.query);
  } else {
    expressions(q.list);
  }
  put(")");
}

void Printer::case_expression(const Case& c) {
  put("CASE");
  if (c.operand != nullptr) {
    put(" ");
    expression(*c.operand);
  }
  for (const Case::When& when : c.whens) {
    put(" WHEN ");
    expressions(when.conditions);
    put(" THEN ");
    expression(*when.result);
  }
  if (c.otherwise != nullptr) {
    put(" ELSE ");
    expression(*c.otherwise);
  }
  put(" END");
}

void Printer::constructor(const Constructor& c) {
  const bool row =
      c.constructor == ConstructorKind::kRow || c.constructor == ConstructorKind::kImplicitRow;
  if (c.constructor != ConstructorKind::kImplicitRow) put(constructor_name(c.constructor));
  put(row ? "(" : "[");
  expressions(c.elements);
  put(row ? ")" : "]");
}

std::string to_sql(const Expression& expression) {
  Printer printer;
  printer.expression(expression);
  return printer.take();
}

std::string to_sql(const Query& query, const QualifyTable& qualify) {
  Printer printer(qualify);
  printer.query(query);
  return printer.take();
}

std::string to_sql(const ObjectName& name) {
  Printer printer;
  printer.object_name(name);
  return printer.take();
}

}  // namespace clepsydra::ast
