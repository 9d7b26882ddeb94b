#include "main/restored_schemas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "base/file_system.h"
#include "base/memory_pool.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_options.h"
#include "checkpoint/field_renames.h"
#include "graph/job_graph.h"
#include "operators/operator_registry.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "stream/time_zone.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::string> kTimeZone{"table.local-time-zone", "default",
                                              "time zone of the session"};

Result<StoredOutline> outline_of(FileSystem& files, const std::string& folder,
                                 const StateFile& file) {
  if (file.path.empty()) {
    return read_state_outline(
        [&file](std::int64_t offset, std::int64_t bytes) -> Result<std::string> {
          const auto size = static_cast<std::int64_t>(file.inline_bytes.size());
          return file.inline_bytes.substr(static_cast<std::size_t>(std::min(offset, size)),
                                          static_cast<std::size_t>(bytes));
        });
  }
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> opened,
                       files.open_for_read(join_path(folder, file.path)));
  // Most descriptions fit into the first read.
  constexpr std::int64_t kAtOnce = 64 << 10;
  std::string ahead(static_cast<std::size_t>(kAtOnce), '\0');
  const auto read = [&opened](std::int64_t offset, std::string& into) -> Status {
    CLP_ASSIGN_OR_RETURN(
        const std::int64_t count,
        opened->read_at(offset, {reinterpret_cast<std::uint8_t*>(into.data()), into.size()}));
    into.resize(static_cast<std::size_t>(count));
    return Status::ok();
  };
  CLP_RETURN_IF_ERROR(read(0, ahead));
  return read_state_outline([&](std::int64_t offset, std::int64_t bytes) -> Result<std::string> {
    if (offset + bytes <= static_cast<std::int64_t>(ahead.size())) {
      return ahead.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
    }
    std::string part(static_cast<std::size_t>(bytes), '\0');
    CLP_RETURN_IF_ERROR(read(offset, part));
    return part;
  });
}

// The states of an operator without their rows.
struct StoredSchemas {
  std::vector<std::string> names;
  std::string snapshot;
};

// All subtasks have the same, so one that can be read will do.
std::optional<StoredSchemas> schemas_of(FileSystem& files, const std::string& folder,
                                        const CheckpointMetadata::Vertex& vertex, int op) {
  for (const CheckpointMetadata::Subtask& subtask : vertex.subtasks) {
    for (const OperatorSnapshot& snapshot : subtask.operators) {
      if (snapshot.op != op || snapshot.files.empty()) continue;
      const Result<StoredOutline> outline = outline_of(files, folder, snapshot.files.back());
      if (!outline.is_ok() || outline->states.empty()) continue;
      StoredSchemas schemas;
      StateBlockWriter writer;
      writer.begin({.is_base = true,
                    .key_groups = {0, outline->origin.max_parallelism},
                    .max_parallelism = outline->origin.max_parallelism},
                   schemas.snapshot);
      for (const StoredSchema& schema : outline->states) {
        if (!writer.add_state(schema, schemas.snapshot).is_ok()) return std::nullopt;
        schemas.names.push_back(schema.name);
      }
      writer.finish(schemas.snapshot);
      return schemas;
    }
  }
  return std::nullopt;
}

// Builds operators as their tasks would, over nothing but schemas.
class SchemaTrial {
 public:
  static Result<SchemaTrial> make(FileSystem& files, const Configuration& configuration,
                                  const OperatorRegistry& operators, const JobGraph& graph) {
    SchemaTrial trial(files, configuration, operators);
    CLP_ASSIGN_OR_RETURN(const RecoveryOptions recovery, read_recovery_options(configuration));
    trial.ignores_unclaimed_ = recovery.ignore_unclaimed_state;
    CLP_ASSIGN_OR_RETURN(trial.renames_, read_field_renames(configuration));
    CLP_RETURN_IF_ERROR(check_renamed_operators(trial.renames_, graph));
    CLP_ASSIGN_OR_RETURN(const std::string zone, configuration.get(kTimeZone));
    CLP_ASSIGN_OR_RETURN(trial.zone_, find_time_zone(zone == "default" ? "UTC" : zone));
    return trial;
  }

  RestoredSchemas run(const JobVertex& vertex, const OperatorSpec& spec, StoredSchemas schemas) {
    RestoredSchemas result{.uid = spec.uid, .name = spec.name, .changes = {}, .status = {}};
    result.status = restore(vertex, spec, std::move(schemas), result.changes);
    if (!result.status.is_ok()) {
      result.status =
          result.status.with_context(fmt::format("operator '{}'", clip(spec.name, 200)));
    }
    return result;
  }

 private:
  SchemaTrial(FileSystem& files, const Configuration& configuration,
              const OperatorRegistry& operators)
      : files_(&files), configuration_(&configuration), operators_(&operators) {}

  Status restore(const JobVertex& vertex, const OperatorSpec& spec, StoredSchemas schemas,
                 std::vector<std::string>& changes) const {
    const auto pool = MemoryPool::make_root("schemas");
    const SystemClock clock;
    CLP_ASSIGN_OR_RETURN(
        const std::unique_ptr<KeyedStateBackend> state,
        StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get(),
                                                          .key_groups = {0, vertex.max_parallelism},
                                                          .max_parallelism = vertex.max_parallelism,
                                                          .clock = &clock}));
    RestoredState restored;
    restored.renames = renames_of(renames_, spec.uid, spec.name);
    CLP_RETURN_IF_ERROR(check_renamed_states(restored.renames, schemas.names));
    restored.parts.push_back({.snapshots = {std::move(schemas.snapshot)}});
    CLP_RETURN_IF_ERROR(state->restore(std::move(restored)));
    OperatorCounters counters;
    OperatorContext context;
    context.pool = pool.get();
    context.clock = &clock;
    context.configuration = configuration_;
    context.file_system = files_;
    context.state = state.get();
    context.counters = &counters;
    context.session_zone = zone_.get();
    context.parallelism = vertex.parallelism;
    context.max_parallelism = vertex.max_parallelism;
    // Only the states that it opens are wanted.
    const Result<OperatorPtr> opened = operators_->make(spec, context);
    CLP_RETURN_IF_ERROR(opened.status());
    changes = state->restored_changes();
    const std::vector<std::string> unclaimed = state->unclaimed();
    if (unclaimed.empty() || ignores_unclaimed_) return Status::ok();
    return Status::failed_precondition(
        fmt::format("it does not use the stored state '{}' (set "
                    "'execution.state-recovery.ignore-unclaimed-state' to drop it)",
                    fmt::join(unclaimed, "', '")));
  }

  FileSystem* files_;
  const Configuration* configuration_;
  const OperatorRegistry* operators_;
  bool ignores_unclaimed_ = false;
  std::vector<OperatorRename> renames_;
  TimeZonePtr zone_;
};

}  // namespace

Result<std::vector<RestoredSchemas>> restored_schemas(FileSystem& files,
                                                      const CompletedCheckpoint& checkpoint,
                                                      const JobGraph& graph,
                                                      const Configuration& configuration,
                                                      const OperatorRegistry& operators) {
  CLP_ASSIGN_OR_RETURN(SchemaTrial trial,
                       SchemaTrial::make(files, configuration, operators, graph));
  std::map<std::string_view, std::pair<const CheckpointMetadata::Vertex*, int>> former;
  for (const CheckpointMetadata::Vertex& vertex : checkpoint.metadata.vertices) {
    for (std::size_t i = 0; i < vertex.operators.size(); ++i) {
      former.emplace(vertex.operators[i].uid, std::pair(&vertex, static_cast<int>(i)));
    }
  }
  std::vector<RestoredSchemas> results;
  for (const JobVertex& vertex : graph.vertices) {
    for (const ChainedOperator& chained : vertex.operators) {
      const auto found = former.find(chained.spec.uid);
      if (found == former.end()) continue;
      const auto& [stored, op] = found->second;
      // Another maximal parallelism is refused with its own words when state is assigned.
      if (stored->max_parallelism != vertex.max_parallelism) continue;
      std::optional<StoredSchemas> schemas = schemas_of(files, checkpoint.folder, *stored, op);
      if (schemas) results.push_back(trial.run(vertex, chained.spec, *std::move(schemas)));
    }
  }
  return results;
}

Status check_restored_schemas(FileSystem& files, const CompletedCheckpoint& checkpoint,
                              const JobGraph& graph, const Configuration& configuration,
                              const OperatorRegistry& operators) {
  CLP_ASSIGN_OR_RETURN(const std::vector<RestoredSchemas> results,
                       restored_schemas(files, checkpoint, graph, configuration, operators));
  for (const RestoredSchemas& each : results) {
    if (each.status.is_ok()) continue;
    return each.status.with_context(
        fmt::format("cannot go on from checkpoint {}", checkpoint.metadata.id));
  }
  return Status::ok();
}

}  // namespace clepsydra
