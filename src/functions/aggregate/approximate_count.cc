// APPROX_COUNT_DISTINCT: exact up to some thousand values, then HyperLogLog (Flajolet et al., 2007)
// with 2^14 registers, whose standard error is 0.8 %.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/aggregate/state_value.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

constexpr int kIndexBits = 14;
constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
// A table of hashes takes as much memory as the registers when it is this large.
constexpr std::size_t kSlotsMin = 8;
constexpr std::size_t kSlotsMax = kRegisters / sizeof(std::uint64_t);

double estimate(std::string_view registers) {
  double sum = 0;
  std::size_t zeros = 0;
  for (const char value : registers) {
    sum += std::ldexp(1.0, -static_cast<int>(value));
    if (value == 0) ++zeros;
  }
  constexpr auto kCount = static_cast<double>(kRegisters);
  const double alpha = 0.7213 / (1 + 1.079 / kCount);
  const double raw = alpha * kCount * kCount / sum;
  // Few values: from the share of registers that none fell into.
  if (raw <= 2.5 * kCount && zeros > 0) {
    return kCount * std::log(kCount / static_cast<double>(zeros));
  }
  return raw;
}

class ApproximateCountAggregate final : public AggregateFunction {
  // `size` > 0 or empty block: an open table of hashes, 0 for a free slot. kDense: registers.
  struct State {
    StateText block;
    std::int64_t size;  // Of the table.
  };
  static constexpr std::int64_t kDense = -1;

 public:
  explicit ApproximateCountAggregate(DataType result)
      : result_(std::move(result)),
        state_types_{DataType::bytes().with_nullable(false),
                     DataType::big_int().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    Status status;
    for_each_counted<State>(input, &values, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      scratch_.clear();
      append_state_value(values, row, scratch_);
      status = add(state, hash64(scratch_), allocator);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (status.is_ok()) status = unite(a, b.block.view(), b.size, allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& blocks = partials.arguments[0];
    const auto* sizes = partials.arguments[1].values<std::int64_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      if (status.is_ok()) status = unite(state, blocks.string_at(row), sizes[row], allocator);
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder blocks(state_types_[0], pool);
    ColumnBuilder sizes(state_types_[1], pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      blocks.append_string(state.block.view());
      sizes.append(state.size);
    }
    CLP_ASSIGN_OR_RETURN(Column block_column, blocks.finish());
    CLP_ASSIGN_OR_RETURN(Column size_column, sizes.finish());
    out.push_back(std::move(block_column));
    out.push_back(std::move(size_column));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      builder.append<std::int64_t>(state.size == kDense ? std::llround(estimate(state.block.view()))
                                                        : state.size);
    }
    return builder.finish();
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.block.destroy(allocator);
      state.size = 0;
    }
  }

 private:
  static std::uint64_t* slots_of(State& state) {
    return reinterpret_cast<std::uint64_t*>(const_cast<char*>(state.block.view().data()));
  }

  template <typename F>
  static void for_each_hash(std::string_view table, F&& f) {
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= table.size();
         at += sizeof(std::uint64_t)) {
      std::uint64_t hash = 0;
      std::memcpy(&hash, table.data() + at, sizeof(hash));
      if (hash != 0) f(hash);
    }
  }

  static void set_register(char* registers, std::uint64_t hash) {
    const std::size_t index = hash >> (64 - kIndexBits);
    const auto rank = static_cast<char>(
        std::countl_zero(hash << kIndexBits | (std::uint64_t{1} << (kIndexBits - 1))) + 1);
    registers[index] = std::max(registers[index], rank);
  }

  // False when it is there already.
  static bool insert(std::uint64_t* slots, std::size_t count, std::uint64_t hash) {
    for (std::size_t at = hash & (count - 1);; at = (at + 1) & (count - 1)) {
      if (slots[at] == hash) return false;
      if (slots[at] == 0) {
        slots[at] = hash;
        return true;
      }
    }
  }

  static Status add(State& state, std::uint64_t hash, StateAllocator& allocator) {
    if (hash == 0) hash = 1;
    if (state.size == kDense) {
      set_register(const_cast<char*>(state.block.view().data()), hash);
      return Status::ok();
    }
    const std::size_t count = state.block.view().size() / sizeof(std::uint64_t);
    if (static_cast<std::size_t>(state.size + 1) * 4 > count * 3) {
      CLP_RETURN_IF_ERROR(grow(state, count, allocator));
      return add(state, hash, allocator);
    }
    if (insert(slots_of(state), count, hash)) ++state.size;
    return Status::ok();
  }

  static Status grow(State& state, std::size_t count, StateAllocator& allocator) {
    if (count >= kSlotsMax) {
      std::string registers(kRegisters, '\0');
      for_each_hash(state.block.view(),
                    [&](std::uint64_t hash) { set_register(registers.data(), hash); });
      CLP_RETURN_IF_ERROR(state.block.assign(registers, allocator));
      state.size = kDense;
      return Status::ok();
    }
    std::vector<std::uint64_t> slots(count == 0 ? kSlotsMin : count * 2);
    for_each_hash(state.block.view(),
                  [&](std::uint64_t hash) { insert(slots.data(), slots.size(), hash); });
    return state.block.assign(
        {reinterpret_cast<const char*>(slots.data()), slots.size() * sizeof(std::uint64_t)},
        allocator);
  }

  static Status unite(State& state, std::string_view block, std::int64_t size,
                      StateAllocator& allocator) {
    if (size != kDense) {
      Status status;
      for_each_hash(block, [&](std::uint64_t hash) {
        if (status.is_ok()) status = add(state, hash, allocator);
      });
      return status;
    }
    if (block.size() != kRegisters) {
      return Status::data_loss("a partial result of APPROX_COUNT_DISTINCT has the wrong size");
    }
    std::string registers(block);
    const std::string_view own = state.block.view();
    if (state.size == kDense) {
      for (std::size_t at = 0; at < own.size(); ++at) {
        registers[at] = std::max(registers[at], own[at]);
      }
    } else {
      for_each_hash(own, [&](std::uint64_t hash) { set_register(registers.data(), hash); });
    }
    state.size = kDense;
    return state.block.assign(registers, allocator);
  }

  const DataType result_;
  const std::vector<DataType> state_types_;
  std::string scratch_;
};

}  // namespace

AggregateFunctionPtr make_approximate_count(const DataType& argument, const DataType& result) {
  if (argument.fixed_width() == 0 || result.kind() != TypeKind::kBigInt) return nullptr;
  return std::make_unique<ApproximateCountAggregate>(result);
}

}  // namespace clepsydra
