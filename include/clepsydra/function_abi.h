/// The C interface between the engine and a shared library of functions, version 1.
///
/// Write functions with `clepsydra/user_function.h`, which makes all of this from plain C++
/// functions; this header is for libraries in other languages, and says exactly what both sides
/// rely on.
///
/// A library exports one function, `const ClpFunctionLibrary* clepsydra_function_library(void)`.
/// What it answers, and everything it points to, must stay as it is while the process lives.
/// Numbers, structs and their order never change within a version; a later one adds fields at the
/// ends.
///
/// Threads: the functions of a library are called by several threads at once, but one instance
/// (what open() made) by one thread at a time. Everything that a call gets is valid until it
/// returns. Errors: functions answer 0 when all is well; otherwise they have written a message, in
/// UTF-8 and ended by a zero, into the ClpError. No exception should leave a function; one that
/// does fails the call.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLP_FUNCTION_ABI_VERSION 1

/// The SQL type of an argument or result, and how its values lie in memory.
enum ClpTypeKind {
  CLP_BOOLEAN = 1,     ///< uint8_t, 0 or 1
  CLP_TINYINT = 2,     ///< int8_t
  CLP_SMALLINT = 3,    ///< int16_t
  CLP_INT = 4,         ///< int32_t
  CLP_BIGINT = 5,      ///< int64_t
  CLP_FLOAT = 6,       ///< float
  CLP_DOUBLE = 7,      ///< double
  CLP_DECIMAL = 8,     ///< 16 bytes at a 16-byte boundary: the digits as a little-endian integer
  CLP_STRING = 10,     ///< ClpText, UTF-8
  CLP_BYTES = 12,      ///< ClpText
  CLP_DATE = 13,       ///< int32_t: days since 1970-01-01
  CLP_TIME = 14,       ///< int32_t: milliseconds of the day
  CLP_TIMESTAMP = 15,  ///< int64_t: with precision 3 milliseconds since 1970-01-01, 6 microseconds
  CLP_TIMESTAMP_LTZ = 16,  ///< as CLP_TIMESTAMP
};

typedef struct ClpType {
  int32_t kind;       ///< ClpTypeKind
  int32_t precision;  ///< DECIMAL: 1 to 38 digits. TIMESTAMP, TIMESTAMP_LTZ: 3 or 6. Else 0.
  int32_t scale;      ///< DECIMAL: 0 to precision. Else 0.
} ClpType;

typedef struct ClpText {
  const char* data;
  int64_t size;
} ClpText;

typedef struct ClpError {
  char message[1024];
} ClpError;

/// One argument for all rows of a call.
typedef struct ClpColumn {
  const void* values;    ///< One per row, as its type says. Under a NULL anything.
  const uint8_t* nulls;  ///< One byte per row, 1 for NULL; a null pointer when no row is NULL.
} ClpColumn;

typedef struct ClpCall {
  int64_t rows;
  int32_t argument_count;
  const ClpColumn* arguments;
} ClpCall;

/// Where the answers of a call go: one per row, in any order.
typedef struct ClpResult {
  int64_t rows;
  void* values;      ///< Types of a fixed width: one per row, to be filled. Texts: a null pointer.
  uint8_t* nulls;    ///< One byte per row, all 0: set 1 for NULL.
  int64_t answered;  ///< How many rows have been answered. Must be `rows` in the end.
  /// Texts: copies the bytes as the answer of `row` and counts it. Not 0: the call has failed, give
  /// up.
  int32_t (*set_text)(struct ClpResult* result, int64_t row, const char* data, int64_t size);
  void* engine;  ///< The engine's own.
} ClpResult;

enum ClpFunctionKind {
  CLP_SCALAR = 1,
  CLP_TABLE = 2,  ///< Reserved.
  CLP_AGGREGATE = 3,
  CLP_ASYNC_SCALAR = 4,  ///< Called like CLP_SCALAR; works on the rows of a call at the same time.
};

enum ClpFunctionFlags {
  /// The same arguments may give another result: it is called for each row, and never while
  /// planning.
  CLP_NOT_DETERMINISTIC = 1,
};

typedef struct ClpArgument {
  ClpType type;
  int32_t takes_null;  ///< 0: rows in which it is NULL never reach the function (a scalar's result
                       ///< is NULL).
} ClpArgument;

/// One function with one list of argument types. Several may share a name: the first whose types
/// fit a call exactly is used, else the first whose types the arguments convert to.
typedef struct ClpFunction {
  int32_t kind;            ///< ClpFunctionKind
  uint32_t flags;          ///< ClpFunctionFlags
  const char* name;        ///< Letters, digits and '_', at most 100.
  int32_t argument_count;  ///< At most 64.
  const ClpArgument* arguments;
  ClpType result;
  int32_t result_takes_null;  ///< The function itself may answer NULL.

  /// Makes and ends an instance, which the calls below get. Both may be null: then it is a null
  /// pointer.
  int32_t (*open)(void** instance, ClpError* error);
  void (*close)(void* instance);

  /// CLP_SCALAR, CLP_ASYNC_SCALAR: answers all rows of a call.
  int32_t (*call)(void* instance, const ClpCall* call, ClpResult* result, ClpError* error);

  /// CLP_AGGREGATE: an accumulator is `state_bytes` bytes (at most 65536) at an 8-byte boundary. It
  /// is moved, copied, stored in checkpoints and restored by another process as bytes: no pointers
  /// in it.
  int64_t state_bytes;
  int32_t (*start)(void* instance, void* state, ClpError* error);
  /// Adds row i to states[i]. The same accumulator may occur often.
  int32_t (*update)(void* instance, void* const* states, const ClpCall* call, ClpError* error);
  /// Adds from[i] to into[i], in order.
  int32_t (*merge)(void* instance, void* const* into, const void* const* from, int64_t count,
                   ClpError* error);
  /// The results of result->rows accumulators, which stay as they are.
  int32_t (*finish)(void* instance, const void* const* states, ClpResult* result, ClpError* error);
} ClpFunction;

typedef struct ClpFunctionLibrary {
  uint32_t abi_version;     ///< CLP_FUNCTION_ABI_VERSION
  uint32_t function_bytes;  ///< sizeof(ClpFunction)
  int32_t function_count;   ///< At most 10000.
  const ClpFunction* functions;
} ClpFunctionLibrary;

typedef const ClpFunctionLibrary* (*ClpFunctionLibraryEntry)(void);
#define CLP_FUNCTION_LIBRARY_ENTRY "clepsydra_function_library"

#ifdef __cplusplus
}
#endif
