// Messages between named endpoints (JobManager, TaskManagers, clients): byte
// strings, asynchronous, in order per pair of endpoints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_annotations.h"
#include "clepsydra/status.h"

namespace clepsydra {

struct Message {
  std::string from;
  std::string bytes;
};

// Called with one message at a time per endpoint, as a step of a WorkerPool: it
// must not block. It may send, listen and close, also its own endpoint.
using MessageHandler = std::function<void(Message message)>;

// Threads: all methods, any thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // AlreadyExists when somebody listens there.
  virtual Status listen(std::string endpoint, MessageHandler handler) = 0;
  // Afterwards the handler is not running (unless the caller is in it) and is
  // never called again; messages that wait are dropped. Closing an unknown
  // endpoint does nothing.
  virtual void close(std::string_view endpoint) = 0;
  // Queues a message; never calls a handler itself. Unavailable when nobody
  // listens at `to`, ResourceExhausted when its queue is full, InvalidArgument
  // above kMessageBytesMax.
  virtual Status send(std::string_view from, std::string_view to, std::string bytes) = 0;

  static constexpr std::size_t kMessageBytesMax = 64U << 20;
};

struct TransportLimits {
  std::size_t queue_messages_max = 65'536;
  std::size_t queue_bytes_max = 256U << 20;
  int messages_per_step = 64;
};

namespace internal {
class Endpoint;
class EndpointTable {
 public:
  EndpointTable(WorkerPool& pool, TransportLimits limits) : pool_(pool), limits_(limits) {}
  ~EndpointTable();
  Status listen(std::string name, MessageHandler handler);
  void close(std::string_view name);
  void close_all();
  // The endpoint `to` with room taken in its mailbox for a message of `bytes`.
  Result<std::shared_ptr<Endpoint>> take_room(std::string_view to, std::size_t bytes) const;

 private:
  [[nodiscard]] std::shared_ptr<Endpoint> find(std::string_view name) const;

  WorkerPool& pool_;
  const TransportLimits limits_;
  mutable Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Endpoint>> endpoints_ CLP_GUARDED_BY(mutex_);
};
}  // namespace internal

// Within one process: each endpoint is a steppable of `pool` with a bounded
// mailbox. Destroy it before the pool, or after the pool's shutdown.
class InProcessTransport final : public Transport {
 public:
  explicit InProcessTransport(WorkerPool& pool, TransportLimits limits = {});
  ~InProcessTransport() override;

  Status listen(std::string endpoint, MessageHandler handler) override;
  void close(std::string_view endpoint) override;
  Status send(std::string_view from, std::string_view to, std::string bytes) override;

 private:
  internal::EndpointTable endpoints_;
};

// On a simulation: each message takes a random time, in order per pair; links
// can be cut. What is on its way when the receiver closes is lost without an
// error, as on a network.
class SimulatedTransport final : public Transport {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t delay_ns_max = 500'000;
    TransportLimits limits;
  };

  SimulatedTransport(WorkerPool& pool, Options options);
  ~SimulatedTransport() override;

  Status listen(std::string endpoint, MessageHandler handler) override;
  void close(std::string_view endpoint) override;
  Status send(std::string_view from, std::string_view to, std::string bytes) override;

  // While cut, send() between the two answers Unavailable, and what is on its
  // way is lost.
  void cut(std::string_view a, std::string_view b);
  void mend(std::string_view a, std::string_view b);

 private:
  struct Shared;
  WorkerPool& pool_;
  const Options options_;
  std::shared_ptr<Shared> shared_;  // Shared with the timers of messages on their way.
};

}  // namespace clepsydra
