// The files of the simulated machine as one process sees them: calls fail, lose their answer, tell
// old news or are the last thing that the process does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/memory_file_system.h"
#include "happenings.h"

namespace clepsydra::testing {

// What becomes of an operation.
enum class FileFault : std::uint8_t {
  kNone,
  kErrorBefore,  // It fails and has done nothing (an append: half of it).
  kErrorAfter,   // It is done, and its answer is an error.
  kDeathBefore,  // The process dies before it (an append: within it), or after it.
  kDeathAfter,
  kStale,  // Of list(): what this process saw there the last time, if it has been there.
};

// Threads: the simulation's.
class ProcessFiles final : public FileSystem {
 public:
  // `disk` outlives this and everything opened.
  ProcessFiles(FileSystem& disk, Happenings& happened)
      : state_(std::make_shared<State>(State{.happened = happened})), disk_(disk) {}

  // Asked for every operation, which are counted from 1.
  using Plan = std::function<FileFault(std::int64_t number, FileOperation operation)>;
  void set_plan(Plan plan) { state_->plan = std::move(plan); }
  // Told of every file that got its name by a renaming that has happened.
  void set_on_renamed(std::function<void(const std::string& to)> on_renamed) {
    on_renamed_ = std::move(on_renamed);
  }
  // From now on every call fails and changes nothing.
  void kill() { state_->dead = true; }
  [[nodiscard]] bool is_dead() const { return state_->dead; }
  [[nodiscard]] std::int64_t operations() const { return state_->operations; }

  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override;
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override;
  Status rename(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Result<std::vector<FileInfo>> list(std::string_view directory) override;
  Result<FileInfo> stat(std::string_view path) override;
  Status create_directories(std::string_view path) override;
  Status sync_directory(std::string_view directory) override;

 private:
  class ReadHandle;
  class WriteHandle;
  struct State {
    Happenings& happened;
    Plan plan = {};
    bool dead = false;
    std::int64_t operations = 0;
    FileFault next(FileOperation operation);
  };

  std::shared_ptr<State> state_;  // Shared with open handles.
  FileSystem& disk_;
  std::function<void(const std::string& to)> on_renamed_;
  std::map<std::string, std::vector<FileInfo>, std::less<>> seen_;  // Listings by folder.
};

}  // namespace clepsydra::testing
