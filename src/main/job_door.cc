#include "main/job_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "base/process.h"
#include "base/value_tree.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::string> kStateDirectory{
    "clepsydra.state-directory", "", "folder of the socket files by which running jobs are found"};

constexpr std::string_view kSocketSuffix = ".sock";
constexpr std::int64_t kAnswerMs = 10'000;
// A savepoint may take as long as a checkpoint.
constexpr std::int64_t kSavepointMs = 3'600'000;

// ---- The answering side ----

ValueTree answer_of(const Status& status) {
  return ValueTree::map()
      .set("code", static_cast<std::int64_t>(status.code()))
      .set("message", std::string(status.message()));
}

ValueTree answer_of(const Result<std::string>& path) {
  ValueTree answer = answer_of(path.status());
  if (path.is_ok()) answer.set("path", *path);
  return answer;
}

ValueTree listing(JobClient& jobs) {
  const Result<std::vector<JobStatus>> all = jobs.list();
  ValueTree answer = answer_of(all.status());
  if (!all.is_ok()) return answer;
  ValueTree list = ValueTree::list();
  for (const JobStatus& job : *all) {
    list.add(ValueTree::map()
                 .set("id", job.id.to_string())
                 .set("name", job.name)
                 .set("phase", static_cast<std::int64_t>(job.phase))
                 .set("started_ms", job.started_ms));
  }
  return answer.set("jobs", std::move(list));
}

Result<ValueTree> answer_request(const std::string& bytes, JobClient& jobs) {
  CLP_ASSIGN_OR_RETURN(const ValueTree request, ValueTree::decode(bytes));
  CLP_ASSIGN_OR_RETURN(const std::string command, request.get_string("command"));
  if (command == "list") return listing(jobs);
  CLP_ASSIGN_OR_RETURN(const std::string text, request.get_string("job"));
  CLP_ASSIGN_OR_RETURN(const JobId id, JobId::parse(text));
  if (command == "cancel") return answer_of(jobs.cancel(id));
  const std::string directory = request.get_string_or("directory", "");
  if (command == "savepoint") return answer_of(jobs.savepoint(id, directory));
  if (command == "stop") {
    return answer_of(jobs.stop(id, directory, request.get_bool_or("drain", false)));
  }
  return Status::unimplemented(fmt::format("request '{}' is not known here", command));
}

// ---- The asking side ----

Result<ValueTree> ask(const std::string& socket, const ValueTree& request,
                      std::int64_t timeout_ms) {
  CLP_ASSIGN_OR_RETURN(const std::string bytes, ask_socket(socket, request.encode(), timeout_ms));
  CLP_ASSIGN_OR_RETURN(ValueTree answer, ValueTree::decode(bytes));
  CLP_ASSIGN_OR_RETURN(const std::int64_t code, answer.get_int("code"));
  if (code != static_cast<std::int64_t>(StatusCode::kOk)) {
    return Status(static_cast<StatusCode>(code), answer.get_string_or("message", ""));
  }
  return answer;
}

Result<RemoteJob> read_job(const ValueTree& tree, const std::string& socket) {
  RemoteJob job;
  CLP_ASSIGN_OR_RETURN(const std::string id, tree.get_string("id"));
  CLP_ASSIGN_OR_RETURN(job.id, JobId::parse(id));
  CLP_ASSIGN_OR_RETURN(job.name, tree.get_string("name"));
  CLP_ASSIGN_OR_RETURN(const std::int64_t phase, tree.get_int("phase"));
  job.phase = static_cast<JobPhase>(phase);
  CLP_ASSIGN_OR_RETURN(job.started_ms, tree.get_int("started_ms"));
  job.socket = socket;
  return job;
}

ValueTree request_for(const RemoteJob& job, std::string_view command) {
  return ValueTree::map().set("command", command).set("job", job.id.to_string());
}

Result<std::string> ask_for_path(const RemoteJob& job, const ValueTree& request) {
  CLP_ASSIGN_OR_RETURN(const ValueTree answer, ask(job.socket, request, kSavepointMs));
  return answer.get_string("path");
}

}  // namespace

Result<std::string> state_directory(const Configuration& configuration, const Process& process) {
  CLP_ASSIGN_OR_RETURN(std::string directory, configuration.get(kStateDirectory));
  if (!directory.empty()) return directory;
  if (const std::optional<std::string> state = process.environment("XDG_STATE_HOME");
      state && !state->empty()) {
    return join_path(*state, "clepsydra");
  }
  if (const std::optional<std::string> home = process.environment("HOME"); home && !home->empty()) {
    return join_path(*home, ".local/state/clepsydra");
  }
  return Status::failed_precondition(
      "there is no place for socket files: neither clepsydra.state-directory, XDG_STATE_HOME nor "
      "HOME is set");
}

Result<std::unique_ptr<JobDoor>> JobDoor::open(const std::string& directory,
                                               std::int64_t process_id, JobClient& jobs) {
  CLP_RETURN_IF_ERROR(create_private_directory(directory));
  std::unique_ptr<JobDoor> door(new JobDoor);
  CLP_ASSIGN_OR_RETURN(
      door->server_,
      SocketServer::start(join_path(directory, fmt::format("{}{}", process_id, kSocketSuffix)),
                          [&jobs](const std::string& request) {
                            const Result<ValueTree> answer = answer_request(request, jobs);
                            return (answer.is_ok() ? *answer : answer_of(answer.status())).encode();
                          }));
  return door;
}

Result<std::vector<RemoteJob>> RemoteJobs::list() const {
  std::vector<RemoteJob> jobs;
  const Result<std::vector<FileInfo>> sockets = files_.list(directory_);
  if (sockets.status().code() == StatusCode::kNotFound) return jobs;
  if (!sockets.is_ok()) return sockets.status();
  for (const FileInfo& file : *sockets) {
    if (!file.name.ends_with(kSocketSuffix)) continue;
    const std::string socket = join_path(directory_, file.name);
    const Result<ValueTree> answer =
        ask(socket, ValueTree::map().set("command", "list"), kAnswerMs);
    if (answer.status().code() == StatusCode::kUnavailable) {
      (void)files_.remove(socket);  // Its process was killed.
      continue;
    }
    if (answer.status().code() == StatusCode::kNotFound) continue;  // It has just ended.
    if (!answer.is_ok()) return answer.status();
    CLP_ASSIGN_OR_RETURN(const ValueTree::List list, answer->get_list("jobs"));
    for (const ValueTree& tree : list) {
      CLP_ASSIGN_OR_RETURN(RemoteJob job, read_job(tree, socket));
      jobs.push_back(std::move(job));
    }
  }
  std::stable_sort(jobs.begin(), jobs.end(), [](const RemoteJob& a, const RemoteJob& b) {
    return a.started_ms < b.started_ms;
  });
  return jobs;
}

Result<RemoteJob> RemoteJobs::find(std::string_view id) const {
  CLP_ASSIGN_OR_RETURN(const std::vector<RemoteJob> jobs, list());
  const RemoteJob* found = nullptr;
  for (const RemoteJob& job : jobs) {
    if (id.empty() || !job.id.to_string().starts_with(id)) continue;
    if (found != nullptr) {
      return Status::invalid_argument(fmt::format("the ids of several jobs begin with '{}'", id));
    }
    found = &job;
  }
  if (found != nullptr) return *found;
  std::string known;
  for (const RemoteJob& job : jobs) {
    if (has_ended(job.phase)) continue;
    known += fmt::format("\n  {}  {}", job.id.to_string(), job.name);
  }
  return Status::not_found(known.empty() ? fmt::format("no job '{}': no job of this user runs", id)
                                         : fmt::format("no job '{}'; these run:{}", id, known));
}

Status RemoteJobs::cancel(const RemoteJob& job) {
  return ask(job.socket, request_for(job, "cancel"), kAnswerMs).status();
}

Result<std::string> RemoteJobs::savepoint(const RemoteJob& job, const std::string& directory) {
  return ask_for_path(job, request_for(job, "savepoint").set("directory", directory));
}

Result<std::string> RemoteJobs::stop(const RemoteJob& job, const std::string& directory,
                                     bool drain) {
  return ask_for_path(job,
                      request_for(job, "stop").set("directory", directory).set("drain", drain));
}

}  // namespace clepsydra
