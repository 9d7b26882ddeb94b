// What is configured about S3: the keys "s3.…" of the reference, and what the environment says.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/configuration.h"
#include "base/object_store/s3_signature.h"
#include "clepsydra/status.h"

namespace clepsydra {

struct S3Options {
  // Where temporary keys come from when none are set; see S3CredentialSource.
  struct CredentialServices {
    std::string container_url;
    std::string container_token;
    std::string instance_url;  // Empty: the machine is not asked.
  };

  S3Credentials credentials;
  CredentialServices credential_services;
  std::string region = "us-east-1";
  bool is_https = true;
  std::string host;         // Of the endpoint, with its port. Empty: that of AWS in the region.
  bool path_style = false;  // The bucket is the first part of the path, not of the host.
  int retries_max = 5;
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t idle_timeout_ms = 30'000;
  std::int64_t part_bytes = 8LL << 20;
  int uploads_at_once = 4;

  using Environment = std::function<std::optional<std::string>(std::string_view name)>;
  // Keys of `configuration` first, then AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
  // AWS_SESSION_TOKEN, AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3,
  // AWS_CONTAINER_CREDENTIALS_FULL_URI and _RELATIVE_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN,
  // AWS_EC2_METADATA_DISABLED and AWS_EC2_METADATA_SERVICE_ENDPOINT. Errors name key and expected
  // form, and never the value of a secret.
  static Result<S3Options> read(const Configuration& configuration, const Environment& environment);
};

}  // namespace clepsydra
