#include "taskmanager/state_upload.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/logging.h"
#include "checkpoint/checkpoint_storage.h"

namespace clepsydra {

StateUpload::StateUpload(FileSystem& files, BlockingPool& pool, std::string folder,
                         std::string path, Waker waker, LocalCopyTarget copy)
    : files_(files),
      pool_(pool),
      folder_(std::move(folder)),
      path_(std::move(path)),
      waker_(std::move(waker)),
      copy_target_(std::move(copy)) {}

StateUpload::~StateUpload() = default;

void StateUpload::append(std::string piece) {
  const MutexLock lock(mutex_);
  waiting_bytes_ += static_cast<std::int64_t>(piece.size());
  pieces_.push_back(std::move(piece));
  submit();
}

void StateUpload::finish() {
  const MutexLock lock(mutex_);
  is_finishing_ = true;
  submit();
}

void StateUpload::abandon() {
  const MutexLock lock(mutex_);
  is_abandoned_ = true;
  pieces_.clear();
  // An I/O thread that is at work sees it; else one is asked to, if there is something to remove.
  if (has_written_ && !is_running_) submit();
}

bool StateUpload::has_room() const {
  const MutexLock lock(mutex_);
  return waiting_bytes_ < kWaitingBytesMax;
}

std::int64_t StateUpload::waiting_bytes() const {
  const MutexLock lock(mutex_);
  return waiting_bytes_;
}

std::optional<Result<StateFile>> StateUpload::take_result() {
  const MutexLock lock(mutex_);
  return std::exchange(result_, std::nullopt);
}

void StateUpload::submit() {
  if (is_running_ || (has_ended_ && !is_abandoned_)) return;
  const Status submitted = pool_.submit([self = shared_from_this()] { self->run(); });
  is_running_ = submitted.is_ok();
  if (is_running_) return;
  has_ended_ = true;
  result_ = submitted.with_context(path_);
}

void StateUpload::run() {
  while (true) {
    std::vector<std::string> pieces;
    bool is_last = false;
    {
      const MutexLock lock(mutex_);
      if (is_abandoned_) break;
      pieces.swap(pieces_);
      is_last = is_finishing_;
      if (pieces.empty() && !is_last) {
        is_running_ = false;
        return;
      }
      has_written_ = true;
    }
    const Status written = write(pieces, is_last);
    {
      const MutexLock lock(mutex_);
      if (is_abandoned_) break;
      for (const std::string& piece : pieces) {
        waiting_bytes_ -= static_cast<std::int64_t>(piece.size());
      }
      has_ended_ = is_last || !written.is_ok();
      is_running_ = !has_ended_;
      if (has_ended_) result_ = written.is_ok() ? Result<StateFile>(file_) : written;
    }
    waker_.wake();
    if (is_last || !written.is_ok()) return;
  }
  remove();
}

Status StateUpload::write(const std::vector<std::string>& pieces, bool is_last) {
  const auto write_all = [&]() -> Status {
    if (writer_ == nullptr) {
      CLP_ASSIGN_OR_RETURN(writer_, StateFileWriter::create(files_, folder_, path_));
      const auto& [copies, task] = copy_target_;
      if (copies != nullptr) copy_ = copies->write(task, folder_, path_);
    }
    for (const std::string& piece : pieces) {
      CLP_RETURN_IF_ERROR(writer_->append(piece));
      if (copy_ != nullptr) copy_->append(piece);
    }
    if (!is_last) return Status::ok();
    CLP_ASSIGN_OR_RETURN(file_, writer_->finish());
    if (copy_ != nullptr) copy_->finish();
    copy_.reset();
    return Status::ok();
  };
  Status written = write_all();
  if (!written.is_ok()) {
    writer_.reset();
    give_up_copy();
  }
  return written;
}

void StateUpload::give_up_copy() {
  copy_.reset();
  if (copy_target_.copies != nullptr) copy_target_.copies->remove(copy_target_.task, path_);
}

void StateUpload::remove() {
  writer_.reset();
  give_up_copy();
  if (file_.path.empty()) return;
  const Status removed = remove_state(files_, folder_, {file_});
  if (removed.is_ok()) return;
  CLP_LOG(kWarning, "taskmanager",
          fmt::format("cannot remove the file of a checkpoint that was given up: {}",
                      removed.to_string()));
}

}  // namespace clepsydra
