// What passes from the writers of a file sink to its committer: finished files, and how far the
// writers are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "clepsydra/status.h"

namespace clepsydra {

// A finished file that nobody sees, and the name it will have. On a disk it stands under a hidden
// name; on an object store it is staged (StagedFile) and has a token.
struct PartFile {
  std::string hidden;
  std::string visible;
  std::string partition = {};  // "day=2024-01-31", below the table's folder; empty: none.
  std::string token = {};      // Empty: it has a hidden name.
};
// How far the writer of a subtask is in event time; kMaxWatermark: it has nothing more to write.
struct WriterProgress {
  std::int64_t watermark = 0;
};
using FileCommittable = std::variant<PartFile, WriterProgress>;

std::string encode_file_committable(const FileCommittable& committable);
Result<FileCommittable> decode_file_committable(std::string_view bytes);

// "part-<job>-<tag>-<attempt>-<subtask>-<count>.<extension>": no two writers of all times agree on
// it, so that no file ever takes the place of another.
std::string part_file_name(std::string_view job_id, std::string_view operator_uid, int attempt,
                           int subtask, std::int64_t count, std::string_view extension);
// ".<name>.inprogress"
std::string hidden_name(std::string_view name);
// <name> of a hidden name.
std::string visible_name(std::string_view hidden);
// ".<name>.held": an empty file, for as long as a savepoint has a file that is not visible.
std::string held_name(std::string_view name);
// Whether a hidden name is of a writer of this job.
bool is_hidden_part_of(std::string_view name, std::string_view job_id);
// The same of the name that it will have.
bool is_part_of(std::string_view name, std::string_view job_id);

}  // namespace clepsydra
