#include "base/object_store/memory_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

Status no_object(std::string_view key) {
  return Status::not_found(fmt::format("there is no object '{}'", clip(key, 200)));
}

Status no_upload(std::string_view key) {
  return Status::not_found(fmt::format("there is no such upload of '{}'", clip(key, 200)));
}

}  // namespace

Result<ObjectFault> MemoryObjectStore::begin(ObjectOperation operation, std::string_view key) {
  std::shared_ptr<FaultHook> hook;
  {
    const MutexLock lock(mutex_);
    ++operations_;
    hook = hook_;
  }
  if (hook == nullptr || !*hook) return ObjectFault{};
  ObjectFault fault = (*hook)(operation, std::string(key));
  if (!fault.before.is_ok()) return fault.before;
  return fault;
}

void MemoryObjectStore::store(std::string_view key, std::string_view bytes) {
  std::vector<Version>& versions = objects_.try_emplace(std::string(key)).first->second;
  if (!versions.empty()) versions.back().bytes.clear();
  Version version;
  version.since_ms = clock_.now_ms();
  version.is_there = true;
  version.bytes = bytes;
  version.info = {std::string(key), static_cast<std::int64_t>(bytes.size()), version.since_ms,
                  fmt::format("\"{}\"", next_id_++)};
  versions.push_back(std::move(version));
  while (versions.size() > 1 && versions[1].since_ms <= clock_.now_ms() - listing_delay_ms_) {
    versions.erase(versions.begin());
  }
}

void MemoryObjectStore::erase(std::string_view key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  if (listing_delay_ms_ == 0) {
    objects_.erase(found);
    return;
  }
  if (!found->second.back().is_there) return;
  found->second.back().bytes.clear();
  Version gone;
  gone.since_ms = clock_.now_ms();
  found->second.push_back(std::move(gone));
}

const MemoryObjectStore::Version* MemoryObjectStore::find(std::string_view key) const {
  const auto found = objects_.find(key);
  if (found == objects_.end() || !found->second.back().is_there) return nullptr;
  return &found->second.back();
}

const MemoryObjectStore::Version* MemoryObjectStore::listed(
    const std::vector<Version>& versions) const {
  const Version* seen = nullptr;
  for (const Version& version : versions) {
    if (version.since_ms <= clock_.now_ms() - listing_delay_ms_) seen = &version;
  }
  return seen != nullptr && seen->is_there ? seen : nullptr;
}

Status MemoryObjectStore::put(std::string_view key, std::string_view bytes,
                              PutCondition condition) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kPut, key));
  const MutexLock lock(mutex_);
  if (condition == PutCondition::kIfAbsent && find(key) != nullptr) {
    return Status::already_exists(fmt::format("there is an object '{}'", clip(key, 200)));
  }
  store(key, bytes);
  return fault.after;
}

Result<std::int64_t> MemoryObjectStore::get(std::string_view key, std::int64_t offset,
                                            std::span<std::uint8_t> out, std::string_view etag) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kGet, key));
  if (!fault.after.is_ok()) return fault.after;
  const MutexLock lock(mutex_);
  const Version* object = find(key);
  if (object == nullptr) return no_object(key);
  if (!etag.empty() && etag != object->info.etag) {
    return Status::failed_precondition(
        fmt::format("the object '{}' has changed since it was opened", clip(key, 200)));
  }
  const std::string_view bytes = object->bytes;
  const std::string_view rest = bytes.substr(
      std::min(bytes.size(), static_cast<std::size_t>(std::max<std::int64_t>(offset, 0))));
  const std::size_t count = std::min(rest.size(), out.size());
  std::copy_n(rest.begin(), count, out.begin());
  return static_cast<std::int64_t>(count);
}

Result<ObjectInfo> MemoryObjectStore::head(std::string_view key) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kHead, key));
  if (!fault.after.is_ok()) return fault.after;
  const MutexLock lock(mutex_);
  const Version* object = find(key);
  if (object == nullptr) return no_object(key);
  return object->info;
}

Result<ObjectListing> MemoryObjectStore::list(const ObjectListRequest& request) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kList, request.prefix));
  if (!fault.after.is_ok()) return fault.after;
  if (request.limit < 1 || request.limit > 1000) {
    return Status::invalid_argument("a page of a listing has 1 to 1000 entries");
  }
  const MutexLock lock(mutex_);
  ObjectListing listing;
  std::string last;  // The last entry: a key, or a prefix of keys.
  const auto limit = static_cast<std::size_t>(request.limit);
  for (auto it = objects_.lower_bound(request.prefix); it != objects_.end(); ++it) {
    const auto& [key, versions] = *it;
    if (!key.starts_with(request.prefix)) break;
    const Version* object = listed(versions);
    if (object == nullptr) continue;
    std::string entry = key;
    bool is_prefix = false;
    if (request.by_folder) {
      const std::size_t slash = key.find('/', request.prefix.size());
      is_prefix = slash != std::string::npos;
      if (is_prefix) entry = key.substr(0, slash + 1);
    }
    if (entry <= request.continuation) continue;
    if (!last.empty() && entry == last) continue;
    if (listing.objects.size() + listing.prefixes.size() == limit) {
      listing.next = last;
      return listing;
    }
    last = entry;
    if (is_prefix) {
      listing.prefixes.push_back(std::move(entry));
    } else {
      listing.objects.push_back(object->info);
    }
  }
  return listing;
}

Status MemoryObjectStore::remove(std::string_view key) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kRemove, key));
  const MutexLock lock(mutex_);
  erase(key);
  return fault.after;
}

Status MemoryObjectStore::remove_many(std::span<const std::string> keys) {
  if (keys.size() > 1000) return Status::invalid_argument("more than 1000 keys at once");
  for (const std::string& key : keys) CLP_RETURN_IF_ERROR(remove(key));
  return Status::ok();
}

Status MemoryObjectStore::copy(std::string_view from, std::string_view to) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kCopy, to));
  const MutexLock lock(mutex_);
  const Version* object = find(from);
  if (object == nullptr) return no_object(from);
  store(to, std::string(object->bytes));
  return fault.after;
}

Result<std::string> MemoryObjectStore::create_upload(std::string_view key) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kCreateUpload, key));
  const MutexLock lock(mutex_);
  std::string id = fmt::format("upload-{:08}", next_id_++);
  uploads_[id] = {std::string(key), clock_.now_ms(), {}};
  if (!fault.after.is_ok()) return fault.after;
  return id;
}

Result<UploadPart> MemoryObjectStore::upload_part(std::string_view key, std::string_view upload_id,
                                                  int part, std::string_view bytes) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kUploadPart, key));
  if (part < 1 || part > kPartsMax) return Status::invalid_argument("no such number of a part");
  const MutexLock lock(mutex_);
  const auto upload = uploads_.find(upload_id);
  if (upload == uploads_.end() || upload->second.key != key) return no_upload(key);
  upload->second.parts[part] = bytes;
  if (!fault.after.is_ok()) return fault.after;
  return UploadPart{fmt::format("\"{}-{}\"", part, bytes.size()),
                    static_cast<std::int64_t>(bytes.size())};
}

Status MemoryObjectStore::complete_upload(std::string_view key, std::string_view upload_id,
                                          std::span<const UploadPart> parts) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kCompleteUpload, key));
  const MutexLock lock(mutex_);
  const auto upload = uploads_.find(upload_id);
  if (upload == uploads_.end() || upload->second.key != key) return no_upload(key);
  std::string bytes;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = upload->second.parts.find(static_cast<int>(i) + 1);
    if (part == upload->second.parts.end() ||
        parts[i].etag != fmt::format("\"{}-{}\"", i + 1, part->second.size())) {
      return Status::invalid_argument(
          fmt::format("part {} of '{}' was not uploaded", i + 1, clip(key, 200)));
    }
    if (i + 1 < parts.size() && static_cast<std::int64_t>(part->second.size()) < part_bytes_min_) {
      return Status::invalid_argument(
          fmt::format("part {} of '{}' is too small", i + 1, clip(key, 200)));
    }
    bytes += part->second;
  }
  if (parts.empty()) return Status::invalid_argument("an upload has at least one part");
  store(key, bytes);
  uploads_.erase(upload);
  return fault.after;
}

Status MemoryObjectStore::abort_upload(std::string_view key, std::string_view upload_id) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kAbortUpload, key));
  const MutexLock lock(mutex_);
  const auto upload = uploads_.find(upload_id);
  if (upload != uploads_.end()) uploads_.erase(upload);
  return fault.after;
}

Result<UploadListing> MemoryObjectStore::list_uploads(std::string_view prefix,
                                                      std::string_view continuation) {
  CLP_ASSIGN_OR_RETURN(const ObjectFault fault, begin(ObjectOperation::kListUploads, prefix));
  if (!fault.after.is_ok()) return fault.after;
  const MutexLock lock(mutex_);
  UploadListing listing;
  for (auto it = uploads_.upper_bound(continuation); it != uploads_.end(); ++it) {
    if (!it->second.key.starts_with(prefix)) continue;
    if (listing.uploads.size() == 1000) {
      listing.next = listing.uploads.back().id;
      break;
    }
    listing.uploads.push_back({it->second.key, it->first, it->second.started_ms});
  }
  return listing;
}

void MemoryObjectStore::set_fault_hook(FaultHook hook) {
  const MutexLock lock(mutex_);
  hook_ = std::make_shared<FaultHook>(std::move(hook));
}

void MemoryObjectStore::set_listing_delay_ms(std::int64_t delay_ms) {
  const MutexLock lock(mutex_);
  listing_delay_ms_ = delay_ms;
}

Status MemoryObjectStore::flip_bit(std::string_view key, std::uint64_t bit) {
  const MutexLock lock(mutex_);
  const Version* object = find(key);
  if (object == nullptr || bit / 8 >= object->bytes.size()) return no_object(key);
  char& byte = objects_.find(key)->second.back().bytes[static_cast<std::size_t>(bit / 8)];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (bit % 8)));
  return Status::ok();
}

Result<ObjectInfo> MemoryObjectStore::look_at(std::string_view key) const {
  const MutexLock lock(mutex_);
  const Version* object = find(key);
  if (object == nullptr) return no_object(key);
  return object->info;
}

Result<std::string> MemoryObjectStore::bytes_of(std::string_view key) const {
  const MutexLock lock(mutex_);
  const Version* object = find(key);
  if (object == nullptr) return no_object(key);
  return object->bytes;
}

std::int64_t MemoryObjectStore::operations() const {
  const MutexLock lock(mutex_);
  return operations_;
}

std::vector<std::string> MemoryObjectStore::keys() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, versions] : objects_) {
    if (versions.back().is_there) keys.push_back(key);
  }
  return keys;
}

std::vector<OpenUpload> MemoryObjectStore::open_uploads() const {
  const MutexLock lock(mutex_);
  std::vector<OpenUpload> open;
  for (const auto& [id, upload] : uploads_) open.push_back({upload.key, id, upload.started_ms});
  return open;
}

}  // namespace clepsydra
