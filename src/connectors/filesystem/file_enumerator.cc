// Finds the files of a table, cuts large ones, hands the parts out one by one.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/logging.h"
#include "connectors/filesystem/byte_stream.h"
#include "connectors/filesystem/file_spec.h"
#include "connectors/filesystem/partition_columns.h"
#include "connectors/filesystem/partition_path.h"
#include "connectors/filesystem/path_pattern.h"
#include "connectors/table_options.h"
#include "formats/format_registry.h"
#include "stream/split_codec.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kSplitBytesMin = std::int64_t{4} << 20;
constexpr std::int64_t kSplitBytesMax = std::int64_t{64} << 20;
constexpr std::int64_t kScanBytes = std::int64_t{1} << 20;
constexpr int kFolderDepthMax = 64;

// Names that writers use for what is not finished, and marker files.
bool is_hidden(const std::string& name) {
  return name.starts_with('.') || name.starts_with('_');
}

class FileEnumerator final : public SplitEnumerator {
 public:
  FileEnumerator(FileSourceSpec spec, PartitionColumns partitions,
                 std::optional<PathPattern> pattern, std::unique_ptr<Format> format)
      : spec_(std::move(spec)),
        partitions_(std::move(partitions)),
        pattern_(std::move(pattern)),
        format_(std::move(format)) {}

  Status start(SplitEnumeratorContext& context) override {
    finished_.assign(static_cast<std::size_t>(context.parallelism()), false);
    CLP_RETURN_IF_ERROR(find_files(context));
    share_rate(context.parallelism());
    if (is_watching()) context.schedule(spec_.monitor_interval_ms);
    return Status::ok();
  }

  Status handle_split_request(int subtask, SplitEnumeratorContext& context) override {
    waiting_.push_back(subtask);
    serve(context);
    return Status::ok();
  }

  Status on_timer(SplitEnumeratorContext& context) override {
    CLP_RETURN_IF_ERROR(find_files(context));
    serve(context);
    context.schedule(spec_.monitor_interval_ms);
    return Status::ok();
  }

  void add_splits_back(std::vector<SourceSplit> splits) override {
    pending_.insert(pending_.begin(), std::move_iterator(splits.begin()),
                    std::move_iterator(splits.end()));
  }

  [[nodiscard]] std::string snapshot() const override {
    const std::vector<SourceSplit> left(pending_.begin(), pending_.end());
    ValueTree tree = ValueTree::map().set("splits", splits_to_tree(left));
    if (is_watching()) {
      ValueTree seen = ValueTree::list();
      for (const std::string& path : known_) seen.add(path);
      tree.set("seen", std::move(seen));
    }
    return tree.encode();
  }

  Status restore(const std::string& snapshot, SplitEnumeratorContext& context) override {
    finished_.assign(static_cast<std::size_t>(context.parallelism()), false);
    CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(snapshot));
    CLP_ASSIGN_OR_RETURN(const ValueTree left, tree.get("splits"));
    CLP_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, splits_from_tree(left));
    pending_.assign(splits.begin(), splits.end());
    if (!is_watching()) return Status::ok();
    CLP_ASSIGN_OR_RETURN(const ValueTree::List seen, tree.get_list("seen"));
    for (const ValueTree& path : seen) {
      if (path.as_string() == nullptr) {
        return Status::invalid_argument("the list of files that were seen is broken");
      }
      known_.insert(*path.as_string());
    }
    CLP_RETURN_IF_ERROR(find_files(context));
    context.schedule(spec_.monitor_interval_ms);
    return Status::ok();
  }

 private:
  [[nodiscard]] bool is_watching() const { return spec_.monitor_interval_ms > 0; }

  void serve(SplitEnumeratorContext& context) {
    while (!waiting_.empty() && !pending_.empty()) {
      context.assign_split(waiting_.front(), std::move(pending_.front()));
      waiting_.pop_front();
      pending_.pop_front();
    }
    if (is_watching()) return;
    for (; !waiting_.empty(); waiting_.pop_front()) {
      const int subtask = waiting_.front();
      if (!finished_[static_cast<std::size_t>(subtask)]) context.signal_no_more_splits(subtask);
      finished_[static_cast<std::size_t>(subtask)] = true;
    }
  }

  Status find_files(SplitEnumeratorContext& context) {
    FileSystem& files = context.file_system();
    const Result<FileInfo> info = files.stat(spec_.path);
    if (!info.is_ok()) {
      // A watched folder may come later.
      if (info.status().code() == StatusCode::kNotFound && is_watching()) {
        return Status::ok();
      }
      return info.status().with_context("cannot read the table's path");
    }
    if (info->is_directory) return find_in_partitions(spec_.path, 0, context);
    if (!spec_.is_partitioned()) return add_file(spec_.path, info->size, context);
    return Status::invalid_argument(fmt::format(
        "the path of a partitioned table must be a folder, and '{}' is a file", spec_.path));
  }

  // `key`: which one the folders in `folder` are named by.
  Status find_in_partitions(const std::string& folder, int key, SplitEnumeratorContext& context) {
    if (key == partitions_.size()) return find_in_folder(folder, key, context);
    CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, context.file_system().list(folder));
    for (const FileInfo& entry : entries) {
      const std::string path = join_path(folder, entry.name);
      const std::optional<std::string> value = partition_value(entry.name, partitions_.key(key));
      if (value && entry.is_directory) {
        CLP_ASSIGN_OR_RETURN(const bool is_read, partitions_.is_read(key, *value));
        if (is_read) CLP_RETURN_IF_ERROR(find_in_partitions(path, key + 1, context));
      } else if (!is_hidden(entry.name) && strangers_.insert(path).second) {
        CLP_LOG(kWarning, "connectors",
                fmt::format("'{}' is passed over: the table has its files in folders '{}=...'",
                            path, partitions_.key(key)));
      }
    }
    return Status::ok();
  }

  Status find_in_folder(const std::string& folder, int depth, SplitEnumeratorContext& context) {
    if (depth > kFolderDepthMax) {
      return Status::invalid_argument(fmt::format(
          "the folders below '{}' are nested more than {} deep", spec_.path, kFolderDepthMax));
    }
    CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, context.file_system().list(folder));
    for (const FileInfo& entry : entries) {
      if (is_hidden(entry.name)) continue;
      const std::string path = join_path(folder, entry.name);
      if (entry.is_directory) {
        CLP_RETURN_IF_ERROR(find_in_folder(path, depth + 1, context));
      } else if (!pattern_ || pattern_->matches(path)) {
        CLP_RETURN_IF_ERROR(add_file(path, entry.size, context));
      }
    }
    return Status::ok();
  }

  Status add_file(const std::string& path, std::int64_t size, SplitEnumeratorContext& context) {
    if (!known_.insert(path).second) return Status::ok();
    const int parallelism = context.parallelism();
    std::unique_ptr<RecordScanner> scanner;
    if (spec_.may_split && parallelism > 1 && size > 2 * kSplitBytesMin &&
        compression_of(path) == Compression::kNone) {
      scanner = format_->make_scanner();
    }
    if (!scanner) {
      add_split({.path = path});
      return Status::ok();
    }
    return cut_file(path, size, std::clamp(size / parallelism, kSplitBytesMin, kSplitBytesMax),
                    *scanner, context.file_system())
        .with_context(fmt::format("file '{}'", path));
  }

  // Reads the file once, quickly, to find where records start near every multiple of `split_bytes`.
  Status cut_file(const std::string& path, std::int64_t size, std::int64_t split_bytes,
                  RecordScanner& scanner, FileSystem& files) {
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.open_for_read(path));
    std::vector<std::uint8_t> buffer(static_cast<std::size_t>(kScanBytes));
    FileSplit split{.path = path};
    std::string first_record;
    bool first_done = !format_->needs_first_record();
    std::int64_t cut_after = split_bytes;
    for (std::int64_t offset = 0; offset < size;) {
      CLP_ASSIGN_OR_RETURN(const std::int64_t bytes, file->read_at(offset, buffer));
      if (bytes == 0) break;
      std::string_view chunk(reinterpret_cast<const char*>(buffer.data()),
                             static_cast<std::size_t>(bytes));
      std::int64_t at = offset;
      offset += bytes;
      if (!first_done) {
        const std::size_t end = scanner.find_start(chunk);
        first_record.append(chunk.substr(0, end));
        first_done = end != std::string_view::npos;
        const std::size_t passed = first_done ? end : chunk.size();
        chunk.remove_prefix(passed);
        at += static_cast<std::int64_t>(passed);
      }
      while (!chunk.empty()) {
        if (at + static_cast<std::int64_t>(chunk.size()) <= cut_after) {
          scanner.skip(chunk);
          break;
        }
        if (at < cut_after) {
          const auto before = static_cast<std::size_t>(cut_after - at);
          scanner.skip(chunk.substr(0, before));
          chunk.remove_prefix(before);
          at = cut_after;
        }
        const std::size_t start = scanner.find_start(chunk);
        if (start == std::string_view::npos) break;
        chunk.remove_prefix(start);
        at += static_cast<std::int64_t>(start);
        if (at >= size) break;
        split.end = at;
        add_split(split);
        split = {
            .path = path, .begin = at, .line = 1 + scanner.lines(), .first_record = first_record};
        cut_after = at + split_bytes;
      }
    }
    // What is appended from now on is not part of the table: a bounded table is what it was at the
    // start.
    split.end = split.begin == 0 ? -1 : size;
    add_split(split);
    return Status::ok();
  }

  void add_split(FileSplit split) {
    const std::string id = split.begin == 0 && split.end < 0
                               ? split.path
                               : fmt::format("{}@{}-{}", split.path, split.begin, split.end);
    splits_.push_back(split);
    pending_.push_back({id, split.encode()});
  }

  // The rate is the table's: every subtask that will read gets its part of it.
  void share_rate(int parallelism) {
    if (spec_.rows_per_second <= 0) return;
    const auto readers =
        std::clamp<std::size_t>(splits_.size(), 1, static_cast<std::size_t>(parallelism));
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      splits_[i].rows_per_second = spec_.rows_per_second / static_cast<double>(readers);
      pending_[i].payload = splits_[i].encode();
    }
  }

  const FileSourceSpec spec_;
  const PartitionColumns partitions_;
  const std::optional<PathPattern> pattern_;
  const std::unique_ptr<Format> format_;
  std::set<std::string> known_;
  std::set<std::string> strangers_;  // What was found beside the folders of partitions.
  std::vector<FileSplit> splits_;    // As found by start(); pending_ has the same order then.
  std::deque<SourceSplit> pending_;
  std::deque<int> waiting_;
  std::vector<bool> finished_;
};

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> make_file_enumerator(FileSourceSpec spec) {
  std::optional<PathPattern> pattern;
  if (!spec.path_pattern.empty()) {
    CLP_ASSIGN_OR_RETURN(PathPattern compiled, PathPattern::make(spec.path_pattern));
    pattern.emplace(std::move(compiled));
  }
  CLP_ASSIGN_OR_RETURN(PartitionColumns partitions, PartitionColumns::make(spec));
  CLP_ASSIGN_OR_RETURN(
      std::unique_ptr<Format> format,
      FormatRegistry::built_in().make(text_option(spec.options, "format").value_or(""),
                                      {spec.options, spec.record, spec.columns}));
  return std::make_unique<FileEnumerator>(std::move(spec), std::move(partitions),
                                          std::move(pattern), std::move(format));
}

}  // namespace clepsydra
