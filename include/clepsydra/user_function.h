/// Functions of your own for SQL, as a shared library.
///
///     #include <clepsydra/user_function.h>
///
///     static std::string shout(std::string_view text) { return std::string(text) + "!"; }
///
///     CLEPSYDRA_FUNCTION_LIBRARY(clepsydra::udf::scalar<shout>("shout"))
///
/// Built with `c++ -std=c++20 -shared -fPIC -I<clepsydra>/include`, needing nothing else of
/// Clepsydra, and put below `clepsydra.udf.directory`, it is used by
///
///     CREATE FUNCTION shout AS 'shout' LANGUAGE CPP USING ARTIFACT 'libmine.so';
///
/// SQL types follow from the C++ types: bool, int8_t to int64_t, float, double, std::string_view
/// (results also std::string), Bytes, Decimal<precision, scale>, Date, Time, Timestamp,
/// TimestampLtz. An argument that may be NULL is a std::optional; a function without one never sees
/// the row, and the result is NULL. A result that may be NULL is a std::optional.
///
/// An exception that leaves a function fails the statement or job with its what() as message. What
/// crashes, crashes the process: a library is code of the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <future>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "clepsydra/function_abi.h"

namespace clepsydra::udf {

/// BYTES: as an argument a view, valid during the call; as a result the bytes are copied.
struct Bytes {
  std::string_view value;
};
/// DATE, in days since 1970-01-01.
struct Date {
  std::int32_t days = 0;
};
/// TIME, in milliseconds of the day.
struct Time {
  std::int32_t millis = 0;
};
/// TIMESTAMP(3), in milliseconds since 1970-01-01 00:00:00.
struct Timestamp {
  std::int64_t millis = 0;
};
/// TIMESTAMP_LTZ(3), in milliseconds since 1970-01-01 00:00:00 UTC.
struct TimestampLtz {
  std::int64_t millis = 0;
};
__extension__ typedef __int128 WideInteger;
/// DECIMAL(kPrecision, kScale): 12.34 as DECIMAL(10, 2) has the digits 1234.
template <int kPrecision, int kScale>
struct Decimal {
  WideInteger digits = 0;
};

namespace internal {

template <typename T>
struct SqlType;  // No SQL type stands for this C++ type.

template <typename T, int kKind>
struct PlainType {
  using Value = T;  // As it lies in a column.
  static constexpr ClpType kType{kKind, 0, 0};
  static T from(const Value& value) { return value; }
  static Value to(const T& value) { return value; }
};
template <>
struct SqlType<std::int8_t> : PlainType<std::int8_t, CLP_TINYINT> {};
template <>
struct SqlType<std::int16_t> : PlainType<std::int16_t, CLP_SMALLINT> {};
template <>
struct SqlType<std::int32_t> : PlainType<std::int32_t, CLP_INT> {};
template <>
struct SqlType<std::int64_t> : PlainType<std::int64_t, CLP_BIGINT> {};
template <>
struct SqlType<float> : PlainType<float, CLP_FLOAT> {};
template <>
struct SqlType<double> : PlainType<double, CLP_DOUBLE> {};

template <>
struct SqlType<bool> {
  using Value = std::uint8_t;
  static constexpr ClpType kType{CLP_BOOLEAN, 0, 0};
  static bool from(Value value) { return value != 0; }
  static Value to(bool value) { return value ? 1 : 0; }
};
template <>
struct SqlType<Date> {
  using Value = std::int32_t;
  static constexpr ClpType kType{CLP_DATE, 0, 0};
  static Date from(Value value) { return {value}; }
  static Value to(Date value) { return value.days; }
};
template <>
struct SqlType<Time> {
  using Value = std::int32_t;
  static constexpr ClpType kType{CLP_TIME, 0, 0};
  static Time from(Value value) { return {value}; }
  static Value to(Time value) { return value.millis; }
};
template <>
struct SqlType<Timestamp> {
  using Value = std::int64_t;
  static constexpr ClpType kType{CLP_TIMESTAMP, 3, 0};
  static Timestamp from(Value value) { return {value}; }
  static Value to(Timestamp value) { return value.millis; }
};
template <>
struct SqlType<TimestampLtz> {
  using Value = std::int64_t;
  static constexpr ClpType kType{CLP_TIMESTAMP_LTZ, 3, 0};
  static TimestampLtz from(Value value) { return {value}; }
  static Value to(TimestampLtz value) { return value.millis; }
};
template <int kPrecision, int kScale>
struct SqlType<Decimal<kPrecision, kScale>> {
  static_assert(kPrecision >= 1 && kPrecision <= 38 && kScale >= 0 && kScale <= kPrecision);
  using Value = WideInteger;
  static constexpr ClpType kType{CLP_DECIMAL, kPrecision, kScale};
  static Decimal<kPrecision, kScale> from(const Value& value) { return {value}; }
  static Value to(const Decimal<kPrecision, kScale>& value) { return value.digits; }
};

inline std::string_view view_of(const ClpText& text) {
  return {text.data, static_cast<std::size_t>(text.size)};
}
template <>
struct SqlType<std::string_view> {
  using Value = ClpText;
  static constexpr ClpType kType{CLP_STRING, 0, 0};
  static std::string_view from(const Value& value) { return view_of(value); }
  static std::string_view text(std::string_view value) { return value; }
};
template <>
struct SqlType<std::string> {
  using Value = ClpText;
  static constexpr ClpType kType{CLP_STRING, 0, 0};
  static std::string from(const Value& value) { return std::string(view_of(value)); }
  static std::string_view text(const std::string& value) { return value; }
};
template <>
struct SqlType<Bytes> {
  using Value = ClpText;
  static constexpr ClpType kType{CLP_BYTES, 0, 0};
  static Bytes from(const Value& value) { return {view_of(value)}; }
  static std::string_view text(const Bytes& value) { return value.value; }
};

template <typename T>
struct Optional {
  using Type = T;
  static constexpr bool kIs = false;
};
template <typename T>
struct Optional<std::optional<T>> {
  using Type = T;
  static constexpr bool kIs = true;
};
template <typename T>
struct Future {
  using Type = T;
};
template <typename T>
struct Future<std::future<T>> {
  using Type = T;
};

/// Reads the argument `T` of a row.
template <typename T>
T read_argument(const ClpColumn& column, std::int64_t row) {
  using Type = SqlType<typename Optional<T>::Type>;
  if constexpr (Optional<T>::kIs) {
    if (column.nulls != nullptr && column.nulls[row] != 0) return std::nullopt;
  }
  return Type::from(static_cast<const typename Type::Value*>(column.values)[row]);
}

/// Writes the result of a row; false when the engine did not take it.
template <typename R>
bool write_result(ClpResult& result, std::int64_t row, const R& value) {
  if constexpr (Optional<R>::kIs) {
    if (!value) {
      result.nulls[row] = 1;
      ++result.answered;
      return true;
    }
    return write_result<typename Optional<R>::Type>(result, row, *value);
  } else {
    using Type = SqlType<R>;
    if constexpr (std::is_same_v<typename Type::Value, ClpText>) {
      const std::string_view text = Type::text(value);
      return result.set_text(&result, row, text.data(), static_cast<std::int64_t>(text.size())) ==
             0;
    } else {
      static_cast<typename Type::Value*>(result.values)[row] = Type::to(value);
      ++result.answered;
      return true;
    }
  }
}

/// Runs `work`; what it throws becomes the error's message.
template <typename Work>
std::int32_t guarded(ClpError* error, Work&& work) {
  const auto say = [error](const char* message) {
    std::strncpy(error->message, message, sizeof(error->message) - 1);
    error->message[sizeof(error->message) - 1] = 0;
    return std::int32_t{1};
  };
  try {
    return work() ? 0 : say("the engine did not take a result");
  } catch (const std::exception& exception) {
    return say(exception.what());
  } catch (...) {
    return say("an exception of an unknown type");
  }
}

/// Calls f(index of argument, argument as plain type) with the arguments of one row.
template <typename Arguments>
struct ArgumentList;
template <typename... A>
struct ArgumentList<std::tuple<A...>> {
  static constexpr int kCount = sizeof...(A);
  // One more, as an array of none has no address.
  static constexpr ClpArgument kDeclared[sizeof...(A) + 1] = {
      ClpArgument{SqlType<typename Optional<A>::Type>::kType, Optional<A>::kIs ? 1 : 0}...,
      ClpArgument{}};

  template <typename F>
  static decltype(auto) apply(const ClpCall& call, std::int64_t row, F&& f) {
    return apply_at(call, row, f, std::index_sequence_for<A...>{});
  }

 private:
  template <typename F, std::size_t... kIndex>
  static decltype(auto) apply_at([[maybe_unused]] const ClpCall& call,
                                 [[maybe_unused]] std::int64_t row, F&& f,
                                 std::index_sequence<kIndex...>) {
    return f(read_argument<A>(call.arguments[kIndex], row)...);
  }
};

template <typename F>
struct Signature;
template <typename R, typename... A>
struct Signature<R (*)(A...)> {
  using Result = std::remove_cvref_t<R>;
  using Arguments = std::tuple<std::remove_cvref_t<A>...>;
};
template <typename R, typename... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};

template <typename R>
void declare_result(ClpFunction& function) {
  function.result = SqlType<typename Optional<R>::Type>::kType;
  function.result_takes_null = Optional<R>::kIs ? 1 : 0;
}

template <typename List>
ClpFunction declare(std::int32_t kind, const char* name) {
  ClpFunction function{};
  function.kind = kind;
  function.name = name;
  function.argument_count = List::kCount;
  function.arguments = List::kDeclared;
  return function;
}

template <typename Class>
std::int32_t open_instance(void** instance, ClpError* error) {
  return guarded(error, [&] {
    *instance = new Class();
    return true;
  });
}
template <typename Class>
void close_instance(void* instance) {
  delete static_cast<Class*>(instance);
}

}  // namespace internal

/// A function of the library, with what can be said of it beyond its types.
struct Function {
  ClpFunction declaration{};

  /// The same arguments may give another result (a clock, a random number).
  Function not_deterministic() const {
    Function changed = *this;
    changed.declaration.flags |= CLP_NOT_DETERMINISTIC;
    return changed;
  }
};

/// A plain function, called once per row.
template <auto kFunction>
Function scalar(const char* name) {
  using Signature = internal::Signature<decltype(kFunction)>;
  using List = internal::ArgumentList<typename Signature::Arguments>;
  using Result = typename Signature::Result;
  ClpFunction function = internal::declare<List>(CLP_SCALAR, name);
  internal::declare_result<Result>(function);
  function.call = [](void*, const ClpCall* call, ClpResult* result, ClpError* error) {
    return internal::guarded(error, [&] {
      for (std::int64_t row = 0; row < call->rows; ++row) {
        if (!internal::write_result<Result>(*result, row, List::apply(*call, row, kFunction))) {
          return false;
        }
      }
      return true;
    });
  };
  return {function};
}

/// A class with one operator(): each place of a plan has an object of its own, made by its default
/// constructor, that may keep what it needs (a compiled pattern, a table).
template <typename Class>
Function scalar(const char* name) {
  using Signature = internal::Signature<decltype(&Class::operator())>;
  using List = internal::ArgumentList<typename Signature::Arguments>;
  using Result = typename Signature::Result;
  ClpFunction function = internal::declare<List>(CLP_SCALAR, name);
  internal::declare_result<Result>(function);
  function.open = internal::open_instance<Class>;
  function.close = internal::close_instance<Class>;
  function.call = [](void* instance, const ClpCall* call, ClpResult* result, ClpError* error) {
    return internal::guarded(error, [&] {
      for (std::int64_t row = 0; row < call->rows; ++row) {
        if (!internal::write_result<Result>(
                *result, row, List::apply(*call, row, *static_cast<Class*>(instance)))) {
          return false;
        }
      }
      return true;
    });
  };
  return {function};
}

/// A function that answers a std::future: up to 100 rows are under way at the same time, and their
/// order is kept. Arguments must be taken by value (std::string), as views end with the call. What
/// a future throws fails the job. The function itself must set a time limit.
template <auto kFunction>
Function async_scalar(const char* name) {
  using Signature = internal::Signature<decltype(kFunction)>;
  using List = internal::ArgumentList<typename Signature::Arguments>;
  using Answer = typename Signature::Result;
  using Result = typename internal::Future<Answer>::Type;
  static_assert(!std::is_same_v<Answer, Result>, "an async function answers a std::future");
  ClpFunction function = internal::declare<List>(CLP_ASYNC_SCALAR, name);
  internal::declare_result<Result>(function);
  function.call = [](void*, const ClpCall* call, ClpResult* result, ClpError* error) {
    return internal::guarded(error, [&] {
      constexpr std::int64_t kUnderWayMax = 100;
      std::vector<Answer> answers;
      for (std::int64_t begin = 0; begin < call->rows; begin += kUnderWayMax) {
        const std::int64_t end =
            begin + kUnderWayMax < call->rows ? begin + kUnderWayMax : call->rows;
        answers.clear();
        for (std::int64_t row = begin; row < end; ++row) {
          answers.push_back(List::apply(*call, row, kFunction));
        }
        for (std::int64_t row = begin; row < end; ++row) {
          Answer& answer = answers[static_cast<std::size_t>(row - begin)];
          if (!internal::write_result<Result>(*result, row, answer.get())) return false;
        }
      }
      return true;
    });
  };
  return {function};
}

/// An aggregate: a class with
///
///     struct State { ... };                          // Plain values: copied as bytes, no pointers
///     in it. static void add(State& state, <arguments>);    // A row. static void merge(State&
///     into, const State& from); static <result> result(const State& state);
///
/// A row in which an argument that is not a std::optional is NULL is left out. A state is kept in
/// checkpoints: change its meaning, and old checkpoints have other values.
template <typename Class>
Function aggregate(const char* name) {
  using State = typename Class::State;
  static_assert(std::is_trivially_copyable_v<State>, "a State is stored as bytes");
  static_assert(alignof(State) <= 8 && sizeof(State) <= 65536);
  using Add = internal::Signature<decltype(&Class::add)>;
  using Result = typename internal::Signature<decltype(&Class::result)>::Result;
  using WithState = typename Add::Arguments;
  using List = internal::ArgumentList<decltype([]<typename First, typename... Rest>(
                                                   std::type_identity<std::tuple<First, Rest...>>) {
    return std::tuple<Rest...>{};
  }(std::type_identity<WithState>{}))>;
  ClpFunction function = internal::declare<List>(CLP_AGGREGATE, name);
  internal::declare_result<Result>(function);
  function.state_bytes = sizeof(State);
  function.start = [](void*, void* state, ClpError* error) {
    return internal::guarded(error, [&] {
      new (state) State{};
      return true;
    });
  };
  function.update = [](void*, void* const* states, const ClpCall* call, ClpError* error) {
    return internal::guarded(error, [&] {
      for (std::int64_t row = 0; row < call->rows; ++row) {
        List::apply(*call, row, [&](auto&&... arguments) {
          Class::add(*static_cast<State*>(states[row]),
                     std::forward<decltype(arguments)>(arguments)...);
        });
      }
      return true;
    });
  };
  function.merge = [](void*, void* const* into, const void* const* from, std::int64_t count,
                      ClpError* error) {
    return internal::guarded(error, [&] {
      for (std::int64_t i = 0; i < count; ++i) {
        Class::merge(*static_cast<State*>(into[i]), *static_cast<const State*>(from[i]));
      }
      return true;
    });
  };
  function.finish = [](void*, const void* const* states, ClpResult* result, ClpError* error) {
    return internal::guarded(error, [&] {
      for (std::int64_t i = 0; i < result->rows; ++i) {
        const auto& state = *static_cast<const State*>(states[i]);
        if (!internal::write_result<Result>(*result, i, Class::result(state))) return false;
      }
      return true;
    });
  };
  return {function};
}

/// What the library's entry answers. CLEPSYDRA_FUNCTION_LIBRARY makes it.
class Library {
 public:
  template <typename... F>
  explicit Library(const F&... functions) : functions_{functions.declaration...} {
    library_ = {CLP_FUNCTION_ABI_VERSION, static_cast<std::uint32_t>(sizeof(ClpFunction)),
                static_cast<std::int32_t>(functions_.size()), functions_.data()};
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  [[nodiscard]] const ClpFunctionLibrary* get() const { return &library_; }

 private:
  std::vector<ClpFunction> functions_;
  ClpFunctionLibrary library_{};
};

}  // namespace clepsydra::udf

/// Exports the functions that are listed; once in a library.
#define CLEPSYDRA_FUNCTION_LIBRARY(...)                                       \
  extern "C" __attribute__((visibility("default"))) const ClpFunctionLibrary* \
  clepsydra_function_library(void) {                                          \
    static const ::clepsydra::udf::Library kLibrary{__VA_ARGS__};             \
    return kLibrary.get();                                                    \
  }
