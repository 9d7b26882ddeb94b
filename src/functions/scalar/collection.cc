// Functions over whole arrays and maps.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/elements.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"
#include "stream/value_order.h"

namespace clepsydra {
namespace {

// ---- Types ----

// The first argument is an array and the second fits its elements: cast to their type.
Status check_element(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray) return wrong_types(call);
  const DataType element = call.type(0).element();
  const bool is_null = call.type(1).kind() == TypeKind::kNull;
  if (!is_null && !can_cast_implicitly(call.type(1), element)) return wrong_types(call);
  return call.coerce(1, element.with_nullable(call.type(1).nullable()));
}

Result<DataType> derive_contains(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_element(call));
  return DataType::boolean().with_nullable(call.type(0).nullable());
}

Result<DataType> derive_position(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_element(call));
  return call.strict(DataType::integer());
}

Result<DataType> derive_remove(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_element(call));
  return call.type(0);
}

// APPEND and PREPEND: elements may be NULL where the new one may.
Result<DataType> derive_extended(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_element(call));
  const DataType element = call.type(0).element();
  const bool nullable = element.nullable() || call.type(1).nullable();
  return DataType::array(element.with_nullable(nullable)).with_nullable(call.type(0).nullable());
}

Result<DataType> derive_same_array(CallTyping& call) {
  return call.type(0).kind() == TypeKind::kArray ? Result<DataType>(call.type(0))
                                                 : wrong_types(call);
}

// All arguments are arrays (or maps) of a common type.
Result<DataType> derive_common(CallTyping& call, TypeKind kind) {
  std::vector<DataType> types;
  for (int i = 0; i < call.count(); ++i) {
    if (call.type(i).kind() != kind) return wrong_types(call);
    types.push_back(call.type(i));
  }
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  for (int i = 0; i < call.count(); ++i) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  return common.with_nullable(call.any_nullable());
}

Result<DataType> derive_common_array(CallTyping& call) {
  return derive_common(call, TypeKind::kArray);
}

Result<DataType> derive_common_map(CallTyping& call) {
  return derive_common(call, TypeKind::kMap);
}

Result<DataType> derive_extreme(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray || !has_value_order(call.type(0).element())) {
    return wrong_types(call);
  }
  return call.type(0).element().with_nullable(true);
}

Result<DataType> derive_sort(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray || !has_value_order(call.type(0).element())) {
    return wrong_types(call);
  }
  for (int i = 1; i < call.count(); ++i) {
    if (call.type(i).kind() != TypeKind::kBoolean) return wrong_types(call);
  }
  return call.type(0).with_nullable(call.any_nullable());
}

Result<DataType> derive_slice(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray) return wrong_types(call);
  for (int i = 1; i < call.count(); ++i) {
    if (!call.type(i).is_integer()) return wrong_types(call);
    CLP_RETURN_IF_ERROR(call.coerce(i, DataType::integer()));
  }
  return call.type(0).with_nullable(call.any_nullable());
}

Result<DataType> derive_join(CallTyping& call) {
  bool fits = call.type(0).kind() == TypeKind::kArray && call.type(0).element().is_character();
  for (int i = 1; i < call.count(); ++i) fits = fits && call.type(i).is_character();
  if (!fits) return wrong_types(call);
  return call.strict(DataType::string());
}

Result<DataType> derive_keys(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kMap) return wrong_types(call);
  return call.strict(DataType::array(call.type(0).key()));
}

Result<DataType> derive_values(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kMap) return wrong_types(call);
  return call.strict(DataType::array(call.type(0).value()));
}

Result<DataType> derive_entries(CallTyping& call) {
  const DataType& type = call.type(0);
  if (type.kind() != TypeKind::kMap) return wrong_types(call);
  return call.strict(
      DataType::array(DataType::row({{"key", type.key(), ""}, {"value", type.value(), ""}})));
}

Result<DataType> derive_from_arrays(CallTyping& call) {
  if (call.type(0).kind() != TypeKind::kArray || call.type(1).kind() != TypeKind::kArray) {
    return wrong_types(call);
  }
  return call.strict(DataType::map(call.type(0).element(), call.type(1).element()));
}

// ---- Kernels ----

// The lists of all arguments from the first to `count`.
Result<std::vector<ListArgument>> list_arguments(const KernelCall& call, std::size_t count) {
  std::vector<ListArgument> lists;
  for (std::size_t i = 0; i < count; ++i) {
    CLP_ASSIGN_OR_RETURN(ListArgument list, ListArgument::make(call, static_cast<int>(i)));
    lists.push_back(std::move(list));
  }
  return lists;
}

// An array and one value.
struct ListAndValue {
  ListArgument list;
  Column value;

  static Result<ListAndValue> make(const KernelCall& call) {
    CLP_ASSIGN_OR_RETURN(ListArgument list, ListArgument::make(call, 0));
    CLP_ASSIGN_OR_RETURN(Column value, call.argument_column(1));
    return ListAndValue{std::move(list), std::move(value)};
  }
  // The first element at or after `from` that equals the value; end() without one.
  [[nodiscard]] std::int32_t find(std::int32_t row, std::int32_t from) const {
    while (from < list.end(row) && !equal_elements(list.elements(), from, value, row)) ++from;
    return from;
  }
};

bool contains_kernel(KernelCall& call) {
  const Result<ListAndValue> input = ListAndValue::make(call);
  if (!input.is_ok()) return call.fail(input.status());
  auto* out = call.results<std::uint8_t>();
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = 0;
    if (input->list.is_null(row)) {
      call.set_null(row);
    } else {
      out[row] = input->find(row, input->list.begin(row)) < input->list.end(row) ? 1 : 0;
    }
  });
  return call.status().is_ok();
}

bool position_kernel(KernelCall& call) {
  const Result<ListAndValue> input = ListAndValue::make(call);
  if (!input.is_ok()) return call.fail(input.status());
  auto* out = call.results<std::int32_t>();
  return for_each_result(call, [&](std::int32_t row) {
    const std::int32_t begin = input->list.begin(row);
    const std::int32_t found = input->find(row, begin);
    out[row] = found < input->list.end(row) ? found - begin + 1 : 0;
    return true;
  });
}

bool remove_kernel(KernelCall& call) {
  const Result<ListAndValue> input = ListAndValue::make(call);
  if (!input.is_ok()) return call.fail(input.status());
  const ListArgument& list = input->list;
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    if (list.is_null(row)) {
      builder.append_null();
      return true;
    }
    for (std::int32_t i = list.begin(row); i < list.end(row); ++i) {
      if (!equal_elements(list.elements(), i, input->value, row)) {
        builder.child(0).append_from(list.elements(), i);
      }
    }
    builder.close_list();
    return true;
  });
}

template <bool kInFront>
bool extend_kernel(KernelCall& call) {
  const Result<ListAndValue> input = ListAndValue::make(call);
  if (!input.is_ok()) return call.fail(input.status());
  const ListArgument& list = input->list;
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    if (list.is_null(row)) {
      builder.append_null();
      return true;
    }
    if (kInFront) builder.child(0).append_from(input->value, row);
    builder.child(0).append_range(list.elements(), list.begin(row),
                                  list.end(row) - list.begin(row));
    if (!kInFront) builder.child(0).append_from(input->value, row);
    builder.close_list();
    return true;
  });
}

bool concat_kernel(KernelCall& call) {
  const Result<std::vector<ListArgument>> lists = list_arguments(call, call.arguments.size());
  if (!lists.is_ok()) return call.fail(lists.status());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    for (const ListArgument& list : *lists) {
      builder.child(0).append_range(list.elements(), list.begin(row),
                                    list.end(row) - list.begin(row));
    }
    builder.close_list();
    return true;
  });
}

bool reverse_kernel(KernelCall& call) {
  const Result<ListArgument> list = ListArgument::make(call, 0);
  if (!list.is_ok()) return call.fail(list.status());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    for (std::int32_t i = list->end(row); i-- > list->begin(row);) {
      builder.child(0).append_from(list->elements(), i);
    }
    builder.close_list();
    return true;
  });
}

// What two arrays have, each element once, in the order of the first (union: then the second).
enum class SetOperation : std::uint8_t { kDistinct, kUnion, kIntersect, kExcept };

template <SetOperation kOperation>
bool set_kernel(KernelCall& call) {
  constexpr bool kTwo = kOperation != SetOperation::kDistinct;
  const Result<std::vector<ListArgument>> lists = list_arguments(call, kTwo ? 2 : 1);
  if (!lists.is_ok()) return call.fail(lists.status());
  ElementSet seen;
  ElementSet others;
  for (const ListArgument& list : *lists) seen.add_column(list.elements());
  for (const ListArgument& list : *lists) others.add_column(list.elements());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    std::int64_t count = 0;
    for (const ListArgument& list : *lists) count += list.end(row) - list.begin(row);
    seen.clear(count);
    if (kOperation == SetOperation::kIntersect || kOperation == SetOperation::kExcept) {
      const ListArgument& second = lists->back();
      others.clear(second.end(row) - second.begin(row));
      for (std::int32_t i = second.begin(row); i < second.end(row); ++i) others.insert(1, i);
    }
    const int takes = kOperation == SetOperation::kUnion ? 2 : 1;
    for (int from = 0; from < takes; ++from) {
      const ListArgument& list = (*lists)[static_cast<std::size_t>(from)];
      for (std::int32_t i = list.begin(row); i < list.end(row); ++i) {
        if (kOperation == SetOperation::kIntersect && !others.contains(0, i)) continue;
        if (kOperation == SetOperation::kExcept && others.contains(0, i)) continue;
        if (seen.insert(from, i)) builder.child(0).append_from(list.elements(), i);
      }
    }
    builder.close_list();
    return true;
  });
}

template <bool kLargest>
bool extreme_kernel(KernelCall& call) {
  const Result<ListArgument> list = ListArgument::make(call, 0);
  if (!list.is_ok()) return call.fail(list.status());
  const Column& elements = list->elements();
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    std::int32_t best = -1;
    for (std::int32_t i = list->begin(row); i < list->end(row); ++i) {
      if (elements.is_null(i)) continue;
      const int order = best < 0 ? 0 : compare_values(elements, i, elements, best);
      if (best < 0 || (kLargest ? order > 0 : order < 0)) best = i;
    }
    if (best < 0) {
      builder.append_null();
    } else {
      builder.append_from(elements, best);
    }
    return true;
  });
}

bool sort_kernel(KernelCall& call) {
  const Result<ListArgument> list = ListArgument::make(call, 0);
  if (!list.is_ok()) return call.fail(list.status());
  const Column& elements = list->elements();
  const auto flag = [&](int argument, std::int32_t row, bool otherwise) {
    if (static_cast<std::size_t>(argument) >= call.arguments.size()) return otherwise;
    const Vector& value = call.argument(argument);
    return value.data<std::uint8_t>()[value.index_of(row)] != 0;
  };
  std::vector<std::int32_t> order;
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    const bool ascending = flag(1, row, true);
    const bool nulls_first = flag(2, row, ascending);
    order.clear();
    for (std::int32_t i = list->begin(row); i < list->end(row); ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      if (elements.is_null(a) || elements.is_null(b)) {
        return elements.is_null(a) != elements.is_null(b) && elements.is_null(a) == nulls_first;
      }
      const int compared = compare_values(elements, a, elements, b);
      return ascending ? compared < 0 : compared > 0;
    });
    for (const std::int32_t i : order) builder.child(0).append_from(elements, i);
    builder.close_list();
    return true;
  });
}

// Both ends count, from 1; below 0 from the end; 0 is the beginning.
bool slice_kernel(KernelCall& call) {
  const Result<ListArgument> list = ListArgument::make(call, 0);
  if (!list.is_ok()) return call.fail(list.status());
  const auto bound = [&](int argument, std::int32_t row, std::int64_t size) {
    const Vector& value = call.argument(argument);
    const std::int64_t written = value.data<std::int32_t>()[value.index_of(row)];
    if (written < 0) return written + size + 1;
    return argument == 1 ? std::max<std::int64_t>(written, 1) : written;
  };
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    const std::int64_t size = list->end(row) - list->begin(row);
    const std::int64_t from = std::max<std::int64_t>(bound(1, row, size), 1);
    const std::int64_t to = std::min(call.arguments.size() > 2 ? bound(2, row, size) : size, size);
    if (from <= to) {
      builder.child(0).append_range(list->elements(), list->begin(row) + from - 1, to - from + 1);
    }
    builder.close_list();
    return true;
  });
}

bool join_kernel(KernelCall& call) {
  const Result<ListArgument> list = ListArgument::make(call, 0);
  if (!list.is_ok()) return call.fail(list.status());
  const Column& elements = list->elements();
  const bool has_null_text = call.arguments.size() > 2;
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text.clear();
    bool first = true;
    for (std::int32_t i = list->begin(row); i < list->end(row); ++i) {
      if (elements.is_null(i) && !has_null_text) continue;
      if (!first) text += call.argument(1).string_at(row);
      first = false;
      text += elements.is_null(i) ? call.argument(2).string_at(row) : elements.string_at(i);
    }
    return writer.write(row, text);
  });
}

// Keys (0) or values (1) of a map as an array.
template <int kPart>
bool part_kernel(KernelCall& call) {
  const Result<ListArgument> map = ListArgument::make(call, 0);
  if (!map.is_ok()) return call.fail(map.status());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    builder.child(0).append_range(map->column.child(kPart), map->begin(row),
                                  map->end(row) - map->begin(row));
    builder.close_list();
    return true;
  });
}

bool entries_kernel(KernelCall& call) {
  const Result<ListArgument> map = ListArgument::make(call, 0);
  if (!map.is_ok()) return call.fail(map.status());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    ColumnBuilder& entries = builder.child(0);
    for (std::int32_t i = map->begin(row); i < map->end(row); ++i) {
      entries.child(0).append_from(map->elements(), i);
      entries.child(1).append_from(map->values(), i);
      entries.close_struct();
    }
    builder.close_list();
    return true;
  });
}

bool from_arrays_kernel(KernelCall& call) {
  const Result<std::vector<ListArgument>> lists = list_arguments(call, 2);
  if (!lists.is_ok()) return call.fail(lists.status());
  const ListArgument& keys = (*lists)[0];
  const ListArgument& values = (*lists)[1];
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    const std::int32_t count = keys.end(row) - keys.begin(row);
    if (count != values.end(row) - values.begin(row)) {
      return call.fail(row, fmt::format("MAP_FROM_ARRAYS of {} keys and {} values", count,
                                        values.end(row) - values.begin(row)));
    }
    builder.child(0).append_range(keys.elements(), keys.begin(row), count);
    builder.child(1).append_range(values.elements(), values.begin(row), count);
    builder.close_list();
    return true;
  });
}

// Each key once, with the value of the last map that has it.
bool union_maps_kernel(KernelCall& call) {
  const Result<std::vector<ListArgument>> maps = list_arguments(call, call.arguments.size());
  if (!maps.is_ok()) return call.fail(maps.status());
  ElementSet seen;
  for (const ListArgument& map : *maps) seen.add_column(map.elements());
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    std::int64_t count = 0;
    for (const ListArgument& map : *maps) count += map.end(row) - map.begin(row);
    seen.clear(count);
    for (std::size_t from = maps->size(); from-- > 0;) {
      const ListArgument& map = (*maps)[from];
      for (std::int32_t i = map.end(row); i-- > map.begin(row);) {
        if (!seen.insert(static_cast<int>(from), i)) continue;
        builder.child(0).append_from(map.elements(), i);
        builder.child(1).append_from(map.values(), i);
      }
    }
    builder.close_list();
    return true;
  });
}

template <Kernel kKernel>
Result<BoundKernel> bind_list(const CallBinding& call) {
  const PhysicalType physical = call.type(0).physical();
  if (physical != PhysicalType::kList && physical != PhysicalType::kMap) return no_kernel(call);
  return BoundKernel{
      .kernel = kKernel, .can_fail = kKernel == from_arrays_kernel, .is_costly = true};
}

// An array and a value of the type of its elements.
template <Kernel kKernel>
Result<BoundKernel> bind_element(const CallBinding& call) {
  if (call.type(0).kind() != TypeKind::kArray ||
      call.type(0).element().physical() != call.type(1).physical()) {
    return no_kernel(call);
  }
  return costly_kernel(kKernel);
}

constexpr ScalarFunction entry(std::string_view name, int count_min, int count_max,
                               Result<DataType> (*derive)(CallTyping&),
                               Result<BoundKernel> (*bind)(const CallBinding&),
                               std::string_view signature, std::string_view description,
                               std::string_view example, std::string_view example_result) {
  return {.name = name,
          .arguments_min = count_min,
          .arguments_max = count_max,
          .derive = derive,
          .bind = bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

// The value beside the array may be NULL.
constexpr ScalarFunction with_null_value(ScalarFunction function) {
  function.is_strict = false;
  function.takes_bare_null = true;
  return function;
}

constexpr int kAny = ScalarFunction::kAnyCount;

constexpr ScalarFunction kFunctions[] = {
    with_null_value(entry("ARRAY_APPEND", 2, 2, derive_extended, bind_element<extend_kernel<false>>,
                          "ARRAY_APPEND(array, element)", "The array with one more at its end.",
                          "ARRAY_APPEND(ARRAY[1, 2], 3)", "[1, 2, 3]")),
    with_null_value(entry("ARRAY_PREPEND", 2, 2, derive_extended, bind_element<extend_kernel<true>>,
                          "ARRAY_PREPEND(array, element)", "The array with one more in front.",
                          "ARRAY_PREPEND(ARRAY[1, 2], 0)", "[0, 1, 2]")),
    entry("ARRAY_CONCAT", 1, kAny, derive_common_array, bind_list<concat_kernel>,
          "ARRAY_CONCAT(array, ...)", "All elements, one array after the other.",
          "ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3])", "[1, 2, 3]"),
    with_null_value(entry("ARRAY_CONTAINS", 2, 2, derive_contains, bind_element<contains_kernel>,
                          "ARRAY_CONTAINS(array, element)",
                          "Whether an element equals the value; NULL equals NULL.",
                          "ARRAY_CONTAINS(ARRAY[1, 2], 2)", "TRUE")),
    entry("ARRAY_DISTINCT", 1, 1, derive_same_array, bind_list<set_kernel<SetOperation::kDistinct>>,
          "ARRAY_DISTINCT(array)", "Each element once, in the order of its first place.",
          "ARRAY_DISTINCT(ARRAY[1, 2, 1])", "[1, 2]"),
    entry("ARRAY_EXCEPT", 2, 2, derive_common_array, bind_list<set_kernel<SetOperation::kExcept>>,
          "ARRAY_EXCEPT(array, other)", "What the other array does not have, each once.",
          "ARRAY_EXCEPT(ARRAY[1, 2, 2], ARRAY[1])", "[2]"),
    entry("ARRAY_INTERSECT", 2, 2, derive_common_array,
          bind_list<set_kernel<SetOperation::kIntersect>>, "ARRAY_INTERSECT(array, other)",
          "What both arrays have, each once, in the order of the first.",
          "ARRAY_INTERSECT(ARRAY[1, 2, 2], ARRAY[2, 3])", "[2]"),
    entry("ARRAY_UNION", 2, 2, derive_common_array, bind_list<set_kernel<SetOperation::kUnion>>,
          "ARRAY_UNION(array, other)", "What either array has, each once.",
          "ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]"),
    entry("ARRAY_JOIN", 2, 3, derive_join, bind_list<join_kernel>,
          "ARRAY_JOIN(array, delimiter [, null_text])",
          "The texts in one; NULL elements are left out, or written as null_text.",
          "ARRAY_JOIN(ARRAY['a', 'b'], '-')", "a-b"),
    entry("ARRAY_MAX", 1, 1, derive_extreme, bind_list<extreme_kernel<true>>, "ARRAY_MAX(array)",
          "The largest element; NULL elements do not count.", "ARRAY_MAX(ARRAY[1, 3, 2])", "3"),
    entry("ARRAY_MIN", 1, 1, derive_extreme, bind_list<extreme_kernel<false>>, "ARRAY_MIN(array)",
          "The smallest element; NULL elements do not count.", "ARRAY_MIN(ARRAY[2, 1, 3])", "1"),
    entry("ARRAY_POSITION", 2, 2, derive_position, bind_element<position_kernel>,
          "ARRAY_POSITION(array, element)", "Where the element is first, from 1; 0 if nowhere.",
          "ARRAY_POSITION(ARRAY[4, 5], 5)", "2"),
    with_null_value(entry("ARRAY_REMOVE", 2, 2, derive_remove, bind_element<remove_kernel>,
                          "ARRAY_REMOVE(array, element)", "The array without such elements.",
                          "ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]")),
    entry("ARRAY_REVERSE", 1, 1, derive_same_array, bind_list<reverse_kernel>,
          "ARRAY_REVERSE(array)", "The elements from the last to the first.",
          "ARRAY_REVERSE(ARRAY[1, 2])", "[2, 1]"),
    entry("ARRAY_SLICE", 2, 3, derive_slice, bind_list<slice_kernel>,
          "ARRAY_SLICE(array, from [, to])",
          "The elements from one place to another, counted from 1, or from the end with -1.",
          "ARRAY_SLICE(ARRAY[1, 2, 3], 2, 3)", "[2, 3]"),
    entry("ARRAY_SORT", 1, 3, derive_sort, bind_list<sort_kernel>,
          "ARRAY_SORT(array [, ascending [, nulls_first]])",
          "The elements in order; NULLs come first unless it is descending.",
          "ARRAY_SORT(ARRAY[3, 1, 2], FALSE)", "[3, 2, 1]"),
    entry("MAP_KEYS", 1, 1, derive_keys, bind_list<part_kernel<0>>, "MAP_KEYS(map)",
          "The keys as an array.", "MAP_KEYS(MAP['a', 1, 'b', 2])", "[a, b]"),
    entry("MAP_VALUES", 1, 1, derive_values, bind_list<part_kernel<1>>, "MAP_VALUES(map)",
          "The values as an array.", "MAP_VALUES(MAP['a', 1, 'b', 2])", "[1, 2]"),
    entry("MAP_ENTRIES", 1, 1, derive_entries, bind_list<entries_kernel>, "MAP_ENTRIES(map)",
          "The entries as an array of rows of key and value.", "MAP_ENTRIES(MAP['a', 1])",
          "[(a, 1)]"),
    entry("MAP_FROM_ARRAYS", 2, 2, derive_from_arrays, bind_list<from_arrays_kernel>,
          "MAP_FROM_ARRAYS(keys, values)", "A map of keys and values, which are as many.",
          "MAP_FROM_ARRAYS(ARRAY['a'], ARRAY[1])", "{a=1}"),
    entry("MAP_UNION", 1, kAny, derive_common_map, bind_list<union_maps_kernel>,
          "MAP_UNION(map, ...)", "One map of all; of equal keys the last value counts.",
          "MAP_UNION(MAP['a', 1], MAP['a', 2])", "{a=2}"),
};

}  // namespace

std::span<const ScalarFunction> collection_functions() {
  return kFunctions;
}

}  // namespace clepsydra
