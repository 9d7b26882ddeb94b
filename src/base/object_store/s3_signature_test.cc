#include "base/object_store/s3_signature.h"

#include <gtest/gtest.h>

#include <string>

#include "base/object_store/s3_xml.h"

namespace clepsydra {
namespace {

// The worked examples of the Amazon S3 API reference, "Authenticating Requests: Using the
// Authorization Header": 2013-05-24, us-east-1.
constexpr std::int64_t kExampleMs = 1'369'353'600'000;
const S3Credentials kExampleKeys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                 ""};

std::string signature_of(S3RequestToSign request) {
  request.host = "examplebucket.s3.amazonaws.com";
  const auto headers = sign_s3_request(request, kExampleKeys, "us-east-1", kExampleMs);
  EXPECT_TRUE(headers.is_ok()) << headers.status().to_string();
  for (const auto& [name, value] : *headers) {
    if (name == "authorization") return value.substr(value.find("Signature=") + 10);
  }
  return "";
}

TEST(S3SignatureTest, equals_the_published_examples) {
  EXPECT_EQ(
      signature_of({.method = "GET", .path = "/test.txt", .headers = {{"range", "bytes=0-9"}}}),
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signature_of({.method = "PUT",
                          .path = "/" + percent_encode("test$file.text", true),
                          .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          .body = "Welcome to Amazon S3."}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature_of({.method = "GET", .path = "/", .query = {{"lifecycle", ""}}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  // Sorted by name, whatever order they come in.
  EXPECT_EQ(
      signature_of({.method = "GET", .path = "/", .query = {{"prefix", "J"}, {"max-keys", "2"}}}),
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3SignatureTest, a_session_token_is_sent_and_signed) {
  const auto headers = sign_s3_request({.method = "GET", .host = "h", .path = "/"},
                                       {"key", "secret", "token"}, "us-east-1", kExampleMs);
  ASSERT_TRUE(headers.is_ok());
  bool is_sent = false;
  bool is_signed = false;
  for (const auto& [name, value] : *headers) {
    is_sent |= name == "x-amz-security-token" && value == "token";
    is_signed |= name == "authorization" && value.find("x-amz-security-token") != std::string::npos;
  }
  EXPECT_TRUE(is_sent);
  EXPECT_TRUE(is_signed);
}

TEST(S3SignatureTest, encodes_all_but_what_needs_none) {
  EXPECT_EQ(percent_encode("a b/c+d~\xC3\xA9", true), "a%20b/c%2Bd~%C3%A9");
  EXPECT_EQ(percent_encode("a/b", false), "a%2Fb");
  EXPECT_EQ(encode_query({{"z", "1"}, {"a b", "="}}), "a%20b=%3D&z=1");
}

// RFC 1864 describes the header; the digest is that of RFC 1321's test suite.
TEST(S3SignatureTest, md5_of_a_body) {
  EXPECT_EQ(*md5_base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(*md5_base64("abc"), "kAFQmDzST7DWlj99KOF/cg==");
}

TEST(S3XmlTest, reads_elements_texts_and_entities) {
  const auto tree = parse_xml("<a xmlns='x'><n:b>1 &amp; 2</n:b><c><d/></c><b>3</b></a>");
  ASSERT_TRUE(tree.is_ok()) << tree.status().to_string();
  EXPECT_EQ(tree->name, "a");
  EXPECT_EQ(tree->children.size(), 3U);
  EXPECT_EQ(tree->text_of("b"), "1 & 2");
  EXPECT_EQ(tree->find("c")->children.size(), 1U);
  EXPECT_EQ(tree->find("d"), nullptr);
  EXPECT_EQ(escape_xml("<a&\">"), "&lt;a&amp;&quot;&gt;");
}

TEST(S3XmlTest, refuses_what_no_answer_is) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (const std::string& text :
       {std::string(), std::string("<a>"), std::string("not xml"), std::string("<a></b>"), deep,
        std::string("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"), std::string("<a>\0</a>", 8)}) {
    EXPECT_EQ(parse_xml(text).status().code(), StatusCode::kDataLoss) << text;
  }
}

}  // namespace
}  // namespace clepsydra
