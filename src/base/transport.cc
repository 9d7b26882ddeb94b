#include "base/transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"

namespace clepsydra {
namespace internal {

// A mailbox that is a steppable: each step hands some messages to the handler. Kept alive by its
// pool until the step that finds it closed.
//
// Threads: all methods, any thread; step() as the pool does.
class Endpoint final : public Steppable {
 public:
  Endpoint(std::string name, MessageHandler handler, TransportLimits limits)
      : name_(std::move(name)), handler_(std::move(handler)), limits_(limits) {}

  // Before anybody else knows this endpoint.
  void set_waker(Waker waker) { waker_ = std::move(waker); }

  // Takes room for a message, which put() then fills or give_back() frees.
  Status take_room(std::size_t bytes) {
    const MutexLock lock(mutex_);
    if (closed_) return closed_error(name_);
    if (taken_messages_ >= limits_.queue_messages_max ||
        bytes > limits_.queue_bytes_max - taken_bytes_) {
      return Status::resource_exhausted(
          fmt::format("the mailbox of endpoint '{}' is full: {} messages, {} bytes", name_,
                      taken_messages_, taken_bytes_));
    }
    ++taken_messages_;
    taken_bytes_ += bytes;
    return Status::ok();
  }

  void put(Message message) {
    {
      const MutexLock lock(mutex_);
      if (closed_) return;
      messages_.push_back(std::move(message));
    }
    waker_.wake();
  }

  void give_back(std::size_t bytes) {
    const MutexLock lock(mutex_);
    --taken_messages_;
    taken_bytes_ -= bytes;
  }

  StepResult step() override {
    const MutexLock running(running_mutex_);
    running_thread_.store(std::this_thread::get_id());
    StepResult result = StepResult::kProgress;
    for (int i = 0; i < limits_.messages_per_step; ++i) {
      Message message;
      {
        const MutexLock lock(mutex_);
        if (closed_) {
          result = StepResult::kDone;
          break;
        }
        if (messages_.empty()) {
          result = StepResult::kBlocked;
          break;
        }
        message = std::move(messages_.front());
        messages_.pop_front();
        --taken_messages_;
        taken_bytes_ -= message.bytes.size();
      }
      handler_(std::move(message));
    }
    running_thread_.store(std::thread::id());
    return result;
  }

  void close() {
    std::deque<Message> dropped;
    {
      const MutexLock lock(mutex_);
      closed_ = true;
      dropped.swap(messages_);
    }
    // Waits for the handler, unless it is the handler that closes.
    if (running_thread_.load() != std::this_thread::get_id()) {
      const MutexLock not_running(running_mutex_);
    }
    waker_.wake();
  }

  static Status closed_error(std::string_view name) {
    return Status::unavailable(fmt::format("nobody listens at endpoint '{}'", name));
  }

 private:
  const std::string name_;
  const MessageHandler handler_;
  const TransportLimits limits_;
  Waker waker_;
  Mutex running_mutex_;  // Held while the handler runs.
  std::atomic<std::thread::id> running_thread_{};
  Mutex mutex_;
  std::deque<Message> messages_ CLP_GUARDED_BY(mutex_);
  std::size_t taken_messages_ CLP_GUARDED_BY(mutex_) = 0;
  std::size_t taken_bytes_ CLP_GUARDED_BY(mutex_) = 0;
  bool closed_ CLP_GUARDED_BY(mutex_) = false;
};

EndpointTable::~EndpointTable() {
  close_all();
}

void EndpointTable::close_all() {
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  {
    const MutexLock lock(mutex_);
    for (auto& [name, endpoint] : endpoints_) endpoints.push_back(std::move(endpoint));
    endpoints_.clear();
  }
  for (const auto& endpoint : endpoints) endpoint->close();
}

Status EndpointTable::listen(std::string name, MessageHandler handler) {
  const MutexLock lock(mutex_);
  if (endpoints_.contains(name)) {
    return Status::already_exists(fmt::format("somebody listens at endpoint '{}' already", name));
  }
  auto endpoint = std::make_shared<Endpoint>(name, std::move(handler), limits_);
  // The closure owns the endpoint until its last step.
  endpoint->set_waker(pool_.add(
      endpoint.get(), {.on_done = [endpoint] {}, .affinity = -1, .name = "endpoint " + name}));
  endpoints_.emplace(std::move(name), std::move(endpoint));
  return Status::ok();
}

void EndpointTable::close(std::string_view name) {
  std::shared_ptr<Endpoint> endpoint;
  {
    const MutexLock lock(mutex_);
    const auto found = endpoints_.find(std::string(name));
    if (found == endpoints_.end()) return;
    endpoint = std::move(found->second);
    endpoints_.erase(found);
  }
  endpoint->close();
}

std::shared_ptr<Endpoint> EndpointTable::find(std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto found = endpoints_.find(std::string(name));
  return found == endpoints_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<Endpoint>> EndpointTable::take_room(std::string_view to,
                                                           std::size_t bytes) const {
  if (bytes > Transport::kMessageBytesMax) {
    return Status::invalid_argument(
        fmt::format("cannot send {} bytes to endpoint '{}': a message has at most {} bytes", bytes,
                    to, Transport::kMessageBytesMax));
  }
  std::shared_ptr<Endpoint> endpoint = find(to);
  if (endpoint == nullptr) return Endpoint::closed_error(to);
  CLP_RETURN_IF_ERROR(endpoint->take_room(bytes));
  return endpoint;
}

}  // namespace internal

InProcessTransport::InProcessTransport(WorkerPool& pool, TransportLimits limits)
    : endpoints_(pool, limits) {}

InProcessTransport::~InProcessTransport() = default;

Status InProcessTransport::listen(std::string endpoint, MessageHandler handler) {
  return endpoints_.listen(std::move(endpoint), std::move(handler));
}

void InProcessTransport::close(std::string_view endpoint) {
  endpoints_.close(endpoint);
}

Status InProcessTransport::send(std::string_view from, std::string_view to, std::string bytes) {
  CLP_ASSIGN_OR_RETURN(const auto endpoint, endpoints_.take_room(to, bytes.size()));
  endpoint->put({std::string(from), std::move(bytes)});
  return Status::ok();
}

struct SimulatedTransport::Shared {
  using Pair = std::pair<std::string, std::string>;

  Shared(WorkerPool& pool, const Options& options)
      : endpoints(pool, options.limits), random(mix64(options.seed ^ 0x7472616E73706F72ULL)) {}

  static Pair link(std::string_view a, std::string_view b) {
    return a < b ? Pair(a, b) : Pair(b, a);
  }

  internal::EndpointTable endpoints;
  Mutex mutex;
  Random random CLP_GUARDED_BY(mutex);
  std::map<Pair, std::int64_t> last_arrival_ns CLP_GUARDED_BY(mutex);  // By (from, to).
  std::map<Pair, std::uint64_t> cuts CLP_GUARDED_BY(mutex);  // By link: odd while cut, counts up.

  std::uint64_t cut_count(std::string_view a, std::string_view b) {
    const MutexLock lock(mutex);
    const auto found = cuts.find(link(a, b));
    return found == cuts.end() ? 0 : found->second;
  }
};

SimulatedTransport::SimulatedTransport(WorkerPool& pool, Options options)
    : pool_(pool), options_(options), shared_(std::make_shared<Shared>(pool, options_)) {}

SimulatedTransport::~SimulatedTransport() {
  shared_->endpoints.close_all();
}

Status SimulatedTransport::listen(std::string endpoint, MessageHandler handler) {
  return shared_->endpoints.listen(std::move(endpoint), std::move(handler));
}

void SimulatedTransport::close(std::string_view endpoint) {
  shared_->endpoints.close(endpoint);
}

Status SimulatedTransport::send(std::string_view from, std::string_view to, std::string bytes) {
  const std::uint64_t cuts = shared_->cut_count(from, to);
  if (cuts % 2 == 1) {
    return Status::unavailable(fmt::format("no way from endpoint '{}' to '{}'", from, to));
  }
  const std::size_t size = bytes.size();
  CLP_ASSIGN_OR_RETURN(auto endpoint, shared_->endpoints.take_room(to, size));
  std::int64_t arrival_ns = 0;
  {
    const MutexLock lock(shared_->mutex);
    std::int64_t& last_ns = shared_->last_arrival_ns[{std::string(from), std::string(to)}];
    last_ns = std::max(last_ns, pool_.clock().monotonic_ns() +
                                    shared_->random.uniform_between(0, options_.delay_ns_max));
    arrival_ns = last_ns;
  }
  // Timers of the same moment fire in the order of schedule_at(), so order is kept per pair.
  pool_.schedule_at(arrival_ns, [shared = shared_, endpoint = std::move(endpoint), cuts, size,
                                 to = std::string(to),
                                 message = Message{std::string(from), std::move(bytes)}]() mutable {
    if (shared->cut_count(message.from, to) == cuts) {
      endpoint->put(std::move(message));
    } else {
      endpoint->give_back(size);
    }
  });
  return Status::ok();
}

void SimulatedTransport::cut(std::string_view a, std::string_view b) {
  const MutexLock lock(shared_->mutex);
  std::uint64_t& count = shared_->cuts[Shared::link(a, b)];
  if (count % 2 == 0) ++count;
}

void SimulatedTransport::mend(std::string_view a, std::string_view b) {
  const MutexLock lock(shared_->mutex);
  std::uint64_t& count = shared_->cuts[Shared::link(a, b)];
  if (count % 2 == 1) ++count;
}

}  // namespace clepsydra
