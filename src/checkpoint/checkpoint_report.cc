#include "checkpoint/checkpoint_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_storage.h"
#include "checkpoint/state_summary.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// "900 bytes", "1.5 kb", "12.0 mb".
std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"kb", "mb", "gb", "tb"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string time_text(std::int64_t timestamp_ms) {
  std::string text;
  append_timestamp_text(timestamp_ms, 3, text);
  return text + " UTC";
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

struct Sizes {
  std::int64_t bytes = 0;
  std::int64_t inline_bytes = 0;
  std::int64_t files = 0;
  std::int64_t shared = 0;
};

Sizes sizes_of(const CheckpointMetadata& metadata) {
  Sizes sizes;
  std::set<std::string_view> seen;
  for_each_file(metadata, [&](const StateFile& file) {
    if (file.path.empty()) {
      sizes.bytes += file.bytes;
      sizes.inline_bytes += file.bytes;
    } else if (seen.insert(file.path).second) {
      sizes.bytes += file.bytes;
      ++sizes.files;
      sizes.shared += file.path.starts_with("shared/") ? 1 : 0;
    }
  });
  return sizes;
}

std::string_view kind_text(CheckpointKind kind) {
  return kind == CheckpointKind::kSavepoint ? "savepoint" : "checkpoint";
}

std::string heading(const CompletedCheckpoint& checkpoint) {
  const CheckpointMetadata& metadata = checkpoint.metadata;
  const Sizes sizes = sizes_of(metadata);
  std::string text = fmt::format("{} {} of job '{}' ({})\n", kind_text(metadata.kind), metadata.id,
                                 clip(metadata.job_name, 200), clip(metadata.job_id, 64));
  text += fmt::format("  taken   {}\n", time_text(metadata.timestamp_ms));
  text += fmt::format("  folder  {}\n", checkpoint.metadata_folder);
  text += fmt::format("  size    {} in {}", size_text(sizes.bytes),
                      counted(sizes.files, "file", "files"));
  if (sizes.shared > 0) text += fmt::format(" ({} shared)", sizes.shared);
  if (sizes.inline_bytes > 0) {
    text += fmt::format(", of it {} in the metadata", size_text(sizes.inline_bytes));
  }
  return text + "\n";
}

std::string state_name(const std::pair<StoredKind, std::string>& key) {
  constexpr std::array<std::string_view, 4> kKinds = {"state", "number", "list", "timers"};
  return fmt::format("{} '{}'", kKinds[static_cast<std::size_t>(key.first)], clip(key.second, 64));
}

std::string entries_text(StoredKind kind, const StateSummary& state) {
  switch (kind) {
    case StoredKind::kRows:
      break;
    case StoredKind::kNumber:
      return fmt::format("of {}", counted(state.entries, "subtask", "subtasks"));
    case StoredKind::kList:
      return counted(state.entries, "item", "items");
    case StoredKind::kTimers:
      return counted(state.entries, "timer", "timers");
  }
  std::string text = counted(state.entries, "entry", "entries");
  if (state.written > 0) text += fmt::format(", {} written since", state.written);
  if (state.erased > 0) text += fmt::format(", {} erased since", state.erased);
  if (state.dropped > 0) {
    text += fmt::format(", {} dropped since", counted(state.dropped, "namespace", "namespaces"));
  }
  return text + ", " + size_text(state.bytes);
}

std::string operator_text(const OperatorSummary& op) {
  std::string text = fmt::format("  operator '{}' ({}, uid {})\n", clip(op.name, 200),
                                 clip(op.kind, 64), clip(op.uid, 64));
  for (const auto& [key, state] : op.states) {
    text += "    " + state_name(key);
    if (!state.type.empty()) text += fmt::format(" {}", state.type);
    text += fmt::format(": {}\n", entries_text(key.first, state));
  }
  if (op.splits > 0 || op.enumerator_bytes > 0) {
    text += fmt::format("    {}; not handed out yet: {}\n",
                        counted(op.splits, "split under way", "splits under way"),
                        size_text(op.enumerator_bytes));
  }
  if (op.committables > 0) {
    text += fmt::format("    {}\n", counted(op.committables, "prepared write, to be committed",
                                            "prepared writes, to be committed"));
  }
  for (const std::string& broken : op.broken)
    text += fmt::format("    cannot be read: {}\n", broken);
  return text;
}

std::string task_text(const OperatorSummary& op) {
  std::string text = fmt::format("\ntask '{}': parallelism {}, at most {}", clip(op.task, 200),
                                 op.parallelism, op.max_parallelism);
  if (op.finished > 0) text += fmt::format(", {} finished", op.finished);
  return text + "\n";
}

// ---- Differences ----

using OperatorsByUid = std::map<std::string, OperatorSummary>;

OperatorsByUid by_uid(std::vector<OperatorSummary> operators) {
  OperatorsByUid found;
  for (OperatorSummary& op : operators) {
    std::string uid = op.uid;
    found.emplace(std::move(uid), std::move(op));
  }
  return found;
}

// Lines about one operator that both have; empty: they say the same.
std::string difference_of(const OperatorSummary& a, const OperatorSummary& b) {
  std::string text;
  const auto numbers = [&text](std::string_view what, std::int64_t was, std::int64_t is) {
    if (was != is) text += fmt::format("    {}: {} -> {}\n", what, was, is);
  };
  numbers("parallelism", a.parallelism, b.parallelism);
  numbers("maximal parallelism", a.max_parallelism, b.max_parallelism);
  numbers("subtasks that have finished", a.finished, b.finished);
  for (const auto& [key, state] : a.states) {
    const auto other = b.states.find(key);
    if (other == b.states.end()) {
      text += fmt::format("    - {} {}\n", state_name(key), state.type);
      continue;
    }
    if (state.type != other->second.type) {
      text +=
          fmt::format("    {}: type {} -> {}\n", state_name(key), state.type, other->second.type);
    }
    const std::string was = entries_text(key.first, state);
    const std::string is = entries_text(key.first, other->second);
    if (was != is) text += fmt::format("    {}: {} -> {}\n", state_name(key), was, is);
  }
  for (const auto& [key, state] : b.states) {
    if (!a.states.contains(key)) {
      text += fmt::format("    + {} {}\n", state_name(key), state.type);
    }
  }
  numbers("splits under way", a.splits, b.splits);
  numbers("prepared writes", a.committables, b.committables);
  for (const OperatorSummary* side : {&a, &b}) {
    for (const std::string& broken : side->broken) {
      text += fmt::format("    cannot be read: {}\n", broken);
    }
  }
  return text;
}

std::string operator_line(std::string_view sign, const OperatorSummary& op) {
  return fmt::format("{} operator '{}' ({}, uid {})", sign, clip(op.name, 200), clip(op.kind, 64),
                     clip(op.uid, 64));
}

Result<CompletedCheckpoint> open(FileSystem& files, std::string_view path, std::string& skipped) {
  CLP_ASSIGN_OR_RETURN(FoundCheckpoint found, find_checkpoint(files, path, FileCheck::kSize));
  for (const std::string& why : found.skipped) skipped += why + "\n";
  return std::move(found.checkpoint);
}

}  // namespace

Result<std::string> list_checkpoints_text(FileSystem& files, std::string_view folder) {
  CLP_ASSIGN_OR_RETURN(const std::vector<ListedCheckpoint> listed, list_checkpoints(files, folder));
  std::string text;
  for (const ListedCheckpoint& checkpoint : listed) {
    if (!checkpoint.status.is_ok()) {
      text +=
          fmt::format("{:>6}  cannot be used: {}\n", checkpoint.id, checkpoint.status.to_string());
      continue;
    }
    const Sizes sizes = sizes_of(checkpoint.metadata);
    text += fmt::format("{:>6}  {}  {:>10}  {:>9}  {}\n", checkpoint.id,
                        time_text(checkpoint.metadata.timestamp_ms), size_text(sizes.bytes),
                        counted(sizes.files, "file", "files"), checkpoint.folder);
  }
  return text;
}

Result<std::string> checkpoint_text(FileSystem& files, std::string_view path) {
  std::string text;
  CLP_ASSIGN_OR_RETURN(const CompletedCheckpoint checkpoint, open(files, path, text));
  text += heading(checkpoint);
  const OperatorSummary* before = nullptr;
  const std::vector<OperatorSummary> operators = summarize_state(files, checkpoint);
  for (const OperatorSummary& op : operators) {
    if (before == nullptr || before->task != op.task) text += task_text(op);
    text += operator_text(op);
    before = &op;
  }
  return text;
}

Result<std::string> checkpoint_difference_text(FileSystem& files, std::string_view a,
                                               std::string_view b) {
  std::string text;
  CLP_ASSIGN_OR_RETURN(const CompletedCheckpoint first, open(files, a, text));
  CLP_ASSIGN_OR_RETURN(const CompletedCheckpoint second, open(files, b, text));
  text += fmt::format("--- {}+++ {}\n", heading(first), heading(second));
  const OperatorsByUid was = by_uid(summarize_state(files, first));
  const OperatorsByUid is = by_uid(summarize_state(files, second));
  bool is_same = true;
  for (const auto& [uid, op] : was) {
    const auto other = is.find(uid);
    const std::string difference =
        other == is.end() ? std::string() : difference_of(op, other->second);
    if (other != is.end() && difference.empty()) continue;
    is_same = false;
    text += operator_line(other == is.end() ? "-" : " ", op) + "\n" + difference;
  }
  for (const auto& [uid, op] : is) {
    if (was.contains(uid)) continue;
    is_same = false;
    text += operator_line("+", op) + "\n";
  }
  if (is_same) text += "The operators and their states are the same.\n";
  return text;
}

}  // namespace clepsydra
