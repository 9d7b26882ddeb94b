// Catalogs, databases and modules.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "sql/ast/print.h"
#include "sql/bind/table_binder.h"
#include "sql/catalog/definition_text.h"
#include "sql/grammar/parser.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr std::string_view kTypeOption = "type";
constexpr std::string_view kDefaultDatabaseOption = "default-database";
constexpr std::string_view kPathOption = "path";
// As the reference's catalog in memory.
constexpr std::string_view kFirstDatabase = "default";
constexpr std::string_view kCoreModule = "core";

StatementResult done(std::string message) {
  return Done{std::move(message)};
}

std::vector<std::string> parts_of(const ast::ObjectName& name) {
  std::vector<std::string> parts;
  for (const ast::Identifier& part : name.parts) parts.push_back(part.name);
  return parts;
}

const ast::Option* find_option(const std::vector<ast::Option>& options, std::string_view key) {
  const auto it = std::find_if(options.begin(), options.end(),
                               [&](const ast::Option& option) { return option.key == key; });
  return it == options.end() ? nullptr : &*it;
}

Result<TableOptions> options_of(const std::vector<ast::Option>& options,
                                const StatementText& text) {
  TableOptions out;
  for (const ast::Option& option : options) {
    if (!out.emplace(option.key, option.value).second) {
      return text.invalid(option.key_range, fmt::format("option '{}' is given twice", option.key));
    }
  }
  return out;
}

void change_options(const std::vector<ast::Option>& set, const std::vector<std::string>& reset,
                    TableOptions& options) {
  for (const ast::Option& option : set) options.insert_or_assign(option.key, option.value);
  for (const std::string& key : reset) options.erase(key);
}

// A path below the folder of catalogs: no way out of it.
Status check_relative(std::string_view path) {
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    const bool printable = std::all_of(part.begin(), part.end(), [](char c) {
      return static_cast<unsigned char>(c) >= ' ' && c != '\\' && c != ':';
    });
    if (part.empty() || part == "." || part == ".." || !printable) {
      return Status::invalid_argument(
          "the path of a file catalog is relative to 'clepsydra.catalog.directory' and has no "
          "'.', '..' or empty parts");
    }
    if (slash == std::string_view::npos) return Status::ok();
    rest.remove_prefix(slash + 1);
  }
}

Result<CatalogObject> read_table(const ast::Statement& statement, const ObjectPath& path,
                                 std::uint64_t version, const BindEnvironment& environment,
                                 const StatementText& text) {
  const auto* create = statement.as_if<ast::CreateTable>();
  if (create == nullptr || create->query || create->like || create->temporary || create->replace) {
    return text.invalid(statement.range, "this is not the definition of a table");
  }
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<CatalogTable> table,
                       bind_create_table(*create, environment, text));
  table->path = path;
  table->version = version;
  return CatalogObject{.table = std::move(table), .view = nullptr};
}

Result<CatalogObject> read_view(const ast::Statement& statement, const ObjectPath& path,
                                const StatementText& text) {
  const auto* create = statement.as_if<ast::CreateView>();
  if (create == nullptr || create->temporary || create->columns.empty()) {
    return text.invalid(statement.range, "this is not the definition of a view");
  }
  auto view = std::make_shared<CatalogView>();
  view->path = path;
  view->comment = create->comment;
  view->query = ast::to_sql(*create->query);
  for (const ast::Identifier& column : create->columns) view->column_names.push_back(column.name);
  return CatalogObject{.table = nullptr, .view = std::move(view)};
}

Result<CatalogFunction> read_function(const ObjectPath& path, std::string_view sql) {
  CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
  const StatementText text(sql);
  const auto* create = statement->as_if<ast::CreateFunction>();
  if (create == nullptr || create->temporary || create->resources.size() != 1 ||
      create->language != ast::FunctionLanguage::kCpp) {
    return text.invalid(statement->range, "this is not the definition of a function");
  }
  return CatalogFunction{
      .path = path, .identifier = create->identifier, .library = create->resources[0].uri};
}

Result<Properties> read_database(std::string_view sql) {
  CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
  const StatementText text(sql);
  const auto* create = statement->as_if<ast::CreateDatabase>();
  if (create == nullptr) {
    return text.invalid(statement->range, "this is not the definition of a database");
  }
  Properties properties;
  properties.comment = create->comment;
  CLP_ASSIGN_OR_RETURN(properties.options, options_of(create->options, text));
  return properties;
}

}  // namespace

void StatementRunner::refresh_catalogs() {
  if (!state_.catalog.has_files()) return;
  // With settings that are wrong nothing is planned; SET must work to right them.
  const Result<PlanningContext> planning = PlanningContext::make(state_);
  if (!planning.is_ok()) return;
  const BindEnvironment environment = planning->environment(state_);
  const auto read = [&](const ObjectPath& path, FileKind kind,
                        std::string_view sql) -> Result<CatalogObject> {
    CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
    const StatementText text(sql);
    if (kind == FileKind::kView) return read_view(*statement, path, text);
    return read_table(*statement, path, state_.catalog.next_version(), environment, text);
  };
  state_.catalog.refresh({.object = read, .database = read_database, .function = read_function},
                         state_.clock.now_ms());
}

Result<std::unique_ptr<CatalogFiles>> StatementRunner::catalog_files(
    const std::string& catalog, const ast::CreateCatalog& statement, std::string_view type,
    const StatementText& text) const {
  if (type != kFileCatalogType) return std::unique_ptr<CatalogFiles>();
  const auto root = state_.initial_configuration.find(kCatalogDirectory);
  if (state_.files == nullptr || root == state_.initial_configuration.end()) {
    return text.error(find_option(statement.options, kTypeOption)->value_range,
                      "a file catalog needs a folder that this process may write catalogs to",
                      "start with -D clepsydra.catalog.directory=/some/folder",
                      StatusCode::kFailedPrecondition);
  }
  CLP_ASSIGN_OR_RETURN(const std::string folder, local_path(root->second));
  std::string name = encode_file_name(catalog);
  if (const ast::Option* path = find_option(statement.options, kPathOption)) {
    if (const Status status = check_relative(path->value); !status.is_ok()) {
      return text.at_place(path->value_range, status);
    }
    name = path->value;
  }
  return std::make_unique<CatalogFiles>(*state_.files, join_path(folder, name));
}

Status StatementRunner::add_catalog(const std::string& name, const ast::CreateCatalog& statement,
                                    const StatementText& text) {
  Properties properties;
  properties.comment = statement.comment;
  CLP_ASSIGN_OR_RETURN(properties.options, options_of(statement.options, text));
  const ast::Option* type = find_option(statement.options, kTypeOption);
  const std::vector<std::string> types = {std::string(kFileCatalogType),
                                          std::string(kMemoryCatalogType)};
  if (type == nullptr) {
    return text.invalid(statement.name.range, "a catalog needs the option 'type'",
                        fmt::format("known types: {}", name_list(types)));
  }
  if (std::find(types.begin(), types.end(), type->value) == types.end()) {
    return text.not_found(type->value_range,
                          fmt::format("there is no catalog type '{}'", type->value),
                          fmt::format("known types: {}", name_list(types)));
  }
  std::vector<std::string> keys = {std::string(kTypeOption), std::string(kDefaultDatabaseOption)};
  if (type->value == kFileCatalogType) keys.emplace_back(kPathOption);
  for (const ast::Option& option : statement.options) {
    if (std::find(keys.begin(), keys.end(), option.key) != keys.end()) continue;
    return text.not_found(
        option.key_range,
        fmt::format("a catalog of type '{}' has no option '{}'", type->value, option.key),
        fmt::format("known options: {}", name_list(keys)));
  }
  const ast::Option* database = find_option(statement.options, kDefaultDatabaseOption);
  if (database != nullptr && database->value.empty()) {
    return text.invalid(database->value_range, "a database needs a name");
  }
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<CatalogFiles> files,
                       catalog_files(name, statement, type->value, text));
  const Status added = state_.catalog.add_catalog(
      name, std::move(properties),
      database == nullptr ? std::string(kFirstDatabase) : database->value, std::move(files));
  return added.is_ok() ? added : text.at_place(statement.name.range, added);
}

Status StatementRunner::open_catalog_store() {
  if (state_.is_store_open) return Status::ok();
  CLP_ASSIGN_OR_RETURN(state_.catalog_store,
                       CatalogStore::open(state_.initial_configuration, state_.files));
  std::vector<CatalogStore::Entry> entries;
  if (state_.catalog_store != nullptr) {
    CLP_ASSIGN_OR_RETURN(entries, state_.catalog_store->list());
  }
  state_.is_store_open = true;
  for (const CatalogStore::Entry& entry : entries) {
    if (state_.catalog.has_catalog(entry.name)) continue;
    const auto add = [&]() -> Status {
      CLP_RETURN_IF_ERROR(entry.statement.status());
      CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement,
                           grammar::parse_statement(*entry.statement));
      const StatementText text(*entry.statement);
      const auto* create = statement->as_if<ast::CreateCatalog>();
      if (create == nullptr) {
        return text.invalid(statement->range, "this is not the definition of a catalog");
      }
      // The name of the file decides.
      return add_catalog(entry.name, *create, text);
    };
    const Status added = add();
    if (added.is_ok()) continue;
    state_.catalog.add_unreadable_catalog(
        entry.name,
        added.with_context(fmt::format("reading catalog '{}' from the catalog store", entry.name)));
  }
  return Status::ok();
}

Status StatementRunner::catalog_problem(const ast::ObjectName& name) const {
  const Status problem = state_.catalog.catalog_problem(name.parts[0].name);
  return problem.is_ok() ? problem : text_.at_place(name.range(), problem);
}

Result<StatementResult> StatementRunner::run_create_catalog(const ast::CreateCatalog& statement) {
  const std::string& name = statement.name.name;
  if (state_.catalog.has_catalog(name)) {
    if (statement.if_not_exists) return done(fmt::format("Catalog '{}' exists already.", name));
    return text_.error(statement.name.range, fmt::format("catalog '{}' exists already", name), {},
                       StatusCode::kAlreadyExists);
  }
  CLP_RETURN_IF_ERROR(add_catalog(name, statement, text_));
  if (state_.catalog_store != nullptr) {
    const Status kept = state_.catalog_store->write(
        name, create_catalog_text(name, *state_.catalog.find_catalog(name), Secrets::kKeep));
    if (!kept.is_ok()) {
      CLP_RETURN_IF_ERROR(state_.catalog.remove_catalog(name));
      return text_.at_place(statement.name.range, kept);
    }
  }
  refresh_catalogs();
  return done(fmt::format("Catalog '{}' created.", name));
}

Result<StatementResult> StatementRunner::run_drop_catalog(const ast::Drop& statement) {
  const std::string& name = statement.name.parts[0].name;
  if (statement.name.parts.size() > 1) {
    return text_.invalid(statement.name.range(), "a catalog is named by one name");
  }
  if (!state_.catalog.has_catalog(name) && statement.if_exists) {
    return done(fmt::format("There is no catalog '{}'.", name));
  }
  // First where it is kept: a catalog that could not be taken out of there is still here.
  const bool may_go = name != state_.catalog.current_catalog() && state_.catalog.has_catalog(name);
  if (state_.catalog_store != nullptr && may_go) {
    const Status forgotten = state_.catalog_store->remove(name);
    if (!forgotten.is_ok()) return text_.at_place(statement.name.range(), forgotten);
  }
  const Status removed = state_.catalog.remove_catalog(name);
  if (!removed.is_ok()) return text_.at_place(statement.name.range(), removed);
  return done(fmt::format("Catalog '{}' dropped.", name));
}

Result<DatabasePath> StatementRunner::resolve_database(const ast::ObjectName& name) const {
  Result<DatabasePath> path = state_.catalog.resolve_database(parts_of(name));
  if (!path.is_ok()) return text_.at_place(name.range(), path.status());
  return path;
}

Result<StatementResult> StatementRunner::run_create_database(const ast::CreateDatabase& statement) {
  const Result<DatabasePath> path = state_.catalog.locate_database(parts_of(statement.name));
  if (!path.is_ok()) return text_.at_place(statement.name.range(), path.status());
  if (state_.catalog.find_database(*path) != nullptr && statement.if_not_exists) {
    return done(fmt::format("Database '{}' exists already.", path->database));
  }
  Properties properties;
  properties.comment = statement.comment;
  CLP_ASSIGN_OR_RETURN(properties.options, options_of(statement.options, text_));
  const Status added = state_.catalog.add_database(*path, std::move(properties));
  if (!added.is_ok()) return text_.at_place(statement.name.range(), added);
  return done(fmt::format("Database '{}' created.", path->database));
}

Result<StatementResult> StatementRunner::run_drop_database(const ast::Drop& statement) {
  const Result<DatabasePath> path = state_.catalog.resolve_database(parts_of(statement.name));
  if (!path.is_ok()) {
    if (statement.if_exists && path.status().code() == StatusCode::kNotFound) {
      return done(fmt::format("There is no database '{}'.", ast::to_sql(statement.name)));
    }
    return text_.at_place(statement.name.range(), path.status());
  }
  const bool cascade = statement.behavior == ast::DropBehavior::kCascade;
  const Status removed = state_.catalog.remove_database(*path, cascade);
  if (!removed.is_ok()) return text_.at_place(statement.name.range(), removed);
  return done(fmt::format("Database '{}' dropped.", path->database));
}

Result<StatementResult> StatementRunner::run_alter_object(const ast::AlterObject& statement) {
  if (statement.object == ast::ObjectKind::kDatabase) {
    CLP_ASSIGN_OR_RETURN(const DatabasePath path, resolve_database(statement.name));
    Properties properties = *state_.catalog.find_database(path);
    change_options(statement.options, statement.keys_to_reset, properties.options);
    const Status changed = state_.catalog.change_database(path, std::move(properties));
    if (!changed.is_ok()) return text_.at_place(statement.name.range(), changed);
    return done(fmt::format("Database '{}' altered.", path.database));
  }
  if (statement.object != ast::ObjectKind::kCatalog) {
    return refuse(statement, fmt::format("ALTER {}", ast::object_kind_name(statement.object)));
  }
  const std::string& name = statement.name.parts[0].name;
  const Properties* found = state_.catalog.find_catalog(name);
  if (found == nullptr || statement.name.parts.size() > 1) {
    return text_.not_found(statement.name.range(),
                           fmt::format("catalog '{}' does not exist", ast::to_sql(statement.name)),
                           did_you_mean_name(name, state_.catalog.catalog_names()));
  }
  CLP_RETURN_IF_ERROR(catalog_problem(statement.name));
  // Where a catalog is and what it is were decided when it was created.
  const auto is_fixed = [](std::string_view key) {
    return key == kTypeOption || key == kPathOption || key == kDefaultDatabaseOption;
  };
  for (const ast::Option& option : statement.options) {
    if (!is_fixed(option.key)) {
      return text_.not_found(option.key_range,
                             fmt::format("a catalog has no option '{}'", option.key));
    }
    return text_.invalid(option.key_range,
                         fmt::format("'{}' of a catalog cannot be changed", option.key),
                         "drop the catalog and create it again");
  }
  for (const std::string& key : statement.keys_to_reset) {
    if (!is_fixed(key)) continue;
    return text_.invalid(statement.range, fmt::format("'{}' of a catalog cannot be changed", key),
                         "drop the catalog and create it again");
  }
  Properties properties = *found;
  if (statement.comment) properties.comment = statement.comment;
  if (state_.catalog_store != nullptr && name != kDefaultCatalog) {
    const Status kept =
        state_.catalog_store->write(name, create_catalog_text(name, properties, Secrets::kKeep));
    if (!kept.is_ok()) return text_.at_place(statement.name.range(), kept);
  }
  const Status changed = state_.catalog.change_catalog(name, std::move(properties));
  if (!changed.is_ok()) return text_.at_place(statement.name.range(), changed);
  return done(fmt::format("Catalog '{}' altered.", name));
}

Result<StatementResult> StatementRunner::run_use(const ast::Use& statement) {
  if (statement.use == ast::UseKind::kModules) return use_modules(statement);
  if (statement.use == ast::UseKind::kCatalog) {
    const Status used = state_.catalog.use_catalog(statement.name.parts[0].name);
    if (!used.is_ok()) return text_.at_place(statement.name.range(), used);
    return done(fmt::format("Catalog '{}' is in use.", state_.catalog.current_catalog()));
  }
  CLP_ASSIGN_OR_RETURN(const DatabasePath path, resolve_database(statement.name));
  state_.catalog.use_database(path);
  return done(fmt::format("Database '{}' is in use.", path.to_string()));
}

Result<StatementResult> StatementRunner::use_modules(const ast::Use& statement) {
  bool used = false;
  for (const ast::Identifier& name : statement.names) {
    if (name.name != kCoreModule) {
      return text_.not_found(name.range, fmt::format("module '{}' is not loaded", name.name),
                             "loaded modules: 'core'");
    }
    if (used) return text_.invalid(name.range, "module 'core' occurs twice");
    used = true;
  }
  return done("Module 'core' is in use.");
}

Result<StatementResult> StatementRunner::run_load_module(const ast::LoadModule& statement) {
  if (statement.name.name != kCoreModule) {
    return text_.not_found(statement.name.range,
                           fmt::format("there is no module '{}'", statement.name.name),
                           "known modules: 'core'");
  }
  return text_.error(statement.name.range, "module 'core' is loaded already", {},
                     StatusCode::kAlreadyExists);
}

Result<StatementResult> StatementRunner::run_unload_module(const ast::UnloadModule& statement) {
  if (statement.name.name != kCoreModule) {
    return text_.not_found(statement.name.range,
                           fmt::format("module '{}' is not loaded", statement.name.name),
                           "loaded modules: 'core'");
  }
  return refuse(statement, "a session without the built-in functions");
}

}  // namespace clepsydra::sql
