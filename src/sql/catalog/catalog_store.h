// Where the definitions of catalogs are kept, so that they are there again in the next session: the
// reference's catalog store. docs/formats/file_catalog.md says what is in its files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/configuration.h"
#include "clepsydra/status.h"

namespace clepsydra {
class FileSystem;
}  // namespace clepsydra

namespace clepsydra::sql {

// Read from what the session starts with, never from SET.
inline constexpr std::string_view kStoreKind = "table.catalog-store.kind";
inline constexpr std::string_view kStorePath = "table.catalog-store.file.path";

// One file per catalog. Threads: one at a time.
class CatalogStore {
 public:
  struct Entry {
    std::string name;
    Result<std::string> statement;  // CREATE CATALOG, or why it cannot be read.
  };

  // Null for the kind that keeps nothing. `files` may be null.
  static Result<std::unique_ptr<CatalogStore>> open(const StringMap& configuration,
                                                    FileSystem* files);

  // In order of their names. Files with other endings are not looked at.
  [[nodiscard]] Result<std::vector<Entry>> list() const;
  Status write(const std::string& name, std::string_view statement);
  // Fine when it is not there.
  Status remove(const std::string& name);

 private:
  CatalogStore(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  [[nodiscard]] std::string path_of(const std::string& name) const;

  FileSystem& files_;
  const std::string folder_;
};

}  // namespace clepsydra::sql
