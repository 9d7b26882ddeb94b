// IS JSON, JSON_EXISTS, JSON_VALUE and JSON_QUERY.
//
// What the clauses of a call say stands in a literal argument behind the path, a letter per clause:
// N (NULL), E (ERROR), D (DEFAULT), A (EMPTY ARRAY), O (EMPTY OBJECT), T, F, U (TRUE, FALSE,
// UNKNOWN).
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/json/json_document.h"
#include "functions/json/json_path.h"
#include "functions/json/json_text.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/scalar/pattern_site.h"
#include "stream/column_builder.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// ---- IS JSON ----

enum class JsonShape : std::uint8_t { kValue, kObject, kArray, kScalar };

bool has_shape(JsonKind kind, JsonShape shape) {
  switch (shape) {
    case JsonShape::kValue:
      return true;
    case JsonShape::kObject:
      return kind == JsonKind::kObject;
    case JsonShape::kArray:
      return kind == JsonKind::kArray;
    case JsonShape::kScalar:
      return kind < JsonKind::kArray;
  }
  return false;
}

struct ParserSite final : CallSite {
  mutable JsonDocument document;
};

template <JsonShape kShape, bool kNegated>
bool is_json_kernel(KernelCall& call) {
  JsonDocument& document = call.site_as<ParserSite>().document;
  auto* out = call.results<std::uint8_t>();
  const Vector& texts = call.argument(0);
  for_each_row(call.rows, [&](std::int32_t row) {
    const bool is_json = !texts.is_null(row) && document.parse(texts.string_at(row)) &&
                         has_shape(document.node(0).kind, kShape);
    out[row] = is_json != kNegated ? 1 : 0;
  });
  return true;
}

template <JsonShape kShape, bool kNegated>
Result<BoundKernel> bind_is_json(const CallBinding&) {
  return BoundKernel{.kernel = is_json_kernel<kShape, kNegated>,
                     .site = std::make_unique<ParserSite>(),
                     .is_costly = true};
}

// ---- Paths ----

// What a path leads to in the document of one row.
struct Lookup {
  enum class Outcome : std::uint8_t {
    kValue,    // One value: `node`.
    kList,     // The values in `matches`, as an array.
    kNothing,  // A lax path leads nowhere, or to null.
    kError,    // See `problem`.
  };
  Outcome outcome = Outcome::kNothing;
  std::int32_t node = 0;
  std::string problem;
};

class QuerySite final : public CallSite {
 public:
  explicit QuerySite(std::string_view clauses) : clauses_(clauses) {}

  [[nodiscard]] char clause(std::size_t i) const { return clauses_[i]; }
  [[nodiscard]] const JsonDocument& document() const { return document_; }
  [[nodiscard]] const std::vector<std::int32_t>& matches() const { return matches_; }

  // False when the path is one that is not built: the call has failed.
  bool find(KernelCall& call, std::int32_t row, Lookup& lookup) const {
    const std::string_view path_text = call.argument(1).string_at(row);
    const JsonPath* path = paths_.get(path_text, {});
    if (path == nullptr) {
      if (paths_.problem().code() == StatusCode::kUnimplemented) return call.fail(paths_.problem());
      return error(lookup, std::string(paths_.problem().message()));
    }
    if (!document_.parse(call.argument(0).string_at(row))) {
      if (!path->is_lax()) return error(lookup, document_.problem());
      lookup.outcome = Lookup::Outcome::kNothing;
      return true;
    }
    switch (path->find(document_, matches_)) {
      case JsonPath::Outcome::kGaveUp:
        return call.fail(row, "the path takes too many steps; write a simpler one");
      case JsonPath::Outcome::kMissing:
        return error(lookup, fmt::format("no results for path \"{}\"", clip(path_text, 64)));
      case JsonPath::Outcome::kFound:
        break;
    }
    lookup.outcome = Lookup::Outcome::kList;
    if (!path->is_definite()) return true;
    const bool is_null = matches_.empty() || document_.node(matches_[0]).kind == JsonKind::kNull;
    lookup.outcome = is_null ? Lookup::Outcome::kNothing : Lookup::Outcome::kValue;
    lookup.node = is_null ? 0 : matches_[0];
    return true;
  }
  [[nodiscard]] bool is_lax(KernelCall& call, std::int32_t row) const {
    const JsonPath* path = paths_.get(call.argument(1).string_at(row), {});
    return path != nullptr && path->is_lax();
  }

 private:
  static bool error(Lookup& lookup, std::string problem) {
    lookup.outcome = Lookup::Outcome::kError;
    lookup.problem = std::move(problem);
    return true;
  }

  const std::string clauses_;
  PatternSite<JsonPath> paths_{JsonPath::compile};
  mutable JsonDocument document_;
  mutable std::vector<std::int32_t> matches_;
};

bool has_input(const KernelCall& call, std::int32_t row) {
  return !call.argument(0).is_null(row) && !call.argument(1).is_null(row);
}

// The first two arguments, and the clauses, which must be `length` of these letters.
Status check_query(const CallTyping& call, std::size_t length) {
  if (!call.type(0).is_character() || !call.type(1).is_character()) return wrong_types(call);
  const std::optional<std::string_view> clauses = text_value(*call.argument(2));
  if (!clauses || clauses->size() != length ||
      clauses->find_first_not_of("NEDAOTFUWCLS") != std::string_view::npos) {
    return wrong_types(call);
  }
  const std::optional<std::string_view> path = text_value(*call.argument(1));
  if (path) {
    const Status compiled = JsonPath::compile(*path).status();
    if (compiled.code() == StatusCode::kUnimplemented) return compiled;
  }
  return Status::ok();
}

void add_default(CallTyping& call, std::string_view clauses) {
  if (call.count() == 2) call.arguments.push_back(text_literal(clauses));
}

// Clauses at the place of the third argument.
template <Kernel kKernel>
Result<BoundKernel> bind_query(const CallBinding& call) {
  const std::optional<std::string_view> clauses = text_value(*call.call.argument(2));
  if (!clauses) return no_kernel(call);
  return BoundKernel{.kernel = kKernel,
                     .site = std::make_unique<QuerySite>(*clauses),
                     .can_fail = true,
                     .is_costly = true};
}

// ---- JSON_EXISTS: clauses "T", "F", "U" or "E" on error ----

Result<DataType> derive_exists(CallTyping& call) {
  add_default(call, "F");
  CLP_RETURN_IF_ERROR(check_query(call, 1));
  return DataType::boolean();
}

bool exists_kernel(KernelCall& call) {
  const auto& site = call.site_as<QuerySite>();
  auto* out = call.results<std::uint8_t>();
  Lookup lookup;
  for (std::int32_t i = 0; i < call.rows.count; ++i) {
    const std::int32_t row = call.rows.is_dense() ? i : call.rows.indices[i];
    out[row] = 0;
    if (!has_input(call, row)) {
      call.set_null(row);
      continue;
    }
    if (!site.find(call, row, lookup)) return false;
    if (lookup.outcome != Lookup::Outcome::kError) {
      out[row] = lookup.outcome == Lookup::Outcome::kNothing ? 0 : 1;
    } else if (site.clause(0) == 'E') {
      return call.fail(row, lookup.problem);
    } else if (site.clause(0) == 'U') {
      call.set_null(row);
    } else {
      out[row] = site.clause(0) == 'T' ? 1 : 0;
    }
  }
  return call.status().is_ok();
}

// ---- JSON_VALUE: clauses on empty, on error; then both defaults, of the result's type ----

Result<DataType> derive_value(CallTyping& call) {
  if (call.count() != 2 && call.count() != 5) return wrong_types(call);
  add_default(call, "NN");
  if (call.count() == 3) {
    call.arguments.push_back(null_literal(DataType::string()));
    call.arguments.push_back(null_literal(DataType::string()));
  }
  CLP_RETURN_IF_ERROR(check_query(call, 2));
  const DataType& type = call.type(3);
  const bool fits = type.kind() == TypeKind::kVarchar || type.kind() == TypeKind::kBoolean ||
                    type.kind() == TypeKind::kInteger || type.kind() == TypeKind::kDouble;
  if (!fits) {
    return Status::invalid_argument(fmt::format(
        "JSON_VALUE does not return {}: only STRING, BOOLEAN, INTEGER and DOUBLE", type.name()));
  }
  if (!type.same_values(call.type(4))) return wrong_types(call);
  return type.with_nullable(true);
}

// How a scalar is written into the result.
class StringResult {
 public:
  explicit StringResult(KernelCall& call) : writer_(call) {}
  // False when the value does not fit the type.
  bool put(std::int32_t row, const JsonNode& value) {
    if (value.kind == JsonKind::kString) return writer_.write(row, value.text);
    text_.clear();
    if (value.kind == JsonKind::kNumber) {
      append_json_number(value.text, text_);
    } else {
      text_ = value.kind == JsonKind::kTrue ? "true" : "false";
    }
    return writer_.write(row, text_);
  }
  void put_default(std::int32_t row, const Vector& value) {
    writer_.write(row, value.string_at(row));
  }
  void clear(std::int32_t row) { writer_.write(row, {}); }

 private:
  TextWriter writer_;
  std::string text_;
};

template <typename T>
class FixedResult {
 public:
  explicit FixedResult(KernelCall& call) : out_(call.results<T>()) {}
  bool put(std::int32_t row, const JsonNode& value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      out_[row] = value.kind == JsonKind::kTrue ? 1 : 0;
      return value.kind == JsonKind::kTrue || value.kind == JsonKind::kFalse;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
      const char* end = value.text.data() + value.text.size();
      const auto [rest, error] = std::from_chars(value.text.data(), end, out_[row]);
      return value.kind == JsonKind::kNumber && error == std::errc() && rest == end;
    } else {
      return value.kind == JsonKind::kNumber && parse_double(value.text, out_[row]);
    }
  }
  void put_default(std::int32_t row, const Vector& value) {
    out_[row] = value.data<T>()[value.index_of(row)];
  }
  void clear(std::int32_t row) { out_[row] = T(); }

 private:
  T* out_;
};

// What ON EMPTY or ON ERROR says; `which` is 0 or 1.
template <typename Out>
bool apply_clause(KernelCall& call, Out& out, std::int32_t row, std::size_t which,
                  std::string problem) {
  const auto& site = call.site_as<QuerySite>();
  const Vector& value = call.argument(static_cast<int>(3 + which));
  if (site.clause(which) == 'E') return call.fail(row, std::move(problem));
  if (site.clause(which) == 'D' && !value.is_null(row)) {
    out.put_default(row, value);
  } else {
    out.clear(row);
    call.set_null(row);
  }
  return call.status().is_ok();
}

template <typename Out>
bool value_row(KernelCall& call, Out& out, std::int32_t row, Lookup& lookup) {
  const auto& site = call.site_as<QuerySite>();
  if (!site.find(call, row, lookup)) return false;
  const bool is_structure =
      lookup.outcome == Lookup::Outcome::kList ||
      (lookup.outcome == Lookup::Outcome::kValue && !site.document().node(lookup.node).is_scalar());
  if (lookup.outcome == Lookup::Outcome::kError) {
    return apply_clause(call, out, row, 1, lookup.problem);
  }
  if (lookup.outcome == Lookup::Outcome::kNothing || (is_structure && site.is_lax(call, row))) {
    return apply_clause(call, out, row, 0, "the path of JSON_VALUE leads to no scalar value");
  }
  if (is_structure) {
    return apply_clause(call, out, row, 1,
                        "the path of JSON_VALUE leads to an array or object, not to a scalar");
  }
  const JsonNode& value = site.document().node(lookup.node);
  if (out.put(row, value)) return true;
  if (!call.status().is_ok()) return false;
  return apply_clause(call, out, row, 1,
                      fmt::format("the JSON value {} is not of type {}", clip(value.text, 64),
                                  call.out.type.name()));
}

template <typename Out>
bool value_kernel(KernelCall& call) {
  Out out(call);
  Lookup lookup;
  for (std::int32_t i = 0; i < call.rows.count; ++i) {
    const std::int32_t row = call.rows.is_dense() ? i : call.rows.indices[i];
    if (!has_input(call, row)) {
      out.clear(row);
      call.set_null(row);
    } else if (!value_row(call, out, row, lookup)) {
      return false;
    }
  }
  return call.status().is_ok();
}

Result<BoundKernel> bind_value(const CallBinding& call) {
  switch (call.call.type().kind()) {
    case TypeKind::kVarchar:
      return bind_query<value_kernel<StringResult>>(call);
    case TypeKind::kBoolean:
      return bind_query<value_kernel<FixedResult<std::uint8_t>>>(call);
    case TypeKind::kInteger:
      return bind_query<value_kernel<FixedResult<std::int32_t>>>(call);
    case TypeKind::kDouble:
      return bind_query<value_kernel<FixedResult<double>>>(call);
    default:
      return no_kernel(call);
  }
}

// ---- JSON_QUERY: clauses wrapper (W without, C conditional, U unconditional), on empty, on error,
// result (S text, L array of texts) ----

Result<DataType> derive_query(CallTyping& call) {
  add_default(call, "WNNS");
  CLP_RETURN_IF_ERROR(check_query(call, 4));
  const std::string_view clauses = *text_value(*call.argument(2));
  return clauses[3] == 'L' ? DataType::array(DataType::string()) : DataType::string();
}

// Where the result of one row goes.
class QueryResult {
 public:
  explicit QueryResult(KernelCall& call)
      : is_list_(call.out.type.kind() == TypeKind::kArray),
        builder_(call.out.type, *call.context.pool) {}

  void null() { builder_.append_null(); }
  void empty_array() { is_list_ ? builder_.close_list() : builder_.append_string("[]"); }
  void empty_object() { is_list_ ? builder_.append_null() : builder_.append_string("{}"); }
  // The matches as an array.
  void list(const JsonDocument& document, const std::vector<std::int32_t>& nodes) {
    text_ = "[";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i > 0) text_ += ',';
      add(document, nodes[i]);
    }
    text_ += ']';
    close();
  }
  void value(const JsonDocument& document, std::int32_t node) {
    text_.clear();
    if (!is_list_) {
      add(document, node);
    } else if (document.node(node).kind == JsonKind::kArray) {
      for (std::int32_t i = node + 1; i < document.node(node).next; i = document.node(i).next) {
        add(document, i);
      }
    } else {
      builder_.append_null();
      return;
    }
    close();
  }
  bool finish(KernelCall& call) { return call.set_result(builder_.finish()); }
  [[nodiscard]] std::int64_t rows() const { return builder_.length(); }

 private:
  void add(const JsonDocument& document, std::int32_t node) {
    if (!is_list_) {
      append_json(document, node, JsonOrder::kAsWritten, text_);
      return;
    }
    const JsonNode& value = document.node(node);
    ColumnBuilder& elements = builder_.child(0);
    if (value.kind == JsonKind::kNull) {
      elements.append_null();
    } else if (value.kind == JsonKind::kString) {
      elements.append_string(value.text);
    } else {
      text_.clear();
      append_json(document, node, JsonOrder::kAsWritten, text_);
      elements.append_string(text_);
    }
  }
  void close() { is_list_ ? builder_.close_list() : builder_.append_string(text_); }

  const bool is_list_;
  ColumnBuilder builder_;
  std::string text_;
};

bool query_clause(KernelCall& call, QueryResult& out, std::int32_t row, std::size_t which,
                  std::string problem) {
  switch (call.site_as<QuerySite>().clause(which)) {
    case 'E':
      return call.fail(row, std::move(problem));
    case 'A':
      out.empty_array();
      return true;
    case 'O':
      out.empty_object();
      return true;
    default:
      out.null();
      return true;
  }
}

bool query_row(KernelCall& call, QueryResult& out, std::int32_t row, Lookup& lookup) {
  const auto& site = call.site_as<QuerySite>();
  if (!site.find(call, row, lookup)) return false;
  const char wrapper = site.clause(0);
  switch (lookup.outcome) {
    case Lookup::Outcome::kError:
      return query_clause(call, out, row, 2, lookup.problem);
    case Lookup::Outcome::kNothing:
      return query_clause(call, out, row, 1, "the path of JSON_QUERY leads to nothing");
    case Lookup::Outcome::kList:
      if (wrapper == 'U') {
        // One more array around the array of all matches.
        std::string text = "[[";
        for (std::size_t i = 0; i < site.matches().size(); ++i) {
          if (i > 0) text += ',';
          append_json(site.document(), site.matches()[i], JsonOrder::kAsWritten, text);
        }
        JsonDocument wrapped;
        CLP_CHECK(wrapped.parse(text + "]]"));
        out.value(wrapped, 0);
      } else {
        out.list(site.document(), site.matches());
      }
      return true;
    case Lookup::Outcome::kValue:
      break;
  }
  const JsonNode& value = site.document().node(lookup.node);
  if (wrapper == 'U' || (wrapper == 'C' && value.kind != JsonKind::kArray)) {
    out.list(site.document(), {lookup.node});
  } else if (!value.is_scalar()) {
    out.value(site.document(), lookup.node);
  } else if (site.is_lax(call, row)) {
    return query_clause(call, out, row, 1, "the path of JSON_QUERY leads to a scalar value");
  } else {
    return query_clause(call, out, row, 2,
                        "the path of JSON_QUERY leads to a scalar, not to an array or object");
  }
  return true;
}

bool query_kernel(KernelCall& call) {
  QueryResult out(call);
  Lookup lookup;
  for (std::int32_t i = 0; i < call.rows.count; ++i) {
    const std::int32_t row = call.rows.is_dense() ? i : call.rows.indices[i];
    while (out.rows() < row) out.null();  // Not asked for.
    if (!has_input(call, row)) {
      out.null();
    } else if (!query_row(call, out, row, lookup)) {
      return false;
    }
  }
  while (out.rows() < call.rows.length) out.null();
  return out.finish(call);
}

template <JsonShape kShape, bool kNegated>
constexpr ScalarFunction is_json_entry(std::string_view name, std::string_view signature,
                                       std::string_view description, std::string_view example,
                                       std::string_view result) {
  return {.name = name,
          .arguments_min = 1,
          .arguments_max = 1,
          .parameters = "STRING",
          .result = "BOOLEAN",
          .bind = bind_is_json<kShape, kNegated>,
          .is_strict = false,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = result};
}

constexpr ScalarFunction kFunctions[] = {
    is_json_entry<JsonShape::kValue, false>("IS JSON VALUE", "text IS JSON [VALUE]",
                                            "Whether the text is JSON; FALSE for NULL.",
                                            "'[1, 2]' IS JSON", "TRUE"),
    is_json_entry<JsonShape::kValue, true>("IS NOT JSON VALUE", "text IS NOT JSON [VALUE]",
                                           "Whether the text is not JSON.", "'a' IS NOT JSON",
                                           "TRUE"),
    is_json_entry<JsonShape::kObject, false>("IS JSON OBJECT", "text IS JSON OBJECT",
                                             "Whether the text is a JSON object.",
                                             "'{}' IS JSON OBJECT", "TRUE"),
    is_json_entry<JsonShape::kObject, true>("IS NOT JSON OBJECT", "text IS NOT JSON OBJECT",
                                            "Whether the text is not a JSON object.",
                                            "'[]' IS NOT JSON OBJECT", "TRUE"),
    is_json_entry<JsonShape::kArray, false>("IS JSON ARRAY", "text IS JSON ARRAY",
                                            "Whether the text is a JSON array.",
                                            "'[]' IS JSON ARRAY", "TRUE"),
    is_json_entry<JsonShape::kArray, true>("IS NOT JSON ARRAY", "text IS NOT JSON ARRAY",
                                           "Whether the text is not a JSON array.",
                                           "'{}' IS NOT JSON ARRAY", "TRUE"),
    is_json_entry<JsonShape::kScalar, false>("IS JSON SCALAR", "text IS JSON SCALAR",
                                             "Whether the text is a JSON string, number, boolean "
                                             "or null.",
                                             "'1' IS JSON SCALAR", "TRUE"),
    is_json_entry<JsonShape::kScalar, true>("IS NOT JSON SCALAR", "text IS NOT JSON SCALAR",
                                            "Whether the text is not a JSON scalar.",
                                            "'[]' IS NOT JSON SCALAR", "TRUE"),
    {.name = "JSON_EXISTS",
     .arguments_min = 2,
     .arguments_max = 3,
     .derive = derive_exists,
     .bind = bind_query<exists_kernel>,
     .is_strict = false,
     .signature = "JSON_EXISTS(text, path [TRUE | FALSE | UNKNOWN | ERROR ON ERROR])",
     .description = "Whether a path leads to a value that is not null.",
     .example = "JSON_EXISTS('{\"a\": [{\"b\": 1}]}', '$.a[0].b')",
     .example_result = "TRUE"},
    {.name = "JSON_VALUE",
     .arguments_min = 2,
     .arguments_max = 5,
     .derive = derive_value,
     .bind = bind_value,
     .is_strict = false,
     .signature = "JSON_VALUE(text, path [RETURNING type] [NULL | ERROR | DEFAULT value ON EMPTY] "
                  "[NULL | ERROR | DEFAULT value ON ERROR])",
     .description = "The scalar that a path leads to, as STRING, BOOLEAN, INTEGER or DOUBLE.",
     .example = "JSON_VALUE('{\"a\": {\"b\": 3}}', '$.a.b' RETURNING INTEGER)",
     .example_result = "3"},
    {.name = "JSON_QUERY",
     .arguments_min = 2,
     .arguments_max = 3,
     .derive = derive_query,
     .bind = bind_query<query_kernel>,
     .is_strict = false,
     .signature = "JSON_QUERY(text, path [RETURNING type] [WITHOUT | WITH [CONDITIONAL | "
                  "UNCONDITIONAL] ARRAY WRAPPER] [NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR ON "
                  "EMPTY] [... ON ERROR])",
     .description = "The array or object that a path leads to, as STRING or ARRAY<STRING>.",
     .example = "JSON_QUERY('{\"a\": [{\"c\": 1}, {\"c\": 2}]}', 'lax $.a[*].c')",
     .example_result = "[1,2]"},
};

}  // namespace

std::span<const ScalarFunction> json_query_functions() {
  return kFunctions;
}

}  // namespace clepsydra
