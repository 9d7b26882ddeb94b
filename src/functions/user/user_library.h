// Shared libraries of functions that users wrote, as include/clepsydra/function_abi.h has them.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/function_abi.h"
#include "clepsydra/status.h"
#include "functions/function_registry.h"
#include "functions/scalar_function.h"
#include "stream/data_type.h"

namespace clepsydra {

// One function with one list of argument types, checked.
struct UserFunction {
  ClpFunction declaration{};
  std::vector<DataType> arguments;
  std::vector<bool> takes_null;
  DataType result;  // Nullable when the function itself may answer NULL.
};

// Functions of one name: they are all aggregates or all not, and differ in their arguments.
struct UserFunctionGroup {
  std::string full_name;  // "libtext.so#shout": what expressions and aggregate calls carry.
  std::string library;
  std::string name;
  bool is_aggregate = false;
  std::vector<UserFunction> overloads;
  ScalarFunction scalar;  // Unless they are aggregates.
};

// "libtext.so", "shout" -> "libtext.so#shout". No built-in function has a '#' in its name.
std::string user_function_name(std::string_view library, std::string_view function);
bool is_user_function(std::string_view name);

// Libraries belong to the process; one that is loaded stays. Threads: any.
//
// Says below which folder libraries may be ('clepsydra.udf.directory'); empty: there are none.
void set_user_library_directory(const std::string& directory);
// Loads the library if need be. NotFound names what the library has instead. Stays valid.
Result<const UserFunctionGroup*> find_user_functions(std::string_view full_name);

// The function whose types are exactly these, or the first to which they may be converted without
// being asked for; InvalidArgument lists what there is.
Result<const UserFunction*> choose_overload(const UserFunctionGroup& group,
                                            const std::vector<DataType>& arguments);
std::vector<DataType> types_of_all(std::span<const ExpressionPtr> arguments);
// "(STRING), (STRING, INT)"
std::string signatures_of(const UserFunctionGroup& group);

// The call of a scalar function of a library over bound arguments.
Result<ExpressionPtr> resolve_user_scalar(const UserFunctionGroup& group,
                                          std::vector<ExpressionPtr> arguments);
Result<FunctionRegistry::ResolvedAggregate> resolve_user_aggregate(
    const UserFunctionGroup& group, std::vector<ExpressionPtr> arguments, bool distinct);

// The table entry of scalar functions of a library (user_scalar.cc).
void describe_user_scalar(UserFunctionGroup& group);

// "function 'shout' of 'libtext.so' failed: ..."
Status user_failure(const UserFunctionGroup& group, std::string_view message);

// Runs a function of a library; what it throws, against its contract, is an error like any other.
template <typename Call>
Status call_user(const UserFunctionGroup& group, Call&& call) {
  ClpError error;
  error.message[0] = 0;
  try {
    if (call(&error) == 0) return Status::ok();
    error.message[sizeof(error.message) - 1] = 0;
    return user_failure(group, error.message);
  } catch (const std::exception& exception) {
    return user_failure(group, exception.what());
  } catch (...) {
    return user_failure(group, "it threw an exception of an unknown type");
  }
}

// An object that the library made for one place of a plan.
class UserInstance {
 public:
  static Result<std::unique_ptr<UserInstance>> open(const UserFunctionGroup& group,
                                                    const UserFunction& function);
  ~UserInstance();
  UserInstance(const UserInstance&) = delete;
  UserInstance& operator=(const UserInstance&) = delete;
  [[nodiscard]] void* get() const { return instance_; }

 private:
  explicit UserInstance(const ClpFunction& declaration) : declaration_(declaration) {}

  const ClpFunction& declaration_;
  void* instance_ = nullptr;
};

}  // namespace clepsydra
