// AWS Signature Version 4: how a request to S3 shows who sends it.
// Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // Of temporary ones.
};

struct S3RequestToSign {
  std::string method;
  std::string host = {};
  std::string path = {};                                          // Percent-encoded.
  std::vector<std::pair<std::string, std::string>> query = {};    // Not encoded.
  std::vector<std::pair<std::string, std::string>> headers = {};  // Names in small letters.
  std::string_view body = {};
};

// The headers to add: date, checksum of the body, session token, authorization. libcrypto is loaded
// by the first call.
Result<std::vector<std::pair<std::string, std::string>>> sign_s3_request(
    const S3RequestToSign& request, const S3Credentials& credentials, std::string_view region,
    std::int64_t now_ms);

// All but letters, digits and "-._~" as %XX; slashes stay when `keep_slashes`.
std::string percent_encode(std::string_view text, bool keep_slashes);
// "a=1&b=x%20y", sorted, as the signature wants it and as it is sent.
std::string encode_query(std::vector<std::pair<std::string, std::string>> query);
// Content-MD5 of a body, which some requests need: the base64 text.
Result<std::string> md5_base64(std::string_view bytes);

}  // namespace clepsydra
