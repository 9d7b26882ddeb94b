#include "graph/job_graph_codec.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/ids.h"
#include "job_graph.pb.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

constexpr std::uint32_t kVersion = 1;

void write_spec(const OperatorSpec& spec, proto::OperatorSpec& out) {
  out.set_kind(spec.kind);
  out.set_uid(spec.uid);
  out.set_name(spec.name);
  for (const SchemaPtr& input : spec.inputs) out.add_inputs(schema_to_tree(*input).encode());
  if (spec.output != nullptr) out.set_output(schema_to_tree(*spec.output).encode());
  out.set_options(spec.options.encode());
}

void write_vertex(const JobVertex& vertex, proto::JobVertex& out) {
  const Result<OperatorId> id = OperatorId::parse(vertex.id);
  CLP_CHECK_MSG(id.is_ok(), vertex.id);
  out.set_id(std::string(id->bytes().begin(), id->bytes().end()));
  out.set_name(vertex.name);
  for (const ChainedOperator& chained : vertex.operators) {
    proto::ChainedOperator& message = *out.add_operators();
    write_spec(chained.spec, *message.mutable_spec());
    message.set_producer_plus_one(static_cast<std::uint32_t>(chained.producer + 1));
  }
  out.set_parallelism(static_cast<std::uint32_t>(vertex.parallelism));
  out.set_max_parallelism(static_cast<std::uint32_t>(vertex.max_parallelism));
}

void write_edge(const JobEdge& edge, proto::JobEdge& out) {
  out.set_from_vertex(static_cast<std::uint32_t>(edge.from_vertex));
  out.set_from_operator(static_cast<std::uint32_t>(edge.from_operator));
  out.set_to_vertex(static_cast<std::uint32_t>(edge.to_vertex));
  out.set_to_input(static_cast<std::uint32_t>(edge.to_input));
  out.set_partitioning(static_cast<proto::Partitioning>(edge.partitioning));
  for (const int key : edge.keys) out.add_keys(static_cast<std::uint32_t>(key));
}

// Numbers beyond int become -1 + the largest, which no check of a graph lets through.
int to_int(std::uint32_t value) {
  constexpr auto kMax = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  return value > kMax ? std::numeric_limits<int>::max() : static_cast<int>(value);
}

// Schemas seen so far, by their bytes.
using SchemaTable = std::map<std::string, SchemaPtr, std::less<>>;

Result<SchemaPtr> read_schema(const std::string& bytes, SchemaTable& schemas) {
  if (const auto found = schemas.find(bytes); found != schemas.end()) return found->second;
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(bytes));
  CLP_ASSIGN_OR_RETURN(SchemaPtr schema, schema_from_tree(tree));
  schemas.emplace(bytes, schema);
  return schema;
}

Result<OperatorSpec> read_spec(const proto::OperatorSpec& message, SchemaTable& schemas) {
  OperatorSpec spec;
  spec.kind = message.kind();
  spec.uid = message.uid();
  spec.name = message.name();
  for (const std::string& input : message.inputs()) {
    CLP_ASSIGN_OR_RETURN(SchemaPtr schema, read_schema(input, schemas));
    spec.inputs.push_back(std::move(schema));
  }
  if (message.has_output()) {
    CLP_ASSIGN_OR_RETURN(spec.output, read_schema(message.output(), schemas));
  }
  CLP_ASSIGN_OR_RETURN(spec.options, ValueTree::decode(message.options()));
  return spec;
}

Result<JobVertex> read_vertex(const proto::JobVertex& message, SchemaTable& schemas) {
  JobVertex vertex;
  OperatorId::Bytes id{};
  if (message.id().size() != id.size()) {
    return Status::invalid_argument(
        fmt::format("the id has {} bytes, expected {}", message.id().size(), id.size()));
  }
  std::copy(message.id().begin(), message.id().end(), id.begin());
  vertex.id = OperatorId(id).to_string();
  vertex.name = message.name();
  vertex.parallelism = to_int(message.parallelism());
  vertex.max_parallelism = to_int(message.max_parallelism());
  for (const proto::ChainedOperator& chained : message.operators()) {
    Result<OperatorSpec> spec = read_spec(chained.spec(), schemas);
    if (!spec.is_ok()) {
      return spec.status().with_context(fmt::format("operator '{}'", chained.spec().name()));
    }
    vertex.operators.push_back({*std::move(spec), to_int(chained.producer_plus_one()) - 1});
  }
  return vertex;
}

JobEdge read_edge(const proto::JobEdge& message) {
  JobEdge edge;
  edge.from_vertex = to_int(message.from_vertex());
  edge.from_operator = to_int(message.from_operator());
  edge.to_vertex = to_int(message.to_vertex());
  edge.to_input = to_int(message.to_input());
  // What is out of range must stay so in eight bits.
  const int partitioning = static_cast<int>(message.partitioning());
  edge.partitioning =
      static_cast<Partitioning>(partitioning < 0 || partitioning > 255 ? 255 : partitioning);
  for (const std::uint32_t key : message.keys()) edge.keys.push_back(to_int(key));
  return edge;
}

Result<JobGraph> read_graph(const proto::JobGraph& message) {
  if (message.version() != kVersion) {
    return Status::invalid_argument(
        fmt::format("version {}, this program reads version {}", message.version(), kVersion));
  }
  JobGraph graph;
  graph.name = message.name();
  SchemaTable schemas;
  for (const proto::JobVertex& vertex : message.vertices()) {
    Result<JobVertex> read = read_vertex(vertex, schemas);
    if (!read.is_ok()) return read.status().with_context(fmt::format("task '{}'", vertex.name()));
    graph.vertices.push_back(*std::move(read));
  }
  for (const proto::JobEdge& edge : message.edges()) graph.edges.push_back(read_edge(edge));
  for (const proto::ConfigurationEntry& entry : message.configuration()) {
    graph.configuration.emplace_back(entry.key(), entry.value());
  }
  CLP_RETURN_IF_ERROR(graph.validate());
  return graph;
}

}  // namespace

std::string encode_job_graph(const JobGraph& graph) {
  proto::JobGraph message;
  message.set_version(kVersion);
  message.set_name(graph.name);
  for (const JobVertex& vertex : graph.vertices) write_vertex(vertex, *message.add_vertices());
  for (const JobEdge& edge : graph.edges) write_edge(edge, *message.add_edges());
  for (const auto& [key, value] : graph.configuration) {
    proto::ConfigurationEntry& entry = *message.add_configuration();
    entry.set_key(key);
    entry.set_value(value);
  }
  return message.SerializeAsString();
}

Result<JobGraph> decode_job_graph(std::string_view bytes) {
  proto::JobGraph message;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status::invalid_argument(
        fmt::format("cannot decode a job graph: {} bytes are not a message", bytes.size()));
  }
  Result<JobGraph> graph = read_graph(message);
  if (!graph.is_ok()) return graph.status().with_context("cannot decode a job graph");
  return graph;
}

}  // namespace clepsydra
