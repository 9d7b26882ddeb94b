#include "base/socket_file.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/thread.h"
#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

using internal::status_from_errno;

// A connection that stands still for so long is given up.
constexpr int kStillMs = 10'000;
constexpr int kAnswersAtOnce = 4;
constexpr std::size_t kWaitingMax = 64;

// Closes at the end of its life.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Status::invalid_argument(
        fmt::format("socket file '{}' has a name of {} bytes; expected 1 to {}", path, path.size(),
                    sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<Descriptor> make_socket(const std::string& path) {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) return status_from_errno("cannot make a socket for", path, errno);
  return made;
}

void set_timeouts(int fd, std::int64_t timeout_ms) {
  const timeval limit{.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

Status failed(std::string_view action, const std::string& path) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return Status::deadline_exceeded(fmt::format("{} '{}': no answer in time", action, path));
  }
  return status_from_errno(action, path, errno);
}

Status send_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return failed("cannot send to", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return Status::ok();
}

Status receive_all(int fd, char* out, std::size_t bytes, const std::string& path) {
  while (bytes > 0) {
    const ssize_t received = ::recv(fd, out, bytes, 0);
    if (received < 0) {
      if (errno == EINTR) continue;
      return failed("cannot receive from", path);
    }
    if (received == 0) {
      return Status::data_loss(fmt::format("the other end of '{}' closed within a message", path));
    }
    out += received;
    bytes -= static_cast<std::size_t>(received);
  }
  return Status::ok();
}

// A message is its length, 4 bytes, little-endian, and its bytes.
Status send_message(int fd, std::string_view message, const std::string& path) {
  if (message.size() > kSocketMessageBytesMax) {
    return Status::invalid_argument(fmt::format("a message of {} bytes; at most {} are possible",
                                                message.size(), kSocketMessageBytesMax));
  }
  std::string framed;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    framed.push_back(static_cast<char>(message.size() >> shift & 0xFF));
  }
  framed += message;
  return send_all(fd, framed, path);
}

Result<std::string> receive_message(int fd, const std::string& path) {
  unsigned char length[4];
  CLP_RETURN_IF_ERROR(receive_all(fd, reinterpret_cast<char*>(length), sizeof(length), path));
  std::size_t bytes = 0;
  for (unsigned i = 0; i < 4; ++i) bytes |= static_cast<std::size_t>(length[i]) << (8 * i);
  if (bytes > kSocketMessageBytesMax) {
    return Status::data_loss(fmt::format("a message of {} bytes from '{}'; at most {} are possible",
                                         bytes, path, kSocketMessageBytesMax));
  }
  std::string message(bytes, '\0');
  CLP_RETURN_IF_ERROR(receive_all(fd, message.data(), bytes, path));
  return message;
}

Result<Descriptor> connect_to(const std::string& path) {
  CLP_ASSIGN_OR_RETURN(const sockaddr_un address, address_of(path));
  CLP_ASSIGN_OR_RETURN(Descriptor socket, make_socket(path));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == ECONNREFUSED) {
      return Status::unavailable(fmt::format("nobody listens at '{}'", path));
    }
    return status_from_errno("cannot connect to", path, errno);
  }
  return socket;
}

bool is_same_user(int fd) {
  ucred peer{};
  socklen_t bytes = sizeof(peer);
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.uid == ::geteuid();
}

}  // namespace

Status create_private_directory(const std::string& path) {
  const std::size_t parent_end = path.find_last_of('/');
  if (parent_end != std::string::npos && parent_end > 0) {
    const std::string parent = path.substr(0, parent_end);
    struct stat found {};
    if (::stat(parent.c_str(), &found) != 0) {
      CLP_RETURN_IF_ERROR(create_private_directory(parent));
    }
  }
  if (::mkdir(path.c_str(), 0700) == 0) return Status::ok();
  if (errno != EEXIST) return status_from_errno("cannot create directory", path, errno);
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return status_from_errno("cannot look at", path, errno);
  if (!S_ISDIR(found.st_mode)) {
    return Status::failed_precondition(fmt::format("'{}' is not a directory", path));
  }
  if (found.st_uid != ::geteuid() || (found.st_mode & 0077) != 0) {
    return Status::permission_denied(
        fmt::format("directory '{}' must belong to this user alone (mode 0700)", path));
  }
  return Status::ok();
}

class SocketServer::Impl {
 public:
  Impl(std::string path, Handler handler)
      : path_(std::move(path)),
        handler_(std::move(handler)),
        answers_({.threads_max = kAnswersAtOnce, .queue_max = kWaitingMax, .thread_name = "ask"}) {}

  ~Impl() {
    if (thread_.joinable()) {
      const std::uint64_t one = 1;
      (void)!::write(stop_.get(), &one, sizeof(one));
      thread_.join();
    }
    answers_.shutdown();
    if (is_bound_) (void)::unlink(path_.c_str());
  }

  Status start() {
    CLP_ASSIGN_OR_RETURN(const sockaddr_un address, address_of(path_));
    CLP_ASSIGN_OR_RETURN(listener_, make_socket(path_));
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(listener_.get(), name, sizeof(address)) != 0) {
      if (errno != EADDRINUSE) return status_from_errno("cannot listen at", path_, errno);
      if (connect_to(path_).status().code() != StatusCode::kUnavailable) {
        return Status::already_exists(fmt::format("another process listens at '{}'", path_));
      }
      (void)::unlink(path_.c_str());
      if (::bind(listener_.get(), name, sizeof(address)) != 0) {
        return status_from_errno("cannot listen at", path_, errno);
      }
    }
    is_bound_ = true;
    if (::chmod(path_.c_str(), 0600) != 0 || ::listen(listener_.get(), 16) != 0) {
      return status_from_errno("cannot listen at", path_, errno);
    }
    stop_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
    if (stop_.get() < 0) return status_from_errno("cannot listen at", path_, errno);
    thread_ = internal::start_thread("socket", [this] { accept_all(); });
    return Status::ok();
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void accept_all() {
    while (true) {
      pollfd waits[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
      if (waits[1].revents != 0) return;
      if (waits[0].revents == 0) continue;
      auto peer =
          std::make_shared<Descriptor>(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer->get() < 0 || !is_same_user(peer->get())) continue;
      set_timeouts(peer->get(), kStillMs);
      // Where too many wait already, closing says so.
      (void)answers_.submit([this, peer] { answer(peer->get()); });
    }
  }

  void answer(int fd) const {
    const Result<std::string> request = receive_message(fd, path_);
    if (request.is_ok()) (void)send_message(fd, handler_(*request), path_);
  }

  const std::string path_;
  const Handler handler_;
  Descriptor listener_;
  Descriptor stop_;
  bool is_bound_ = false;
  ThreadBlockingPool answers_;
  std::thread thread_;
};

SocketServer::SocketServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SocketServer::~SocketServer() = default;

Result<std::unique_ptr<SocketServer>> SocketServer::start(std::string path, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(path), std::move(handler));
  CLP_RETURN_IF_ERROR(impl->start());
  return std::unique_ptr<SocketServer>(new SocketServer(std::move(impl)));
}

const std::string& SocketServer::path() const {
  return impl_->path();
}

Result<std::string> ask_socket(const std::string& path, std::string_view request,
                               std::int64_t timeout_ms) {
  CLP_ASSIGN_OR_RETURN(const Descriptor socket, connect_to(path));
  set_timeouts(socket.get(), timeout_ms);
  CLP_RETURN_IF_ERROR(send_message(socket.get(), request, path));
  return receive_message(socket.get(), path);
}

}  // namespace clepsydra
