#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "base/thread_annotations.h"

namespace clepsydra {
namespace {

using internal::status_from_errno;

class DescriptorOutput final : public TextOutput {
 public:
  DescriptorOutput(int fd, std::string name, bool buffered)
      : fd_(fd), name_(std::move(name)), buffered_(buffered), is_terminal_(::isatty(fd) == 1) {}

  Status write(std::string_view text) override {
    const MutexLock lock(mutex_);
    buffer_ += text;
    if (buffered_ && buffer_.size() < kBufferBytes) return Status::ok();
    return write_out();
  }

  Status flush() override {
    const MutexLock lock(mutex_);
    return write_out();
  }

  // For the end of the process: never waits for another thread.
  void flush_if_free() {
    if (!mutex_.try_lock()) return;
    (void)write_out();
    mutex_.unlock();
  }

  [[nodiscard]] bool is_terminal() const override { return is_terminal_; }
  [[nodiscard]] bool is_closed() const override { return closed_.load(std::memory_order_relaxed); }

 private:
  Status write_out() CLP_REQUIRES(mutex_) {
    std::string_view rest = buffer_;
    Status status;
    while (!rest.empty() && status.is_ok()) {
      const ssize_t put = ::write(fd_, rest.data(), rest.size());
      if (put >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(put));
      } else if (errno == EAGAIN) {
        // Somebody made the stream non-blocking; wait as if it were not.
        pollfd waited{fd_, POLLOUT, 0};
        ::poll(&waited, 1, -1);
      } else if (errno != EINTR) {
        if (errno == EPIPE) closed_.store(true, std::memory_order_relaxed);
        status = status_from_errno("cannot write to", name_, errno);
      }
    }
    buffer_.clear();  // After an error there is nothing better to do with the rest.
    return status;
  }

  const int fd_;
  const std::string name_;
  const bool buffered_;
  const bool is_terminal_;
  std::atomic<bool> closed_{false};
  Mutex mutex_;
  std::string buffer_ CLP_GUARDED_BY(mutex_);
};

// Where the signal handler writes a byte per signal; -1 while nobody listens.
std::atomic<int> interrupt_pipe{-1};

extern "C" void clepsydra_on_interrupt(int /*signal*/) {
  const int saved_errno = errno;
  const int fd = interrupt_pipe.load();
  const char byte = 'i';
  if (fd >= 0 && ::write(fd, &byte, 1) < 0) {
    // The pipe is full of interrupts that nobody has read yet: one more says nothing new.
  }
  errno = saved_errno;
}

void set_interrupt_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

// The thread that turns signals into calls.
class InterruptListener {
 public:
  static Result<std::unique_ptr<InterruptListener>> make(std::function<void(int)> callback) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return status_from_errno("cannot make a pipe for", "interrupts", errno);
    }
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);  // A signal handler must not wait.
    return std::unique_ptr<InterruptListener>(
        new InterruptListener(ends[0], ends[1], std::move(callback)));
  }

  ~InterruptListener() {
    set_interrupt_handler(SIG_DFL);
    interrupt_pipe.store(-1);
    const char byte = 'q';
    while (::write(write_end_, &byte, 1) < 0 && (errno == EAGAIN || errno == EINTR)) {
      std::this_thread::yield();
    }
    thread_.join();
    ::close(read_end_);
    ::close(write_end_);
  }
  InterruptListener(const InterruptListener&) = delete;
  InterruptListener& operator=(const InterruptListener&) = delete;

 private:
  InterruptListener(int read_end, int write_end, std::function<void(int)> callback)
      : read_end_(read_end), write_end_(write_end), callback_(std::move(callback)) {
    thread_ = internal::start_thread("interrupts", [this] { run(); });
    interrupt_pipe.store(write_end_);
    set_interrupt_handler(&clepsydra_on_interrupt);
  }

  void run() {
    int count = 0;
    while (true) {
      char byte = 0;
      const ssize_t got = ::read(read_end_, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0 || byte == 'q') return;
      callback_(++count);
    }
  }

  const int read_end_;
  const int write_end_;
  const std::function<void(int)> callback_;
  std::thread thread_;
};

std::int64_t to_ns(const timeval& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_usec * 1'000;
}

std::int64_t resident_bytes_now() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t got = ::read(fd, text, sizeof(text) - 1);
  ::close(fd);
  if (got <= 0) return 0;
  text[got] = '\0';
  long long total_pages = 0;
  long long resident_pages = 0;
  // NOLINTNEXTLINE(cert-err34-c): written by the kernel
  if (std::sscanf(text, "%lld %lld", &total_pages, &resident_pages) != 2) return 0;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

class SystemProcess final : public Process {
 public:
  SystemProcess() { ::signal(SIGPIPE, SIG_IGN); }

  ~SystemProcess() override {
    (void)output_.flush();  // Nobody is left to tell.
    (void)error_.flush();
  }

  TextOutput& standard_output() override { return output_; }
  TextOutput& standard_error() override { return error_; }

  [[nodiscard]] bool standard_input_is_terminal() const override {
    return ::isatty(STDIN_FILENO) == 1;
  }

  Result<std::string> read_standard_input(std::int64_t bytes_max) override {
    std::string text;
    char chunk[1U << 14];
    while (true) {
      const ssize_t got = ::read(STDIN_FILENO, chunk, sizeof(chunk));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return status_from_errno("cannot read", "standard input", errno);
      if (got == 0) return text;
      text.append(chunk, static_cast<std::size_t>(got));
      if (static_cast<std::int64_t>(text.size()) > bytes_max) {
        return Status::resource_exhausted(
            fmt::format("cannot read standard input: more than {} bytes", bytes_max));
      }
    }
  }

  [[nodiscard]] TerminalSize terminal_size() const override {
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO}) {
      winsize size{};
      if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        return {size.ws_col, size.ws_row};
      }
    }
    return {};
  }

  [[nodiscard]] ResourceUsage resource_usage() const override {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return {.cpu_ns = to_ns(usage.ru_utime) + to_ns(usage.ru_stime),
            .peak_resident_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024,
            .resident_bytes = resident_bytes_now()};
  }

  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in the process changes the environment
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  }

  [[nodiscard]] Result<std::string> working_directory() const override {
    std::unique_ptr<char, decltype(&std::free)> path(::getcwd(nullptr, 0), &std::free);
    if (path == nullptr) return status_from_errno("cannot find the directory of", "process", errno);
    return std::string(path.get());
  }
  [[nodiscard]] std::int64_t id() const override { return ::getpid(); }

  [[nodiscard]] int available_processors() const override {
    return internal::count_available_processors();
  }

  [[nodiscard]] Result<std::string> program_directory() const override {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof(path));
    if (length < 0) return status_from_errno("cannot read the link", "/proc/self/exe", errno);
    const std::string_view program(path, static_cast<std::size_t>(length));
    return std::string(program.substr(0, std::max<std::size_t>(1, program.rfind('/'))));
  }

  Status on_interrupt(std::function<void(int count)> callback) override {
    const MutexLock lock(mutex_);
    listener_.reset();
    if (!callback) return Status::ok();
    CLP_ASSIGN_OR_RETURN(listener_, InterruptListener::make(std::move(callback)));
    return Status::ok();
  }

  [[noreturn]] void exit_now(int code) override {
    output_.flush_if_free();
    error_.flush_if_free();
    ::_exit(code);
  }

 private:
  DescriptorOutput output_{STDOUT_FILENO, "standard output", true};
  DescriptorOutput error_{STDERR_FILENO, "standard error", false};
  Mutex mutex_;
  std::unique_ptr<InterruptListener> listener_ CLP_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Process> make_process() {
  return std::make_unique<SystemProcess>();
}

struct StringOutput::State {
  const bool is_terminal;
  const std::optional<std::size_t> bytes_max;
  mutable Mutex mutex;
  std::string text CLP_GUARDED_BY(mutex);
  bool closed CLP_GUARDED_BY(mutex) = false;
};

StringOutput::StringOutput(bool is_terminal, std::optional<std::size_t> bytes_max)
    : state_(
          new State{.is_terminal = is_terminal, .bytes_max = bytes_max, .mutex = {}, .text = {}}) {}

StringOutput::~StringOutput() = default;

Status StringOutput::write(std::string_view text) {
  const MutexLock lock(state_->mutex);
  const std::size_t room = state_->bytes_max.value_or(std::string::npos) - state_->text.size();
  if (text.size() > room) state_->closed = true;
  if (state_->closed) return status_from_errno("cannot write to", "the output", EPIPE);
  state_->text += text;
  return Status::ok();
}

Status StringOutput::flush() {
  return Status::ok();
}

bool StringOutput::is_terminal() const {
  return state_->is_terminal;
}

bool StringOutput::is_closed() const {
  const MutexLock lock(state_->mutex);
  return state_->closed;
}

std::string StringOutput::text() const {
  const MutexLock lock(state_->mutex);
  return state_->text;
}

}  // namespace clepsydra
