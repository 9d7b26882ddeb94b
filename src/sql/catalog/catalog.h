// The session's tables and views, in memory: one catalog with one database.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "sql/catalog/table.h"

namespace clepsydra::sql {

inline constexpr std::string_view kDefaultCatalog = "default_catalog";
inline constexpr std::string_view kDefaultDatabase = "default_database";

// A table or a view; exactly one is set, neither when nothing was found.
struct CatalogObject {
  CatalogTablePtr table;
  CatalogViewPtr view;

  [[nodiscard]] bool found() const { return table != nullptr || view != nullptr; }
  [[nodiscard]] const ObjectPath& path() const { return table ? table->path : view->path; }
  [[nodiscard]] bool temporary() const { return table ? table->temporary : view->temporary; }
};

// Temporary objects hide permanent ones of the same name. Threads: one at a time.
class Catalog {
 public:
  // Completes "orders", "default_database.orders" or the full name. NotFound for a catalog or
  // database that does not exist.
  [[nodiscard]] Result<ObjectPath> resolve(std::span<const std::string> parts) const;

  [[nodiscard]] CatalogObject find(const ObjectPath& path) const;
  // Of this layer alone.
  [[nodiscard]] CatalogObject find(const ObjectPath& path, bool temporary) const;
  // AlreadyExists unless `replace_view`-like calls dropped it first.
  Status add(CatalogObject object);
  // False when there is none in this layer.
  bool remove(const ObjectPath& path, bool temporary);

  // Names sorted by bytes; views are tables too, as in the reference.
  [[nodiscard]] std::vector<std::string> table_names() const;
  [[nodiscard]] std::vector<std::string> view_names() const;
  // A number that no table had before.
  std::uint64_t next_version() { return ++version_; }

 private:
  using Objects = std::map<std::string, CatalogObject, std::less<>>;
  [[nodiscard]] const Objects& layer(bool temporary) const {
    return temporary ? temporary_ : permanent_;
  }

  Objects permanent_;
  Objects temporary_;
  std::uint64_t version_ = 0;
};

}  // namespace clepsydra::sql
