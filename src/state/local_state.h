// Settings of state on local disk, and the directory of a process for it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/configuration.h"
#include "base/local_file_system.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "clepsydra/status.h"
#include "state/local_store.h"
#include "state/state_backend.h"

namespace clepsydra {

// What `state.backend.rocksdb.*` says about memory and files, without stores and name.
// InvalidArgument for values that cannot work, Unimplemented for those that cannot be followed yet.
Result<LocalStateOptions> read_local_state_options(const Configuration& configuration);

// Opens the local stores of a process, once per directory. Threads: any.
class LocalStatePlaces {
 public:
  // `system_folder` is for state whose place nobody has set, such as "/tmp".
  explicit LocalStatePlaces(std::string system_folder) : system_folder_(std::move(system_folder)) {}

  // Where the configuration says: in `state.backend.rocksdb.localdir`, or in a directory of this
  // process below the first of `io.tmp.dirs`. Shared by the jobs of the process.
  Result<std::shared_ptr<LocalStores>> open(const Configuration& configuration);

 private:
  // Processes of a machine that have not been told where to keep state.
  static constexpr int kProcessesMax = 1000;

  Result<std::shared_ptr<LocalStores>> open_at(const std::string& directory) CLP_REQUIRES(mutex_);
  Result<std::shared_ptr<LocalStores>> open_below(const std::string& folder) CLP_REQUIRES(mutex_);

  const std::string system_folder_;
  LocalFileSystem files_;
  Mutex mutex_;
  // Owned by the jobs that use them.
  std::map<std::string, std::weak_ptr<LocalStores>> open_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::string> own_ CLP_GUARDED_BY(mutex_);  // By folder: what was taken.
};

}  // namespace clepsydra
