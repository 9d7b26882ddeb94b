#include <algorithm>
#include <utility>

#include "sql/ast/print.h"
#include "sql/ast/printer_internal.h"

namespace clepsydra::ast {
namespace {

// Whether a query stands as operand of a set operation without parentheses.
bool is_simple(const Query& q) {
  return q.with.empty() && q.order_by.empty() && q.offset == nullptr && q.limit == nullptr &&
         q.body->kind != QueryBodyKind::kSetOperation;
}

const char* join_words(const Join& j) {
  switch (j.join) {
    case JoinKind::kComma:
      return ", ";
    case JoinKind::kCross:
      return " CROSS JOIN ";
    case JoinKind::kInner:
      return j.natural ? " NATURAL JOIN " : " JOIN ";
    case JoinKind::kLeft:
      return j.natural ? " NATURAL LEFT JOIN " : " LEFT JOIN ";
    case JoinKind::kRight:
      return j.natural ? " NATURAL RIGHT JOIN " : " RIGHT JOIN ";
    case JoinKind::kFull:
      return j.natural ? " NATURAL FULL JOIN " : " FULL JOIN ";
  }
  return "";
}

}  // namespace

void Printer::table_name(const ObjectName& n) {
  const bool is_own = n.parts.size() == 1 && std::find(with_names_.begin(), with_names_.end(),
                                                       n.parts[0].name) != with_names_.end();
  object_name(qualify_ != nullptr && !is_own ? (*qualify_)(n) : n);
}

void Printer::query(const Query& q) {
  const std::size_t outer_names = with_names_.size();
  if (!q.with.empty()) {
    put(q.recursive ? "WITH RECURSIVE " : "WITH ");
    list(q.with, [this](const CommonTableExpression& table) {
      name(table.name);
      if (!table.columns.empty()) {
        put(" ");
        name_list(table.columns);
      }
      put(" AS (");
      query(*table.query);
      put(")");
      with_names_.push_back(table.name.name);
    });
    put(" ");
  }
  switch (q.body->kind) {
    case QueryBodyKind::kSelect:
      select(q.body->as<Select>());
      break;
    case QueryBodyKind::kSetOperation:
      set_operation(q.body->as<SetOperation>());
      break;
    case QueryBodyKind::kValues:
      values(q.body->as<Values>());
      break;
    case QueryBodyKind::kTable:
      put("TABLE ");
      table_name(q.body->as<ExplicitTable>().name);
      break;
    case QueryBodyKind::kNested:
      put("(");
      query(*q.body->as<NestedQuery>().query);
      put(")");
      break;
  }
  if (!q.order_by.empty()) {
    put(" ORDER BY ");
    order_by(q.order_by);
  }
  if (q.limit != nullptr) {
    put(" LIMIT ");
    expression(*q.limit);
  }
  if (q.offset != nullptr) {
    put(" OFFSET ");
    expression(*q.offset);
  }
  with_names_.resize(outer_names);
}

void Printer::set_operation(const SetOperation& s) {
  const char* word = s.op == SetOperator::kUnion       ? " UNION "
                     : s.op == SetOperator::kIntersect ? " INTERSECT "
                                                       : " EXCEPT ";
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    if (i > 0) {
      put(word);
      if (s.all) put("ALL ");
    }
    const bool simple = is_simple(*s.inputs[i]);
    if (!simple) put("(");
    query(*s.inputs[i]);
    if (!simple) put(")");
  }
}

void Printer::values(const Values& v) {
  put("VALUES ");
  list(v.rows, [this](const std::vector<ExpressionPtr>& row) {
    // ((1, 2)) would be one row of two values.
    if (row.size() == 1 && row.front()->kind == ExpressionKind::kConstructor) put("ROW");
    put("(");
    expressions(row);
    put(")");
  });
}

void Printer::select(const Select& s) {
  put("SELECT ");
  hints(s.hints);
  if (s.stream) put("STREAM ");
  if (s.distinct) put("DISTINCT ");
  list(s.items, [this](const SelectItem& item) {
    expression(*item.value);
    if (item.alias) {
      put(" AS ");
      name(*item.alias);
    }
  });
  if (s.from == nullptr) return;
  put(" FROM ");
  from(*s.from);
  if (s.where != nullptr) {
    put(" WHERE ");
    expression(*s.where);
  }
  if (s.has_group_by) {
    put(s.group_distinct ? " GROUP BY DISTINCT " : " GROUP BY ");
    list(s.group_by, [this](const GroupingElement& g) { grouping(g); });
  }
  if (s.having != nullptr) {
    put(" HAVING ");
    expression(*s.having);
  }
  if (!s.windows.empty()) {
    put(" WINDOW ");
    list(s.windows, [this](const NamedWindow& w) {
      name(w.name);
      put(" AS ");
      window(w.window);
    });
  }
  if (s.qualify != nullptr) {
    put(" QUALIFY ");
    expression(*s.qualify);
  }
}

void Printer::grouping(const GroupingElement& g) {
  switch (g.kind) {
    case GroupingKind::kExpression:
      return expression(*g.expressions.front());
    case GroupingKind::kEmpty:
      return put("()");
    case GroupingKind::kTuple:
      put("(");
      expressions(g.expressions);
      return put(")");
    case GroupingKind::kRollup:
      put("ROLLUP (");
      break;
    case GroupingKind::kCube:
      put("CUBE (");
      break;
    case GroupingKind::kSets:
      put("GROUPING SETS (");
      break;
  }
  list(g.elements, [this](const GroupingElement& element) { grouping(element); });
  put(")");
}

void Printer::hints(const std::vector<Hint>& h) {
  if (h.empty()) return;
  put("/*+ ");
  list(h, [this](const Hint& hint) {
    name(hint.name);
    if (hint.options.empty() && hint.arguments.empty()) return;
    put("(");
    bool first = true;
    for (const auto& [key, value] : hint.options) {
      put(first ? "" : ", ");
      first = false;
      string(key);
      put(" = ");
      string(value);
    }
    for (const std::string& argument : hint.arguments) {
      put(first ? "" : ", ");
      first = false;
      string(argument);
    }
    put(")");
  });
  put(" */ ");
}

void Printer::alias(const std::optional<TableAlias>& a) {
  if (!a) return;
  put(" AS ");
  name(a->name);
  if (a->columns.empty()) return;
  put(" ");
  name_list(a->columns);
}

void Printer::from_operand(const FromItem& f, bool parentheses) {
  if (parentheses) put("(");
  from(f);
  if (parentheses) put(")");
}

void Printer::from(const FromItem& f) {
  switch (f.kind) {
    case FromKind::kTable: {
      const auto& table = f.as<TableReference>();
      table_name(table.name);
      if (!table.hints.empty()) {
        put(" ");
        hints(table.hints);
        out_.pop_back();
      }
      if (table.system_time != nullptr) {
        put(" FOR SYSTEM_TIME AS OF ");
        expression(*table.system_time);
      }
      break;
    }
    case FromKind::kDerived: {
      const auto& derived = f.as<DerivedTable>();
      put(derived.lateral ? "LATERAL (" : "(");
      query(*derived.query);
      put(")");
      break;
    }
    case FromKind::kFunction: {
      const auto& function = f.as<TableFunction>();
      if (function.lateral) put("LATERAL ");
      if (function.wrapped) put("TABLE(");
      expression(*function.call);
      if (function.wrapped) put(")");
      break;
    }
    case FromKind::kUnnest: {
      const auto& unnest = f.as<Unnest>();
      put(unnest.lateral ? "LATERAL UNNEST(" : "UNNEST(");
      expressions(unnest.values);
      put(unnest.with_ordinality ? ") WITH ORDINALITY" : ")");
      break;
    }
    case FromKind::kJoin:
      return join(f.as<Join>());
    case FromKind::kMatchRecognize:
      match(f.as<MatchRecognize>());
      break;
  }
  alias(f.alias);
  if (f.kind != FromKind::kTable) return;
  if (const auto& sample = f.as<TableReference>().sample) {
    put(sample->method == SampleMethod::kSystem ? " TABLESAMPLE SYSTEM("
                                                : " TABLESAMPLE BERNOULLI(");
    expression(*sample->percent);
    put(")");
    if (sample->seed != nullptr) {
      put(" REPEATABLE(");
      expression(*sample->seed);
      put(")");
    }
  }
}

void Printer::join(const Join& j) {
  const auto is_comma = [](const FromItem& f) {
    return f.kind == FromKind::kJoin && f.as<Join>().join == JoinKind::kComma;
  };
  const bool comma = j.join == JoinKind::kComma;
  from_operand(*j.left, !comma && is_comma(*j.left));
  put(join_words(j));
  from_operand(*j.right, j.right->kind == FromKind::kJoin && (!comma || is_comma(*j.right)));
  if (j.on != nullptr) {
    put(" ON ");
    expression(*j.on);
  }
  if (!j.using_columns.empty()) {
    put(" USING ");
    name_list(j.using_columns);
  }
}

void Printer::match(const MatchRecognize& m) {
  from(*m.input);
  put(" MATCH_RECOGNIZE (");
  if (!m.partition_by.empty()) {
    put("PARTITION BY ");
    expressions(m.partition_by);
    put(" ");
  }
  if (!m.order_by.empty()) {
    put("ORDER BY ");
    order_by(m.order_by);
    put(" ");
  }
  if (!m.measures.empty()) {
    put("MEASURES ");
    list(m.measures, [this](const NamedExpression& measure) {
      expression(*measure.value);
      put(" AS ");
      name(measure.name);
    });
    put(" ");
  }
  if (m.rows == RowsPerMatch::kOneRow) put("ONE ROW PER MATCH ");
  if (m.rows == RowsPerMatch::kAllRows) put("ALL ROWS PER MATCH ");
  if (m.skip) {
    put("AFTER MATCH SKIP ");
    switch (m.skip->kind) {
      case SkipKind::kPastLastRow:
        put("PAST LAST ROW");
        break;
      case SkipKind::kToNextRow:
        put("TO NEXT ROW");
        break;
      case SkipKind::kToFirst:
        put("TO FIRST ");
        break;
      case SkipKind::kToLast:
        put("TO LAST ");
        break;
      case SkipKind::kToVariable:
        put("TO ");
        break;
    }
    if (m.skip->variable) name(*m.skip->variable);
    put(" ");
  }
  put("PATTERN (");
  pattern(m.pattern);
  put(")");
  if (m.within != nullptr) {
    put(" WITHIN ");
    expression(*m.within);
  }
  if (!m.subsets.empty()) {
    put(" SUBSET ");
    list(m.subsets, [this](const PatternSubset& subset) {
      name(subset.name);
      put(" = ");
      name_list(subset.variables);
    });
  }
  put(" DEFINE ");
  list(m.define, [this](const NamedExpression& definition) {
    name(definition.name);
    put(" AS ");
    expression(*definition.value);
  });
  put(")");
}

void Printer::pattern_operand(const Pattern& p) {
  const bool parentheses = p.kind == PatternKind::kConcat || p.kind == PatternKind::kAlternation ||
                           p.kind == PatternKind::kQuantified;
  if (parentheses) put("(");
  pattern(p);
  if (parentheses) put(")");
}

void Printer::pattern(const Pattern& p) {
  switch (p.kind) {
    case PatternKind::kVariable:
      return name(p.variable);
    case PatternKind::kEmpty:
      return put("()");
    case PatternKind::kStart:
      return put("^");
    case PatternKind::kEnd:
      return put("$");
    case PatternKind::kExclusion:
      put("{- ");
      pattern(p.children.front());
      return put(" -}");
    case PatternKind::kPermute:
      put("PERMUTE(");
      list(p.children, [this](const Pattern& child) { pattern(child); });
      return put(")");
    case PatternKind::kConcat:
    case PatternKind::kAlternation: {
      const bool concat = p.kind == PatternKind::kConcat;
      for (std::size_t i = 0; i < p.children.size(); ++i) {
        if (i > 0) put(concat ? " " : " | ");
        const PatternKind child = p.children[i].kind;
        const bool parentheses =
            child == PatternKind::kAlternation || (concat && child == PatternKind::kConcat);
        if (parentheses) put("(");
        pattern(p.children[i]);
        if (parentheses) put(")");
      }
      return;
    }
    case PatternKind::kQuantified:
      break;
  }
  pattern_operand(p.children.front());
  if (!p.repeat_max && p.repeat_min <= 1) {
    put(p.repeat_min == 0 ? "*" : "+");
  } else if (p.repeat_min == 0 && p.repeat_max == 1U) {
    put("?");
  } else {
    put("{");
    put(std::to_string(p.repeat_min));
    if (p.repeat_max != p.repeat_min) put(",");
    if (p.repeat_max && *p.repeat_max != p.repeat_min) put(std::to_string(*p.repeat_max));
    put("}");
  }
  if (p.reluctant) put("?");
}

std::string to_sql(const Query& query) {
  Printer printer;
  printer.query(query);
  return printer.take();
}

}  // namespace clepsydra::ast
