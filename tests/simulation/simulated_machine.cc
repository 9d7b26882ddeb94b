#include "simulated_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "checkpoint/checkpoint_codec.h"
#include "stream/split_codec.h"

namespace clepsydra::testing {
namespace {

constexpr std::string_view kMetadata = "_metadata";

std::string in_folder_text(std::string_view path, std::string_view folder) {
  // "<folder>/k=3/part-0" -> "3,"; "<folder>/part-0" -> "".
  const std::string_view below = path.substr(folder.size() + 1);
  const std::size_t slash = below.find('/');
  if (slash == std::string_view::npos || !below.starts_with("k=")) return "";
  return std::string(below.substr(2, slash - 2)) + ",";
}

// Sources are the first nodes of a job, and their uids say so.
std::optional<int> source_of(const CheckpointMetadata::Operator& op) {
  if (op.kind != "source") return std::nullopt;
  return std::stoi(op.uid.substr(op.uid.find('-') + 1));
}

// What the enumerator of a source and those who send its splits hold.
Status add_unassigned(const std::string& bytes, std::vector<SourceSplit>& left) {
  if (bytes.empty()) return Status::ok();  // The source has finished.
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(bytes));
  CLP_ASSIGN_OR_RETURN(const std::string enumerator, tree.get_string("enumerator"));
  CLP_ASSIGN_OR_RETURN(std::vector<SourceSplit> splits, splits_of_enumerator(enumerator));
  left.insert(left.end(), splits.begin(), splits.end());
  CLP_ASSIGN_OR_RETURN(const ValueTree assigned, tree.get("assigned"));
  CLP_ASSIGN_OR_RETURN(splits, splits_from_tree(assigned));
  left.insert(left.end(), splits.begin(), splits.end());
  return Status::ok();
}

}  // namespace

std::string SimulatedMachine::table_folder(int number) {
  return fmt::format("/out/{}", number);
}

SimulatedMachine::SimulatedMachine(const Workload& workload, const std::vector<Branch>& branches,
                                   Promise promise)
    : workload_(workload), promise_(promise) {
  const std::vector<int> regions = regions_of(branches, workload.sources.size());
  for (std::size_t i = 0; i < branches.size(); ++i) {
    Table& table = tables_.emplace_back();
    table.branch = branches[i];
    table.region =
        branches[i].source < 0 ? 0 : regions[static_cast<std::size_t>(branches[i].source)];
    table.oracle = std::make_unique<Oracle>(workload, branches[i]);
    table.folder = table_folder(static_cast<int>(i));
    table.extra.assign(static_cast<std::size_t>(table.oracle->lines()), 0);
  }
}

void SimulatedMachine::renamed(const std::string& path) {
  if (base_name(path) == kMetadata) snapshots_.emplace_back(directory_name(path));
}

std::string SimulatedMachine::newest_snapshot() {
  for (auto snapshot = snapshots_.rbegin(); snapshot != snapshots_.rend(); ++snapshot) {
    if (given_up_.contains(*snapshot)) continue;
    if (*disk_.exists(join_path(*snapshot, kMetadata))) return *snapshot;
  }
  return "";
}

std::string SimulatedMachine::savepoint_after(std::size_t count) {
  for (std::size_t i = snapshots_.size(); i > count; --i) {
    const std::string& snapshot = snapshots_[i - 1];
    if (!snapshot.starts_with(kSavepoints)) continue;
    if (*disk_.exists(join_path(snapshot, kMetadata))) return snapshot;
  }
  return "";
}

bool SimulatedMachine::has_checkpoint_after(std::size_t count) {
  return std::any_of(snapshots_.begin() + static_cast<std::ptrdiff_t>(count), snapshots_.end(),
                     [&](const std::string& snapshot) {
                       return snapshot.starts_with(kCheckpoints) &&
                              *disk_.exists(join_path(snapshot, kMetadata));
                     });
}

std::optional<Positions> SimulatedMachine::positions_of(const std::string& snapshot) {
  const Result<std::string> bytes = read_file(disk_, join_path(snapshot, kMetadata));
  if (!bytes.is_ok()) return std::nullopt;
  const Result<CheckpointMetadata> metadata = decode_checkpoint_metadata(*bytes);
  if (!metadata.is_ok()) return std::nullopt;
  Positions positions = Positions::at_start(workload_);
  for (const CheckpointMetadata::Vertex& vertex : metadata->vertices) {
    for (std::size_t op = 0; op < vertex.operators.size(); ++op) {
      const std::optional<int> source = source_of(vertex.operators[op]);
      if (!source) continue;
      std::vector<SourceSplit> left;
      if (!add_unassigned(vertex.operators[op].enumerator, left).is_ok()) return std::nullopt;
      for (const CheckpointMetadata::Subtask& subtask : vertex.subtasks) {
        for (const OperatorSnapshot& snapshot_of : subtask.operators) {
          if (snapshot_of.op != static_cast<int>(op)) continue;
          left.insert(left.end(), snapshot_of.splits.begin(), snapshot_of.splits.end());
        }
      }
      if (!positions.set_remaining(*source, left).is_ok()) return std::nullopt;
    }
  }
  return positions;
}

bool SimulatedMachine::rot(Random& random) {
  std::vector<std::string> paths = disk_.paths_below(kCheckpoints);
  for (std::string& path : disk_.paths_below(kSavepoints)) paths.push_back(std::move(path));
  if (paths.empty()) return false;
  const std::string& path = paths[random.uniform(paths.size())];
  const Result<FileInfo> info = disk_.stat(path);
  if (!info.is_ok() || info->size == 0) return false;
  ++rotten_bits_;
  CLP_CHECK(
      disk_.flip_bit(path, random.uniform(static_cast<std::uint64_t>(info->size) * 8)).is_ok());
  return true;
}

std::string SimulatedMachine::for_each_line(
    const std::string& folder,
    const std::function<std::string(const std::string& line, const std::string& path)>& take) {
  std::string line;
  for (const std::string& path : disk_.paths_below(folder)) {
    const std::string_view name = base_name(path);
    if (name.starts_with(".") || name.starts_with("_")) continue;
    const std::string text = *read_file(disk_, path);
    const std::string start = in_folder_text(path, folder);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string::npos)
        return fmt::format("a visible file ends within a line: {}", path);
      line.assign(start).append(text, at, end - at);
      at = end + 1;
      std::string problem = take(line, path);
      if (!problem.empty()) return problem;
    }
  }
  return "";
}

std::string SimulatedMachine::read(Table& table) {
  table.visible.assign(static_cast<std::size_t>(table.oracle->lines()), 0);
  return for_each_line(table.folder,
                       [&](const std::string& line, const std::string& path) -> std::string {
                         const int number = table.oracle->find(line);
                         if (number < 0)
                           return fmt::format("unexpected line '{}' in {}", line, path);
                         ++table.visible[static_cast<std::size_t>(number)];
                         return "";
                       });
}

// Nothing may be lost, but things may come again.
bool SimulatedMachine::is_loose() const {
  return is_loose_ || promise_ == Promise::kAtLeastOnce ||
         (promise_ == Promise::kExactlyOnceInFlight && rotten_bits_ > 0);
}

std::string SimulatedMachine::check_table_at(const Table& table, const Positions& positions,
                                             std::int64_t watermark) const {
  for (int i = 0; i < table.oracle->lines(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int due = table.extra[at] + (table.oracle->is_due(i, positions, watermark) ? 1 : 0);
    if (table.visible[at] == due) continue;
    return fmt::format("line '{}' of {} is there {} times instead of {}", table.oracle->line(i),
                       table.branch.describe(), table.visible[at], due);
  }
  return "";
}

// Rot has made an older snapshot the one to go on from: what is visible beyond it comes again.
std::string SimulatedMachine::go_back(Table& table, const Positions& positions,
                                      CutWatermark watermark) {
  // Which windows come again is not known to the last.
  if (watermark.surely != watermark.at_most && table.branch.has_windows) is_loose_ = true;
  for (int i = 0; i < table.oracle->lines(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int extra =
        table.visible[at] - (table.oracle->is_due(i, positions, watermark.surely) ? 1 : 0);
    // A power cut may bring a newer one back, so it may also become less.
    if (extra < 0) {
      return fmt::format("line '{}' of {} was lost while going back", table.oracle->line(i),
                         table.branch.describe());
    }
    table.extra[at] = extra;
  }
  ++went_back_;
  return "";
}

std::string SimulatedMachine::check_table(Table& table, const Positions& positions,
                                          CutWatermark watermark, bool is_end) {
  std::string problem = read(table);
  if (!problem.empty()) return problem;
  if (promise_ == Promise::kExactlyOnceInFlight && !is_end) return "";
  if (is_loose()) {
    for (int i = 0; i < table.oracle->lines(); ++i) {
      if (table.visible[static_cast<std::size_t>(i)] > 0) continue;
      if (!table.oracle->is_due(i, positions, watermark.surely)) continue;
      return fmt::format("line '{}' of {} is not there", table.oracle->line(i),
                         table.branch.describe());
    }
    return "";
  }
  problem = check_table_at(table, positions, watermark.surely);
  if (problem.empty() || !table.branch.has_windows) {
    if (problem.empty() || rotten_bits_ == 0) return problem;
    return go_back(table, positions, watermark);
  }
  for (const std::int64_t end : table.oracle->window_ends()) {
    if (end <= watermark.surely || end > watermark.at_most) continue;
    if (check_table_at(table, positions, end).empty()) return "";
  }
  return rotten_bits_ == 0 ? problem : go_back(table, positions, watermark);
}

std::string SimulatedMachine::check_cut(int region, const Positions& positions) {
  if (is_drained_) return "";
  ++cuts_checked_;
  for (Table& table : tables_) {
    if (table.region != region) continue;
    const CutWatermark watermark = cut_watermark(workload_, table.branch, positions);
    const std::string problem = check_table(table, positions, watermark, /*is_end=*/false);
    if (!problem.empty()) return "at a cut: " + problem;
  }
  return "";
}

std::string SimulatedMachine::check_covered(const Positions& positions) {
  for (Table& table : tables_) {
    const CutWatermark watermark = cut_watermark(workload_, table.branch, positions);
    const std::string problem = read(table);
    if (!problem.empty()) return problem;
    // The snapshot that covers it may be one that rot has made useless.
    if (is_loose() || rotten_bits_ > 0) continue;
    for (int i = 0; i < table.oracle->lines(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool is_due = table.oracle->is_due(i, positions, watermark.at_most);
      if (table.visible[at] <= table.extra[at] + (is_due ? 1 : 0)) continue;
      return fmt::format("line '{}' of {} is there {} times and no snapshot covers it",
                         table.oracle->line(i), table.branch.describe(), table.visible[at]);
    }
  }
  return "";
}

std::string SimulatedMachine::check_whole(const Positions& positions) {
  for (Table& table : tables_) {
    CutWatermark watermark = cut_watermark(workload_, table.branch, positions);
    // Of a job that has finished every window was given.
    if (positions == Positions::at_end(workload_)) watermark.surely = watermark.at_most;
    const std::string problem = check_table(table, positions, watermark, /*is_end=*/true);
    if (!problem.empty()) return "at the end: " + problem;
  }
  return "";
}

std::string SimulatedMachine::check_drained(const Positions& positions) {
  const Workload read = read_of(workload_, positions);
  // What was visible before rot made the job go back may never come again.
  const bool is_strict = !is_loose() && rotten_bits_ == 0;
  for (const Table& table : tables_) {
    const Oracle oracle(read, table.branch);
    std::vector<int> visible(static_cast<std::size_t>(oracle.lines()), 0);
    std::string problem = for_each_line(
        table.folder, [&](const std::string& line, const std::string& path) -> std::string {
          const int number = oracle.find(line);
          if (number >= 0) {
            ++visible[static_cast<std::size_t>(number)];
          } else if (is_strict) {
            return fmt::format("after draining: unexpected line '{}' in {}", line, path);
          }
          return "";
        });
    if (!problem.empty()) return problem;
    for (int i = 0; i < oracle.lines(); ++i) {
      const int times = visible[static_cast<std::size_t>(i)];
      if (times == 1 || (times > 1 && !is_strict)) continue;
      return fmt::format("after draining: line '{}' of {} is there {} times", oracle.line(i),
                         table.branch.describe(), times);
    }
  }
  return "";
}

bool SimulatedMachine::is_whole() {
  const Positions end = Positions::at_end(workload_);
  return std::all_of(tables_.begin(), tables_.end(), [&](Table& table) {
    const CutWatermark watermark = cut_watermark(workload_, table.branch, end);
    if (!read(table).empty()) return false;
    for (int i = 0; i < table.oracle->lines(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      // Of a job that has finished every window was given.
      if (table.oracle->is_due(i, end, watermark.at_most) && table.visible[at] <= table.extra[at]) {
        return false;
      }
    }
    return true;
  });
}

}  // namespace clepsydra::testing
