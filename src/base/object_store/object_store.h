// The port to object stores such as S3: what our code needs of one bucket. s3_object_store.h speaks
// to servers, memory_object_store.h is the model that simulations run on; one suite of cases
// (tests/object_store) holds for both.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

struct ObjectInfo {
  std::string key;
  std::int64_t size = 0;
  std::int64_t modified_ms = 0;  // Wall time of the store, in whole seconds at worst.
  std::string etag;              // Changes whenever the bytes do. Opaque.
};

struct ObjectListRequest {
  std::string prefix;
  // Keys that have a '/' after the prefix are answered once for each, as `prefixes`.
  bool by_folder = false;
  std::string continuation;  // ObjectListing::next of the page before.
  int limit = 1000;          // 1 to 1000 entries of a page.
};

struct ObjectListing {
  std::vector<ObjectInfo> objects;    // Ascending by the bytes of their keys.
  std::vector<std::string> prefixes;  // With the slash at their end; ascending.
  std::string next;                   // Empty: this was the last page.
};

enum class PutCondition : std::uint8_t {
  kNone,      // Takes the place of what is there.
  kIfAbsent,  // AlreadyExists when there is such an object, as far as the store can tell: of two at
              // the same moment both may win where it has no conditional writes.
};

struct UploadPart {
  std::string etag;
  std::int64_t size = 0;
};

struct OpenUpload {
  std::string key;
  std::string id;
  std::int64_t started_ms = 0;
};

struct UploadListing {
  std::vector<OpenUpload> uploads;
  std::string next;
};

// One bucket. An object appears, changes and goes as a whole; there is no appending, renaming or
// folder. What a call that returned Ok wrote is durable, and seen by every later get() and head();
// a list() may lag behind.
//
// Calls are repeated on errors that pass, so an operation may have had its effect although it
// failed, and any of them may be repeated by the caller. Errors: NotFound (no such object or
// upload), AlreadyExists, PermissionDenied, FailedPrecondition (no such bucket; the object has
// changed), ResourceExhausted (quota, size), InvalidArgument, Unavailable (after all retries). They
// name operation, store and key, and never a secret.
//
// Threads: all methods, any thread. Calls block.
class ObjectStore {
 public:
  // Every part of an upload but the last has at least so many bytes; there are at most kPartsMax.
  static constexpr std::int64_t kPartBytesMin = 5LL << 20;
  static constexpr int kPartsMax = 10'000;
  // More must be uploaded in parts.
  static constexpr std::int64_t kPutBytesMax = 5LL << 30;

  virtual ~ObjectStore() = default;

  virtual Status put(std::string_view key, std::string_view bytes, PutCondition condition) = 0;
  // Fills `out` from `offset`; less only at the end of the object. Returns the bytes read. With an
  // `etag`, FailedPrecondition when the object is another by now.
  virtual Result<std::int64_t> get(std::string_view key, std::int64_t offset,
                                   std::span<std::uint8_t> out, std::string_view etag) = 0;
  virtual Result<ObjectInfo> head(std::string_view key) = 0;
  virtual Result<ObjectListing> list(const ObjectListRequest& request) = 0;
  // Ok when there is none.
  virtual Status remove(std::string_view key) = 0;
  // At most 1000 keys at once.
  virtual Status remove_many(std::span<const std::string> keys) = 0;
  // Within the bucket, on the server.
  virtual Status copy(std::string_view from, std::string_view to) = 0;

  // Uploads in parts: the object appears when the upload is completed. Until then nobody sees it,
  // and it stays, at the bucket's cost, until it is aborted.
  virtual Result<std::string> create_upload(std::string_view key) = 0;
  // Parts count from 1, come in any order, and may be sent again.
  virtual Result<UploadPart> upload_part(std::string_view key, std::string_view upload_id, int part,
                                         std::string_view bytes) = 0;
  // `parts` from 1 on. NotFound when the upload was completed or aborted before.
  virtual Status complete_upload(std::string_view key, std::string_view upload_id,
                                 std::span<const UploadPart> parts) = 0;
  // Ok when it was completed or aborted before.
  virtual Status abort_upload(std::string_view key, std::string_view upload_id) = 0;
  virtual Result<UploadListing> list_uploads(std::string_view prefix,
                                             std::string_view continuation) = 0;
};

}  // namespace clepsydra
