// The offsets of a named zone over all time, from the system's compiled time zone data.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// Times are seconds since 1970, offsets seconds to add to UTC.
//
// Threads: all; immutable.
class ZoneRules {
 public:
  // Of a file in the format of RFC 8536 (TZif), version 2 or later: its transitions, and behind the
  // last one the rule in its footer. Errors: DataLoss.
  static Result<ZoneRules> parse(std::string_view file);

  [[nodiscard]] std::int64_t offset_at_instant(std::int64_t second) const;
  // In a gap and in an overlap the offset before it, as in java.time.
  [[nodiscard]] std::int64_t offset_of_local(std::int64_t second) const;

 private:
  ZoneRules() = default;
  Status add_transitions(std::string_view times, std::string_view indices, std::string_view types);
  Status add_rule(std::string_view footer);
  void add(std::int64_t instant, std::int64_t offset);
  void index_local_times();

  // offsets_[0] holds before transitions_[0], offsets_[i + 1] from transitions_[i] on. The rule is
  // written out up to the year 2500; later years are looked up 400 years, one round of the
  // calendar, earlier.
  std::vector<std::int64_t> transitions_;
  std::vector<std::int64_t> local_;  // Until which local time offsets_[i] holds.
  std::vector<std::int64_t> offsets_;
};

}  // namespace clepsydra
