#include "state/snapshot_bytes.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kAlignment = 64;  // Of what a pool gives.

}  // namespace

SnapshotBytes::SnapshotBytes(std::string bytes)
    : bytes_(std::make_shared<const std::string>(std::move(bytes))),
      size_(static_cast<std::int64_t>(bytes_->size())) {}

SnapshotBytes::SnapshotBytes(FileSystem& files, std::string path, std::int64_t size)
    : file_(std::make_shared<File>(File{.files = &files, .path = std::move(path)})), size_(size) {}

std::vector<SnapshotBytes> SnapshotBytes::all_of(std::vector<std::string> snapshots) {
  return {std::make_move_iterator(snapshots.begin()), std::make_move_iterator(snapshots.end())};
}

Result<std::string_view> SnapshotBytes::read(std::int64_t offset, std::int64_t count,
                                             std::string& room) const {
  CLP_CHECK(offset >= 0 && count >= 0 && count <= size_ - offset);
  const auto length = static_cast<std::size_t>(count);
  if (file_ == nullptr) {
    return std::string_view(*bytes_).substr(static_cast<std::size_t>(offset), length);
  }
  room.resize(length);
  CLP_RETURN_IF_ERROR(fill(offset, reinterpret_cast<std::uint8_t*>(room.data()), count));
  return std::string_view(room);
}

Result<BufferPtr> SnapshotBytes::read_aligned(std::int64_t offset, std::int64_t count,
                                              std::int64_t aligned_at, MemoryPool& pool,
                                              std::int64_t* shift) const {
  CLP_CHECK(offset >= 0 && count >= 0 && count <= size_ - offset);
  *shift = (kAlignment - aligned_at % kAlignment) % kAlignment;
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer,
                       allocate_buffer(pool, *shift + count));
  std::uint8_t* const to = buffer->mutable_data() + *shift;
  if (file_ != nullptr) {
    CLP_RETURN_IF_ERROR(fill(offset, to, count));
  } else if (count > 0) {
    std::memcpy(to, bytes_->data() + offset, static_cast<std::size_t>(count));
  }
  return BufferPtr(std::move(buffer));
}

Status SnapshotBytes::fill(std::int64_t offset, std::uint8_t* to, std::int64_t count) const {
  if (file_->open == nullptr) {
    CLP_ASSIGN_OR_RETURN(file_->open, file_->files->open_for_read(file_->path));
  }
  for (std::int64_t done = 0; done < count;) {
    const std::span<std::uint8_t> room(to + done, static_cast<std::size_t>(count - done));
    CLP_ASSIGN_OR_RETURN(const std::int64_t got, file_->open->read_at(offset + done, room));
    if (got == 0) {
      return Status::data_loss(fmt::format("'{}' ends after {} of {} bytes", clip(file_->path, 200),
                                           offset + done, size_));
    }
    done += got;
  }
  return Status::ok();
}

void SnapshotBytes::close() const {
  if (file_ != nullptr) file_->open.reset();
}

}  // namespace clepsydra
