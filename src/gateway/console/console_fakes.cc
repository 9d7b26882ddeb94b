#include "gateway/console/console_fakes.h"

#include <algorithm>

#include "base/check.h"

namespace clepsydra::console::testing {

Result<TypedText> FakeTerminal::read(std::chrono::milliseconds /*timeout*/) {
  if (to_come.empty()) return TypedText{{}, true};
  const Typing typing = std::move(to_come.front());
  to_come.pop_front();
  if (typing.before) typing.before();
  return TypedText{typing.bytes, typing.at_end};
}

Status FakeTerminal::run_program(std::span<const std::string> words) {
  return program(words);
}

// Reads what the job has, then waits for its end.
class FakeJobClient::Reader final : public ResultReader {
 public:
  Reader(FakeJobClient& client, JobId id) : client_(client), id_(id) {}

  Result<Fetched> try_next() override {
    Running& running = client_.find(id_);
    if (!running.job.batches.empty()) {
      Fetched fetched{State::kBatch, running.job.batches.front()};
      running.job.batches.erase(running.job.batches.begin());
      return fetched;
    }
    client_.let_end(running);
    if (!has_ended(running.status.phase)) return Fetched{};
    if (running.status.phase == JobPhase::kFinished) return Fetched{State::kEnd, {}};
    return running.status.error.is_ok() ? Status::cancelled("cancelled") : running.status.error;
  }

  Result<Fetched> next(std::chrono::milliseconds timeout) override {
    CLP_ASSIGN_OR_RETURN(Fetched fetched, try_next());
    if (fetched.state != State::kNothingYet) return fetched;
    CLP_RETURN_IF_ERROR(client_.wait(id_, timeout).status());
    return try_next();
  }

 private:
  FakeJobClient& client_;
  const JobId id_;
};

FakeJobClient::Running& FakeJobClient::find(const JobId& id) {
  const auto found = jobs_.find(id);
  CLP_CHECK(found != jobs_.end());
  return found->second;
}

void FakeJobClient::let_end(Running& running) {
  if (has_ended(running.status.phase) || running.job.is_endless) return;
  if (clock_.monotonic_ns() < running.ends_ns || !running.job.batches.empty()) return;
  running.status.phase = running.job.error.is_ok() ? JobPhase::kFinished : JobPhase::kFailed;
  running.status.error = running.job.error;
  running.status.ended_ms = clock_.now_ms();
  events.push_back("end " + running.status.name);
}

Result<JobId> FakeJobClient::submit(const JobGraph& graph) {
  CLP_CHECK(!to_come.empty());
  JobId::Bytes bytes{};
  bytes[15] = static_cast<std::uint8_t>(jobs_.size() + 1);
  const JobId id(bytes);
  Running running{.job = std::move(to_come.front()), .status = {}, .ends_ns = 0};
  to_come.pop_front();
  running.status.id = id;
  running.status.name = graph.name;
  running.status.phase = JobPhase::kRunning;
  running.status.started_ms = clock_.now_ms();
  running.status.operators = running.job.operators;
  running.ends_ns = clock_.monotonic_ns() + running.job.duration_ms * 1'000'000;
  jobs_.emplace(id, std::move(running));
  events.push_back("submit " + graph.name);
  return id;
}

Result<JobStatus> FakeJobClient::status(const JobId& id) {
  Running& running = find(id);
  let_end(running);
  return running.status;
}

Status FakeJobClient::cancel(const JobId& id) {
  Running& running = find(id);
  if (has_ended(running.status.phase)) return Status::ok();
  running.status.phase = JobPhase::kCanceled;
  running.status.ended_ms = clock_.now_ms();
  events.push_back("cancel " + running.status.name);
  return Status::ok();
}

Result<JobStatus> FakeJobClient::wait(const JobId& id,
                                      std::optional<std::chrono::milliseconds> timeout) {
  Running& running = find(id);
  let_end(running);
  if (has_ended(running.status.phase)) return running.status;
  CLP_CHECK(timeout.has_value());
  if (running.job.on_look) running.job.on_look();
  const std::int64_t limit_ns = clock_.monotonic_ns() + std::chrono::nanoseconds(*timeout).count();
  const bool ends = !running.job.is_endless && running.ends_ns < limit_ns;
  clock_.advance_to_ns(ends ? running.ends_ns : limit_ns);
  let_end(running);
  return running.status;
}

Result<std::unique_ptr<ResultReader>> FakeJobClient::fetch_results(const JobId& id,
                                                                   std::string_view /*name*/) {
  return std::make_unique<Reader>(*this, id);
}

std::size_t FakeJobClient::running() const {
  return static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const auto& entry) {
    return !has_ended(entry.second.status.phase);
  }));
}

}  // namespace clepsydra::console::testing
