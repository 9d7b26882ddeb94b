// Checks for our own bugs, and the macros that hand a Status upwards. User input, files and peers
// never reach CLP_CHECK: it aborts the process.
#pragma once

#include <string_view>
#include <utility>

#include "clepsydra/status.h"

#define CLP_CHECK(condition)                                                           \
  do {                                                                                 \
    if (!(condition)) [[unlikely]]                                                     \
      ::clepsydra::internal::die(__FILE__, __LINE__, "check failed: " #condition, {}); \
  } while (false)

// `detail` is evaluated only on failure; anything convertible to string_view.
#define CLP_CHECK_MSG(condition, detail)                                                     \
  do {                                                                                       \
    if (!(condition)) [[unlikely]]                                                           \
      ::clepsydra::internal::die(__FILE__, __LINE__, "check failed: " #condition, (detail)); \
  } while (false)

#define CLP_RETURN_IF_ERROR(expression)            \
  do {                                             \
    ::clepsydra::Status clp_status = (expression); \
    if (!clp_status.is_ok()) [[unlikely]]          \
      return clp_status;                           \
  } while (false)

#define CLP_CONCAT_INNER(a, b) a##b
#define CLP_CONCAT(a, b) CLP_CONCAT_INNER(a, b)
// NOLINTBEGIN(bugprone-macro-parentheses): names and declarations cannot stand in parentheses.
#define CLP_ASSIGN_OR_RETURN_INNER(name, declaration, expression) \
  auto name = (expression);                                       \
  if (!name.is_ok()) [[unlikely]]                                 \
    return name.status();                                         \
  declaration = *std::move(name)
// NOLINTEND(bugprone-macro-parentheses)
// CLP_ASSIGN_OR_RETURN(const int n, parse(text));
#define CLP_ASSIGN_OR_RETURN(declaration, ...) \
  CLP_ASSIGN_OR_RETURN_INNER(CLP_CONCAT(clp_result_, __LINE__), declaration, (__VA_ARGS__))
