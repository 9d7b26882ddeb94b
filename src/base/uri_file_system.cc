#include "base/uri_file_system.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/object_store/http_client.h"
#include "base/object_store/object_file_system.h"
#include "base/object_store/s3_credentials.h"
#include "base/object_store/s3_object_store.h"
#include "base/object_store/s3_options.h"
#include "base/random.h"
#include "base/thread_blocking_pool.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

std::optional<std::string> environment_variable(std::string_view name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody writes the environment after the start.
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

ThreadBlockingPool::Options upload_threads(int threads) {
  ThreadBlockingPool::Options options;
  options.threads_max = threads;
  options.thread_name = "upload";
  return options;
}

}  // namespace

// Made with the file system, but empty until start().
class UriFileSystem::S3 {
 public:
  explicit S3(Configuration configuration) : configuration_(std::move(configuration)) {}

  // The first call reads the settings; an error stays one.
  FileSystem& files() {
    const MutexLock lock(mutex_);
    if (files_ == nullptr) start();
    return *files_;
  }

 private:
  void start() CLP_REQUIRES(mutex_) {
    Result<S3Options> options = S3Options::read(configuration_, environment_variable);
    status_ = options.status();
    ObjectFileSystem::Options file_options;
    if (options.is_ok()) {
      options_ = *std::move(options);
      uploads_ = std::make_unique<ThreadBlockingPool>(upload_threads(options_.uploads_at_once));
      file_options.part_bytes = options_.part_bytes;
      file_options.parts_at_once = options_.uploads_at_once;
      file_options.pool = uploads_.get();
    }
    files_ = std::make_unique<ObjectFileSystem>(
        [this](std::string_view bucket) { return find_bucket(bucket); }, file_options);
  }

  Result<ObjectStore*> find_bucket(std::string_view bucket) {
    constexpr std::size_t kBucketsMax = 1000;
    const MutexLock lock(mutex_);
    CLP_RETURN_IF_ERROR(status_);
    const auto found = buckets_.find(bucket);
    if (found != buckets_.end()) return static_cast<ObjectStore*>(found->second.get());
    if (buckets_.size() >= kBucketsMax) {
      return Status::resource_exhausted(
          fmt::format("more than {} buckets are in use", kBucketsMax));
    }
    if (credentials_ == nullptr) {
      HttpClientOptions http;
      http.connect_timeout_ms = options_.connect_timeout_ms;
      http.idle_timeout_ms = options_.idle_timeout_ms;
      CLP_ASSIGN_OR_RETURN(http_, make_curl_http_client(http));
      constexpr std::int64_t kServiceMs = 1000;
      CLP_ASSIGN_OR_RETURN(service_http_, make_curl_http_client({kServiceMs, kServiceMs}));
      credentials_ = std::make_unique<S3CredentialSource>(options_, *service_http_, clock_);
    }
    S3Environment environment;
    environment.http = http_.get();
    environment.credentials = credentials_.get();
    environment.clock = &clock_;
    environment.sleep = [](std::int64_t ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    };
    environment.seed = Random::from_entropy().next_u64();
    auto store =
        std::make_unique<S3ObjectStore>(options_, std::string(bucket), std::move(environment));
    ObjectStore* const added = store.get();
    buckets_.emplace(bucket, std::move(store));
    return added;
  }

  const Configuration configuration_;
  const SystemClock clock_;
  Mutex mutex_;
  Status status_ CLP_GUARDED_BY(mutex_);
  S3Options options_ CLP_GUARDED_BY(mutex_);
  std::unique_ptr<HttpClient> http_ CLP_GUARDED_BY(mutex_);
  std::unique_ptr<HttpClient> service_http_ CLP_GUARDED_BY(mutex_);
  std::unique_ptr<S3CredentialSource> credentials_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<S3ObjectStore>, std::less<>> buckets_
      CLP_GUARDED_BY(mutex_);
  std::unique_ptr<ObjectFileSystem> files_ CLP_GUARDED_BY(mutex_);
  // Last: its threads end before what they use.
  std::unique_ptr<ThreadBlockingPool> uploads_ CLP_GUARDED_BY(mutex_);
};

UriFileSystem::UriFileSystem(Configuration configuration)
    : s3_(std::make_unique<S3>(std::move(configuration))) {}

UriFileSystem::~UriFileSystem() = default;

FileSystem& UriFileSystem::of(std::string_view path) {
  const std::string scheme = scheme_of(path);
  if (scheme == "s3" || scheme == "s3a" || scheme == "s3p") return s3_->files();
  return local_;
}

Result<std::unique_ptr<RandomAccessFile>> UriFileSystem::open_for_read(std::string_view path) {
  return of(path).open_for_read(path);
}

Result<std::unique_ptr<WritableFile>> UriFileSystem::open_for_write(std::string_view path,
                                                                    WriteMode mode) {
  return of(path).open_for_write(path, mode);
}

Status UriFileSystem::rename(std::string_view from, std::string_view to) {
  FileSystem& files = of(from);
  if (&files != &of(to)) {
    return Status::invalid_argument(
        fmt::format("cannot rename '{}' to '{}': they are not on one "
                    "file system",
                    clip(from, 200), clip(to, 200)));
  }
  return files.rename(from, to);
}

Status UriFileSystem::remove(std::string_view path) {
  return of(path).remove(path);
}

Result<std::vector<FileInfo>> UriFileSystem::list(std::string_view directory) {
  return of(directory).list(directory);
}

Result<FileInfo> UriFileSystem::stat(std::string_view path) {
  return of(path).stat(path);
}

Status UriFileSystem::create_directories(std::string_view path) {
  return of(path).create_directories(path);
}

Status UriFileSystem::sync_directory(std::string_view directory) {
  return of(directory).sync_directory(directory);
}

Status UriFileSystem::remove_all(std::string_view path) {
  return of(path).remove_all(path);
}

Status UriFileSystem::write_atomically(std::string_view path, std::string_view bytes) {
  return of(path).write_atomically(path, bytes);
}

StagingArea* UriFileSystem::staging_area(std::string_view path) {
  return of(path).staging_area(path);
}

}  // namespace clepsydra
