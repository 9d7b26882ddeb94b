// ARRAY_AGG and COLLECT: the values themselves, of any type, as bytes one behind the other.
#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/aggregate/state_value.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// ARRAY_AGG in the order of the rows.
class ArrayAggregate final : public AggregateFunction {
  struct State {
    StateText values;
    std::int64_t count;
  };

 public:
  ArrayAggregate(DataType result, bool skips_nulls)
      : result_(std::move(result)),
        skips_nulls_(skips_nulls),
        state_types_{result_.with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    Status status;
    for_each_counted<State>(input, skips_nulls_ ? &values : nullptr,
                            [&](State& state, std::int64_t row) {
                              if (status.is_ok())
                                status = append(state, values, row, row + 1, allocator);
                            });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (!status.is_ok()) return;
      status = a.values.append(b.values.view(), allocator);
      a.count += b.count;
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& lists = partials.arguments[0];
    const auto* offsets = lists.values<std::int32_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      status = append(state, lists.child(0), offsets[row], offsets[row + 1], allocator);
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    CLP_ASSIGN_OR_RETURN(Column lists, lists_of(states, offset, state_types_[0], pool));
    out.push_back(std::move(lists));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return lists_of(states, offset, result_, pool);
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.values.destroy(allocator);
      state.count = 0;
    }
  }

 private:
  Status append(State& state, const Column& values, std::int64_t begin, std::int64_t end,
                StateAllocator& allocator) {
    scratch_.clear();
    for (std::int64_t row = begin; row < end; ++row) append_state_value(values, row, scratch_);
    state.count += end - begin;
    return state.values.append(scratch_, allocator);
  }

  // Nothing is NULL, where the type lets it be.
  static Result<Column> lists_of(std::span<std::byte* const> states, std::int64_t offset,
                                 const DataType& type, MemoryPool& pool) {
    ColumnBuilder builder(type, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      if (state.count == 0 && type.nullable()) {
        builder.append_null();
        continue;
      }
      std::string_view bytes = state.values.view();
      while (!bytes.empty()) read_state_value(bytes, builder.child(0));
      builder.close_list();
    }
    return builder.finish();
  }

  const DataType result_;
  const bool skips_nulls_;
  const std::vector<DataType> state_types_;
  std::string scratch_;
};

// COLLECT, and ARRAY_AGG(DISTINCT): each value once, with how often it was there, in the order of
// first occurrence.
class CountingAggregate final : public AggregateFunction {
  // Count, then value, again and again; a value may be there several times until the next
  // compaction, which keeps the bytes within twice of what is needed.
  struct State {
    StateText entries;
    std::int64_t compact_bytes;  // After the last compaction.
  };
  struct Entry {
    std::string_view value;
    std::uint64_t count;
  };
  static constexpr std::int64_t kCompactBytesMin = 1024;

 public:
  // `result`: a MULTISET, or an ARRAY, for which counts do not matter.
  CountingAggregate(DataType result, bool skips_nulls, bool distinct)
      : result_(std::move(result)),
        skips_nulls_(skips_nulls),
        has_counts_(result_.kind() == TypeKind::kMultiset),
        distinct_(distinct),
        state_types_{result_.with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return !has_counts_; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    Status status;
    for_each_counted<State>(input, skips_nulls_ ? &values : nullptr,
                            [&](State& state, std::int64_t row) {
                              if (status.is_ok()) status = add(state, values, row, 1, allocator);
                            });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (status.is_ok()) status = append(a, b.entries.view(), allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& lists = partials.arguments[0];
    const auto* offsets = lists.values<std::int32_t>();
    const std::int32_t* counts = has_counts_ ? lists.child(1).values<std::int32_t>() : nullptr;
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      for (std::int32_t i = offsets[row]; status.is_ok() && i < offsets[row + 1]; ++i) {
        const std::uint64_t count =
            counts == nullptr ? 1 : static_cast<std::uint64_t>(std::max(0, counts[i]));
        status = add(state, lists.child(0), i, count, allocator);
      }
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    CLP_ASSIGN_OR_RETURN(Column lists, lists_of(states, offset, state_types_[0], pool));
    out.push_back(std::move(lists));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return lists_of(states, offset, result_, pool);
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.entries.destroy(allocator);
      state.compact_bytes = 0;
    }
  }

 private:
  static std::vector<Entry> entries_of(std::string_view bytes) {
    std::vector<Entry> entries;
    std::unordered_map<std::string_view, std::size_t> places;
    while (!bytes.empty()) {
      const std::uint64_t count = read_state_number(bytes);
      const std::string_view value = read_state_text(bytes);
      const auto [place, is_new] = places.emplace(value, entries.size());
      if (is_new) {
        entries.push_back({value, count});
      } else {
        entries[place->second].count += count;
      }
    }
    return entries;
  }

  Status add(State& state, const Column& values, std::int64_t row, std::uint64_t count,
             StateAllocator& allocator) {
    value_.clear();
    append_state_value(values, row, value_);
    entry_.clear();
    append_state_number(count, entry_);
    append_state_text(value_, entry_);
    return append(state, entry_, allocator);
  }

  static Status append(State& state, std::string_view entries, StateAllocator& allocator) {
    CLP_RETURN_IF_ERROR(state.entries.append(entries, allocator));
    const auto bytes = static_cast<std::int64_t>(state.entries.view().size());
    if (bytes < std::max(kCompactBytesMin, 2 * state.compact_bytes)) return Status::ok();
    std::string compact;
    for (const Entry& entry : entries_of(state.entries.view())) {
      append_state_number(entry.count, compact);
      append_state_text(entry.value, compact);
    }
    state.compact_bytes = static_cast<std::int64_t>(compact.size());
    return state.entries.assign(compact, allocator);
  }

  Result<Column> lists_of(std::span<std::byte* const> states, std::int64_t offset,
                          const DataType& type, MemoryPool& pool) const {
    constexpr std::uint64_t kCountMax = std::numeric_limits<std::int32_t>::max();
    ColumnBuilder builder(type, pool);
    for (std::byte* base : states) {
      const std::vector<Entry> entries = entries_of(state_at<State>(base, offset)->entries.view());
      if (entries.empty() && type.nullable() && !has_counts_) {
        builder.append_null();
        continue;
      }
      for (const Entry& entry : entries) {
        std::string_view value = entry.value;
        read_state_value(value, builder.child(0));
        if (!has_counts_) continue;
        const std::uint64_t count = distinct_ ? 1 : std::min(entry.count, kCountMax);
        builder.child(1).append<std::int32_t>(static_cast<std::int32_t>(count));
      }
      builder.close_list();
    }
    return builder.finish();
  }

  const DataType result_;
  const bool skips_nulls_;
  const bool has_counts_;
  const bool distinct_;
  const std::vector<DataType> state_types_;
  std::string value_;
  std::string entry_;
};

}  // namespace

AggregateFunctionPtr make_array_agg(const DataType& argument, const DataType& result,
                                    bool skips_nulls, bool distinct) {
  if (result.kind() != TypeKind::kArray || !result.element().same_values(argument)) return nullptr;
  if (distinct) return std::make_unique<CountingAggregate>(result, skips_nulls, true);
  return std::make_unique<ArrayAggregate>(result, skips_nulls);
}

AggregateFunctionPtr make_collect(const DataType& argument, const DataType& result, bool distinct) {
  if (result.kind() != TypeKind::kMultiset || !result.element().same_values(argument)) {
    return nullptr;
  }
  return std::make_unique<CountingAggregate>(result, true, distinct);
}

}  // namespace clepsydra
