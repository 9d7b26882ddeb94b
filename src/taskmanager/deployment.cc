#include "taskmanager/deployment.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/memory_pool.h"
#include "base/parallel.h"
#include "checkpoint/checkpoint_options.h"
#include "checkpoint/field_renames.h"
#include "graph/job_graph.h"
#include "network/input_gate.h"
#include "network/local_channel.h"
#include "network/output_gate.h"
#include "operators/operator_registry.h"
#include "state/local_state.h"
#include "state/state_backend.h"
#include "stream/key_group.h"
#include "taskmanager/in_flight_restore.h"
#include "taskmanager/input_driver.h"
#include "taskmanager/local_copies.h"
#include "taskmanager/result_exchange.h"
#include "taskmanager/source_driver.h"
#include "taskmanager/task_restore.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::int64_t> kBatchRowsMax{"clepsydra.batch.rows-max", "4096",
                                                   "most rows of one batch"};
constexpr ConfigOption<MemorySize> kBatchBytesMax{
    "clepsydra.batch.bytes-max", "16 mb", "largest element of a channel; a larger row is an error"};
constexpr ConfigOption<MemorySize> kChannelBytesMax{
    "clepsydra.channel.bytes-max", "1 mb", "bytes that wait between two tasks of one process"};
constexpr ConfigOption<Duration> kWatermarkInterval{
    "pipeline.auto-watermark-interval", "200 ms",
    "smallest advance of event time that is sent at once"};
constexpr ConfigOption<std::string> kTimeZone{"table.local-time-zone", "default",
                                              "the session's time zone"};
constexpr ConfigOption<std::string> kStateBackend{"state.backend.type", "hashmap",
                                                  "where keyed state is kept"};

struct Limits {
  std::int64_t batch_rows_max = 0;
  std::int64_t batch_bytes_max = 0;
  std::int64_t channel_bytes_max = 0;
  std::int64_t watermark_interval_ms = 0;
  bool writes_local_copies = false;
  std::string state_backend;
  LocalStateOptions local_state;
  TaskCheckpointOptions checkpoint;
  bool ignore_unclaimed_state = false;
  std::vector<OperatorRename> renames;
};

Result<Limits> read_limits(const Configuration& configuration) {
  Limits limits;
  CLP_ASSIGN_OR_RETURN(limits.batch_rows_max, configuration.get(kBatchRowsMax));
  CLP_ASSIGN_OR_RETURN(const MemorySize batch_bytes, configuration.get(kBatchBytesMax));
  CLP_ASSIGN_OR_RETURN(const MemorySize channel_bytes, configuration.get(kChannelBytesMax));
  CLP_ASSIGN_OR_RETURN(const Duration interval, configuration.get(kWatermarkInterval));
  CLP_ASSIGN_OR_RETURN(limits.state_backend, configuration.get(kStateBackend));
  CLP_ASSIGN_OR_RETURN(limits.local_state, read_local_state_options(configuration));
  constexpr std::int64_t kRowsLimit = 1 << 20;
  if (limits.batch_rows_max < 1 || limits.batch_rows_max > kRowsLimit) {
    return Status::invalid_argument(fmt::format("'{}' must be between 1 and {}, but is {}",
                                                kBatchRowsMax.key, kRowsLimit,
                                                limits.batch_rows_max));
  }
  for (const auto& [key, size] : {std::pair(kBatchBytesMax.key, batch_bytes),
                                  std::pair(kChannelBytesMax.key, channel_bytes)}) {
    constexpr std::int64_t kBytesLimit = 1LL << 30;
    if (size.bytes >= 1 && size.bytes <= kBytesLimit) continue;
    return Status::invalid_argument(fmt::format("'{}' must be between 1 and {} bytes, but is {}",
                                                key, kBytesLimit, size.bytes));
  }
  limits.batch_bytes_max = batch_bytes.bytes;
  limits.channel_bytes_max = channel_bytes.bytes;
  limits.watermark_interval_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(interval).count();
  CLP_ASSIGN_OR_RETURN(const CheckpointOptions checkpoint, read_checkpoint_options(configuration));
  limits.checkpoint.exactly_once = checkpoint.mode == CheckpointingMode::kExactlyOnce;
  limits.checkpoint.incremental = checkpoint.is_incremental;
  limits.checkpoint.inline_bytes_max = checkpoint.inline_bytes_max;
  limits.writes_local_copies = checkpoint.has_local_copies;
  limits.checkpoint.overtakes = checkpoint.is_unaligned;
  limits.checkpoint.overtake_after_ms = checkpoint.aligned_timeout_ms;
  CLP_ASSIGN_OR_RETURN(const RecoveryOptions recovery, read_recovery_options(configuration));
  limits.ignore_unclaimed_state = recovery.ignore_unclaimed_state;
  CLP_ASSIGN_OR_RETURN(limits.renames, read_field_renames(configuration));
  return limits;
}

class DeploymentBuilder {
 public:
  DeploymentBuilder(const JobGraph& graph, RestoredTasks restored, RecoveredEdges recovered,
                    SlotSharers& sharers, const TaskEnvironment& environment,
                    Deployment& deployment)
      : graph_(graph),
        sharers_(sharers),
        restored_(std::move(restored)),
        recovered_(std::move(recovered)),
        environment_(environment),
        deployment_(deployment) {}

  Status build();

 private:
  // As in the reference: what takes a channel of its own (forward) or all of them (broadcast) could
  // not be shared out anew among more or fewer subtasks.
  static bool may_be_overtaken(const JobEdge& edge) {
    return edge.partitioning == Partitioning::kHash ||
           edge.partitioning == Partitioning::kRebalance ||
           edge.partitioning == Partitioning::kGlobal;
  }

  static bool has_rows(const InFlightChannel& content) {
    return std::any_of(content.elements.begin(), content.elements.end(),
                       [](const StreamElement& element) { return as_batch(element) != nullptr; });
  }

  // One end of the channels of an edge: who is at the other end, and the channels in that order.
  struct EdgeEnd {
    std::vector<std::shared_ptr<LocalChannel>> channels;
  };

  void make_channels();
  Result<std::unique_ptr<Task>> build_task(int vertex_index, int subtask);
  void add_pools(const JobVertex& vertex, TaskParts& parts);
  Status add_input(const JobVertex& vertex, int vertex_index, TaskParts& parts);
  Status add_source(const JobVertex& vertex, TaskParts& parts);
  std::vector<RecoveredChannel> recovered_channels(int vertex_index, const TaskParts& parts);
  [[nodiscard]] const SchemaPtr& sent_by(const JobEdge& edge) const {
    return vertex(edge.from_vertex)
        .operators[static_cast<std::size_t>(edge.from_operator)]
        .spec.output;
  }
  Status add_chain(const JobVertex& vertex, int vertex_index, TaskParts& parts);
  Result<std::unique_ptr<KeyedStateBackend>> make_state(const JobVertex& vertex, int op,
                                                        const TaskParts& parts);
  LocalStateOptions local_state_of(const TaskId& id, int op);
  Status check_all_claimed(const JobVertex& vertex, const TaskParts& parts) const;
  Result<OperatorContext> make_context(const JobVertex& vertex, int op, const OperatorSpec& spec,
                                       TaskParts& parts);
  std::vector<Output*> make_outputs(int vertex_index, int op, TaskParts& parts);
  [[nodiscard]] Routing make_routing(const JobEdge& edge, int subtask) const;
  [[nodiscard]] bool is_built(int vertex) const {
    return std::binary_search(deployment_.vertices.begin(), deployment_.vertices.end(), vertex);
  }
  [[nodiscard]] const JobVertex& vertex(int index) const {
    return graph_.vertices[static_cast<std::size_t>(index)];
  }

  const JobGraph& graph_;
  SlotSharers& sharers_;
  RestoredTasks restored_;
  RecoveredEdges recovered_;
  const TaskEnvironment& environment_;
  Deployment& deployment_;
  Limits limits_;
  // By edge, then by subtask of its producer or consumer.
  std::vector<std::vector<EdgeEnd>> out_;
  std::vector<std::vector<EdgeEnd>> in_;
};

Status DeploymentBuilder::build() {
  CLP_ASSIGN_OR_RETURN(limits_, read_limits(deployment_.configuration));
  if (environment_.open_local_stores &&
      environment_.state_backends->uses_local_disk(limits_.state_backend)) {
    CLP_ASSIGN_OR_RETURN(deployment_.local_stores,
                         environment_.open_local_stores(deployment_.configuration));
  }
  std::vector<std::pair<int, int>> subtasks;
  for (int v = 0; v < static_cast<int>(graph_.vertices.size()); ++v) {
    deployment_.first_task.push_back(subtasks.size());
    if (!is_built(v)) continue;
    for (int subtask = 0; subtask < vertex(v).parallelism; ++subtask) {
      subtasks.emplace_back(v, subtask);
    }
  }
  make_channels();
  deployment_.tasks.resize(subtasks.size());
  const auto build_one = [&](std::size_t i) -> Status {
    const auto [v, subtask] = subtasks[i];
    Result<std::unique_ptr<Task>> task = build_task(v, subtask);
    if (!task.is_ok()) {
      return task.status().with_context(
          fmt::format("{} ({}/{})", vertex(v).name, subtask + 1, vertex(v).parallelism));
    }
    deployment_.tasks[i] = *std::move(task);
    return Status::ok();
  };
  // What has nothing to restore takes microseconds, and may be built on a thread that must not
  // wait.
  const std::size_t helpers = restored_.empty() ? 0 : kRestoreHelpersMax;
  CLP_RETURN_IF_ERROR(
      for_each_in_parallel(*environment_.blocking_pool, subtasks.size(), helpers, build_one));
  deployment_.live_tasks = deployment_.tasks.size();
  return Status::ok();
}

void DeploymentBuilder::make_channels() {
  for (const JobEdge& edge : graph_.edges) {
    const int producers = vertex(edge.from_vertex).parallelism;
    const int consumers = vertex(edge.to_vertex).parallelism;
    std::vector<EdgeEnd>& out = out_.emplace_back(static_cast<std::size_t>(producers));
    std::vector<EdgeEnd>& in = in_.emplace_back(static_cast<std::size_t>(consumers));
    if (!is_built(edge.from_vertex)) continue;
    for (int p = 0; p < producers; ++p) {
      for (int c = 0; c < consumers; ++c) {
        if (edge.partitioning == Partitioning::kForward && p != c) continue;
        if (edge.partitioning == Partitioning::kGlobal && c != 0) continue;
        auto channel = std::make_shared<LocalChannel>(limits_.channel_bytes_max);
        out[static_cast<std::size_t>(p)].channels.push_back(channel);
        in[static_cast<std::size_t>(c)].channels.push_back(channel);
        const auto from = static_cast<std::size_t>(edge.from_vertex);
        const auto to = static_cast<std::size_t>(edge.to_vertex);
        deployment_.links.push_back({std::move(channel),
                                     deployment_.first_task[from] + static_cast<std::size_t>(p),
                                     deployment_.first_task[to] + static_cast<std::size_t>(c)});
      }
    }
  }
}

Result<std::unique_ptr<Task>> DeploymentBuilder::build_task(int vertex_index, int subtask) {
  const JobVertex& built = vertex(vertex_index);
  TaskParts parts;
  parts.id = {deployment_.job, vertex_index, subtask, deployment_.attempt};
  parts.name = fmt::format("{} ({}/{})", built.name, subtask + 1, built.parallelism);
  parts.clock = environment_.clock;
  parts.events = environment_.events;
  parts.mailbox = std::make_unique<Mailbox>();
  parts.committables = std::make_unique<std::vector<OperatorCommittables>>();
  parts.checkpoint_options = limits_.checkpoint;
  parts.files = environment_.file_system;
  parts.blocking_pool = environment_.blocking_pool;
  if (limits_.writes_local_copies) parts.local_copies = deployment_.local_copies;
  parts.checkpoint_orders = deployment_.orders;
  const auto restored = restored_.find({vertex_index, subtask});
  parts.has_finished_before = restored != restored_.end() && restored->second.has_finished;
  add_pools(built, parts);
  CLP_RETURN_IF_ERROR(add_input(built, vertex_index, parts));
  if (parts.has_finished_before && parts.source != nullptr) parts.source->end_at_once();
  CLP_RETURN_IF_ERROR(add_chain(built, vertex_index, parts));
  CLP_RETURN_IF_ERROR(check_all_claimed(built, parts));
  return std::make_unique<Task>(std::move(parts));
}

void DeploymentBuilder::add_pools(const JobVertex& vertex, TaskParts& parts) {
  const auto task_pool = deployment_.pool->make_child(parts.name);
  for (const ChainedOperator& chained : vertex.operators) {
    parts.pools.push_back(task_pool->make_child(chained.spec.name));
  }
  parts.states.resize(vertex.operators.size());
}

Status DeploymentBuilder::add_input(const JobVertex& vertex, int vertex_index, TaskParts& parts) {
  const OperatorSpec& head = vertex.operators[0].spec;
  if (head.kind == "source") return add_source(vertex, parts);
  std::vector<InputGate::Channel> channels;
  for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
    const JobEdge& edge = graph_.edges[e];
    if (edge.to_vertex != vertex_index) continue;
    const bool is_forward = edge.partitioning == Partitioning::kForward;
    int producer = is_forward ? parts.id.subtask : 0;
    for (const auto& channel : in_[e][static_cast<std::size_t>(parts.id.subtask)].channels) {
      channels.push_back({channel, edge.to_input, may_be_overtaken(edge)});
      parts.input_ends.push_back({static_cast<int>(e), producer++, sent_by(edge)});
    }
  }
  auto driver = std::make_unique<InputDriver>(InputGate(std::move(channels), head.inputs));
  parts.gate = &driver->gate();
  parts.gate->recover(recovered_channels(vertex_index, parts));
  parts.input = std::move(driver);
  return Status::ok();
}

std::vector<RecoveredChannel> DeploymentBuilder::recovered_channels(int vertex_index,
                                                                    const TaskParts& parts) {
  std::vector<RecoveredChannel> channels;
  const auto found = recovered_.find({vertex_index, parts.id.subtask});
  if (found == recovered_.end() || parts.has_finished_before) return channels;
  bool may_have_rows = false;
  for (RecoveredEdge& recovered : found->second) {
    const JobEdge& edge = graph_.edges[static_cast<std::size_t>(recovered.edge)];
    may_have_rows = may_have_rows || may_be_overtaken(edge) || has_rows(recovered.content);
    RecoveredChannel& channel = channels.emplace_back();
    channel.input = edge.to_input;
    channel.former_consumer = recovered.former_consumer;
    channel.content = std::move(recovered.content);
  }
  // Without, nothing is to be judged by what had been said of event time; and what had been said by
  // a source's subtask may not hold for the splits that it has now.
  if (!may_have_rows) channels.clear();
  return channels;
}

Status DeploymentBuilder::add_source(const JobVertex& vertex, TaskParts& parts) {
  const OperatorSpec& head = vertex.operators[0].spec;
  SourceDriverOptions options;
  options.spec = head.options;
  options.output = head.output;
  options.connectors = environment_.connectors;
  options.watermark_interval_ms = limits_.watermark_interval_ms;
  options.context.pool = parts.pools[0].get();
  options.context.file_system = environment_.file_system;
  options.context.clock = environment_.clock;
  options.context.configuration = &deployment_.configuration;
  options.context.subtask = parts.id.subtask;
  options.context.parallelism = vertex.parallelism;
  options.context.batch_rows_max = limits_.batch_rows_max;
  options.context.batch_bytes_max = limits_.batch_bytes_max;
  options.evaluation.pool = parts.pools[0].get();
  options.evaluation.clock = environment_.clock;
  options.evaluation.session_zone = deployment_.session_zone.get();
  options.request_splits = [events = environment_.events, id = parts.id] {
    events->request_splits(id);
  };
  options.report_alignment = [events = environment_.events, id = parts.id](std::int64_t watermark) {
    events->report_alignment(id, watermark);
  };
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<SourceDriver> driver,
                       SourceDriver::make(std::move(options)));
  parts.source = driver.get();
  parts.input = std::move(driver);
  return Status::ok();
}

Status DeploymentBuilder::add_chain(const JobVertex& vertex, int vertex_index, TaskParts& parts) {
  std::vector<OperatorChain::Link> links;
  for (const ChainedOperator& chained : vertex.operators) {
    links.push_back({chained.spec, chained.producer});
  }
  const OperatorChain::Wiring wiring = {
      .context = [&](int op,
                     const OperatorSpec& spec) { return make_context(vertex, op, spec, parts); },
      .outputs = [&](int op) { return make_outputs(vertex_index, op, parts); },
  };
  CLP_ASSIGN_OR_RETURN(parts.chain,
                       OperatorChain::make(std::move(links), wiring, *environment_.operators));
  return Status::ok();
}

Result<OperatorContext> DeploymentBuilder::make_context(const JobVertex& vertex, int op,
                                                        const OperatorSpec& spec,
                                                        TaskParts& parts) {
  OperatorContext context;
  context.pool = parts.pools[static_cast<std::size_t>(op)].get();
  context.clock = environment_.clock;
  context.configuration = &deployment_.configuration;
  context.file_system = environment_.file_system;
  context.connectors = environment_.connectors;
  context.standard_output = environment_.standard_output;
  context.session_zone = deployment_.session_zone.get();
  context.job_id = deployment_.job.to_string();
  context.attempt = deployment_.attempt;
  context.subtask = parts.id.subtask;
  context.parallelism = vertex.parallelism;
  context.max_parallelism = vertex.max_parallelism;
  context.batch_rows_max = limits_.batch_rows_max;
  context.hand_over_committables = [committables = parts.committables.get(),
                                    op](std::vector<std::string> prepared) {
    committables->push_back({op, std::move(prepared)});
  };

  CLP_ASSIGN_OR_RETURN(std::unique_ptr<KeyedStateBackend> state, make_state(vertex, op, parts));
  context.state = state.get();
  parts.states[static_cast<std::size_t>(op)] = std::move(state);

  if (spec.kind == "collect_sink") {
    CLP_ASSIGN_OR_RETURN(const std::string result, spec.options.get_string("result"));
    parts.senders.push_back(environment_.results->channel(deployment_.job, result)
                                ->open_sender(vertex.parallelism, deployment_.attempt));
    context.results = parts.senders.back().get();
  }
  return context;
}

Result<std::unique_ptr<KeyedStateBackend>> DeploymentBuilder::make_state(const JobVertex& vertex,
                                                                         int op,
                                                                         const TaskParts& parts) {
  StateBackendOptions options;
  options.pool = parts.pools[static_cast<std::size_t>(op)].get();
  options.max_parallelism = vertex.max_parallelism;
  options.key_groups =
      key_group_range(parts.id.subtask, vertex.max_parallelism, vertex.parallelism);
  options.local = local_state_of(parts.id, op);
  options.clock = environment_.clock;
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<KeyedStateBackend> state,
                       environment_.state_backends->make(limits_.state_backend, options));
  const auto task = restored_.find({parts.id.vertex, parts.id.subtask});
  if (task == restored_.end()) return state;
  const auto restored = task->second.operators.find(op);
  if (restored == task->second.operators.end()) return state;
  const OperatorSpec& spec = vertex.operators[static_cast<std::size_t>(op)].spec;
  restored->second.renames = renames_of(limits_.renames, spec.uid, spec.name);
  CLP_RETURN_IF_ERROR(state->restore(std::move(restored->second)));
  return state;
}

// Subtasks of one number share a slot.
LocalStateOptions DeploymentBuilder::local_state_of(const TaskId& id, int op) {
  LocalStateOptions local = limits_.local_state;
  local.stores = deployment_.local_stores.get();
  local.store.slot = fmt::format("{}/{}", deployment_.job.to_string(), id.subtask);
  local.name = fmt::format("{}/{}/{}-{}-{}", deployment_.job.to_string(), deployment_.attempt,
                           id.vertex, op, id.subtask);
  local.sharers = sharers_.of_slot(id.subtask);
  return local;
}

// State that no operator has opened would be lost with the next checkpoint.
Status DeploymentBuilder::check_all_claimed(const JobVertex& vertex, const TaskParts& parts) const {
  for (std::size_t op = 0; op < parts.states.size(); ++op) {
    if (parts.states[op] == nullptr) continue;
    for (const std::string& change : parts.states[op]->restored_changes()) {
      CLP_LOG(kInfo, "taskmanager",
              fmt::format("{} of operator '{}'", change, vertex.operators[op].spec.name));
    }
    if (limits_.ignore_unclaimed_state) continue;
    const std::vector<std::string> unclaimed = parts.states[op]->unclaimed();
    if (unclaimed.empty()) continue;
    return Status::failed_precondition(
        fmt::format("operator '{}' does not use the restored state '{}' (set "
                    "'execution.state-recovery.ignore-unclaimed-state' to drop it)",
                    vertex.operators[op].spec.name, fmt::join(unclaimed, "', '")));
  }
  return Status::ok();
}

std::vector<Output*> DeploymentBuilder::make_outputs(int vertex_index, int op, TaskParts& parts) {
  std::vector<Output*> outputs;
  for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
    const JobEdge& edge = graph_.edges[e];
    if (edge.from_vertex != vertex_index || edge.from_operator != op) continue;
    OutputGateOptions options;
    options.routing = make_routing(edge, parts.id.subtask);
    options.schema = sent_by(edge);
    options.rows_max = limits_.batch_rows_max;
    options.bytes_max = limits_.batch_bytes_max;
    options.pool = parts.pools[static_cast<std::size_t>(op)].get();
    parts.outputs.push_back(std::make_unique<GateOutput>(std::make_unique<OutputGate>(
        std::move(options), out_[e][static_cast<std::size_t>(parts.id.subtask)].channels)));
    TaskInFlightParts::OutputEnd& end = parts.output_ends.emplace_back();
    end.edge = static_cast<int>(e);
    end.first_consumer = edge.partitioning == Partitioning::kForward ? parts.id.subtask : 0;
    end.may_be_overtaken = may_be_overtaken(edge);
    end.schema = sent_by(edge);
    outputs.push_back(parts.outputs.back().get());
  }
  return outputs;
}

Routing DeploymentBuilder::make_routing(const JobEdge& edge, int subtask) const {
  Routing routing;
  switch (edge.partitioning) {
    case Partitioning::kForward:
    case Partitioning::kGlobal:
      routing.kind = RoutingKind::kOne;
      break;
    case Partitioning::kRebalance:
      routing.kind = RoutingKind::kRoundRobin;
      routing.first_channel = subtask;
      break;
    case Partitioning::kHash:
      routing.kind = RoutingKind::kHash;
      routing.keys = edge.keys;
      routing.max_parallelism = vertex(edge.to_vertex).max_parallelism;
      break;
    case Partitioning::kBroadcast:
      routing.kind = RoutingKind::kAll;
      break;
  }
  return routing;
}

Status check_vertices(const DeploymentPlan& plan) {
  const int count = static_cast<int>(plan.graph.vertices.size());
  for (std::size_t i = 0; i < plan.vertices.size(); ++i) {
    const int vertex = plan.vertices[i];
    if (vertex >= 0 && vertex < count && (i == 0 || plan.vertices[i - 1] < vertex)) continue;
    return Status::invalid_argument(
        fmt::format("vertex {} is out of order or not one of {}", vertex, count));
  }
  const auto has = [&](int vertex) {
    return std::binary_search(plan.vertices.begin(), plan.vertices.end(), vertex);
  };
  for (const JobEdge& edge : plan.graph.edges) {
    if (has(edge.from_vertex) == has(edge.to_vertex)) continue;
    return Status::invalid_argument(
        fmt::format("vertex {} without vertex {}, which feeds it or is fed by it",
                    has(edge.from_vertex) ? edge.from_vertex : edge.to_vertex,
                    has(edge.from_vertex) ? edge.to_vertex : edge.from_vertex));
  }
  return Status::ok();
}

Status open_local_copies(const TaskEnvironment& environment, Deployment& deployment) {
  CLP_ASSIGN_OR_RETURN(const CheckpointOptions options,
                       read_checkpoint_options(deployment.configuration));
  if (environment.local_copies == nullptr) return Status::ok();
  if (!options.has_local_copies && !options.reads_local_copies) return Status::ok();
  CLP_ASSIGN_OR_RETURN(deployment.local_copies,
                       environment.local_copies->open(deployment.configuration));
  return Status::ok();
}

Result<RestoredTasks> restore(const DeploymentPlan& plan, const TaskEnvironment& environment,
                              const Deployment& deployment) {
  CLP_ASSIGN_OR_RETURN(const CheckpointOptions options,
                       read_checkpoint_options(deployment.configuration));
  LocalCopies* const copies = deployment.local_copies.get();
  if (copies != nullptr) {
    for (const TaskRestore& task : plan.restores) {
      copies->restored({plan.job, task.vertex, task.subtask, plan.attempt}, task.folder);
    }
  }
  return read_restores(plan.restores, plan.graph, *environment.file_system,
                       *environment.blocking_pool, options.reads_local_copies ? copies : nullptr);
}

}  // namespace

std::shared_ptr<std::atomic<int>> SlotSharers::of_slot(int subtask) {
  const MutexLock lock(mutex_);
  std::shared_ptr<std::atomic<int>>& sharers = by_subtask_[subtask];
  if (sharers == nullptr) sharers = std::make_shared<std::atomic<int>>(0);
  return sharers;
}

Result<std::unique_ptr<Deployment>> build_deployment(const DeploymentPlan& plan,
                                                     std::shared_ptr<MemoryPool> pool,
                                                     SlotSharers& sharers,
                                                     const TaskEnvironment& environment) {
  CLP_RETURN_IF_ERROR(check_vertices(plan));
  auto deployment = std::make_unique<Deployment>();
  deployment->job = plan.job;
  deployment->attempt = plan.attempt;
  deployment->vertices = plan.vertices;
  deployment->pool = std::move(pool);
  deployment->orders = std::make_shared<CheckpointOrders>();
  deployment->configuration = environment.configuration;
  for (const auto& [key, value] : plan.graph.configuration) {
    deployment->configuration.set(key, value);
  }
  CLP_RETURN_IF_ERROR(open_local_copies(environment, *deployment));
  CLP_ASSIGN_OR_RETURN(RestoredTasks restored, restore(plan, environment, *deployment));
  CLP_ASSIGN_OR_RETURN(
      RecoveredEdges recovered,
      read_in_flight(plan.in_flight, plan.graph, *environment.file_system, *deployment->pool));
  CLP_ASSIGN_OR_RETURN(const std::string zone, deployment->configuration.get(kTimeZone));
  // "default" would be the zone of the machine: results must not depend on where a task runs.
  CLP_ASSIGN_OR_RETURN(deployment->session_zone, find_time_zone(zone == "default" ? "UTC" : zone));
  CLP_RETURN_IF_ERROR(DeploymentBuilder(plan.graph, std::move(restored), std::move(recovered),
                                        sharers, environment, *deployment)
                          .build());
  return deployment;
}

void start_tasks(Deployment& deployment, WorkerPool& workers,
                 const std::function<void(std::size_t task)>& on_done) {
  std::vector<Waker> wakers;
  for (std::size_t i = 0; i < deployment.tasks.size(); ++i) {
    Task& task = *deployment.tasks[i];
    wakers.push_back(workers.add(
        &task, {.on_done = [on_done, i] { on_done(i); }, .affinity = -1, .name = task.name()}));
  }
  for (const Deployment::Link& link : deployment.links) {
    link.channel->set_wakers(wakers[link.producer], wakers[link.consumer]);
  }
  // From here on tasks end and are destroyed by their workers: each is touched once more, by
  // itself.
  for (std::size_t i = 0; i < wakers.size(); ++i) deployment.tasks[i]->start(wakers[i]);
}

}  // namespace clepsydra
