#include "network/output_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

// From so many rows or bytes on, handing a batch over costs less than copying its rows.
constexpr std::int64_t kWholeRowsMin = 512;
constexpr std::int64_t kWholeBytesMin = 64 << 10;

}  // namespace

OutputGate::OutputGate(OutputGateOptions options,
                       std::vector<std::shared_ptr<LocalChannel>> channels)
    : options_(std::move(options)),
      partitioner_(options_.routing, static_cast<int>(channels.size())),
      channels_(channels.size()) {
  CLP_CHECK(options_.rows_max >= 1 && options_.bytes_max >= 1);
  for (std::size_t i = 0; i < channels.size(); ++i) channels_[i].channel = std::move(channels[i]);
}

OutputGate::~OutputGate() = default;

Status OutputGate::emit(const Batch& batch) {
  if (batch.empty()) return Status::ok();
  if (batch.rows() == 0) {
    for (OpenChannel& channel : channels_) append_marks(channel, batch);
    return Status::ok();
  }
  if (partitioner_.splits_rows()) {
    const std::span<const std::vector<std::int32_t>> rows = partitioner_.split(batch);
    const std::int64_t bytes = batch.own_bytes();
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      CLP_RETURN_IF_ERROR(append(channels_[i], batch, rows[i], bytes));
    }
    return Status::ok();
  }
  const int target = partitioner_.next_channel();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (target == Partitioner::kEveryChannel || target == static_cast<int>(i)) {
      CLP_RETURN_IF_ERROR(emit_whole(channels_[i], batch));
    } else {
      append_marks(channels_[i], batch);
    }
  }
  return Status::ok();
}

Status OutputGate::emit_whole(OpenChannel& channel, const Batch& batch) {
  const bool consumer_waits = channel.backlog.empty() && channel.channel->is_empty();
  const std::int64_t bytes = batch.own_bytes();
  const bool is_large =
      batch.rows() >= std::min(kWholeRowsMin, options_.rows_max) || bytes >= kWholeBytesMin;
  if (!is_large && (channel.is_open() || !consumer_waits)) {
    return append(channel, batch, all_rows(batch.rows()), bytes);
  }
  CLP_RETURN_IF_ERROR(hand_over(channel));
  CLP_ASSIGN_OR_RETURN(Batch compact, batch.compact_if_wasteful(*options_.pool));
  return enqueue(channel, std::move(compact));
}

Status OutputGate::append(OpenChannel& channel, const Batch& batch,
                          std::span<const std::int32_t> rows, std::int64_t bytes) {
  const std::int64_t row_bytes = std::max<std::int64_t>(1, bytes / batch.rows());
  std::size_t next_mark = 0;
  while (!rows.empty() || next_mark < batch.marks().size()) {
    if (!channel.rows) channel.rows.emplace(options_.schema, *options_.pool);
    const std::int64_t open_rows = channel.open_rows();
    const std::int64_t bytes_left = options_.bytes_max - channel.rows->bytes();
    const std::int64_t take =
        std::min({static_cast<std::int64_t>(rows.size()), options_.rows_max - open_rows,
                  std::max<std::int64_t>(1, bytes_left / row_bytes)});
    const std::span<const std::int32_t> piece = rows.first(static_cast<std::size_t>(take));
    // The marks that stand before the first row after the piece; with the last piece all the rest.
    const bool is_last = piece.size() == rows.size();
    auto place = piece.begin();
    for (; next_mark < batch.marks().size(); ++next_mark) {
      const Mark& mark = batch.marks()[next_mark];
      if (!is_last && mark.row > rows[piece.size()]) break;
      place = std::lower_bound(place, piece.end(), mark.row);
      add_mark(channel.marks, open_rows + (place - piece.begin()), mark.watermark);
    }
    channel.rows->append_rows(batch, piece);
    rows = rows.subspan(piece.size());
    if (channel.open_rows() >= options_.rows_max || channel.rows->bytes() >= options_.bytes_max) {
      CLP_RETURN_IF_ERROR(hand_over(channel));
    }
  }
  return Status::ok();
}

void OutputGate::append_marks(OpenChannel& channel, const Batch& batch) {
  if (batch.marks().empty()) return;
  // None of the batch's rows stands between them here: the last says it all.
  add_mark(channel.marks, channel.open_rows(), batch.marks().back().watermark);
}

void OutputGate::add_mark(std::vector<Mark>& marks, std::int64_t row, std::int64_t watermark) {
  if (!marks.empty() && marks.back().row == row) marks.pop_back();
  marks.push_back({static_cast<std::int32_t>(row), watermark});
}

std::span<const std::int32_t> OutputGate::all_rows(std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  if (all_rows_.size() < size) {
    all_rows_.resize(size);
    std::iota(all_rows_.begin(), all_rows_.end(), 0);
  }
  return std::span(all_rows_).first(size);
}

Status OutputGate::hand_over(OpenChannel& channel) {
  if (!channel.is_open()) return Status::ok();
  std::vector<Mark> marks = std::exchange(channel.marks, {});
  if (channel.open_rows() == 0) {
    push(channel, Signal(WatermarkSignal{marks.back().watermark}), 0);
    return Status::ok();
  }
  CLP_ASSIGN_OR_RETURN(const Batch batch, channel.rows->finish());
  return enqueue(channel, marks.empty() ? batch : batch.with_marks(std::move(marks)));
}

Status OutputGate::enqueue(OpenChannel& channel, Batch batch) {
  const std::int64_t bytes = batch.own_bytes();
  if (bytes > options_.bytes_max) {
    if (batch.rows() == 1) {
      return Status::resource_exhausted(
          fmt::format("a row of {} bytes is larger than 'clepsydra.batch.bytes-max' = {} bytes",
                      bytes, options_.bytes_max));
    }
    const std::int64_t half = batch.rows() / 2;
    CLP_ASSIGN_OR_RETURN(Batch first, batch.slice(0, half, *options_.pool));
    CLP_ASSIGN_OR_RETURN(Batch second, batch.slice(half, batch.rows() - half, *options_.pool));
    CLP_RETURN_IF_ERROR(enqueue(channel, std::move(first)));
    return enqueue(channel, std::move(second));
  }
  push(channel, std::move(batch), bytes);
  return Status::ok();
}

void OutputGate::push(OpenChannel& channel, StreamElement element, std::int64_t bytes) {
  if (channel.backlog.empty() && channel.channel->try_push(element, bytes)) return;
  channel.backlog.push_back({std::move(element), bytes});
}

Status OutputGate::send(const Signal& signal) {
  for (OpenChannel& channel : channels_) {
    CLP_RETURN_IF_ERROR(hand_over(channel));
    push(channel, signal, 0);
  }
  return Status::ok();
}

Status OutputGate::send_overtaking(const BarrierSignal& barrier) {
  for (OpenChannel& channel : channels_) {
    CLP_RETURN_IF_ERROR(hand_over(channel));
    channel.barrier.reset();  // An older one will not complete any more.
    if (channel.backlog.empty()) {
      channel.channel->announce(barrier);
    } else {
      channel.barrier = {barrier, channel.backlog.size()};
    }
  }
  return Status::ok();
}

bool OutputGate::has_waiting_barrier() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const OpenChannel& channel) { return channel.barrier.has_value(); });
}

void OutputGate::overtake() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    OpenChannel& channel = channels_[i];
    if (!channel.barrier) continue;
    Overtaken& overtaken = overtaken_.emplace_back();
    overtaken.channel = static_cast<int>(i);
    for (std::size_t at = 0; at < channel.barrier->behind; ++at) {
      const StreamElement& element = channel.backlog[at].element;
      // That of a savepoint which may not overtake, and has been given up since, is not of those.
      if (as_signal<BarrierSignal>(element) == nullptr) overtaken.elements.push_back(element);
    }
    channel.channel->announce(channel.barrier->barrier);
    channel.barrier.reset();
  }
}

std::vector<OutputGate::Overtaken> OutputGate::take_overtaken() {
  return std::exchange(overtaken_, {});
}

void OutputGate::drop_barrier() {
  for (OpenChannel& channel : channels_) channel.barrier.reset();
  overtaken_.clear();
}

bool OutputGate::make_room() {
  bool has_room = true;
  for (OpenChannel& channel : channels_) {
    while (!channel.backlog.empty() && channel.channel->try_push(channel.backlog.front().element,
                                                                 channel.backlog.front().bytes)) {
      channel.backlog.pop_front();
      if (channel.barrier && --channel.barrier->behind == 0) {
        channel.channel->announce(channel.barrier->barrier);
        channel.barrier.reset();
      }
    }
    has_room = has_room && channel.backlog.empty() && channel.channel->has_room();
  }
  return has_room;
}

Status OutputGate::end_step() {
  for (OpenChannel& channel : channels_) {
    if (channel.is_open() && channel.backlog.empty() && channel.channel->is_empty()) {
      CLP_RETURN_IF_ERROR(hand_over(channel));
    }
  }
  return Status::ok();
}

bool OutputGate::prepare_to_wait() {
  bool may_wait = true;
  for (OpenChannel& channel : channels_) {
    if (!channel.backlog.empty() || !channel.channel->has_room()) {
      // Half a ring may be less than the next element needs.
      const bool is_large = !channel.backlog.empty() &&
                            channel.backlog.front().bytes > channel.channel->bytes_max() / 2;
      may_wait =
          (is_large ? channel.channel->wake_when_empty() : channel.channel->wake_when_room()) &&
          may_wait;
    } else if (channel.is_open()) {
      may_wait = channel.channel->wake_when_empty() && may_wait;
    }
  }
  return may_wait;
}

bool OutputGate::is_drained() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const OpenChannel& channel) {
    return channel.backlog.empty() && !channel.is_open();
  });
}

std::int64_t OutputGate::backlog_bytes() const {
  std::int64_t bytes = 0;
  for (const OpenChannel& channel : channels_) {
    for (const OpenChannel::Waiting& waiting : channel.backlog) bytes += waiting.bytes;
  }
  return bytes;
}

}  // namespace clepsydra
