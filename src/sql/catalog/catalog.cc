#include "sql/catalog/catalog.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace clepsydra::sql {

Result<ObjectPath> Catalog::resolve(std::span<const std::string> parts) const {
  if (parts.empty() || parts.size() > 3) {
    return Status::invalid_argument("a table is named by at most catalog, database and name");
  }
  const std::size_t n = parts.size();
  ObjectPath path{std::string(kDefaultCatalog), std::string(kDefaultDatabase), parts[n - 1]};
  if (n >= 2) path.database = parts[n - 2];
  if (n == 3) path.catalog = parts[0];
  if (path.catalog != kDefaultCatalog) {
    return Status::not_found(fmt::format("catalog '{}' does not exist", path.catalog));
  }
  if (path.database != kDefaultDatabase) {
    return Status::not_found(
        fmt::format("database '{}' does not exist in catalog '{}'", path.database, path.catalog));
  }
  return path;
}

CatalogObject Catalog::find(const ObjectPath& path) const {
  CatalogObject object = find(path, true);
  return object.found() ? object : find(path, false);
}

CatalogObject Catalog::find(const ObjectPath& path, bool temporary) const {
  const Objects& objects = layer(temporary);
  const auto it = objects.find(path.object);
  return it == objects.end() ? CatalogObject{} : it->second;
}

Status Catalog::add(CatalogObject object) {
  const ObjectPath path = object.path();
  const bool temporary = object.temporary();
  const CatalogObject existing = find(path, temporary);
  if (existing.found()) {
    return Status::already_exists(fmt::format("{}{} '{}' already exists",
                                              temporary ? "temporary " : "",
                                              existing.view ? "view" : "table", path.to_string()));
  }
  (temporary ? temporary_ : permanent_).emplace(path.object, std::move(object));
  return Status::ok();
}

bool Catalog::remove(const ObjectPath& path, bool temporary) {
  return (temporary ? temporary_ : permanent_).erase(path.object) > 0;
}

std::vector<std::string> Catalog::table_names() const {
  std::set<std::string> names;
  for (const auto& [name, object] : permanent_) names.insert(name);
  for (const auto& [name, object] : temporary_) names.insert(name);
  return {names.begin(), names.end()};
}

std::vector<std::string> Catalog::view_names() const {
  std::vector<std::string> names;
  for (const std::string& name : table_names()) {
    const ObjectPath path{std::string(kDefaultCatalog), std::string(kDefaultDatabase), name};
    if (find(path).view) names.push_back(name);
  }
  return names;
}

}  // namespace clepsydra::sql
