// Brings what a task has encoded of its state into a file, on I/O threads, while it is encoded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/fwd.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "taskmanager/local_copies.h"
#include "taskmanager/task_id.h"

namespace clepsydra {

class StateFileWriter;

// Where a second copy of a file goes; `copies` null: there is none.
struct LocalCopyTarget {
  std::shared_ptr<LocalCopies> copies = nullptr;
  TaskId task = {};
};

// One file. The task appends pieces and never waits; it stops appending while has_room() is false,
// so that slow storage costs a bounded amount of memory. A file that is abandoned is removed.
//
// Threads: the public methods are the task's; the I/O threads hold the upload alive.
class StateUpload final : public std::enable_shared_from_this<StateUpload> {
 public:
  // Bytes that wait for an I/O thread: from here on there is no room.
  static constexpr std::int64_t kWaitingBytesMax = 8 << 20;

  // `path`: below `folder`. `waker`: of the task, woken when there is room again and at the end.
  StateUpload(FileSystem& files, BlockingPool& pool, std::string folder, std::string path,
              Waker waker, LocalCopyTarget copy = {});
  ~StateUpload();

  void append(std::string piece);
  // Nothing more is appended: take_result() answers when the file is durable.
  void finish();
  // Nobody wants the file any more; also after finish() and after take_result().
  void abandon();

  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::int64_t waiting_bytes() const;
  // Once: the file, or why there is none. An error may come before finish().
  std::optional<Result<StateFile>> take_result();

 private:
  void submit() CLP_REQUIRES(mutex_);
  // The I/O thread's: writes what waits until nothing does.
  void run();
  Status write(const std::vector<std::string>& pieces, bool is_last);
  void remove();
  void give_up_copy();

  FileSystem& files_;
  BlockingPool& pool_;
  const std::string folder_;
  const std::string path_;
  const Waker waker_;
  const LocalCopyTarget copy_target_;
  // Of the one I/O thread that runs.
  std::unique_ptr<StateFileWriter> writer_;
  std::unique_ptr<LocalCopies::Writer> copy_;
  StateFile file_;  // Once it is finished.

  mutable Mutex mutex_;
  std::vector<std::string> pieces_ CLP_GUARDED_BY(mutex_);
  std::int64_t waiting_bytes_ CLP_GUARDED_BY(mutex_) = 0;
  bool is_running_ CLP_GUARDED_BY(mutex_) = false;   // An I/O thread is at work, or will be.
  bool has_written_ CLP_GUARDED_BY(mutex_) = false;  // There may be a file.
  bool is_finishing_ CLP_GUARDED_BY(mutex_) = false;
  bool is_abandoned_ CLP_GUARDED_BY(mutex_) = false;
  bool has_ended_ CLP_GUARDED_BY(mutex_) = false;
  std::optional<Result<StateFile>> result_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
