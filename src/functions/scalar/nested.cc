// ROW, ARRAY and MAP: making them and reaching into them.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/scalar/variant.h"
#include "functions/type_rules.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

// `column` with NULL also where `valid` (null: nowhere) has a 0.
Result<Column> with_nulls(const Column& column, const std::uint8_t* valid, MemoryPool& pool) {
  if (valid == nullptr) return column;
  const std::int64_t bytes = bitmap_bytes(column.length());
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> bits, allocate_buffer(pool, bytes));
  std::uint8_t* to = bits->mutable_data();
  const std::uint8_t* own = column.validity();
  for (std::int64_t i = 0; i < bytes; ++i) {
    to[i] = static_cast<std::uint8_t>(valid[i] & (own != nullptr ? own[i] : 0xFF));
  }
  ColumnData data = column.data();
  data.null_count = data.length - count_set_bits(to, 0, data.length);
  data.validity = std::move(bits);
  return Column(std::move(data));
}

// ---- row.field ----

Result<DataType> derive_field(CallTyping& call) {
  const std::optional<std::int64_t> index = integer_value(*call.argument(1));
  if (call.type(0).physical() != PhysicalType::kStruct || !index) return wrong_types(call);
  const std::vector<Field>& fields = call.type(0).fields();
  if (*index < 0 || *index >= static_cast<std::int64_t>(fields.size())) {
    return Status::invalid_argument(
        fmt::format("a row of {} fields has no field {}", fields.size(), *index));
  }
  const DataType& type = fields[static_cast<std::size_t>(*index)].type;
  return type.with_nullable(type.nullable() || call.type(0).nullable());
}

bool field_kernel(KernelCall& call) {
  const Vector& row = call.argument(0);
  const Column& child = row.column.child(site_data<int>(call));
  return call.set_result(with_nulls(child, row.validity, *call.context.pool));
}

Result<BoundKernel> bind_field(const CallBinding& call) {
  const std::optional<std::int64_t> index = integer_value(*call.call.argument(1));
  if (call.type(0).physical() != PhysicalType::kStruct || !index || *index < 0 ||
      *index >= static_cast<std::int64_t>(call.type(0).fields().size()) ||
      call.type(0).fields()[static_cast<std::size_t>(*index)].type.physical() !=
          call.call.type().physical()) {
    return no_kernel(call);
  }
  return BoundKernel{.kernel = field_kernel, .site = make_site(static_cast<int>(*index))};
}

// ---- Constructors ----

Result<std::vector<Column>> argument_columns(const KernelCall& call) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(Column column, call.argument_column(static_cast<int>(i)));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<DataType> derive_row(CallTyping& call) {
  std::vector<Field> fields;
  for (int i = 0; i < call.count(); ++i) {
    fields.push_back({fmt::format("EXPR${}", i), call.type(i), ""});
  }
  return DataType::row(std::move(fields)).with_nullable(false);
}

bool row_kernel(KernelCall& call) {
  Result<std::vector<Column>> columns = argument_columns(call);
  if (!columns.is_ok()) return call.fail(columns.status());
  ColumnData data{.type = call.out.type,
                  .length = call.rows.length,
                  .validity = nullptr,
                  .values = nullptr,
                  .blobs = {},
                  .children = *std::move(columns)};
  return call.set_result(Column(std::move(data)));
}

// Casts every `step`-th argument from `first` on to the common type of them.
Result<DataType> derive_elements(CallTyping& call, int first, int step) {
  std::vector<DataType> types;
  for (int i = first; i < call.count(); i += step) types.push_back(call.type(i));
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  if (common.kind() == TypeKind::kNull) {
    return Status::invalid_argument("NULL alone has no type: write CAST(NULL AS type)");
  }
  for (int i = first; i < call.count(); i += step) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  return common;
}

Result<DataType> derive_array(CallTyping& call) {
  CLP_ASSIGN_OR_RETURN(DataType element, derive_elements(call, 0, 1));
  return DataType::array(std::move(element)).with_nullable(false);
}

Result<DataType> derive_map(CallTyping& call) {
  if (call.count() % 2 != 0) {
    return Status::invalid_argument("MAP needs a value for every key");
  }
  CLP_ASSIGN_OR_RETURN(DataType key, derive_elements(call, 0, 2));
  CLP_ASSIGN_OR_RETURN(DataType value, derive_elements(call, 1, 2));
  return DataType::map(std::move(key), std::move(value)).with_nullable(false);
}

// ARRAY: kParts = 1; MAP: 2.
template <int kParts>
bool list_kernel(KernelCall& call) {
  Result<std::vector<Column>> columns = argument_columns(call);
  if (!columns.is_ok()) return call.fail(columns.status());
  ColumnBuilder builder(call.out.type, *call.context.pool);
  std::int32_t next = 0;
  for_each_row(call.rows, [&](std::int32_t row) {
    for (; next < row; ++next) builder.append_null();  // Not asked for.
    for (std::size_t i = 0; i < columns->size(); ++i) {
      builder.child(static_cast<int>(i) % kParts).append_from((*columns)[i], row);
    }
    builder.close_list();
    ++next;
  });
  for (; next < call.rows.length; ++next) builder.append_null();
  return call.set_result(builder.finish());
}

template <Kernel kKernel>
Result<BoundKernel> bind_constructor(const CallBinding& call) {
  const DataType& type = call.call.type();
  bool fits = kKernel == row_kernel ? type.kind() == TypeKind::kRow &&
                                          type.fields().size() == call.call.arguments().size()
                                    : type.kind() == TypeKind::kArray ||
                                          (type.kind() == TypeKind::kMap && call.count() % 2 == 0);
  for (int i = 0; fits && i < call.count(); ++i) {
    const std::size_t field = kKernel == row_kernel
                                  ? static_cast<std::size_t>(i)
                                  : static_cast<std::size_t>(i) % type.fields().size();
    fits = type.fields()[field].type.physical() == call.type(i).physical();
  }
  if (!fits) return no_kernel(call);
  return costly_kernel(kKernel);
}

// ---- Elements ----

Result<DataType> derive_item(CallTyping& call) {
  const DataType& type = call.type(0);
  if (type.kind() == TypeKind::kVariant) return derive_variant_item(call);
  if (type.kind() == TypeKind::kArray && call.type(1).is_integer()) {
    const std::optional<std::int64_t> index = integer_value(*call.argument(1));
    if (index && *index < 1) {
      return Status::invalid_argument(fmt::format("arrays are counted from 1, found {}", *index));
    }
    CLP_RETURN_IF_ERROR(call.coerce(1, DataType::integer()));
    return type.element().with_nullable(true);
  }
  if (type.kind() == TypeKind::kMap && can_cast_implicitly(call.type(1), type.key())) {
    CLP_RETURN_IF_ERROR(call.coerce(1, type.key()));
    return type.value().with_nullable(true);
  }
  return wrong_types(call);
}

// The values at `indices` of `values`, NULL where the index is negative.
Result<Column> pick(const Column& values, std::vector<std::int32_t>& indices, const DataType& type,
                    MemoryPool& pool) {
  const auto count = static_cast<std::int64_t>(indices.size());
  if (values.length() == 0) return make_null_column(type, count, pool);
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> bits,
                       allocate_zeroed_buffer(pool, bitmap_bytes(count)));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int32_t& index = indices[static_cast<std::size_t>(i)];
    if (index >= 0) set_bit(bits->mutable_data(), i);
    if (index < 0) index = 0;
  }
  CLP_ASSIGN_OR_RETURN(const Column picked, gather(values, indices, pool));
  return with_nulls(picked, bits->data(), pool);
}

bool item_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  const bool is_array = source.type.kind() == TypeKind::kArray;
  const auto* offsets = source.column.values<std::int32_t>();
  std::vector<std::int32_t> indices(static_cast<std::size_t>(call.rows.length), -1);
  Result<Column> keys = call.argument_column(1);
  if (!keys.is_ok()) return call.fail(keys.status());
  const bool good = for_each_result(call, [&](std::int32_t row) {
    const std::int32_t at = source.index_of(row);
    std::int32_t& index = indices[static_cast<std::size_t>(row)];
    if (is_array) {
      const std::int64_t wanted = keys->values<std::int32_t>()[row];
      if (wanted >= 1 && wanted <= offsets[at + 1] - offsets[at]) {
        index = static_cast<std::int32_t>(offsets[at] + wanted - 1);
      }
      return true;
    }
    for (std::int32_t i = offsets[at]; i < offsets[at + 1] && index < 0; ++i) {
      if (keys_equal({&source.column.child(0), 1}, i, {&*keys, 1}, row)) index = i;
    }
    return true;
  });
  const Column& values = source.column.child(is_array ? 0 : 1);
  return good && call.set_result(pick(values, indices, call.out.type, *call.context.pool));
}

Result<BoundKernel> bind_item(const CallBinding& call) {
  const DataType& type = call.type(0);
  if (type.kind() == TypeKind::kVariant) return bind_variant_item(call);
  const bool is_array =
      type.kind() == TypeKind::kArray && call.type(1).kind() == TypeKind::kInteger;
  const bool is_map = type.kind() == TypeKind::kMap && type.key().same_values(call.type(1));
  if (!is_array && !is_map) return no_kernel(call);
  return costly_kernel(item_kernel);
}

Result<DataType> derive_cardinality(CallTyping& call) {
  const TypeKind kind = call.type(0).kind();
  if (kind != TypeKind::kArray && kind != TypeKind::kMap && kind != TypeKind::kMultiset) {
    return wrong_types(call);
  }
  return call.strict(DataType::integer());
}

bool cardinality_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  const auto* offsets = source.column.values<std::int32_t>();
  auto* out = call.results<std::int32_t>();
  return for_each_result(call, [&](std::int32_t row) {
    const std::int32_t at = source.index_of(row);
    out[row] = offsets[at + 1] - offsets[at];
    return true;
  });
}

Result<BoundKernel> bind_cardinality(const CallBinding& call) {
  const PhysicalType physical = call.type(0).physical();
  if (physical != PhysicalType::kList && physical != PhysicalType::kMap) return no_kernel(call);
  return plain_kernel(cardinality_kernel);
}

Result<DataType> derive_element(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray) return wrong_types(call);
  const DataType& element = call.type(0).element();
  return element.with_nullable(element.nullable() || call.type(0).nullable());
}

bool element_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  const auto* offsets = source.column.values<std::int32_t>();
  std::vector<std::int32_t> indices(static_cast<std::size_t>(call.rows.length), -1);
  const bool good = for_each_result(call, [&](std::int32_t row) {
    const std::int32_t at = source.index_of(row);
    const std::int32_t count = offsets[at + 1] - offsets[at];
    if (count > 1) return call.fail(row, "ELEMENT of an array with more than one element");
    if (count == 1) indices[static_cast<std::size_t>(row)] = offsets[at];
    return true;
  });
  return good &&
         call.set_result(pick(source.column.child(0), indices, call.out.type, *call.context.pool));
}

Result<BoundKernel> bind_element(const CallBinding& call) {
  if (call.type(0).kind() != TypeKind::kArray) return no_kernel(call);
  return BoundKernel{.kernel = element_kernel, .can_fail = true, .is_costly = true};
}

constexpr int kAny = ScalarFunction::kAnyCount;

constexpr ScalarFunction kFunctions[] = {
    {.name = "FIELD",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_field,
     .bind = bind_field,
     .signature = "row.field",
     .description = "A field of a row; NULL when the row is.",
     .example = "CAST(ROW(1, 'a') AS ROW<x INT, y STRING>).y",
     .example_result = "a"},
    {.name = "ROW",
     .arguments_min = 1,
     .arguments_max = kAny,
     .derive = derive_row,
     .bind = bind_constructor<row_kernel>,
     .is_strict = false,
     .signature = "ROW(value, ...)",
     .description = "A row of the values.",
     .example = "ROW(1, 'a')",
     .example_result = "(1, a)"},
    {.name = "ARRAY",
     .arguments_min = 1,
     .arguments_max = kAny,
     .derive = derive_array,
     .bind = bind_constructor<list_kernel<1>>,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "ARRAY[value, ...]",
     .description = "An array of the values.",
     .example = "ARRAY[1, NULL, 3]",
     .example_result = "[1, NULL, 3]"},
    {.name = "MAP",
     .arguments_min = 2,
     .arguments_max = kAny,
     .derive = derive_map,
     .bind = bind_constructor<list_kernel<2>>,
     .is_strict = false,
     .takes_bare_null = true,
     .signature = "MAP[key, value, ...]",
     .description = "A map of keys and values.",
     .example = "MAP['a', 1, 'b', 2]",
     .example_result = "{a=1, b=2}"},
    {.name = "ITEM",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_item,
     .bind = bind_item,
     .signature = "array[index], map[key], variant[index], variant['key']",
     .description =
         "An element of an array, counted from 1, or the value of a key; else NULL. Of a "
         "VARIANT that is no array or object it is an error.",
     .example = "ARRAY[1, 2, 3][2]",
     .example_result = "2"},
    {.name = "CARDINALITY",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_cardinality,
     .bind = bind_cardinality,
     .signature = "CARDINALITY(array), CARDINALITY(map)",
     .description = "The number of elements.",
     .example = "CARDINALITY(ARRAY[1, 2])",
     .example_result = "2"},
    {.name = "ELEMENT",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_element,
     .bind = bind_element,
     .signature = "ELEMENT(array)",
     .description = "The only element of an array; NULL of an empty one.",
     .example = "ELEMENT(ARRAY[5])",
     .example_result = "5"},
};

}  // namespace

std::span<const ScalarFunction> nested_functions() {
  return kFunctions;
}

}  // namespace clepsydra
