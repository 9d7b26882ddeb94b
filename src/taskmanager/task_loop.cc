#include "taskmanager/task_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/memory_pool.h"
#include "state/state_backend.h"
#include "stream/stream_element.h"

namespace clepsydra {

namespace {

TaskCheckpointParts checkpoint_parts(TaskParts& parts) {
  TaskCheckpointParts of_checkpoint;
  of_checkpoint.task = parts.id;
  of_checkpoint.options = parts.checkpoint_options;
  of_checkpoint.clock = parts.clock;
  of_checkpoint.events = parts.events;
  of_checkpoint.files = parts.files;
  of_checkpoint.blocking_pool = parts.blocking_pool;
  of_checkpoint.local_copies = parts.local_copies;
  of_checkpoint.orders = parts.checkpoint_orders;
  of_checkpoint.chain = parts.chain.get();
  for (const auto& state : parts.states) of_checkpoint.states.push_back(state.get());
  of_checkpoint.gate = parts.gate;
  of_checkpoint.source = parts.source;
  of_checkpoint.handed_over = parts.committables.get();
  of_checkpoint.pool = parts.pools.empty() ? nullptr : parts.pools[0].get();
  of_checkpoint.inputs = parts.input_ends;
  for (std::size_t i = 0; i < parts.outputs.size(); ++i) {
    TaskInFlightParts::OutputEnd& output = of_checkpoint.outputs.emplace_back();
    if (i < parts.output_ends.size()) output = parts.output_ends[i];
    output.gate = &parts.outputs[i]->gate();
  }
  return of_checkpoint;
}

}  // namespace

Task::Task(TaskParts parts)
    : parts_(std::move(parts)),
      checkpoint_(checkpoint_parts(parts_)),
      metrics_(static_cast<std::size_t>(parts_.chain->size())),
      last_ns_(parts_.clock->monotonic_ns()) {}

Task::~Task() = default;

// NOLINTNEXTLINE(performance-unnecessary-value-param): the task may end before this does.
void Task::start(Waker waker) {
  parts_.mailbox->set_waker(waker);
  waker_ = waker;
  checkpoint_.set_waker(waker);
  for (const auto& sender : parts_.senders) sender->set_waker(waker);
  // The task may end and be destroyed as soon as it is seen to be started.
  started_.store(true, std::memory_order_release);
  waker.wake();
}

StepResult Task::step() {
  wake_deadline_ns_ = kNever;
  if (phase_ == TaskPhase::kCreated) move_to(TaskPhase::kDeploying);
  if (!started_.load(std::memory_order_acquire)) return StepResult::kBlocked;
  if (aside_ != nullptr && !aside_->is_done()) return StepResult::kBlocked;
  if (phase_ == TaskPhase::kDeploying) move_to(TaskPhase::kRunning);
  account_time(Waiting::kNothing);

  Status status = aside_ != nullptr ? aside_->status() : Status::ok();
  aside_.reset();
  if (status.is_ok()) status = read_mail();
  if (phase_ == TaskPhase::kCanceling) return end(TaskPhase::kCanceled, Status::ok());
  const Result<StepResult> result = status.is_ok() ? run() : Result<StepResult>(status);
  if (aside_ != nullptr) return StepResult::kBlocked;
  if (!result.is_ok()) return end(TaskPhase::kFailed, result.status());
  if (*result == StepResult::kDone) return end(TaskPhase::kFinished, Status::ok());

  if (*result == StepResult::kBlocked) account_time(next_waiting_);
  has_unpublished_ = true;
  if (last_ns_ - published_ns_ >= kPublishEveryNs) {
    published_ns_ = last_ns_;
    has_unpublished_ = false;
    metrics_.publish(collect_metrics());
  }
  if (*result == StepResult::kBlocked) wake_deadline_ns_ = next_wake_ns();
  return *result;
}

Status Task::read_mail() {
  // What came behind a trigger is read when the checkpoint has been taken.
  std::optional<Mail> mail = parts_.mailbox->take(!checkpoint_.is_preparing());
  if (!mail) return Status::ok();
  if (mail->cancel) {
    move_to(TaskPhase::kCanceling);
    return Status::ok();
  }
  for (const CheckpointEndMail& ended : mail->ended_checkpoints) checkpoint_.end(ended);
  if (parts_.source != nullptr && mail->alignment_limit) {
    parts_.source->set_alignment_limit(*mail->alignment_limit);
  }
  for (auto& item : mail->in_order) {
    if (auto* order = std::get_if<TaskCheckpointOrder>(&item)) {
      checkpoint_.trigger(std::move(*order));
    } else if (const auto& answer = std::get<SplitsMail>(item); parts_.source != nullptr) {
      CLP_RETURN_IF_ERROR(parts_.source->add_splits(answer.splits, answer.no_more_splits));
    }
  }
  return Status::ok();
}

bool Task::may_block() const {
  return std::any_of(parts_.states.begin(), parts_.states.end(),
                     [](const auto& state) { return state != nullptr && state->may_block(); });
}

template <typename Piece>
Result<StepResult> Task::work(Piece piece) {
  if (may_block()) {
    const bool is_aside = work_aside([this, piece]() mutable -> Status {
      write_beside_work();
      return work_measured(piece);
    });
    if (is_aside) return StepResult::kBlocked;
  }
  CLP_RETURN_IF_ERROR(work_measured(piece));
  return StepResult::kProgress;
}

template <typename Piece>
Status Task::work_measured(Piece& piece) {
  const std::int64_t begin_ns = parts_.clock->monotonic_ns();
  CLP_RETURN_IF_ERROR(piece());
  CLP_RETURN_IF_ERROR(end_step());
  worked_ns_ = parts_.clock->monotonic_ns() - begin_ns;
  return Status::ok();
}

void Task::write_beside_work() {
  if (!checkpoint_.is_writing()) return;
  const std::int64_t begin_ns = parts_.clock->monotonic_ns();
  for (int pieces = 0; pieces < kPiecesBesideWorkMax && checkpoint_.write(false); ++pieces) {
    if (worked_ns_ < kLongStepNs) return;
    if (parts_.clock->monotonic_ns() - begin_ns >= worked_ns_) return;
  }
}

bool Task::work_aside(std::function<Status()> piece) {
  aside_ = StepAside::begin(*parts_.blocking_pool, waker_, std::move(piece));
  return aside_ != nullptr;
}

Result<StepResult> Task::run() {
  checkpoint_.watch_channels();
  if (!may_block()) write_beside_work();
  const bool has_room = make_room();
  if (has_sent_end_) {
    const bool is_drained =
        std::all_of(parts_.outputs.begin(), parts_.outputs.end(),
                    [](const auto& output) { return output->gate().is_drained(); });
    // What was frozen before the end still counts.
    return is_drained && !checkpoint_.is_writing() ? StepResult::kDone : wait_for(Waiting::kOutput);
  }
  if (!has_room && !may_overdraw()) return wait_for(Waiting::kOutput);
  if (parts_.chain->has_pending()) {
    return work([this] { return parts_.chain->resume(); });
  }
  if (rest_) return take_rest();
  if (phase_ == TaskPhase::kFinishing) return finish();
  if (checkpoint_.is_preparing()) return prepare_checkpoint();
  if (const std::int64_t timer_ms = next_timer_ms(); timer_ms != kMaxWatermark) {
    if (const std::int64_t now_ms = parts_.clock->now_ms(); timer_ms <= now_ms) {
      return work([this, now_ms] { return parts_.chain->on_processing_time(now_ms); });
    }
  }
  return take_input();
}

Result<StepResult> Task::prepare_checkpoint() {
  // The one before is written first.
  if (checkpoint_.is_writing()) return wait_for(Waiting::kOutput);
  if (checkpoint_.needs_input()) return take_input();
  if (checkpoint_.drains() && !is_finishing_) return drain();
  if (must_flush_before_idling()) return flush_held_rows();
  CLP_RETURN_IF_ERROR(announce_idleness());
  if (checkpoint_.needs_flush()) {
    return work([this] { return checkpoint_.flush(); });
  }
  CLP_ASSIGN_OR_RETURN(const std::optional<BarrierSignal> barrier,
                       checkpoint_.prepare(has_announced_));
  if (barrier) CLP_RETURN_IF_ERROR(checkpoint_.send(*barrier));
  CLP_RETURN_IF_ERROR(end_step());
  return StepResult::kProgress;
}

Result<StepResult> Task::drain() {
  if (parts_.source != nullptr && !std::exchange(has_drained_, true)) {
    std::optional<Batch> end_of_time = parts_.source->drain();
    CLP_RETURN_IF_ERROR(announce_idleness());
    return work([this, end_of_time] {
      return end_of_time ? parts_.chain->process(0, *end_of_time) : Status::ok();
    });
  }
  // Of other tasks the last mark has come with the rows before the barrier.
  is_finishing_ = true;
  return work([this] { return finish_chain(); });
}

Result<StepResult> Task::take_input() {
  // What came last has gone out by now, marks included: they say how far event time is before it
  // may go on without this task.
  if (must_flush_before_idling()) return flush_held_rows();
  if (has_announced_) CLP_RETURN_IF_ERROR(announce_idleness());
  CLP_ASSIGN_OR_RETURN(TaskInput::Next next, parts_.input->poll());
  // The first word goes before everything.
  if (!has_announced_) CLP_RETURN_IF_ERROR(announce_idleness());
  switch (next.state) {
    case TaskInput::State::kBatch:
      return take_batch(std::move(next));
    case TaskInput::State::kBarrier:
      checkpoint_.take_barrier(next.channel, next.barrier);
      return StepResult::kProgress;
    case TaskInput::State::kEndOfChannel:
      checkpoint_.end_of_channel(next.channel);
      return StepResult::kProgress;
    case TaskInput::State::kAgain:
      return StepResult::kProgress;
    case TaskInput::State::kNothing:
      if (!has_flushed_ && !parts_.has_finished_before && !is_finishing_) {
        return flush_held_rows();
      }
      return wait_for(Waiting::kInput);
    case TaskInput::State::kEnd:
      checkpoint_.stop_beginning();
      move_to(TaskPhase::kFinishing);
      return StepResult::kProgress;
  }
  return Status::internal("unknown state of the input");
}

Result<StepResult> Task::take_batch(TaskInput::Next next) {
  // Of one that had finished before, only the end of time counts.
  if (parts_.has_finished_before) return StepResult::kProgress;
  has_flushed_ = false;
  if (next.batch.rows() > step_rows_max()) {
    rest_ = {.input = next.input, .batch = std::move(next.batch)};
    return take_rest();
  }
  return work([this, input = next.input, batch = std::move(next.batch)]() mutable {
    return parts_.chain->process(input, std::move(batch));
  });
}

Result<StepResult> Task::take_rest() {
  const std::int64_t rows = std::min(step_rows_max(), rest_->batch.rows() - rest_->row);
  CLP_ASSIGN_OR_RETURN(Batch piece, rest_->batch.slice(rest_->row, rows, *parts_.pools[0]));
  const int input = rest_->input;
  rest_->row += rows;
  if (rest_->row == rest_->batch.rows()) rest_.reset();
  return work([this, input, batch = std::move(piece)]() mutable {
    return parts_.chain->process(input, std::move(batch));
  });
}

std::int64_t Task::step_rows_max() const {
  std::int64_t rows = std::numeric_limits<std::int64_t>::max();
  for (const auto& state : parts_.states) {
    if (state != nullptr) rows = std::min(rows, state->step_rows_max());
  }
  return rows;
}

Result<StepResult> Task::finish() {
  if (!is_finishing_) {
    is_finishing_ = true;
    return work([this] { return finish_chain(); });
  }
  has_sent_end_ = true;
  CLP_RETURN_IF_ERROR(send(EndOfInputSignal{}));
  return StepResult::kProgress;
}

Status Task::finish_chain() {
  if (!parts_.has_finished_before) return parts_.chain->finish();
  // Results went out before; whoever waits for the end is told.
  for (const auto& sender : parts_.senders) CLP_RETURN_IF_ERROR(sender->finish());
  return send(WatermarkSignal{kMaxWatermark});
}

Result<StepResult> Task::wait_for(Waiting waiting) {
  // The time is the checkpoint's, whether it is input or room that is missing.
  const bool was_writing = checkpoint_.is_writing();
  write_again_ns_ = kNever;
  if (checkpoint_.reads_state() && may_block()) {
    // Nobody says when there is memory again.
    if (!std::exchange(has_written_, true)) {
      write_again_ns_ = parts_.clock->monotonic_ns() + kWriteAgainNs;
    } else if (work_aside([this]() -> Status {
                 has_written_ = checkpoint_.write(true) || !checkpoint_.reads_state();
                 return end_step();
               })) {
      return StepResult::kBlocked;
    }
  } else if (checkpoint_.write(true) || was_writing != checkpoint_.is_writing()) {
    CLP_RETURN_IF_ERROR(end_step());
    return StepResult::kProgress;
  }
  if (!prepare_to_wait()) {
    // A consumer has taken everything in the meantime, or made room.
    CLP_RETURN_IF_ERROR(end_step());
    return StepResult::kProgress;
  }
  next_waiting_ = waiting;
  return StepResult::kBlocked;
}

bool Task::prepare_to_wait() {
  bool may_wait = true;
  for (const auto& output : parts_.outputs) {
    may_wait = output->gate().prepare_to_wait() && may_wait;
  }
  return may_wait;
}

bool Task::may_overdraw() const {
  if (!checkpoint_.overtakes_now()) return false;
  std::int64_t bytes = 0;
  for (const auto& output : parts_.outputs) bytes += output->gate().backlog_bytes();
  return bytes <= kOverdraftBytesMax;
}

bool Task::make_room() {
  bool has_room = true;
  for (const auto& output : parts_.outputs) has_room = output->gate().make_room() && has_room;
  for (const auto& sender : parts_.senders) has_room = sender->has_room() && has_room;
  return has_room;
}

// Once this task is idle event time goes on without it: rows that operators hold back (local
// aggregation) would come late.
bool Task::must_flush_before_idling() const {
  return has_announced_ && !announced_idle_ && !has_flushed_ && !is_finishing_ &&
         !parts_.has_finished_before && parts_.input->idle();
}

Result<StepResult> Task::flush_held_rows() {
  has_flushed_ = true;
  return work([this] { return parts_.chain->flush(); });
}

Status Task::announce_idleness() {
  if (!parts_.input->has_started()) return Status::ok();
  const bool idle = parts_.input->idle();
  for (const auto& output : parts_.outputs) {
    // A batch ends idleness: what operators gave out of themselves (timers) has to be followed by
    // another word.
    const bool has_emitted = output->take_emitted();
    if (has_announced_ && idle == announced_idle_ && !(idle && has_emitted)) continue;
    CLP_RETURN_IF_ERROR(output->gate().send(IdleSignal{idle}));
  }
  const bool is_first = !std::exchange(has_announced_, true);
  announced_idle_ = idle;
  if (!is_first) return Status::ok();
  const std::optional<BarrierSignal> barrier = checkpoint_.take_waiting_barrier();
  return barrier ? checkpoint_.send(*barrier) : Status::ok();
}

Status Task::send(const Signal& signal) {
  for (const auto& output : parts_.outputs) CLP_RETURN_IF_ERROR(output->gate().send(signal));
  return Status::ok();
}

Status Task::end_step() {
  for (const auto& state : parts_.states) {
    if (state != nullptr) CLP_RETURN_IF_ERROR(state->release_rows());
  }
  for (const auto& output : parts_.outputs) CLP_RETURN_IF_ERROR(output->gate().end_step());
  return Status::ok();
}

StepResult Task::end(TaskPhase phase, const Status& status) {
  move_to(phase);
  TaskEnd end;
  end.task = parts_.id;
  end.phase = phase;
  end.status = status.with_context(parts_.name);
  end.metrics = collect_metrics();
  // What the operators hold goes first: a sink takes back what it has not prepared before anybody
  // hears of the end.
  parts_.chain.reset();
  end.committables = checkpoint_.take_committables();
  metrics_.publish(end.metrics);
  parts_.events->task_ended(std::move(end));
  return StepResult::kDone;
}

void Task::move_to(TaskPhase phase) {
  CLP_CHECK_MSG(may_move(phase_, phase),
                fmt::format("{} -> {}", task_phase_name(phase_), task_phase_name(phase)));
  CLP_LOG(
      kDebug, "taskmanager",
      fmt::format("{}: {} -> {}", parts_.name, task_phase_name(phase_), task_phase_name(phase)));
  phase_ = phase;
}

std::int64_t Task::next_wake_ns() const {
  std::int64_t wake_ns = kNever;
  if (waiting_ == Waiting::kInput) {
    wake_ns = parts_.input->wake_deadline_ns();
    if (const std::int64_t timer_ms = next_timer_ms(); timer_ms != kMaxWatermark) {
      wake_ns = std::min(wake_ns, parts_.clock->monotonic_ns_at(timer_ms));
    }
  }
  wake_ns = std::min({wake_ns, checkpoint_.wake_deadline_ns(), write_again_ns_});
  if (has_unpublished_) wake_ns = std::min(wake_ns, published_ns_ + kPublishEveryNs);
  return wake_ns;
}

std::int64_t Task::next_timer_ms() const {
  return parts_.has_finished_before || is_finishing_ ? kMaxWatermark
                                                     : parts_.chain->next_timer_ms();
}

void Task::account_time(Waiting next) {
  const std::int64_t now_ns = parts_.clock->monotonic_ns();
  const std::int64_t spent_ns = now_ns - last_ns_;
  last_ns_ = now_ns;
  switch (std::exchange(waiting_, next)) {
    case Waiting::kNothing:
      busy_ns_ += spent_ns;
      break;
    case Waiting::kInput:
      idle_ns_ += spent_ns;
      break;
    case Waiting::kOutput:
      backpressured_ns_ += spent_ns;
      break;
  }
}

TaskMetricsSnapshot Task::collect_metrics() const {
  TaskMetricsSnapshot metrics;
  const auto count = static_cast<std::size_t>(parts_.chain->size());
  for (std::size_t i = 0; i < count; ++i) {
    const OperatorCounters& counters = std::as_const(*parts_.chain).counters(static_cast<int>(i));
    TaskMetricsSnapshot::OfOperator& out = metrics.operators.emplace_back();
    out.rows_in = counters.rows_in;
    out.rows_out = counters.rows_out;
    out.late_rows = counters.late_rows;
    out.dropped_rows = counters.dropped_rows;
    out.late_sample = counters.late_sample;
    out.peak_memory_bytes = parts_.pools[i]->peak_bytes();
  }
  if (parts_.source != nullptr) {
    metrics.operators[0].dropped_rows += parts_.source->skipped_rows();
    metrics.operators[0].bytes_in = parts_.source->bytes_read();
  }
  metrics.watermark = parts_.input->watermark();
  metrics.backpressured_ns = backpressured_ns_;
  metrics.busy_ns = busy_ns_;
  metrics.waiting = waiting_;
  metrics.waiting_since_ns = last_ns_;
  metrics.idle_ns = idle_ns_;
  return metrics;
}

}  // namespace clepsydra
