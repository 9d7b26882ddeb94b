// The options that somebody knows: to name close keys for a mistyped one and to document all of
// them.
#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/configuration.h"
#include "base/edit_distance.h"

namespace clepsydra {
namespace {

// Ours first; add an option of the project here.
constexpr OptionInfo kOwnOptions[] = {
    {"clepsydra.batch.bytes-max", "16 mb", "MemorySize",
     "largest element of a channel; a larger row is an error"},
    {"clepsydra.batch.rows-max", "4096", "Integer", "most rows of one batch"},
    {"clepsydra.catalog.directory", "(none)", "String",
     "folder below which catalogs of type 'file' may be"},
    {"clepsydra.channel.bytes-max", "1 mb", "MemorySize",
     "bytes that wait between two tasks of one process"},
    {"clepsydra.sink.guarantee", "(none)", "String",
     "exactly-once: refuse a job that cannot give it"},
    {"clepsydra.state-directory", "(none)", "String",
     "folder of the socket files by which running jobs are found; default: clepsydra in "
     "XDG_STATE_HOME or ~/.local/state"},
    {"clepsydra.state-recovery.renamed-fields", "", "String",
     "fields of state that were stored under another name: 'operator/state/old=new; ...'"},
    {"clepsydra.udf.directory", "(none)", "String",
     "folder below which libraries of functions may be; without it there are none"},
    {"s3.access-key", "(none)", "String", "who reads and writes s3://; default: AWS_ACCESS_KEY_ID"},
    {"s3.connection.timeout", "10 s", "Duration", "longest wait for a connection to S3"},
    {"s3.endpoint", "(none)", "String",
     "the server of s3://, such as http://localhost:9000; default: AWS_ENDPOINT_URL_S3, else AWS"},
    {"s3.path-style-access", "(none)", "Boolean", "the same as s3.path.style.access"},
    {"s3.path.style.access", "(none)", "Boolean",
     "the bucket is part of the path, not of the host; default: true for addresses and plain "
     "names"},
    {"s3.region", "us-east-1", "String", "region of the buckets; default: AWS_REGION"},
    {"s3.retry.max-num-retries", "5", "Integer", "how often a request to S3 is sent again"},
    {"s3.secret-key", "(none)", "String", "of s3.access-key; default: AWS_SECRET_ACCESS_KEY"},
    {"s3.session-token", "(none)", "String", "of temporary keys; default: AWS_SESSION_TOKEN"},
    {"s3.socket.timeout", "30 s", "Duration", "longest silence of a connection to S3"},
    {"s3.upload.max.concurrent.uploads", "4", "Integer", "parts that go up to S3 at once"},
    {"s3.upload.min.part.size", "8 mb", "MemorySize", "size of the parts of large objects"},
    {"table.catalog-store.file.path", "(none)", "String",
     "folder of the catalog store of kind 'file'"},
};

constexpr OptionInfo kReferenceOptions[] = {
#include "base/reference_options.inc"
};

constexpr std::size_t kOptionCount = std::size(kOwnOptions) + std::size(kReferenceOptions);

const std::array<OptionInfo, kOptionCount>& sorted_options() {
  static const std::array<OptionInfo, kOptionCount> options = [] {
    std::array<OptionInfo, kOptionCount> all{};
    const auto rest = std::copy(std::begin(kOwnOptions), std::end(kOwnOptions), all.begin());
    std::copy(std::begin(kReferenceOptions), std::end(kReferenceOptions), rest);
    std::sort(all.begin(), all.end(),
              [](const OptionInfo& a, const OptionInfo& b) { return a.key < b.key; });
    return all;
  }();
  return options;
}

// Whether `key` is one of `pattern`, in which "<name>" stands for one part between dots.
bool matches(std::string_view pattern, std::string_view key) {
  while (true) {
    const std::size_t open = pattern.find('<');
    if (open == std::string_view::npos) return pattern == key;
    if (key.substr(0, open) != pattern.substr(0, open)) return false;
    pattern.remove_prefix(pattern.find('>') + 1);
    key.remove_prefix(open);
    const std::size_t end = std::min(key.find('.'), key.size());
    if (end == 0) return false;
    key.remove_prefix(end);
  }
}

}  // namespace

std::span<const OptionInfo> known_options() {
  return sorted_options();
}

const OptionInfo* find_known_option(std::string_view key) {
  const std::span<const OptionInfo> options = known_options();
  const auto found =
      std::lower_bound(options.begin(), options.end(), key,
                       [](const OptionInfo& option, std::string_view k) { return option.key < k; });
  if (found != options.end() && found->key == key) return &*found;
  for (const OptionInfo& option : options) {
    if (option.key.find('<') != std::string_view::npos && matches(option.key, key)) return &option;
  }
  return nullptr;
}

std::vector<std::string> close_option_keys(std::string_view key) {
  std::vector<std::string> keys;
  for (const OptionInfo& option : known_options()) keys.emplace_back(option.key);
  return close_names(key, keys);
}

}  // namespace clepsydra
