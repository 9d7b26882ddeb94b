#include "sql/catalog/catalog_files.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/file_system.h"

namespace clepsydra::sql {
namespace {

constexpr std::string_view kFirstLine = "-- Clepsydra catalog file, version 1\n";
constexpr std::string_view kDatabaseFile = "database.sql";
constexpr std::string_view kTableEnding = ".table.sql";
constexpr std::string_view kViewEnding = ".view.sql";
constexpr std::string_view kFunctionEnding = ".function.sql";
// A file changed again within this time may have the same size and time of change.
constexpr std::int64_t kSettledMs = 2000;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view ending_of(FileKind kind) {
  switch (kind) {
    case FileKind::kView:
      return kViewEnding;
    case FileKind::kFunction:
      return kFunctionEnding;
    default:
      return kTableEnding;
  }
}

// Kind and name of an object's file; false for any other file.
bool parse_file_name(std::string_view file_name, CatalogFiles::File& file) {
  std::string_view ending;
  for (const FileKind kind : {FileKind::kTable, FileKind::kView, FileKind::kFunction}) {
    if (!file_name.ends_with(ending_of(kind))) continue;
    ending = ending_of(kind);
    file.kind = kind;
  }
  if (ending.empty()) return false;
  Result<std::string> name =
      decode_file_name(file_name.substr(0, file_name.size() - ending.size()));
  if (!name.is_ok()) return false;
  file.name = *std::move(name);
  return true;
}

}  // namespace

Status check_object_name(std::string_view name) {
  if (name.empty()) return Status::invalid_argument("a name in a catalog of files cannot be empty");
  if (encode_file_name(name).size() <= CatalogFiles::kNameBytesMax) return Status::ok();
  return Status::invalid_argument(
      fmt::format("the name '{}...' is too long for a catalog of files: at most {} bytes, where "
                  "everything but letters, digits, '_' and '-' counts three",
                  name.substr(0, 32), CatalogFiles::kNameBytesMax));
}

std::string with_first_line(std::string_view statement) {
  return std::string(kFirstLine) + std::string(statement);
}

Result<std::string> without_first_line(std::string_view path, std::string text) {
  if (!text.starts_with(kFirstLine)) {
    return Status::data_loss(fmt::format("'{}' does not begin with \"{}\"", path,
                                         kFirstLine.substr(0, kFirstLine.size() - 1)));
  }
  text.erase(0, kFirstLine.size());
  return text;
}

std::string encode_file_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_plain(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<std::string> decode_file_name(std::string_view file_name) {
  std::string out;
  for (std::size_t i = 0; i < file_name.size(); ++i) {
    if (file_name[i] == '%' && i + 2 < file_name.size()) {
      const int high = hex_digit(file_name[i + 1]);
      const int low = hex_digit(file_name[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += file_name[i];
  }
  if (out.empty() || encode_file_name(out) != file_name) {
    return Status::invalid_argument("not the file name of a catalog object");
  }
  return out;
}

CatalogFiles::CatalogFiles(FileSystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

std::string CatalogFiles::database_folder(const std::string& database) const {
  return join_path(folder_, encode_file_name(database));
}

std::string CatalogFiles::path_of(const std::string& database, FileKind kind,
                                  const std::string& name) const {
  std::string file(kDatabaseFile);
  if (kind != FileKind::kDatabase) file = encode_file_name(name) + std::string(ending_of(kind));
  return join_path(database_folder(database), file);
}

Result<std::vector<CatalogFiles::DatabaseFolder>> CatalogFiles::scan(std::int64_t now_ms) const {
  std::vector<DatabaseFolder> databases;
  Result<std::vector<FileInfo>> folders = files_.list(folder_);
  if (!folders.is_ok()) {
    if (folders.status().code() == StatusCode::kNotFound) return databases;
    return folders.status();
  }
  std::size_t count = 0;
  for (const FileInfo& info : *folders) {
    Result<std::string> name = decode_file_name(info.name);
    if (!info.is_directory || !name.is_ok()) continue;
    DatabaseFolder folder{.name = *std::move(name), .files = {}};
    CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries,
                         files_.list(join_path(folder_, info.name)));
    bool is_database = false;
    for (const FileInfo& entry : entries) {
      if (entry.is_directory) continue;
      File file;
      file.stamp = {entry.size, entry.modified_ms, now_ms - entry.modified_ms > kSettledMs};
      if (entry.name == kDatabaseFile) {
        is_database = true;
        file.kind = FileKind::kDatabase;
      } else if (!parse_file_name(entry.name, file)) {
        continue;
      }
      if (++count > kFilesMax) {
        return Status::resource_exhausted(
            fmt::format("more than {} files in '{}'", kFilesMax, folder_));
      }
      folder.files.push_back(std::move(file));
    }
    if (is_database) databases.push_back(std::move(folder));
  }
  return databases;
}

Result<std::string> CatalogFiles::read(const std::string& database, FileKind kind,
                                       const std::string& name) const {
  const std::string path = path_of(database, kind, name);
  CLP_ASSIGN_OR_RETURN(std::string text, read_file(files_, path, kFileBytesMax));
  return without_first_line(path, std::move(text));
}

Status CatalogFiles::create_database(const std::string& database, std::string_view statement) {
  CLP_RETURN_IF_ERROR(check_object_name(database));
  CLP_ASSIGN_OR_RETURN(const bool exists,
                       files_.exists(path_of(database, FileKind::kDatabase, {})));
  if (exists) {
    return Status::already_exists(
        fmt::format("database '{}' exists already in '{}'", database, folder_));
  }
  const std::string folder = database_folder(database);
  CLP_RETURN_IF_ERROR(files_.remove_all(folder));
  CLP_RETURN_IF_ERROR(files_.create_directories(folder));
  CLP_RETURN_IF_ERROR(files_.sync_directory(folder_));
  return write(database, FileKind::kDatabase, {}, statement);
}

Status CatalogFiles::write(const std::string& database, FileKind kind, const std::string& name,
                           std::string_view statement) {
  CLP_RETURN_IF_ERROR(check_object_name(database));
  if (kind != FileKind::kDatabase) CLP_RETURN_IF_ERROR(check_object_name(name));
  if (static_cast<std::int64_t>(statement.size() + kFirstLine.size()) > kFileBytesMax) {
    return Status::resource_exhausted(
        fmt::format("the definition has {} bytes; a catalog file may have at most {}",
                    statement.size(), kFileBytesMax));
  }
  CLP_RETURN_IF_ERROR(
      write_file_atomically(files_, path_of(database, kind, name), with_first_line(statement)));
  return files_.sync_directory(database_folder(database));
}

Status CatalogFiles::remove(const std::string& database, FileKind kind, const std::string& name) {
  const Status removed = files_.remove(path_of(database, kind, name));
  if (!removed.is_ok() && removed.code() != StatusCode::kNotFound) return removed;
  return files_.sync_directory(database_folder(database));
}

Status CatalogFiles::remove_database(const std::string& database) {
  // The file that makes it a database goes first: what is left after a failure is no half database.
  CLP_RETURN_IF_ERROR(remove(database, FileKind::kDatabase, {}));
  return files_.remove_all(database_folder(database));
}

}  // namespace clepsydra::sql
