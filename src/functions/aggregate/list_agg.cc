#include <string_view>
#include <utility>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/aggregate/value_set.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

constexpr std::string_view kDefaultSeparator = ",";

std::string_view separator_of(const AggregateInput& input, std::int64_t row) {
  if (input.arguments.size() < 2) return kDefaultSeparator;
  return input.arguments[1].is_null(row) ? std::string_view() : input.arguments[1].string_at(row);
}

// Every text follows its separator, the first too, so that two accumulators are merged by appending
// one to the other; emit() leaves the first separator out.
class ListAggregate final : public AggregateFunction {
  struct State {
    StateText text;
    std::int64_t count;
    std::int64_t first_separator_bytes;
  };

 public:
  explicit ListAggregate(DataType result)
      : result_(std::move(result)),
        state_types_{DataType::string().with_nullable(false),
                     DataType::big_int().with_nullable(false),
                     DataType::big_int().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& texts = input.arguments[0];
    Status status;
    for_each_counted<State>(input, &texts, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      const std::string_view separator = separator_of(input, row);
      if (state.count == 0)
        state.first_separator_bytes = static_cast<std::int64_t>(separator.size());
      status = state.text.append(separator, allocator);
      if (status.is_ok()) status = state.text.append(texts.string_at(row), allocator);
      ++state.count;
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (!status.is_ok()) return;
      status = append(a, b.text.view(), b.count, b.first_separator_bytes, allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& texts = partials.arguments[0];
    const auto* counts = partials.arguments[1].values<std::int64_t>();
    const auto* separators = partials.arguments[2].values<std::int64_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      status = append(state, texts.string_at(row), counts[row], separators[row], allocator);
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder texts(state_types_[0], pool);
    ColumnBuilder counts(state_types_[1], pool);
    ColumnBuilder separators(state_types_[2], pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      texts.append_string(state.text.view());
      counts.append(state.count);
      separators.append(state.first_separator_bytes);
    }
    for (ColumnBuilder* builder : {&texts, &counts, &separators}) {
      CLP_ASSIGN_OR_RETURN(Column column, builder->finish());
      out.push_back(std::move(column));
    }
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      if (state.count == 0) {
        builder.append_null();
      } else {
        builder.append_string(
            state.text.view().substr(static_cast<std::size_t>(state.first_separator_bytes)));
      }
    }
    return builder.finish();
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.text.destroy(allocator);
      state = {};
    }
  }

 private:
  static Status append(State& state, std::string_view text, std::int64_t count,
                       std::int64_t first_separator_bytes, StateAllocator& allocator) {
    if (count == 0) return Status::ok();
    if (state.count == 0) state.first_separator_bytes = first_separator_bytes;
    state.count += count;
    return state.text.append(text, allocator);
  }

  const DataType result_;
  const std::vector<DataType> state_types_;
};

// LISTAGG(DISTINCT x): the values in the order of their first occurrence, and the separator last
// seen.
class DistinctListAggregate final : public AggregateFunction {
  struct State {
    ValueSet values;
    StateText separator;
  };

 public:
  explicit DistinctListAggregate(DataType result)
      : result_(std::move(result)),
        state_types_{DataType::array(DataType::string().with_nullable(false)).with_nullable(false),
                     DataType::string().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& texts = input.arguments[0];
    Status status;
    bool added = false;
    for_each_counted<State>(input, &texts, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      status = state.values.insert(texts, row, allocator, added);
      if (status.is_ok()) status = set_separator(state, separator_of(input, row), allocator);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (!status.is_ok() || b.values.size() == 0) return;
      status = a.values.unite(b.values, true, allocator);
      if (status.is_ok()) status = set_separator(a, b.separator.view(), allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const auto* offsets = partials.arguments[0].values<std::int32_t>();
    const Column& texts = partials.arguments[0].child(0);
    const Column& separators = partials.arguments[1];
    Status status;
    bool added = false;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      for (std::int32_t i = offsets[row]; status.is_ok() && i < offsets[row + 1]; ++i) {
        status = state.values.insert(texts, i, allocator, added);
        if (status.is_ok()) status = set_separator(state, separators.string_at(row), allocator);
      }
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder lists(state_types_[0], pool);
    ColumnBuilder separators(state_types_[1], pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      state.values.append_to(lists.child(0), 0);
      lists.close_list();
      separators.append_string(state.separator.view());
    }
    CLP_ASSIGN_OR_RETURN(Column list_column, lists.finish());
    CLP_ASSIGN_OR_RETURN(Column separator_column, separators.finish());
    out.push_back(std::move(list_column));
    out.push_back(std::move(separator_column));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    std::string joined;
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      if (state.values.size() == 0) {
        builder.append_null();
        continue;
      }
      joined.clear();
      for (std::uint32_t i = 0; i < state.values.size(); ++i) {
        if (i > 0) joined += state.separator.view();
        joined += state.values.text(i);
      }
      builder.append_string(joined);
    }
    return builder.finish();
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.values.destroy(true, allocator);
      state.separator.destroy(allocator);
    }
  }

 private:
  static Status set_separator(State& state, std::string_view separator, StateAllocator& allocator) {
    if (state.separator.view() == separator) return Status::ok();
    return state.separator.assign(separator, allocator);
  }

  const DataType result_;
  const std::vector<DataType> state_types_;
};

}  // namespace

AggregateFunctionPtr make_list_agg(const std::vector<DataType>& argument_types,
                                   const DataType& result, bool distinct) {
  if (argument_types.empty() || argument_types.size() > 2) return nullptr;
  for (const DataType& type : argument_types) {
    if (!type.is_character()) return nullptr;
  }
  if (!result.is_character()) return nullptr;
  if (distinct) return std::make_unique<DistinctListAggregate>(result);
  return std::make_unique<ListAggregate>(result);
}

}  // namespace clepsydra
