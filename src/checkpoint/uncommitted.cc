#include "checkpoint/uncommitted.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace clepsydra {
namespace {

using SinkKey = std::pair<int, int>;  // Vertex and operator.

// NOLINTNEXTLINE(performance-unnecessary-value-param): it is taken apart.
std::vector<SinkCommittables> by_sink(std::map<SinkKey, std::vector<std::string>> sinks) {
  std::vector<SinkCommittables> all;
  for (auto& [sink, committables] : sinks) {
    all.push_back({sink.first, sink.second, std::move(committables)});
  }
  return all;
}

// Calls `visit(task, operator)` for everything that has committables.
template <typename Visit>
void for_each_prepared(const CheckpointMetadata& metadata, Visit visit) {
  for (std::size_t v = 0; v < metadata.vertices.size(); ++v) {
    const auto& subtasks = metadata.vertices[v].subtasks;
    for (std::size_t s = 0; s < subtasks.size(); ++s) {
      for (const OperatorSnapshot& op : subtasks[s].operators) {
        if (op.committables.empty()) continue;
        visit(SubtaskIndex{static_cast<int>(v), static_cast<int>(s)}, op);
      }
    }
  }
}

OperatorSnapshot& operator_of(CheckpointMetadata::Subtask& subtask, int op) {
  const auto place = std::lower_bound(
      subtask.operators.begin(), subtask.operators.end(), op,
      [](const OperatorSnapshot& snapshot, int index) { return snapshot.op < index; });
  if (place != subtask.operators.end() && place->op == op) return *place;
  OperatorSnapshot snapshot;
  snapshot.op = op;
  return *subtask.operators.insert(place, std::move(snapshot));
}

}  // namespace

std::vector<SinkCommittables> committables_of(const CheckpointMetadata& metadata) {
  std::map<SinkKey, std::vector<std::string>> sinks;
  for_each_prepared(metadata, [&](SubtaskIndex task, const OperatorSnapshot& op) {
    std::vector<std::string>& all = sinks[{task.vertex, op.op}];
    all.insert(all.end(), op.committables.begin(), op.committables.end());
  });
  return by_sink(std::move(sinks));
}

void Uncommitted::keep(CheckpointId at, SubtaskIndex task,
                       const std::vector<OperatorSnapshot>& operators, bool is_in_savepoint) {
  for (const OperatorSnapshot& op : operators) {
    for (const std::string& committable : op.committables) {
      if (committed_.contains({task, op.op, committable})) continue;
      const auto [entry, is_new] =
          entries_.try_emplace({task, op.op, committable}, Entry{at, is_in_savepoint});
      if (is_new) continue;
      entry->second.at = std::min(entry->second.at, at);
      entry->second.is_in_savepoint = entry->second.is_in_savepoint || is_in_savepoint;
    }
  }
}

void Uncommitted::keep_all(const CheckpointMetadata& metadata, bool is_in_savepoint) {
  for_each_prepared(metadata, [&](SubtaskIndex task, const OperatorSnapshot& op) {
    keep(metadata.id, task, {op}, is_in_savepoint);
  });
}

void Uncommitted::add_to(CheckpointMetadata& metadata) const {
  std::set<Key> present;
  for_each_prepared(metadata, [&](SubtaskIndex task, const OperatorSnapshot& op) {
    for (const std::string& text : op.committables) present.insert({task, op.op, text});
  });
  for (const auto& [key, entry] : entries_) {
    if (entry.at >= metadata.id || present.contains(key)) continue;
    const auto vertex = static_cast<std::size_t>(key.task.vertex);
    const auto subtask = static_cast<std::size_t>(key.task.subtask);
    CLP_CHECK(vertex < metadata.vertices.size() &&
              subtask < metadata.vertices[vertex].subtasks.size());
    operator_of(metadata.vertices[vertex].subtasks[subtask], key.op)
        .committables.push_back(key.committable);
  }
}

void Uncommitted::remove_committed(const CheckpointMetadata& metadata, bool remember) {
  for_each_prepared(metadata, [&](SubtaskIndex task, const OperatorSnapshot& op) {
    for (const std::string& text : op.committables) {
      entries_.erase({task, op.op, text});
      if (remember) committed_.insert({task, op.op, text});
    }
  });
}

std::vector<SinkCommittables> Uncommitted::take() {
  std::map<SinkKey, std::vector<std::string>> sinks;
  for (const auto& [key, entry] : entries_) {
    sinks[{key.task.vertex, key.op}].push_back(key.committable);
  }
  entries_.clear();
  return by_sink(std::move(sinks));
}

std::vector<SinkCommittables> Uncommitted::take_of(const std::vector<int>& vertices) {
  std::map<SinkKey, std::vector<std::string>> sinks;
  std::erase_if(entries_, [&](const auto& each) {
    const auto& [key, entry] = each;
    if (std::find(vertices.begin(), vertices.end(), key.task.vertex) == vertices.end()) {
      return false;
    }
    if (!entry.is_in_savepoint) sinks[{key.task.vertex, key.op}].push_back(key.committable);
    return true;
  });
  return by_sink(std::move(sinks));
}

}  // namespace clepsydra
