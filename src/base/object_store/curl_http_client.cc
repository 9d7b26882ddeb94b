#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/object_store/foreign_library.h"
#include "base/object_store/http_client.h"
#include "base/utf8.h"

// Its type-checking macros would call functions that are not linked.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace clepsydra {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";
constexpr std::size_t kIdleHandlesMax = 32;

// What we call of libcurl.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) setopt = nullptr;
  decltype(&::curl_easy_getinfo) getinfo = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_strerror) strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;

  Status load() {
    const auto find = [](const char* name, auto& function) -> Status {
      CLP_ASSIGN_OR_RETURN(void* const address, find_foreign_symbol(kLibrary, name, "libcurl4"));
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
      return Status::ok();
    };
    CLP_RETURN_IF_ERROR(find("curl_global_init", global_init));
    CLP_RETURN_IF_ERROR(find("curl_easy_init", easy_init));
    CLP_RETURN_IF_ERROR(find("curl_easy_cleanup", easy_cleanup));
    CLP_RETURN_IF_ERROR(find("curl_easy_reset", easy_reset));
    CLP_RETURN_IF_ERROR(find("curl_easy_setopt", setopt));
    CLP_RETURN_IF_ERROR(find("curl_easy_getinfo", getinfo));
    CLP_RETURN_IF_ERROR(find("curl_easy_perform", perform));
    CLP_RETURN_IF_ERROR(find("curl_easy_strerror", strerror));
    CLP_RETURN_IF_ERROR(find("curl_slist_append", slist_append));
    CLP_RETURN_IF_ERROR(find("curl_slist_free_all", slist_free_all));
    if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      return Status::failed_precondition("libcurl does not start");
    }
    return Status::ok();
  }

  static Result<const Curl*> loaded() {
    static const Result<Curl> curl = []() -> Result<Curl> {
      Curl found;
      CLP_RETURN_IF_ERROR(found.load());
      return found;
    }();
    if (!curl.is_ok()) return curl.status();
    return &*curl;
  }
};

// One request while it is under way.
struct Transfer {
  HttpResponse response;
  std::int64_t answer_bytes_max = 0;
  std::string_view body;
  std::size_t sent = 0;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (static_cast<std::int64_t>(transfer.response.body.size() + bytes) >
      transfer.answer_bytes_max) {
    return 0;
  }
  transfer.response.body.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  constexpr std::size_t kHeadersMax = 200;
  std::string_view line(data, size * count);
  // A new answer, after "100 Continue".
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || transfer.response.headers.size() >= kHeadersMax) {
    return size * count;
  }
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  transfer.response.headers.emplace_back(std::move(name), line);
  return size * count;
}

std::size_t give_body(char* out, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = std::min(size * count, transfer.body.size() - transfer.sent);
  std::memcpy(out, transfer.body.data() + transfer.sent, bytes);
  transfer.sent += bytes;
  return bytes;
}

// A connection that was kept has gone: libcurl sends the body again.
int rewind_body(void* user, curl_off_t offset, int origin) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (origin != SEEK_SET || offset < 0 || offset > static_cast<curl_off_t>(transfer.body.size())) {
    return CURL_SEEKFUNC_FAIL;
  }
  transfer.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient(const Curl& curl, const HttpClientOptions& options)
      : curl_(curl), options_(options) {}
  ~CurlHttpClient() override {
    const MutexLock lock(mutex_);
    for (CURL* handle : idle_) curl_.easy_cleanup(handle);
  }
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  Result<HttpResponse> send(const HttpRequest& request) override {
    CURL* handle = take_handle();
    if (handle == nullptr) return Status::resource_exhausted("libcurl has no memory");
    Transfer transfer;
    transfer.answer_bytes_max = request.answer_bytes_max;
    transfer.body = request.body;
    curl_slist* headers = nullptr;
    for (const auto& [name, value] : request.headers) {
      headers = curl_.slist_append(headers, fmt::format("{}: {}", name, value).c_str());
    }
    // Saves a round trip, and no body of ours is refused for its size.
    headers = curl_.slist_append(headers, "Expect:");
    prepare(handle, request, headers, transfer);
    const CURLcode code = curl_.perform(handle);
    long status = 0;
    (void)curl_.getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_.slist_free_all(headers);
    give_back(handle, code == CURLE_OK);
    if (code != CURLE_OK) return failed(code);
    transfer.response.status = static_cast<int>(status);
    return std::move(transfer.response);
  }

 private:
  // A handle keeps its connection for the next request.
  CURL* take_handle() {
    const MutexLock lock(mutex_);
    if (idle_.empty()) return curl_.easy_init();
    CURL* handle = idle_.back();
    idle_.pop_back();
    return handle;
  }

  void give_back(CURL* handle, bool is_good) {
    curl_.easy_reset(handle);
    const MutexLock lock(mutex_);
    if (is_good && idle_.size() < kIdleHandlesMax) {
      idle_.push_back(handle);
    } else {
      curl_.easy_cleanup(handle);
    }
  }

  void prepare(CURL* handle, const HttpRequest& request, curl_slist* headers,
               Transfer& transfer) const {
    const auto set = [&](CURLoption option, auto value) {
      (void)curl_.setopt(handle, option, value);
    };
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME,
        static_cast<long>(std::max<std::int64_t>(1, options_.idle_timeout_ms / 1000)));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_BUFFERSIZE, 256L << 10);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, &transfer);
    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT" || request.method == "POST") {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_READFUNCTION, &give_body);
      set(CURLOPT_READDATA, &transfer);
      set(CURLOPT_SEEKFUNCTION, &rewind_body);
      set(CURLOPT_SEEKDATA, &transfer);
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else {
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  [[nodiscard]] Status failed(CURLcode code) const {
    const std::string text = curl_.strerror(code);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      return Status::invalid_argument(text);
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
      return Status::failed_precondition(text);
    }
    if (code == CURLE_WRITE_ERROR) return Status::resource_exhausted("the answer is too long");
    return Status::unavailable(text);
  }

  const Curl& curl_;
  const HttpClientOptions options_;
  Mutex mutex_;
  std::vector<CURL*> idle_ CLP_GUARDED_BY(mutex_);
};

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

Result<std::unique_ptr<HttpClient>> make_curl_http_client(const HttpClientOptions& options) {
  CLP_ASSIGN_OR_RETURN(const Curl* const curl, Curl::loaded());
  return std::make_unique<CurlHttpClient>(*curl, options);
}

}  // namespace clepsydra
