// The files of the simulated machine as one process sees them: calls fail, lose their answer or are
// the last thing that the process does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"

namespace clepsydra::testing {

// What becomes of an operation.
enum class FileFault : std::uint8_t {
  kNone,
  kErrorBefore,  // It fails and has done nothing (an append: half of it).
  kErrorAfter,   // It is done, and its answer is an error.
  kDeathBefore,  // The process dies before it, or after it.
  kDeathAfter,
};

// Threads: the simulation's.
class ProcessFiles final : public FileSystem {
 public:
  // `disk` outlives this and everything opened.
  explicit ProcessFiles(FileSystem& disk) : state_(std::make_shared<State>()), disk_(disk) {}

  // Asked for every operation, which are counted from 1.
  using Plan = std::function<FileFault(std::int64_t operation)>;
  void set_plan(Plan plan) { state_->plan = std::move(plan); }
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
    Plan plan;
    bool dead = false;
    std::int64_t operations = 0;
    FileFault next();
  };

  std::shared_ptr<State> state_;  // Shared with open handles.
  FileSystem& disk_;
};

}  // namespace clepsydra::testing
