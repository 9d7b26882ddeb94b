#include "taskmanager/task_in_flight.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/checkpoint_storage.h"
#include "network/input_gate.h"
#include "network/output_gate.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kBytesBesideWork = 64 << 10;
constexpr std::int64_t kBytesAlone = 256 << 10;
constexpr std::size_t kUploadBytes = 1 << 20;
// Without a folder it travels in one message.
constexpr std::int64_t kInlineBytesMax = 32 << 20;

}  // namespace

std::int64_t TaskInFlight::overtakes_at_ns(std::int64_t timestamp_ms) const {
  if (parts_.overtake_after_ms == 0) return 0;
  return parts_.clock->monotonic_ns_at(timestamp_ms + parts_.overtake_after_ms);
}

void TaskInFlight::begin(const TaskCheckpointOrder& order) {
  CLP_CHECK(!order_ && pieces_.empty());
  order_ = order;
  has_sent_ = false;
  has_gathered_ = false;
  if (parts_.gate != nullptr) parts_.gate->start_recording(order.id);
}

Status TaskInFlight::send(const BarrierSignal& barrier) {
  const bool may_overtake = overtakes(barrier.kind);
  for (const TaskInFlightParts::OutputEnd& output : parts_.outputs) {
    CLP_RETURN_IF_ERROR(may_overtake && output.may_be_overtaken
                            ? output.gate->send_overtaking(barrier)
                            : output.gate->send(barrier));
  }
  if (!order_ || order_->id != barrier.checkpoint_id) return Status::ok();
  has_sent_ = true;
  overtake();
  return Status::ok();
}

bool TaskInFlight::has_waiting_barrier() const {
  return std::any_of(parts_.outputs.begin(), parts_.outputs.end(),
                     [](const auto& output) { return output.gate->has_waiting_barrier(); });
}

void TaskInFlight::overtake() {
  if (parts_.clock->monotonic_ns() < overtakes_at_ns(order_->timestamp_ms)) return;
  for (const TaskInFlightParts::OutputEnd& output : parts_.outputs) output.gate->overtake();
}

std::int64_t TaskInFlight::wake_deadline_ns() const {
  const bool waits = is_gathering() && has_sent_ && has_waiting_barrier();
  return waits ? overtakes_at_ns(order_->timestamp_ms) : Steppable::kNever;
}

Result<bool> TaskInFlight::gather() {
  if (parts_.gate != nullptr && parts_.gate->recorded_bytes() > kBytesMax) {
    return Status::resource_exhausted(fmt::format(
        "more than {} bytes are in flight to it before the last barrier has come", kBytesMax));
  }
  if (!has_sent_) return false;
  overtake();
  if (has_waiting_barrier()) return false;
  if (parts_.gate != nullptr && !parts_.gate->has_recorded()) return false;
  if (parts_.gate != nullptr) {
    std::vector<InFlightChannel> recorded = parts_.gate->take_recorded();
    std::map<int, std::vector<InFlightOf>> by_edge;
    for (std::size_t c = 0; c < recorded.size(); ++c) {
      const TaskInFlightParts::InputEnd& end = parts_.inputs[c];
      by_edge[end.edge].push_back({end.producer, std::move(recorded[c])});
    }
    for (std::size_t c = 0; c < recorded.size(); ++c) {
      const TaskInFlightParts::InputEnd& end = parts_.inputs[c];
      const auto found = by_edge.find(end.edge);
      if (found == by_edge.end()) continue;
      add_piece(end.edge, false, end.schema, std::move(found->second));
      by_edge.erase(found);
    }
  }
  for (const TaskInFlightParts::OutputEnd& output : parts_.outputs) {
    std::vector<InFlightOf> channels;
    for (OutputGate::Overtaken& overtaken : output.gate->take_overtaken()) {
      channels.push_back({output.first_consumer + overtaken.channel,
                          {.has_spoken = true, .elements = std::move(overtaken.elements)}});
    }
    if (!channels.empty()) add_piece(output.edge, true, output.schema, std::move(channels));
  }
  std::sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) {
    return std::pair(a.file.edge, a.file.is_output) < std::pair(b.file.edge, b.file.is_output);
  });
  return true;
}

void TaskInFlight::add_piece(int edge, bool is_output, const SchemaPtr& schema,
                             std::vector<InFlightOf> channels) {
  Piece& piece = pieces_.emplace_back();
  piece.file.edge = edge;
  piece.file.is_output = is_output;
  piece.encoder = std::make_unique<InFlightEncoder>(schema, std::move(channels), *parts_.pool);
  piece.file.rows = piece.encoder->rows();
}

Result<TaskInFlight::Progress> TaskInFlight::write(bool has_time) {
  if (!order_) return Progress{.is_complete = true};
  if (!has_gathered_) {
    CLP_ASSIGN_OR_RETURN(has_gathered_, gather());
    if (!has_gathered_) return Progress{};
  }
  Progress progress;
  if (next_ < pieces_.size()) {
    CLP_ASSIGN_OR_RETURN(progress.has_more, encode(pieces_[next_], has_time));
    if (pieces_[next_].encoder == nullptr) ++next_;
    progress.has_more = progress.has_more && next_ < pieces_.size();
  }
  progress.is_complete = next_ == pieces_.size();
  for (Piece& piece : pieces_) {
    if (piece.is_there || piece.upload == nullptr) {
      progress.is_complete = progress.is_complete && piece.is_there;
      continue;
    }
    std::optional<Result<StateFile>> result = piece.upload->take_result();
    if (!result) {
      progress.is_complete = false;
      continue;
    }
    CLP_ASSIGN_OR_RETURN(piece.file.file, *std::move(result));
    piece.is_there = true;
  }
  return progress;
}

Result<bool> TaskInFlight::encode(Piece& piece, bool has_time) {
  if (piece.upload != nullptr && !piece.upload->has_room()) return false;
  CLP_ASSIGN_OR_RETURN(
      const bool is_all,
      piece.encoder->encode_some(has_time ? kBytesAlone : kBytesBesideWork, piece.bytes));
  const auto bytes = static_cast<std::int64_t>(piece.bytes.size());
  if (order_->folder.empty() && bytes > kInlineBytesMax) {
    return Status::resource_exhausted(
        fmt::format("more than {} bytes in flight cannot be kept in memory; set "
                    "'execution.checkpointing.dir' to a folder",
                    kInlineBytesMax));
  }
  if (!is_all) {
    if (piece.bytes.size() >= kUploadBytes && !order_->folder.empty()) upload(piece);
    return true;
  }
  piece.encoder.reset();
  const bool is_small = order_->folder.empty() || bytes <= parts_.inline_bytes_max;
  if (piece.upload == nullptr && is_small) {
    piece.written_bytes = bytes;
    piece.file.file = inline_state(std::move(piece.bytes));
    piece.is_there = true;
  } else {
    upload(piece);
    piece.upload->finish();
  }
  return true;
}

void TaskInFlight::upload(Piece& piece) {
  if (piece.upload == nullptr) {
    const TaskId& task = parts_.task;
    piece.upload = std::make_shared<StateUpload>(
        *parts_.files, *parts_.blocking_pool, order_->folder,
        in_flight_file_path(order_->id, task.attempt, task.vertex, task.subtask, piece.file.edge,
                            piece.file.is_output),
        waker_);
  }
  piece.written_bytes += static_cast<std::int64_t>(piece.bytes.size());
  piece.upload->append(std::exchange(piece.bytes, {}));
}

std::int64_t TaskInFlight::encoded_bytes() const {
  std::int64_t bytes = 0;
  for (const Piece& piece : pieces_) {
    bytes += static_cast<std::int64_t>(piece.bytes.size() + piece.file.file.inline_bytes.size());
    if (piece.upload != nullptr) bytes += piece.upload->waiting_bytes();
  }
  return bytes;
}

std::vector<InFlightFile> TaskInFlight::take_files(std::int64_t& written_bytes) {
  std::vector<InFlightFile> files;
  for (Piece& piece : pieces_) {
    CLP_CHECK(piece.is_there);
    written_bytes += piece.written_bytes;
    files.push_back(std::move(piece.file));
  }
  pieces_.clear();
  next_ = 0;
  order_.reset();
  return files;
}

void TaskInFlight::abandon() {
  if (!order_) return;
  if (parts_.gate != nullptr) parts_.gate->stop_recording();
  for (const TaskInFlightParts::OutputEnd& output : parts_.outputs) output.gate->drop_barrier();
  for (Piece& piece : pieces_) {
    if (piece.upload != nullptr) piece.upload->abandon();
  }
  pieces_.clear();
  next_ = 0;
  order_.reset();
}

}  // namespace clepsydra
