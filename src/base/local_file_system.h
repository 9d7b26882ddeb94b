// The machine's own files.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace clepsydra {

class LocalFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override;
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override;
  Status rename(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Result<std::vector<FileInfo>> list(std::string_view directory) override;
  Result<FileInfo> stat(std::string_view path) override;
  Status create_directories(std::string_view path) override;
  Status sync_directory(std::string_view directory) override;
};

// A second name for a file. Unimplemented: the folders are on different disks, or theirs has no
// such names; else as FileSystem's errors, AlreadyExists among them.
Status hard_link(std::string_view from, std::string_view to);

// A fresh directory for a test or a scratch area; the name starts with
// `prefix`. Removed by the caller.
Result<std::string> make_temporary_directory(std::string_view prefix);

}  // namespace clepsydra
