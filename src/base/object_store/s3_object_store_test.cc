#include "base/object_store/s3_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/object_store/s3_options.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "very-secret-key-4711";

// Answers from a list; keeps what was asked.
class ScriptedServer final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    requests.push_back(request);
    bodies.emplace_back(request.body);
    EXPECT_FALSE(answers.empty()) << request.method << " " << request.url;
    if (answers.empty()) return Status::unavailable("the script is over");
    Result<HttpResponse> answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  void answer(int status, std::string body = "",
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    answers.emplace_back(HttpResponse{status, std::move(headers), std::move(body)});
  }
  void error(int status, const std::string& code, const std::string& message = "") {
    answer(status, "<Error><Code>" + code + "</Code><Message>" + message +
                       "</Message><StringToSign>" + kSecret + "</StringToSign></Error>");
  }
  void broken() { answers.emplace_back(Status::unavailable("connection refused")); }

  std::deque<Result<HttpResponse>> answers;
  std::vector<HttpRequest> requests;
  std::vector<std::string> bodies;
};

class S3ObjectStoreTest : public ::testing::Test {
 protected:
  static S3Options options_of(const std::map<std::string, std::string>& settings) {
    Configuration configuration;
    configuration.set("s3.access-key", "the-key");
    configuration.set("s3.secret-key", kSecret);
    for (const auto& [key, value] : settings) configuration.set(key, value);
    Result<S3Options> options =
        S3Options::read(configuration, [](std::string_view) { return std::nullopt; });
    EXPECT_TRUE(options.is_ok()) << options.status().to_string();
    return *std::move(options);
  }

  S3ObjectStore store(const std::map<std::string, std::string>& settings) {
    S3Environment environment;
    environment.http = &server_;
    credentials_ = std::make_unique<S3CredentialSource>(options_of(settings), server_, clock_);
    environment.credentials = credentials_.get();
    environment.clock = &clock_;
    environment.sleep = [this](std::int64_t ms) { pauses_.push_back(ms); };
    environment.seed = 7;
    return {options_of(settings), "bucket", std::move(environment)};
  }
  S3ObjectStore store() { return store({{"s3.endpoint", "http://localhost:9000"}}); }

  SimulatedClock clock_;
  ScriptedServer server_;
  std::vector<std::int64_t> pauses_;
  std::unique_ptr<S3CredentialSource> credentials_;
};

TEST_F(S3ObjectStoreTest, sends_again_what_may_pass_with_growing_pauses) {
  server_.broken();
  server_.error(503, "SlowDown");
  server_.error(500, "InternalError");
  server_.answer(429);
  server_.answer(200);
  EXPECT_TRUE(store().put("k", "bytes", PutCondition::kNone).is_ok());
  EXPECT_EQ(server_.requests.size(), 5U);
  ASSERT_EQ(pauses_.size(), 4U);
  for (std::size_t i = 0; i < pauses_.size(); ++i) {
    EXPECT_GE(pauses_[i], 25 << i);
    EXPECT_LE(pauses_[i], 50 << i);
  }
}

TEST_F(S3ObjectStoreTest, gives_up_after_all_attempts_and_says_where) {
  for (int i = 0; i < 3; ++i) server_.broken();
  const Status status =
      store({{"s3.endpoint", "http://localhost:9000"}, {"s3.retry.max-num-retries", "2"}})
          .put("a/b", "", PutCondition::kNone);
  EXPECT_EQ(status.to_string(),
            "Unavailable: cannot write 's3://bucket/a/b' at localhost:9000 after 3 attempts: "
            "connection refused");
}

TEST_F(S3ObjectStoreTest, what_does_not_pass_is_not_sent_again) {
  struct Case {
    int status;
    std::string code;
    StatusCode expected;
    std::string advice;
  };
  const std::vector<Case> cases = {
      {403, "InvalidAccessKeyId", StatusCode::kPermissionDenied, "s3.access-key"},
      {403, "SignatureDoesNotMatch", StatusCode::kPermissionDenied, "s3.secret-key"},
      {404, "NoSuchBucket", StatusCode::kFailedPrecondition, "create the bucket"},
      {404, "NoSuchUpload", StatusCode::kNotFound, "NoSuchUpload"},
      {301, "PermanentRedirect", StatusCode::kInvalidArgument, "s3.region"},
      {403, "RequestTimeTooSkewed", StatusCode::kFailedPrecondition, "clock"},
      {400, "EntityTooLarge", StatusCode::kResourceExhausted, ""},
      {501, "NotImplemented", StatusCode::kUnimplemented, ""},
  };
  for (const Case& one : cases) {
    server_.error(one.status, one.code, "Said by the server");
    const Status status = store().put("k", "", PutCondition::kNone);
    EXPECT_EQ(status.code(), one.expected) << one.code;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.code));
    EXPECT_THAT(std::string(status.message()), HasSubstr("Said by the server"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.advice));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(kSecret)));
  }
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(S3ObjectStoreTest, asks_again_for_the_reason_that_head_does_not_give) {
  server_.answer(403);
  server_.error(403, "InvalidAccessKeyId");
  EXPECT_THAT(std::string(store().head("k").status().message()), HasSubstr("InvalidAccessKeyId"));
  EXPECT_EQ(server_.requests.back().method, "GET");
  server_.answer(403);
  server_.answer(206, "x");
  EXPECT_EQ(store().head("k").status().code(), StatusCode::kPermissionDenied);
}

TEST_F(S3ObjectStoreTest, no_request_has_the_secret_in_it) {
  server_.answer(200);
  ASSERT_TRUE(store().put("k", "x", PutCondition::kNone).is_ok());
  const HttpRequest& request = server_.requests.front();
  EXPECT_THAT(request.url, Not(HasSubstr(kSecret)));
  for (const auto& [name, value] : request.headers) EXPECT_THAT(value, Not(HasSubstr(kSecret)));
}

TEST_F(S3ObjectStoreTest, addresses_buckets_by_path_or_by_host) {
  const auto url = [this](const std::map<std::string, std::string>& settings) {
    server_.answer(200);
    EXPECT_TRUE(store(settings).put("a b", "", PutCondition::kNone).is_ok());
    return server_.requests.back().url;
  };
  EXPECT_EQ(url({}), "https://bucket.s3.us-east-1.amazonaws.com/a%20b");
  EXPECT_EQ(url({{"s3.region", "eu-central-1"}}),
            "https://bucket.s3.eu-central-1.amazonaws.com/a%20b");
  EXPECT_EQ(url({{"s3.endpoint", "http://127.0.0.1:9000"}}), "http://127.0.0.1:9000/bucket/a%20b");
  EXPECT_EQ(url({{"s3.endpoint", "store.example.com"}}), "https://bucket.store.example.com/a%20b");
  EXPECT_EQ(url({{"s3.endpoint", "store.example.com"}, {"s3.path.style.access", "true"}}),
            "https://store.example.com/bucket/a%20b");
}

TEST_F(S3ObjectStoreTest, an_error_inside_of_a_good_answer_is_one) {
  const std::vector<UploadPart> parts = {{"\"e\"", 1}};
  server_.error(200, "InternalError");
  server_.error(404, "NoSuchUpload");
  EXPECT_EQ(store().complete_upload("k", "id", parts).code(), StatusCode::kNotFound);
  EXPECT_EQ(pauses_.size(), 1U);
  server_.error(200, "InvalidPart");
  EXPECT_EQ(store().complete_upload("k", "id", parts).code(), StatusCode::kInvalidArgument);
}

TEST_F(S3ObjectStoreTest, reads_listings_page_by_page) {
  server_.answer(200,
                 "<ListBucketResult><IsTruncated>true</IsTruncated>"
                 "<NextContinuationToken>t/1</NextContinuationToken>"
                 "<Contents><Key>p/a&amp;b</Key><Size>12</Size><ETag>\"x\"</ETag>"
                 "<LastModified>2026-01-31T23:59:58.000Z</LastModified></Contents>"
                 "<CommonPrefixes><Prefix>p/c/</Prefix></CommonPrefixes></ListBucketResult>");
  ObjectListRequest request;
  request.prefix = "p/";
  request.by_folder = true;
  request.continuation = "t/0";
  const Result<ObjectListing> page = store().list(request);
  ASSERT_TRUE(page.is_ok()) << page.status().to_string();
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "p/a&b");
  EXPECT_EQ(page->objects[0].size, 12);
  EXPECT_EQ(page->objects[0].modified_ms, 1'769'903'998'000);
  EXPECT_EQ(page->prefixes, std::vector<std::string>{"p/c/"});
  EXPECT_EQ(page->next, "t/1");
  EXPECT_THAT(server_.requests.front().url,
              HasSubstr("?continuation-token=t%2F0&delimiter=%2F&list-type=2&max-keys=1000&"
                        "prefix=p%2F"));
}

TEST_F(S3ObjectStoreTest, answers_that_are_not_of_s3_are_errors) {
  server_.answer(200, "<html><body>Welcome");
  EXPECT_THAT(store().list({}).status().to_string(), HasSubstr("not one of S3"));
  server_.answer(200, "<InitiateMultipartUploadResult/>");
  EXPECT_THAT(store().create_upload("k").status().to_string(), HasSubstr("no upload id"));
  server_.answer(200);
  EXPECT_THAT(store().head("k").status().to_string(), HasSubstr("no length"));
}

TEST_F(S3ObjectStoreTest, a_conditional_put_that_lost_says_so) {
  server_.answer(404);
  server_.error(412, "PreconditionFailed");
  EXPECT_EQ(store().put("k", "", PutCondition::kIfAbsent).code(), StatusCode::kAlreadyExists);
  server_.answer(200, "", {{"content-length", "1"}, {"etag", "\"e\""}});
  EXPECT_EQ(store().put("k", "", PutCondition::kIfAbsent).code(), StatusCode::kAlreadyExists);
}

// ---- Temporary keys ----

class S3CredentialsTest : public ::testing::Test {
 protected:
  S3Options read(const std::map<std::string, std::string>& variables) {
    Result<S3Options> options =
        S3Options::read(Configuration(), [&](std::string_view name) -> std::optional<std::string> {
          const auto found = variables.find(std::string(name));
          if (found == variables.end()) return std::nullopt;
          return found->second;
        });
    EXPECT_TRUE(options.is_ok()) << options.status().to_string();
    return *std::move(options);
  }
  // Of the clock's first hour.
  void answer_keys(const std::string& key, const std::string& expiration) {
    server_.answer(200, R"({"Code": "Success", "AccessKeyId": ")" + key +
                            R"(", "SecretAccessKey": "very-secret-key-4711", "Token": "t=",
                            "Expiration": ")" +
                            expiration + "\"}");
  }
  void pass_minutes(std::int64_t minutes) { clock_.advance_ms(minutes * 60'000); }

  SimulatedClock clock_{1'769'900'400'000};  // 2026-01-31 23:00:00 UTC.
  ScriptedServer server_;
};

TEST_F(S3CredentialsTest, a_container_hands_out_keys_until_shortly_before_they_expire) {
  S3CredentialSource keys(read({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x"}}),
                          server_, clock_);
  answer_keys("first", "2026-01-31T23:59:59Z");
  EXPECT_EQ(keys.get()->access_key, "first");
  EXPECT_EQ(server_.requests[0].url, "http://169.254.170.2/v2/credentials/1");
  EXPECT_EQ(server_.requests[0].headers[0].second, "Basic x");
  pass_minutes(54);
  EXPECT_EQ(keys.get()->session_token, "t=");
  EXPECT_EQ(server_.requests.size(), 1U);
  // Old ones will do as long as they live.
  pass_minutes(2);
  server_.broken();
  EXPECT_EQ(keys.get()->access_key, "first");
  answer_keys("second", "2026-02-01T01:00:00.123Z");
  EXPECT_EQ(keys.get()->access_key, "second");
  pass_minutes(600);
  server_.answer(500);
  const Status failed = keys.get().status();
  EXPECT_THAT(failed.to_string(), HasSubstr("the container's service"));
  EXPECT_THAT(failed.to_string(), Not(HasSubstr("Basic x")));
}

TEST_F(S3CredentialsTest, a_machine_with_a_role_hands_out_keys_for_a_token) {
  S3CredentialSource keys(read({}), server_, clock_);
  server_.answer(200, "the-token");
  server_.answer(200, "my-role\n");
  answer_keys("role-key", "2026-01-31T23:59:59Z");
  EXPECT_EQ(keys.get()->access_key, "role-key");
  EXPECT_EQ(server_.requests.back().url,
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  EXPECT_EQ(server_.requests.back().headers[0].second, "the-token");
}

TEST_F(S3CredentialsTest, a_machine_without_a_role_is_asked_now_and_then) {
  S3CredentialSource keys(read({}), server_, clock_);
  server_.broken();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(keys.get()->access_key, "");
  EXPECT_EQ(server_.requests.size(), 1U);
  pass_minutes(6);
  server_.answer(404);
  EXPECT_EQ(keys.get()->access_key, "");
  EXPECT_EQ(server_.requests.size(), 2U);
  pass_minutes(6);
  server_.answer(200, "the-token");
  server_.answer(200, "no role has a blank\n");
  EXPECT_EQ(keys.get()->access_key, "");
}

TEST_F(S3CredentialsTest, nobody_is_asked_where_keys_or_another_endpoint_are_set) {
  for (const auto& [variables, expected] :
       std::vector<std::pair<std::map<std::string, std::string>, std::string>>{
           {{{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}}, "a"},
           {{{"AWS_ENDPOINT_URL_S3", "http://localhost:9000"}}, ""},
           {{{"AWS_EC2_METADATA_DISABLED", "true"}}, ""}}) {
    S3CredentialSource keys(read(variables), server_, clock_);
    EXPECT_EQ(keys.get()->access_key, expected);
  }
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(S3CredentialsTest, broken_answers_are_errors_without_secrets) {
  for (const char* json :
       {"", "[]", "{", "{\"AccessKeyId\": 1}", "{\"AccessKeyId\": \"a\"}",
        R"({"AccessKeyId": "a", "SecretAccessKey": "very-secret-key-4711", "Token": "a\nb"})"}) {
    const Status status = parse_credentials_json(json).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << json;
    EXPECT_THAT(status.to_string(), Not(HasSubstr(kSecret)));
  }
  EXPECT_EQ(parse_utc_time("2026-01-31T23:59:58.000Z"), 1'769'903'998'000);
  for (const char* wrong :
       {"", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "soon", "2026-01"}) {
    EXPECT_EQ(parse_utc_time(wrong), 0) << wrong;
  }
}

// ---- Settings ----

Result<S3Options> read(const std::map<std::string, std::string>& settings,
                       const std::map<std::string, std::string>& environment = {}) {
  Configuration configuration;
  for (const auto& [key, value] : settings) configuration.set(key, value);
  return S3Options::read(configuration, [&](std::string_view name) -> std::optional<std::string> {
    const auto found = environment.find(std::string(name));
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

TEST(S3OptionsTest, settings_win_over_the_environment_and_keys_are_never_mixed) {
  const std::map<std::string, std::string> environment = {{"AWS_ACCESS_KEY_ID", "env-key"},
                                                          {"AWS_SECRET_ACCESS_KEY", "env-secret"},
                                                          {"AWS_SESSION_TOKEN", "env-token"},
                                                          {"AWS_REGION", "eu-west-1"}};
  const Result<S3Options> from_environment = read({}, environment);
  ASSERT_TRUE(from_environment.is_ok());
  EXPECT_EQ(from_environment->credentials.access_key, "env-key");
  EXPECT_EQ(from_environment->credentials.session_token, "env-token");
  EXPECT_EQ(from_environment->region, "eu-west-1");
  const Result<S3Options> set = read({{"s3.access-key", "a"}, {"s3.secret-key", "b"}}, environment);
  ASSERT_TRUE(set.is_ok());
  EXPECT_EQ(set->credentials.access_key, "a");
  EXPECT_EQ(set->credentials.session_token, "");
  EXPECT_EQ(read({{"s3.access-key", "a"}}, environment).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(S3OptionsTest, wrong_values_name_the_option_and_no_secret) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"s3.endpoint", "ftp://host"},
      {"s3.endpoint", "http://user:very-secret-key-4711@host"},
      {"s3.endpoint", "http://host/path"},
      {"s3.endpoint", "http://"},
      {"s3.region", "eu central"},
      {"s3.path.style.access", "maybe"},
      {"s3.upload.min.part.size", "1 kb"},
      {"s3.upload.min.part.size", "-5 mb"},
      {"s3.upload.min.part.size", "9999 gb"},
      {"s3.upload.max.concurrent.uploads", "0"},
      {"s3.retry.max-num-retries", "-1"},
      {"s3.retry.max-num-retries", "1000"},
      {"s3.connection.timeout", "0 s"},
      {"s3.socket.timeout", "2 d"},
      {"s3.access-key", "a b"},
  };
  for (const auto& [key, value] : cases) {
    std::map<std::string, std::string> settings = {{"s3.access-key", "a"}, {"s3.secret-key", "b"}};
    settings[key] = value;
    const Status status = read(settings).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << key << " = " << value;
    EXPECT_THAT(status.to_string(), HasSubstr(key));
    EXPECT_THAT(status.to_string(), Not(HasSubstr(kSecret)));
  }
  const Status secret = read({{"s3.access-key", "a"}, {"s3.secret-key", "very secret"}}).status();
  EXPECT_THAT(secret.to_string(), HasSubstr("s3.secret-key"));
  EXPECT_THAT(secret.to_string(), Not(HasSubstr("very secret")));
}

}  // namespace
}  // namespace clepsydra
