#include "checkpoint/checkpoint_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "checkpoint.pb.h"
#include "graph/job_graph.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

// The header of `_metadata`. It is the same in all versions up to the checksum, so that a damaged
// version is told from a later one.
constexpr std::string_view kMagic = "CLPM";
constexpr std::uint32_t kVersion = 2;
// Without anything in flight: whoever reads version 1 misses nothing.
constexpr std::uint32_t kVersionWithoutInFlight = 1;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kChecksumAt = 8;
constexpr std::size_t kLengthAt = 16;
constexpr std::size_t kHeaderBytes = 24;
constexpr int kEdgesMax = 1'000'000;

// ---- Writing ----

void write_file(const StateFile& file, proto::StateFile& out) {
  out.set_path(file.path);
  out.set_inline_bytes(file.inline_bytes);
  out.set_size(file.bytes);
  out.set_checksum(file.checksum);
}

void write_operator(const OperatorSnapshot& snapshot, proto::OperatorSnapshot& out) {
  out.set_op(static_cast<std::uint32_t>(snapshot.op));
  for (const StateFile& file : snapshot.files) write_file(file, *out.add_files());
  for (const std::string& committable : snapshot.committables) out.add_committables(committable);
  for (const SourceSplit& split : snapshot.splits) {
    proto::HeldSplit& message = *out.add_splits();
    message.set_id(split.id);
    message.set_payload(split.payload);
    message.set_progress(split.progress);
  }
}

void write_in_flight(const InFlightFile& in_flight, proto::InFlightFile& out) {
  out.set_edge(static_cast<std::uint32_t>(in_flight.edge));
  out.set_is_output(in_flight.is_output);
  out.set_rows(in_flight.rows);
  write_file(in_flight.file, *out.mutable_file());
}

void write_vertex(const CheckpointMetadata::Vertex& vertex,
                  proto::CheckpointMetadata::Vertex& out) {
  out.set_name(vertex.name);
  out.set_max_parallelism(static_cast<std::uint32_t>(vertex.max_parallelism));
  for (const CheckpointMetadata::Operator& op : vertex.operators) {
    proto::CheckpointMetadata::Operator& message = *out.add_operators();
    message.set_uid(op.uid);
    message.set_name(op.name);
    message.set_kind(op.kind);
    message.set_enumerator(op.enumerator);
  }
  for (const CheckpointMetadata::Subtask& subtask : vertex.subtasks) {
    proto::CheckpointMetadata::Subtask& message = *out.add_subtasks();
    message.set_has_finished(subtask.has_finished);
    for (const OperatorSnapshot& op : subtask.operators) {
      write_operator(op, *message.add_operators());
    }
    for (const InFlightFile& in_flight : subtask.in_flight) {
      write_in_flight(in_flight, *message.add_in_flight());
    }
  }
}

std::string with_header(const std::string& body, std::uint32_t version) {
  std::string bytes(kHeaderBytes, '\0');
  auto* header = reinterpret_cast<std::uint8_t*>(bytes.data());
  bytes.replace(0, kMagic.size(), kMagic);
  store_le(header + kVersionAt, version);
  store_le(header + kLengthAt, static_cast<std::uint64_t>(body.size()));
  bytes += body;
  header = reinterpret_cast<std::uint8_t*>(bytes.data());
  // The seed makes it cover what stands before it.
  store_le(header + kChecksumAt, hash64_with_seed(std::string_view(bytes).substr(kLengthAt),
                                                  load_le<std::uint64_t>(header)));
  return bytes;
}

// ---- Reading ----

// Says what is wrong with the value; the caller adds of what and chooses the code.
Status wrong(std::string message) {
  return Status::invalid_argument(std::move(message));
}

Result<int> read_index(std::string_view what, std::uint32_t value, int end) {
  if (value >= static_cast<std::uint32_t>(end)) {
    return wrong(fmt::format("{} {}, expected less than {}", what, value, end));
  }
  return static_cast<int>(value);
}

Result<StateFile> read_file(const proto::StateFile& message) {
  StateFile file{message.path(), message.inline_bytes(), message.size(), message.checksum()};
  if (file.bytes < 0) return wrong(fmt::format("a state file of {} bytes", file.bytes));
  if (!file.path.empty()) {
    CLP_RETURN_IF_ERROR(check_relative_path(file.path));
    if (!file.inline_bytes.empty()) {
      return wrong(fmt::format("the state file '{}' has bytes inline too", clip(file.path, 64)));
    }
    return file;
  }
  if (file.bytes != static_cast<std::int64_t>(file.inline_bytes.size()) ||
      file.checksum != hash64(file.inline_bytes)) {
    return wrong("inline state does not have its size and checksum");
  }
  return file;
}

Result<OperatorSnapshot> read_operator(const proto::OperatorSnapshot& message) {
  OperatorSnapshot snapshot;
  CLP_ASSIGN_OR_RETURN(snapshot.op,
                       read_index("operator", message.op(), JobGraph::kOperatorsPerVertexMax));
  for (const proto::StateFile& file : message.files()) {
    CLP_ASSIGN_OR_RETURN(StateFile read, read_file(file));
    snapshot.files.push_back(std::move(read));
  }
  snapshot.committables.assign(message.committables().begin(), message.committables().end());
  for (const proto::HeldSplit& split : message.splits()) {
    snapshot.splits.push_back({split.id(), split.payload(), split.progress()});
  }
  return snapshot;
}

// Of one subtask: each operator at most once, in ascending order.
template <typename Messages>
Result<std::vector<OperatorSnapshot>> read_operators(const Messages& messages) {
  std::vector<OperatorSnapshot> operators;
  for (const proto::OperatorSnapshot& message : messages) {
    CLP_ASSIGN_OR_RETURN(OperatorSnapshot op, read_operator(message));
    if (!operators.empty() && operators.back().op >= op.op) {
      return wrong(fmt::format("operator {} after operator {}", op.op, operators.back().op));
    }
    operators.push_back(std::move(op));
  }
  return operators;
}

Result<InFlightFile> read_in_flight(const proto::InFlightFile& message) {
  InFlightFile in_flight;
  CLP_ASSIGN_OR_RETURN(in_flight.edge, read_index("edge", message.edge(), kEdgesMax));
  in_flight.is_output = message.is_output();
  in_flight.rows = message.rows();
  CLP_ASSIGN_OR_RETURN(in_flight.file, read_file(message.file()));
  if (in_flight.rows < 0) return wrong(fmt::format("{} rows in flight", in_flight.rows));
  return in_flight;
}

// Of one subtask: each end of an edge at most once.
template <typename Messages>
Result<std::vector<InFlightFile>> read_in_flights(const Messages& messages) {
  std::vector<InFlightFile> all;
  for (const proto::InFlightFile& message : messages) {
    CLP_ASSIGN_OR_RETURN(InFlightFile in_flight, read_in_flight(message));
    const auto key = std::pair(in_flight.edge, in_flight.is_output);
    if (!all.empty() && std::pair(all.back().edge, all.back().is_output) >= key) {
      return wrong(fmt::format("edge {} after edge {}", in_flight.edge, all.back().edge));
    }
    all.push_back(std::move(in_flight));
  }
  return all;
}

template <typename Message>
Status parse(std::string_view bytes, Message& message) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return wrong(fmt::format("{} bytes are not a message", bytes.size()));
  }
  return Status::ok();
}

Result<TaskSnapshot> read_task_snapshot(std::string_view bytes) {
  proto::TaskSnapshot message;
  CLP_RETURN_IF_ERROR(parse(bytes, message));
  TaskSnapshot snapshot;
  CLP_ASSIGN_OR_RETURN(snapshot.operators, read_operators(message.operators()));
  CLP_ASSIGN_OR_RETURN(snapshot.in_flight, read_in_flights(message.in_flight()));
  snapshot.alignment_ns = message.alignment_ns();
  snapshot.frozen_ns = message.frozen_ns();
  snapshot.written_bytes = message.written_bytes();
  if (snapshot.alignment_ns < 0 || snapshot.frozen_ns < 0 || snapshot.written_bytes < 0) {
    return wrong("a negative duration or size");
  }
  return snapshot;
}

Result<TaskRestore::Operator> read_restored(const proto::TaskRestore::Operator& message) {
  TaskRestore::Operator op;
  CLP_ASSIGN_OR_RETURN(op.op,
                       read_index("operator", message.op(), JobGraph::kOperatorsPerVertexMax));
  for (const proto::TaskRestore::Part& part : message.parts()) {
    TaskRestore::Operator::Part& read = op.parts.emplace_back();
    for (const proto::StateFile& file : part.snapshots()) {
      CLP_ASSIGN_OR_RETURN(StateFile snapshot, read_file(file));
      read.snapshots.push_back(std::move(snapshot));
    }
  }
  return op;
}

Result<TaskRestore> read_task_restore(std::string_view bytes) {
  proto::TaskRestore message;
  CLP_RETURN_IF_ERROR(parse(bytes, message));
  TaskRestore restore;
  CLP_ASSIGN_OR_RETURN(restore.vertex,
                       read_index("task", message.vertex(), StreamGraph::kNodesMax));
  CLP_ASSIGN_OR_RETURN(restore.subtask,
                       read_index("subtask", message.subtask(), kMaxMaxParallelism));
  restore.has_finished = message.has_finished();
  restore.folder = message.folder();
  for (const proto::TaskRestore::Operator& op : message.operators()) {
    CLP_ASSIGN_OR_RETURN(TaskRestore::Operator read, read_restored(op));
    if (!restore.operators.empty() && restore.operators.back().op >= read.op) {
      return wrong(
          fmt::format("operator {} after operator {}", read.op, restore.operators.back().op));
    }
    restore.operators.push_back(std::move(read));
  }
  return restore;
}

Result<InFlightRestore> read_in_flight_restore(std::string_view bytes) {
  proto::InFlightRestore message;
  CLP_RETURN_IF_ERROR(parse(bytes, message));
  InFlightRestore restore;
  CLP_ASSIGN_OR_RETURN(restore.edge, read_index("edge", message.edge(), kEdgesMax));
  const auto read_parallelism = [](std::uint32_t value) {
    return read_index("parallelism", value, kMaxMaxParallelism + 1);
  };
  CLP_ASSIGN_OR_RETURN(restore.producers, read_parallelism(message.producers()));
  CLP_ASSIGN_OR_RETURN(restore.consumers, read_parallelism(message.consumers()));
  CLP_ASSIGN_OR_RETURN(restore.max_parallelism, read_parallelism(message.max_parallelism()));
  restore.folder = message.folder();
  for (const proto::InFlightRestore::Part& part : message.parts()) {
    InFlightRestore::Part& read = restore.parts.emplace_back();
    read.is_output = part.is_output();
    CLP_ASSIGN_OR_RETURN(read.subtask,
                         read_index("subtask", part.subtask(),
                                    read.is_output ? restore.producers : restore.consumers));
    CLP_ASSIGN_OR_RETURN(read.file, read_file(part.file()));
  }
  return restore;
}

Status read_edges(const proto::CheckpointMetadata& message, CheckpointMetadata& metadata) {
  const int vertices = static_cast<int>(metadata.vertices.size());
  for (const proto::CheckpointMetadata::Edge& edge : message.edges()) {
    CheckpointMetadata::Edge& read = metadata.edges.emplace_back();
    CLP_ASSIGN_OR_RETURN(read.from_vertex, read_index("task", edge.from_vertex(), vertices));
    CLP_ASSIGN_OR_RETURN(read.to_vertex, read_index("task", edge.to_vertex(), vertices));
    CLP_ASSIGN_OR_RETURN(read.to_input, read_index("input", edge.to_input(), kEdgesMax));
    read.from_uid = edge.from_uid();
    read.to_uid = edge.to_uid();
  }
  for (int v = 0; v < vertices; ++v) {
    for (const auto& subtask : metadata.vertices[static_cast<std::size_t>(v)].subtasks) {
      for (const InFlightFile& in_flight : subtask.in_flight) {
        const auto e = static_cast<std::size_t>(in_flight.edge);
        if (e >= metadata.edges.size()) {
          return wrong(fmt::format("rows in flight on edge {} of {}", e, metadata.edges.size()));
        }
        const CheckpointMetadata::Edge& edge = metadata.edges[e];
        if (v == (in_flight.is_output ? edge.from_vertex : edge.to_vertex)) continue;
        return wrong(fmt::format("task {} has rows of edge {}, which is not its", v, e));
      }
    }
  }
  return Status::ok();
}

Result<CheckpointMetadata::Vertex> read_vertex(const proto::CheckpointMetadata::Vertex& message) {
  CheckpointMetadata::Vertex vertex;
  vertex.name = message.name();
  CLP_ASSIGN_OR_RETURN(
      vertex.max_parallelism,
      read_index("maximal parallelism", message.max_parallelism(), kMaxMaxParallelism + 1));
  if (message.subtasks_size() > vertex.max_parallelism) {
    return wrong(fmt::format("{} subtasks, the maximal parallelism is {}", message.subtasks_size(),
                             vertex.max_parallelism));
  }
  for (const proto::CheckpointMetadata::Operator& op : message.operators()) {
    vertex.operators.push_back({op.uid(), op.name(), op.kind(), op.enumerator()});
  }
  for (const proto::CheckpointMetadata::Subtask& subtask : message.subtasks()) {
    CheckpointMetadata::Subtask& read = vertex.subtasks.emplace_back();
    read.has_finished = subtask.has_finished();
    CLP_ASSIGN_OR_RETURN(read.in_flight, read_in_flights(subtask.in_flight()));
    CLP_ASSIGN_OR_RETURN(read.operators, read_operators(subtask.operators()));
    if (!read.operators.empty() &&
        read.operators.back().op >= static_cast<int>(vertex.operators.size())) {
      return wrong(fmt::format("state of operator {}, there are {}", read.operators.back().op,
                               vertex.operators.size()));
    }
  }
  return vertex;
}

Result<CheckpointMetadata> read_metadata(std::string_view body) {
  proto::CheckpointMetadata message;
  CLP_RETURN_IF_ERROR(parse(body, message));
  CheckpointMetadata metadata;
  metadata.id = message.id();
  if (metadata.id < 1) return wrong(fmt::format("the id {}", metadata.id));
  if (message.kind() > static_cast<std::uint32_t>(CheckpointKind::kSavepoint)) {
    return wrong(fmt::format("the kind {}", message.kind()));
  }
  metadata.kind = static_cast<CheckpointKind>(message.kind());
  metadata.timestamp_ms = message.timestamp_ms();
  metadata.job_id = message.job_id();
  metadata.job_name = message.job_name();
  for (const proto::CheckpointMetadata::Vertex& vertex : message.vertices()) {
    Result<CheckpointMetadata::Vertex> read = read_vertex(vertex);
    if (!read.is_ok()) {
      return read.status().with_context(fmt::format("task '{}'", clip(vertex.name(), 64)));
    }
    metadata.vertices.push_back(*std::move(read));
  }
  CLP_RETURN_IF_ERROR(read_edges(message, metadata));
  return metadata;
}

Status broken_metadata(std::string_view why) {
  return Status::data_loss(fmt::format("cannot read the metadata of a checkpoint: {}", why));
}

}  // namespace

std::string encode_task_snapshot(const TaskSnapshot& snapshot) {
  proto::TaskSnapshot message;
  for (const OperatorSnapshot& op : snapshot.operators) {
    write_operator(op, *message.add_operators());
  }
  for (const InFlightFile& in_flight : snapshot.in_flight) {
    write_in_flight(in_flight, *message.add_in_flight());
  }
  message.set_alignment_ns(snapshot.alignment_ns);
  message.set_frozen_ns(snapshot.frozen_ns);
  message.set_written_bytes(snapshot.written_bytes);
  return message.SerializeAsString();
}

Result<TaskSnapshot> decode_task_snapshot(std::string_view bytes) {
  Result<TaskSnapshot> snapshot = read_task_snapshot(bytes);
  if (!snapshot.is_ok()) {
    return snapshot.status().with_context("cannot decode the snapshot of a task");
  }
  return snapshot;
}

std::string encode_task_restore(const TaskRestore& restore) {
  proto::TaskRestore message;
  message.set_vertex(static_cast<std::uint32_t>(restore.vertex));
  message.set_subtask(static_cast<std::uint32_t>(restore.subtask));
  message.set_has_finished(restore.has_finished);
  message.set_folder(restore.folder);
  for (const TaskRestore::Operator& op : restore.operators) {
    proto::TaskRestore::Operator& written = *message.add_operators();
    written.set_op(static_cast<std::uint32_t>(op.op));
    for (const TaskRestore::Operator::Part& part : op.parts) {
      proto::TaskRestore::Part& parts = *written.add_parts();
      for (const StateFile& file : part.snapshots) write_file(file, *parts.add_snapshots());
    }
  }
  return message.SerializeAsString();
}

Result<TaskRestore> decode_task_restore(std::string_view bytes) {
  Result<TaskRestore> restore = read_task_restore(bytes);
  if (!restore.is_ok()) {
    return restore.status().with_context("cannot decode what a task restores");
  }
  return restore;
}

std::string encode_in_flight_restore(const InFlightRestore& restore) {
  proto::InFlightRestore message;
  message.set_edge(static_cast<std::uint32_t>(restore.edge));
  message.set_producers(static_cast<std::uint32_t>(restore.producers));
  message.set_consumers(static_cast<std::uint32_t>(restore.consumers));
  message.set_max_parallelism(static_cast<std::uint32_t>(restore.max_parallelism));
  message.set_folder(restore.folder);
  for (const InFlightRestore::Part& part : restore.parts) {
    proto::InFlightRestore::Part& written = *message.add_parts();
    written.set_subtask(static_cast<std::uint32_t>(part.subtask));
    written.set_is_output(part.is_output);
    write_file(part.file, *written.mutable_file());
  }
  return message.SerializeAsString();
}

Result<InFlightRestore> decode_in_flight_restore(std::string_view bytes) {
  Result<InFlightRestore> restore = read_in_flight_restore(bytes);
  if (!restore.is_ok()) {
    return restore.status().with_context("cannot decode what was in flight");
  }
  return restore;
}

std::string encode_checkpoint_metadata(const CheckpointMetadata& metadata) {
  proto::CheckpointMetadata message;
  message.set_id(metadata.id);
  message.set_kind(static_cast<std::uint32_t>(metadata.kind));
  message.set_timestamp_ms(metadata.timestamp_ms);
  message.set_job_id(metadata.job_id);
  message.set_job_name(metadata.job_name);
  for (const CheckpointMetadata::Vertex& vertex : metadata.vertices) {
    write_vertex(vertex, *message.add_vertices());
  }
  for (const CheckpointMetadata::Edge& edge : metadata.edges) {
    proto::CheckpointMetadata::Edge& written = *message.add_edges();
    written.set_from_vertex(static_cast<std::uint32_t>(edge.from_vertex));
    written.set_to_vertex(static_cast<std::uint32_t>(edge.to_vertex));
    written.set_from_uid(edge.from_uid);
    written.set_to_uid(edge.to_uid);
    written.set_to_input(static_cast<std::uint32_t>(edge.to_input));
  }
  return with_header(message.SerializeAsString(),
                     metadata.edges.empty() ? kVersionWithoutInFlight : kVersion);
}

Result<CheckpointMetadata> decode_checkpoint_metadata(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) {
    return broken_metadata(fmt::format("{} bytes, expected at least {}; the file is cut off",
                                       bytes.size(), kHeaderBytes));
  }
  if (!bytes.starts_with(kMagic)) {
    return broken_metadata(fmt::format("it does not begin with {}", kMagic));
  }
  const auto* header = reinterpret_cast<const std::uint8_t*>(bytes.data());
  // The checksum first: only then the version is what was written.
  if (load_le<std::uint64_t>(header + kChecksumAt) !=
      hash64_with_seed(bytes.substr(kLengthAt), load_le<std::uint64_t>(header))) {
    return broken_metadata(
        fmt::format("the checksum of its {} bytes is wrong; they are damaged", bytes.size()));
  }
  const auto version = load_le<std::uint32_t>(header + kVersionAt);
  if (version > kVersion) {
    return Status::failed_precondition(
        fmt::format("the checkpoint was written in version {}, this program reads up to version "
                    "{}: use the release that wrote it or a later one",
                    version, kVersion));
  }
  if (version == 0) return broken_metadata("version 0");
  const std::string_view body = bytes.substr(kHeaderBytes);
  if (load_le<std::uint64_t>(header + kLengthAt) != body.size()) {
    return broken_metadata(
        fmt::format("{} bytes of {}", body.size(), load_le<std::uint64_t>(header + kLengthAt)));
  }
  Result<CheckpointMetadata> metadata = read_metadata(body);
  if (!metadata.is_ok()) return broken_metadata(metadata.status().message());
  return metadata;
}

StateFile inline_state(std::string bytes) {
  StateFile file;
  file.bytes = static_cast<std::int64_t>(bytes.size());
  file.checksum = hash64(bytes);
  file.inline_bytes = std::move(bytes);
  return file;
}

Status check_relative_path(std::string_view path) {
  const auto refuse = [path](std::string_view why) {
    return wrong(fmt::format("the path of a state file '{}' {}", clip(path, 64), why));
  };
  if (path.empty()) return refuse("is empty");
  if (path.find('\0') != std::string_view::npos) return refuse("has a NUL byte in it");
  if (path.find(':') != std::string_view::npos) return refuse("has a ':' in it");
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") {
      return refuse("does not stay below the folder of the checkpoint");
    }
    begin = end + 1;
  }
  return Status::ok();
}

}  // namespace clepsydra
