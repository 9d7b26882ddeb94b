// Libraries that break the rules of clepsydra/function_abi.h, chosen by a macro; tests load them.
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "clepsydra/function_abi.h"

namespace {

[[maybe_unused]] constexpr ClpArgument kText[] = {{{CLP_STRING, 0, 0}, 0}};
[[maybe_unused]] constexpr ClpArgument kNumber[] = {{{CLP_BIGINT, 0, 0}, 0}};

[[maybe_unused]] ClpFunction scalar(const char* name, std::int32_t result,
                                    decltype(ClpFunction::call) call) {
  ClpFunction function{};
  function.kind = CLP_SCALAR;
  function.name = name;
  function.argument_count = 1;
  function.arguments = kNumber;
  function.result = {result, 0, 0};
  function.call = call;
  return function;
}

[[maybe_unused]] std::int32_t answer_nothing(void*, const ClpCall*, ClpResult*, ClpError*) {
  return 0;
}

#if defined(HOSTILE_FUNCTIONS)
std::int32_t throws(void*, const ClpCall*, ClpResult*, ClpError*) {
  throw std::runtime_error("thrown across the border");
}
std::int32_t throws_number(void*, const ClpCall*, ClpResult*, ClpError*) {
  throw 7;
}
std::int32_t fails(void*, const ClpCall*, ClpResult*, ClpError* error) {
  std::memset(error->message, 'x', sizeof(error->message));  // Without an end.
  return 1;
}
std::int32_t text_for_number(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  for (std::int64_t row = 0; row < call->rows; ++row) result->set_text(result, row, "a", 1);
  return 0;
}
std::int32_t text_too_far(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  return result->set_text(result, call->rows, "a", 1);
}
std::int32_t text_below_zero(void*, const ClpCall*, ClpResult* result, ClpError*) {
  result->set_text(result, 0, "a", -1);
  return 0;
}
std::int32_t same_row(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  for (std::int64_t row = 0; row < call->rows; ++row) result->set_text(result, 0, "a", 1);
  return 0;
}
std::int32_t no_text(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  for (std::int64_t row = 0; row < call->rows; ++row) result->set_text(result, row, "\xff", 1);
  return 0;
}
std::int32_t null_answer(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  std::memset(result->nulls, 1, static_cast<std::size_t>(call->rows));
  result->answered = call->rows;
  return 0;
}
std::int32_t no_boolean(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  std::memset(result->values, 9, static_cast<std::size_t>(call->rows));
  result->answered = call->rows;
  return 0;
}
std::int32_t no_time(void*, const ClpCall* call, ClpResult* result, ClpError*) {
  std::memset(result->values, 0xff, sizeof(std::int32_t) * static_cast<std::size_t>(call->rows));
  result->answered = call->rows;
  return 0;
}
std::int32_t not_opened(void**, ClpError* error) {
  std::strcpy(error->message, "not today");
  return 1;
}

const ClpFunction* functions(std::int32_t& count) {
  static ClpFunction kFunctions[] = {
      scalar("throws", CLP_BIGINT, throws),
      scalar("throws_number", CLP_BIGINT, throws_number),
      scalar("fails", CLP_BIGINT, fails),
      scalar("silent", CLP_BIGINT, answer_nothing),
      scalar("text_for_number", CLP_BIGINT, text_for_number),
      scalar("text_too_far", CLP_STRING, text_too_far),
      scalar("text_below_zero", CLP_STRING, text_below_zero),
      scalar("same_row", CLP_STRING, same_row),
      scalar("no_text", CLP_STRING, no_text),
      scalar("null_answer", CLP_BIGINT, null_answer),
      scalar("no_boolean", CLP_BOOLEAN, no_boolean),
      scalar("no_time", CLP_TIME, no_time),
      scalar("not_opened", CLP_BIGINT, answer_nothing),
  };
  ClpFunction& last = kFunctions[sizeof(kFunctions) / sizeof(kFunctions[0]) - 1];
  last.open = not_opened;
  last.close = [](void*) {};
  count = sizeof(kFunctions) / sizeof(kFunctions[0]);
  return kFunctions;
}
#elif defined(HOSTILE_TWICE)
const ClpFunction* functions(std::int32_t& count) {
  static const ClpFunction kFunctions[] = {scalar("f", CLP_BIGINT, answer_nothing),
                                           scalar("f", CLP_BIGINT, answer_nothing)};
  count = 2;
  return kFunctions;
}
#elif defined(HOSTILE_DECIMAL)
const ClpFunction* functions(std::int32_t& count) {
  static ClpFunction kFunction = scalar("f", CLP_DECIMAL, answer_nothing);
  kFunction.result.precision = 39;
  count = 1;
  return &kFunction;
}
#else
[[maybe_unused]] const ClpFunction* functions(std::int32_t& count) {
  static const ClpFunction kFunction = scalar("f", CLP_BIGINT, answer_nothing);
  count = 1;
  return &kFunction;
}
#endif

}  // namespace

#if defined(HOSTILE_UNRESOLVED)
extern "C" void clepsydra_nobody_has_this(void);
#endif

#if !defined(HOSTILE_MISSING)
extern "C" __attribute__((visibility("default"))) const ClpFunctionLibrary*
clepsydra_function_library(void) {
#if defined(HOSTILE_THROWS)
  throw std::runtime_error("no");
#elif defined(HOSTILE_NOTHING)
  return nullptr;
#else
#if defined(HOSTILE_UNRESOLVED)
  clepsydra_nobody_has_this();
#endif
  static ClpFunctionLibrary kLibrary{};
  kLibrary.abi_version = CLP_FUNCTION_ABI_VERSION;
#if defined(HOSTILE_VERSION)
  kLibrary.abi_version = 7;
#endif
  kLibrary.function_bytes = sizeof(ClpFunction);
  kLibrary.functions = functions(kLibrary.function_count);
  return &kLibrary;
#endif
}
#endif
