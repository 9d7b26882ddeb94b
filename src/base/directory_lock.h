// Keeps two processes from writing the same folder.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "clepsydra/status.h"

namespace clepsydra {

// A folder of the local machine that belongs to this object, until it is destroyed or its process
// has ended, however that came about. What keeps others out is a lock on the file `.lock` in it.
//
// Threads: all methods, any thread.
class DirectoryLock {
 public:
  // The folder exists. FailedPrecondition: somebody else has it, of this process or another one,
  // which is named. Others: the file cannot be made.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  DirectoryLock(std::string path, int descriptor) : path_(std::move(path)), file_(descriptor) {}

  const std::string path_;
  const int file_;
};

}  // namespace clepsydra
