// Gives the files of a sink their names, and tells of partitions that are complete.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/file_system.h"
#include "clepsydra/sink.h"
#include "connectors/filesystem/file_sink_spec.h"
#include "connectors/filesystem/part_file.h"

namespace clepsydra {

// A partition is pending from its first file until it is marked as complete; a hidden file in it
// says so, so that a killed process forgets none.
//
// Beside a file that a savepoint has and that is not visible yet stands another hidden file
// (held_name()), which keeps remove_leftovers() from it until it is published.
//
// Threads: one call at a time.
class FileCommitter final : public SinkCommitter {
 public:
  static constexpr const char* kPendingName = ".pending-partition";

  FileCommitter(FileSinkSpec spec, const SinkContext& context);

  Status commit(std::span<const std::string> committables) override;
  Status commit_restored(std::span<const std::string> committables) override;
  Status hold(std::span<const std::string> committables) override;
  void abort(std::span<const std::string> committables) override;
  void remove_leftovers(const std::string& job_id) override;

 private:
  Status commit(std::span<const std::string> committables, bool is_restored);
  // Ok also when it was committed before.
  Status publish(const PartFile& file, bool is_restored);
  Status publish_staged(const PartFile& file);
  // Not known: it is.
  [[nodiscard]] bool is_held(const std::string& visible) const;
  void release(const PartFile& part, bool is_restored);
  void remove_staged_leftovers(StagingArea& area, const std::string& job_id);
  // What others have written into the folders that this sink's rows take the place of.
  Status remove_replaced();
  Status remove_others(const std::string& folder);
  Status make_pending(const std::string& partition);
  // Of all partitions there are, when nothing is known yet.
  Status find_pending();
  Status mark_complete(std::int64_t watermark, bool is_end);
  Result<bool> is_complete(const std::string& partition, std::int64_t since_ms,
                           std::int64_t watermark) const;
  [[nodiscard]] std::string folder_of(const std::string& partition) const;

  const FileSinkSpec spec_;
  const std::string job_id_;
  FileSystem& files_;
  const Clock& clock_;
  std::set<std::string> held_;     // Visible names, by this committer.
  std::set<std::string> written_;  // Partitions, when they are to be replaced.
  bool knows_pending_ = false;
  std::map<std::string, std::int64_t> pending_;  // Partitions, and since when.
};

}  // namespace clepsydra
