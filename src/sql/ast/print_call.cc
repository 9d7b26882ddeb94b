#include <array>
#include <string>

#include "sql/ast/print.h"
#include "sql/ast/printer_internal.h"
#include "sql/grammar/keyword.h"

namespace clepsydra::ast {
namespace {

// What a frame's offset binds at least as tightly as: more than BETWEEN does.
constexpr int kFrameOffset = 33;

}  // namespace

// A function's name is a word of the grammar where it was written without backticks.
void Printer::function_name(const ObjectName& n) {
  if (n.parts.size() == 1 && !n.parts.front().quoted &&
      !grammar::Word::find(n.parts.front().name).is_none()) {
    put(n.parts.front().name);
    return;
  }
  object_name(n);
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

void Printer::table_argument(const TableArgument& t) {
  if (t.query != nullptr) {
    put("TABLE (");
    query(*t.query);
    put(")");
  } else {
    put("TABLE ");
    table_name(t.table);
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
    operand(*b.offset, kFrameOffset);
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

}  // namespace clepsydra::ast
