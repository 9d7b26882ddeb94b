// What a checkpoint consists of, as values: what tasks acknowledge, what the metadata hold, what a
// restarted task is given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clepsydra/source.h"
#include "stream/stream_element.h"

namespace clepsydra {

using CheckpointId = std::int64_t;  // From 1; 0: none.

// The blocks of one snapshot: in a file, or, when there are few, here.
struct StateFile {
  // Relative to the folder of the job's checkpoints, or of the savepoint: "shared/…".
  std::string path;
  std::string inline_bytes;  // Used when `path` is empty.
  std::int64_t bytes = 0;
  std::uint64_t checksum = 0;  // hash64() of the bytes.
  friend bool operator==(const StateFile&, const StateFile&) = default;
};

// What one subtask of one operator gave to a checkpoint.
struct OperatorSnapshot {
  int op = 0;                             // In the vertex.
  std::vector<StateFile> files;           // A base and its deltas, oldest first. Empty: no state.
  std::vector<std::string> committables;  // Of a sink, prepared and not committed before.
  std::vector<SourceSplit> splits;        // Of a source: what its readers hold.
  friend bool operator==(const OperatorSnapshot&, const OperatorSnapshot&) = default;
};

// What barriers have overtaken at one end of an edge, on all channels of a subtask.
struct InFlightFile {
  int edge = 0;            // Of the job graph.
  bool is_output = false;  // Of the subtask that sends; else of the one that receives.
  std::int64_t rows = 0;
  StateFile file;  // Never without a path and empty.
  friend bool operator==(const InFlightFile&, const InFlightFile&) = default;
};

// What a task acknowledges a checkpoint with.
struct TaskSnapshot {
  std::vector<OperatorSnapshot> operators;
  std::vector<InFlightFile> in_flight = {};
  std::int64_t alignment_ns = 0;   // From the first barrier to the last.
  std::int64_t frozen_ns = 0;      // How long the task took nothing for it.
  std::int64_t written_bytes = 0;  // New for this checkpoint.
  friend bool operator==(const TaskSnapshot&, const TaskSnapshot&) = default;
};

// All that must be known to go on from a checkpoint. Paths are relative, so a folder may be moved.
struct CheckpointMetadata {
  struct Subtask {
    // Before the checkpoint; it then has no state, but may have committables.
    bool has_finished = false;
    std::vector<OperatorSnapshot> operators;
    std::vector<InFlightFile> in_flight = {};
    friend bool operator==(const Subtask&, const Subtask&) = default;
  };
  struct Operator {
    std::string uid;
    std::string name;
    std::string kind;
    std::string enumerator;  // Of a source: SplitEnumerator::snapshot().
    friend bool operator==(const Operator&, const Operator&) = default;
  };
  struct Vertex {
    std::string name;
    int max_parallelism = 0;
    std::vector<Operator> operators;
    std::vector<Subtask> subtasks;  // As many as it was parallel.
    friend bool operator==(const Vertex&, const Vertex&) = default;
  };

  // By its ends, as the job graph may have it elsewhere later.
  struct Edge {
    int from_vertex = 0;
    int to_vertex = 0;
    std::string from_uid;  // Of the operator that sends.
    std::string to_uid;    // Of the head of the task that receives.
    int to_input = 0;
    friend bool operator==(const Edge&, const Edge&) = default;
  };

  CheckpointId id = 0;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  std::int64_t timestamp_ms = 0;
  std::string job_id;  // Of the job that made it, 32 hexadecimal digits.
  std::string job_name;
  std::vector<Vertex> vertices;
  std::vector<Edge> edges;  // In the order of the job graph; none when nothing is in flight.
  friend bool operator==(const CheckpointMetadata&, const CheckpointMetadata&) = default;
};

// Every state of a checkpoint, in a file or inline.
template <typename Visit>
void for_each_file(const CheckpointMetadata& metadata, Visit visit) {
  for (const CheckpointMetadata::Vertex& vertex : metadata.vertices) {
    for (const CheckpointMetadata::Subtask& subtask : vertex.subtasks) {
      for (const OperatorSnapshot& op : subtask.operators) {
        for (const StateFile& file : op.files) visit(file);
      }
      for (const InFlightFile& in_flight : subtask.in_flight) visit(in_flight.file);
    }
  }
}

// What was in flight on one edge of a new attempt's graph.
struct InFlightRestore {
  struct Part {
    int subtask = 0;  // Former, at the end of the edge that it is of.
    bool is_output = false;
    StateFile file;
    friend bool operator==(const Part&, const Part&) = default;
  };
  int edge = 0;
  int producers = 0;  // Former.
  int consumers = 0;
  int max_parallelism = 0;  // Former, of the consumers.
  std::string folder = {};  // What the paths are relative to.
  std::vector<Part> parts = {};
  friend bool operator==(const InFlightRestore&, const InFlightRestore&) = default;
};

// What one subtask of a new attempt starts with.
struct TaskRestore {
  struct Operator {
    struct Part {
      std::vector<StateFile> snapshots;  // A base and its deltas, oldest first.
      friend bool operator==(const Part&, const Part&) = default;
    };
    int op = 0;
    std::vector<Part> parts;  // Of former subtasks that may have something for this one.
    friend bool operator==(const Operator&, const Operator&) = default;
  };
  int vertex = 0;
  int subtask = 0;
  bool has_finished = false;  // It ends at once, and says so to its consumers.
  std::string folder;         // What the paths are relative to.
  std::vector<Operator> operators;
  friend bool operator==(const TaskRestore&, const TaskRestore&) = default;
};

}  // namespace clepsydra
