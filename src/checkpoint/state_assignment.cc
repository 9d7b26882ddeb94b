#include "checkpoint/state_assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "graph/job_graph.h"

namespace clepsydra {
namespace {

constexpr std::string_view kSourceKind = "source";

// An operator of the checkpoint.
struct Former {
  const CheckpointMetadata::Vertex* vertex = nullptr;
  const CheckpointMetadata::Operator* op = nullptr;
  int index = 0;
  bool is_claimed = false;

  [[nodiscard]] int parallelism() const { return static_cast<int>(vertex->subtasks.size()); }
  // Of a subtask; null: nothing.
  [[nodiscard]] const OperatorSnapshot* snapshot(int subtask) const {
    for (const OperatorSnapshot& snapshot :
         vertex->subtasks[static_cast<std::size_t>(subtask)].operators) {
      if (snapshot.op == index) return &snapshot;
    }
    return nullptr;
  }
  [[nodiscard]] bool has_finished(int subtask) const {
    return vertex->subtasks[static_cast<std::size_t>(subtask)].has_finished;
  }
};

using FormerByUid = std::map<std::string, Former, std::less<>>;

std::string name_of(std::string_view name) {
  return fmt::format("operator '{}'", clip(name, 64));
}

Result<FormerByUid> index_by_uid(const CheckpointMetadata& metadata) {
  FormerByUid formers;
  for (const CheckpointMetadata::Vertex& vertex : metadata.vertices) {
    for (std::size_t i = 0; i < vertex.operators.size(); ++i) {
      const CheckpointMetadata::Operator& op = vertex.operators[i];
      const Former former{&vertex, &op, static_cast<int>(i)};
      if (!formers.emplace(op.uid, former).second) {
        return Status::failed_precondition(
            fmt::format("{} and another operator of the checkpoint have the uid '{}'",
                        name_of(op.name), clip(op.uid, 64)));
      }
    }
  }
  return formers;
}

// What would be lost with it: "state of 2 subtasks, 3 splits"; empty: nothing.
std::string holdings(const Former& former) {
  int with_state = 0;
  std::size_t splits = 0;
  std::size_t committables = 0;
  for (int s = 0; s < former.parallelism(); ++s) {
    const OperatorSnapshot* snapshot = former.snapshot(s);
    if (snapshot == nullptr) continue;
    with_state += snapshot->files.empty() ? 0 : 1;
    splits += snapshot->splits.size();
    committables += snapshot->committables.size();
  }
  std::string text;
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (with_state > 0) add(fmt::format("state of {} subtasks", with_state));
  if (splits > 0 || !former.op->enumerator.empty()) {
    add(fmt::format("positions of a source ({} splits)", splits));
  }
  if (committables > 0) add(fmt::format("{} prepared writes", committables));
  return text;
}

class Assigner {
 public:
  Assigner(const CheckpointMetadata& metadata, const std::string& folder, const JobGraph& graph,
           FormerByUid formers)
      : metadata_(metadata),
        folder_(folder),
        graph_(graph),
        formers_(std::move(formers)),
        is_dealt_(find_dealt()) {}

  Result<StateAssignment> run(bool allow_dropping) {
    std::vector<std::vector<bool>> finished;  // By vertex and subtask.
    for (std::size_t v = 0; v < graph_.vertices.size(); ++v) {
      CLP_RETURN_IF_ERROR(claim(static_cast<int>(v)));
      finished.push_back(finished_subtasks(graph_.vertices[v]));
      CLP_RETURN_IF_ERROR(reopen_fed(static_cast<int>(v), finished));
      for (std::size_t s = 0; s < finished[v].size(); ++s) {
        assign_task(static_cast<int>(v), static_cast<int>(s), finished[v][s]);
      }
    }
    assign_in_flight();
    CLP_RETURN_IF_ERROR(drop_unclaimed(allow_dropping));
    return std::move(assignment_);
  }

 private:
  Former* former_of(const OperatorSpec& spec) {
    const auto found = formers_.find(spec.uid);
    return found == formers_.end() ? nullptr : &found->second;
  }

  // Which vertices may get any row at any subtask: splits are dealt out, and so are rows by
  // Partitioning::kRebalance. Behind it without another exchange that stays so.
  [[nodiscard]] std::vector<bool> find_dealt() const {
    std::vector<bool> dealt;
    for (const JobVertex& vertex : graph_.vertices) {
      dealt.push_back(std::any_of(
          vertex.operators.begin(), vertex.operators.end(),
          [](const ChainedOperator& chained) { return chained.spec.kind == kSourceKind; }));
    }
    // Producers come before consumers.
    for (std::size_t v = 0; v < dealt.size(); ++v) {
      for (const JobEdge& edge : graph_.edges) {
        if (edge.to_vertex != static_cast<int>(v)) continue;
        const bool is_forward = edge.partitioning == Partitioning::kForward;
        dealt[v] = dealt[v] || edge.partitioning == Partitioning::kRebalance ||
                   (is_forward && dealt[static_cast<std::size_t>(edge.from_vertex)]);
      }
    }
    return dealt;
  }

  // Finds the operators of a vertex in the checkpoint, checks that they may have its state, and
  // takes what belongs to the operator as a whole.
  Status claim(int v) {
    const JobVertex& vertex = graph_.vertices[static_cast<std::size_t>(v)];
    for (std::size_t i = 0; i < vertex.operators.size(); ++i) {
      const OperatorSpec& spec = vertex.operators[i].spec;
      Former* former = former_of(spec);
      if (former == nullptr) continue;
      if (std::exchange(former->is_claimed, true)) {
        return Status::failed_precondition(
            fmt::format("{} and another operator of the job have the uid '{}'", name_of(spec.name),
                        clip(spec.uid, 64)));
      }
      CLP_RETURN_IF_ERROR(check_parallelism(vertex, spec, *former));
      const int op = static_cast<int>(i);
      SourceRestore source{v, op, former->op->enumerator, {}};
      SinkCommittables sink{v, op, {}};
      for (int s = 0; s < former->parallelism(); ++s) {
        const OperatorSnapshot* snapshot = former->snapshot(s);
        if (snapshot == nullptr) continue;
        source.splits.insert(source.splits.end(), snapshot->splits.begin(), snapshot->splits.end());
        sink.committables.insert(sink.committables.end(), snapshot->committables.begin(),
                                 snapshot->committables.end());
      }
      // A source without anything left is restored too: else it would begin anew.
      if (former->op->kind == kSourceKind || !source.splits.empty()) {
        assignment_.sources.push_back(std::move(source));
      }
      if (!sink.committables.empty()) assignment_.commit.push_back(std::move(sink));
    }
    return Status::ok();
  }

  static Status check_parallelism(const JobVertex& vertex, const OperatorSpec& spec,
                                  const Former& former) {
    if (vertex.parallelism > vertex.max_parallelism) {
      return Status::failed_precondition(
          fmt::format("cannot restore {}: its parallelism {} is above its maximal parallelism {}",
                      name_of(spec.name), vertex.parallelism, vertex.max_parallelism));
    }
    bool has_state = false;
    for (int s = 0; s < former.parallelism(); ++s) {
      const OperatorSnapshot* snapshot = former.snapshot(s);
      has_state = has_state || (snapshot != nullptr && !snapshot->files.empty());
    }
    if (!has_state || former.vertex->max_parallelism == vertex.max_parallelism) {
      return Status::ok();
    }
    return Status::failed_precondition(
        fmt::format("cannot restore the state of {}: its maximal parallelism is {}, it was {} when "
                    "the state was stored; set pipeline.max-parallelism to {}",
                    name_of(spec.name), vertex.max_parallelism, former.vertex->max_parallelism,
                    former.vertex->max_parallelism));
  }

  std::vector<bool> finished_subtasks(const JobVertex& vertex) {
    std::vector<bool> finished(static_cast<std::size_t>(vertex.parallelism), true);
    for (const ChainedOperator& chained : vertex.operators) {
      const Former* former = former_of(chained.spec);
      // A new operator has not finished, nor has one without former subtasks.
      if (former == nullptr || former->parallelism() == 0) {
        finished.assign(finished.size(), false);
        break;
      }
      bool all = true;
      for (int s = 0; s < former->parallelism(); ++s) all = all && former->has_finished(s);
      const bool is_same = former->parallelism() == vertex.parallelism;
      for (std::size_t s = 0; s < finished.size(); ++s) {
        finished[s] = finished[s] && (is_same ? former->has_finished(static_cast<int>(s)) : all);
      }
    }
    return finished;
  }

  void assign_task(int v, int subtask, bool has_finished) {
    const JobVertex& vertex = graph_.vertices[static_cast<std::size_t>(v)];
    TaskRestore task;
    task.vertex = v;
    task.subtask = subtask;
    task.has_finished = has_finished;
    task.folder = folder_;
    for (std::size_t i = 0; i < vertex.operators.size() && !has_finished; ++i) {
      const Former* former = former_of(vertex.operators[i].spec);
      if (former == nullptr) continue;
      // What was known of the rows that one subtask got (how far the time of its splits was) is not
      // what holds for those that it gets: splits are dealt anew, and rows that came from a source
      // in the same task may come from all sources now.
      const bool is_same =
          former->parallelism() == vertex.parallelism && !is_dealt_[static_cast<std::size_t>(v)];
      TaskRestore::Operator op;
      op.op = static_cast<int>(i);
      for (int s = is_same ? subtask : 0; s < (is_same ? subtask + 1 : former->parallelism());
           ++s) {
        const OperatorSnapshot* snapshot = former->snapshot(s);
        if (snapshot != nullptr && !snapshot->files.empty()) op.parts.push_back({snapshot->files});
      }
      if (!op.parts.empty()) task.operators.push_back(std::move(op));
    }
    if (task.has_finished || !task.operators.empty()) assignment_.tasks.push_back(std::move(task));
  }

  [[nodiscard]] bool had_all_finished(const JobVertex& vertex) {
    return std::all_of(vertex.operators.begin(), vertex.operators.end(),
                       [this](const ChainedOperator& chained) {
                         const Former* former = former_of(chained.spec);
                         for (int s = 0; former != nullptr && s < former->parallelism(); ++s) {
                           if (!former->has_finished(s)) return false;
                         }
                         return former != nullptr;
                       });
  }

  // A task that has finished takes no rows: none may come. Where some of its kind had not finished,
  // and rows come another way than before, it begins again with what it had: nothing.
  Status reopen_fed(int v, std::vector<std::vector<bool>>& finished) {
    std::vector<bool>& to = finished[static_cast<std::size_t>(v)];
    const JobVertex& vertex = graph_.vertices[static_cast<std::size_t>(v)];
    for (const JobEdge& edge : graph_.edges) {
      if (edge.to_vertex != v) continue;
      const std::vector<bool>& from = finished[static_cast<std::size_t>(edge.from_vertex)];
      const bool is_forward = edge.partitioning == Partitioning::kForward;
      for (std::size_t s = 0; s < to.size(); ++s) {
        const bool all_from =
            is_forward ? from[s] : std::find(from.begin(), from.end(), false) == from.end();
        if (!to[s] || all_from) continue;
        if (had_all_finished(vertex)) {
          return Status::failed_precondition(fmt::format(
              "cannot restore: task '{}' had finished, but '{}', which feeds it, had not or is new",
              clip(vertex.name, 64),
              clip(graph_.vertices[static_cast<std::size_t>(edge.from_vertex)].name, 64)));
        }
        to[s] = false;
      }
    }
    return Status::ok();
  }

  // The edge of the job that a former one has become, or -1.
  [[nodiscard]] int find_edge(std::size_t former) const {
    const auto is_same = [](const CheckpointMetadata::Edge& a, const CheckpointMetadata::Edge& b) {
      return a.from_uid == b.from_uid && a.to_uid == b.to_uid && a.to_input == b.to_input;
    };
    const CheckpointMetadata::Edge& wanted = metadata_.edges[former];
    int before = 0;  // Equal ones before it.
    for (std::size_t e = 0; e < former; ++e) before += is_same(metadata_.edges[e], wanted) ? 1 : 0;
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      const JobEdge& edge = graph_.edges[e];
      const JobVertex& from = graph_.vertices[static_cast<std::size_t>(edge.from_vertex)];
      const JobVertex& to = graph_.vertices[static_cast<std::size_t>(edge.to_vertex)];
      const CheckpointMetadata::Edge ends{
          0, 0, from.operators[static_cast<std::size_t>(edge.from_operator)].spec.uid,
          to.operators[0].spec.uid, edge.to_input};
      if (is_same(ends, wanted) && before-- == 0) return static_cast<int>(e);
    }
    return -1;
  }

  void assign_in_flight() {
    for (std::size_t e = 0; e < metadata_.edges.size(); ++e) {
      const CheckpointMetadata::Edge& former = metadata_.edges[e];
      const auto from = static_cast<std::size_t>(former.from_vertex);
      const auto to = static_cast<std::size_t>(former.to_vertex);
      InFlightRestore restore;
      restore.edge = find_edge(e);
      restore.producers = static_cast<int>(metadata_.vertices[from].subtasks.size());
      restore.consumers = static_cast<int>(metadata_.vertices[to].subtasks.size());
      restore.max_parallelism = metadata_.vertices[to].max_parallelism;
      restore.folder = folder_;
      std::int64_t rows = 0;
      for (const bool is_output : {false, true}) {
        const auto& subtasks = metadata_.vertices[is_output ? from : to].subtasks;
        for (std::size_t s = 0; s < subtasks.size(); ++s) {
          for (const InFlightFile& in_flight : subtasks[s].in_flight) {
            if (in_flight.edge != static_cast<int>(e) || in_flight.is_output != is_output) continue;
            rows += in_flight.rows;
            restore.parts.push_back({static_cast<int>(s), is_output, in_flight.file});
          }
        }
      }
      if (restore.parts.empty()) continue;
      if (restore.edge < 0) {
        if (rows == 0) continue;
        assignment_.dropped.push_back(fmt::format("{} rows in flight between '{}' and '{}'", rows,
                                                  clip(metadata_.vertices[from].name, 64),
                                                  clip(metadata_.vertices[to].name, 64)));
        continue;
      }
      assignment_.in_flight.push_back(std::move(restore));
    }
  }

  Status drop_unclaimed(bool allow_dropping) {
    bool any_claimed = false;
    for (const auto& [uid, former] : formers_) any_claimed = any_claimed || former.is_claimed;
    for (const auto& [uid, former] : formers_) {
      if (former.is_claimed) continue;
      const std::string lost = holdings(former);
      if (lost.empty()) continue;
      assignment_.dropped.push_back(
          fmt::format("{} (uid '{}'): {}", name_of(former.op->name), clip(uid, 64), lost));
    }
    if (assignment_.dropped.empty() || allow_dropping) return Status::ok();
    std::string message = any_claimed
                              ? "cannot restore: the job has no place for"
                              : fmt::format(
                                    "cannot restore: this is a checkpoint of job '{}', and the job "
                                    "has none of its operators:",
                                    clip(metadata_.job_name, 64));
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < std::min(kNamed, assignment_.dropped.size()); ++i) {
      message += (i == 0 ? " " : "; ") + assignment_.dropped[i];
    }
    if (assignment_.dropped.size() > kNamed) {
      message += fmt::format("; and {} more", assignment_.dropped.size() - kNamed);
    }
    message += "; to go on without it set execution.state-recovery.ignore-unclaimed-state = true";
    return Status::failed_precondition(std::move(message));
  }

  const CheckpointMetadata& metadata_;
  const std::string& folder_;
  const JobGraph& graph_;
  FormerByUid formers_;
  const std::vector<bool> is_dealt_;  // By vertex.
  StateAssignment assignment_;
};

// Of edges between tasks of one parallelism only those that had rows: what else is known of them is
// how far event time was, which who is chained hears from his producer.
bool needs_gate(const CheckpointMetadata& metadata, std::size_t edge) {
  const auto& from = metadata.vertices[static_cast<std::size_t>(metadata.edges[edge].from_vertex)];
  const auto& to = metadata.vertices[static_cast<std::size_t>(metadata.edges[edge].to_vertex)];
  const bool is_even = from.subtasks.size() == to.subtasks.size();
  const auto has_any = [&](const CheckpointMetadata::Subtask& subtask) {
    return std::any_of(subtask.in_flight.begin(), subtask.in_flight.end(),
                       [&](const InFlightFile& file) {
                         return file.edge == static_cast<int>(edge) && (file.rows > 0 || !is_even);
                       });
  };
  return std::any_of(from.subtasks.begin(), from.subtasks.end(), has_any) ||
         std::any_of(to.subtasks.begin(), to.subtasks.end(), has_any);
}

}  // namespace

std::vector<std::pair<int, int>> chained_over(const CheckpointMetadata& metadata,
                                              const JobGraph& graph) {
  std::set<std::pair<std::string, std::string>> edges;  // By the uids of their ends.
  for (std::size_t e = 0; e < metadata.edges.size(); ++e) {
    if (!needs_gate(metadata, e)) continue;
    edges.emplace(metadata.edges[e].from_uid, metadata.edges[e].to_uid);
  }
  std::vector<std::pair<int, int>> chained;
  for (std::size_t v = 0; v < graph.vertices.size() && !edges.empty(); ++v) {
    const std::vector<ChainedOperator>& operators = graph.vertices[v].operators;
    for (std::size_t op = 1; op < operators.size(); ++op) {
      const ChainedOperator& fed_by = operators[static_cast<std::size_t>(operators[op].producer)];
      if (!edges.contains({fed_by.spec.uid, operators[op].spec.uid})) continue;
      chained.emplace_back(static_cast<int>(v), static_cast<int>(op));
    }
  }
  return chained;
}

StateAssignment StateAssignment::of(const std::vector<int>& vertices, const JobGraph& graph) const {
  const std::set<int> wanted(vertices.begin(), vertices.end());
  const auto of_vertex = [&](const auto& each) { return wanted.contains(each.vertex); };
  StateAssignment part;
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(part.tasks), of_vertex);
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(part.sources), of_vertex);
  std::copy_if(commit.begin(), commit.end(), std::back_inserter(part.commit), of_vertex);
  std::copy_if(in_flight.begin(), in_flight.end(), std::back_inserter(part.in_flight),
               [&](const InFlightRestore& each) {
                 return wanted.contains(graph.edges[static_cast<std::size_t>(each.edge)].to_vertex);
               });
  return part;
}

Result<StateAssignment> assign_state(const CheckpointMetadata& metadata, const std::string& folder,
                                     const JobGraph& graph, bool allow_dropping) {
  CLP_ASSIGN_OR_RETURN(FormerByUid formers, index_by_uid(metadata));
  return Assigner(metadata, folder, graph, std::move(formers)).run(allow_dropping);
}

}  // namespace clepsydra
