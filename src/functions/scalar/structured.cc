// Values of STRUCTURED types: rows with the name of a class.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"

namespace clepsydra {
namespace {

bool is_name_byte(char c, bool first) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte >= '0' && byte <= '9') || byte == '.') return !first;
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         byte == '$' || byte >= 0x80;
}

// Names with points between, each as in Java.
bool is_class_name(std::string_view name) {
  if (name.empty() || name.ends_with('.')) return false;
  bool first = true;
  for (const char c : name) {
    if (!is_name_byte(c, first)) return false;
    first = c == '.';
  }
  return true;
}

// The names at `first`, `first` + 2, ...: texts that are literals, each once.
Result<std::vector<std::string>> field_names(const CallTyping& call, int first) {
  if ((call.count() - first) % 2 != 0) {
    return Status::invalid_argument("a value is missing behind the last field name");
  }
  std::vector<std::string> names;
  for (int i = first; i < call.count(); i += 2) {
    const std::optional<std::string_view> name = text_value(*call.argument(i));
    if (!name || !call.type(i).is_character()) {
      return Status::invalid_argument(
          fmt::format("the field name at position {} must be a text in quotes", i + 1));
    }
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      return Status::invalid_argument(
          fmt::format("the field name '{}' at position {} is repeated", *name, i + 1));
    }
    names.emplace_back(*name);
  }
  return names;
}

Result<DataType> derive_object_of(CallTyping& call) {
  const std::optional<std::string_view> class_name = text_value(*call.argument(0));
  if (!class_name || !is_class_name(*class_name)) {
    return Status::invalid_argument("the class must be a name in quotes, such as 'com.acme.User'");
  }
  CLP_ASSIGN_OR_RETURN(const std::vector<std::string> names, field_names(call, 1));
  std::vector<Field> fields;
  for (std::size_t i = 0; i < names.size(); ++i) {
    fields.push_back({names[i], call.type(static_cast<int>(2 * i + 2)), ""});
  }
  return DataType::structured(std::string(*class_name), std::move(fields));
}

bool object_kernel(KernelCall& call) {
  std::vector<Column> columns;
  for (std::size_t i = 2; i < call.arguments.size(); i += 2) {
    Result<Column> column = call.argument_column(static_cast<int>(i));
    if (!column.is_ok()) return call.fail(column.status());
    columns.push_back(*std::move(column));
  }
  ColumnData data{.type = call.out.type,
                  .length = call.rows.length,
                  .validity = nullptr,
                  .values = nullptr,
                  .blobs = {},
                  .children = std::move(columns)};
  return call.set_result(Column(std::move(data)));
}

Result<BoundKernel> bind_object_of(const CallBinding& call) {
  const DataType& type = call.call.type();
  bool fits = type.kind() == TypeKind::kStructured &&
              static_cast<std::size_t>(call.count()) == type.fields().size() * 2 + 1;
  for (int i = 2; fits && i < call.count(); i += 2) {
    fits = type.fields()[static_cast<std::size_t>(i / 2 - 1)].type.physical() ==
           call.type(i).physical();
  }
  if (!fits) return no_kernel(call);
  return costly_kernel(object_kernel);
}

// ---- OBJECT_UPDATE ----

int field_index(const DataType& type, std::string_view name) {
  const std::vector<Field>& fields = type.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Result<DataType> derive_object_update(CallTyping& call) {
  const DataType& type = call.type(0);
  if (type.kind() != TypeKind::kStructured) return wrong_types(call);
  CLP_ASSIGN_OR_RETURN(const std::vector<std::string> names, field_names(call, 1));
  std::vector<Field> fields = type.fields();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int at = field_index(type, names[i]);
    if (at < 0) {
      return Status::invalid_argument(
          fmt::format("{} has no field '{}'", type.to_string(), names[i]));
    }
    fields[static_cast<std::size_t>(at)].type = call.type(static_cast<int>(2 * i + 2));
  }
  return DataType::structured(std::string(type.class_name()), std::move(fields));
}

bool update_kernel(KernelCall& call) {
  Result<Column> object = call.argument_column(0);
  if (!object.is_ok()) return call.fail(object.status());
  ColumnData data = object->data();
  data.type = call.out.type;
  const auto& places = site_data<std::vector<int>>(call);
  for (std::size_t i = 0; i < places.size(); ++i) {
    Result<Column> column = call.argument_column(static_cast<int>(2 * i + 2));
    if (!column.is_ok()) return call.fail(column.status());
    data.children[static_cast<std::size_t>(places[i])] = *std::move(column);
  }
  return call.set_result(Column(std::move(data)));
}

Result<BoundKernel> bind_object_update(const CallBinding& call) {
  const DataType& type = call.call.type();
  const DataType& from = call.type(0);
  if (type.kind() != TypeKind::kStructured || from.kind() != TypeKind::kStructured ||
      type.fields().size() != from.fields().size() || call.count() % 2 == 0) {
    return no_kernel(call);
  }
  std::vector<int> places;
  for (int i = 1; i < call.count(); i += 2) {
    const std::optional<std::string_view> name = text_value(*call.call.argument(i));
    const int at = name ? field_index(type, *name) : -1;
    if (at < 0 || type.fields()[static_cast<std::size_t>(at)].type.physical() !=
                      call.type(i + 1).physical()) {
      return no_kernel(call);
    }
    places.push_back(at);
  }
  return BoundKernel{
      .kernel = update_kernel, .site = make_site(std::move(places)), .is_costly = true};
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "OBJECT_OF",
     .arguments_min = 3,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_object_of,
     .bind = bind_object_of,
     .is_strict = false,
     .signature = "OBJECT_OF('class', 'field', value, ...)",
     .description = "A value of a structured type with these fields.",
     .example = "OBJECT_OF('com.acme.User', 'name', 'Bob', 'age', 42)",
     .example_result = "(name=Bob, age=42)"},
    {.name = "OBJECT_UPDATE",
     .arguments_min = 3,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_object_update,
     .bind = bind_object_update,
     .is_strict = false,
     .signature = "OBJECT_UPDATE(object, 'field', value, ...)",
     .description = "The object with other values of these fields; NULL when the object is.",
     .example = "OBJECT_UPDATE(OBJECT_OF('User', 'name', 'Bob', 'age', 42), 'age', 43)",
     .example_result = "(name=Bob, age=43)"},
};

}  // namespace

std::span<const ScalarFunction> structured_functions() {
  return kFunctions;
}

}  // namespace clepsydra
