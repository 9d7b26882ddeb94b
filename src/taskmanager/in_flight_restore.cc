#include "taskmanager/in_flight_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "base/check.h"
#include "checkpoint/checkpoint_storage.h"
#include "graph/job_graph.h"
#include "network/partitioner.h"
#include "taskmanager/in_flight_codec.h"

namespace clepsydra {
namespace {

// One edge.
class Sharing {
 public:
  Sharing(const InFlightRestore& restore, const JobGraph& graph, MemoryPool& pool)
      : restore_(restore),
        edge_(graph.edges[static_cast<std::size_t>(restore.edge)]),
        from_(graph.vertices[static_cast<std::size_t>(edge_.from_vertex)]),
        to_(graph.vertices[static_cast<std::size_t>(edge_.to_vertex)]),
        pool_(pool) {}

  // What stood before the consumer first, then what stood before the producer.
  Status read(FileSystem& files) {
    const SchemaPtr& schema =
        from_.operators[static_cast<std::size_t>(edge_.from_operator)].spec.output;
    for (const bool is_output : {false, true}) {
      for (const InFlightRestore::Part& part : restore_.parts) {
        if (part.is_output != is_output) continue;
        CLP_ASSIGN_OR_RETURN(const std::string bytes,
                             read_state(files, restore_.folder, part.file));
        CLP_ASSIGN_OR_RETURN(std::vector<InFlightOf> channels,
                             decode_in_flight(bytes, schema, pool_));
        for (InFlightOf& channel : channels) {
          CLP_RETURN_IF_ERROR(add(part, std::move(channel)));
        }
      }
    }
    return Status::ok();
  }

  Status share_out(RecoveredEdges& out) {
    if (was_one_to_one()) slow_down();
    if (is_as_before()) {
      for (auto& [ends, content] : channels_) {
        give(out, ends.second, {restore_.edge, ends.second, std::move(content)});
      }
      return Status::ok();
    }
    for (int former = 0; former < restore_.consumers; ++former) {
      std::vector<std::vector<InFlightChannel>> shares(static_cast<std::size_t>(to_.parallelism));
      for (auto& [ends, content] : channels_) {
        if (ends.second != former) continue;
        CLP_RETURN_IF_ERROR(cut_at_marks(content));
        CLP_RETURN_IF_ERROR(share(former, std::move(content), shares));
      }
      for (std::size_t c = 0; c < shares.size(); ++c) {
        for (InFlightChannel& content : without_repetition(std::move(shares[c]))) {
          give(out, static_cast<int>(c), {restore_.edge, former, std::move(content)});
        }
      }
    }
    return Status::ok();
  }

 private:
  // A forward edge, then; what it is now does not matter.
  [[nodiscard]] bool was_one_to_one() const {
    return restore_.producers == restore_.consumers &&
           std::all_of(channels_.begin(), channels_.end(), [](const auto& channel) {
             return channel.first.first == channel.first.second;
           });
  }

  // Each consumer has heard of one producer. Where producers are the subtasks of a source they may
  // have each other's splits now, so none may be taken to be ahead of the slowest: nor one that was
  // idle or had ended, as long as another had not.
  void slow_down() {
    std::int64_t slowest = kMaxWatermark;
    for (const auto& [ends, content] : channels_) {
      if (!content.is_idle && !content.has_ended) slowest = std::min(slowest, content.watermark);
    }
    if (slowest == kMaxWatermark) return;
    for (auto& [ends, content] : channels_) {
      content.watermark = std::min(content.watermark, slowest);
      content.is_idle = false;
      content.has_ended = false;
    }
  }

  [[nodiscard]] bool is_as_before() const {
    return restore_.producers == from_.parallelism && restore_.consumers == to_.parallelism &&
           (edge_.partitioning != Partitioning::kHash ||
            restore_.max_parallelism == to_.max_parallelism);
  }

  Status add(const InFlightRestore::Part& part, InFlightOf channel) {
    const int peers = part.is_output ? restore_.consumers : restore_.producers;
    if (channel.peer >= peers) {
      return Status::data_loss(
          fmt::format("rows in flight of subtask {}, there were {}", channel.peer, peers));
    }
    const std::pair<int, int> ends = part.is_output ? std::pair(part.subtask, channel.peer)
                                                    : std::pair(channel.peer, part.subtask);
    const auto found = channels_.find(ends);
    if (found == channels_.end()) {
      // Without a word of its consumer nothing is known of it but that it was in use.
      if (part.is_output) channel.content.has_spoken = true;
      channels_.emplace(ends, std::move(channel.content));
    } else {
      std::vector<StreamElement>& elements = found->second.elements;
      std::move(channel.content.elements.begin(), channel.content.elements.end(),
                std::back_inserter(elements));
    }
    return Status::ok();
  }

  void give(RecoveredEdges& out, int subtask, RecoveredEdge recovered) const {
    out[{edge_.to_vertex, subtask}].push_back(std::move(recovered));
  }

  // Marks become signals between batches.
  Status cut_at_marks(InFlightChannel& content) {
    std::vector<StreamElement> cut;
    for (StreamElement& element : content.elements) {
      const Batch* batch = as_batch(element);
      if (batch == nullptr || batch->marks().empty()) {
        cut.push_back(std::move(element));
        continue;
      }
      std::int64_t begin = 0;
      const auto add_rows = [&](std::int64_t end) -> Status {
        if (end == begin) return Status::ok();
        CLP_ASSIGN_OR_RETURN(const Batch rows, batch->slice(begin, end - begin, pool_));
        cut.emplace_back(rows.with_marks({}));
        begin = end;
        return Status::ok();
      };
      for (const Mark& mark : batch->marks()) {
        CLP_RETURN_IF_ERROR(add_rows(mark.row));
        cut.emplace_back(Signal(WatermarkSignal{mark.watermark}));
      }
      CLP_RETURN_IF_ERROR(add_rows(batch->rows()));
    }
    content.elements = std::move(cut);
    return Status::ok();
  }

  Status share(int former_consumer, InFlightChannel content,
               std::vector<std::vector<InFlightChannel>>& shares) {
    const auto consumers = static_cast<int>(shares.size());
    if (consumers == 1 || edge_.partitioning == Partitioning::kGlobal) {
      shares[0].push_back(std::move(content));
    } else if (edge_.partitioning == Partitioning::kHash) {
      return share_by_key(content, shares);
    } else if (edge_.partitioning == Partitioning::kBroadcast) {
      for (std::vector<InFlightChannel>& each : shares) each.push_back(content);
    } else {
      const auto to = static_cast<std::size_t>(static_cast<std::int64_t>(former_consumer) *
                                               consumers / restore_.consumers);
      // A forward edge has rows where it was not forward before, and any subtask may have them; of
      // time nobody may know less, as each hears of one producer now.
      for (std::size_t c = 0; c < shares.size() && edge_.partitioning == Partitioning::kForward;
           ++c) {
        if (c != to) shares[c].push_back(without_rows(content));
      }
      shares[to].push_back(std::move(content));
    }
    return Status::ok();
  }

  Status share_by_key(const InFlightChannel& content,
                      std::vector<std::vector<InFlightChannel>>& shares) {
    Partitioner partitioner(
        {.kind = RoutingKind::kHash, .keys = edge_.keys, .max_parallelism = to_.max_parallelism},
        static_cast<int>(shares.size()));
    for (std::vector<InFlightChannel>& each : shares) {
      each.push_back({content.has_spoken, content.is_idle, content.has_ended, content.watermark});
    }
    for (const StreamElement& element : content.elements) {
      const Batch* batch = as_batch(element);
      if (batch == nullptr || batch->rows() == 0) {
        for (auto& each : shares) each.back().elements.push_back(element);
        continue;
      }
      const auto rows = partitioner.split(*batch);
      for (std::size_t c = 0; c < shares.size(); ++c) {
        CLP_ASSIGN_OR_RETURN(Batch part, batch->select(rows[c], pool_));
        if (!part.empty()) shares[c].back().elements.emplace_back(std::move(part));
      }
    }
    return Status::ok();
  }

  // After cut_at_marks().
  static InFlightChannel without_rows(const InFlightChannel& content) {
    InFlightChannel signals{content.has_spoken, content.is_idle, content.has_ended,
                            content.watermark};
    std::copy_if(content.elements.begin(), content.elements.end(),
                 std::back_inserter(signals.elements),
                 [](const StreamElement& element) { return as_batch(element) == nullptr; });
    return signals;
  }

  // Channels that hold nothing matter only by the time that the last of them allows.
  static std::vector<InFlightChannel> without_repetition(std::vector<InFlightChannel> channels) {
    std::vector<InFlightChannel> kept;
    std::optional<InFlightChannel> slowest;
    for (InFlightChannel& channel : channels) {
      if (!channel.elements.empty()) {
        kept.push_back(std::move(channel));
      } else if (!channel.is_idle && !channel.has_ended &&
                 (!slowest || channel.watermark < slowest->watermark)) {
        slowest = std::move(channel);
      }
    }
    if (slowest) kept.push_back(*std::move(slowest));
    return kept;
  }

  const InFlightRestore& restore_;
  const JobEdge& edge_;
  const JobVertex& from_;
  const JobVertex& to_;
  MemoryPool& pool_;
  std::map<std::pair<int, int>, InFlightChannel> channels_;  // By former producer and consumer.
};

std::string name_of(const JobGraph& graph, const InFlightRestore& restore) {
  const JobEdge& edge = graph.edges[static_cast<std::size_t>(restore.edge)];
  const auto name = [&](int vertex) {
    return graph.vertices[static_cast<std::size_t>(vertex)].name;
  };
  return fmt::format("restoring what was in flight between '{}' and '{}'", name(edge.from_vertex),
                     name(edge.to_vertex));
}

}  // namespace

Result<RecoveredEdges> read_in_flight(const std::vector<InFlightRestore>& restores,
                                      const JobGraph& graph, FileSystem& files, MemoryPool& pool) {
  std::vector<Sharing> edges;
  for (const InFlightRestore& restore : restores) {
    const auto e = static_cast<std::size_t>(restore.edge);
    if (restore.edge < 0 || e >= graph.edges.size() || restore.consumers < 1) {
      return Status::invalid_argument(
          fmt::format("rows in flight on edge {}, which is not there", restore.edge));
    }
    edges.emplace_back(restore, graph, pool);
    CLP_RETURN_IF_ERROR(edges.back().read(files).with_context(name_of(graph, restore)));
  }
  RecoveredEdges recovered;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    CLP_RETURN_IF_ERROR(edges[i].share_out(recovered).with_context(name_of(graph, restores[i])));
  }
  return recovered;
}

}  // namespace clepsydra
