// HTTP requests, one at a time per call: what the S3 client sends its own with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

struct HttpRequest {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
  std::int64_t answer_bytes_max = 16LL << 20;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in small letters.
  std::string body;

  // Empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Threads: all methods, any thread. Calls block.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any status of the server is an answer. Unavailable: no connection, or it broke, or took too
  // long; the request may have been carried out all the same. Redirects are not followed.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t idle_timeout_ms = 30'000;  // Not a byte for so long.
};

// Over libcurl, which is loaded by the first call.
Result<std::unique_ptr<HttpClient>> make_curl_http_client(const HttpClientOptions& options);

}  // namespace clepsydra
