#include "base/memory_file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/random.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

using internal::status_from_errno;

// "a//b/./c/../d/" -> "/a/b/d".
std::string normal_path(std::string_view path) {
  std::vector<std::string_view> parts;
  std::size_t i = 0;
  while (i < path.size()) {
    const std::size_t end = std::min(path.find('/', i), path.size());
    const std::string_view part = path.substr(i, end - i);
    i = end + 1;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string result;
  for (const std::string_view part : parts) result.append("/").append(part);
  return result.empty() ? "/" : result;
}

Result<std::string> resolve(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string local, local_path(path));
  return normal_path(local);
}

}  // namespace

struct MemoryFileSystem::Node {
  Node(bool directory, std::int64_t now_ms) : is_directory(directory), modified_ms(now_ms) {}

  const bool is_directory;
  std::string content;
  std::size_t synced_bytes = 0;
  std::int64_t modified_ms;
};

// A creation (only `to`), a removal (only `from`) or a renaming.
struct MemoryFileSystem::NameChange {
  std::string from;
  std::string to;
  std::shared_ptr<Node> node = nullptr;  // At `to`.
  bool is_applied = false;               // To what is durable. A move is a change of two folders.
};

// All state, behind one mutex.
struct MemoryFileSystem::Shared {
  struct Failure {
    std::int64_t countdown;
    Status status;
    std::optional<FileOperation> kind;
  };

  explicit Shared(const Clock& the_clock) : clock(the_clock) {
    nodes["/"] = std::make_shared<Node>(true, clock.now_ms());
    durable["/"] = nodes["/"];
  }

  // A name that came, went or moved, in the order in which that happened in its folder.
  void note(NameChange change) CLP_REQUIRES(mutex) {
    const auto shared_change = std::make_shared<NameChange>(std::move(change));
    const std::string& from = shared_change->from;
    const std::string& to = shared_change->to;
    if (!from.empty()) unsynced[std::string(directory_name(from))].push_back(shared_change);
    if (!to.empty() && (from.empty() || directory_name(from) != directory_name(to))) {
      unsynced[std::string(directory_name(to))].push_back(shared_change);
    }
  }

  // The first `count` changes of the names in `directory` will be there after a power cut.
  void make_durable(const std::string& directory, std::size_t count) CLP_REQUIRES(mutex) {
    const auto found = unsynced.find(directory);
    if (found == unsynced.end()) return;
    const std::vector<std::shared_ptr<NameChange>> changes = std::move(found->second);
    unsynced.erase(found);
    for (std::size_t i = 0; i < std::min(count, changes.size()); ++i) apply(*changes[i]);
  }

  void apply(NameChange& change) CLP_REQUIRES(mutex) {
    if (std::exchange(change.is_applied, true)) return;
    if (!change.from.empty()) {
      const std::string prefix = change.from + "/";
      for (auto child = durable.lower_bound(prefix);
           child != durable.end() && child->first.starts_with(prefix);) {
        if (!change.to.empty()) {
          durable[change.to + child->first.substr(change.from.size())] = child->second;
        }
        child = durable.erase(child);
      }
      durable.erase(change.from);
      if (change.to.empty()) unsynced.erase(change.from);
    }
    if (!change.to.empty()) durable[change.to] = change.node;
  }

  // `kept(n)`: how many of n things that were not synced are there all the same.
  void cut_power(const std::function<std::size_t(std::size_t n)>& kept) CLP_REQUIRES(mutex) {
    while (!unsynced.empty()) {
      const auto first = unsynced.begin();
      make_durable(std::string(first->first), kept(first->second.size()));
    }
    nodes.clear();
    used_bytes = 0;
    // Ascending, so a folder is seen before what is in it.
    for (const auto& [path, node] : durable) {
      if (path != "/" && !nodes.contains(std::string(directory_name(path)))) continue;
      nodes.emplace(path, node);
      if (node->is_directory) continue;
      const std::size_t loose = node->content.size() - node->synced_bytes;
      node->content.resize(node->synced_bytes + kept(loose));
      node->synced_bytes = node->content.size();
      used_bytes += static_cast<std::int64_t>(node->content.size());
    }
    durable = nodes;
  }

  // Counts the operation and injects what was asked for.
  Status begin(FileOperation operation, const std::string& path) CLP_EXCLUDES(mutex) {
    FaultHook asked;
    {
      const MutexLock lock(mutex);
      ++operations;
      for (auto failure = failures.begin(); failure != failures.end(); ++failure) {
        if (failure->kind && *failure->kind != operation) continue;
        if (--failure->countdown > 0) continue;
        const Status status = failure->status;
        failures.erase(failure);
        return status;
      }
      asked = hook;
    }
    return asked ? asked(operation, path) : Status::ok();
  }

  std::shared_ptr<Node> find(const std::string& path) CLP_REQUIRES(mutex) {
    const auto found = nodes.find(path);
    return found == nodes.end() ? nullptr : found->second;
  }

  // Whether `path` may be created: its directory must be there.
  Status check_parent(std::string_view action, const std::string& path) CLP_REQUIRES(mutex) {
    const std::shared_ptr<Node> parent = find(std::string(directory_name(path)));
    if (parent == nullptr) return status_from_errno(action, path, ENOENT);
    if (!parent->is_directory) return status_from_errno(action, path, ENOTDIR);
    return Status::ok();
  }

  bool has_children(const std::string& path) CLP_REQUIRES(mutex) {
    const std::string prefix = path == "/" ? path : path + "/";
    const auto next = nodes.upper_bound(prefix);
    return next != nodes.end() && next->first.starts_with(prefix);
  }

  const Clock& clock;
  Mutex mutex;
  std::map<std::string, std::shared_ptr<Node>> nodes CLP_GUARDED_BY(mutex);
  // What a power cut leaves of the names, and by folder what it may take back.
  std::map<std::string, std::shared_ptr<Node>> durable CLP_GUARDED_BY(mutex);
  std::map<std::string, std::vector<std::shared_ptr<NameChange>>> unsynced CLP_GUARDED_BY(mutex);
  std::vector<Failure> failures CLP_GUARDED_BY(mutex);
  FaultHook hook CLP_GUARDED_BY(mutex);
  std::int64_t capacity_bytes CLP_GUARDED_BY(mutex) = std::numeric_limits<std::int64_t>::max();
  std::int64_t used_bytes CLP_GUARDED_BY(mutex) = 0;
  std::int64_t operations CLP_GUARDED_BY(mutex) = 0;
};

class MemoryFileSystem::ReadHandle final : public RandomAccessFile {
 public:
  ReadHandle(std::shared_ptr<Shared> shared, std::shared_ptr<Node> node, std::string path)
      : shared_(std::move(shared)), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kRead, path_));
    const MutexLock lock(shared_->mutex);
    if (offset < 0) return status_from_errno("cannot read", path_, EINVAL);
    const auto size = static_cast<std::int64_t>(node_->content.size());
    const std::int64_t bytes =
        std::clamp<std::int64_t>(size - offset, 0, static_cast<std::int64_t>(out.size()));
    if (bytes > 0) {
      std::memcpy(out.data(), node_->content.data() + offset, static_cast<std::size_t>(bytes));
    }
    return bytes;
  }

  [[nodiscard]] Result<std::int64_t> size() const override {
    const MutexLock lock(shared_->mutex);
    return static_cast<std::int64_t>(node_->content.size());
  }

  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
};

class MemoryFileSystem::WriteHandle final : public WritableFile {
 public:
  WriteHandle(std::shared_ptr<Shared> shared, std::shared_ptr<Node> node, std::string path,
              std::int64_t size)
      : shared_(std::move(shared)), node_(std::move(node)), path_(std::move(path)), size_(size) {}

  Status append(std::string_view bytes) override {
    if (closed_) return closed();
    CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kAppend, path_));
    const MutexLock lock(shared_->mutex);
    const std::int64_t room =
        std::max<std::int64_t>(0, shared_->capacity_bytes - shared_->used_bytes);
    const std::string_view fits = bytes.substr(
        0, static_cast<std::size_t>(std::min(room, static_cast<std::int64_t>(bytes.size()))));
    node_->content.append(fits);
    node_->modified_ms = shared_->clock.now_ms();
    shared_->used_bytes += static_cast<std::int64_t>(fits.size());
    size_ += static_cast<std::int64_t>(fits.size());
    if (fits.size() < bytes.size()) return status_from_errno("cannot write", path_, ENOSPC);
    return Status::ok();
  }

  Status sync() override {
    if (closed_) return closed();
    CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kSync, path_));
    const MutexLock lock(shared_->mutex);
    node_->synced_bytes = node_->content.size();
    return Status::ok();
  }

  Status close() override {
    if (closed_) return Status::ok();
    closed_ = true;
    return shared_->begin(FileOperation::kClose, path_);
  }

  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  [[nodiscard]] Status closed() const {
    return Status::failed_precondition(fmt::format("the file '{}' is closed", clip(path_, 200)));
  }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  std::int64_t size_;
  bool closed_ = false;
};

MemoryFileSystem::MemoryFileSystem(const Clock& clock) : shared_(std::make_shared<Shared>(clock)) {}

MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::open_for_read(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kOpenForRead, name));
  const MutexLock lock(shared_->mutex);
  std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr) return status_from_errno("cannot open", name, ENOENT);
  if (node->is_directory) return status_from_errno("cannot open", name, EISDIR);
  return std::make_unique<ReadHandle>(shared_, std::move(node), name);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::open_for_write(std::string_view path,
                                                                       WriteMode mode) {
  constexpr std::string_view kAction = "cannot open for writing";
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kOpenForWrite, name));
  const MutexLock lock(shared_->mutex);
  std::shared_ptr<Node>& node = shared_->nodes[name];
  if (node == nullptr) {
    const Status parent = shared_->check_parent(kAction, name);
    if (!parent.is_ok()) {
      shared_->nodes.erase(name);
      return parent;
    }
    node = std::make_shared<Node>(false, shared_->clock.now_ms());
    shared_->note({"", name, node});
  } else if (mode == WriteMode::kCreateNew) {
    return status_from_errno(kAction, name, EEXIST);
  } else if (node->is_directory) {
    return status_from_errno(kAction, name, EISDIR);
  }
  if (mode == WriteMode::kTruncate) {
    shared_->used_bytes -= static_cast<std::int64_t>(node->content.size());
    node->content.clear();
    node->synced_bytes = 0;
    node->modified_ms = shared_->clock.now_ms();
  }
  const auto size = static_cast<std::int64_t>(node->content.size());
  return std::make_unique<WriteHandle>(shared_, node, name, size);
}

Status MemoryFileSystem::rename(std::string_view from, std::string_view to) {
  CLP_ASSIGN_OR_RETURN(const std::string old_name, resolve(from));
  CLP_ASSIGN_OR_RETURN(const std::string new_name, resolve(to));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kRename, old_name));
  const MutexLock lock(shared_->mutex);
  const std::string action = fmt::format("cannot rename '{}' to", clip(old_name, 200));
  const std::shared_ptr<Node> node = shared_->find(old_name);
  if (node == nullptr) return status_from_errno(action, new_name, ENOENT);
  CLP_RETURN_IF_ERROR(shared_->check_parent(action, new_name));
  if (old_name == new_name) return Status::ok();
  if (const std::shared_ptr<Node> target = shared_->find(new_name)) {
    if (target->is_directory && !node->is_directory) {
      return status_from_errno(action, new_name, EISDIR);
    }
    if (!target->is_directory && node->is_directory) {
      return status_from_errno(action, new_name, ENOTDIR);
    }
    if (shared_->has_children(new_name)) return status_from_errno(action, new_name, ENOTEMPTY);
    shared_->used_bytes -= static_cast<std::int64_t>(target->content.size());
  }
  const std::string prefix = old_name + "/";
  if (new_name.starts_with(prefix) || old_name == "/") {
    return status_from_errno(action, new_name, EINVAL);
  }
  // A directory takes all below it along.
  for (auto child = shared_->nodes.lower_bound(prefix);
       child != shared_->nodes.end() && child->first.starts_with(prefix);) {
    shared_->nodes[new_name + child->first.substr(old_name.size())] = child->second;
    child = shared_->nodes.erase(child);
  }
  shared_->nodes.erase(old_name);
  shared_->nodes[new_name] = node;
  shared_->note({old_name, new_name, node});
  return Status::ok();
}

Status MemoryFileSystem::remove(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kRemove, name));
  const MutexLock lock(shared_->mutex);
  const std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr) return status_from_errno("cannot remove", name, ENOENT);
  if (name == "/") return status_from_errno("cannot remove", name, EBUSY);
  if (shared_->has_children(name)) return status_from_errno("cannot remove", name, ENOTEMPTY);
  shared_->used_bytes -= static_cast<std::int64_t>(node->content.size());
  shared_->nodes.erase(name);
  shared_->note({name, ""});
  return Status::ok();
}

Result<std::vector<FileInfo>> MemoryFileSystem::list(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(directory));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kList, name));
  const MutexLock lock(shared_->mutex);
  const std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr) return status_from_errno("cannot list", name, ENOENT);
  if (!node->is_directory) return status_from_errno("cannot list", name, ENOTDIR);
  const std::string prefix = name == "/" ? name : name + "/";
  std::vector<FileInfo> entries;
  for (auto child = shared_->nodes.upper_bound(prefix);
       child != shared_->nodes.end() && child->first.starts_with(prefix); ++child) {
    const std::string rest = child->first.substr(prefix.size());
    if (rest.find('/') != std::string::npos) continue;
    entries.push_back({rest, static_cast<std::int64_t>(child->second->content.size()),
                       child->second->is_directory, child->second->modified_ms});
  }
  // The map's order has "a/b" before "a.b"; names alone sort otherwise.
  std::sort(entries.begin(), entries.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  return entries;
}

Result<FileInfo> MemoryFileSystem::stat(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kStat, name));
  const MutexLock lock(shared_->mutex);
  const std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr) return status_from_errno("cannot look at", name, ENOENT);
  return FileInfo{std::string(path), static_cast<std::int64_t>(node->content.size()),
                  node->is_directory, node->modified_ms};
}

Status MemoryFileSystem::create_directories(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kCreateDirectories, name));
  const MutexLock lock(shared_->mutex);
  for (std::size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
    const std::string part = name.substr(0, slash);
    std::shared_ptr<Node>& node = shared_->nodes[part];
    if (node == nullptr) {
      node = std::make_shared<Node>(true, shared_->clock.now_ms());
      shared_->note({"", part, node});
      shared_->make_durable(std::string(directory_name(part)),
                            std::numeric_limits<std::size_t>::max());
    } else if (!node->is_directory) {
      return status_from_errno("cannot create the directory", part, ENOTDIR);
    }
    if (slash == std::string::npos) return Status::ok();
  }
}

Status MemoryFileSystem::sync_directory(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(directory));
  CLP_RETURN_IF_ERROR(shared_->begin(FileOperation::kSyncDirectory, name));
  const MutexLock lock(shared_->mutex);
  const std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr) return status_from_errno("cannot open the directory", name, ENOENT);
  if (!node->is_directory) return status_from_errno("cannot open the directory", name, ENOTDIR);
  shared_->make_durable(name, std::numeric_limits<std::size_t>::max());
  return Status::ok();
}

void MemoryFileSystem::fail_operation(std::int64_t n, Status status,
                                      std::optional<FileOperation> kind) {
  CLP_CHECK(n >= 1 && !status.is_ok());
  const MutexLock lock(shared_->mutex);
  shared_->failures.push_back({n, std::move(status), kind});
}

void MemoryFileSystem::set_fault_hook(FaultHook hook) {
  const MutexLock lock(shared_->mutex);
  shared_->hook = std::move(hook);
}

void MemoryFileSystem::set_capacity_bytes(std::int64_t bytes) {
  const MutexLock lock(shared_->mutex);
  shared_->capacity_bytes = bytes;
}

void MemoryFileSystem::drop_unsynced() {
  const MutexLock lock(shared_->mutex);
  shared_->cut_power([](std::size_t) { return std::size_t{0}; });
}

void MemoryFileSystem::cut_power(Random& random) {
  const MutexLock lock(shared_->mutex);
  shared_->cut_power([&](std::size_t n) { return random.uniform(n + 1); });
}

Status MemoryFileSystem::flip_bit(std::string_view path, std::uint64_t bit) {
  CLP_ASSIGN_OR_RETURN(const std::string name, resolve(path));
  const MutexLock lock(shared_->mutex);
  const std::shared_ptr<Node> node = shared_->find(name);
  if (node == nullptr || bit / 8 >= node->content.size()) {
    return Status::not_found(fmt::format("no bit {} in '{}'", bit, clip(name, 200)));
  }
  char& byte = node->content[bit / 8];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (bit % 8)));
  return Status::ok();
}

std::vector<std::string> MemoryFileSystem::paths_below(std::string_view directory) const {
  const Result<std::string> name = resolve(directory);
  std::vector<std::string> paths;
  if (!name.is_ok()) return paths;
  const MutexLock lock(shared_->mutex);
  const std::string prefix = *name == "/" ? *name : *name + "/";
  for (auto node = shared_->nodes.upper_bound(prefix);
       node != shared_->nodes.end() && node->first.starts_with(prefix); ++node) {
    if (!node->second->is_directory) paths.push_back(node->first);
  }
  return paths;
}

std::int64_t MemoryFileSystem::used_bytes() const {
  const MutexLock lock(shared_->mutex);
  return shared_->used_bytes;
}

std::int64_t MemoryFileSystem::operations() const {
  const MutexLock lock(shared_->mutex);
  return shared_->operations;
}

}  // namespace clepsydra
