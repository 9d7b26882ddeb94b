// The state backend "hashmap": everything in memory. A state is one RowTable per namespace.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "state/hashmap/row_table.h"
#include "state/state_backend.h"

namespace clepsydra {
namespace {

class HashmapRows final : public KeyedRows {
 public:
  HashmapRows(KeyedRowsSpec spec, RowShape shape, MemoryPool& pool)
      : spec_(std::move(spec)), shape_(std::move(shape)), pool_(&pool) {}

  [[nodiscard]] const KeyedRowsSpec& spec() const { return spec_; }

  Status find_or_insert(StateNamespace ns, const KeyBatch& keys,
                        std::span<std::byte*> values) override {
    CLP_CHECK(keys.columns.size() == spec_.key_types.size());
    const EncodedKeys encoded = encoder_.encode(shape_.layout, keys);
    return table(ns).find_or_insert(keys, encoded, kFirstEpoch, values);
  }

  Status find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) override {
    CLP_CHECK(keys.columns.size() == spec_.key_types.size());
    if (const RowTable* found = find_table(ns)) {
      found->find(keys, encoder_.encode(shape_.layout, keys), values);
    } else {
      std::fill_n(values.begin(), keys.count, nullptr);
    }
    return Status::ok();
  }

  Status find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                             std::span<std::byte*> values) override {
    return table(ns).find_or_insert_same(from, kFirstEpoch, values);
  }

  std::int64_t scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) override {
    const RowTable* found = find_table(ns);
    return found != nullptr ? found->scan(cursor, values) : 0;
  }

  Status read_keys(std::span<std::byte* const> values, MemoryPool& pool,
                   std::vector<Column>& out) const override {
    std::vector<const RowHeader*> rows;
    rows.reserve(values.size());
    for (std::byte* value : values) rows.push_back(shape_.row_of(value));
    return shape_.layout.read(rows, pool, out);
  }

  void erase(StateNamespace ns, std::span<std::byte* const> values) override {
    if (!values.empty()) table(ns).erase(values);
  }

  void drop(StateNamespace ns) override {
    if (last_ != nullptr && last_namespace_ == ns) last_ = nullptr;
    tables_.erase(ns);
  }

  [[nodiscard]] bool contains(StateNamespace ns) const override { return tables_.contains(ns); }

  [[nodiscard]] std::int64_t row_count(StateNamespace ns) const override {
    const RowTable* found = find_table(ns);
    return found != nullptr ? found->row_count() : 0;
  }

  [[nodiscard]] std::vector<StateNamespace> namespaces() const override {
    std::vector<StateNamespace> all;
    all.reserve(tables_.size());
    for (const auto& [ns, rows] : tables_) all.push_back(ns);
    return all;
  }

  Result<StateMemory*> memory(StateNamespace ns) override { return &table(ns).memory(); }

 private:
  [[nodiscard]] RowTable* find_table(StateNamespace ns) const {
    if (last_ != nullptr && last_namespace_ == ns) return last_;
    const auto found = tables_.find(ns);
    return found != tables_.end() ? found->second.get() : nullptr;
  }

  RowTable& table(StateNamespace ns) {
    if (last_ != nullptr && last_namespace_ == ns) return *last_;
    std::unique_ptr<RowTable>& place = tables_[ns];
    if (!place) place = std::make_unique<RowTable>(shape_, *pool_);
    last_namespace_ = ns;
    last_ = place.get();
    return *last_;
  }

  const KeyedRowsSpec spec_;
  const RowShape shape_;
  MemoryPool* pool_;
  KeyLayout::Encoder encoder_;
  std::map<StateNamespace, std::unique_ptr<RowTable>> tables_;
  // Rows of a batch tend to fall into the namespace of the batch before.
  StateNamespace last_namespace_ = 0;
  RowTable* last_ = nullptr;
};

class HashmapBackend final : public KeyedStateBackend {
 public:
  explicit HashmapBackend(const StateBackendOptions& options) : options_(options) {}

  Status restore(RestoredState state) override {
    if (state.parts.empty()) return Status::ok();
    return Status::unimplemented("restoring state is not built yet");
  }
  [[nodiscard]] std::vector<std::string> unclaimed() const override { return {}; }
  Result<std::unique_ptr<StateSnapshot>> freeze(bool /*as_base*/) override {
    return Status::unimplemented("snapshots of state are not built yet");
  }
  void confirm(bool /*completed*/) override {}

  Result<std::int64_t*> open_number(std::string_view name, std::int64_t initial,
                                    NumberMerge /*merge*/) override {
    return &numbers_.try_emplace(std::string(name), initial).first->second;
  }
  Result<std::vector<std::string>*> open_list(std::string_view name, ListMode /*mode*/) override {
    return &lists_.try_emplace(std::string(name)).first->second;
  }

  Result<KeyedRows*> open_rows(KeyedRowsSpec spec) override {
    const auto found = rows_.find(spec.name);
    if (found != rows_.end()) {
      const KeyedRowsSpec& opened = found->second->spec();
      if (opened.key_types != spec.key_types || opened.value_bytes != spec.value_bytes) {
        return Status::failed_precondition(
            fmt::format("state '{}' was opened with other types of keys or values", spec.name));
      }
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
    const std::string name = spec.name;
    auto rows = std::make_unique<HashmapRows>(std::move(spec), std::move(shape), *options_.pool);
    return rows_.emplace(name, std::move(rows)).first->second.get();
  }

  TimerService& open_timers(std::string_view name) override {
    const auto found = timers_.find(name);
    if (found != timers_.end()) return *found->second;
    return *timers_.emplace(std::string(name), std::make_unique<TimerService>(*options_.pool))
                .first->second;
  }

 private:
  const StateBackendOptions options_;
  std::map<std::string, std::unique_ptr<HashmapRows>, std::less<>> rows_;
  std::map<std::string, std::unique_ptr<TimerService>, std::less<>> timers_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

Result<std::unique_ptr<KeyedStateBackend>> make_hashmap_backend(
    const StateBackendOptions& options) {
  return std::make_unique<HashmapBackend>(options);
}

}  // namespace

void register_hashmap_backend(StateBackendRegistry& registry) {
  registry.add({.name = "hashmap", .make = make_hashmap_backend});
}

}  // namespace clepsydra
