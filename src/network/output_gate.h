// Where a task's results leave it: one gate per outgoing edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "clepsydra/status.h"
#include "network/local_channel.h"
#include "network/partitioner.h"
#include "stream/batch.h"
#include "stream/stream_element.h"

namespace clepsydra {

class MemoryPool;

struct OutputGateOptions {
  Routing routing;
  SchemaPtr schema;
  std::int64_t rows_max = 4096;
  // Of an open batch, and the largest element that may enter a channel.
  std::int64_t bytes_max = 16 << 20;
  MemoryPool* pool = nullptr;  // Outlives the gate and what it sends.
};

// Each channel has one open batch. Rows are appended to it while the consumer still has elements to
// take; it is handed over when the consumer has none, at rows_max rows or bytes_max bytes, or
// before a signal. So batches are small and immediate when there is little to do and grow under
// load, and nothing waits for a batch to fill. Large batches that go to one channel as a whole are
// handed over themselves. Marks go to every channel, at their place among its rows.
//
// emit() never blocks: what finds no room waits in a backlog that one step's results bound, since
// the task takes no input while has_room() is false.
//
// Threads: the task's.
class OutputGate {
 public:
  // At least one channel.
  OutputGate(OutputGateOptions options, std::vector<std::shared_ptr<LocalChannel>> channels);
  ~OutputGate();

  // ResourceExhausted for a row larger than bytes_max.
  Status emit(const Batch& batch);
  // To every channel, after all that was emitted.
  Status send(const Signal& signal);

  // A barrier that may overtake: it stands behind all that was emitted, and its consumers hear of
  // it when it has left the backlog, or at overtake().
  Status send_overtaking(const BarrierSignal& barrier);
  // Such a barrier waits in a backlog.
  [[nodiscard]] bool has_waiting_barrier() const;
  // It goes before the backlog. What stood before it is kept for take_overtaken(), and goes its way
  // all the same.
  void overtake();
  struct Overtaken {
    int channel = 0;
    std::vector<StreamElement> elements;
  };
  std::vector<Overtaken> take_overtaken();
  // Nobody wants it any more.
  void drop_barrier();

  // At the beginning of a step: backlogs enter channels that have room again. True: every channel
  // has room.
  bool make_room();
  // At the end of a step: hands over open batches whose consumer has nothing to do.
  Status end_step();
  // Before the task sleeps: asks to be woken when channels without room have some, and when
  // consumers of open batches have nothing to do. False: something of that is so already, step
  // again.
  bool prepare_to_wait();
  // Everything emitted is in the channels.
  [[nodiscard]] bool is_drained() const;
  // What waits for room in the channels.
  [[nodiscard]] std::int64_t backlog_bytes() const;

 private:
  struct OpenChannel {
    std::shared_ptr<LocalChannel> channel;
    std::optional<BatchBuilder> rows;  // Made at the first row.
    std::vector<Mark> marks;           // Of the open batch.
    struct Waiting {
      StreamElement element;
      std::int64_t bytes;
    };
    std::deque<Waiting> backlog;
    // A barrier that may overtake stands behind so many elements of the backlog.
    struct WaitingBarrier {
      BarrierSignal barrier;
      std::size_t behind = 0;
    };
    std::optional<WaitingBarrier> barrier;

    [[nodiscard]] std::int64_t open_rows() const { return rows ? rows->rows() : 0; }
    [[nodiscard]] bool is_open() const { return open_rows() > 0 || !marks.empty(); }
  };

  Status emit_whole(OpenChannel& channel, const Batch& batch);
  // Rows of `batch` (of `bytes` bytes) at `rows`, in pieces that keep to the limits, and all its
  // marks.
  Status append(OpenChannel& channel, const Batch& batch, std::span<const std::int32_t> rows,
                std::int64_t bytes);
  // Marks of rows that went elsewhere.
  static void append_marks(OpenChannel& channel, const Batch& batch);
  Status hand_over(OpenChannel& channel);
  Status enqueue(OpenChannel& channel, Batch batch);
  static void push(OpenChannel& channel, StreamElement element, std::int64_t bytes);
  static void add_mark(std::vector<Mark>& marks, std::int64_t row, std::int64_t watermark);
  std::span<const std::int32_t> all_rows(std::int64_t count);

  const OutputGateOptions options_;
  Partitioner partitioner_;
  std::vector<OpenChannel> channels_;
  std::vector<Overtaken> overtaken_;
  std::vector<std::int32_t> all_rows_;  // 0, 1, 2, ...
};

}  // namespace clepsydra
