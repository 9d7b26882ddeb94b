#include "base/object_store/object_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "base/value_tree.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kFirstWindowBytes = 256LL << 10;
// Parts get larger so that the most that a store takes are enough for any file.
constexpr int kPartsPerSize = 1000;

std::string quoted(std::string_view path) {
  return fmt::format("'{}'", clip(path, 200));
}

}  // namespace

// ---- Uploads ----

std::string StagedUpload::encode() const {
  ValueTree list = ValueTree::list();
  for (const UploadPart& part : parts) {
    list.add(ValueTree::map().set("etag", part.etag).set("size", part.size));
  }
  return ValueTree::map().set("upload", id).set("parts", std::move(list)).encode();
}

Result<StagedUpload> StagedUpload::decode(std::string_view token) {
  StagedUpload upload;
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(token));
  CLP_ASSIGN_OR_RETURN(upload.id, tree.get_string("upload"));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List parts, tree.get_list("parts"));
  for (const ValueTree& part : parts) {
    UploadPart& added = upload.parts.emplace_back();
    CLP_ASSIGN_OR_RETURN(added.etag, part.get_string("etag"));
    CLP_ASSIGN_OR_RETURN(added.size, part.get_int("size"));
  }
  return upload;
}

Status complete_upload(ObjectStore& store, std::string_view key, const StagedUpload& upload) {
  const Status completed = store.complete_upload(key, upload.id, upload.parts);
  if (completed.code() != StatusCode::kNotFound) return completed;
  const Result<ObjectInfo> object = store.head(key);
  if (!object.is_ok()) {
    return object.status().code() == StatusCode::kNotFound ? completed : object.status();
  }
  std::int64_t size = 0;
  for (const UploadPart& part : upload.parts) size += part.size;
  if (object->size == size) return Status::ok();
  return Status::data_loss(fmt::format("the object {} has {} bytes, but {} were uploaded",
                                       quoted(key), object->size, size));
}

// ---- Reading ----

ObjectReader::ObjectReader(ObjectStore& store, ObjectInfo object, std::string path,
                           std::int64_t read_ahead_bytes_max)
    : store_(store),
      object_(std::move(object)),
      path_(std::move(path)),
      read_ahead_bytes_max_(read_ahead_bytes_max),
      next_window_bytes_(std::min(kFirstWindowBytes, read_ahead_bytes_max)) {}

Result<std::int64_t> ObjectReader::read_at(std::int64_t offset, std::span<std::uint8_t> out) const {
  if (offset < 0) return Status::invalid_argument("cannot read before the start of a file");
  const auto wanted = static_cast<std::int64_t>(out.size());
  const std::int64_t end = std::min(object_.size, offset + std::min(wanted, object_.size));
  const MutexLock lock(mutex_);
  std::int64_t at = offset;
  while (at < end) {
    const auto window_end = window_begin_ + static_cast<std::int64_t>(window_.size());
    const std::span<std::uint8_t> rest = out.subspan(static_cast<std::size_t>(at - offset));
    if (at >= window_begin_ && at < window_end) {
      const std::int64_t count = std::min(window_end, end) - at;
      std::copy_n(window_.begin() + (at - window_begin_), count, rest.begin());
      at += count;
      continue;
    }
    if (at != window_end) next_window_bytes_ = std::min(kFirstWindowBytes, read_ahead_bytes_max_);
    const std::int64_t bytes = std::min(std::max(next_window_bytes_, end - at), object_.size - at);
    next_window_bytes_ = std::min(next_window_bytes_ * 2, read_ahead_bytes_max_);
    window_.resize(static_cast<std::size_t>(std::min(bytes, read_ahead_bytes_max_)));
    window_begin_ = at;
    const Result<std::int64_t> got = store_.get(object_.key, at, window_, object_.etag);
    if (got.is_ok()) window_.resize(static_cast<std::size_t>(*got));
    if (!got.is_ok() || *got == 0) {
      window_.clear();
      if (!got.is_ok()) return got.status();
      return Status::data_loss(
          fmt::format("{} ends at byte {} of {}", quoted(path_), at, object_.size));
    }
  }
  return std::max<std::int64_t>(0, at - offset);
}

// ---- Writing ----

ObjectWriter::ObjectWriter(ObjectStore& store, std::string key, std::string path,
                           const Options& options)
    : store_(store),
      key_(std::move(key)),
      path_(std::move(path)),
      options_(options),
      progress_(std::make_shared<Progress>()) {}

ObjectWriter::~ObjectWriter() {
  (void)wait_for_parts(0);
  // What stays after an error is found by list_staged().
  if (!is_finished_ && !upload_.id.empty()) (void)store_.abort_upload(key_, upload_.id);
}

std::int64_t ObjectWriter::next_part_bytes() const {
  return options_.part_bytes << std::min(part_count_ / kPartsPerSize, 10);
}

Status ObjectWriter::append(std::string_view bytes) {
  if (is_finished_ || is_closed_) {
    return Status::failed_precondition(
        fmt::format("cannot append to {}: an object is whole once it is written", quoted(path_)));
  }
  while (!bytes.empty()) {
    const auto room = static_cast<std::size_t>(next_part_bytes()) - buffer_.size();
    const std::size_t count = std::min(room, bytes.size());
    buffer_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    size_ += static_cast<std::int64_t>(count);
    if (count == room) CLP_RETURN_IF_ERROR(send_part());
  }
  return Status::ok();
}

Status ObjectWriter::send_part() {
  if (part_count_ >= ObjectStore::kPartsMax) {
    return Status::resource_exhausted(
        fmt::format("{} gets more than {} parts", quoted(path_), ObjectStore::kPartsMax));
  }
  if (upload_.id.empty()) {
    CLP_ASSIGN_OR_RETURN(upload_.id, store_.create_upload(key_));
  }
  CLP_RETURN_IF_ERROR(wait_for_parts(std::max(0, options_.parts_at_once - 1)));
  const auto index = static_cast<std::size_t>(part_count_++);
  {
    const MutexLock lock(progress_->mutex);
    ++progress_->under_way;
    progress_->parts.resize(index + 1);
  }
  const auto send = [store = &store_, key = key_, id = upload_.id, index, progress = progress_,
                     bytes = std::make_shared<const std::string>(std::move(buffer_))] {
    Result<UploadPart> part = store->upload_part(key, id, static_cast<int>(index) + 1, *bytes);
    const MutexLock lock(progress->mutex);
    --progress->under_way;
    if (part.is_ok()) {
      progress->parts[index] = *std::move(part);
    } else if (progress->error.is_ok()) {
      progress->error = part.status();
    }
    progress->changed.notify_all();
  };
  buffer_ = std::string();
  if (options_.pool == nullptr || !options_.pool->submit(send).is_ok()) send();
  return wait_for_parts(options_.parts_at_once);
}

Status ObjectWriter::wait_for_parts(int under_way_max) {
  const MutexLock lock(progress_->mutex);
  while (progress_->under_way > under_way_max) progress_->changed.wait(progress_->mutex);
  return progress_->error;
}

Status ObjectWriter::finish() {
  if (is_finished_) return Status::ok();
  if (is_closed_) {
    return Status::failed_precondition(fmt::format("{} is closed", quoted(path_)));
  }
  if (options_.end == End::kVisible && upload_.id.empty()) {
    CLP_RETURN_IF_ERROR(store_.put(key_, buffer_, options_.condition));
  } else {
    CLP_RETURN_IF_ERROR(finish_upload());
  }
  buffer_ = std::string();
  is_finished_ = true;
  return Status::ok();
}

Status ObjectWriter::finish_upload() {
  // An upload without a part cannot be completed.
  if (!buffer_.empty() || part_count_ == 0) CLP_RETURN_IF_ERROR(send_part());
  CLP_RETURN_IF_ERROR(wait_for_parts(0));
  {
    const MutexLock lock(progress_->mutex);
    upload_.parts = progress_->parts;
  }
  if (options_.end == End::kStaged) return Status::ok();
  if (options_.condition == PutCondition::kIfAbsent && store_.head(key_).is_ok()) {
    return Status::already_exists(fmt::format("there is an object {}", quoted(path_)));
  }
  return complete_upload(store_, key_, upload_);
}

Status ObjectWriter::close() {
  if (is_closed_) return Status::ok();
  const Status finished = finish();
  is_closed_ = true;
  return finished;
}

std::string ObjectWriter::token() const {
  CLP_CHECK(is_finished_ && options_.end == End::kStaged);
  return upload_.encode();
}

}  // namespace clepsydra
