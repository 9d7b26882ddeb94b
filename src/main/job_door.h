// The socket file by which other processes of the same user find the jobs of this one, and the
// requests that go through it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/job_client.h"
#include "base/configuration.h"
#include "base/fwd.h"
#include "base/socket_file.h"
#include "clepsydra/status.h"

namespace clepsydra {

// Where socket files lie: clepsydra.state-directory, else clepsydra in $XDG_STATE_HOME or
// ~/.local/state. FailedPrecondition when none of them is set.
Result<std::string> state_directory(const Configuration& configuration, const Process& process);

// Answers requests about the jobs of `jobs`, which outlives it. Threads: construction and
// destruction one.
class JobDoor {
 public:
  static Result<std::unique_ptr<JobDoor>> open(const std::string& directory,
                                               std::int64_t process_id, JobClient& jobs);

 private:
  JobDoor() = default;
  std::unique_ptr<SocketServer> server_;
};

// A job of another process.
struct RemoteJob {
  JobId id;
  std::string name;
  JobPhase phase = JobPhase::kCreated;
  std::int64_t started_ms = 0;
  std::string socket;
};

// The other side. Socket files of processes that have died are removed. Blocks.
class RemoteJobs {
 public:
  RemoteJobs(std::string directory, FileSystem& files)
      : directory_(std::move(directory)), files_(files) {}

  // Oldest first.
  Result<std::vector<RemoteJob>> list() const;
  // The one whose id begins so; NotFound names the jobs there are, InvalidArgument when several do.
  Result<RemoteJob> find(std::string_view id) const;
  static Status cancel(const RemoteJob& job);
  // As in JobClient.
  static Result<std::string> savepoint(const RemoteJob& job, const std::string& directory);
  static Result<std::string> stop(const RemoteJob& job, const std::string& directory, bool drain);

 private:
  const std::string directory_;
  FileSystem& files_;
};

}  // namespace clepsydra
