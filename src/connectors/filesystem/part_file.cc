#include "connectors/filesystem/part_file.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/value_tree.h"

namespace clepsydra {
namespace {

constexpr std::string_view kHiddenEnd = ".inprogress";

}  // namespace

std::string encode_file_committable(const FileCommittable& committable) {
  ValueTree tree = ValueTree::map();
  if (const auto* file = std::get_if<PartFile>(&committable)) {
    tree.set("visible", file->visible);
    if (file->token.empty()) {
      tree.set("hidden", file->hidden);
    } else {
      tree.set("token", file->token);
    }
    if (!file->partition.empty()) tree.set("partition", file->partition);
  } else {
    tree.set("watermark", std::get<WriterProgress>(committable).watermark);
  }
  return tree.encode();
}

Result<FileCommittable> decode_file_committable(std::string_view bytes) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(bytes));
  if (tree.find("watermark") != nullptr) {
    CLP_ASSIGN_OR_RETURN(const std::int64_t watermark, tree.get_int("watermark"));
    return FileCommittable(WriterProgress{watermark});
  }
  PartFile file;
  file.token = tree.get_string_or("token", "");
  if (file.token.empty()) {
    CLP_ASSIGN_OR_RETURN(file.hidden, tree.get_string("hidden"));
  }
  CLP_ASSIGN_OR_RETURN(file.visible, tree.get_string("visible"));
  file.partition = tree.get_string_or("partition", "");
  return FileCommittable(std::move(file));
}

std::string part_file_name(std::string_view job_id, std::string_view operator_uid, int attempt,
                           int subtask, std::int64_t count, std::string_view extension) {
  // Several sinks of a job may write to one table.
  return fmt::format("part-{}-{:08x}-{}-{}-{}.{}", job_id,
                     static_cast<std::uint32_t>(hash64(operator_uid)), attempt, subtask, count,
                     extension);
}

std::string hidden_name(std::string_view name) {
  return fmt::format(".{}{}", name, kHiddenEnd);
}

std::string visible_name(std::string_view hidden) {
  CLP_CHECK(hidden.starts_with('.') && hidden.ends_with(kHiddenEnd));
  return std::string(hidden.substr(1, hidden.size() - 1 - kHiddenEnd.size()));
}

std::string held_name(std::string_view name) {
  return fmt::format(".{}.held", name);
}

bool is_hidden_part_of(std::string_view name, std::string_view job_id) {
  return name.starts_with('.') && is_part_of(name.substr(1), job_id) && name.ends_with(kHiddenEnd);
}

bool is_part_of(std::string_view name, std::string_view job_id) {
  return name.starts_with(fmt::format("part-{}-", job_id));
}

}  // namespace clepsydra
