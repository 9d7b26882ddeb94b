// All files that a path can name: those of this machine and the objects of stores.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/configuration.h"
#include "base/file_system.h"
#include "base/local_file_system.h"
#include "base/mutex.h"

namespace clepsydra {

class ObjectFileSystem;

// "s3://bucket/key" (and s3a, s3p) are objects as `configuration` and the environment of the
// process say, everything else is local. Nothing of S3 is read, loaded or connected before the
// first path that needs it; a wrong setting is the error of that path.
//
// Threads: all methods, any thread.
class UriFileSystem final : public FileSystem {
 public:
  // Without settings: what the environment says about S3.
  explicit UriFileSystem(Configuration configuration = {});
  ~UriFileSystem() override;
  UriFileSystem(const UriFileSystem&) = delete;
  UriFileSystem& operator=(const UriFileSystem&) = delete;

  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override;
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override;
  // Both paths are of one scheme.
  Status rename(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Result<std::vector<FileInfo>> list(std::string_view directory) override;
  Result<FileInfo> stat(std::string_view path) override;
  Status create_directories(std::string_view path) override;
  Status sync_directory(std::string_view directory) override;
  Status remove_all(std::string_view path) override;
  Status write_atomically(std::string_view path, std::string_view bytes) override;
  StagingArea* staging_area(std::string_view path) override;

 private:
  class S3;

  FileSystem& of(std::string_view path);

  LocalFileSystem local_;
  std::unique_ptr<S3> s3_;
};

}  // namespace clepsydra
