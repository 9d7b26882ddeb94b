// PERCENTILE: all values, sorted at the end.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

struct Weighted {
  double value;
  std::int64_t frequency;
};

template <typename T>
std::string_view bytes_of(const T* items, std::size_t count) {
  return {reinterpret_cast<const char*>(items), count * sizeof(T)};
}

template <typename T>
std::vector<T> items_of(std::string_view bytes) {
  std::vector<T> items(bytes.size() / sizeof(T));
  if (!items.empty()) std::memcpy(items.data(), bytes.data(), items.size() * sizeof(T));
  return items;
}

// Over values that are sorted and counted: between the two that are nearest to the place.
double percentile_of(const std::vector<Weighted>& values, double percentage) {
  std::int64_t count = 0;
  for (const Weighted& entry : values) count += entry.frequency;
  const auto at = [&](std::int64_t place) {
    for (const Weighted& entry : values) {
      if (place < entry.frequency) return entry.value;
      place -= entry.frequency;
    }
    return values.back().value;
  };
  // Places are counted from 1, for the reference's rounding.
  const double place = percentage * static_cast<double>(count - 1) + 1;
  const double below = std::floor(place);
  const double low = at(static_cast<std::int64_t>(below) - 1);
  const double high = at(static_cast<std::int64_t>(std::ceil(place)) - 1);
  if (low == high) return low;
  return (below + 1 - place) * low + (place - below) * high;
}

// Arguments: the value as DOUBLE, the percentage or percentages, and how often the value counts.
class PercentileAggregate final : public AggregateFunction {
  struct State {
    StateText values;       // Weighted, one behind the other.
    StateText percentages;  // Those of the last row, as double.
  };

 public:
  PercentileAggregate(DataType result, bool distinct)
      : result_(std::move(result)),
        is_list_(result_.kind() == TypeKind::kArray),
        distinct_(distinct),
        state_types_{list_of(DataType::double_()), list_of(DataType::big_int()),
                     list_of(DataType::double_())} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    const Column& percentages = input.arguments[1];
    const Column* frequencies = input.arguments.size() > 2 ? &input.arguments[2] : nullptr;
    Status status;
    for_each_counted<State>(input, &values, [&](State& state, std::int64_t row) {
      if (!status.is_ok() || percentages.is_null(row)) return;
      Weighted entry{values.values<double>()[row], 1};
      if (frequencies != nullptr) {
        entry.frequency = frequencies->is_null(row) ? 0 : frequencies->values<std::int64_t>()[row];
        if (entry.frequency <= 0) return;  // As in the reference.
      }
      status = state.values.append(bytes_of(&entry, 1), allocator);
      if (status.is_ok()) status = set_percentages(state, percentages, row, allocator);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (!status.is_ok() || b.values.view().empty()) return;
      status = a.values.append(b.values.view(), allocator);
      if (status.is_ok()) status = a.percentages.assign(b.percentages.view(), allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& lists = partials.arguments[0];
    const auto* offsets = lists.values<std::int32_t>();
    const auto* frequency_offsets = partials.arguments[1].values<std::int32_t>();
    const auto* values = lists.child(0).values<double>();
    const auto* frequencies = partials.arguments[1].child(0).values<std::int64_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      const std::int32_t count = offsets[row + 1] - offsets[row];
      for (std::int32_t i = 0; status.is_ok() && i < count; ++i) {
        const Weighted entry{values[offsets[row] + i], frequencies[frequency_offsets[row] + i]};
        status = state.values.append(bytes_of(&entry, 1), allocator);
      }
      if (status.is_ok() && count > 0) {
        status = set_percentages(state, partials.arguments[2], row, allocator);
      }
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    std::vector<ColumnBuilder> builders;
    for (const DataType& type : state_types_) builders.emplace_back(type, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      for (const Weighted& entry : items_of<Weighted>(state.values.view())) {
        builders[0].child(0).append<double>(entry.value);
        builders[1].child(0).append<std::int64_t>(entry.frequency);
      }
      for (const double percentage : items_of<double>(state.percentages.view())) {
        builders[2].child(0).append<double>(percentage);
      }
      for (ColumnBuilder& builder : builders) builder.close_list();
    }
    for (ColumnBuilder& builder : builders) {
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      out.push_back(std::move(column));
    }
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      const std::vector<Weighted> values = sorted(state);
      if (values.empty()) {
        builder.append_null();
        continue;
      }
      const std::vector<double> percentages = items_of<double>(state.percentages.view());
      for (const double percentage : percentages) {
        (is_list_ ? builder.child(0) : builder).append<double>(percentile_of(values, percentage));
      }
      if (is_list_) builder.close_list();
    }
    return builder.finish();
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.values.destroy(allocator);
      state.percentages.destroy(allocator);
    }
  }

 private:
  static DataType list_of(const DataType& type) {
    return DataType::array(type.with_nullable(false)).with_nullable(false);
  }

  // NaN is the greatest value.
  [[nodiscard]] std::vector<Weighted> sorted(const State& state) const {
    std::vector<Weighted> values = items_of<Weighted>(state.values.view());
    std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) {
      return std::isnan(b.value) ? !std::isnan(a.value) : a.value < b.value;
    });
    if (distinct_) {
      const auto end =
          std::unique(values.begin(), values.end(),
                      [](const Weighted& a, const Weighted& b) { return a.value == b.value; });
      values.erase(end, values.end());
    }
    return values;
  }

  static Status set_percentages(State& state, const Column& column, std::int64_t row,
                                StateAllocator& allocator) {
    const bool is_list = column.type().kind() == TypeKind::kArray;
    const Column& values = is_list ? column.child(0) : column;
    const std::int64_t begin = is_list ? column.values<std::int32_t>()[row] : row;
    const std::int64_t end = is_list ? column.values<std::int32_t>()[row + 1] : row + 1;
    const auto* first = values.values<double>() + begin;
    const std::string_view bytes = bytes_of(first, static_cast<std::size_t>(end - begin));
    if (state.percentages.view() == bytes) return Status::ok();
    for (std::int64_t i = begin; i < end; ++i) {
      const double percentage = values.values<double>()[i];
      if (values.is_null(i) || !(percentage >= 0 && percentage <= 1)) {
        return Status::invalid_argument("the percentage of PERCENTILE must be between 0 and 1");
      }
    }
    return state.percentages.assign(bytes, allocator);
  }

  const DataType result_;
  const bool is_list_;
  const bool distinct_;
  const std::vector<DataType> state_types_;
};

}  // namespace

AggregateFunctionPtr make_percentile(const std::vector<DataType>& argument_types,
                                     const DataType& result, bool distinct) {
  const std::size_t count = argument_types.size();
  if (count < 2 || count > 3 || argument_types[0].kind() != TypeKind::kDouble) return nullptr;
  const bool is_list = argument_types[1].kind() == TypeKind::kArray;
  const DataType& percentage = is_list ? argument_types[1].element() : argument_types[1];
  const DataType& value = result.kind() == TypeKind::kArray ? result.element() : result;
  if (percentage.kind() != TypeKind::kDouble || value.kind() != TypeKind::kDouble ||
      is_list != (result.kind() == TypeKind::kArray)) {
    return nullptr;
  }
  if (count == 3 && (argument_types[2].kind() != TypeKind::kBigInt || distinct)) return nullptr;
  return std::make_unique<PercentileAggregate>(result, distinct);
}

}  // namespace clepsydra
