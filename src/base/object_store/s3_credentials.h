// Who asks S3: keys that are set, or temporary ones that the container or the machine hands out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/object_store/http_client.h"
#include "base/object_store/s3_options.h"
#include "base/object_store/s3_signature.h"
#include "clepsydra/status.h"

namespace clepsydra {

struct TemporaryCredentials {
  S3Credentials keys;
  std::int64_t expires_ms = 0;  // Wall time.
};

// What the services of AWS answer. Errors name what is missing, and never what is there.
Result<TemporaryCredentials> parse_credentials_json(std::string_view json);
// "2026-01-31T23:59:59Z", with or without a fraction, as wall time; 0 for another form.
std::int64_t parse_utc_time(std::string_view text);

// Set keys win; then the container's (AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI); then,
// only when no endpoint is set, those of the instance's role (IMDSv2). Without any of them requests
// are anonymous. Temporary keys are asked for again five minutes before they expire, and a machine
// without a role once in five minutes.
//
// Threads: all methods, any thread. Calls may block.
class S3CredentialSource {
 public:
  // Both outlive it. `http` gives up within a second or two: most machines have no such service.
  S3CredentialSource(const S3Options& options, HttpClient& http, const Clock& clock)
      : keys_(options.credentials),
        services_(options.credential_services),
        http_(http),
        clock_(clock) {}

  // With an empty access key: anonymous.
  Result<S3Credentials> get();

 private:
  [[nodiscard]] Result<TemporaryCredentials> fetch() const;
  [[nodiscard]] Result<TemporaryCredentials> fetch_of_instance() const;
  [[nodiscard]] Result<std::string> ask(const HttpRequest& request) const;

  const S3Credentials keys_;
  const S3Options::CredentialServices services_;
  HttpClient& http_;
  const Clock& clock_;
  Mutex mutex_;
  TemporaryCredentials temporary_ CLP_GUARDED_BY(mutex_);
  std::int64_t ask_again_ms_ CLP_GUARDED_BY(mutex_) = 0;
};

}  // namespace clepsydra
