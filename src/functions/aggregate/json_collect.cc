// JSON_OBJECTAGG and JSON_ARRAYAGG: members and elements as JSON texts, put together at the end.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/json_string.h"
#include "base/utf8.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/aggregate/state_value.h"
#include "functions/json/json_text.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

class JsonAggregate final : public AggregateFunction {
  struct State {
    StateText texts;  // Of an object: keys (as they are) and values in turn.
  };

 public:
  JsonAggregate(JsonAggregateRules rules, DataType result)
      : rules_(rules),
        result_(std::move(result)),
        state_types_{
            DataType::array(DataType::string().with_nullable(false)).with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return !rules_.is_object; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments.back();
    const Column& keys = input.arguments.front();
    Status status;
    for_each_counted<State>(input, nullptr, [&](State& state, std::int64_t row) {
      if (!status.is_ok() || (!rules_.keeps_nulls && values.is_null(row))) return;
      scratch_.clear();
      if (rules_.is_object) {
        if (keys.is_null(row)) {
          status = Status::invalid_argument("a key of JSON_OBJECTAGG is NULL");
          return;
        }
        append_state_text(keys.string_at(row), scratch_);
      }
      value_.clear();
      if (rules_.values_are_json && !values.is_null(row)) {
        value_ = values.string_at(row);
      } else if (!append_json_value(values, row, value_)) {
        status = Status::invalid_argument("NaN and infinite numbers have no JSON");
        return;
      }
      append_state_text(value_, scratch_);
      status = state.texts.append(scratch_, allocator);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (status.is_ok()) status = a.texts.append(b.texts.view(), allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& lists = partials.arguments[0];
    const auto* offsets = lists.values<std::int32_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      scratch_.clear();
      for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        append_state_text(lists.child(0).string_at(i), scratch_);
      }
      status = state.texts.append(scratch_, allocator);
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder builder(state_types_[0], pool);
    for (std::byte* base : states) {
      std::string_view bytes = state_at<State>(base, offset)->texts.view();
      while (!bytes.empty()) builder.child(0).append_string(read_state_text(bytes));
      builder.close_list();
    }
    CLP_ASSIGN_OR_RETURN(Column lists, builder.finish());
    out.push_back(std::move(lists));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    for (std::byte* base : states) {
      std::string_view bytes = state_at<State>(base, offset)->texts.view();
      value_.clear();
      if (rules_.is_object) {
        CLP_RETURN_IF_ERROR(append_object(bytes));
      } else {
        value_ += '[';
        while (!bytes.empty()) {
          if (value_.size() > 1) value_ += ',';
          value_ += read_state_text(bytes);
        }
        value_ += ']';
      }
      builder.append_string(value_);
    }
    return builder.finish();
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) state_at<State>(base, offset)->texts.destroy(allocator);
  }

 private:
  Status append_object(std::string_view bytes) {
    std::vector<std::pair<std::string_view, std::string_view>> members;
    while (!bytes.empty()) {
      const std::string_view key = read_state_text(bytes);
      members.emplace_back(key, read_state_text(bytes));
    }
    std::sort(members.begin(), members.end());
    value_ += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& [key, value] = members[i];
      if (i > 0 && key == members[i - 1].first) {
        return Status::invalid_argument(
            fmt::format("JSON_OBJECTAGG: the key '{}' is there twice", clip(key, 64)));
      }
      if (i > 0) value_ += ',';
      append_json_string(key, value_);
      value_ += ':';
      value_ += value;
    }
    value_ += '}';
    return Status::ok();
  }

  const JsonAggregateRules rules_;
  const DataType result_;
  const std::vector<DataType> state_types_;
  std::string scratch_;
  std::string value_;
};

}  // namespace

AggregateFunctionPtr make_json_aggregate(JsonAggregateRules rules,
                                         const std::vector<DataType>& argument_types,
                                         const DataType& result) {
  if (argument_types.size() != (rules.is_object ? 2 : 1) || !result.is_character()) return nullptr;
  if (rules.is_object && !argument_types[0].is_character()) return nullptr;
  const DataType& value = argument_types.back();
  if (!can_write_json(value) || (rules.values_are_json && !value.is_character())) return nullptr;
  return std::make_unique<JsonAggregate>(rules, result);
}

}  // namespace clepsydra
