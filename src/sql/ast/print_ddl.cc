#include <array>
#include <utility>

#include "sql/ast/printer_internal.h"

namespace clepsydra::ast {

void Printer::create(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kCreateTable:
      return create_table(s.as<CreateTable>());
    case StatementKind::kCreateView:
      return create_view(s.as<CreateView>());
    case StatementKind::kCreateFunction:
      return create_function(s.as<CreateFunction>());
    case StatementKind::kCreateModel:
      return create_model(s.as<CreateModel>());
    case StatementKind::kCreateMaterializedTable:
      return create_materialized_table(s.as<CreateMaterializedTable>());
    case StatementKind::kCreateCatalog: {
      const auto& catalog = s.as<CreateCatalog>();
      put(catalog.if_not_exists ? "CREATE CATALOG IF NOT EXISTS " : "CREATE CATALOG ");
      name(catalog.name);
      comment(catalog.comment);
      return with_options(catalog.options);
    }
    case StatementKind::kCreateDatabase: {
      const auto& database = s.as<CreateDatabase>();
      put(database.if_not_exists ? "CREATE DATABASE IF NOT EXISTS " : "CREATE DATABASE ");
      object_name(database.name);
      comment(database.comment);
      return with_options(database.options);
    }
    default: {
      const auto& connection = s.as<CreateConnection>();
      put("CREATE ");
      if (connection.temporary) put("TEMPORARY ");
      if (connection.system) put("SYSTEM ");
      put(connection.if_not_exists ? "CONNECTION IF NOT EXISTS " : "CONNECTION ");
      object_name(connection.name);
      comment(connection.comment);
      put(" WITH ");
      return options(connection.options);
    }
  }
}

void Printer::column(const ColumnDefinition& c) {
  name(c.name);
  if (c.kind == ColumnKind::kComputed) {
    put(" AS ");
    expression(*c.computed);
    return comment(c.comment);
  }
  put(" ");
  type(c.type);
  if (c.kind == ColumnKind::kMetadata) {
    put(" METADATA");
    if (c.metadata_key) {
      put(" FROM ");
      string(*c.metadata_key);
    }
    if (c.metadata_virtual) put(" VIRTUAL");
  }
  if (c.primary_key) put(" PRIMARY KEY");
  if (c.unique) put(" UNIQUE");
  if (c.constraint_not_enforced) put(" NOT ENFORCED");
  if (c.constraint_enforced) put(" ENFORCED");
  comment(c.comment);
}

void Printer::key(const KeyConstraint& k) {
  if (k.name) {
    put("CONSTRAINT ");
    name(*k.name);
    put(" ");
  }
  put(k.primary ? "PRIMARY KEY " : "UNIQUE ");
  name_list(k.columns);
  if (k.not_enforced) put(" NOT ENFORCED");
  if (k.enforced) put(" ENFORCED");
}

void Printer::watermark(const WatermarkDefinition& w) {
  put("WATERMARK FOR ");
  names(w.column, ".");
  put(" AS ");
  expression(*w.expression);
}

void Printer::schema(const TableSchema& s) {
  if (s.columns.empty() && s.keys.empty() && !s.watermark && s.column_names.empty()) return;
  put(" (");
  bool first = true;
  const auto separate = [&] {
    if (!first) put(", ");
    first = false;
  };
  for (const ColumnDefinition& c : s.columns) {
    separate();
    column(c);
  }
  for (const Identifier& n : s.column_names) {
    separate();
    name(n);
  }
  if (s.watermark) {
    separate();
    watermark(*s.watermark);
  }
  for (const KeyConstraint& k : s.keys) {
    separate();
    key(k);
  }
  put(")");
}

void Printer::distribution(const Distribution& d) {
  if (!d.columns.empty()) {
    put(d.kind == DistributionKind::kHash    ? " BY HASH "
        : d.kind == DistributionKind::kRange ? " BY RANGE "
                                             : " BY ");
    name_list(d.columns);
  }
  if (d.buckets) {
    put(" INTO ");
    put(std::to_string(*d.buckets));
    put(" BUCKETS");
  }
}

void Printer::table_parts(const TableSchema& s, const std::optional<std::string>& c,
                          const std::optional<Distribution>& d,
                          const std::vector<Identifier>& partitioned,
                          const std::vector<Option>& o) {
  schema(s);
  comment(c);
  if (d) {
    put(" DISTRIBUTED");
    distribution(*d);
  }
  if (!partitioned.empty()) {
    put(" PARTITIONED BY ");
    name_list(partitioned);
  }
  with_options(o);
}

void Printer::create_table(const CreateTable& s) {
  if (s.create) put(s.replace ? "CREATE OR " : "CREATE ");
  if (s.replace) put("REPLACE ");
  if (s.temporary) put("TEMPORARY ");
  put(s.if_not_exists ? "TABLE IF NOT EXISTS " : "TABLE ");
  object_name(s.name);
  table_parts(s.schema, s.comment, s.distribution, s.partitioned_by, s.options);
  if (s.like) like_clause(*s.like);
  if (s.query != nullptr) {
    put(" AS ");
    query(*s.query);
  }
}

void Printer::like_clause(const LikeClause& l) {
  constexpr std::array<const char*, 3> kActions = {"INCLUDING ", "EXCLUDING ", "OVERWRITING "};
  constexpr std::array<const char*, 8> kFeatures = {"ALL",        "CONSTRAINTS", "DISTRIBUTION",
                                                    "GENERATED",  "METADATA",    "OPTIONS",
                                                    "PARTITIONS", "WATERMARKS"};
  put(" LIKE ");
  object_name(l.source);
  if (l.options.empty()) return;
  put(" (");
  for (std::size_t i = 0; i < l.options.size(); ++i) {
    if (i > 0) put(" ");
    put(kActions[static_cast<std::size_t>(l.options[i].action)]);
    put(kFeatures[static_cast<std::size_t>(l.options[i].feature)]);
  }
  put(")");
}

void Printer::create_view(const CreateView& s) {
  put(s.temporary ? "CREATE TEMPORARY VIEW " : "CREATE VIEW ");
  if (s.if_not_exists) put("IF NOT EXISTS ");
  object_name(s.name);
  if (!s.columns.empty()) {
    put(" ");
    name_list(s.columns);
  }
  comment(s.comment);
  put(" AS ");
  query(*s.query);
}

void Printer::language(FunctionLanguage l) {
  constexpr std::array<const char*, 6> kLanguages = {"",
                                                     " LANGUAGE JAVA",
                                                     " LANGUAGE SCALA",
                                                     " LANGUAGE PYTHON",
                                                     " LANGUAGE SQL",
                                                     " LANGUAGE CPP"};
  put(kLanguages[static_cast<std::size_t>(l)]);
}

void Printer::create_function(const CreateFunction& s) {
  put("CREATE ");
  if (s.temporary) put("TEMPORARY ");
  if (s.system) put("SYSTEM ");
  put(s.if_not_exists ? "FUNCTION IF NOT EXISTS " : "FUNCTION ");
  object_name(s.name);
  put(" AS ");
  string(s.identifier);
  language(s.language);
  if (!s.resources.empty()) put(" USING ");
  list(s.resources, [this](const FunctionResource& resource) {
    put(resource.artifact ? "ARTIFACT " : "JAR ");
    string(resource.uri);
  });
  with_options(s.options);
}

void Printer::create_model(const CreateModel& s) {
  put(s.temporary ? "CREATE TEMPORARY MODEL " : "CREATE MODEL ");
  if (s.if_not_exists) put("IF NOT EXISTS ");
  object_name(s.name);
  const auto columns = [this](const char* word, const std::vector<ColumnDefinition>& list_of) {
    if (list_of.empty()) return;
    put(word);
    list(list_of, [this](const ColumnDefinition& c) { column(c); });
    put(")");
  };
  columns(" INPUT (", s.inputs);
  columns(" OUTPUT (", s.outputs);
  comment(s.comment);
  with_options(s.options);
  if (s.query == nullptr) return;
  put(" AS ");
  query(*s.query);
}

void Printer::create_materialized_table(const CreateMaterializedTable& s) {
  put(s.or_alter ? "CREATE OR ALTER MATERIALIZED TABLE " : "CREATE MATERIALIZED TABLE ");
  if (s.if_not_exists) put("IF NOT EXISTS ");
  object_name(s.name);
  table_parts(s.schema, s.comment, s.distribution, s.partitioned_by, s.options);
  if (s.freshness != nullptr) {
    put(" FRESHNESS = ");
    expression(*s.freshness);
  }
  if (s.refresh_mode) {
    put(*s.refresh_mode == RefreshMode::kFull ? " REFRESH_MODE = FULL"
                                              : " REFRESH_MODE = CONTINUOUS");
  }
  if (s.start_mode) {
    constexpr std::array<const char*, 6> kModes = {
        "FROM_BEGINNING",           "FROM_NOW",           "FROM_TIMESTAMP",
        "RESUME_OR_FROM_BEGINNING", "RESUME_OR_FROM_NOW", "RESUME_OR_FROM_TIMESTAMP"};
    put(" START_MODE = ");
    put(kModes[static_cast<std::size_t>(s.start_mode->kind)]);
    if (s.start_mode->argument != nullptr) {
      put("(");
      expression(*s.start_mode->argument);
      put(")");
    }
  }
  put(" AS ");
  query(*s.query);
}

void Printer::alter(const Statement& s) {
  if (const auto* table = s.as_if<AlterTable>()) {
    put(table->if_exists ? "ALTER TABLE IF EXISTS " : "ALTER TABLE ");
    object_name(table->name);
    put(" ");
    change(table->change);
  } else if (const auto* materialized = s.as_if<AlterMaterializedTable>()) {
    alter_materialized_table(*materialized);
  } else if (const auto* view = s.as_if<AlterView>()) {
    alter_view(*view);
  } else if (const auto* object = s.as_if<AlterObject>()) {
    alter_object(*object);
  } else {
    const auto& function = s.as<AlterFunction>();
    put("ALTER ");
    if (function.temporary) put("TEMPORARY ");
    if (function.system) put("SYSTEM ");
    put(function.if_exists ? "FUNCTION IF EXISTS " : "FUNCTION ");
    object_name(function.name);
    put(" AS ");
    string(function.identifier);
    language(function.language);
  }
}

void Printer::change(const TableChange& c) {
  switch (c.action) {
    case AlterTableAction::kRenameTable:
      put("RENAME TO ");
      return object_name(c.new_name);
    case AlterTableAction::kRenameColumn:
      put("RENAME ");
      names(c.column, ".");
      put(" TO ");
      return name(c.new_column);
    case AlterTableAction::kAdd:
      put("ADD ");
      return schema_change(c);
    case AlterTableAction::kModify:
      put("MODIFY ");
      return schema_change(c);
    case AlterTableAction::kDropColumns:
      put("DROP (");
      list(c.names, [this](const std::vector<Identifier>& n) { names(n, "."); });
      return put(")");
    case AlterTableAction::kDropPrimaryKey:
      return put("DROP PRIMARY KEY");
    case AlterTableAction::kDropConstraint:
      put("DROP CONSTRAINT ");
      return names(c.names.front());
    case AlterTableAction::kDropWatermark:
      return put("DROP WATERMARK");
    case AlterTableAction::kDropDistribution:
      return put("DROP DISTRIBUTION");
    case AlterTableAction::kAddPartitions:
      put(c.if_exists ? "ADD IF NOT EXISTS" : "ADD");
      for (const PartitionSpec& spec : c.partitions) {
        put(" ");
        partition(spec.values);
        with_options(spec.options);
      }
      return;
    case AlterTableAction::kDropPartitions:
      put(c.if_exists ? "DROP IF EXISTS " : "DROP ");
      return list(c.partitions, [this](const PartitionSpec& spec) { partition(spec.values); });
    case AlterTableAction::kRenamePartition:
      partition(c.partitions.front().values);
      put(" RENAME TO ");
      return partition(c.partitions.back().values);
    case AlterTableAction::kSetOptions:
      put("SET ");
      return options(c.options);
    case AlterTableAction::kResetOptions:
      put("RESET ");
      return keys(c.keys_to_reset);
  }
}

void Printer::schema_change(const TableChange& c) {
  if (c.distribution) {
    put("DISTRIBUTION");
    return distribution(*c.distribution);
  }
  put("(");
  bool first = true;
  const auto separate = [&] {
    if (!first) put(", ");
    first = false;
  };
  for (const PlacedColumn& placed : c.columns) {
    separate();
    column(placed.column);
    if (placed.place == ColumnPlace::kFirst) put(" FIRST");
    if (placed.after) {
      put(" AFTER ");
      name(*placed.after);
    }
  }
  for (const KeyConstraint& k : c.keys) {
    separate();
    key(k);
  }
  if (c.watermark) {
    separate();
    watermark(*c.watermark);
  }
  put(")");
}

void Printer::alter_materialized_table(const AlterMaterializedTable& s) {
  put("ALTER MATERIALIZED TABLE ");
  object_name(s.name);
  put(" ");
  switch (s.action) {
    case AlterMaterializedTableAction::kSuspend:
      return put("SUSPEND");
    case AlterMaterializedTableAction::kResume:
      put("RESUME");
      return with_options(s.options);
    case AlterMaterializedTableAction::kRefresh:
      put(s.partition.empty() ? "REFRESH" : "REFRESH ");
      if (!s.partition.empty()) partition(s.partition);
      return;
    case AlterMaterializedTableAction::kAsQuery:
      put("AS ");
      return query(*s.query);
    case AlterMaterializedTableAction::kSetFreshness:
      put("SET FRESHNESS = ");
      return expression(*s.freshness);
    case AlterMaterializedTableAction::kSetRefreshMode:
      return put(s.refresh_mode == RefreshMode::kFull ? "SET REFRESH_MODE = FULL"
                                                      : "SET REFRESH_MODE = CONTINUOUS");
    case AlterMaterializedTableAction::kChange:
      return change(s.change);
  }
}

void Printer::alter_view(const AlterView& s) {
  put(s.if_exists ? "ALTER VIEW IF EXISTS " : "ALTER VIEW ");
  object_name(s.name);
  if (s.query != nullptr) {
    put(" AS ");
    query(*s.query);
  } else if (!s.new_name.parts.empty()) {
    put(" RENAME TO ");
    object_name(s.new_name);
  } else if (!s.keys_to_reset.empty()) {
    put(" RESET ");
    keys(s.keys_to_reset);
  } else {
    put(" SET ");
    options(s.options);
  }
}

void Printer::alter_object(const AlterObject& s) {
  put("ALTER ");
  if (s.temporary) put("TEMPORARY ");
  if (s.system) put("SYSTEM ");
  put(object_kind_name(s.object));
  put(s.if_exists ? " IF EXISTS " : " ");
  object_name(s.name);
  if (s.comment) {
    comment(s.comment);
  } else if (!s.new_name.parts.empty()) {
    put(" RENAME TO ");
    object_name(s.new_name);
  } else if (!s.keys_to_reset.empty()) {
    put(" RESET ");
    keys(s.keys_to_reset);
  } else {
    put(" SET ");
    options(s.options);
  }
}

std::string to_sql(const Distribution& distribution) {
  Printer printer;
  printer.distribution(distribution);
  return printer.take().substr(1);
}

}  // namespace clepsydra::ast
