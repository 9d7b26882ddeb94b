// A bucket of Amazon S3, or of a server that speaks its protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/object_store/http_client.h"
#include "base/object_store/object_store.h"
#include "base/object_store/s3_credentials.h"
#include "base/object_store/s3_options.h"
#include "base/object_store/s3_xml.h"
#include "base/random.h"

namespace clepsydra {

// What an S3ObjectStore is made with; each outlives it.
struct S3Environment {
  HttpClient* http = nullptr;
  S3CredentialSource* credentials = nullptr;
  const Clock* clock = nullptr;
  // Waits before a request is sent again. Called on the caller's thread.
  std::function<void(std::int64_t ms)> sleep;
  std::uint64_t seed = 0;  // Of the times between attempts.
};

// Requests that fail for reasons that pass (no connection, throttled, the server's own errors) are
// sent again up to S3Options::retries_max times, after times that grow from 50 ms to 5 s, half of
// them random so that many clients do not come back at once.
//
// Threads: all methods, any thread.
class S3ObjectStore final : public ObjectStore {
 public:
  S3ObjectStore(S3Options options, std::string bucket, S3Environment environment);

  Status put(std::string_view key, std::string_view bytes, PutCondition condition) override;
  Result<std::int64_t> get(std::string_view key, std::int64_t offset, std::span<std::uint8_t> out,
                           std::string_view etag) override;
  Result<ObjectInfo> head(std::string_view key) override;
  Result<ObjectListing> list(const ObjectListRequest& request) override;
  Status remove(std::string_view key) override;
  Status remove_many(std::span<const std::string> keys) override;
  Status copy(std::string_view from, std::string_view to) override;
  Result<std::string> create_upload(std::string_view key) override;
  Result<UploadPart> upload_part(std::string_view key, std::string_view upload_id, int part,
                                 std::string_view bytes) override;
  Status complete_upload(std::string_view key, std::string_view upload_id,
                         std::span<const UploadPart> parts) override;
  Status abort_upload(std::string_view key, std::string_view upload_id) override;
  Result<UploadListing> list_uploads(std::string_view prefix,
                                     std::string_view continuation) override;

 private:
  struct Call {
    std::string_view what;  // "read", "list": for messages.
    std::string method;
    std::string_view key = {};
    std::vector<std::pair<std::string, std::string>> query = {};
    std::vector<std::pair<std::string, std::string>> headers = {};  // Names in small letters.
    std::string_view body = {};
    std::int64_t answer_bytes_max = 16LL << 20;
  };

  // Until it succeeds, fails for good, or all attempts are used up.
  Result<HttpResponse> send(const Call& call);
  Result<HttpResponse> send_once(const Call& call);
  static Status failed(const HttpResponse& response, bool is_signed);
  [[nodiscard]] std::string context_of(const Call& call) const;
  Result<XmlElement> read_xml(const Call& call, const HttpResponse& response) const;
  std::int64_t pause_ms(int attempt);

  const S3Options options_;
  const std::string bucket_;
  const S3Environment environment_;
  Mutex mutex_;
  Random random_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
