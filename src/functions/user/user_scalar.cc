// Scalar functions of libraries as entries like the built-in ones.
#include <cstring>
#include <span>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "functions/function_registry.h"
#include "functions/user/user_library.h"
#include "functions/user/user_rows.h"

namespace clepsydra {
namespace {

Result<DataType> derive(CallTyping& call) {
  CLP_ASSIGN_OR_RETURN(const UserFunctionGroup* group, find_user_functions(call.name));
  CLP_ASSIGN_OR_RETURN(const UserFunction* function,
                       choose_overload(*group, types_of_all(call.arguments)));
  bool nullable = function->result.nullable();
  for (int i = 0; i < call.count(); ++i) {
    const DataType& wanted = function->arguments[static_cast<std::size_t>(i)];
    const bool converted = !call.type(i).same_values(wanted);
    CLP_RETURN_IF_ERROR(call.coerce(i, wanted));
    // A DECIMAL with fewer digits before the point is NULL where a value does not fit.
    nullable = nullable || (converted && wanted.kind() == TypeKind::kDecimal) ||
               (call.type(i).nullable() && !function->takes_null[static_cast<std::size_t>(i)]);
  }
  return function->result.with_nullable(nullable);
}

struct UserSite final : CallSite {
  const UserFunctionGroup* group = nullptr;
  const UserFunction* function = nullptr;
  std::unique_ptr<UserInstance> instance;
};

void write_fixed(KernelCall& call, const UserResults& results, std::span<const std::int32_t> rows) {
  const auto width = static_cast<std::size_t>(call.out.type.fixed_width());
  auto* to = call.results<std::uint8_t>();
  const std::uint8_t* from = results.values();
  for (const std::int32_t row : rows) {
    std::memcpy(to + width * static_cast<std::size_t>(row), from, width);
    from += width;
  }
}

bool kernel(KernelCall& call) {
  const auto& site = call.site_as<UserSite>();
  const ClpFunction& declaration = site.function->declaration;
  std::vector<std::int32_t> rows;
  select_user_rows(*site.function, call.arguments, call.rows, rows);
  const auto count = static_cast<std::int32_t>(rows.size());
  // Rows that the function does not see are NULL.
  if (count < call.rows.count)
    for_each_row(call.rows, [&](std::int32_t row) { call.set_null(row); });
  if (count == 0) return call.status().is_ok();
  MemoryPool& pool = *call.context.pool;
  const Result<UserArguments> arguments =
      UserArguments::gather(*site.function, call.arguments, rows, pool);
  if (!arguments.is_ok()) return call.fail(arguments.status());
  Result<std::unique_ptr<UserResults>> results =
      UserResults::make(site.function->result, count, pool);
  if (!results.is_ok()) return call.fail(results.status());
  const ClpCall input = arguments->call();
  const Status done = (*results)->check(*site.group, call_user(*site.group, [&](ClpError* error) {
    return declaration.call(site.instance->get(), &input, &(*results)->abi(), error);
  }));
  if (!done.is_ok()) return call.fail(done);
  std::uint8_t* validity = count < call.rows.count ? call.mutable_validity() : nullptr;
  for (std::int32_t i = 0; i < count; ++i) {
    const bool is_null = (*results)->is_null(i);
    if (is_null && validity == nullptr) validity = call.mutable_validity();
    if (validity == nullptr) continue;
    if (is_null) {
      clear_bit(validity, rows[static_cast<std::size_t>(i)]);
    } else {
      set_bit(validity, rows[static_cast<std::size_t>(i)]);
    }
  }
  if (!call.status().is_ok()) return false;
  if (call.out.type.physical() != PhysicalType::kView) {
    write_fixed(call, **results, rows);
    return true;
  }
  TextWriter writer(call);
  for (std::int32_t i = 0; i < count; ++i) {
    if ((*results)->is_null(i)) continue;
    if (!writer.write(rows[static_cast<std::size_t>(i)], (*results)->text(i))) return false;
  }
  return true;
}

Result<BoundKernel> bind(const CallBinding& call) {
  CLP_ASSIGN_OR_RETURN(const UserFunctionGroup* group, find_user_functions(call.call.name()));
  auto site = std::make_unique<UserSite>();
  site->group = group;
  CLP_ASSIGN_OR_RETURN(site->function,
                       choose_overload(*group, types_of_all(call.call.arguments())));
  CLP_ASSIGN_OR_RETURN(site->instance, UserInstance::open(*group, *site->function));
  return BoundKernel{
      .kernel = kernel, .site = std::move(site), .can_fail = true, .is_costly = true};
}

}  // namespace

Result<ExpressionPtr> resolve_user_scalar(const UserFunctionGroup& group,
                                          std::vector<ExpressionPtr> arguments) {
  CallTyping call{.name = group.full_name, .arguments = std::move(arguments)};
  CLP_ASSIGN_OR_RETURN(DataType type, derive(call));
  return Expression::call(group.full_name, std::move(call.arguments), std::move(type));
}

void describe_user_scalar(UserFunctionGroup& group) {
  ScalarFunction& entry = group.scalar;
  entry.name = group.full_name;
  entry.arguments_max = ScalarFunction::kAnyCount;
  entry.derive = derive;
  entry.bind = bind;
  entry.is_strict = false;
  entry.takes_bare_null = true;
  for (const UserFunction& function : group.overloads) {
    const bool deterministic = (function.declaration.flags & CLP_NOT_DETERMINISTIC) == 0;
    if (!deterministic) entry.volatility = Volatility::kPerRow;
  }
}

}  // namespace clepsydra
