#include "base/object_store/s3_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <system_error>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kFirstPauseMs = 50;
constexpr std::int64_t kPauseMsMax = 5000;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::int64_t ms_of(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return 0;
  return static_cast<int>(number_of(text.substr(at, count)).value_or(0));
}

// "Sat, 31 Jan 2026 23:59:59 GMT"; 0 for another form.
std::int64_t time_of_header(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() < 25) return 0;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const int day = digits(text, 5, 2);
  if (month == std::string_view::npos || day < 1) return 0;
  return ms_of(digits(text, 12, 4), static_cast<int>(month / 3) + 1, day, digits(text, 17, 2),
               digits(text, 20, 2), digits(text, 23, 2));
}

// Errors that pass by themselves.
bool is_passing(int status, std::string_view code) {
  return status == 500 || status == 502 || status == 503 || status == 504 || status == 429 ||
         status == 408 || code == "InternalError" || code == "SlowDown" ||
         code == "RequestTimeout" || code == "ServiceUnavailable" || code == "OperationAborted";
}

StatusCode status_code_of(int status, std::string_view code) {
  if (is_passing(status, code)) return StatusCode::kUnavailable;
  if (code == "NoSuchBucket" || code == "RequestTimeTooSkewed") {
    return StatusCode::kFailedPrecondition;
  }
  if (code == "EntityTooLarge" || code == "QuotaExceeded" || status == 507) {
    return StatusCode::kResourceExhausted;
  }
  switch (status) {
    case 401:
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 409:
      return StatusCode::kAborted;
    case 412:
      return StatusCode::kFailedPrecondition;
    case 416:
      return StatusCode::kOutOfRange;
    case 501:
      return StatusCode::kUnimplemented;
    default:
      return StatusCode::kInvalidArgument;
  }
}

// What to do about it.
std::string_view advice(int status, std::string_view code, bool is_signed) {
  if (code == "NoSuchBucket") return "; create the bucket first";
  if (code == "RequestTimeTooSkewed") return "; set the clock of this machine";
  if (status == 403 || status == 401) {
    return is_signed ? "; check 's3.access-key', 's3.secret-key' and what they may do"
                     : "; set 's3.access-key' and 's3.secret-key', or AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY";
  }
  if (status == 301 || status == 307 || code == "AuthorizationHeaderMalformed") {
    return "; check 's3.region' and 's3.endpoint'";
  }
  return "";
}

}  // namespace

S3ObjectStore::S3ObjectStore(S3Options options, std::string bucket, S3Environment environment)
    : options_(std::move(options)),
      bucket_(std::move(bucket)),
      environment_(std::move(environment)),
      random_(environment_.seed) {}

// ---- Requests ----

std::string S3ObjectStore::context_of(const Call& call) const {
  const std::string where = call.key.empty()
                                ? fmt::format("s3://{}", bucket_)
                                : fmt::format("s3://{}/{}", bucket_, clip(call.key, 200));
  const std::string host =
      options_.host.empty() ? fmt::format("AWS, region {}", options_.region) : options_.host;
  return fmt::format("cannot {} '{}' at {}", call.what, where, host);
}

Result<HttpResponse> S3ObjectStore::send_once(const Call& call) {
  std::string host = options_.host;
  if (host.empty()) host = fmt::format("s3.{}.amazonaws.com", options_.region);
  std::string path = "/" + percent_encode(call.key, /*keep_slashes=*/true);
  // A certificate for *.host does not cover a bucket with dots.
  if (options_.path_style || (options_.is_https && bucket_.find('.') != std::string::npos)) {
    path = call.key.empty() ? "/" + bucket_ : fmt::format("/{}{}", bucket_, path);
  } else {
    host = fmt::format("{}.{}", bucket_, host);
  }
  HttpRequest request;
  request.method = call.method;
  request.url = fmt::format("{}://{}{}", options_.is_https ? "https" : "http", host, path);
  const std::string query = encode_query(call.query);
  if (!query.empty()) request.url += "?" + query;
  request.headers = call.headers;
  request.body = call.body;
  request.answer_bytes_max = call.answer_bytes_max;
  CLP_ASSIGN_OR_RETURN(const S3Credentials credentials, environment_.credentials->get());
  const bool is_signed = !credentials.access_key.empty();
  if (is_signed) {
    CLP_ASSIGN_OR_RETURN(
        auto signature,
        sign_s3_request({call.method, host, path, call.query, call.headers, call.body}, credentials,
                        options_.region, environment_.clock->now_ms()));
    request.headers.insert(request.headers.end(), signature.begin(), signature.end());
  }
  CLP_ASSIGN_OR_RETURN(HttpResponse response, environment_.http->send(request));
  // Long operations answer 200 first and say later that they have failed.
  const bool is_error_inside = response.status == 200 && call.method != "GET" &&
                               response.body.find("<Error>") != std::string::npos;
  if (response.status >= 300 || is_error_inside) return failed(response, is_signed);
  return response;
}

Status S3ObjectStore::failed(const HttpResponse& response, bool is_signed) {
  std::string code;
  std::string message;
  if (const Result<XmlElement> error = parse_xml(response.body);
      error.is_ok() && error->name == "Error") {
    code = error->text_of("Code");
    message = error->text_of("Message");
  }
  // Other elements may repeat what was signed: they are not shown.
  std::string text = fmt::format("the server answers {}", response.status);
  if (!code.empty()) text += fmt::format(" ({})", clip(code, 64));
  if (!message.empty()) text += fmt::format(": {}", clip(message, 200));
  text += advice(response.status, code, is_signed);
  // An error inside of a 200 has no status of its own.
  const int status = response.status != 200 ? response.status : code == "NoSuchUpload" ? 404 : 400;
  return {status_code_of(status, code), std::move(text)};
}

std::int64_t S3ObjectStore::pause_ms(int attempt) {
  const std::int64_t full = std::min(kPauseMsMax, kFirstPauseMs << std::min(attempt, 20));
  const MutexLock lock(mutex_);
  return random_.uniform_between(full / 2, full);
}

Result<HttpResponse> S3ObjectStore::send(const Call& call) {
  for (int attempt = 0;; ++attempt) {
    Result<HttpResponse> response = send_once(call);
    if (response.is_ok()) return response;
    if (response.status().code() != StatusCode::kUnavailable) {
      return response.status().with_context(context_of(call));
    }
    if (attempt >= options_.retries_max) {
      return response.status().with_context(
          fmt::format("{} after {} attempts", context_of(call), attempt + 1));
    }
    environment_.sleep(pause_ms(attempt));
  }
}

Result<XmlElement> S3ObjectStore::read_xml(const Call& call, const HttpResponse& response) const {
  Result<XmlElement> parsed = parse_xml(response.body);
  if (parsed.is_ok()) return parsed;
  return Status::unavailable(std::string(parsed.status().message()))
      .with_context(context_of(call) + ": the answer is not one of S3");
}

// ---- Objects ----

Status S3ObjectStore::put(std::string_view key, std::string_view bytes, PutCondition condition) {
  if (static_cast<std::int64_t>(bytes.size()) > kPutBytesMax) {
    return Status::resource_exhausted(
        fmt::format("{} bytes are more than one put takes", bytes.size()));
  }
  Call call{.what = "write", .method = "PUT", .key = key, .body = bytes};
  if (condition == PutCondition::kIfAbsent) {
    // Not every server knows the header; this looks first where it would be passed over.
    const Result<ObjectInfo> object = head(key);
    if (object.is_ok()) {
      return Status::already_exists(fmt::format("there is an object '{}'", clip(key, 200)));
    }
    if (object.status().code() != StatusCode::kNotFound) return object.status();
    call.headers.emplace_back("if-none-match", "*");
  }
  const Status written = send(call).status();
  if (condition == PutCondition::kIfAbsent && written.code() == StatusCode::kFailedPrecondition &&
      written.message().find("412") != std::string_view::npos) {
    return Status::already_exists(std::string(written.message()));
  }
  return written;
}

Result<std::int64_t> S3ObjectStore::get(std::string_view key, std::int64_t offset,
                                        std::span<std::uint8_t> out, std::string_view etag) {
  if (out.empty()) return 0;
  const auto wanted = static_cast<std::int64_t>(out.size());
  Call call{.what = "read", .method = "GET", .key = key, .answer_bytes_max = wanted + (64 << 10)};
  call.headers.emplace_back("range", fmt::format("bytes={}-{}", offset, offset + wanted - 1));
  if (!etag.empty()) call.headers.emplace_back("if-match", etag);
  const Result<HttpResponse> response = send(call);
  if (response.status().code() == StatusCode::kOutOfRange) return 0;
  if (!response.is_ok()) return response.status();
  std::string_view bytes = response->body;
  // A server that does not know ranges answers everything.
  if (response->status == 200) {
    bytes = bytes.substr(std::min(bytes.size(), static_cast<std::size_t>(offset)));
  }
  const std::size_t count = std::min(bytes.size(), out.size());
  std::copy_n(bytes.begin(), count, out.begin());
  return static_cast<std::int64_t>(count);
}

Result<ObjectInfo> S3ObjectStore::head(std::string_view key) {
  const Call call{.what = "look at", .method = "HEAD", .key = key};
  Result<HttpResponse> answer = send(call);
  if (answer.status().code() == StatusCode::kPermissionDenied ||
      answer.status().code() == StatusCode::kInvalidArgument) {
    // The answer to HEAD has no reason in it; that to GET has.
    const Status reason =
        send({.what = "look at", .method = "GET", .key = key, .headers = {{"range", "bytes=0-0"}}})
            .status();
    return reason.is_ok() ? answer.status() : reason;
  }
  if (!answer.is_ok()) return answer.status();
  const HttpResponse& response = *answer;
  ObjectInfo info;
  info.key = key;
  const std::optional<std::int64_t> size = number_of(response.header("content-length"));
  if (!size || *size < 0) {
    return Status::unavailable("the answer has no length").with_context(context_of(call));
  }
  info.size = *size;
  info.modified_ms = time_of_header(response.header("last-modified"));
  info.etag = response.header("etag");
  return info;
}

Status S3ObjectStore::remove(std::string_view key) {
  const Status removed = send({.what = "remove", .method = "DELETE", .key = key}).status();
  return removed.code() == StatusCode::kNotFound ? Status::ok() : removed;
}

Status S3ObjectStore::remove_many(std::span<const std::string> keys) {
  if (keys.size() > 1000) return Status::invalid_argument("more than 1000 keys at once");
  if (keys.empty()) return Status::ok();
  std::string body =
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const std::string& key : keys) {
    body += fmt::format("<Object><Key>{}</Key></Object>", escape_xml(key));
  }
  body += "</Delete>";
  Call call{.what = "remove objects of", .method = "POST", .query = {{"delete", ""}}, .body = body};
  CLP_ASSIGN_OR_RETURN(std::string md5, md5_base64(body));
  call.headers.emplace_back("content-md5", std::move(md5));
  call.headers.emplace_back("content-type", "application/xml");
  const Result<HttpResponse> response = send(call);
  if (!response.is_ok()) return response.status();
  CLP_ASSIGN_OR_RETURN(const XmlElement answer, read_xml(call, *response));
  for (const XmlElement& child : answer.children) {
    if (child.name != "Error" || child.text_of("Code") == "NoSuchKey") continue;
    const bool passes = is_passing(0, child.text_of("Code"));
    return Status(passes ? StatusCode::kUnavailable : StatusCode::kPermissionDenied,
                  fmt::format("'{}': {}: {}", clip(child.text_of("Key"), 200),
                              clip(child.text_of("Code"), 64), clip(child.text_of("Message"), 200)))
        .with_context(context_of(call));
  }
  return Status::ok();
}

Status S3ObjectStore::copy(std::string_view from, std::string_view to) {
  Call call{.what = "copy to", .method = "PUT", .key = to};
  call.headers.emplace_back("x-amz-copy-source",
                            fmt::format("/{}/{}", bucket_, percent_encode(from, true)));
  return send(call).status();
}

Result<ObjectListing> S3ObjectStore::list(const ObjectListRequest& request) {
  if (request.limit < 1 || request.limit > 1000) {
    return Status::invalid_argument("a page of a listing has 1 to 1000 entries");
  }
  Call call{.what = "list", .method = "GET"};
  call.query = {
      {"list-type", "2"}, {"prefix", request.prefix}, {"max-keys", fmt::to_string(request.limit)}};
  if (request.by_folder) call.query.emplace_back("delimiter", "/");
  if (!request.continuation.empty()) {
    call.query.emplace_back("continuation-token", request.continuation);
  }
  const Result<HttpResponse> response = send(call);
  if (!response.is_ok()) {
    // Only a bucket can be missing here.
    if (response.status().code() != StatusCode::kNotFound) return response.status();
    return Status::failed_precondition(std::string(response.status().message()));
  }
  CLP_ASSIGN_OR_RETURN(const XmlElement answer, read_xml(call, *response));
  ObjectListing listing;
  for (const XmlElement& child : answer.children) {
    if (child.name == "CommonPrefixes") {
      listing.prefixes.emplace_back(child.text_of("Prefix"));
    } else if (child.name == "Contents") {
      ObjectInfo info;
      info.key = child.text_of("Key");
      info.size = number_of(child.text_of("Size")).value_or(0);
      info.modified_ms = parse_utc_time(child.text_of("LastModified"));
      info.etag = child.text_of("ETag");
      if (info.key.starts_with(request.prefix)) listing.objects.push_back(std::move(info));
    }
  }
  if (answer.text_of("IsTruncated") == "true")
    listing.next = answer.text_of("NextContinuationToken");
  return listing;
}

// ---- Uploads in parts ----

Result<std::string> S3ObjectStore::create_upload(std::string_view key) {
  const Call call{
      .what = "start an upload of", .method = "POST", .key = key, .query = {{"uploads", ""}}};
  CLP_ASSIGN_OR_RETURN(const HttpResponse response, send(call));
  CLP_ASSIGN_OR_RETURN(const XmlElement answer, read_xml(call, response));
  std::string id(answer.text_of("UploadId"));
  if (id.empty()) {
    return Status::unavailable("the answer has no upload id").with_context(context_of(call));
  }
  return id;
}

Result<UploadPart> S3ObjectStore::upload_part(std::string_view key, std::string_view upload_id,
                                              int part, std::string_view bytes) {
  const Call call{
      .what = "upload a part of",
      .method = "PUT",
      .key = key,
      .query = {{"partNumber", fmt::to_string(part)}, {"uploadId", std::string(upload_id)}},
      .body = bytes};
  CLP_ASSIGN_OR_RETURN(const HttpResponse response, send(call));
  UploadPart uploaded{std::string(response.header("etag")),
                      static_cast<std::int64_t>(bytes.size())};
  if (uploaded.etag.empty()) {
    return Status::unavailable("the answer has no ETag").with_context(context_of(call));
  }
  return uploaded;
}

Status S3ObjectStore::complete_upload(std::string_view key, std::string_view upload_id,
                                      std::span<const UploadPart> parts) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                        escape_xml(parts[i].etag));
  }
  body += "</CompleteMultipartUpload>";
  Call call{.what = "complete the upload of",
            .method = "POST",
            .key = key,
            .query = {{"uploadId", std::string(upload_id)}},
            .body = body};
  call.headers.emplace_back("content-type", "application/xml");
  return send(call).status();
}

Status S3ObjectStore::abort_upload(std::string_view key, std::string_view upload_id) {
  const Status aborted = send({.what = "abort the upload of",
                               .method = "DELETE",
                               .key = key,
                               .query = {{"uploadId", std::string(upload_id)}}})
                             .status();
  return aborted.code() == StatusCode::kNotFound ? Status::ok() : aborted;
}

Result<UploadListing> S3ObjectStore::list_uploads(std::string_view prefix,
                                                  std::string_view continuation) {
  Call call{.what = "list uploads of", .method = "GET"};
  call.query = {{"uploads", ""}, {"prefix", std::string(prefix)}};
  // Both marks of where a page ends, apart by a byte that neither has.
  if (!continuation.empty()) {
    const std::size_t split = std::min(continuation.find('\n'), continuation.size());
    call.query.emplace_back("key-marker", continuation.substr(0, split));
    call.query.emplace_back("upload-id-marker",
                            continuation.substr(std::min(continuation.size(), split + 1)));
  }
  CLP_ASSIGN_OR_RETURN(const HttpResponse response, send(call));
  CLP_ASSIGN_OR_RETURN(const XmlElement answer, read_xml(call, response));
  UploadListing listing;
  for (const XmlElement& child : answer.children) {
    if (child.name != "Upload") continue;
    OpenUpload upload{std::string(child.text_of("Key")), std::string(child.text_of("UploadId")),
                      parse_utc_time(child.text_of("Initiated"))};
    // A server may pass over the prefix.
    if (upload.key.starts_with(prefix)) listing.uploads.push_back(std::move(upload));
  }
  if (answer.text_of("IsTruncated") == "true") {
    listing.next = fmt::format("{}\n{}", answer.text_of("NextKeyMarker"),
                               answer.text_of("NextUploadIdMarker"));
  }
  return listing;
}

}  // namespace clepsydra
