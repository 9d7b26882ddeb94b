#include "taskmanager/task_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/checkpoint_storage.h"
#include "network/input_gate.h"
#include "operators/operator_chain.h"
#include "state/state_backend.h"
#include "taskmanager/source_driver.h"

namespace clepsydra {
namespace {

// Rows encoded in one step: some hundred microseconds beside a batch, about a millisecond alone.
constexpr std::int64_t kRowsBesideWork = 1024;
constexpr std::int64_t kRowsAlone = 4096;
// Where rows are large or slow there are fewer: from here on half as many in the next step. Twice
// as many as long as they took a quarter of it.
constexpr std::int64_t kStepBytes = 1 << 20;
constexpr std::int64_t kStepNs = 500'000;
// So much is encoded before an I/O thread gets it.
constexpr std::size_t kUploadBytes = 1 << 20;
// Of state that has no file to go into: with what it is added to, it travels in one message.
constexpr std::int64_t kInlineBytesMax = 32 << 20;
// Restoring reads every one of them.
constexpr std::size_t kChainFilesMax = 128;

TaskInFlightParts in_flight_parts(const TaskCheckpointParts& parts) {
  TaskInFlightParts out;
  out.task = parts.task;
  out.is_enabled = parts.options.overtakes;
  out.overtake_after_ms = parts.options.overtake_after_ms;
  out.inline_bytes_max = parts.options.inline_bytes_max;
  out.clock = parts.clock;
  out.files = parts.files;
  out.blocking_pool = parts.blocking_pool;
  out.pool = parts.pool;
  out.gate = parts.gate;
  out.inputs = parts.inputs;
  out.outputs = parts.outputs;
  return out;
}

}  // namespace

TaskCheckpoint::TaskCheckpoint(TaskCheckpointParts parts)
    : parts_(std::move(parts)), in_flight_(in_flight_parts(parts_)), chains_(parts_.states.size()) {
  if (parts_.gate == nullptr || parts_.gate->channels() == 0) return;
  aligner_.emplace(parts_.gate->channels(), parts_.options.exactly_once
                                                ? BarrierAligner::Mode::kExactlyOnce
                                                : BarrierAligner::Mode::kAtLeastOnce);
  if (!parts_.options.overtakes) return;
  parts_.gate->expect_overtaking();
  std::vector<bool> may_be_overtaken;
  for (int channel = 0; channel < parts_.gate->channels(); ++channel) {
    may_be_overtaken.push_back(parts_.gate->may_be_overtaken(channel));
  }
  overtaking_.emplace(may_be_overtaken);
}

TaskCheckpoint::~TaskCheckpoint() {
  abandon();
}

void TaskCheckpoint::trigger(TaskCheckpointOrder order) {
  give_up_before(order.id);
  // The rows of producers that have finished may be under way: that has to be aligned too.
  if (aligner_ && in_flight_.overtakes(order.kind)) {
    follow(overtaking_->on_trigger(order.id), -1);
  } else if (aligner_) {
    follow(aligner_->on_trigger(order.id), -1);
  } else {
    begin(std::move(order), 0);
  }
}

void TaskCheckpoint::take_barrier(int channel, const BarrierSignal& barrier) {
  give_up_before(barrier.checkpoint_id);
  if (in_flight_.overtakes(barrier.kind)) {
    follow(overtaking_->on_reached(channel, barrier.checkpoint_id), channel);
  } else {
    follow(aligner_->on_barrier(channel, barrier.checkpoint_id), channel);
  }
}

void TaskCheckpoint::end_of_channel(int channel) {
  follow(aligner_->on_end(channel), channel);
  if (overtaking_) follow(overtaking_->on_end(channel), channel);
}

void TaskCheckpoint::watch_channels() {
  // What the task was restored with comes first: it stands before every barrier.
  if (!overtaking_ || parts_.gate->is_recovering()) return;
  for (const InputGate::News& news : parts_.gate->take_news()) {
    if (!news.barrier) continue;
    give_up_before(news.barrier->checkpoint_id);
    follow(overtaking_->on_announced(news.barrier->checkpoint_id), news.channel);
  }
  if (overtaking_->aligning() != 0 && parts_.clock->monotonic_ns() >= overtakes_at_ns_) {
    follow(overtaking_->overtake(), -1);
  }
}

void TaskCheckpoint::give_up_before(CheckpointId id) {
  if (!parts_.options.overtakes) return;
  const auto give_up = [this](CheckpointId older) {
    decline(older, Status::cancelled("the barrier of a newer checkpoint came first"));
  };
  if (overtaking_) {
    while (aligner_->aligning() != 0 && aligner_->aligning() < id) {
      const CheckpointId older = aligner_->aligning();
      follow(aligner_->on_abort(older), -1);
      give_up(older);
    }
    if (const CheckpointId older = overtaking_->aligning(); older != 0 && older < id) {
      follow(overtaking_->on_abort(older), -1);
      give_up(older);
    }
  }
  if (in_flight_.is_gathering() && writing_ != nullptr && writing_->order.id < id) {
    give_up(writing_->order.id);
    abandon();
  }
  // Where the newer one was announced the gate has lost the place of the older one.
  if (!overtaking_) return;
  std::erase_if(begun_, [&](const Begun& begun) {
    const bool is_older = begun.order.id < id && in_flight_.overtakes(begun.order.kind);
    if (is_older) give_up(begun.order.id);
    return is_older;
  });
}

void TaskCheckpoint::follow(const BarrierAligner::Action& action, int channel) {
  const std::int64_t now_ns = parts_.clock->monotonic_ns();
  for (const CheckpointId id : action.given_up) {
    decline(id, Status::cancelled("the barrier of a newer checkpoint came first"));
  }
  if (action.release_all) parts_.gate->release_all();
  for (const CheckpointId id : action.aligned) {
    begin(id, id == aligning_ ? now_ns - aligning_since_ns_ : 0);
  }
  if (action.hold) parts_.gate->hold(channel);
  if (aligner_->aligning() != aligning_) {
    aligning_ = aligner_->aligning();
    aligning_since_ns_ = now_ns;
  }
}

void TaskCheckpoint::follow(const OvertakingAligner::Action& action, int channel) {
  const std::int64_t now_ns = parts_.clock->monotonic_ns();
  if (action.given_up != 0) {
    decline(action.given_up, Status::cancelled("the barrier of a newer checkpoint came first"));
  }
  if (action.release_all) parts_.gate->release_all();
  if (action.started != 0) {
    begin(action.started, action.started == aligning_ ? now_ns - aligning_since_ns_ : 0);
  }
  if (action.hold) parts_.gate->hold(channel);
  if (const CheckpointId aligning = overtaking_->aligning();
      aligning != 0 && aligning != aligning_) {
    aligning_ = aligning;
    aligning_since_ns_ = now_ns;
    const std::optional<TaskCheckpointOrder> order = parts_.orders->find(aligning);
    overtakes_at_ns_ = order ? in_flight_.overtakes_at_ns(order->timestamp_ms) : 0;
  }
}

void TaskCheckpoint::begin(CheckpointId id, std::int64_t alignment_ns) {
  std::optional<TaskCheckpointOrder> order = parts_.orders->find(id);
  if (!order) {
    return decline(id, Status::failed_precondition("its barrier came without an order"));
  }
  begin(*std::move(order), alignment_ns);
}

void TaskCheckpoint::begin(TaskCheckpointOrder order, std::int64_t alignment_ns) {
  if (!may_begin_) {
    return decline(order.id, Status::cancelled("the task has read all of its input and ends"));
  }
  begun_.push_back({.order = std::move(order),
                    .begun_ns = parts_.clock->monotonic_ns(),
                    .alignment_ns = alignment_ns,
                    .is_flushed = false});
}

void TaskCheckpoint::end(const CheckpointEndMail& mail) {
  if (given_up_.erase(mail.id) > 0 && mail.completed) is_behind_ = true;
  if (acknowledged_ && acknowledged_->id == mail.id) forget_acknowledged(mail.completed);
  if (mail.completed) return;
  if (parts_.local_copies != nullptr) parts_.local_copies->drop(parts_.task, mail.id);
  if (aligner_) follow(aligner_->on_abort(mail.id), -1);
  if (overtaking_) follow(overtaking_->on_abort(mail.id), -1);
  std::erase_if(begun_, [&](const Begun& begun) { return begun.order.id == mail.id; });
  if (waiting_barrier_ && waiting_barrier_->checkpoint_id == mail.id) waiting_barrier_.reset();
  if (writing_ != nullptr && writing_->order.id == mail.id) abandon();
}

bool TaskCheckpoint::overtakes_now() const {
  if (begun_.empty() || !in_flight_.overtakes(begun_.front().order.kind)) return false;
  return parts_.clock->monotonic_ns() >=
         in_flight_.overtakes_at_ns(begun_.front().order.timestamp_ms);
}

bool TaskCheckpoint::needs_input() const {
  return parts_.gate != nullptr && parts_.gate->has_ready();
}

std::int64_t TaskCheckpoint::wake_deadline_ns() const {
  std::int64_t wake_ns = in_flight_.wake_deadline_ns();
  const std::int64_t now_ns = parts_.clock->monotonic_ns();
  const auto consider = [&](std::int64_t at_ns) {
    // What is over waits for something else.
    if (at_ns > now_ns) wake_ns = std::min(wake_ns, at_ns);
  };
  if (overtaking_ && overtaking_->aligning() != 0) consider(overtakes_at_ns_);
  if (!begun_.empty() && in_flight_.overtakes(begun_.front().order.kind)) {
    consider(in_flight_.overtakes_at_ns(begun_.front().order.timestamp_ms));
  }
  return wake_ns;
}

Status TaskCheckpoint::flush() {
  begun_.front().is_flushed = true;
  return parts_.chain->flush();
}

Result<std::optional<BarrierSignal>> TaskCheckpoint::prepare(bool may_send) {
  CLP_CHECK(!begun_.empty() && writing_ == nullptr && !parts_.chain->has_pending());
  CLP_CHECK(!needs_flush());
  const Begun begun = std::move(begun_.front());
  begun_.pop_front();
  CLP_RETURN_IF_ERROR(parts_.chain->prepare_checkpoint());
  take_handed_over();
  freeze(begun);
  const BarrierSignal barrier{begun.order.id, begun.order.timestamp_ms, begun.order.kind};
  if (may_send) return std::optional<BarrierSignal>(barrier);
  waiting_barrier_ = barrier;
  return std::optional<BarrierSignal>();
}

void TaskCheckpoint::freeze(const Begun& begun) {
  // Nobody knows whether the one before completes: this one has its changes too.
  if (acknowledged_) {
    given_up_.insert(acknowledged_->id);
    forget_acknowledged(false);
  }
  writing_ = std::make_unique<Writing>();
  writing_->order = begun.order;
  writing_->snapshot.alignment_ns = begun.alignment_ns;
  for (std::size_t op = 0; op < parts_.states.size(); ++op) {
    if (parts_.states[op] == nullptr) continue;
    Result<std::unique_ptr<StateSnapshot>> frozen =
        parts_.states[op]->freeze(wants_base(op, begun.order));
    if (!frozen.is_ok()) {
      decline(begun.order.id, frozen.status().with_context("freezing state"));
      abandon();
      return;
    }
    Piece& piece = writing_->pieces.emplace_back();
    piece.op = static_cast<int>(op);
    piece.state = parts_.states[op];
    piece.snapshot = *std::move(frozen);
    piece.is_base = piece.snapshot->is_base();
    piece.outdated = piece.snapshot->outdated();
  }
  if (parts_.source != nullptr) writing_->splits = parts_.source->snapshot_splits();
  if (in_flight_.overtakes(begun.order.kind)) in_flight_.begin(begun.order);
  writing_->snapshot.frozen_ns = parts_.clock->monotonic_ns() - begun.begun_ns;
}

bool TaskCheckpoint::wants_base(std::size_t op, const TaskCheckpointOrder& order) const {
  const Chain& chain = chains_[op];
  if (order.folder.empty()) {
    std::int64_t bytes = 0;
    for (const Chain& of : chains_) {
      for (const StateFile& file : of) bytes += file.bytes;
    }
    if (bytes > kInlineBytesMax / 2) return true;
  }
  return is_behind_ || order.as_base || order.kind == CheckpointKind::kSavepoint ||
         !parts_.options.incremental || chain.empty() || chain.size() >= kChainFilesMax;
}

bool TaskCheckpoint::write(bool has_time) {
  if (writing_ == nullptr) return false;
  bool has_more = false;
  const auto write_some = [&]() -> Status {
    Writing& writing = *writing_;
    if (writing.next < writing.pieces.size()) {
      CLP_ASSIGN_OR_RETURN(const bool is_blocked, encode(writing.pieces[writing.next], has_time));
      if (writing.pieces[writing.next].snapshot == nullptr) ++writing.next;
      has_more = writing.next < writing.pieces.size() && !is_blocked;
    }
    CLP_ASSIGN_OR_RETURN(const bool has_all_files, collect_files());
    CLP_ASSIGN_OR_RETURN(const TaskInFlight::Progress in_flight, in_flight_.write(has_time));
    has_more = has_more || in_flight.has_more;
    CLP_RETURN_IF_ERROR(charge());
    if (writing.next == writing.pieces.size() && has_all_files && in_flight.is_complete) {
      acknowledge();
      has_more = false;
    }
    return Status::ok();
  };
  const Status written = write_some();
  if (written.is_ok()) return has_more;
  decline(writing_->order.id, written);
  abandon();
  return false;
}

bool TaskCheckpoint::reads_state() const {
  if (writing_ == nullptr || writing_->next >= writing_->pieces.size()) return false;
  const Piece& piece = writing_->pieces[writing_->next];
  return piece.upload == nullptr || piece.upload->has_room();
}

Result<bool> TaskCheckpoint::encode(Piece& piece, bool has_time) {
  if (piece.upload != nullptr && !piece.upload->has_room()) return true;
  // Memory comes back with what is being written.
  const bool waits = piece.upload != nullptr && piece.upload->waiting_bytes() > 0;
  if (waits && parts_.pool != nullptr && !parts_.pool->reserve(2 * kStepBytes).is_ok()) return true;
  const auto before = static_cast<std::int64_t>(piece.bytes.size());
  const std::int64_t begin_ns = parts_.clock->monotonic_ns();
  CLP_ASSIGN_OR_RETURN(
      const bool is_all,
      piece.snapshot->write_some(
          std::min(piece.rows_per_step, has_time ? kRowsAlone : kRowsBesideWork), piece.bytes));
  const auto bytes = static_cast<std::int64_t>(piece.bytes.size());
  const std::int64_t took_ns = parts_.clock->monotonic_ns() - begin_ns;
  if (bytes - before > kStepBytes || took_ns > kStepNs) {
    piece.rows_per_step = std::max<std::int64_t>(1, piece.rows_per_step / 2);
  } else if (bytes - before < kStepBytes / 4 && took_ns < kStepNs / 4) {
    piece.rows_per_step = std::min(kRowsAlone, piece.rows_per_step * 2);
  }
  if (writing_->order.folder.empty() && writing_->inline_bytes + bytes > kInlineBytesMax) {
    return Status::resource_exhausted(
        fmt::format("more than {} bytes of state cannot be kept in memory; set "
                    "'execution.checkpointing.dir' to a folder",
                    kInlineBytesMax));
  }
  if (!is_all) {
    if (piece.bytes.size() >= kUploadBytes && !writing_->order.folder.empty()) upload(piece);
    return false;
  }
  piece.snapshot.reset();
  put_away(piece);
  return false;
}

Status TaskCheckpoint::charge() {
  if (parts_.pool == nullptr) return Status::ok();
  std::int64_t bytes = in_flight_.encoded_bytes();
  for (const Piece& piece : writing_->pieces) {
    bytes += static_cast<std::int64_t>(piece.bytes.size());
    if (piece.file) bytes += static_cast<std::int64_t>(piece.file->inline_bytes.size());
    if (piece.upload != nullptr) bytes += piece.upload->waiting_bytes();
  }
  Status charged;
  if (bytes == 0) {
    encoded_.reset();
  } else if (encoded_.bytes() > 0) {
    charged = encoded_.resize(bytes);
  } else {
    Result<Reservation> reserved = parts_.pool->reserve(bytes);
    charged = reserved.status();
    if (reserved.is_ok()) encoded_ = *std::move(reserved);
  }
  return charged.with_context("keeping what is encoded of a checkpoint");
}

void TaskCheckpoint::put_away(Piece& piece) {
  if (piece.upload == nullptr) {
    if (piece.bytes.empty()) return;  // Nothing, or nothing new.
    const auto bytes = static_cast<std::int64_t>(piece.bytes.size());
    if (writing_->order.folder.empty() || bytes <= parts_.options.inline_bytes_max) {
      piece.written_bytes = bytes;
      writing_->inline_bytes += bytes;
      piece.file = inline_state(std::move(piece.bytes));
      return;
    }
  }
  upload(piece);
  piece.upload->finish();
}

void TaskCheckpoint::upload(Piece& piece) {
  if (piece.upload == nullptr) {
    const TaskCheckpointOrder& order = writing_->order;
    const TaskId& task = parts_.task;
    piece.upload = std::make_shared<StateUpload>(
        *parts_.files, *parts_.blocking_pool, order.folder,
        state_file_path(order.id, order.kind, parts_.options.incremental, task.attempt, task.vertex,
                        task.subtask, piece.op),
        waker_,
        // Savepoints are kept by people, and elsewhere.
        LocalCopyTarget{order.kind == CheckpointKind::kCheckpoint ? parts_.local_copies : nullptr,
                        task});
  }
  piece.written_bytes += static_cast<std::int64_t>(piece.bytes.size());
  piece.upload->append(std::exchange(piece.bytes, {}));
}

Result<bool> TaskCheckpoint::collect_files() {
  bool has_all = true;
  for (Piece& piece : writing_->pieces) {
    if (piece.upload == nullptr || piece.file) continue;
    std::optional<Result<StateFile>> result = piece.upload->take_result();
    if (!result) {
      has_all = false;
      continue;
    }
    CLP_ASSIGN_OR_RETURN(piece.file, *std::move(result));
  }
  return has_all;
}

void TaskCheckpoint::acknowledge() {
  const std::unique_ptr<Writing> writing = std::move(writing_);
  encoded_.reset();
  const CheckpointId id = writing->order.id;
  std::vector<OperatorSnapshot> operators(
      std::max<std::size_t>(1, static_cast<std::size_t>(parts_.chain->size())));
  Acknowledged acknowledged{.id = id, .states = {}, .chains = chains_};
  for (Piece& piece : writing->pieces) {
    const auto op = static_cast<std::size_t>(piece.op);
    Chain& chain = acknowledged.chains[op];
    const std::size_t outdated = piece.is_base ? chain.size() : piece.outdated;
    CLP_CHECK(outdated <= chain.size());
    chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outdated));
    if (piece.file) chain.push_back(*std::move(piece.file));
    operators[op].files = chain;
    acknowledged.states.push_back(piece.state);
    writing->snapshot.written_bytes += piece.written_bytes;
  }
  writing->snapshot.in_flight = in_flight_.take_files(writing->snapshot.written_bytes);
  operators[0].splits = std::move(writing->splits);
  for (OperatorCommittables& prepared : std::exchange(prepared_, {})) {
    std::vector<std::string>& out = operators[static_cast<std::size_t>(prepared.op)].committables;
    for (std::string& committable : prepared.committables) out.push_back(std::move(committable));
  }
  for (std::size_t op = 0; op < operators.size(); ++op) {
    operators[op].op = static_cast<int>(op);
    const OperatorSnapshot& snapshot = operators[op];
    if (snapshot.files.empty() && snapshot.committables.empty() && snapshot.splits.empty())
      continue;
    writing->snapshot.operators.push_back(std::move(operators[op]));
  }
  acknowledged_ = std::move(acknowledged);
  // What is in a savepoint belongs to the user: nothing is added to it.
  if (writing->order.kind == CheckpointKind::kSavepoint) forget_acknowledged(false);
  parts_.events->checkpoint_acknowledged(parts_.task, id, writing->snapshot);
}

void TaskCheckpoint::forget_acknowledged(bool completed) {
  for (KeyedStateBackend* state : acknowledged_->states) state->confirm(completed);
  if (completed) {
    chains_ = std::move(acknowledged_->chains);
    is_behind_ = false;
    confirm_local_copies(acknowledged_->id);
  }
  acknowledged_.reset();
}

void TaskCheckpoint::confirm_local_copies(CheckpointId id) {
  if (parts_.local_copies == nullptr) return;
  std::vector<std::string> paths;
  for (const Chain& chain : chains_) {
    for (const StateFile& file : chain) {
      if (!file.path.empty()) paths.push_back(file.path);
    }
  }
  parts_.local_copies->confirm(parts_.task, id, paths);
}

void TaskCheckpoint::abandon() {
  if (writing_ == nullptr) return;
  encoded_.reset();
  in_flight_.abandon();
  for (Piece& piece : writing_->pieces) {
    if (piece.upload != nullptr) piece.upload->abandon();
    if (piece.snapshot == nullptr) piece.state->confirm(false);
  }
  writing_.reset();
}

void TaskCheckpoint::decline(CheckpointId id, const Status& reason) {
  parts_.events->checkpoint_declined(parts_.task, id, reason);
}

void TaskCheckpoint::take_handed_over() {
  for (OperatorCommittables& committables : std::exchange(*parts_.handed_over, {})) {
    prepared_.push_back(std::move(committables));
  }
}

std::vector<OperatorCommittables> TaskCheckpoint::take_committables() {
  take_handed_over();
  return std::exchange(prepared_, {});
}

}  // namespace clepsydra
