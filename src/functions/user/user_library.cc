#include "functions/user/user_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "base/shared_library.h"
#include "base/utf8.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

constexpr std::int32_t kFunctionsMax = 10000;
constexpr std::int32_t kArgumentsMax = 64;
constexpr std::size_t kNameMax = 100;
constexpr std::int64_t kStateBytesMax = 65536;
constexpr std::size_t kNamesShown = 20;

using Groups = std::map<std::string, std::unique_ptr<UserFunctionGroup>, std::less<>>;

std::optional<DataType> type_of(const ClpType& type) {
  switch (type.kind) {
    case CLP_BOOLEAN:
      return DataType::boolean();
    case CLP_TINYINT:
      return DataType::tiny_int();
    case CLP_SMALLINT:
      return DataType::small_int();
    case CLP_INT:
      return DataType::integer();
    case CLP_BIGINT:
      return DataType::big_int();
    case CLP_FLOAT:
      return DataType::float_();
    case CLP_DOUBLE:
      return DataType::double_();
    case CLP_DECIMAL:
      if (type.precision < 1 || type.precision > kMaxDecimalPrecision || type.scale < 0 ||
          type.scale > type.precision) {
        return std::nullopt;
      }
      return DataType::decimal(type.precision, type.scale);
    case CLP_STRING:
      return DataType::string();
    case CLP_BYTES:
      return DataType::bytes();
    case CLP_DATE:
      return DataType::date();
    case CLP_TIME:
      return DataType::time(0);
    case CLP_TIMESTAMP:
    case CLP_TIMESTAMP_LTZ:
      if (type.precision != 3 && type.precision != 6) return std::nullopt;
      return type.kind == CLP_TIMESTAMP ? DataType::timestamp(type.precision)
                                        : DataType::timestamp_ltz(type.precision);
    default:
      return std::nullopt;
  }
}

Status broken(std::string_view library, std::string_view what) {
  return Status::failed_precondition(
      fmt::format("library '{}' is no usable library of functions: {}", library, what));
}

bool is_name(const char* name) {
  if (name == nullptr) return false;
  std::size_t length = 0;
  for (; name[length] != 0; ++length) {
    const char c = name[length];
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
    if (!plain || length >= kNameMax) return false;
  }
  return length > 0;
}

// What the engine would have to trust otherwise.
Status check_kind(const ClpFunction& function) {
  if ((function.open == nullptr) != (function.close == nullptr)) {
    return Status::invalid_argument("has one of open and close, not both");
  }
  switch (function.kind) {
    case CLP_SCALAR:
    case CLP_ASYNC_SCALAR:
      if (function.call == nullptr) return Status::invalid_argument("has nothing to call");
      return Status::ok();
    case CLP_AGGREGATE:
      if (function.start == nullptr || function.update == nullptr || function.merge == nullptr ||
          function.finish == nullptr) {
        return Status::invalid_argument("lacks one of start, update, merge and finish");
      }
      if (function.state_bytes < 1 || function.state_bytes > kStateBytesMax) {
        return Status::invalid_argument(fmt::format("has accumulators of {} bytes; 1 to {} may be",
                                                    function.state_bytes, kStateBytesMax));
      }
      return Status::ok();
    case CLP_TABLE:
      return Status::invalid_argument("is a table function, which this version does not run");
    default:
      return Status::invalid_argument(fmt::format("is of the unknown kind {}", function.kind));
  }
}

Result<UserFunction> check_function(const ClpFunction& declaration) {
  CLP_RETURN_IF_ERROR(check_kind(declaration));
  if (declaration.argument_count < 0 || declaration.argument_count > kArgumentsMax ||
      (declaration.argument_count > 0 && declaration.arguments == nullptr)) {
    return Status::invalid_argument(
        fmt::format("has {} arguments; 0 to {} may be, and they must be described",
                    declaration.argument_count, kArgumentsMax));
  }
  UserFunction function;
  function.declaration = declaration;
  for (std::int32_t i = 0; i < declaration.argument_count; ++i) {
    const ClpArgument& argument = declaration.arguments[i];
    const std::optional<DataType> type = type_of(argument.type);
    if (!type) {
      return Status::invalid_argument(
          fmt::format("has an argument {} of the unknown type {} ({}, {})", i + 1,
                      argument.type.kind, argument.type.precision, argument.type.scale));
    }
    function.arguments.push_back(*type);
    function.takes_null.push_back(argument.takes_null != 0);
  }
  const std::optional<DataType> result = type_of(declaration.result);
  if (!result) {
    return Status::invalid_argument(
        fmt::format("has a result of the unknown type {} ({}, {})", declaration.result.kind,
                    declaration.result.precision, declaration.result.scale));
  }
  function.result = result->with_nullable(declaration.result_takes_null != 0);
  return function;
}

Result<Groups> check_functions(const std::string& library, const ClpFunctionLibrary& declared) {
  if (declared.abi_version != CLP_FUNCTION_ABI_VERSION ||
      declared.function_bytes != sizeof(ClpFunction)) {
    return broken(library, fmt::format("it was built for version {} of the function interface, "
                                       "this is version {}; build it with this version's headers",
                                       declared.abi_version, CLP_FUNCTION_ABI_VERSION));
  }
  if (declared.function_count < 1 || declared.function_count > kFunctionsMax ||
      declared.functions == nullptr) {
    return broken(library, fmt::format("it has {} functions; 1 to {} may be",
                                       declared.function_count, kFunctionsMax));
  }
  Groups groups;
  for (const ClpFunction& declaration :
       std::span(declared.functions, static_cast<std::size_t>(declared.function_count))) {
    if (!is_name(declaration.name)) {
      return broken(library, "a function has no name of letters, digits and '_'");
    }
    const std::string name = declaration.name;
    Result<UserFunction> function = check_function(declaration);
    if (!function.is_ok()) {
      return broken(library,
                    fmt::format("its function '{}' {}", name, function.status().message()));
    }
    std::unique_ptr<UserFunctionGroup>& group = groups[name];
    const bool is_aggregate = declaration.kind == CLP_AGGREGATE;
    if (group == nullptr) {
      group = std::make_unique<UserFunctionGroup>();
      group->full_name = user_function_name(library, name);
      group->library = library;
      group->name = name;
      group->is_aggregate = is_aggregate;
    }
    if (group->is_aggregate != is_aggregate) {
      return broken(library, fmt::format("'{}' is both an aggregate and a scalar function", name));
    }
    for (const UserFunction& other : group->overloads) {
      if (other.arguments == function->arguments) {
        return broken(library, fmt::format("'{}' is there twice with the same arguments", name));
      }
    }
    group->overloads.push_back(*std::move(function));
  }
  for (auto& [name, group] : groups) {
    if (!group->is_aggregate) describe_user_scalar(*group);
  }
  return groups;
}

Result<Groups> load_functions(const std::string& library, const std::string& path) {
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<SharedLibrary> loaded, load_library(path));
  const auto entry =
      reinterpret_cast<ClpFunctionLibraryEntry>(loaded->find(CLP_FUNCTION_LIBRARY_ENTRY));
  if (entry == nullptr) {
    return broken(library, fmt::format("it exports no function '{}'", CLP_FUNCTION_LIBRARY_ENTRY));
  }
  const ClpFunctionLibrary* declared = nullptr;
  try {
    declared = entry();
  } catch (...) {
    return broken(library, fmt::format("'{}' threw an exception", CLP_FUNCTION_LIBRARY_ENTRY));
  }
  if (declared == nullptr) {
    return broken(library, fmt::format("'{}' answered nothing", CLP_FUNCTION_LIBRARY_ENTRY));
  }
  return check_functions(library, *declared);
}

// All libraries that were loaded. Threads: any.
class LoadedLibraries {
 public:
  void set_directory(const std::string& directory) {
    const MutexLock lock(mutex_);
    directory_ = directory;
  }

  Result<const UserFunctionGroup*> find(const std::string& library, std::string_view function) {
    const MutexLock lock(mutex_);
    CLP_ASSIGN_OR_RETURN(const Groups* groups, functions_of(library));
    const auto found = groups->find(function);
    if (found != groups->end()) return found->second.get();
    std::string names;
    for (const auto& [name, group] : *groups) {
      if (static_cast<std::size_t>(std::count(names.begin(), names.end(), ',')) >= kNamesShown) {
        names += ", ...";
        break;
      }
      names += (names.empty() ? "" : ", ") + name;
    }
    return Status::not_found(fmt::format("library '{}' has no function '{}'; it has {}", library,
                                         clip(function, kNameMax), names));
  }

 private:
  Result<const Groups*> functions_of(const std::string& library) CLP_REQUIRES(mutex_) {
    if (directory_.empty()) {
      return Status::failed_precondition(
          "libraries of functions are loaded only from below 'clepsydra.udf.directory', which is "
          "not set; start with -D clepsydra.udf.directory=/some/folder");
    }
    CLP_ASSIGN_OR_RETURN(const std::string path, find_library(directory_, library));
    const auto key = std::pair(library, path);
    if (const auto known = loaded_.find(key); known != loaded_.end()) return &known->second;
    CLP_ASSIGN_OR_RETURN(Groups groups, load_functions(library, path));
    return &loaded_.emplace(key, std::move(groups)).first->second;
  }

  Mutex mutex_;
  std::string directory_ CLP_GUARDED_BY(mutex_);
  // By the name that was asked for and the real path: never removed, plans point here.
  std::map<std::pair<std::string, std::string>, Groups> loaded_ CLP_GUARDED_BY(mutex_);
};

LoadedLibraries& libraries() {
  static LoadedLibraries loaded;
  return loaded;
}

}  // namespace

std::string user_function_name(std::string_view library, std::string_view function) {
  return fmt::format("{}#{}", library, function);
}

bool is_user_function(std::string_view name) {
  return name.find('#') != std::string_view::npos;
}

void set_user_library_directory(const std::string& directory) {
  libraries().set_directory(directory);
}

Result<const UserFunctionGroup*> find_user_functions(std::string_view full_name) {
  const std::size_t mark = full_name.rfind('#');
  CLP_CHECK(mark != std::string_view::npos);
  return libraries().find(std::string(full_name.substr(0, mark)), full_name.substr(mark + 1));
}

std::vector<DataType> types_of_all(std::span<const ExpressionPtr> arguments) {
  std::vector<DataType> types;
  types.reserve(arguments.size());
  for (const ExpressionPtr& argument : arguments) types.push_back(argument->type());
  return types;
}

std::string signatures_of(const UserFunctionGroup& group) {
  std::string text;
  for (const UserFunction& function : group.overloads) {
    text += fmt::format("{}({})", text.empty() ? "" : ", ", type_list(function.arguments));
  }
  return text;
}

Result<const UserFunction*> choose_overload(const UserFunctionGroup& group,
                                            const std::vector<DataType>& arguments) {
  const auto fits = [&](const UserFunction& function, auto&& matches) {
    return std::equal(arguments.begin(), arguments.end(), function.arguments.begin(),
                      function.arguments.end(), matches);
  };
  const auto same = [](const DataType& found, const DataType& wanted) {
    return found.same_values(wanted);
  };
  for (const UserFunction& function : group.overloads) {
    if (fits(function, same)) return &function;
  }
  for (const UserFunction& function : group.overloads) {
    if (fits(function, can_cast_implicitly)) return &function;
  }
  return Status::invalid_argument(fmt::format("'{}' does not take ({}); it takes {}", group.name,
                                              type_list(arguments), signatures_of(group)));
}

Status user_failure(const UserFunctionGroup& group, std::string_view message) {
  constexpr std::size_t kMessageMax = 500;
  return Status::invalid_argument(
      fmt::format("function '{}' of '{}' failed: {}", group.name, group.library,
                  message.empty() ? "it did not say why" : clip(message, kMessageMax)));
}

Result<std::unique_ptr<UserInstance>> UserInstance::open(const UserFunctionGroup& group,
                                                         const UserFunction& function) {
  std::unique_ptr<UserInstance> made(new UserInstance(function.declaration));
  if (function.declaration.open != nullptr) {
    void* instance = nullptr;
    CLP_RETURN_IF_ERROR(call_user(
        group, [&](ClpError* error) { return function.declaration.open(&instance, error); }));
    made->instance_ = instance;
  }
  return made;
}

UserInstance::~UserInstance() {
  if (declaration_.close == nullptr || instance_ == nullptr) return;
  try {
    declaration_.close(instance_);
  } catch (...) {
    // Nobody is left to be told: what it was made for has ended.
    return;
  }
}

}  // namespace clepsydra
