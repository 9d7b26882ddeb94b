#include <array>
#include <utility>

#include "sql/ast/print.h"
#include "sql/ast/printer_internal.h"

namespace clepsydra::ast {

Statement::~Statement() = default;

const char* object_kind_name(ObjectKind kind) {
  constexpr std::array<const char*, 14> kNames = {
      "CATALOG", "DATABASE",   "TABLE",  "VIEW",   "MATERIALIZED TABLE", "FUNCTION", "PROCEDURE",
      "MODEL",   "CONNECTION", "MODULE", "COLUMN", "PARTITION",          "JAR",      "JOB"};
  return kNames[static_cast<std::size_t>(kind)];
}

void Printer::options(const std::vector<Option>& o) {
  put("(");
  list(o, [this](const Option& option) {
    string(option.key);
    put(" = ");
    string(option.value);
  });
  put(")");
}

void Printer::with_options(const std::vector<Option>& o) {
  if (o.empty()) return;
  put(" WITH ");
  options(o);
}

void Printer::keys(const std::vector<std::string>& k) {
  put("(");
  list(k, [this](const std::string& key) { string(key); });
  put(")");
}

void Printer::partition(const std::vector<PartitionValue>& p) {
  put("PARTITION (");
  list(p, [this](const PartitionValue& value) {
    name(value.column);
    if (value.value == nullptr) return;
    put(" = ");
    expression(*value.value);
  });
  put(")");
}

void Printer::comment(const std::optional<std::string>& c) {
  if (!c) return;
  put(" COMMENT ");
  string(*c);
}

void Printer::statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kQuery:
      if (s.as<QueryStatement>().execute) put("EXECUTE ");
      return query(*s.as<QueryStatement>().query);
    case StatementKind::kInsert:
      return insert(s.as<Insert>());
    case StatementKind::kStatementSet: {
      const auto& set = s.as<StatementSet>();
      put(set.execute ? "EXECUTE STATEMENT SET BEGIN " : "STATEMENT SET BEGIN ");
      for (const auto& item : set.inserts) {
        insert(*item);
        put("; ");
      }
      return put("END");
    }
    case StatementKind::kUpdate:
      return update(s.as<Update>());
    case StatementKind::kDelete:
      return remove(s.as<Delete>());
    case StatementKind::kTruncate:
      put("TRUNCATE TABLE ");
      return object_name(s.as<Truncate>().table);
    case StatementKind::kExplain:
      return explain(s.as<Explain>());
    case StatementKind::kCompilePlan: {
      const auto& plan = s.as<CompilePlan>();
      put(plan.execute ? "COMPILE AND EXECUTE PLAN " : "COMPILE PLAN ");
      string(plan.file);
      put(plan.if_not_exists ? " IF NOT EXISTS FOR " : " FOR ");
      return statement(*plan.statement);
    }
    case StatementKind::kExecutePlan:
      put("EXECUTE PLAN ");
      return string(s.as<ExecutePlan>().file);
    case StatementKind::kShow:
      return show(s.as<Show>());
    case StatementKind::kDescribe:
      return describe(s.as<Describe>());
    case StatementKind::kDrop:
      return drop(s.as<Drop>());
    case StatementKind::kAnalyzeTable:
      return analyze(s.as<AnalyzeTable>());
    case StatementKind::kCreateTable:
    case StatementKind::kCreateView:
    case StatementKind::kCreateCatalog:
    case StatementKind::kCreateDatabase:
    case StatementKind::kCreateFunction:
    case StatementKind::kCreateModel:
    case StatementKind::kCreateMaterializedTable:
    case StatementKind::kCreateConnection:
      return create(s);
    case StatementKind::kAlterTable:
    case StatementKind::kAlterMaterializedTable:
    case StatementKind::kAlterView:
    case StatementKind::kAlterObject:
    case StatementKind::kAlterFunction:
      return alter(s);
    case StatementKind::kSet:
    case StatementKind::kReset:
    case StatementKind::kUse:
    case StatementKind::kCall:
    case StatementKind::kLoadModule:
    case StatementKind::kUnloadModule:
    case StatementKind::kJar:
    case StatementKind::kStopJob:
    case StatementKind::kClientCommand:
      return session(s);
  }
}

void Printer::session(const Statement& s) {
  if (const auto* set = s.as_if<SetOption>()) {
    put("SET");
    if (!set->option) return;
    put(" ");
    string(set->option->key);
    put(" = ");
    string(set->option->value);
  } else if (const auto* reset = s.as_if<ResetOption>()) {
    put(reset->key ? "RESET " : "RESET");
    if (reset->key) string(*reset->key);
  } else if (const auto* use = s.as_if<Use>()) {
    put(use->use == UseKind::kCatalog   ? "USE CATALOG "
        : use->use == UseKind::kModules ? "USE MODULES "
                                        : "USE ");
    object_name(use->name);
    names(use->names);
  } else if (const auto* call = s.as_if<Call>()) {
    put("CALL ");
    expression(*call->call);
  } else if (const auto* load = s.as_if<LoadModule>()) {
    put("LOAD MODULE ");
    name(load->name);
    with_options(load->options);
  } else if (const auto* unload = s.as_if<UnloadModule>()) {
    put("UNLOAD MODULE ");
    name(unload->name);
  } else if (const auto* jar = s.as_if<Jar>()) {
    put(jar->remove ? "REMOVE JAR " : "ADD JAR ");
    string(jar->path);
  } else if (const auto* stop = s.as_if<StopJob>()) {
    put("STOP JOB ");
    string(stop->job_id);
    if (stop->with_savepoint) put(" WITH SAVEPOINT");
    if (stop->with_drain) put(" WITH DRAIN");
  } else if (const auto* command = s.as_if<ClientCommand>()) {
    put(command->command == ClientCommandKind::kQuit    ? "QUIT"
        : command->command == ClientCommandKind::kClear ? "CLEAR"
                                                        : "HELP");
  }
}

void Printer::insert(const Insert& s) {
  put(s.execute ? "EXECUTE INSERT " : "INSERT ");
  put(s.overwrite ? "OVERWRITE " : "INTO ");
  object_name(s.table);
  put(" ");
  hints(s.hints);
  if (!s.partition.empty()) {
    partition(s.partition);
    put(" ");
  }
  if (!s.columns.empty()) {
    name_list(s.columns);
    put(" ");
  }
  query(*s.query);
  constexpr std::array<const char*, 4> kConflict = {
      "", " ON CONFLICT DO ERROR", " ON CONFLICT DO NOTHING", " ON CONFLICT DO DEDUPLICATE"};
  put(kConflict[static_cast<std::size_t>(s.on_conflict)]);
}

void Printer::update(const Update& s) {
  put("UPDATE ");
  object_name(s.table);
  if (s.alias) {
    put(" AS ");
    name(*s.alias);
  }
  put(" SET ");
  list(s.assignments, [this](const Assignment& assignment) {
    name(assignment.column);
    put(" = ");
    expression(*assignment.value);
  });
  if (s.where == nullptr) return;
  put(" WHERE ");
  expression(*s.where);
}

void Printer::remove(const Delete& s) {
  put("DELETE FROM ");
  object_name(s.table);
  if (s.alias) {
    put(" AS ");
    name(*s.alias);
  }
  if (s.where == nullptr) return;
  put(" WHERE ");
  expression(*s.where);
}

void Printer::explain(const Explain& s) {
  constexpr std::array<const char*, 4> kDetails = {"ESTIMATED_COST", "CHANGELOG_MODE",
                                                   "PLAN_ADVICE", "JSON_EXECUTION_PLAN"};
  put("EXPLAIN ");
  list(s.details,
       [this, &kDetails](ExplainDetail d) { put(kDetails[static_cast<std::size_t>(d)]); });
  if (!s.details.empty()) put(" ");
  statement(*s.statement);
}

void Printer::show(const Show& s) {
  put("SHOW ");
  if (s.show == ShowKind::kCurrent) {
    put("CURRENT ");
    return put(object_kind_name(s.object));
  }
  if (s.show == ShowKind::kCreate) {
    put("CREATE ");
    put(object_kind_name(s.object));
    put(" ");
    return object_name(*s.name);
  }
  if (s.user_only) put("USER ");
  if (s.full) put("FULL ");
  put(object_kind_name(s.object));
  put("S");
  if (s.name) {
    put(s.object == ObjectKind::kPartition ? " " : " FROM ");
    object_name(*s.name);
  }
  if (!s.partition.empty()) {
    put(" ");
    partition(s.partition);
  }
  if (!s.pattern) return;
  put(s.pattern->negated ? " NOT" : "");
  put(s.pattern->ignore_case ? " ILIKE " : " LIKE ");
  string(s.pattern->pattern);
}

void Printer::describe(const Describe& s) {
  put("DESCRIBE ");
  if (s.object == ObjectKind::kJob) {
    put("JOB ");
    return string(s.job_id);
  }
  if (s.object != ObjectKind::kTable) {
    put(object_kind_name(s.object));
    put(" ");
  }
  if (s.extended) put("EXTENDED ");
  object_name(s.name);
}

void Printer::drop(const Drop& s) {
  put("DROP ");
  if (s.temporary) put("TEMPORARY ");
  if (s.system) put("SYSTEM ");
  put(object_kind_name(s.object));
  put(s.if_exists ? " IF EXISTS " : " ");
  object_name(s.name);
  if (s.behavior == DropBehavior::kRestrict) put(" RESTRICT");
  if (s.behavior == DropBehavior::kCascade) put(" CASCADE");
}

void Printer::analyze(const AnalyzeTable& s) {
  put("ANALYZE TABLE ");
  object_name(s.table);
  if (!s.partition.empty()) {
    put(" ");
    partition(s.partition);
  }
  put(" COMPUTE STATISTICS");
  if (s.all_columns) put(" FOR ALL COLUMNS");
  if (!s.columns.empty()) {
    put(" FOR COLUMNS ");
    names(s.columns);
  }
}

std::string to_sql(const Statement& statement) {
  Printer printer;
  printer.statement(statement);
  return printer.take();
}

}  // namespace clepsydra::ast
