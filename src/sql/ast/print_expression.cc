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

const char* time_unit_name(TimeUnit unit) {
  constexpr std::array<const char*, 19> kNames = {
      "MILLENNIUM", "CENTURY",     "DECADE",      "YEAR",       "ISOYEAR", "QUARTER", "MONTH",
      "WEEK",       "DAY",         "DOW",         "ISODOW",     "DOY",     "HOUR",    "MINUTE",
      "SECOND",     "MILLISECOND", "MICROSECOND", "NANOSECOND", "EPOCH"};
  return kNames[static_cast<std::size_t>(unit)];
}

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

// A function's name is a word of the grammar where it was written without backticks.
void Printer::function_name(const ObjectName& n) {
  if (n.parts.size() == 1 && !n.parts.front().quoted &&
      !grammar::Word::find(n.parts.front().name).is_none()) {
    put(n.parts.front().name);
    return;
  }
  object_name(n);
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

void Printer::trim(const Trim& t) {
  put("TRIM(");
  if (t.side != TrimSide::kBoth || t.characters != nullptr) {
    put(t.side == TrimSide::kBoth      ? "BOTH "
        : t.side == TrimSide::kLeading ? "LEADING "
                                       : "TRAILING ");
    if (t.characters != nullptr) {
      expression(*t.characters);
      put(" ");
    }
    put("FROM ");
  }
  expression(*t.value);
  put(")");
}

void Printer::constructor(const Constructor& c) {
  const bool row =
      c.constructor == ConstructorKind::kRow || c.constructor == ConstructorKind::kImplicitRow;
  if (c.constructor != ConstructorKind::kImplicitRow) put(constructor_name(c.constructor));
  put(row ? "(" : "[");
  expressions(c.elements);
  put(row ? ")" : "]");
}

void Printer::call(const FunctionCall& c) {
  if (c.match_semantics != MatchSemantics::kNone) {
    put(c.match_semantics == MatchSemantics::kFinal ? "FINAL " : "RUNNING ");
  }
  function_name(c.name);
  if (!c.bare) {
    put("(");
    if (c.json != nullptr) {
      json_arguments(c);
    } else {
      call_arguments(c);
    }
    put(")");
  }
  call_suffixes(c);
}

void Printer::call_arguments(const FunctionCall& c) {
  if (c.quantifier != CallQuantifier::kNone) {
    put(c.quantifier == CallQuantifier::kDistinct ? "DISTINCT " : "ALL ");
  }
  const std::string function = c.upper_name();
  const auto is_unit = [&](std::size_t i) {
    return i < c.arguments.size() && c.arguments[i].value->kind == ExpressionKind::kTimeUnit;
  };
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    const Argument& argument = c.arguments[i];
    if (i > 0) {
      const bool extract = function == "EXTRACT" && is_unit(0);
      put(extract ? " FROM " : is_unit(i) ? " TO " : ", ");
    }
    if (argument.name) {
      name(*argument.name);
      put(" => ");
    }
    expression(*argument.value);
  }
}

void Printer::json_handler(const JsonHandler& h, std::string_view on) {
  put(" ");
  if (h.behavior == JsonBehavior::kDefault) {
    put("DEFAULT ");
    expression(*h.default_value);
  } else {
    constexpr std::array<const char*, 9> kNames = {"NULL",  "ABSENT",      "ERROR",
                                                   "TRUE",  "FALSE",       "UNKNOWN",
                                                   "EMPTY", "EMPTY ARRAY", "EMPTY OBJECT"};
    put(kNames[static_cast<std::size_t>(h.behavior)]);
  }
  put(on);
}

void Printer::json_arguments(const FunctionCall& c) {
  const JsonClauses& json = *c.json;
  const std::string function = c.upper_name();
  const bool pairs = function == "JSON_OBJECT" || function == "JSON_OBJECTAGG";
  if (c.quantifier == CallQuantifier::kDistinct) put("DISTINCT ");
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    if (i > 0) put(pairs && i % 2 == 1 ? " VALUE " : ", ");
    if (pairs && i % 2 == 0) put("KEY ");
    expression(*c.arguments[i].value);
  }
  const std::size_t before = out_.size();
  if (json.returning) {
    put(" RETURNING ");
    type(*json.returning);
  }
  if (json.wrapper) {
    put(*json.wrapper == JsonWrapper::kWithout       ? " WITHOUT ARRAY WRAPPER"
        : *json.wrapper == JsonWrapper::kConditional ? " WITH CONDITIONAL ARRAY WRAPPER"
                                                     : " WITH UNCONDITIONAL ARRAY WRAPPER");
  }
  if (json.on_empty) json_handler(*json.on_empty, " ON EMPTY");
  if (json.on_error) json_handler(*json.on_error, " ON ERROR");
  if (json.on_null) put(*json.on_null == JsonBehavior::kNull ? " NULL ON NULL" : " ABSENT ON NULL");
  if (c.arguments.empty() && out_.size() > before) out_.erase(before, 1);
}

void Printer::call_suffixes(const FunctionCall& c) {
  if (!c.within_group.empty()) {
    put(" WITHIN GROUP (ORDER BY ");
    order_by(c.within_group);
    put(")");
  }
  if (c.filter != nullptr) {
    put(" FILTER (WHERE ");
    expression(*c.filter);
    put(")");
  }
  if (c.null_treatment != NullTreatment::kNone) {
    put(c.null_treatment == NullTreatment::kIgnore ? " IGNORE NULLS" : " RESPECT NULLS");
  }
  if (c.over == nullptr) return;
  put(" OVER ");
  const WindowSpecification& w = *c.over;
  if (w.base && w.partition_by.empty() && w.order_by.empty() && !w.frame) return name(*w.base);
  window(w);
}

void Printer::table_argument(const TableArgument& t) {
  if (t.query != nullptr) {
    put("TABLE (");
    query(*t.query);
    put(")");
  } else {
    put("TABLE ");
    object_name(t.table);
  }
  if (!t.partition_by.empty()) {
    put(" PARTITION BY (");
    expressions(t.partition_by);
    put(")");
  }
  if (!t.order_by.empty()) {
    put(" ORDER BY (");
    order_by(t.order_by);
    put(")");
  }
}

void Printer::window(const WindowSpecification& w) {
  put("(");
  const char* separator = "";
  if (w.base) {
    name(*w.base);
    separator = " ";
  }
  if (!w.partition_by.empty()) {
    put(separator);
    put("PARTITION BY ");
    expressions(w.partition_by);
    separator = " ";
  }
  if (!w.order_by.empty()) {
    put(separator);
    put("ORDER BY ");
    order_by(w.order_by);
    separator = " ";
  }
  if (w.frame) {
    put(separator);
    put(w.frame->unit == FrameUnit::kRows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    frame_bound(w.frame->start);
    put(" AND ");
    frame_bound(w.frame->end);
  }
  put(")");
}

void Printer::frame_bound(const FrameBound& b) {
  if (b.offset != nullptr) {
    operand(*b.offset, kBetween + 1);
    put(" ");
  }
  constexpr std::array<const char*, 5> kNames = {"UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW",
                                                 "FOLLOWING", "UNBOUNDED FOLLOWING"};
  put(kNames[static_cast<std::size_t>(b.kind)]);
}

void Printer::order_by(const std::vector<OrderItem>& items) {
  list(items, [this](const OrderItem& item) {
    expression(*item.value);
    if (item.direction == SortDirection::kAscending) put(" ASC");
    if (item.direction == SortDirection::kDescending) put(" DESC");
    if (item.nulls == NullsOrder::kFirst) put(" NULLS FIRST");
    if (item.nulls == NullsOrder::kLast) put(" NULLS LAST");
  });
}

void Printer::interval(const IntervalQualifier& q) {
  const auto number = [this](std::int32_t value) { put(std::to_string(value)); };
  put(time_unit_name(q.start));
  const bool single = !q.end && q.fraction.has_value();
  if (q.precision || single) {
    put("(");
    number(q.precision.value_or(0));
    if (single) {
      put(", ");
      number(*q.fraction);
    }
    put(")");
  }
  if (!q.end) return;
  put(" TO ");
  put(time_unit_name(*q.end));
  if (!q.fraction) return;
  put("(");
  number(*q.fraction);
  put(")");
}

void Printer::type_parameters(const TypeName& t) {
  if (!t.precision) return;
  put("(");
  put(std::to_string(*t.precision));
  if (t.scale) {
    put(", ");
    put(std::to_string(*t.scale));
  }
  put(")");
}

void Printer::type_fields(const std::vector<TypeField>& fields) {
  list(fields, [this](const TypeField& field) {
    name(field.name);
    put(" ");
    type(field.type);
    if (field.comment) {
      put(" ");
      string(*field.comment);
    }
  });
}

void Printer::type(const TypeName& t) {
  constexpr std::array<const char*, 32> kNames = {
      "BOOLEAN", "TINYINT",   "SMALLINT",   "INT",           "BIGINT",
      "FLOAT",   "DOUBLE",    "DECIMAL",    "CHAR",          "VARCHAR",
      "STRING",  "BINARY",    "VARBINARY",  "BYTES",         "DATE",
      "TIME",    "TIMESTAMP", "TIMESTAMP",  "TIMESTAMP_LTZ", "INTERVAL",
      "ARRAY",   "MULTISET",  "MAP",        "ROW",           "NULL",
      "VARIANT", "BITMAP",    "DESCRIPTOR", "RAW",           "STRUCTURED",
      "",        ""};
  put(kNames[static_cast<std::size_t>(t.kind)]);
  type_parameters(t);
  switch (t.kind) {
    case TypeNameKind::kTimestampTz:
      put(" WITH TIME ZONE");
      break;
    case TypeNameKind::kInterval:
      put(" ");
      interval(t.interval);
      break;
    case TypeNameKind::kArray:
    case TypeNameKind::kMultiset:
    case TypeNameKind::kMap:
      put("<");
      list(t.children, [this](const TypeName& child) { type(child); });
      put(">");
      break;
    case TypeNameKind::kRow:
      put("<");
      type_fields(t.fields);
      put(">");
      break;
    case TypeNameKind::kRaw:
      put("(");
      string(t.class_name);
      put(", ");
      string(t.snapshot);
      put(")");
      break;
    case TypeNameKind::kStructured:
      put("<");
      string(t.class_name);
      if (!t.fields.empty()) put(", ");
      type_fields(t.fields);
      put(">");
      break;
    case TypeNameKind::kNamed:
      object_name(t.name);
      break;
    default:
      break;
  }
  if (t.not_null) put(" NOT NULL");
}

std::string to_sql(const Expression& expression) {
  Printer printer;
  printer.expression(expression);
  return printer.take();
}

std::string to_sql(const TypeName& type) {
  Printer printer;
  printer.type(type);
  return printer.take();
}

std::string to_sql(const IntervalQualifier& qualifier) {
  Printer printer;
  printer.interval(qualifier);
  return printer.take();
}

std::string to_sql(const ObjectName& name) {
  Printer printer;
  printer.object_name(name);
  return printer.take();
}

}  // namespace clepsydra::ast
