// The machine that a simulated job runs on for as many lives as it takes: its disk and clocks, what
// must be visible on it, and from where a next life may go on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "oracle.h"
#include "workload.h"

namespace clepsydra::testing {

// A simulated clock whose wall time jumps.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(const SimulatedClock& clock) : clock_(clock) {}
  [[nodiscard]] std::int64_t now_ms() const override { return clock_.now_ms() + ahead_ms_; }
  [[nodiscard]] std::int64_t now_ns() const override {
    return clock_.now_ns() + ahead_ms_ * 1'000'000;
  }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return clock_.monotonic_ns(); }
  void jump_ms(std::int64_t ms) { ahead_ms_ += ms; }

 private:
  const SimulatedClock& clock_;
  std::int64_t ahead_ms_ = 0;
};

// What holds for what is visible, beside "nothing from nowhere".
enum class Promise : std::uint8_t {
  kExactlyOnce,
  // As above, but rows may be on their way at a cut: what a cut must have shown is known at its
  // end.
  kExactlyOnceInFlight,
  kAtLeastOnce,
};

class SimulatedMachine {
 public:
  static constexpr const char* kCheckpoints = "/checkpoints";
  static constexpr const char* kSavepoints = "/savepoints";
  // The folder of the table that branch `number` writes.
  static std::string table_folder(int number);

  SimulatedMachine(const Workload& workload, const std::vector<Branch>& branches, Promise promise);

  SimulatedClock& clock() { return clock_; }
  JumpingClock& wall_clock() { return wall_clock_; }
  MemoryFileSystem& disk() { return disk_; }
  [[nodiscard]] Promise promise() const { return promise_; }

  // ---- Where to go on from ----

  // A file has got its name: checkpoints and savepoints are remembered in the order of completion.
  void renamed(const std::string& path);
  // The newest that is there, by its folder; empty: none.
  [[nodiscard]] std::string newest_snapshot();
  // The newest savepoint that was made after the first `count` snapshots and is there; empty: none.
  [[nodiscard]] std::string savepoint_after(std::size_t count);
  // It cannot be used.
  void give_up(const std::string& snapshot) { given_up_.insert(snapshot); }
  // How many there have been.
  [[nodiscard]] std::size_t snapshot_count() const { return snapshots_.size(); }
  // Whether a checkpoint is there that was made after the first `count`.
  [[nodiscard]] bool has_checkpoint_after(std::size_t count);
  // What the metadata say; nothing when they cannot be read.
  [[nodiscard]] std::optional<Positions> positions_of(const std::string& snapshot);

  // ---- Faults ----

  // Flips a bit of a file of a checkpoint or savepoint; false when there is none.
  bool rot(Random& random);
  [[nodiscard]] std::int64_t rotten_bits() const { return rotten_bits_; }

  // ---- The oracle. Empty, or what is wrong ----

  // An attempt of a region sets out: in its tables everything up to here is visible and nothing
  // else.
  std::string check_cut(int region, const Positions& positions);
  // From now on a job runs whose event time is at its end already: only its own end can be checked.
  void set_drained() { is_drained_ = true; }
  // No more is visible than a snapshot covers.
  std::string check_covered(const Positions& positions);
  // The job has ended there.
  std::string check_whole(const Positions& positions);
  // The job was stopped there, and event time went to its end.
  std::string check_drained(const Positions& positions);
  [[nodiscard]] bool is_whole();

  [[nodiscard]] std::int64_t cuts_checked() const { return cuts_checked_; }
  [[nodiscard]] std::int64_t went_back() const { return went_back_; }

 private:
  struct Table {
    std::unique_ptr<Oracle> oracle;
    Branch branch;
    int region = 0;
    std::string folder;
    // By line: how often it is there beside what a cut demands, since rotten files have made the
    // job go back behind what it had made visible.
    std::vector<int> extra;
    std::vector<int> visible;
  };

  // Every line that is visible in a folder; empty, or what is wrong with it.
  std::string for_each_line(
      const std::string& folder,
      const std::function<std::string(const std::string& line, const std::string& path)>& take);
  // Reads what is visible into Table::visible.
  std::string read(Table& table);
  std::string check_table(Table& table, const Positions& positions, CutWatermark watermark,
                          bool is_end);
  std::string check_table_at(const Table& table, const Positions& positions,
                             std::int64_t watermark) const;
  std::string go_back(Table& table, const Positions& positions, CutWatermark watermark);
  [[nodiscard]] bool is_loose() const;

  const Workload& workload_;
  const Promise promise_;
  SimulatedClock clock_;
  JumpingClock wall_clock_{clock_};
  MemoryFileSystem disk_{wall_clock_};
  std::vector<Table> tables_;
  std::vector<std::string> snapshots_;  // Folders, oldest first.
  std::set<std::string> given_up_;
  bool is_loose_ = false;
  bool is_drained_ = false;
  std::int64_t rotten_bits_ = 0;
  std::int64_t cuts_checked_ = 0;
  std::int64_t went_back_ = 0;
};

}  // namespace clepsydra::testing
