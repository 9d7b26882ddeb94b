#include "operators/window/fired_ahead.h"

#include <algorithm>
#include <limits>

#include "base/bits.h"
#include "base/check.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr std::string_view kList = "fired_ahead";
constexpr std::size_t kItemBytes = 4 + 4 + 8;

std::uint8_t* bytes_of(std::string& item) {
  return reinterpret_cast<std::uint8_t*>(item.data());
}
const std::uint8_t* bytes_of(const std::string& item) {
  return reinterpret_cast<const std::uint8_t*>(item.data());
}

}  // namespace

Result<FiredAhead> FiredAhead::open(KeyedStateBackend& state, std::string_view number,
                                    int max_parallelism) {
  FiredAhead ahead;
  ahead.max_parallelism_ = max_parallelism;
  const std::vector<KeyedStateBackend::RestoredNumber> numbers = state.restored_numbers(number);
  std::int64_t slowest = std::numeric_limits<std::int64_t>::max();
  for (const auto& restored : numbers) slowest = std::min(slowest, restored.value);
  for (const auto& restored : numbers) {
    if (restored.value > slowest) ahead.ranges_.push_back({restored.key_groups, restored.value});
  }
  const std::vector<std::string> unclaimed = state.unclaimed();
  const bool was_stored = std::find(unclaimed.begin(), unclaimed.end(), kList) != unclaimed.end();
  if (was_stored || !ahead.ranges_.empty()) {
    CLP_ASSIGN_OR_RETURN(ahead.stored_, state.open_list(kList, ListMode::kUnion));
    for (const std::string& item : *ahead.stored_) {
      if (item.size() != kItemBytes) return Status::data_loss("a broken item of 'fired_ahead'");
      const auto* bytes = bytes_of(item);
      const KeyGroupRange key_groups{static_cast<int>(load_le<std::uint32_t>(bytes)),
                                     static_cast<int>(load_le<std::uint32_t>(bytes + 4))};
      ahead.ranges_.push_back(
          {key_groups, static_cast<std::int64_t>(load_le<std::uint64_t>(bytes + 8))});
    }
  }
  ahead.pass(slowest);
  return ahead;
}

std::vector<std::size_t> FiredAhead::find_due(const std::vector<Column>& keys, std::size_t rows,
                                              std::int64_t window_end) const {
  std::vector<std::uint64_t> hashes(rows);
  hash_rows(keys, static_cast<std::int64_t>(rows), hashes.data());
  std::vector<std::size_t> due;
  for (std::size_t row = 0; row < rows; ++row) {
    const int key_group = key_group_of(hashes[row], max_parallelism_);
    const bool has_fired = std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
      return key_group >= range.key_groups.begin && key_group < range.key_groups.end &&
             window_end <= range.fired_until;
    });
    if (!has_fired) due.push_back(row);
  }
  return due;
}

void FiredAhead::pass(std::int64_t fired_until) {
  if (stored_ == nullptr) return;
  std::erase_if(ranges_, [&](const Range& range) { return range.fired_until <= fired_until; });
  furthest_ = kNone;
  for (const Range& range : ranges_) furthest_ = std::max(furthest_, range.fired_until);
  store();
}

void FiredAhead::store() {
  stored_->clear();
  for (const Range& range : ranges_) {
    std::string& item = stored_->emplace_back(kItemBytes, '\0');
    store_le(bytes_of(item), static_cast<std::uint32_t>(range.key_groups.begin));
    store_le(bytes_of(item) + 4, static_cast<std::uint32_t>(range.key_groups.end));
    store_le(bytes_of(item) + 8, static_cast<std::uint64_t>(range.fired_until));
  }
}

}  // namespace clepsydra
