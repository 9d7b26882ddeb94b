#include "base/file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr int kRemoveDepthMax = 1000;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "hdfs" of "hdfs://host/path" and "file" of "file:/path"; empty for a plain path.
std::string_view scheme_part(std::string_view text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front())) return {};
  const std::string_view scheme = text.substr(0, colon);
  const bool good = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
  return good ? scheme : std::string_view();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode_percents(std::string_view uri, std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_digit(path[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) {
      return Status::invalid_argument(fmt::format(
          "cannot read the URI '{}': '%' must be followed by two hexadecimal digits other than 00",
          clip(uri, 200)));
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

Status remove_tree(FileSystem& files, const std::string& path, int depth) {
  // remove() never follows a symbolic link, so nothing outside of `path` can be lost.
  const Status removed = files.remove(path);
  if (removed.is_ok() || removed.code() == StatusCode::kNotFound) return Status::ok();
  if (removed.code() != StatusCode::kFailedPrecondition || depth >= kRemoveDepthMax) return removed;
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files.list(path));
  for (const FileInfo& entry : entries) {
    CLP_RETURN_IF_ERROR(remove_tree(files, join_path(path, entry.name), depth + 1));
  }
  return files.remove(path);
}

}  // namespace

Result<bool> FileSystem::exists(std::string_view path) {
  const Result<FileInfo> info = stat(path);
  if (info.is_ok()) return true;
  if (info.status().code() == StatusCode::kNotFound) return false;
  return info.status();
}

Status FileSystem::remove_all(std::string_view path) {
  return remove_tree(*this, std::string(path), 0);
}

Result<std::string> read_file(FileSystem& files, std::string_view path, std::int64_t bytes_max) {
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.open_for_read(path));
  constexpr std::size_t kChunk = 1U << 16;
  std::string content;
  CLP_ASSIGN_OR_RETURN(const std::int64_t size, file->size());
  content.reserve(static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, bytes_max)));
  while (true) {
    const std::size_t before = content.size();
    content.resize(before + kChunk);
    const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(content.data()) + before,
                                       kChunk);
    CLP_ASSIGN_OR_RETURN(const std::int64_t got,
                         file->read_at(static_cast<std::int64_t>(before), room));
    content.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return content;
    if (static_cast<std::int64_t>(content.size()) > bytes_max) {
      return Status::resource_exhausted(
          fmt::format("cannot read '{}': more than {} bytes", clip(path, 200), bytes_max));
    }
  }
}

Status FileSystem::write_atomically(std::string_view path, std::string_view bytes) {
  const std::string temporary =
      join_path(directory_name(path), "." + std::string(base_name(path)) + ".unfinished");
  const Status written = [&]() -> Status {
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                         open_for_write(temporary, WriteMode::kTruncate));
    CLP_RETURN_IF_ERROR(file->append(bytes));
    CLP_RETURN_IF_ERROR(file->sync());
    CLP_RETURN_IF_ERROR(file->close());
    CLP_RETURN_IF_ERROR(rename(temporary, path));
    return sync_directory(directory_name(path));
  }();
  if (!written.is_ok()) {
    (void)remove(temporary);  // The first error is the one to tell.
  }
  return written;
}

StagingArea* FileSystem::staging_area(std::string_view path) {
  (void)path;
  return nullptr;
}

Status write_file_atomically(FileSystem& files, std::string_view path, std::string_view bytes) {
  return files.write_atomically(path, bytes);
}

Result<std::string> local_path(std::string_view path_or_uri) {
  if (path_or_uri.empty()) return Status::invalid_argument("a path must not be empty");
  if (path_or_uri.find('\0') != std::string_view::npos) {
    return Status::invalid_argument(
        fmt::format("the path '{}' has a NUL byte in it", clip(path_or_uri, 200)));
  }
  const std::string_view scheme = scheme_part(path_or_uri);
  if (scheme.empty()) return std::string(path_or_uri);
  if (scheme != "file") {
    return Status::invalid_argument(
        fmt::format("no file system for the scheme '{}' of '{}': expected a plain path or file://",
                    clip(scheme, 64), clip(path_or_uri, 200)));
  }
  std::string_view rest = path_or_uri.substr(scheme.size() + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (!host.empty() && host != "localhost") {
      return Status::invalid_argument(fmt::format(
          "'{}' names the host '{}': expected three slashes as in file:///directory/file",
          clip(path_or_uri, 200), clip(host, 64)));
    }
    rest.remove_prefix(host.size());
  }
  CLP_ASSIGN_OR_RETURN(std::string path, decode_percents(path_or_uri, rest));
  if (path.empty()) {
    return Status::invalid_argument(fmt::format("'{}' names no file", clip(path_or_uri, 200)));
  }
  return path;
}

Result<std::string> canonical_path(std::string_view path_or_uri) {
  const std::string scheme = scheme_of(path_or_uri);
  if (scheme.empty() || scheme == "file") return local_path(path_or_uri);
  const auto wrong = [&](std::string_view reason) {
    return Status::invalid_argument(
        fmt::format("cannot use '{}': {}", clip(path_or_uri, 200), reason));
  };
  if (scheme != "s3" && scheme != "s3a" && scheme != "s3p") {
    return Status::invalid_argument(fmt::format(
        "no file system for the scheme '{}' of '{}': expected a plain path, file:// or s3://",
        clip(scheme, 64), clip(path_or_uri, 200)));
  }
  std::string_view rest = path_or_uri.substr(scheme.size() + 1);
  if (!rest.starts_with("//")) return wrong("expected s3://bucket/key");
  rest.remove_prefix(2);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  constexpr std::size_t kKeyBytesMax = 1024;
  const std::string_view bucket = rest.substr(0, rest.find('/'));
  const std::string_view key = rest.substr(std::min(rest.size(), bucket.size() + 1));
  const bool good_bucket =
      bucket.size() >= 3 && bucket.size() <= 63 &&
      std::all_of(bucket.begin(), bucket.end(), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
      });
  if (!good_bucket) {
    return wrong("the name of a bucket has 3 to 63 letters, digits, dots and hyphens");
  }
  if (key.size() > kKeyBytesMax) return wrong("a key has at most 1024 bytes");
  for (std::size_t begin = 0; begin < key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") {
      return wrong("no part of a key may be empty, '.' or '..'");
    }
    begin = end + 1;
  }
  if (std::any_of(key.begin(), key.end(), [](char c) { return c >= 0 && c < 0x20; })) {
    return wrong("it has a control character in it");
  }
  return fmt::format("s3://{}", rest);
}

std::string scheme_of(std::string_view path_or_uri) {
  std::string scheme(scheme_part(path_or_uri));
  for (char& c : scheme) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return scheme;
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) return std::string(name);
  std::string path(directory);
  if (path.back() != '/') path += '/';
  return path.append(name);
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view directory_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

}  // namespace clepsydra
