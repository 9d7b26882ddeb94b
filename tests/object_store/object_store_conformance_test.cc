// What every object store behind the port must do: the model that simulations run on, and S3 itself
// (a server that s3_server.py has started).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/object_store/http_client.h"
#include "base/object_store/memory_object_store.h"
#include "base/object_store/object_file_system.h"
#include "base/object_store/s3_object_store.h"
#include "base/object_store/s3_options.h"
#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::optional<std::string> variable(std::string_view name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody writes the environment.
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// One store of each kind, and what it stands on.
class World {
 public:
  virtual ~World() = default;
  virtual ObjectStore& store() = 0;
};

class MemoryWorld final : public World {
 public:
  ObjectStore& store() override { return store_; }

 private:
  SystemClock clock_;
  MemoryObjectStore store_{clock_};
};

class S3World final : public World {
 public:
  S3World() {
    Configuration configuration;
    const std::optional<std::string> endpoint = variable("AWS_ENDPOINT_URL_S3");
    CLP_CHECK_MSG(endpoint.has_value(), "run this test by tests/object_store/s3_server.py");
    CLP_CHECK_MSG(endpoint->starts_with("http://127.0.0.1:"), "not against a server of others");
    Result<S3Options> options = S3Options::read(configuration, variable);
    CLP_CHECK_MSG(options.is_ok(), options.status().to_string());
    S3Environment environment;
    http_ = make_curl_http_client({}).value();
    environment.http = http_.get();
    credentials_ = std::make_unique<S3CredentialSource>(*options, *http_, clock_);
    environment.credentials = credentials_.get();
    environment.clock = &clock_;
    environment.sleep = [](std::int64_t ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    };
    store_ = std::make_unique<S3ObjectStore>(*std::move(options), "test", std::move(environment));
  }
  ObjectStore& store() override { return *store_; }

 private:
  SystemClock clock_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<S3CredentialSource> credentials_;
  std::unique_ptr<S3ObjectStore> store_;
};

class ObjectStoreConformanceTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "memory") {
      world_ = std::make_unique<MemoryWorld>();
    } else {
      world_ = std::make_unique<S3World>();
    }
    // Tests share a bucket, each below a name of its own.
    root_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    root_ = root_.substr(0, root_.find('/')) + "/";
  }

  ObjectStore& store() { return world_->store(); }
  std::string key(const std::string& name) const { return root_ + name; }

  Status put(const std::string& name, std::string_view bytes) {
    return store().put(key(name), bytes, PutCondition::kNone);
  }
  Result<std::string> get(const std::string& name, std::int64_t offset = 0,
                          std::size_t size = 64 << 20) {
    std::vector<std::uint8_t> out(size);
    CLP_ASSIGN_OR_RETURN(const std::int64_t got, store().get(key(name), offset, out, ""));
    return std::string(out.begin(), out.begin() + got);
  }
  std::vector<std::string> keys(const std::string& prefix, bool by_folder = false,
                                int limit = 1000) {
    std::vector<std::string> found;
    ObjectListRequest request;
    request.prefix = key(prefix);
    request.by_folder = by_folder;
    request.limit = limit;
    do {
      const Result<ObjectListing> page = store().list(request);
      EXPECT_TRUE(page.is_ok()) << page.status().to_string();
      if (!page.is_ok()) break;
      for (const ObjectInfo& object : page->objects) found.push_back(object.key);
      for (const std::string& below : page->prefixes) found.push_back(below);
      EXPECT_LE(page->objects.size() + page->prefixes.size(), static_cast<std::size_t>(limit));
      request.continuation = page->next;
    } while (!request.continuation.empty());
    EXPECT_THAT(found, Each(StartsWith(root_)));
    for (std::string& name : found) name = name.substr(root_.size());
    std::sort(found.begin(), found.end());
    return found;
  }
  std::vector<std::string> uploads(const std::string& prefix) {
    std::vector<std::string> found;
    const Result<UploadListing> page = store().list_uploads(key(prefix), "");
    EXPECT_TRUE(page.is_ok()) << page.status().to_string();
    if (!page.is_ok()) return found;
    for (const OpenUpload& upload : page->uploads) found.push_back(upload.key.substr(root_.size()));
    std::sort(found.begin(), found.end());
    return found;
  }

  std::unique_ptr<World> world_;
  std::string root_;
};

std::string bytes_of(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1'103'515'245 + 12'345;
    bytes[i] = static_cast<char>(seed >> 16);
  }
  return bytes;
}

TEST_P(ObjectStoreConformanceTest, an_object_comes_back_and_is_replaced_as_a_whole) {
  for (const std::size_t size : {0U, 1U, 1000U, 3U << 20}) {
    const std::string bytes = bytes_of(size, 1);
    ASSERT_TRUE(put("a", bytes).is_ok());
    EXPECT_EQ(*get("a"), bytes);
    const ObjectInfo info = store().head(key("a")).value();
    EXPECT_EQ(info.size, static_cast<std::int64_t>(size));
    EXPECT_EQ(info.key, key("a"));
    EXPECT_FALSE(info.etag.empty());
    EXPECT_NEAR(static_cast<double>(info.modified_ms), static_cast<double>(SystemClock().now_ms()),
                60e3);
  }
}

TEST_P(ObjectStoreConformanceTest, keys_may_have_any_characters) {
  for (const std::string name : {"blank b", "plus+", "percent%41", "ümläut", "a=b&c=d", "q?x#y",
                                 "day=2024-01-31 12:00/part.csv", "~tilde", "'quote\"", "(a)*!"}) {
    ASSERT_TRUE(put(name, name).is_ok()) << name;
    EXPECT_EQ(*get(name), name);
    EXPECT_THAT(keys(name), ElementsAre(name));
    ASSERT_TRUE(store().remove(key(name)).is_ok());
    EXPECT_EQ(get(name).status().code(), StatusCode::kNotFound) << name;
  }
}

TEST_P(ObjectStoreConformanceTest, reads_ranges) {
  const std::string bytes = bytes_of(1000, 2);
  ASSERT_TRUE(put("a", bytes).is_ok());
  EXPECT_EQ(*get("a", 0, 10), bytes.substr(0, 10));
  EXPECT_EQ(*get("a", 990, 100), bytes.substr(990));
  EXPECT_EQ(*get("a", 999, 1), bytes.substr(999));
  EXPECT_EQ(*get("a", 1000, 10), "");
  EXPECT_EQ(*get("a", 5000, 10), "");
}

TEST_P(ObjectStoreConformanceTest, a_changed_object_is_not_read_as_the_old_one) {
  ASSERT_TRUE(put("a", "one").is_ok());
  const ObjectInfo info = store().head(key("a")).value();
  std::vector<std::uint8_t> out(3);
  EXPECT_EQ(*store().get(key("a"), 0, out, info.etag), 3);
  ASSERT_TRUE(put("a", "two").is_ok());
  EXPECT_EQ(store().get(key("a"), 0, out, info.etag).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_P(ObjectStoreConformanceTest, what_is_not_there) {
  EXPECT_EQ(get("none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().head(key("none")).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(store().remove(key("none")).is_ok());
  EXPECT_EQ(store().copy(key("none"), key("b")).code(), StatusCode::kNotFound);
  EXPECT_THAT(keys("none"), IsEmpty());
}

TEST_P(ObjectStoreConformanceTest, put_if_absent) {
  EXPECT_TRUE(store().put(key("a"), "1", PutCondition::kIfAbsent).is_ok());
  EXPECT_EQ(store().put(key("a"), "2", PutCondition::kIfAbsent).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*get("a"), "1");
}

TEST_P(ObjectStoreConformanceTest, copies) {
  ASSERT_TRUE(put("from here", "bytes").is_ok());
  ASSERT_TRUE(store().copy(key("from here"), key("to/there+")).is_ok());
  EXPECT_EQ(*get("to/there+"), "bytes");
  EXPECT_EQ(*get("from here"), "bytes");
}

TEST_P(ObjectStoreConformanceTest, lists_by_prefix_and_folder_in_pages) {
  std::vector<std::string> names;
  // Servers that keep objects as files cannot have both "a" and "a/1".
  for (const char* name : {"a-x", "a.x", "a/1", "a/2", "a/b/3", "b", "c/4"}) {
    ASSERT_TRUE(put(name, name).is_ok());
    names.emplace_back(name);
  }
  for (const int limit : {1, 2, 3, 1000}) {
    EXPECT_EQ(keys("", false, limit), names) << limit;
    EXPECT_THAT(keys("", true, limit), ElementsAre("a-x", "a.x", "a/", "b", "c/")) << limit;
    EXPECT_THAT(keys("a/", true, limit), ElementsAre("a/1", "a/2", "a/b/")) << limit;
    EXPECT_THAT(keys("a", false, limit), ElementsAre("a-x", "a.x", "a/1", "a/2", "a/b/3")) << limit;
  }
  ObjectListRequest request;
  request.prefix = key("a/2");
  const ObjectListing page = store().list(request).value();
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].size, 3);
  EXPECT_GT(page.objects[0].modified_ms, SystemClock().now_ms() - 600'000);
}

TEST_P(ObjectStoreConformanceTest, removes_many_at_once) {
  std::vector<std::string> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(key("d/" + std::to_string(i) + " <&>"));
    ASSERT_TRUE(store().put(all.back(), "", PutCondition::kNone).is_ok());
  }
  all.push_back(key("never there"));
  ASSERT_TRUE(put("stays", "").is_ok());
  ASSERT_TRUE(store().remove_many(all).is_ok());
  EXPECT_THAT(keys(""), ElementsAre("stays"));
  EXPECT_TRUE(store().remove_many({}).is_ok());
  EXPECT_FALSE(store().remove_many(std::vector<std::string>(1001, "x")).is_ok());
}

TEST_P(ObjectStoreConformanceTest, an_upload_appears_when_it_is_completed) {
  const std::string first = bytes_of(ObjectStore::kPartBytesMin, 3);
  const std::string second = bytes_of(1000, 4);
  const std::string id = store().create_upload(key("u/big")).value();
  // In any order, and again.
  const UploadPart two = store().upload_part(key("u/big"), id, 2, second).value();
  (void)store().upload_part(key("u/big"), id, 1, "wrong at first").value();
  const UploadPart one = store().upload_part(key("u/big"), id, 1, first).value();
  EXPECT_EQ(get("u/big").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(keys("u/"), IsEmpty());
  EXPECT_THAT(uploads("u/"), ElementsAre("u/big"));
  EXPECT_THAT(uploads("v/"), IsEmpty());
  ASSERT_TRUE(store().complete_upload(key("u/big"), id, std::vector<UploadPart>{one, two}).is_ok());
  EXPECT_EQ(*get("u/big"), first + second);
  EXPECT_THAT(uploads("u/"), IsEmpty());
  EXPECT_EQ(store().complete_upload(key("u/big"), id, std::vector<UploadPart>{one, two}).code(),
            StatusCode::kNotFound);
  EXPECT_TRUE(store().abort_upload(key("u/big"), id).is_ok());
  EXPECT_EQ(get("u/big")->size(), first.size() + second.size());
}

TEST_P(ObjectStoreConformanceTest, an_aborted_upload_leaves_nothing) {
  const std::string id = store().create_upload(key("u/x")).value();
  const UploadPart part = store().upload_part(key("u/x"), id, 1, "bytes").value();
  const std::string other = store().create_upload(key("u/x")).value();
  EXPECT_NE(id, other);
  ASSERT_TRUE(store().abort_upload(key("u/x"), id).is_ok());
  EXPECT_TRUE(store().abort_upload(key("u/x"), id).is_ok());
  EXPECT_THAT(uploads("u/"), ElementsAre("u/x"));
  EXPECT_EQ(store().complete_upload(key("u/x"), id, std::vector<UploadPart>{part}).code(),
            StatusCode::kNotFound);
  ASSERT_TRUE(store().abort_upload(key("u/x"), other).is_ok());
  EXPECT_THAT(uploads("u/"), IsEmpty());
  EXPECT_THAT(keys("u/"), IsEmpty());
}

TEST_P(ObjectStoreConformanceTest, a_part_that_was_not_uploaded_completes_nothing) {
  const std::string id = store().create_upload(key("u/y")).value();
  const UploadPart part = store().upload_part(key("u/y"), id, 1, "bytes").value();
  EXPECT_FALSE(
      store().complete_upload(key("u/y"), id, std::vector<UploadPart>{part, part}).is_ok());
  EXPECT_EQ(get("u/y").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(store().abort_upload(key("u/y"), id).is_ok());
}

TEST_P(ObjectStoreConformanceTest, many_threads_at_once) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) {
        const std::string name = std::to_string(i) + "-" + std::to_string(n);
        const std::string bytes = bytes_of(10'000, static_cast<unsigned>(i * 100 + n));
        const bool ok = put(name, bytes).is_ok();
        const Result<std::string> back = get(name);
        if (!ok || !back.is_ok() || *back != bytes) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(keys("").size(), 80U);
}

// The file system over it: what is larger than a part goes up in several.
TEST_P(ObjectStoreConformanceTest, large_files_go_up_in_parts_and_come_back) {
  ThreadBlockingPool pool({});
  ObjectFileSystem::Options options;
  options.part_bytes = ObjectStore::kPartBytesMin;
  options.pool = &pool;
  ObjectFileSystem files([this](std::string_view) { return Result<ObjectStore*>(&store()); },
                         options);
  const std::string bytes = bytes_of((17U << 20) + 1, 5);
  const std::string path = "s3://test/" + key("large");
  {
    const auto file = files.open_for_write(path, WriteMode::kTruncate).value();
    ASSERT_TRUE(file->append(bytes).is_ok());
    EXPECT_FALSE(*files.exists(path));
    ASSERT_TRUE(file->close().is_ok());
  }
  EXPECT_TRUE(*read_file(files, path) == bytes);
  const auto staged = files.stage("s3://test/" + key("staged")).value();
  ASSERT_TRUE(staged->append(bytes).is_ok());
  ASSERT_TRUE(staged->close().is_ok());
  EXPECT_EQ(files.list_staged("s3://test/" + key("x")).value().size(), 0U);
  for (int i = 0; i < 2; ++i) {
    const Status published = files.publish(staged->path(), staged->token());
    EXPECT_TRUE(published.is_ok()) << published.to_string();
  }
  EXPECT_EQ(files.stat(staged->path())->size, static_cast<std::int64_t>(bytes.size()));
  {
    const auto left = files.open_for_write(path + "-left", WriteMode::kTruncate).value();
    ASSERT_TRUE(left->append(bytes).is_ok());
  }
  EXPECT_THAT(uploads(""), IsEmpty());
  EXPECT_FALSE(*files.exists(path + "-left"));
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreConformanceTest, ::testing::Values("memory", "s3"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace clepsydra
