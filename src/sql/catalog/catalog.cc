#include "sql/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "sql/catalog/definition_text.h"
#include "sql/grammar/diagnostic.h"

namespace clepsydra::sql {
namespace {

// "; did you mean 'x'?" or nothing.
std::string close_name(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view closest = closest_name(name, views);
  return closest.empty() ? std::string() : fmt::format("; did you mean '{}'?", closest);
}

DatabasePath database_of(const ObjectPath& path) {
  return {path.catalog, path.database};
}

FileKind kind_of(const CatalogObject& object) {
  return object.view ? FileKind::kView : FileKind::kTable;
}

}  // namespace

Catalog::Catalog() {
  Entry entry;
  entry.properties.options["type"] = kMemoryCatalogType;
  entry.default_database = kDefaultDatabase;
  entry.databases[std::string(kDefaultDatabase)];
  catalogs_.emplace(kDefaultCatalog, std::move(entry));
}

Result<const Catalog::Entry*> Catalog::entry(const std::string& name) const {
  const auto it = catalogs_.find(name);
  if (it == catalogs_.end()) {
    return Status::not_found(
        fmt::format("catalog '{}' does not exist{}", name, close_name(name, catalog_names())));
  }
  if (!it->second.problem.is_ok()) return it->second.problem;
  return &it->second;
}

const Catalog::Database* Catalog::database(const DatabasePath& path) const {
  const auto it = catalogs_.find(path.catalog);
  if (it == catalogs_.end()) return nullptr;
  const auto found = it->second.databases.find(path.database);
  return found == it->second.databases.end() ? nullptr : &found->second;
}

Catalog::Database* Catalog::database(const DatabasePath& path) {
  return const_cast<Database*>(std::as_const(*this).database(path));
}

CatalogFiles* Catalog::files_of(const std::string& catalog) const {
  const auto it = catalogs_.find(catalog);
  return it == catalogs_.end() ? nullptr : it->second.files.get();
}

// --- Names.

Result<DatabasePath> Catalog::locate_database(std::span<const std::string> parts) const {
  if (parts.empty() || parts.size() > 2) {
    return Status::invalid_argument("a database is named by at most catalog and name");
  }
  DatabasePath path{parts.size() == 2 ? parts[0] : current_catalog_, parts.back()};
  CLP_RETURN_IF_ERROR(entry(path.catalog).status());
  return path;
}

Result<DatabasePath> Catalog::resolve_database(std::span<const std::string> parts) const {
  CLP_ASSIGN_OR_RETURN(DatabasePath path, locate_database(parts));
  if (database(path) != nullptr) return path;
  return Status::not_found(fmt::format("database '{}' does not exist in catalog '{}'{}",
                                       path.database, path.catalog,
                                       close_name(path.database, database_names(path.catalog))));
}

Result<ObjectPath> Catalog::locate(std::span<const std::string> parts) const {
  if (parts.empty() || parts.size() > 3) {
    return Status::invalid_argument("a table is named by at most catalog, database and name");
  }
  const std::string& object = parts.back();
  if (parts.size() > 1) {
    CLP_ASSIGN_OR_RETURN(const DatabasePath path,
                         resolve_database(parts.subspan(0, parts.size() - 1)));
    return ObjectPath{path.catalog, path.database, object};
  }
  if (current_database_.empty()) {
    return Status::failed_precondition(fmt::format(
        "no database is in use: say which with USE, or write catalog.database.{}", object));
  }
  CLP_ASSIGN_OR_RETURN(const DatabasePath path, resolve_database({&current_database_, 1}));
  return ObjectPath{path.catalog, path.database, object};
}

Result<ObjectPath> Catalog::resolve(std::span<const std::string> parts) const {
  CLP_ASSIGN_OR_RETURN(ObjectPath path, locate(parts));
  if (temporary_.contains(path.to_string())) return path;
  const Database* where = database(database_of(path));
  const auto stored = where->objects.find(path.object);
  if (stored != where->objects.end() && !stored->second.problem.is_ok()) {
    return stored->second.problem;
  }
  return path;
}

Status Catalog::use_catalog(const std::string& name) {
  CLP_ASSIGN_OR_RETURN(const Entry* found, entry(name));
  current_catalog_ = name;
  current_database_ = found->default_database;
  return Status::ok();
}

void Catalog::use_database(const DatabasePath& path) {
  current_catalog_ = path.catalog;
  current_database_ = path.database;
}

// --- Catalogs.

std::vector<std::string> Catalog::catalog_names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : catalogs_) names.push_back(name);
  return names;
}

const Properties* Catalog::find_catalog(std::string_view name) const {
  const auto it = catalogs_.find(name);
  return it == catalogs_.end() ? nullptr : &it->second.properties;
}

Status Catalog::add_catalog(const std::string& name, Properties properties,
                            std::string default_database, std::unique_ptr<CatalogFiles> files) {
  if (has_catalog(name)) {
    return Status::already_exists(fmt::format("catalog '{}' exists already", name));
  }
  if (catalogs_.size() >= kDatabasesMax) {
    return Status::resource_exhausted(
        fmt::format("a session may have at most {} catalogs", kDatabasesMax));
  }
  Entry entry;
  entry.properties = std::move(properties);
  entry.default_database = std::move(default_database);
  if (files == nullptr) {
    entry.databases[entry.default_database];
  } else {
    // What is there already is read by the next refresh().
    const Status made = files->create_database(
        entry.default_database,
        create_database_text(entry.default_database, Properties{}, Secrets::kKeep));
    if (!made.is_ok() && made.code() != StatusCode::kAlreadyExists) return made;
  }
  entry.files = std::move(files);
  catalogs_.emplace(name, std::move(entry));
  return Status::ok();
}

void Catalog::add_unreadable_catalog(const std::string& name, Status problem) {
  catalogs_[name].problem = std::move(problem);
}

Status Catalog::catalog_problem(const std::string& name) const {
  const auto it = catalogs_.find(name);
  return it == catalogs_.end() ? Status::ok() : it->second.problem;
}

Status Catalog::change_catalog(const std::string& name, Properties properties) {
  const auto it = catalogs_.find(name);
  if (it == catalogs_.end()) return entry(name).status();
  it->second.properties = std::move(properties);
  return Status::ok();
}

Status Catalog::remove_catalog(const std::string& name) {
  if (!has_catalog(name)) return entry(name).status();
  if (name == current_catalog_) {
    return Status::failed_precondition(
        fmt::format("catalog '{}' is in use; USE CATALOG another one first", name));
  }
  catalogs_.erase(name);
  std::erase_if(temporary_, [&](const auto& item) { return item.second.path().catalog == name; });
  std::erase_if(temporary_functions_,
                [&](const auto& item) { return item.second.path.catalog == name; });
  return Status::ok();
}

// --- Databases.

std::vector<std::string> Catalog::database_names(const std::string& catalog) const {
  std::vector<std::string> names;
  const auto it = catalogs_.find(catalog);
  if (it == catalogs_.end()) return names;
  for (const auto& [name, database] : it->second.databases) names.push_back(name);
  return names;
}

const Properties* Catalog::find_database(const DatabasePath& path) const {
  const Database* found = database(path);
  return found == nullptr ? nullptr : &found->properties;
}

Status Catalog::add_database(const DatabasePath& path, Properties properties) {
  CLP_ASSIGN_OR_RETURN(const Entry* found, entry(path.catalog));
  if (database(path) != nullptr) {
    return Status::already_exists(fmt::format("database '{}' exists already", path.to_string()));
  }
  if (found->databases.size() >= kDatabasesMax) {
    return Status::resource_exhausted(
        fmt::format("a catalog may have at most {} databases", kDatabasesMax));
  }
  if (found->files != nullptr) {
    CLP_RETURN_IF_ERROR(found->files->create_database(
        path.database, create_database_text(path.database, properties, Secrets::kKeep)));
  }
  catalogs_.find(path.catalog)->second.databases[path.database].properties = std::move(properties);
  return Status::ok();
}

Status Catalog::change_database(const DatabasePath& path, Properties properties) {
  Database* found = database(path);
  CLP_CHECK(found != nullptr);
  if (CatalogFiles* files = files_of(path.catalog)) {
    CLP_RETURN_IF_ERROR(
        files->write(path.database, FileKind::kDatabase, {},
                     create_database_text(path.database, properties, Secrets::kKeep)));
  }
  found->properties = std::move(properties);
  found->stamp = {};
  return Status::ok();
}

Status Catalog::remove_database(const DatabasePath& path, bool cascade) {
  Database* found = database(path);
  CLP_CHECK(found != nullptr);
  Entry& entry = catalogs_.find(path.catalog)->second;
  if (path.database == entry.default_database) {
    return Status::failed_precondition(
        fmt::format("'{}' is the default database of its catalog and stays", path.to_string()));
  }
  if (const std::size_t count = found->objects.size() + found->functions.size();
      !cascade && count > 0) {
    return Status::failed_precondition(
        fmt::format("database '{}' is not empty ({} in it); write CASCADE to remove what is in it "
                    "as well",
                    path.to_string(),
                    count == 1 ? std::string("one table, view or function")
                               : fmt::format("{} tables, views and functions", count)));
  }
  if (entry.files != nullptr) CLP_RETURN_IF_ERROR(entry.files->remove_database(path.database));
  entry.databases.erase(path.database);
  std::erase_if(temporary_,
                [&](const auto& item) { return database_of(item.second.path()) == path; });
  std::erase_if(temporary_functions_,
                [&](const auto& item) { return database_of(item.second.path) == path; });
  if (path.catalog == current_catalog_ && path.database == current_database_) {
    current_database_.clear();
  }
  return Status::ok();
}

// --- Tables and views.

CatalogObject Catalog::find(const ObjectPath& path) const {
  CatalogObject object = find(path, true);
  return object.found() ? object : find(path, false);
}

CatalogObject Catalog::find(const ObjectPath& path, bool temporary) const {
  if (temporary) {
    const auto it = temporary_.find(path.to_string());
    // Names may hold dots, so that two paths can have one text.
    if (it == temporary_.end() || !(it->second.path() == path)) return {};
    return it->second;
  }
  const Database* where = database(database_of(path));
  if (where == nullptr) return {};
  const auto it = where->objects.find(path.object);
  return it == where->objects.end() ? CatalogObject{} : it->second.object;
}

bool Catalog::has_permanent(const ObjectPath& path) const {
  const Database* where = database(database_of(path));
  return where != nullptr && where->objects.contains(path.object);
}

// A file is written before the object is known: an error leaves all as it was.
Status Catalog::write(const CatalogObject& object) const {
  CatalogFiles* files = files_of(object.path().catalog);
  if (files == nullptr) return Status::ok();
  const ObjectPath& path = object.path();
  return files->write(path.database, kind_of(object), path.object,
                      object.view ? create_view_text(*object.view)
                                  : create_table_text(*object.table, Secrets::kKeep));
}

Status Catalog::add(CatalogObject object) {
  const ObjectPath path = object.path();
  const bool temporary = object.temporary();
  const CatalogObject existing = find(path, temporary);
  if (existing.found() || (!temporary && has_permanent(path))) {
    return Status::already_exists(fmt::format("{}{} '{}' already exists",
                                              temporary ? "temporary " : "",
                                              existing.view ? "view" : "table", path.to_string()));
  }
  if (temporary) {
    temporary_.insert_or_assign(path.to_string(), std::move(object));
    return Status::ok();
  }
  Database* where = database(database_of(path));
  CLP_CHECK(where != nullptr);
  CLP_RETURN_IF_ERROR(write(object));
  where->objects[path.object].object = std::move(object);
  return Status::ok();
}

Status Catalog::replace(const ObjectPath& old, CatalogObject object) {
  const ObjectPath path = object.path();
  if (object.temporary()) {
    temporary_.erase(old.to_string());
    temporary_.insert_or_assign(path.to_string(), std::move(object));
    return Status::ok();
  }
  Database* where = database(database_of(path));
  CLP_CHECK(where != nullptr && database_of(old) == database_of(path));
  const bool moves = !(old == path);
  if (moves && where->objects.contains(path.object)) {
    return Status::already_exists(fmt::format("'{}' already exists", path.to_string()));
  }
  // The new file first: after a failure between the two there are two objects, never none.
  CLP_RETURN_IF_ERROR(write(object));
  if (moves) {
    if (CatalogFiles* files = files_of(path.catalog)) {
      CLP_RETURN_IF_ERROR(files->remove(old.database, kind_of(object), old.object));
    }
    where->objects.erase(old.object);
  }
  where->objects[path.object] = {std::move(object), Status::ok(), {}};
  return Status::ok();
}

Status Catalog::remove(const ObjectPath& path, bool temporary) {
  if (temporary) {
    if (temporary_.erase(path.to_string()) > 0) return Status::ok();
    return Status::not_found(fmt::format("'{}' does not exist", path.to_string()));
  }
  Database* where = database(database_of(path));
  const auto it =
      where == nullptr ? decltype(where->objects.begin()){} : where->objects.find(path.object);
  if (where == nullptr || it == where->objects.end()) {
    return Status::not_found(fmt::format("'{}' does not exist", path.to_string()));
  }
  if (CatalogFiles* files = files_of(path.catalog)) {
    // Both kinds, where the definition could not be read.
    if (!it->second.object.view) {
      CLP_RETURN_IF_ERROR(files->remove(path.database, FileKind::kTable, path.object));
    }
    if (!it->second.object.table) {
      CLP_RETURN_IF_ERROR(files->remove(path.database, FileKind::kView, path.object));
    }
  }
  where->objects.erase(it);
  return Status::ok();
}

std::vector<std::string> Catalog::table_names(const DatabasePath& path) const {
  std::set<std::string> names;
  if (const Database* where = database(path)) {
    for (const auto& [name, object] : where->objects) names.insert(name);
  }
  for (const auto& [name, object] : temporary_) {
    if (database_of(object.path()) == path) names.insert(object.path().object);
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> Catalog::view_names(const DatabasePath& path) const {
  std::vector<std::string> names;
  for (const std::string& name : table_names(path)) {
    if (find({path.catalog, path.database, name}).view) names.push_back(name);
  }
  return names;
}

std::vector<std::string> Catalog::table_names() const {
  return table_names({current_catalog_, current_database_});
}

std::size_t Catalog::object_count() const {
  std::size_t count = temporary_.size() + temporary_functions_.size() + system_functions_.size();
  for (const auto& [name, entry] : catalogs_) {
    for (const auto& [database_name, database] : entry.databases) {
      count += database.objects.size() + database.functions.size();
    }
  }
  return count;
}

bool Catalog::has_files() const {
  return std::any_of(catalogs_.begin(), catalogs_.end(),
                     [](const auto& item) { return item.second.files != nullptr; });
}

void Catalog::refresh(const Readers& readers, std::int64_t now_ms) {
  for (auto& [name, entry] : catalogs_) {
    if (entry.files == nullptr) continue;
    refresh_entry(name, entry, readers, now_ms);
  }
}

void Catalog::refresh_entry(const std::string& name, Entry& entry, const Readers& readers,
                            std::int64_t now_ms) {
  Result<std::vector<CatalogFiles::DatabaseFolder>> folders = entry.files->scan(now_ms);
  entry.problem = folders.is_ok()
                      ? Status::ok()
                      : folders.status().with_context(fmt::format("reading catalog '{}'", name));
  if (!folders.is_ok()) return;
  std::map<std::string, Database, std::less<>> databases;
  for (const CatalogFiles::DatabaseFolder& folder : *folders) {
    Database database;
    Database& known = entry.databases[folder.name];
    for (const CatalogFiles::File& file : folder.files) {
      if (file.kind == FileKind::kDatabase) {
        database.stamp = file.stamp;
        database.properties = known.properties;
        if (known.stamp.same(file.stamp)) continue;
        const Result<std::string> text = entry.files->read(folder.name, file.kind, {});
        if (!text.is_ok()) continue;
        Result<Properties> properties = readers.database(*text);
        if (properties.is_ok()) database.properties = *std::move(properties);
        continue;
      }
      if (file.kind == FileKind::kFunction) {
        refresh_function({name, folder.name, file.name}, file, entry, known, readers, database);
        continue;
      }
      StoredObject& stored = database.objects[file.name];
      if (stored.object.found() || !stored.problem.is_ok()) {
        stored.object = {};
        stored.problem = Status::data_loss(
            fmt::format("'{}' is stored both as table and as view in catalog '{}'; remove one of "
                        "the two files in '{}'",
                        file.name, name, entry.files->folder()));
        continue;
      }
      const auto old = known.objects.find(file.name);
      if (old != known.objects.end() && old->second.stamp.same(file.stamp)) {
        stored = old->second;
        continue;
      }
      stored.stamp = file.stamp;
      const ObjectPath path{name, folder.name, file.name};
      const Result<std::string> text = entry.files->read(folder.name, file.kind, file.name);
      Result<CatalogObject> object = text.is_ok() ? readers.object(path, file.kind, *text)
                                                  : Result<CatalogObject>(text.status());
      if (object.is_ok()) {
        stored.object = *std::move(object);
      } else {
        stored.problem = object.status().with_context(
            fmt::format("reading '{}' from its catalog file", path.to_string()));
      }
    }
    databases.emplace(folder.name, std::move(database));
  }
  entry.databases = std::move(databases);
}

}  // namespace clepsydra::sql
