// The files of one catalog: a folder per database, a file per table, view or function, all of them
// SQL text. docs/formats/file_catalog.md says what is in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {
class FileSystem;
}  // namespace clepsydra

namespace clepsydra::sql {

enum class FileKind : std::uint8_t { kDatabase, kTable, kView, kFunction };

// What tells two versions of a file apart.
struct FileStamp {
  std::int64_t size = -1;
  std::int64_t modified_ms = -1;
  bool settled = false;  // Old enough that a later change shows in `modified_ms`.

  [[nodiscard]] bool same(const FileStamp& other) const {
    return settled && size == other.size && modified_ms == other.modified_ms;
  }
};

// Names are any text of 1 to kNameBytesMax bytes; in file names, what is not a letter, digit, '_'
// or '-' is written as %XX, so that no name leaves the catalog's folder.
//
// Threads: one at a time. Several processes may use one folder: each file is replaced in one step.
class CatalogFiles {
 public:
  static constexpr std::size_t kNameBytesMax = 200;  // Of the file name without its ending.
  static constexpr std::int64_t kFileBytesMax = 16LL << 20;
  static constexpr std::size_t kFilesMax = 100000;

  struct File {
    FileKind kind = FileKind::kTable;
    std::string name;  // Of the object; empty for a database.
    FileStamp stamp;
  };
  struct DatabaseFolder {
    std::string name;
    std::vector<File> files;
  };

  // `files` must outlive this. The folder is made when the first database is.
  CatalogFiles(FileSystem& files, std::string folder);

  // Every database that is there, with its files, in order of their names. Files with other endings
  // are not looked at. ResourceExhausted above kFilesMax.
  [[nodiscard]] Result<std::vector<DatabaseFolder>> scan(std::int64_t now_ms) const;
  // The statement in a file, without its first line.
  [[nodiscard]] Result<std::string> read(const std::string& database, FileKind kind,
                                         const std::string& name) const;

  // AlreadyExists when there is one. What an interrupted removal left behind goes.
  Status create_database(const std::string& database, std::string_view statement);
  Status write(const std::string& database, FileKind kind, const std::string& name,
               std::string_view statement);
  // Fine when it is not there.
  Status remove(const std::string& database, FileKind kind, const std::string& name);
  // With everything in it.
  Status remove_database(const std::string& database);
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  [[nodiscard]] std::string database_folder(const std::string& database) const;
  [[nodiscard]] std::string path_of(const std::string& database, FileKind kind,
                                    const std::string& name) const;

  FileSystem& files_;
  const std::string folder_;
};

// "a b" -> "a%20b".
std::string encode_file_name(std::string_view name);
// What stands in a file: the statement behind a line that says whose file it is.
std::string with_first_line(std::string_view statement);
// DataLoss when that line is missing.
Result<std::string> without_first_line(std::string_view path, std::string text);
// InvalidArgument for a name that is no file name of kNameBytesMax bytes.
Status check_object_name(std::string_view name);
// InvalidArgument for what encode_file_name does not write.
Result<std::string> decode_file_name(std::string_view file_name);

}  // namespace clepsydra::sql
