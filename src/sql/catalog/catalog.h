// The session's catalogs: databases, tables, views and functions by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "sql/catalog/catalog_files.h"
#include "sql/catalog/table.h"

namespace clepsydra::sql {

inline constexpr std::string_view kDefaultCatalog = "default_catalog";
inline constexpr std::string_view kDefaultDatabase = "default_database";
inline constexpr std::string_view kMemoryCatalogType = "generic_in_memory";
inline constexpr std::string_view kFileCatalogType = "file";
// Of one session, catalogs and databases together.
inline constexpr std::size_t kDatabasesMax = 10000;

// A table or a view; exactly one is set, neither when nothing was found.
struct CatalogObject {
  CatalogTablePtr table;
  CatalogViewPtr view;

  [[nodiscard]] bool found() const { return table != nullptr || view != nullptr; }
  [[nodiscard]] const ObjectPath& path() const { return table ? table->path : view->path; }
  [[nodiscard]] bool temporary() const { return table ? table->temporary : view->temporary; }
};

struct DatabasePath {
  std::string catalog;
  std::string database;

  [[nodiscard]] std::string to_string() const { return catalog + "." + database; }
  friend bool operator==(const DatabasePath&, const DatabasePath&) = default;
};

// What CREATE DATABASE and CREATE CATALOG said.
struct Properties {
  std::optional<std::string> comment;
  TableOptions options;
};

// As functions are kept: they are found in any case, as in the reference.
std::string small_letters(std::string_view name);

// Temporary objects hide permanent ones of the same name. A catalog with files writes them before
// it changes; a change that could not be written did not happen. Threads: one at a time.
class Catalog {
 public:
  // Makes a table or view of its stored definition.
  using Reader = std::function<Result<CatalogObject>(const ObjectPath& path, FileKind kind,
                                                     std::string_view text)>;
  using DatabaseReader = std::function<Result<Properties>(std::string_view text)>;
  using FunctionReader =
      std::function<Result<CatalogFunction>(const ObjectPath& path, std::string_view text)>;

  // With the default catalog and its database.
  Catalog();

  // --- Names. A name starts at the current catalog and database unless it says otherwise.

  // "orders", "database.orders" or the full name. NotFound for a catalog or database that does not
  // exist; what is wrong with it for an object whose stored definition cannot be read.
  [[nodiscard]] Result<ObjectPath> resolve(std::span<const std::string> parts) const;
  // The same without a look at the object: to remove it.
  [[nodiscard]] Result<ObjectPath> locate(std::span<const std::string> parts) const;
  // "database" or "catalog.database", which must exist.
  [[nodiscard]] Result<DatabasePath> resolve_database(std::span<const std::string> parts) const;
  // The same; only the catalog must exist.
  [[nodiscard]] Result<DatabasePath> locate_database(std::span<const std::string> parts) const;
  [[nodiscard]] const std::string& current_catalog() const { return current_catalog_; }
  // Empty when it was dropped.
  [[nodiscard]] const std::string& current_database() const { return current_database_; }
  // NotFound when there is none. Its default database becomes the current one.
  Status use_catalog(const std::string& name);
  void use_database(const DatabasePath& path);

  // --- Catalogs.

  [[nodiscard]] std::vector<std::string> catalog_names() const;
  [[nodiscard]] bool has_catalog(std::string_view name) const { return catalogs_.contains(name); }
  // Null when there is none.
  [[nodiscard]] const Properties* find_catalog(std::string_view name) const;
  // `files` is null for a catalog in memory. Its default database is made unless it is there.
  Status add_catalog(const std::string& name, Properties properties, std::string default_database,
                     std::unique_ptr<CatalogFiles> files);
  // A catalog that cannot be read: it has a name, and everything else answers `problem`.
  void add_unreadable_catalog(const std::string& name, Status problem);
  // Why it cannot be read; Ok for all others.
  [[nodiscard]] Status catalog_problem(const std::string& name) const;
  Status change_catalog(const std::string& name, Properties properties);
  // FailedPrecondition for the current one. Files stay.
  Status remove_catalog(const std::string& name);

  // --- Databases.

  [[nodiscard]] std::vector<std::string> database_names(const std::string& catalog) const;
  [[nodiscard]] const Properties* find_database(const DatabasePath& path) const;
  Status add_database(const DatabasePath& path, Properties properties);
  Status change_database(const DatabasePath& path, Properties properties);
  // Objects in it are removed as well when `cascade`; without, FailedPrecondition when there are
  // any.
  Status remove_database(const DatabasePath& path, bool cascade);

  // --- Tables and views.

  [[nodiscard]] CatalogObject find(const ObjectPath& path) const;
  // Of this layer alone.
  [[nodiscard]] CatalogObject find(const ObjectPath& path, bool temporary) const;
  // A permanent object of this name is there, even one that cannot be read.
  [[nodiscard]] bool has_permanent(const ObjectPath& path) const;
  // AlreadyExists unless remove() or replace() made room.
  Status add(CatalogObject object);
  // Puts `object` in the place of the one at `old`, which is in the same layer and database.
  Status replace(const ObjectPath& old, CatalogObject object);
  // NotFound when there is none in this layer.
  Status remove(const ObjectPath& path, bool temporary);

  // Names sorted by bytes; views are tables too, as in the reference.
  [[nodiscard]] std::vector<std::string> table_names(const DatabasePath& path) const;
  [[nodiscard]] std::vector<std::string> view_names(const DatabasePath& path) const;
  // Of the current database.
  [[nodiscard]] std::vector<std::string> table_names() const;
  [[nodiscard]] std::size_t object_count() const;
  // A number that no table had before.
  std::uint64_t next_version() { return ++version_; }

  // --- Functions (catalog_functions.cc). Names are in small letters; temporary ones hide others.

  // A temporary system function, or null.
  [[nodiscard]] const CatalogFunction* find_system_function(std::string_view name) const;
  // Of a catalog, temporary or not; null when there is none. DataLoss for a definition that cannot
  // be read.
  [[nodiscard]] Result<const CatalogFunction*> find_function(const ObjectPath& path) const;
  // Of one layer alone.
  [[nodiscard]] bool has_function(const ObjectPath& path, bool temporary) const;
  // In the place of one of the same layer and name, if there is one.
  Status put_function(CatalogFunction function);
  // It must be there.
  Status remove_function(const ObjectPath& path, bool temporary);
  void remove_system_function(std::string_view name);
  // Sorted; of the database alone, without system functions.
  [[nodiscard]] std::vector<std::string> function_names(const DatabasePath& path) const;
  [[nodiscard]] std::vector<std::string> system_function_names() const;

  [[nodiscard]] bool has_files() const;
  // Takes over what others have written to the files of catalogs since the last call. What cannot
  // be read stays known by name; resolve() says why. `now_ms` is wall time.
  struct Readers {
    Reader object;
    DatabaseReader database;
    FunctionReader function;
  };
  void refresh(const Readers& readers, std::int64_t now_ms);

 private:
  struct StoredObject {
    CatalogObject object;
    Status problem = Status::ok();  // Why there is no object.
    FileStamp stamp;
  };
  struct StoredFunction {
    CatalogFunction function;
    Status problem = Status::ok();  // Why it is not known.
    FileStamp stamp;
  };
  struct Database {
    Properties properties;
    std::map<std::string, StoredFunction, std::less<>> functions;
    std::map<std::string, StoredObject, std::less<>> objects;
    FileStamp stamp;
  };
  struct Entry {
    Properties properties;
    std::string default_database;
    std::unique_ptr<CatalogFiles> files;
    std::map<std::string, Database, std::less<>> databases;
    Status problem = Status::ok();  // The files could not be listed.
  };

  [[nodiscard]] Result<const Entry*> entry(const std::string& name) const;
  [[nodiscard]] const Database* database(const DatabasePath& path) const;
  [[nodiscard]] Database* database(const DatabasePath& path);
  [[nodiscard]] CatalogFiles* files_of(const std::string& catalog) const;
  [[nodiscard]] Status write(const CatalogObject& object) const;
  static void refresh_entry(const std::string& name, Entry& entry, const Readers& readers,
                            std::int64_t now_ms);
  static void refresh_function(const ObjectPath& path, const CatalogFiles::File& file,
                               const Entry& entry, const Database& known, const Readers& readers,
                               Database& database);

  std::map<std::string, Entry, std::less<>> catalogs_;
  std::map<std::string, CatalogObject, std::less<>> temporary_;              // By full name.
  std::map<std::string, CatalogFunction, std::less<>> temporary_functions_;  // By full name.
  std::map<std::string, CatalogFunction, std::less<>> system_functions_;
  std::string current_catalog_{kDefaultCatalog};
  std::string current_database_{kDefaultDatabase};
  std::uint64_t version_ = 0;
};

}  // namespace clepsydra::sql
