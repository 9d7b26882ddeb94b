#include "sql/catalog/catalog_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "sql/catalog/catalog.h"
#include "sql/catalog/catalog_files.h"

namespace clepsydra::sql {
namespace {

constexpr std::string_view kEnding = ".catalog.sql";

}  // namespace

Result<std::unique_ptr<CatalogStore>> CatalogStore::open(const StringMap& configuration,
                                                         FileSystem* files) {
  const auto kind = configuration.find(kStoreKind);
  if (kind == configuration.end() || kind->second == kMemoryCatalogType) {
    return std::unique_ptr<CatalogStore>();
  }
  if (kind->second != kFileCatalogType) {
    return Status::invalid_argument(fmt::format("'{}' is '{}'; known kinds: '{}', '{}'", kStoreKind,
                                                kind->second, kFileCatalogType,
                                                kMemoryCatalogType));
  }
  const auto path = configuration.find(kStorePath);
  if (path == configuration.end() || path->second.empty()) {
    return Status::invalid_argument(
        fmt::format("'{}' = 'file' needs a folder in '{}'", kStoreKind, kStorePath));
  }
  if (files == nullptr) {
    return Status::failed_precondition("this session has no files to keep catalogs in");
  }
  CLP_ASSIGN_OR_RETURN(std::string folder, local_path(path->second));
  return std::unique_ptr<CatalogStore>(new CatalogStore(*files, std::move(folder)));
}

std::string CatalogStore::path_of(const std::string& name) const {
  return join_path(folder_, encode_file_name(name) + std::string(kEnding));
}

Result<std::vector<CatalogStore::Entry>> CatalogStore::list() const {
  std::vector<Entry> entries;
  Result<std::vector<FileInfo>> found = files_.list(folder_);
  if (!found.is_ok()) {
    if (found.status().code() == StatusCode::kNotFound) return entries;
    return found.status();
  }
  for (const FileInfo& info : *found) {
    const std::string_view file = info.name;
    if (info.is_directory || !file.ends_with(kEnding)) continue;
    Result<std::string> name = decode_file_name(file.substr(0, file.size() - kEnding.size()));
    if (!name.is_ok()) continue;
    if (entries.size() >= kDatabasesMax) {
      return Status::resource_exhausted(
          fmt::format("more than {} catalogs in '{}'", kDatabasesMax, folder_));
    }
    const std::string path = path_of(*name);
    Result<std::string> text = read_file(files_, path, CatalogFiles::kFileBytesMax);
    if (text.is_ok()) text = without_first_line(path, *std::move(text));
    entries.push_back({.name = *std::move(name), .statement = std::move(text)});
  }
  return entries;
}

Status CatalogStore::write(const std::string& name, std::string_view statement) {
  CLP_RETURN_IF_ERROR(check_object_name(name));
  CLP_RETURN_IF_ERROR(files_.create_directories(folder_));
  CLP_RETURN_IF_ERROR(write_file_atomically(files_, path_of(name), with_first_line(statement)));
  return files_.sync_directory(folder_);
}

Status CatalogStore::remove(const std::string& name) {
  const Status removed = files_.remove(path_of(name));
  if (removed.code() == StatusCode::kNotFound) return Status::ok();
  CLP_RETURN_IF_ERROR(removed);
  return files_.sync_directory(folder_);
}

}  // namespace clepsydra::sql
