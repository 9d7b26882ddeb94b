// What a built-in scalar function is: one entry of its family's table. See README.md for how to add
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "functions/expression_program.h"
#include "functions/vector.h"
#include "stream/data_type.h"

namespace clepsydra {

// ---- Types: while planning ----

// A call whose types are being settled. Functions may replace arguments (coercions, defaults).
struct CallTyping {
  std::string_view name;
  std::vector<ExpressionPtr> arguments;

  [[nodiscard]] int count() const { return static_cast<int>(arguments.size()); }
  [[nodiscard]] const DataType& type(int i) const {
    return arguments[static_cast<std::size_t>(i)]->type();
  }
  [[nodiscard]] const ExpressionPtr& argument(int i) const {
    return arguments[static_cast<std::size_t>(i)];
  }
  void set_argument(int i, ExpressionPtr value) {
    arguments[static_cast<std::size_t>(i)] = std::move(value);
  }
  [[nodiscard]] bool any_nullable() const;
  // `type` with the nullability of a function that is NULL exactly when an argument is.
  [[nodiscard]] DataType strict(const DataType& result) const {
    return result.with_nullable(any_nullable());
  }
  // Casts argument i when it has another type (nullability is kept). Requires that the cast exists.
  Status coerce(int i, const DataType& target);
};

// ---- Values: at run time ----

// What a function works out once per place in a program: a compiled pattern, a parsed format, a
// unit.
class CallSite {
 public:
  virtual ~CallSite() = default;
};

class KernelCall;
// Computes call.rows of call.out. On failure it has called fail() and answers false.
using Kernel = bool (*)(KernelCall& call);

struct BoundKernel {
  Kernel kernel = nullptr;
  std::unique_ptr<CallSite> site = nullptr;
  // It may fail for some values: then it sees only rows that need the result and, when strict, only
  // arguments that are not NULL.
  bool can_fail = false;
  // Worth skipping rows that do not need the result (strings, patterns). Those that are neither may
  // be computed for rows that nobody asked for.
  bool is_costly = false;
};

// What is known of a call when its kernel is chosen.
struct CallBinding {
  const Expression& call;
  const EvaluationContext& context;
  // arguments()[i] computes the same as arguments()[0]: x = x.
  bool same_arguments = false;

  [[nodiscard]] const DataType& type(int i) const { return call.argument(i)->type(); }
  [[nodiscard]] int count() const { return static_cast<int>(call.arguments().size()); }
};

// The memory that a register writes its values to; used again for the next batch unless it was
// given away.
struct ResultBuffers {
  std::shared_ptr<MutableBuffer> values;
  std::shared_ptr<MutableBuffer> validity;
  std::shared_ptr<MutableBuffer> blob;
  std::int64_t blob_bytes_expected = 0;  // What the last batch took.
};

class KernelCall {
 public:
  Rows rows;
  std::span<const Vector* const> arguments;
  Vector& out;
  const CallSite* site = nullptr;
  const EvaluationContext& context;

  KernelCall(Rows to_compute, std::span<const Vector* const> inputs, Vector& output,
             const CallSite* call_site, const EvaluationContext& evaluation, ResultBuffers& buffers)
      : rows(to_compute),
        arguments(inputs),
        out(output),
        site(call_site),
        context(evaluation),
        buffers_(buffers) {}

  [[nodiscard]] const Vector& argument(int i) const {
    return *arguments[static_cast<std::size_t>(i)];
  }
  template <typename T>
  [[nodiscard]] const T& site_as() const {
    return static_cast<const T&>(*site);
  }
  // The result's values, long enough for every row; allocated before the kernel runs (not for
  // nested types).
  template <typename T>
  [[nodiscard]] T* results() {
    return reinterpret_cast<T*>(buffers_.values->mutable_data());
  }
  // Allocates what results() gives and points the result at it. Done before a kernel runs, but for
  // nested types.
  bool allocate_results();
  // The result is NULL where one of the arguments is. All arguments that are constant must have a
  // value.
  bool combine_validity();
  // Makes the result of `row` NULL. A failed allocation is remembered and fails the call.
  void set_null(std::int32_t row);
  // A bitmap of all 1 (or what the arguments gave) to write freely; null after a failed allocation.
  std::uint8_t* mutable_validity();
  // The result is this column (nested types, shared values); false when it is an error.
  bool set_result(const Result<Column>& column);

  // The result is argument `i` as it is, shared.
  bool share_argument(int i);
  // Argument `i` as a column with one value per row; rows that are not computed may be anything.
  Result<Column> argument_column(int i) const;

  bool fail(std::int32_t row, std::string message);
  bool fail(Status status);
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] std::int32_t failed_row() const { return failed_row_; }

 private:
  friend class TextWriter;
  bool ensure(std::shared_ptr<MutableBuffer>& buffer, std::int64_t bytes);

  ResultBuffers& buffers_;
  Status status_;
  std::int32_t failed_row_ = -1;
};

// Writes the texts of a kView result: bytes go to a blob, short ones into the view.
class TextWriter {
 public:
  explicit TextWriter(KernelCall& call);
  ~TextWriter();
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;

  // Room for up to `bytes` bytes to write the next text in, until commit(); null (and the call has
  // failed) when there is none.
  char* reserve(std::int64_t bytes);
  // The first `bytes` bytes of what reserve() gave are the text of `row`.
  void commit(std::int32_t row, std::int64_t bytes);
  // A copy of `text`.
  bool write(std::int32_t row, std::string_view text);

 private:
  void close_blob();

  KernelCall& call_;
  StringView16* views_;
  char* block_ = nullptr;
  std::int64_t size_ = 0;
  std::int64_t capacity_ = 0;
};

// Makes results that are parts of argument `source`'s texts, without copying them.
class TextSharer {
 public:
  TextSharer(KernelCall& call, const Vector& source);
  // `part` lies inside source.string_at(row).
  void share(std::int32_t row, std::string_view part) {
    const auto bytes = static_cast<std::int32_t>(part.size());
    if (bytes <= StringView16::kInlineMax) {
      views_[row] = inline_view(part);
      return;
    }
    const StringView16& whole = source_.data<StringView16>()[source_.index_of(row)];
    const char* base = source_.blob_bases[static_cast<std::size_t>(whole.ref.blob)];
    views_[row] =
        StringView16::make_ref(part, whole.ref.blob, static_cast<std::int32_t>(part.data() - base));
  }

 private:
  const Vector& source_;
  StringView16* views_;
};

// ---- The table entry ----

enum class Volatility : std::uint8_t {
  kPure,      // The same arguments give the same result: may be folded and shared.
  kPerBatch,  // Reads the clock: one value per batch.
  kPerRow,    // Another value for every row: RAND, UUID.
};

struct ScalarFunction {
  std::string_view name;  // Canonical: "SUBSTRING", "+", "IS NULL".
  int arguments_min = 0;
  int arguments_max = 0;  // kAnyCount: no limit.
  // The types, when a list of them says all there is to say: parameters separated by blanks,
  // optional ones in brackets, "..." after the last when it repeats. STRING, BYTES, INT, BIGINT,
  // DOUBLE (any number), NUMERIC, BOOLEAN, DATE, TIMESTAMP (either kind), ARRAY, MAP, ANY.
  // Arguments are cast to INT, BIGINT and DOUBLE.
  std::string_view parameters = {};
  // "INT", "CHAR(40)", ...; "$1": the first argument's type; "VARYING $1": VARCHAR of its length.
  // NULL when an argument is; with "?" at the end it may always be NULL.
  std::string_view result = {};
  // Instead of these: settles the types, coerces arguments and answers the result type.
  // InvalidArgument when the types do not fit; the registry then names the signature.
  Result<DataType> (*derive)(CallTyping& call) = nullptr;
  // Chooses the kernel for settled types. InvalidArgument for what derive() would not have let
  // through.
  Result<BoundKernel> (*bind)(const CallBinding& call) = nullptr;
  // NULL exactly when an argument is NULL: handled outside the kernel.
  bool is_strict = true;
  Volatility volatility = Volatility::kPure;
  // EXTRACT_YEAR for EXTRACT(YEAR FROM t): not a name that people write.
  bool is_unit_form = false;
  bool takes_bare_null = false;     // An argument may be NULL without a type.
  std::string_view signature = {};  // "SUBSTRING(text FROM start [FOR length])"
  std::string_view description = {};
  std::string_view example = {};         // A SQL expression ...
  std::string_view example_result = {};  // ... and its value as text.
  // Other spellings, separated by blanks.
  std::string_view aliases = {};

  static constexpr int kAnyCount = 1000;
};

// The function of this exact canonical name, or null.
const ScalarFunction* find_scalar_function(std::string_view canonical_name);
// All of them, in the order of their families.
std::span<const ScalarFunction* const> all_scalar_functions();

// Functions that are documented together.
struct FunctionFamily {
  std::string_view title;
  std::span<const ScalarFunction> (*functions)();
};
std::span<const FunctionFamily> scalar_function_families();

// What the documentation says of an aggregate function.
struct AggregateEntry {
  std::string_view name;
  std::string_view signature;
  std::string_view description;
};
std::span<const AggregateEntry> all_aggregates();

}  // namespace clepsydra
