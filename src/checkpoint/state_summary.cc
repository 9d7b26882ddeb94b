#include "checkpoint/state_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_storage.h"
#include "state/state_blocks.h"
#include "stream/data_type.h"

namespace clepsydra {
namespace {

std::int64_t rows_of(const std::vector<StoredBatch>& batches) {
  std::int64_t rows = 0;
  for (const StoredBatch& batch : batches) {
    for (const NamespaceRun& run : batch.runs) rows += run.rows;
  }
  return rows;
}

std::int64_t bytes_of(const std::vector<StoredBatch>& batches) {
  std::int64_t bytes = 0;
  for (const StoredBatch& batch : batches) bytes += batch.bytes;
  return bytes;
}

std::string type_of(const StoredSchema& schema) {
  std::string keys;
  for (const DataType& type : schema.key_types) {
    keys += (keys.empty() ? "" : ", ") + type.to_string();
  }
  std::string fields;
  for (const Field& field : schema.fields) {
    fields +=
        fmt::format("{}{} {}", fields.empty() ? "" : ", ", field.name, field.type.to_string());
  }
  return fmt::format("({}) -> ({})", keys, fields);
}

void add_snapshot(const StoredSnapshot& snapshot, OperatorSummary& out) {
  const bool is_base = snapshot.origin.is_base;
  for (const StoredRows& rows : snapshot.states) {
    StateSummary& state = out.states[{StoredKind::kRows, rows.schema.name}];
    state.type = type_of(rows.schema);
    (is_base ? state.entries : state.written) += rows_of(rows.rows);
    state.erased += rows_of(rows.erased);
    state.dropped += static_cast<std::int64_t>(rows.dropped.size());
    state.bytes += bytes_of(rows.rows) + bytes_of(rows.erased);
  }
}

// Numbers, lists and timers are whole in every snapshot: those of the last one count.
void add_small(const StoredSnapshot& snapshot, OperatorSummary& out) {
  for (const auto& [name, value] : snapshot.numbers) {
    ++out.states[{StoredKind::kNumber, name}].entries;
  }
  for (const auto& [name, items] : snapshot.lists) {
    out.states[{StoredKind::kList, name}].entries += static_cast<std::int64_t>(items.size());
  }
  for (const auto& [name, timers] : snapshot.timers) {
    out.states[{StoredKind::kTimers, name}].entries += static_cast<std::int64_t>(timers.size());
  }
}

Status add_file(FileSystem& files, const std::string& folder, const StateFile& file, bool is_last,
                OperatorSummary& out) {
  CLP_ASSIGN_OR_RETURN(const SnapshotBytes bytes, open_state(files, folder, file));
  CLP_ASSIGN_OR_RETURN(const StoredSnapshot snapshot, read_state_blocks(bytes));
  add_snapshot(snapshot, out);
  if (is_last) add_small(snapshot, out);
  return Status::ok();
}

void add_subtask(FileSystem& files, const std::string& folder, const OperatorSnapshot& snapshot,
                 OperatorSummary& out) {
  out.splits += static_cast<std::int64_t>(snapshot.splits.size());
  out.committables += static_cast<std::int64_t>(snapshot.committables.size());
  for (std::size_t i = 0; i < snapshot.files.size(); ++i) {
    const StateFile& file = snapshot.files[i];
    out.bytes += file.bytes;
    const Status added = add_file(files, folder, file, i + 1 == snapshot.files.size(), out);
    if (added.is_ok()) continue;
    out.broken.push_back(added.to_string());
  }
}

}  // namespace

std::vector<OperatorSummary> summarize_state(FileSystem& files,
                                             const CompletedCheckpoint& checkpoint) {
  std::vector<OperatorSummary> all;
  for (const CheckpointMetadata::Vertex& vertex : checkpoint.metadata.vertices) {
    const std::size_t first = all.size();
    const auto finished = std::count_if(
        vertex.subtasks.begin(), vertex.subtasks.end(),
        [](const CheckpointMetadata::Subtask& subtask) { return subtask.has_finished; });
    for (const CheckpointMetadata::Operator& op : vertex.operators) {
      OperatorSummary& summary = all.emplace_back();
      summary.uid = op.uid;
      summary.name = op.name;
      summary.kind = op.kind;
      summary.task = vertex.name;
      summary.parallelism = static_cast<int>(vertex.subtasks.size());
      summary.max_parallelism = vertex.max_parallelism;
      summary.finished = static_cast<int>(finished);
      summary.enumerator_bytes = static_cast<std::int64_t>(op.enumerator.size());
    }
    for (const CheckpointMetadata::Subtask& subtask : vertex.subtasks) {
      for (const OperatorSnapshot& snapshot : subtask.operators) {
        const std::size_t place = first + static_cast<std::size_t>(snapshot.op);
        CLP_CHECK(place < all.size());  // The codec has seen to it.
        add_subtask(files, checkpoint.folder, snapshot, all[place]);
      }
    }
  }
  return all;
}

}  // namespace clepsydra
