// Threads of the operating system, for the pools of base/ only.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace clepsydra::internal {

// A thread named `name` (cut at 15 bytes) in which all signals are blocked, so that they reach the
// thread that waits for them. A system without threads left ends the process with a message.
std::thread start_thread(const std::string& name, std::function<void()> body);

// Binds the calling thread to the (index mod count)-th processor of its affinity set. False when
// refused.
bool pin_this_thread(int index);

// Asks the scheduler to run the calling thread soon after it wakes, in front of threads that keep a
// processor for long, in return for giving it up sooner: the share of time stays the same. Kernels
// before 6.12 know nothing of it. Policy and niceness stay. False when refused, and for threads
// that the scheduler treats in a way of their own.
bool prefer_short_waits();

// Processors in the affinity set of the process; at least 1.
int count_available_processors();

// Puts one thread to sleep and wakes it. An unpark() before the park() is remembered, one at most.
class Parker {
 public:
  static constexpr std::int64_t kForever = -1;

  // Sleeps until unpark() or for `timeout_ns`; may return early without a reason. Threads: the
  // owner.
  void park(std::int64_t timeout_ns);
  // All that the caller wrote before is seen by the owner after park(). A system call only when the
  // owner sleeps. Any thread.
  void unpark();

 private:
  static constexpr std::int32_t kParked = -1;
  static constexpr std::int32_t kEmpty = 0;
  static constexpr std::int32_t kNotified = 1;
  std::atomic<std::int32_t> state_{kEmpty};
};

// Tells the processor that this is a waiting loop.
inline void relax_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace clepsydra::internal
