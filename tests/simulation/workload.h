// The input of a simulated job, drawn from a seed: sources of splits of rows, each row known in
// advance, and how a machine that runs them may misbehave.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "clepsydra/source.h"
#include "happenings.h"
#include "stream/batch.h"

namespace clepsydra::testing {

// All event times are multiples of this, so that every advance of a watermark is above the interval
// below which it waits for a tick of the clock: what is late follows from the rows alone.
inline constexpr std::int64_t kEventStepMs = 1000;
inline constexpr std::int64_t kWorkloadBaseMs = 1'704'067'200'000;  // 2024-01-01.

struct WorkloadRow {
  std::int64_t k;
  std::int64_t v;  // split_number() * kRowsPerSplitMax + its index: no two rows are equal.
  std::int64_t at_ms;
};

struct WorkloadSplit {
  std::vector<WorkloadRow> rows;
  // [n]: the split's watermark after n rows.
  std::vector<std::int64_t> watermarks;
  // [n]: before row n there is nothing for so long (virtual time): bursts with rests between them.
  std::vector<std::int32_t> rests_ms;
  // Before this row it waits until all other splits of its region have been read; -1: never.
  std::int64_t waits_at = -1;
};

struct WorkloadSource {
  std::vector<WorkloadSplit> splits;
};

struct Workload {
  static constexpr std::int64_t kRowsPerSplitMax = 1'000'000;

  std::vector<WorkloadSource> sources;
  bool is_bounded = true;
  bool has_late_rows = false;  // Only with a single split.
  bool is_out_of_order = false;
  bool has_key_flips = false;        // Now one key is hot, now another one.
  std::int64_t delay_ms = 0;         // Of the watermark behind the largest time.
  std::int64_t idle_timeout_ms = 0;  // Above 0: one split waits for the others.

  [[nodiscard]] std::int64_t rows() const;
  [[nodiscard]] int split_count() const;
  // Over all sources.
  [[nodiscard]] int split_number(int source, int split) const;
  // Virtual time that its rests take at least.
  [[nodiscard]] std::int64_t duration_ms() const;
  [[nodiscard]] std::string describe() const;
};

Workload draw_workload(Random& random);

// Where the sources of a job are: what a checkpoint names.
struct Positions {
  struct Split {
    bool has_finished = false;
    std::int64_t next = 0;  // So many rows were read.
    // What the subtask that holds it had said at last; the split alone may say more.
    std::int64_t delivered = kMinWatermark;
    friend bool operator==(const Split&, const Split&) = default;
  };
  std::vector<std::vector<Split>> sources;  // By source and split.

  // At the beginning.
  static Positions at_start(const Workload& workload);
  static Positions at_end(const Workload& workload);
  // Nothing but what `splits` say is left to read of `source`.
  Status set_remaining(int source, const std::vector<SourceSplit>& splits);
  // Whether as many rows were read.
  [[nodiscard]] bool is_at(const Positions& other) const;
  friend bool operator==(const Positions&, const Positions&) = default;
};

// Without the rows that have not been read.
Workload read_of(const Workload& workload, const Positions& positions);

// What an enumerator has not dealt out, by its snapshot.
Result<std::vector<SourceSplit>> splits_of_enumerator(const std::string& snapshot);

// Of how sources misbehave. Shared by all readers of a process.
struct SourceFaults {
  double poll_error = 0;  // Per poll: the task fails.
  double stall = 0;       // Per poll: nothing comes for up to stall_ms_max.
  std::int64_t stall_ms_max = 100;
};

// By source: the splits that an attempt has restored; none: it sets out from the beginning.
using RestoredSplits = std::vector<std::optional<std::vector<SourceSplit>>>;

// What the readers of one process share.
struct WorkloadProcess {
  const Workload* workload = nullptr;
  std::vector<int> region_of;  // By source: which ones set out together.
  // Told once per attempt of a region, before the first split is given to anybody.
  std::function<void(int region, const RestoredSplits& restored)> on_attempt;
  RestoredSplits restored;  // Of the last attempts.
  std::set<int> beginning;  // Regions.
  SourceFaults faults;
  Random random{1};
  Happenings* happened = nullptr;
  std::set<int> read_to_end;  // Split numbers.
  bool is_healed = false;     // No more faults.
};

// Number `source` of the workload; `process` outlives what is made from it.
std::unique_ptr<Source> make_workload_source(WorkloadProcess& process, int source);

// k BIGINT NOT NULL, v BIGINT NOT NULL, at TIMESTAMP(3) *ROWTIME*
SchemaPtr workload_schema();

}  // namespace clepsydra::testing
