#include "main/recovery_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_options.h"
#include "checkpoint/checkpoint_storage.h"
#include "checkpoint/state_assignment.h"
#include "checkpoint/state_summary.h"
#include "graph/job_graph.h"
#include "main/restored_schemas.h"
#include "operators/operator_registry.h"

namespace clepsydra {
namespace {

constexpr std::size_t kNameShown = 200;
constexpr std::size_t kTypeShown = 300;
constexpr std::size_t kErrorShown = 1000;

std::string_view kind_name(StoredKind kind) {
  switch (kind) {
    case StoredKind::kRows:
      return "state";
    case StoredKind::kNumber:
      return "number";
    case StoredKind::kList:
      return "list";
    case StoredKind::kTimers:
      return "timers";
  }
  return "";
}

std::string operator_line(std::string_view name, std::string_view uid) {
  return fmt::format("  {} (uid {})\n", clip(name, kNameShown), clip(uid, kNameShown));
}

// What it holds, a line each; empty: nothing.
std::string holdings(const OperatorSummary& op) {
  std::string text;
  for (const auto& [key, state] : op.states) {
    const auto& [kind, name] = key;
    text += fmt::format("    {} '{}'", kind_name(kind), clip(name, kNameShown));
    if (!state.type.empty()) text += " " + clip(state.type, kTypeShown);
    if (kind == StoredKind::kRows) {
      text += fmt::format(": {} entries", state.entries);
      if (state.written > 0) text += fmt::format(", {} written since", state.written);
      text += fmt::format(", {} bytes", state.bytes);
    } else if (kind != StoredKind::kNumber) {
      text += fmt::format(": {} entries", state.entries);
    }
    text += "\n";
  }
  if (op.splits > 0 || op.enumerator_bytes > 0) {
    text += fmt::format("    positions: {} splits under way, {} bytes of those not handed out\n",
                        op.splits, op.enumerator_bytes);
  }
  if (op.committables > 0) {
    text += fmt::format("    {} prepared writes, to be committed\n", op.committables);
  }
  for (const std::string& broken : op.broken) {
    text += fmt::format("    cannot be read: {}\n", clip(broken, kTypeShown));
  }
  return text;
}

// Kinds whose operators keep nothing between rows.
bool keeps_something(std::string_view kind) {
  return kind != "calc" && kind != "window_table_function" && kind != "collect_sink";
}

struct Sections {
  std::string kept;
  std::string dropped;
  std::string added;
};

// How what it holds is read, a line each.
std::string schema_lines(const RestoredSchemas& schemas) {
  std::string text;
  for (const std::string& change : schemas.changes) {
    text += fmt::format("    changed: {}\n", clip(change, kTypeShown));
  }
  if (!schemas.status.is_ok()) {
    text +=
        fmt::format("    cannot be restored: {}\n", clip(schemas.status.message(), kErrorShown));
  }
  return text;
}

Sections compare(const std::vector<OperatorSummary>& former,
                 const std::vector<RestoredSchemas>& schemas, const JobGraph& graph) {
  std::map<std::string_view, const OperatorSummary*> by_uid;
  for (const OperatorSummary& op : former) by_uid.emplace(op.uid, &op);
  std::map<std::string_view, const RestoredSchemas*> schemas_of;
  for (const RestoredSchemas& each : schemas) schemas_of.emplace(each.uid, &each);
  Sections sections;
  for (const JobVertex& vertex : graph.vertices) {
    for (const ChainedOperator& chained : vertex.operators) {
      const OperatorSpec& spec = chained.spec;
      const auto found = by_uid.find(spec.uid);
      if (found == by_uid.end()) {
        if (keeps_something(spec.kind)) sections.added += operator_line(spec.name, spec.uid);
        continue;
      }
      const OperatorSummary& op = *found->second;
      by_uid.erase(found);
      std::string held = holdings(op);
      if (held.empty() && !keeps_something(spec.kind)) continue;
      sections.kept += operator_line(spec.name, spec.uid);
      if (op.parallelism != vertex.parallelism) {
        sections.kept +=
            fmt::format("    parallelism {} -> {}\n", op.parallelism, vertex.parallelism);
      }
      sections.kept += held.empty() ? "    nothing yet\n" : held;
      const auto schema = schemas_of.find(spec.uid);
      if (schema != schemas_of.end()) sections.kept += schema_lines(*schema->second);
    }
  }
  for (const OperatorSummary& op : former) {
    if (!by_uid.contains(op.uid)) continue;
    const std::string held = holdings(op);
    if (!held.empty()) sections.dropped += operator_line(op.name, op.uid) + held;
  }
  return sections;
}

}  // namespace

Result<std::string> recovery_report(FileSystem& files, const Configuration& configuration,
                                    const JobGraph& graph) {
  CLP_ASSIGN_OR_RETURN(const RecoveryOptions options, read_recovery_options(configuration));
  CLP_ASSIGN_OR_RETURN(const FoundCheckpoint found,
                       find_checkpoint(files, options.path, FileCheck::kSize));
  const CheckpointMetadata& metadata = found.checkpoint.metadata;
  std::string text =
      fmt::format("{} {} of job '{}' ({}) in {}\n",
                  metadata.kind == CheckpointKind::kSavepoint ? "Savepoint" : "Checkpoint",
                  metadata.id, clip(metadata.job_name, kNameShown), clip(metadata.job_id, 64),
                  found.checkpoint.metadata_folder);
  for (const std::string& why : found.skipped) text += fmt::format("passed over: {}\n", why);
  CLP_ASSIGN_OR_RETURN(const std::vector<RestoredSchemas> schemas,
                       restored_schemas(files, found.checkpoint, graph, configuration,
                                        OperatorRegistry::built_in()));
  const Sections sections = compare(summarize_state(files, found.checkpoint), schemas, graph);
  const auto add = [&text](std::string_view title, const std::string& lines) {
    text += fmt::format("{}:{}", title, lines.empty() ? " nothing\n" : "\n" + lines);
  };
  add("Kept", sections.kept);
  add("Dropped", sections.dropped);
  add("New", sections.added);
  CLP_ASSIGN_OR_RETURN(const JobGraph unchained, unchain(graph, chained_over(metadata, graph)));
  const Result<StateAssignment> assigned =
      assign_state(metadata, found.checkpoint.folder, unchained, options.ignore_unclaimed_state);
  const auto refused =
      std::find_if(schemas.begin(), schemas.end(),
                   [](const RestoredSchemas& each) { return !each.status.is_ok(); });
  const Status& status =
      !assigned.is_ok() || refused == schemas.end() ? assigned.status() : refused->status;
  text += status.is_ok() ? "The job would go on from here.\n"
                         : fmt::format("The job would be refused: {}\n", status.message());
  return text;
}

}  // namespace clepsydra
