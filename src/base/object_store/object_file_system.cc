#include "base/object_store/object_file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "base/object_store/object_files.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

// A listing that lags may show what has gone; so many times it is looked at anew.
constexpr int kRemovePassesMax = 100'000;

std::string quoted(std::string_view path) {
  return fmt::format("'{}'", clip(path, 200));
}

Status no_such(std::string_view path) {
  return Status::not_found(fmt::format("there is no object {}", quoted(path)));
}

bool is_not_found(const Status& status) {
  return status.code() == StatusCode::kNotFound;
}

// Everything whose key begins so.
std::string folder_prefix(const std::string& key) {
  return key.empty() ? key : key + "/";
}

}  // namespace

ObjectFileSystem::ObjectFileSystem(FindBucket find_bucket, Options options)
    : find_bucket_(std::move(find_bucket)), options_(options) {}

ObjectFileSystem::ObjectFileSystem(FindBucket find_bucket)
    : ObjectFileSystem(std::move(find_bucket), Options{}) {}

Result<ObjectFileSystem::Place> ObjectFileSystem::find(std::string_view path) const {
  Place place;
  CLP_ASSIGN_OR_RETURN(place.path, canonical_path(path));
  constexpr std::string_view kScheme = "s3://";
  if (!place.path.starts_with(kScheme)) {
    return Status::invalid_argument(
        fmt::format("{} is not on an object store: expected s3://bucket/key", quoted(path)));
  }
  const std::string_view rest = std::string_view(place.path).substr(kScheme.size());
  place.bucket = rest.substr(0, rest.find('/'));
  place.key = rest.substr(std::min(rest.size(), place.bucket.size() + 1));
  CLP_ASSIGN_OR_RETURN(place.store, find_bucket_(place.bucket));
  return place;
}

Result<ObjectFileSystem::Place> ObjectFileSystem::find_file(std::string_view path) const {
  CLP_ASSIGN_OR_RETURN(Place place, find(path));
  if (place.key.empty()) {
    return Status::failed_precondition(
        fmt::format("{} is a bucket; expected s3://bucket/key", quoted(path)));
  }
  return place;
}

Result<bool> ObjectFileSystem::is_folder(const Place& place) {
  ObjectListRequest request;
  request.prefix = folder_prefix(place.key);
  request.limit = 1;
  CLP_ASSIGN_OR_RETURN(const ObjectListing listing, place.store->list(request));
  return place.key.empty() || !listing.objects.empty();
}

// ---- Files ----

Result<std::unique_ptr<RandomAccessFile>> ObjectFileSystem::open_for_read(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(Place place, find_file(path));
  Result<ObjectInfo> object = place.store->head(place.key);
  if (!object.is_ok()) {
    if (!is_not_found(object.status())) return object.status();
    CLP_ASSIGN_OR_RETURN(const bool has_more_below, is_folder(place));
    if (!has_more_below) return object.status();
    return Status::failed_precondition(fmt::format("{} is a folder", quoted(place.path)));
  }
  return std::make_unique<ObjectReader>(*place.store, *std::move(object), std::move(place.path),
                                        options_.read_ahead_bytes_max);
}

Result<std::unique_ptr<WritableFile>> ObjectFileSystem::open_for_write(std::string_view path,
                                                                       WriteMode mode) {
  CLP_ASSIGN_OR_RETURN(Place place, find_file(path));
  if (mode == WriteMode::kAppend) {
    return Status::unimplemented(
        fmt::format("cannot append to {}: objects are written as a whole", quoted(place.path)));
  }
  ObjectWriter::Options options;
  options.part_bytes = options_.part_bytes;
  options.parts_at_once = options_.parts_at_once;
  options.pool = options_.pool;
  if (mode == WriteMode::kCreateNew) {
    options.condition = PutCondition::kIfAbsent;
    const Result<ObjectInfo> object = place.store->head(place.key);
    if (object.is_ok()) {
      return Status::already_exists(fmt::format("there is an object {}", quoted(place.path)));
    }
    if (!is_not_found(object.status())) return object.status();
  }
  return std::make_unique<ObjectWriter>(*place.store, std::move(place.key), std::move(place.path),
                                        options);
}

Status ObjectFileSystem::rename(std::string_view from, std::string_view to) {
  return Status::unimplemented(
      fmt::format("cannot rename {} to {}: objects keep their names", quoted(from), quoted(to)));
}

Status ObjectFileSystem::remove(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const Place place, find_file(path));
  // Removing what is not there is no error of a store, but one of a file system.
  const Result<ObjectInfo> object = place.store->head(place.key);
  if (object.is_ok()) return place.store->remove(place.key);
  if (!is_not_found(object.status())) return object.status();
  CLP_ASSIGN_OR_RETURN(const bool has_more_below, is_folder(place));
  if (!has_more_below) return no_such(place.path);
  return Status::failed_precondition(
      fmt::format("cannot remove {}: the folder is not empty", quoted(place.path)));
}

Status ObjectFileSystem::write_atomically(std::string_view path, std::string_view bytes) {
  CLP_ASSIGN_OR_RETURN(const Place place, find_file(path));
  return place.store->put(place.key, bytes, PutCondition::kNone);
}

// ---- Folders ----

Result<std::vector<FileInfo>> ObjectFileSystem::list(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const Place place, find(directory));
  ObjectListRequest request;
  request.prefix = folder_prefix(place.key);
  request.by_folder = true;
  std::vector<FileInfo> entries;
  do {
    CLP_ASSIGN_OR_RETURN(ObjectListing page, place.store->list(request));
    for (std::string& prefix : page.prefixes) {
      const std::string_view name = std::string_view(prefix).substr(request.prefix.size());
      if (name.size() < 2) continue;  // "a//b": such keys have no path.
      entries.push_back({std::string(name.substr(0, name.size() - 1)), 0, true, 0});
    }
    for (const ObjectInfo& object : page.objects) {
      // The key of the folder itself is what other tools put there to have one.
      std::string name = object.key.substr(request.prefix.size());
      if (!name.empty()) {
        entries.push_back({std::move(name), object.size, false, object.modified_ms});
      }
    }
    if (static_cast<std::int64_t>(entries.size()) > kListMax) {
      return Status::resource_exhausted(
          fmt::format("{} has more than {} entries", quoted(place.path), kListMax));
    }
    request.continuation = std::move(page.next);
  } while (!request.continuation.empty());
  if (entries.empty() && !place.key.empty()) {
    const Result<ObjectInfo> object = place.store->head(place.key);
    if (object.is_ok()) {
      return Status::failed_precondition(
          fmt::format("cannot list {}: it is a file", quoted(place.path)));
    }
    if (!is_not_found(object.status())) return object.status();
  }
  std::sort(entries.begin(), entries.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  return entries;
}

Result<FileInfo> ObjectFileSystem::stat(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const Place place, find(path));
  if (!place.key.empty()) {
    const Result<ObjectInfo> object = place.store->head(place.key);
    if (object.is_ok()) {
      return FileInfo{std::string(path), object->size, false, object->modified_ms};
    }
    if (!is_not_found(object.status())) return object.status();
  }
  CLP_ASSIGN_OR_RETURN(const bool is_there, is_folder(place));
  if (!is_there) return no_such(place.path);
  return FileInfo{std::string(path), 0, true, 0};
}

Status ObjectFileSystem::create_directories(std::string_view path) {
  return find(path).status();
}

Status ObjectFileSystem::sync_directory(std::string_view directory) {
  (void)directory;
  return Status::ok();
}

Status ObjectFileSystem::remove_all(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const Place place, find(path));
  if (place.key.empty()) {
    return Status::invalid_argument(
        fmt::format("{} is a whole bucket: it is not removed", quoted(place.path)));
  }
  CLP_RETURN_IF_ERROR(place.store->remove(place.key));
  ObjectListRequest request;
  request.prefix = folder_prefix(place.key);
  for (int pass = 0; pass < kRemovePassesMax; ++pass) {
    CLP_ASSIGN_OR_RETURN(const ObjectListing page, place.store->list(request));
    std::vector<std::string> keys;
    for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
    if (!keys.empty()) CLP_RETURN_IF_ERROR(place.store->remove_many(keys));
    if (page.next.empty()) break;
    request.continuation = page.next;
  }
  CLP_ASSIGN_OR_RETURN(const std::vector<StagedInfo> staged, list_staged(path));
  for (const StagedInfo& info : staged) CLP_RETURN_IF_ERROR(discard(info.path, info.token));
  return Status::ok();
}

// ---- Staged files ----

StagingArea* ObjectFileSystem::staging_area(std::string_view path) {
  (void)path;
  return this;
}

Result<std::unique_ptr<StagedFile>> ObjectFileSystem::stage(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(Place place, find_file(path));
  ObjectWriter::Options options;
  options.end = ObjectWriter::End::kStaged;
  options.part_bytes = options_.part_bytes;
  options.parts_at_once = options_.parts_at_once;
  options.pool = options_.pool;
  return std::make_unique<ObjectWriter>(*place.store, std::move(place.key), std::move(place.path),
                                        options);
}

Status ObjectFileSystem::publish(std::string_view path, std::string_view token) {
  CLP_ASSIGN_OR_RETURN(const Place place, find_file(path));
  CLP_ASSIGN_OR_RETURN(const StagedUpload upload, StagedUpload::decode(token));
  return complete_upload(*place.store, place.key, upload);
}

Status ObjectFileSystem::discard(std::string_view path, std::string_view token) {
  CLP_ASSIGN_OR_RETURN(const Place place, find_file(path));
  CLP_ASSIGN_OR_RETURN(const StagedUpload upload, StagedUpload::decode(token));
  return place.store->abort_upload(place.key, upload.id);
}

Result<std::vector<StagedInfo>> ObjectFileSystem::list_staged(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const Place place, find(directory));
  const std::string prefix = folder_prefix(place.key);
  std::vector<StagedInfo> staged;
  std::string continuation;
  do {
    CLP_ASSIGN_OR_RETURN(UploadListing page, place.store->list_uploads(prefix, continuation));
    for (OpenUpload& upload : page.uploads) {
      staged.push_back({fmt::format("s3://{}/{}", place.bucket, upload.key),
                        StagedUpload{std::move(upload.id), {}}.encode(), upload.started_ms});
    }
    if (static_cast<std::int64_t>(staged.size()) > kListMax) {
      return Status::resource_exhausted(
          fmt::format("{} has more than {} open uploads", quoted(place.path), kListMax));
    }
    continuation = std::move(page.next);
  } while (!continuation.empty());
  return staged;
}

}  // namespace clepsydra
