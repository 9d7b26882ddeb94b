#include "stream/type_codec.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// Types nest as deep as the tree that carries them, and columns as deep as their type; value_tree
// bounds trees from outside, this bounds the recursion for trees built in this process.
constexpr int kDepthMax = 60;

Status bad_type(std::string_view what) {
  return Status::invalid_argument(fmt::format("cannot read a data type from a plan: {}", what));
}

Status bad_value(const DataType& type, std::string_view what) {
  return Status::invalid_argument(
      fmt::format("cannot read a value of type {} from a plan: {}", type.to_string(), what));
}

Result<int> int_between(const ValueTree& tree, std::string_view key, std::int64_t min,
                        std::int64_t max) {
  CLP_ASSIGN_OR_RETURN(const std::int64_t value, tree.get_int(key));
  if (value < min || value > max) {
    return bad_type(fmt::format("'{}' is {}, expected {} to {}", key, value, min, max));
  }
  return static_cast<int>(value);
}

Result<DataType> type_from_tree(const ValueTree& tree, int depth);

Result<std::vector<Field>> fields_from_tree(const ValueTree& tree, int depth) {
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, tree.get_list("fields"));
  std::vector<Field> fields;
  fields.reserve(list.size());
  for (const ValueTree& item : list) {
    CLP_ASSIGN_OR_RETURN(const ValueTree type_tree, item.get("type"));
    CLP_ASSIGN_OR_RETURN(DataType type, type_from_tree(type_tree, depth + 1));
    fields.push_back(
        {item.get_string_or("name", ""), std::move(type), item.get_string_or("comment", "")});
  }
  return fields;
}

Result<DataType> nested_from_tree(TypeKind kind, const ValueTree& tree, int depth) {
  CLP_ASSIGN_OR_RETURN(std::vector<Field> fields, fields_from_tree(tree, depth));
  if (kind == TypeKind::kRow) return DataType::row(std::move(fields));
  if (kind == TypeKind::kStructured) {
    CLP_ASSIGN_OR_RETURN(std::string class_name, tree.get_string("class"));
    return DataType::structured(std::move(class_name), std::move(fields));
  }
  const std::size_t expected = kind == TypeKind::kMap ? 2 : 1;
  if (fields.size() != expected) {
    return bad_type(
        fmt::format("a collection with {} parts, expected {}", fields.size(), expected));
  }
  if (kind == TypeKind::kArray) return DataType::array(std::move(fields[0].type));
  if (kind == TypeKind::kMultiset) return DataType::multiset(std::move(fields[0].type));
  return DataType::map(std::move(fields[0].type), std::move(fields[1].type));
}

Result<DataType> type_of_kind(TypeKind kind, const ValueTree& tree, int depth) {
  switch (kind) {
    case TypeKind::kNull:
      return DataType::null();
    case TypeKind::kBoolean:
      return DataType::boolean();
    case TypeKind::kTinyInt:
      return DataType::tiny_int();
    case TypeKind::kSmallInt:
      return DataType::small_int();
    case TypeKind::kInteger:
      return DataType::integer();
    case TypeKind::kBigInt:
      return DataType::big_int();
    case TypeKind::kFloat:
      return DataType::float_();
    case TypeKind::kDouble:
      return DataType::double_();
    case TypeKind::kDate:
      return DataType::date();
    case TypeKind::kDescriptor:
      return DataType::descriptor();
    case TypeKind::kVariant:
      return DataType::variant();
    case TypeKind::kDecimal: {
      CLP_ASSIGN_OR_RETURN(const int precision,
                           int_between(tree, "precision", 1, kMaxDecimalPrecision));
      CLP_ASSIGN_OR_RETURN(const int scale, int_between(tree, "scale", 0, precision));
      return DataType::decimal(precision, scale);
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary: {
      CLP_ASSIGN_OR_RETURN(const int length, int_between(tree, "precision", 0, kMaxLength));
      if (kind == TypeKind::kChar) return DataType::char_(length);
      if (kind == TypeKind::kVarchar) return DataType::varchar(length);
      if (kind == TypeKind::kBinary) return DataType::binary(length);
      return DataType::varbinary(length);
    }
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      CLP_ASSIGN_OR_RETURN(const int digits,
                           int_between(tree, "precision", 0, kMaxTimestampPrecision));
      if (kind == TypeKind::kTime) return DataType::time(digits);
      if (kind == TypeKind::kTimestamp) return DataType::timestamp(digits);
      return DataType::timestamp_ltz(digits);
    }
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime: {
      CLP_ASSIGN_OR_RETURN(std::string qualifier, tree.get_string("qualifier"));
      if (kind == TypeKind::kIntervalYearMonth)
        return DataType::interval_year_month(std::move(qualifier));
      return DataType::interval_day_time(std::move(qualifier));
    }
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return nested_from_tree(kind, tree, depth);
  }
  return bad_type(fmt::format("unknown kind {}", static_cast<int>(kind)));
}

Result<DataType> type_from_tree(const ValueTree& tree, int depth) {
  if (depth > kDepthMax) return bad_type(fmt::format("nested more than {} deep", kDepthMax));
  CLP_ASSIGN_OR_RETURN(const std::int64_t kind, tree.get_int("kind"));
  if (kind < 0 || kind > static_cast<std::int64_t>(TypeKind::kStructured)) {
    return bad_type(fmt::format("unknown kind {}", kind));
  }
  CLP_ASSIGN_OR_RETURN(DataType type, type_of_kind(static_cast<TypeKind>(kind), tree, depth));
  type = type.with_nullable(!tree.get_bool_or("not_null", false));
  const std::int64_t attribute = tree.get_int_or("time_attribute", 0);
  if (attribute < 0 || attribute > static_cast<std::int64_t>(TimeAttribute::kProctime)) {
    return bad_type(fmt::format("unknown time attribute {}", attribute));
  }
  if (attribute != 0) type = type.with_time_attribute(static_cast<TimeAttribute>(attribute));
  return type;
}

template <typename T>
ValueTree integer_at(const Column& column, std::int64_t row) {
  return ValueTree(static_cast<std::int64_t>(column.values<T>()[row]));
}

ValueTree value_at(const Column& column, std::int64_t row) {
  if (column.is_null(row)) return {};
  switch (column.type().physical()) {
    case PhysicalType::kNone:
      return {};
    case PhysicalType::kBool8:
      return ValueTree(column.values<std::uint8_t>()[row] != 0);
    case PhysicalType::kInt8:
      return integer_at<std::int8_t>(column, row);
    case PhysicalType::kInt16:
      return integer_at<std::int16_t>(column, row);
    case PhysicalType::kInt32:
      return integer_at<std::int32_t>(column, row);
    case PhysicalType::kInt64:
      return integer_at<std::int64_t>(column, row);
    case PhysicalType::kFloat:
      return ValueTree(static_cast<double>(column.values<float>()[row]));
    case PhysicalType::kDouble:
      return ValueTree(column.values<double>()[row]);
    case PhysicalType::kInt128:
      return ValueTree(std::string_view(
          reinterpret_cast<const char*>(column.values<Int128>() + row), sizeof(Int128)));
    case PhysicalType::kView:
      return ValueTree(column.string_at(row));
    case PhysicalType::kList:
    case PhysicalType::kMap: {
      const auto* offsets = column.values<std::int32_t>();
      ValueTree list = ValueTree::list();
      for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        for (const Column& child : column.data().children) list.add(value_at(child, i));
      }
      return list;
    }
    case PhysicalType::kStruct: {
      ValueTree list = ValueTree::list();
      for (const Column& child : column.data().children) list.add(value_at(child, row));
      return list;
    }
  }
  return {};
}

template <typename T>
Status append_integer(const ValueTree& value, ColumnBuilder& builder) {
  const std::int64_t* number = value.as_int();
  if (number == nullptr || *number < std::numeric_limits<T>::min() ||
      *number > std::numeric_limits<T>::max()) {
    return bad_value(builder.type(), fmt::format("found {}", value.to_string()));
  }
  builder.append<T>(static_cast<T>(*number));
  return Status::ok();
}

Status append_value(const ValueTree& value, ColumnBuilder& builder);

// `parts` builders take the items of the list in turn: one for ARRAY, two for MAP.
Status append_list(const ValueTree& value, int parts, ColumnBuilder& builder) {
  const ValueTree::List* items = value.as_list();
  if (items == nullptr || items->size() % static_cast<std::size_t>(parts) != 0) {
    return bad_value(builder.type(), "expected a list of its elements");
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    ColumnBuilder& child = builder.child(static_cast<int>(i) % parts);
    CLP_RETURN_IF_ERROR(append_value((*items)[i], child));
  }
  builder.close_list();
  return Status::ok();
}

Status append_struct(const ValueTree& value, ColumnBuilder& builder) {
  const ValueTree::List* items = value.as_list();
  if (items == nullptr || items->size() != builder.type().fields().size()) {
    return bad_value(builder.type(), "expected a list of its fields");
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    CLP_RETURN_IF_ERROR(append_value((*items)[i], builder.child(static_cast<int>(i))));
  }
  builder.close_struct();
  return Status::ok();
}

Status append_value(const ValueTree& value, ColumnBuilder& builder) {
  if (value.is_null()) {
    builder.append_null();
    return Status::ok();
  }
  switch (builder.type().physical()) {
    case PhysicalType::kNone:
      return bad_value(builder.type(), "only NULL has this type");
    case PhysicalType::kBool8:
      if (value.as_bool() == nullptr) return bad_value(builder.type(), "expected true or false");
      builder.append<std::uint8_t>(*value.as_bool() ? 1 : 0);
      return Status::ok();
    case PhysicalType::kInt8:
      return append_integer<std::int8_t>(value, builder);
    case PhysicalType::kInt16:
      return append_integer<std::int16_t>(value, builder);
    case PhysicalType::kInt32:
      return append_integer<std::int32_t>(value, builder);
    case PhysicalType::kInt64:
      return append_integer<std::int64_t>(value, builder);
    case PhysicalType::kFloat:
    case PhysicalType::kDouble:
      if (value.as_double() == nullptr)
        return bad_value(builder.type(), "expected a floating number");
      if (builder.type().physical() == PhysicalType::kFloat) {
        builder.append<float>(static_cast<float>(*value.as_double()));
      } else {
        builder.append<double>(*value.as_double());
      }
      return Status::ok();
    case PhysicalType::kInt128: {
      const std::string* bytes = value.as_string();
      if (bytes == nullptr || bytes->size() != sizeof(Int128)) {
        return bad_value(builder.type(), "expected 16 bytes");
      }
      Int128 number = 0;
      std::memcpy(&number, bytes->data(), sizeof(number));
      builder.append<Int128>(number);
      return Status::ok();
    }
    case PhysicalType::kView:
      if (value.as_string() == nullptr) return bad_value(builder.type(), "expected text");
      builder.append_string(*value.as_string());
      return Status::ok();
    case PhysicalType::kList:
      return append_list(value, 1, builder);
    case PhysicalType::kMap:
      return append_list(value, 2, builder);
    case PhysicalType::kStruct:
      return append_struct(value, builder);
  }
  return bad_value(builder.type(), "unknown layout");
}

}  // namespace

ValueTree type_to_tree(const DataType& type) {
  ValueTree tree = ValueTree::map();
  tree.set("kind", static_cast<int>(type.kind()));
  if (!type.nullable()) tree.set("not_null", true);
  switch (type.kind()) {
    case TypeKind::kDecimal:
      tree.set("precision", type.precision());
      tree.set("scale", type.scale());
      break;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      tree.set("precision", type.precision());
      break;
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      tree.set("qualifier", type.interval_qualifier());
      break;
    case TypeKind::kStructured:
      tree.set("class", type.class_name());
      break;
    default:
      break;
  }
  if (type.time_attribute() != TimeAttribute::kNone) {
    tree.set("time_attribute", static_cast<int>(type.time_attribute()));
  }
  if (type.is_nested()) tree.set("fields", schema_to_tree(Schema(type.fields())));
  return tree;
}

Result<DataType> type_from_tree(const ValueTree& tree) {
  return type_from_tree(tree, 0);
}

ValueTree schema_to_tree(const Schema& schema) {
  ValueTree list = ValueTree::list();
  for (const Field& field : schema.fields()) {
    ValueTree item = ValueTree::map();
    item.set("name", field.name);
    item.set("type", type_to_tree(field.type));
    if (!field.comment.empty()) item.set("comment", field.comment);
    list.add(std::move(item));
  }
  return list;
}

Result<SchemaPtr> schema_from_tree(const ValueTree& tree) {
  if (tree.as_list() == nullptr) {
    return Status::invalid_argument("cannot read a schema from a plan: expected a list of columns");
  }
  ValueTree holder = ValueTree::map();
  holder.set("fields", tree);
  CLP_ASSIGN_OR_RETURN(std::vector<Field> fields, fields_from_tree(holder, 0));
  return make_schema(std::move(fields));
}

ValueTree column_to_tree(const Column& column) {
  ValueTree values = ValueTree::list();
  for (std::int64_t row = 0; row < column.length(); ++row) values.add(value_at(column, row));
  ValueTree tree = ValueTree::map();
  tree.set("type", type_to_tree(column.type()));
  tree.set("values", std::move(values));
  return tree;
}

Result<Column> column_from_tree(const ValueTree& tree, MemoryPool& pool) {
  CLP_ASSIGN_OR_RETURN(const ValueTree type_tree, tree.get("type"));
  CLP_ASSIGN_OR_RETURN(DataType type, type_from_tree(type_tree));
  const ValueTree* values = tree.find("values");
  if (values == nullptr || values->as_list() == nullptr) {
    return Status::invalid_argument("cannot read a column from a plan: expected a list 'values'");
  }
  ColumnBuilder builder(std::move(type), pool);
  for (const ValueTree& value : *values->as_list()) {
    CLP_RETURN_IF_ERROR(append_value(value, builder));
  }
  return builder.finish();
}

}  // namespace clepsydra
