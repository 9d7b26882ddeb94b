#include "functions/user/user_aggregate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "functions/type_rules.h"
#include "functions/user/user_library.h"
#include "functions/user/user_rows.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// In front of an accumulator: all zero bytes are the empty one, whatever the library's start()
// makes.
struct Head {
  std::int64_t started;
};

constexpr std::int64_t kAlignment = 8;

// An accumulator of a library as bytes: they are the state that is kept and that travels.
class UserAggregate final : public AggregateFunction {
 public:
  UserAggregate(const UserFunctionGroup& group, const UserFunction& function,
                std::unique_ptr<UserInstance> instance, DataType result)
      : group_(group),
        function_(function),
        declaration_(function.declaration),
        instance_(std::move(instance)),
        result_(std::move(result)),
        state_types_{DataType::bytes()},
        empty_(static_cast<std::size_t>((declaration_.state_bytes + 7) / 8)),
        vectors_(function.arguments.size()) {}

  [[nodiscard]] std::int64_t state_bytes() const override {
    return static_cast<std::int64_t>(sizeof(Head)) +
           (declaration_.state_bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    std::vector<const Vector*> arguments;
    for (std::size_t i = 0; i < vectors_.size(); ++i) {
      vectors_[i].release();
      vectors_[i].type = input.arguments[i].type();
      vectors_[i].set_column(input.arguments[i], false);
      arguments.push_back(&vectors_[i]);
    }
    rows_.clear();
    into_.clear();
    for (std::size_t i = 0; i < input.states.size(); ++i) {
      const std::int32_t row = input.rows == nullptr ? static_cast<std::int32_t>(i) : input.rows[i];
      if (!counts(input, arguments, row)) continue;
      CLP_RETURN_IF_ERROR(start(input.states[i], input.offset));
      rows_.push_back(row);
      into_.push_back(body(input.states[i], input.offset));
    }
    if (rows_.empty()) return Status::ok();
    CLP_ASSIGN_OR_RETURN(const UserArguments gathered,
                         UserArguments::gather(function_, arguments, rows_, allocator.pool()));
    const ClpCall call = gathered.call();
    return call_user(group_, [&](ClpError* error) {
      return declaration_.update(instance_->get(), into_.data(), &call, error);
    });
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator&) override {
    into_.clear();
    from_.clear();
    for (std::size_t i = 0; i < into.size(); ++i) {
      if (!is_started(from[i], offset)) continue;
      CLP_RETURN_IF_ERROR(start(into[i], offset));
      into_.push_back(body(into[i], offset));
      from_.push_back(body(from[i], offset));
    }
    return merge_all();
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& states = partials.arguments[0];
    const std::size_t count = partials.states.size();
    // Stored bytes are not where the library may look at them as numbers.
    const std::int64_t stride = state_bytes();
    CLP_ASSIGN_OR_RETURN(
        std::shared_ptr<MutableBuffer> aligned,
        allocate_buffer(allocator.pool(), stride * static_cast<std::int64_t>(count) + stride));
    into_.clear();
    from_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t row =
          partials.rows == nullptr ? static_cast<std::int64_t>(i) : partials.rows[i];
      if (states.is_null(row)) continue;
      const std::string_view bytes = states.string_at(row);
      if (static_cast<std::int64_t>(bytes.size()) != declaration_.state_bytes) {
        return Status::failed_precondition(fmt::format(
            "an accumulator of '{}' of '{}' was kept with {} bytes, now it has {}: the library is "
            "another one than that which wrote it",
            group_.name, group_.library, bytes.size(), declaration_.state_bytes));
      }
      std::uint8_t* copy = aligned->mutable_data() + stride * static_cast<std::int64_t>(i);
      std::memcpy(copy, bytes.data(), bytes.size());
      CLP_RETURN_IF_ERROR(start(partials.states[i], partials.offset));
      into_.push_back(body(partials.states[i], partials.offset));
      from_.push_back(copy);
    }
    return merge_all();
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder builder(state_types_[0], pool);
    for (std::byte* state : states) {
      if (!is_started(state, offset)) {
        builder.append_null();
        continue;
      }
      builder.append_string({static_cast<const char*>(body(state, offset)),
                             static_cast<std::size_t>(declaration_.state_bytes)});
    }
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    out.push_back(std::move(column));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    CLP_RETURN_IF_ERROR(start_body(empty_.data()));
    from_.clear();
    for (std::byte* state : states) {
      from_.push_back(is_started(state, offset) ? body(state, offset) : empty_.data());
    }
    const auto count = static_cast<std::int64_t>(states.size());
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<UserResults> results,
                         UserResults::make(function_.result, count, pool));
    if (count > 0) {
      CLP_RETURN_IF_ERROR(results->check(
          group_, call_user(group_, [&](ClpError* error) {
            return declaration_.finish(instance_->get(), from_.data(), &results->abi(), error);
          })));
    }
    return column_of(*results, count, pool);
  }

 private:
  static bool is_started(const std::byte* state, std::int64_t offset) {
    return reinterpret_cast<const Head*>(state + offset)->started != 0;
  }
  static void* body(std::byte* state, std::int64_t offset) { return state + offset + sizeof(Head); }
  // An accumulator that is empty is begun.
  Status start(std::byte* state, std::int64_t offset) {
    if (is_started(state, offset)) return Status::ok();
    CLP_RETURN_IF_ERROR(start_body(body(state, offset)));
    reinterpret_cast<Head*>(state + offset)->started = 1;
    return Status::ok();
  }
  Status start_body(void* place) {
    return call_user(group_, [&](ClpError* error) {
      return declaration_.start(instance_->get(), place, error);
    });
  }

  bool counts(const AggregateInput& input, std::span<const Vector* const> arguments,
              std::int32_t row) const {
    if (input.filter != nullptr &&
        (input.filter->is_null(row) || input.filter->values<std::uint8_t>()[row] == 0)) {
      return false;
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!function_.takes_null[i] && arguments[i]->is_null(row)) return false;
    }
    return true;
  }

  Status merge_all() {
    if (into_.empty()) return Status::ok();
    return call_user(group_, [&](ClpError* error) {
      return declaration_.merge(instance_->get(), into_.data(), from_.data(),
                                static_cast<std::int64_t>(into_.size()), error);
    });
  }

  Result<Column> column_of(const UserResults& results, std::int64_t count, MemoryPool& pool) const {
    ColumnBuilder builder(result_, pool);
    builder.reserve(count);
    const std::uint8_t* values =
        result_.physical() == PhysicalType::kView ? nullptr : results.values();
    for (std::int64_t i = 0; i < count; ++i) {
      if (results.is_null(i)) {
        builder.append_null();
        continue;
      }
      switch (result_.physical()) {
        case PhysicalType::kView:
          builder.append_string(results.text(i));
          break;
        case PhysicalType::kBool8:
        case PhysicalType::kInt8:
          builder.append(values[i]);
          break;
        case PhysicalType::kInt16:
          builder.append(reinterpret_cast<const std::int16_t*>(values)[i]);
          break;
        case PhysicalType::kInt32:
        case PhysicalType::kFloat:
          builder.append(reinterpret_cast<const std::int32_t*>(values)[i]);
          break;
        case PhysicalType::kInt128:
          builder.append(reinterpret_cast<const Int128*>(values)[i]);
          break;
        default:
          builder.append(reinterpret_cast<const std::int64_t*>(values)[i]);
          break;
      }
    }
    return builder.finish();
  }

  const UserFunctionGroup& group_;
  const UserFunction& function_;
  const ClpFunction& declaration_;
  const std::unique_ptr<UserInstance> instance_;
  const DataType result_;
  const std::vector<DataType> state_types_;
  std::vector<std::int64_t> empty_;  // A begun accumulator without rows.
  std::vector<Vector> vectors_;
  std::vector<std::int32_t> rows_;
  std::vector<void*> into_;
  std::vector<const void*> from_;
};

}  // namespace

Result<FunctionRegistry::ResolvedAggregate> resolve_user_aggregate(
    const UserFunctionGroup& group, std::vector<ExpressionPtr> arguments, bool distinct) {
  CLP_ASSIGN_OR_RETURN(const UserFunction* function,
                       choose_overload(group, types_of_all(arguments)));
  if (distinct && (function->arguments.size() != 1 || function->arguments[0].fixed_width() == 0)) {
    return Status::invalid_argument("DISTINCT needs an aggregate of one argument");
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool nullable = arguments[i]->type().nullable();
    CLP_ASSIGN_OR_RETURN(arguments[i], cast_to(std::move(arguments[i]),
                                               function->arguments[i].with_nullable(nullable)));
  }
  return FunctionRegistry::ResolvedAggregate{
      .function = group.full_name, .arguments = std::move(arguments), .type = function->result};
}

Result<AggregateFunctionPtr> make_user_aggregate(std::string_view full_name,
                                                 const std::vector<DataType>& argument_types,
                                                 const DataType& result_type) {
  CLP_ASSIGN_OR_RETURN(const UserFunctionGroup* group, find_user_functions(full_name));
  if (!group->is_aggregate) {
    return Status::invalid_argument(fmt::format("'{}' is no aggregate", full_name));
  }
  CLP_ASSIGN_OR_RETURN(const UserFunction* function, choose_overload(*group, argument_types));
  const bool same = std::equal(
      argument_types.begin(), argument_types.end(), function->arguments.begin(),
      function->arguments.end(),
      [](const DataType& found, const DataType& wanted) { return found.same_values(wanted); });
  if (!same || !function->result.same_values(result_type)) {
    return Status::invalid_argument(
        fmt::format("'{}' does not answer {} for ({}): the library is another one than that which "
                    "the job was planned with",
                    full_name, result_type.to_string(), type_list(argument_types)));
  }
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<UserInstance> instance,
                       UserInstance::open(*group, *function));
  return std::make_unique<UserAggregate>(*group, *function, std::move(instance), result_type);
}

}  // namespace clepsydra
