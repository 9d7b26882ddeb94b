#include "base/object_store/s3_signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstddef>
#include <ctime>

#include "base/base64.h"
#include "base/check.h"
#include "base/object_store/foreign_library.h"

namespace clepsydra {
namespace {

constexpr const char* kLibrary = "libcrypto.so.3";

struct Crypto {
  decltype(&::EVP_Digest) digest = nullptr;
  decltype(&::EVP_sha256) sha256 = nullptr;
  decltype(&::EVP_md5) md5 = nullptr;
  decltype(&::HMAC) hmac = nullptr;

  Status load() {
    const auto find = [](const char* name, auto& function) -> Status {
      CLP_ASSIGN_OR_RETURN(void* const address, find_foreign_symbol(kLibrary, name, "libssl3"));
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
      return Status::ok();
    };
    CLP_RETURN_IF_ERROR(find("EVP_Digest", digest));
    CLP_RETURN_IF_ERROR(find("EVP_sha256", sha256));
    CLP_RETURN_IF_ERROR(find("EVP_md5", md5));
    return find("HMAC", hmac);
  }

  static Result<const Crypto*> loaded() {
    static const Result<Crypto> crypto = []() -> Result<Crypto> {
      Crypto found;
      CLP_RETURN_IF_ERROR(found.load());
      return found;
    }();
    if (!crypto.is_ok()) return crypto.status();
    return &*crypto;
  }

  [[nodiscard]] std::string hash(std::string_view bytes, const EVP_MD* kind) const {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    CLP_CHECK(digest(bytes.data(), bytes.size(), out, &size, kind, nullptr) == 1);
    return {reinterpret_cast<const char*>(out), size};
  }

  [[nodiscard]] std::string keyed_hash(std::string_view key, std::string_view bytes) const {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    CLP_CHECK(hmac(sha256(), key.data(), static_cast<int>(key.size()),
                   reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out,
                   &size) != nullptr);
    return {reinterpret_cast<const char*>(out), size};
  }
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  }
  return text;
}

// "20260131T235959Z"
std::string time_text(std::int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
    if (stays) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return encoded;
}

std::string encode_query(std::vector<std::pair<std::string, std::string>> query) {
  for (auto& [name, value] : query) {
    name = percent_encode(name, false);
    value = percent_encode(value, false);
  }
  std::sort(query.begin(), query.end());
  std::string text;
  for (const auto& [name, value] : query) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  }
  return text;
}

Result<std::vector<std::pair<std::string, std::string>>> sign_s3_request(
    const S3RequestToSign& request, const S3Credentials& credentials, std::string_view region,
    std::int64_t now_ms) {
  CLP_ASSIGN_OR_RETURN(const Crypto* const crypto, Crypto::loaded());
  const std::string time = time_text(now_ms);
  const std::string day = time.substr(0, 8);
  const std::string body_hash = hex(crypto->hash(request.body, crypto->sha256()));

  std::vector<std::pair<std::string, std::string>> added = {
      {"x-amz-content-sha256", body_hash},
      {"x-amz-date", time},
  };
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token);
  }
  std::vector<std::pair<std::string, std::string>> all = request.headers;
  all.insert(all.end(), added.begin(), added.end());
  all.emplace_back("host", request.host);
  std::sort(all.begin(), all.end());
  std::string header_lines;
  std::string names;
  for (const auto& [name, value] : all) {
    header_lines += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }

  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                  encode_query(request.query), header_lines, names, body_hash);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, region);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope,
                                          hex(crypto->hash(canonical, crypto->sha256())));
  std::string key = crypto->keyed_hash("AWS4" + credentials.secret_key, day);
  key = crypto->keyed_hash(key, region);
  key = crypto->keyed_hash(key, "s3");
  key = crypto->keyed_hash(key, "aws4_request");
  added.emplace_back(
      "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                  credentials.access_key, scope, names, hex(crypto->keyed_hash(key, to_sign))));
  return added;
}

Result<std::string> md5_base64(std::string_view bytes) {
  CLP_ASSIGN_OR_RETURN(const Crypto* const crypto, Crypto::loaded());
  std::string text;
  append_base64(crypto->hash(bytes, crypto->md5()), text);
  return text;
}

}  // namespace clepsydra
