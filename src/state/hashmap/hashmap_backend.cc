// The state backend "hashmap": everything in memory.
#include "state/hashmap/hashmap_backend.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/hashmap/entry_order.h"
#include "state/hashmap/hashmap_snapshot.h"

namespace clepsydra {

HashmapBackend::HashmapBackend(StateBackendOptions options)
    : options_(std::move(options)), slices_(options_.snapshot_rows_min) {}

Status HashmapBackend::restore(RestoredState state) {
  CLP_CHECK(rows_.empty() && timers_.empty() && numbers_.empty() && lists_.empty());
  CLP_ASSIGN_OR_RETURN(restored_, RestoredParts::read(std::move(state), options_.key_groups,
                                                      options_.max_parallelism));
  for (const std::string& name : restored_.timer_names()) {
    auto timers = std::make_unique<TimerService>(*options_.pool);
    CLP_RETURN_IF_ERROR(restored_.restore_timers(name, *timers));
    timers_.emplace(name, Timers{.service = std::move(timers), .is_open = false});
  }
  return Status::ok();
}

std::vector<std::string> HashmapBackend::unclaimed() const {
  return restored_.unclaimed();
}

std::vector<std::string> HashmapBackend::restored_changes() const {
  return restored_.changes();
}

Result<std::unique_ptr<StateSnapshot>> HashmapBackend::freeze(bool as_base) {
  if (has_snapshot_) {
    return Status::failed_precondition("another snapshot of this state is being written");
  }
  // Whatever nobody has claimed until now is not part of the job any more.
  restored_ = {};
  epochs_.freeze(as_base || (!has_slices() && epochs_.changes_outweigh_base()));
  std::size_t outdated = 0;
  if (has_slices()) {
    if (epochs_.after() == 0) {
      slices_.begin_base();
    } else {
      outdated = slices_.begin_changes(rows_);
    }
  }
  auto snapshot = std::make_unique<HashmapSnapshot>(epochs_, has_slices() ? &slices_ : nullptr,
                                                    outdated, *options_.pool, has_snapshot_);
  const bool is_in_use = !rows_.empty() || !timers_.empty() || !numbers_.empty() || !lists_.empty();
  if (is_in_use) CLP_RETURN_IF_ERROR(write_prefix(*snapshot));
  return snapshot;
}

Result<std::int64_t*> HashmapBackend::open_number(std::string_view name, std::int64_t initial,
                                                  NumberMerge merge) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return &found->second;
  const std::int64_t value = restored_.number(name, merge).value_or(initial);
  return &numbers_.emplace(std::string(name), value).first->second;
}

Result<std::vector<std::string>*> HashmapBackend::open_list(std::string_view name, ListMode mode) {
  const auto found = lists_.find(name);
  if (found != lists_.end()) return &found->second;
  return &lists_.emplace(std::string(name), restored_.list(name, mode)).first->second;
}

Result<KeyedRows*> HashmapBackend::open_rows(KeyedRowsSpec spec) {
  if (spec.ttl.is_on()) CLP_RETURN_IF_ERROR(TtlRows::add_time(spec, options_.clock));
  const auto found = rows_.find(spec.name);
  if (found != rows_.end()) {
    const KeyedRowsSpec& opened = found->second->spec();
    if (opened.key_types != spec.key_types || opened.value_bytes != spec.value_bytes ||
        opened.entry_columns != spec.entry_columns || opened.ttl != spec.ttl) {
      return Status::failed_precondition(fmt::format(
          "state '{}' was opened with other types of keys or values, or another time to live",
          spec.name));
    }
    const auto with_ttl = ttl_rows_.find(spec.name);
    if (with_ttl != ttl_rows_.end()) return with_ttl->second.get();
    return found->second.get();
  }
  if (spec.key_types.size() > KeyedRowsSpec::kKeyColumnsMax) {
    return Status::invalid_argument(
        fmt::format("state '{}' has {} key columns; at most {} are possible", spec.name,
                    spec.key_types.size(), KeyedRowsSpec::kKeyColumnsMax));
  }
  if (spec.value_bytes < 0 || spec.value_bytes > KeyedRowsSpec::kValueBytesMax ||
      spec.value_bytes % 8 != 0) {
    return Status::invalid_argument(
        fmt::format("state '{}' has values of {} bytes; a multiple of 8 up to {} is possible",
                    spec.name, spec.value_bytes, KeyedRowsSpec::kValueBytesMax));
  }
  Result<KeyLayout> layout = KeyLayout::make(spec.key_types);
  if (!layout.is_ok()) {
    return layout.status().with_context(fmt::format("state '{}'", spec.name));
  }
  RowShape shape{.layout = *std::move(layout),
                 .value_bytes = spec.value_bytes,
                 .key_groups = options_.key_groups,
                 .max_parallelism = options_.max_parallelism};
  if (spec.entry_columns != 0) {
    CLP_ASSIGN_OR_RETURN(EntryOrder order, EntryOrder::make(spec));
    shape.entries = std::make_shared<const EntryOrder>(std::move(order));
  }
  const std::string name = spec.name;
  SnapshotEpochs& epochs = spec.codec != nullptr ? epochs_ : never_frozen_;
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<HashmapRows> rows,
                       make_rows(std::move(spec), std::move(shape), epochs));
  CLP_RETURN_IF_ERROR(restored_.restore_rows(rows->spec(), *rows, *options_.pool));
  HashmapRows& opened = *rows_.emplace(name, std::move(rows)).first->second;
  if (!opened.spec().ttl.is_on()) return &opened;
  return ttl_rows_.emplace(name, std::make_unique<TtlRows>(opened)).first->second.get();
}

Status HashmapBackend::release_rows() {
  for (const auto& [name, rows] : ttl_rows_) CLP_RETURN_IF_ERROR(rows->clean_up());
  return Status::ok();
}

TimerService& HashmapBackend::open_timers(std::string_view name) {
  const auto [found, is_new] = timers_.try_emplace(std::string(name));
  Timers& timers = found->second;
  if (is_new) timers.service = std::make_unique<TimerService>(*options_.pool);
  if (!timers.is_open) restored_.claim_timers(name);
  timers.is_open = true;
  return *timers.service;
}

Status HashmapBackend::write_prefix(HashmapSnapshot& snapshot) {
  StateBlockWriter& writer = snapshot.writer();
  std::string& out = snapshot.prefix();
  writer.begin({.is_base = snapshot.is_base(),
                .key_groups = options_.key_groups,
                .max_parallelism = options_.max_parallelism,
                .needed = has_slices() && !snapshot.is_base()
                              ? std::optional<std::uint32_t>(slices_.needed())
                              : std::nullopt},
               out);
  for (const auto& [name, value] : numbers_) writer.add_number(name, value, out);
  for (const auto& [name, items] : lists_) {
    CLP_RETURN_IF_ERROR(writer.add_list(name, items, out));
  }
  for (const auto& [name, timers] : timers_) {
    if (!timers.is_open) continue;
    const std::set<Timer>& set = timers.service->timers();
    writer.add_timers(name, std::vector<Timer>(set.begin(), set.end()), out);
  }
  for (const auto& [name, rows] : rows_) {
    if (rows->spec().codec != nullptr) CLP_RETURN_IF_ERROR(snapshot.add_rows(*rows));
  }
  return Status::ok();
}

Result<std::unique_ptr<HashmapRows>> HashmapBackend::make_rows(KeyedRowsSpec spec, RowShape shape,
                                                               SnapshotEpochs& epochs) {
  return std::make_unique<HashmapRows>(std::move(spec), std::move(shape), epochs, *options_.pool);
}

namespace {

Result<std::unique_ptr<KeyedStateBackend>> make_hashmap_backend(
    const StateBackendOptions& options) {
  return std::make_unique<HashmapBackend>(options);
}

}  // namespace

void register_hashmap_backend(StateBackendRegistry& registry) {
  registry.add({.name = "hashmap", .make = make_hashmap_backend});
}

}  // namespace clepsydra
