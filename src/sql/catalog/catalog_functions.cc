// The functions of the session's catalogs.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "sql/catalog/catalog.h"
#include "sql/catalog/definition_text.h"

namespace clepsydra::sql {

std::string small_letters(std::string_view name) {
  std::string small(name);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

const CatalogFunction* Catalog::find_system_function(std::string_view name) const {
  const auto found = system_functions_.find(name);
  return found == system_functions_.end() ? nullptr : &found->second;
}

Result<const CatalogFunction*> Catalog::find_function(const ObjectPath& path) const {
  const auto temporary = temporary_functions_.find(path.to_string());
  if (temporary != temporary_functions_.end() && temporary->second.path == path) {
    return &temporary->second;
  }
  const Database* where = database({path.catalog, path.database});
  if (where == nullptr) return nullptr;
  const auto found = where->functions.find(path.object);
  if (found == where->functions.end()) return nullptr;
  if (!found->second.problem.is_ok()) return found->second.problem;
  return &found->second.function;
}

bool Catalog::has_function(const ObjectPath& path, bool temporary) const {
  if (temporary) {
    const auto found = temporary_functions_.find(path.to_string());
    return found != temporary_functions_.end() && found->second.path == path;
  }
  const Database* where = database({path.catalog, path.database});
  return where != nullptr && where->functions.contains(path.object);
}

Status Catalog::put_function(CatalogFunction function) {
  const ObjectPath path = function.path;
  if (function.system) {
    system_functions_.insert_or_assign(path.object, std::move(function));
    return Status::ok();
  }
  if (function.temporary) {
    temporary_functions_.insert_or_assign(path.to_string(), std::move(function));
    return Status::ok();
  }
  Database* where = database({path.catalog, path.database});
  CLP_CHECK(where != nullptr);
  if (CatalogFiles* files = files_of(path.catalog)) {
    CLP_RETURN_IF_ERROR(files->write(path.database, FileKind::kFunction, path.object,
                                     create_function_text(function)));
  }
  where->functions[path.object] = {std::move(function), Status::ok(), {}};
  return Status::ok();
}

Status Catalog::remove_function(const ObjectPath& path, bool temporary) {
  CLP_CHECK(has_function(path, temporary));
  if (temporary) {
    temporary_functions_.erase(path.to_string());
    return Status::ok();
  }
  if (CatalogFiles* files = files_of(path.catalog)) {
    CLP_RETURN_IF_ERROR(files->remove(path.database, FileKind::kFunction, path.object));
  }
  database({path.catalog, path.database})->functions.erase(path.object);
  return Status::ok();
}

void Catalog::remove_system_function(std::string_view name) {
  const auto found = system_functions_.find(name);
  CLP_CHECK(found != system_functions_.end());
  system_functions_.erase(found);
}

std::vector<std::string> Catalog::function_names(const DatabasePath& path) const {
  std::set<std::string> names;
  if (const Database* where = database(path)) {
    for (const auto& [name, function] : where->functions) names.insert(name);
  }
  for (const auto& [name, function] : temporary_functions_) {
    if (function.path.catalog == path.catalog && function.path.database == path.database) {
      names.insert(function.path.object);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> Catalog::system_function_names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : system_functions_) names.push_back(name);
  return names;
}

void Catalog::refresh_function(const ObjectPath& path, const CatalogFiles::File& file,
                               const Entry& entry, const Database& known, const Readers& readers,
                               Database& database) {
  StoredFunction& stored = database.functions[path.object];
  const auto old = known.functions.find(path.object);
  if (old != known.functions.end() && old->second.stamp.same(file.stamp)) {
    stored = old->second;
    return;
  }
  stored.stamp = file.stamp;
  const Result<std::string> text = entry.files->read(path.database, file.kind, path.object);
  Result<CatalogFunction> function =
      text.is_ok() ? readers.function(path, *text) : Result<CatalogFunction>(text.status());
  if (function.is_ok()) {
    stored.function = *std::move(function);
  } else {
    stored.problem = function.status().with_context(
        fmt::format("reading function '{}' from its catalog file", path.to_string()));
  }
}

}  // namespace clepsydra::sql
