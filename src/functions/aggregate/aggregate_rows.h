// Loops that every aggregate function shares: which rows of an input count, and where they go.
#pragma once

#include <cstddef>
#include <cstdint>

#include "functions/aggregate_function.h"
#include "stream/column.h"

namespace clepsydra {

// An accumulator as its type. Accumulators start at 8-byte boundaries.
template <typename State>
State* state_at(std::byte* base, std::int64_t offset) {
  static_assert(alignof(State) <= 8 && sizeof(State) % 8 == 0);
  return reinterpret_cast<State*>(base + offset);
}

// Calls count(state, row) for each row that passes the filter and whose `argument` (null: none) is
// not NULL, in order. `row` is the row of the columns.
template <typename State, typename Count>
void for_each_counted(const AggregateInput& input, const Column* argument, Count&& count) {
  const std::size_t n = input.states.size();
  const std::uint8_t* valid = argument != nullptr ? argument->validity() : nullptr;
  const auto is_set = [](const std::uint8_t* bits, std::int64_t row) {
    return (bits[row >> 3] >> (row & 7) & 1) != 0;
  };
  if (input.filter == nullptr && valid == nullptr) {
    if (input.rows == nullptr) {
      for (std::size_t i = 0; i < n; ++i) {
        count(*state_at<State>(input.states[i], input.offset), static_cast<std::int64_t>(i));
      }
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        count(*state_at<State>(input.states[i], input.offset), std::int64_t{input.rows[i]});
      }
    }
    return;
  }
  const std::uint8_t* passes =
      input.filter != nullptr ? input.filter->values<std::uint8_t>() : nullptr;
  const std::uint8_t* filter_valid = input.filter != nullptr ? input.filter->validity() : nullptr;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t row = input.rows == nullptr ? static_cast<std::int64_t>(i) : input.rows[i];
    if (valid != nullptr && !is_set(valid, row)) continue;
    if (passes != nullptr && passes[row] == 0) continue;
    if (filter_valid != nullptr && !is_set(filter_valid, row)) continue;
    count(*state_at<State>(input.states[i], input.offset), row);
  }
}

// Calls f(into, from) for each pair.
template <typename State, typename F>
void for_each_pair(std::span<std::byte* const> into, std::span<std::byte* const> from,
                   std::int64_t offset, F&& f) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    f(*state_at<State>(into[i], offset), *state_at<State>(from[i], offset));
  }
}

}  // namespace clepsydra
