// Requests between processes of one user on one machine, through socket files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

inline constexpr std::size_t kSocketMessageBytesMax = std::size_t{1} << 20;

// Makes the directory, and what is missing above it, for its owner alone. PermissionDenied when it
// is there and others own it or may look into it.
Status create_private_directory(const std::string& path);

// Answers requests, one per connection, some at a time on threads of its own. Only processes of the
// same user are heard. Threads: construction and destruction one.
class SocketServer {
 public:
  // Called from several threads at once; may block. Requests and answers are any bytes.
  using Handler = std::function<std::string(const std::string& request)>;

  // `path` is a file in a directory that only the owner may enter. One that a dead process left is
  // replaced; AlreadyExists when a live one listens there.
  static Result<std::unique_ptr<SocketServer>> start(std::string path, Handler handler);
  // Waits for answers under way, then removes the file.
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  [[nodiscard]] const std::string& path() const;

 private:
  class Impl;
  explicit SocketServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Sends a request and waits for its answer. NotFound without the file, Unavailable when nobody
// listens, DeadlineExceeded, DataLoss for half an answer. Blocks.
Result<std::string> ask_socket(const std::string& path, std::string_view request,
                               std::int64_t timeout_ms);

}  // namespace clepsydra
