#include "base/object_store/s3_credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kMarginMs = 300'000;
constexpr std::int64_t kAnswerBytesMax = 64LL << 10;

// A token or the name of a role goes into headers and addresses.
bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(0, text.find('\n'));
}

}  // namespace

Result<std::string> S3CredentialSource::ask(const HttpRequest& request) const {
  CLP_ASSIGN_OR_RETURN(HttpResponse response, http_.send(request));
  if (response.status == 200) return std::move(response.body);
  return Status::failed_precondition(fmt::format("it answers {}", response.status));
}

Result<TemporaryCredentials> S3CredentialSource::fetch_of_instance() const {
  const std::string root = services_.instance_url + "/latest/";
  CLP_ASSIGN_OR_RETURN(const std::string token,
                       ask({.method = "PUT",
                            .url = root + "api/token",
                            .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                            .body = {},
                            .answer_bytes_max = kAnswerBytesMax}));
  if (!is_plain(token)) return Status::failed_precondition("its token is not one");
  HttpRequest request;
  request.method = "GET";
  request.headers = {{"x-aws-ec2-metadata-token", token}};
  request.answer_bytes_max = kAnswerBytesMax;
  request.url = root + "meta-data/iam/security-credentials/";
  CLP_ASSIGN_OR_RETURN(std::string role, ask(request));
  role = trimmed(std::move(role));
  if (!is_plain(role)) return Status::failed_precondition("the machine has no role");
  request.url += percent_encode(role, /*keep_slashes=*/false);
  CLP_ASSIGN_OR_RETURN(const std::string json, ask(request));
  return parse_credentials_json(json);
}

Result<TemporaryCredentials> S3CredentialSource::fetch() const {
  if (services_.container_url.empty()) return fetch_of_instance();
  HttpRequest request;
  request.method = "GET";
  request.url = services_.container_url;
  request.answer_bytes_max = kAnswerBytesMax;
  if (!services_.container_token.empty()) {
    request.headers = {{"authorization", services_.container_token}};
  }
  CLP_ASSIGN_OR_RETURN(const std::string json, ask(request));
  return parse_credentials_json(json);
}

Result<S3Credentials> S3CredentialSource::get() {
  if (!keys_.access_key.empty()) return keys_;
  const bool has_container = !services_.container_url.empty();
  if (!has_container && services_.instance_url.empty()) return keys_;
  const MutexLock lock(mutex_);
  const std::int64_t now_ms = clock_.now_ms();
  if (now_ms < ask_again_ms_) return temporary_.keys;
  Result<TemporaryCredentials> fetched = fetch();
  if (fetched.is_ok()) {
    temporary_ = *std::move(fetched);
    // What says nothing about its end, or is about to, is asked for again soon.
    ask_again_ms_ = std::max(now_ms + 10'000, temporary_.expires_ms - kMarginMs);
    return temporary_.keys;
  }
  if (!temporary_.keys.access_key.empty() && now_ms < temporary_.expires_ms) return temporary_.keys;
  temporary_ = {};
  if (has_container) {
    return fetched.status().with_context(
        fmt::format("cannot get credentials for s3:// from the container's service '{}'",
                    clip(services_.container_url, 200)));
  }
  ask_again_ms_ = now_ms + kMarginMs;
  return S3Credentials();
}

}  // namespace clepsydra
