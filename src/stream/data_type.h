// SQL data types: what a column holds, how it prints, and how it is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// Values are stored in job graphs and on disk: never renumber.
enum class TypeKind : std::uint8_t {
  kNull = 0,
  kBoolean = 1,
  kTinyInt = 2,
  kSmallInt = 3,
  kInteger = 4,
  kBigInt = 5,
  kFloat = 6,
  kDouble = 7,
  kDecimal = 8,
  kChar = 9,
  kVarchar = 10,
  kBinary = 11,
  kVarbinary = 12,
  kDate = 13,
  kTime = 14,
  kTimestamp = 15,
  kTimestampLtz = 16,
  kIntervalYearMonth = 17,
  kIntervalDayTime = 18,
  kArray = 19,
  kMap = 20,
  kMultiset = 21,
  kRow = 22,
  kDescriptor = 23,  // A DESCRIPTOR(column) argument; exists only while planning.
  kVariant = 24,     // JSON-like: an object, an array or a scalar, whichever each value is.
  kStructured = 25,  // A ROW with the name of a class.
};

// How the values of a type lie in memory (Arrow's layouts; booleans as Arrow's bool8 extension).
enum class PhysicalType : std::uint8_t {
  kNone,   // kNull, kDescriptor: no buffers, every value is NULL
  kBool8,  // one byte, 0 or 1
  kInt8,
  kInt16,
  kInt32,  // also DATE (days since 1970-01-01), TIME (ms of day), INTERVAL YEAR TO MONTH (months)
  kInt64,  // also TIMESTAMP, TIMESTAMP_LTZ (unit by precision), INTERVAL DAY TO SECOND (ms)
  kFloat,
  kDouble,
  kInt128,  // DECIMAL: unscaled value, little endian two's complement
  kView,    // CHAR, VARCHAR (UTF-8), BINARY, VARBINARY: 16-byte views into blobs; VARIANT: so too,
            // its JSON text in the canonical form of functions/json/variant.h
  kList,    // ARRAY: int32 offsets (length + 1), child 0
  kMap,     // MAP, MULTISET: int32 offsets (length + 1), children 0 (keys) and 1 (values; counts)
  kStruct,  // ROW, STRUCTURED: one child per field, each as long as the column
};

// Marks a TIMESTAMP(3)/TIMESTAMP_LTZ(3) column that carries event time or stands for processing
// time.
enum class TimeAttribute : std::uint8_t { kNone = 0, kRowtime = 1, kProctime = 2 };

inline constexpr int kMaxDecimalPrecision = 38;
inline constexpr int kMaxTimestampPrecision = 9;
inline constexpr std::int32_t kMaxLength = 2147483647;  // VARCHAR(kMaxLength) prints as STRING.

struct Field;

// A SQL type with its parameters and nullability. Cheap to copy; equality is by value.
class DataType {
 public:
  DataType() = default;  // The type of a bare NULL.

  static DataType null() { return {}; }
  static DataType boolean() { return DataType(TypeKind::kBoolean); }
  static DataType tiny_int() { return DataType(TypeKind::kTinyInt); }
  static DataType small_int() { return DataType(TypeKind::kSmallInt); }
  static DataType integer() { return DataType(TypeKind::kInteger); }
  static DataType big_int() { return DataType(TypeKind::kBigInt); }
  static DataType float_() { return DataType(TypeKind::kFloat); }
  static DataType double_() { return DataType(TypeKind::kDouble); }
  static DataType decimal(int precision, int scale);
  static DataType char_(std::int32_t length);
  static DataType varchar(std::int32_t length);
  static DataType string() { return varchar(kMaxLength); }
  static DataType binary(std::int32_t length);
  static DataType varbinary(std::int32_t length);
  static DataType bytes() { return varbinary(kMaxLength); }
  static DataType date() { return DataType(TypeKind::kDate); }
  static DataType time(int precision);
  static DataType timestamp(int precision);
  static DataType timestamp_ltz(int precision);
  // The printed form keeps the qualifier ("INTERVAL SECOND(3)"); the value does not depend on it.
  static DataType interval_year_month(std::string qualifier = "YEAR TO MONTH");
  static DataType interval_day_time(std::string qualifier = "DAY TO SECOND(3)");
  static DataType array(DataType element);
  static DataType map(DataType key, DataType value);
  static DataType multiset(DataType element);
  static DataType row(std::vector<Field> fields);
  static DataType variant() { return DataType(TypeKind::kVariant); }
  static DataType structured(std::string class_name, std::vector<Field> fields);
  static DataType descriptor() { return DataType(TypeKind::kDescriptor); }

  [[nodiscard]] TypeKind kind() const { return kind_; }
  [[nodiscard]] PhysicalType physical() const;
  [[nodiscard]] bool nullable() const { return nullable_; }
  // Digits of DECIMAL; fraction digits of TIME and TIMESTAMP.
  [[nodiscard]] int precision() const { return precision_; }
  [[nodiscard]] int scale() const { return scale_; }
  // Characters of CHAR/VARCHAR, bytes of BINARY/VARBINARY.
  [[nodiscard]] std::int32_t length() const { return precision_; }
  [[nodiscard]] TimeAttribute time_attribute() const { return time_attribute_; }
  // ARRAY, MULTISET: the element; MAP: key, value; ROW, STRUCTURED: the fields.
  [[nodiscard]] const std::vector<Field>& fields() const;
  [[nodiscard]] const DataType& element() const;
  [[nodiscard]] const DataType& key() const;
  [[nodiscard]] const DataType& value() const;
  [[nodiscard]] std::string_view interval_qualifier() const;
  [[nodiscard]] std::string_view class_name() const;  // Of STRUCTURED.
  // The columns in which values are stored: as fields(), but MULTISET has a second one, the INT
  // counts.
  [[nodiscard]] int child_count() const;
  [[nodiscard]] DataType child_type(int i) const;

  [[nodiscard]] DataType with_nullable(bool nullable) const;
  [[nodiscard]] DataType with_time_attribute(TimeAttribute attribute) const;

  [[nodiscard]] bool is_character() const {
    return kind_ == TypeKind::kChar || kind_ == TypeKind::kVarchar;
  }
  [[nodiscard]] bool is_binary() const {
    return kind_ == TypeKind::kBinary || kind_ == TypeKind::kVarbinary;
  }
  [[nodiscard]] bool is_integer() const {
    return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kBigInt;
  }
  [[nodiscard]] bool is_numeric() const {
    return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kDecimal;
  }
  [[nodiscard]] bool is_timestamp() const {
    return kind_ == TypeKind::kTimestamp || kind_ == TypeKind::kTimestampLtz;
  }
  [[nodiscard]] bool is_nested() const {
    return (kind_ >= TypeKind::kArray && kind_ <= TypeKind::kRow) || kind_ == TypeKind::kStructured;
  }
  // Bytes per value of the fixed-width layouts (kView: 16); 0 for kNone, kList, kMap, kStruct.
  [[nodiscard]] int fixed_width() const;

  // As the reference's asSummaryString: "DECIMAL(10, 2) NOT NULL", "TIMESTAMP(3) *ROWTIME*",
  // "STRING", "ROW<`a` INT, `b` STRING>".
  [[nodiscard]] std::string to_string() const;
  // Without nullability and time attribute at the top: what CAST needs.
  [[nodiscard]] std::string name() const;

  friend bool operator==(const DataType& a, const DataType& b);
  // Equal but for nullability, time attribute and interval qualifier, at every level.
  [[nodiscard]] bool same_values(const DataType& other) const;

 private:
  explicit DataType(TypeKind kind) : kind_(kind) {}

  TypeKind kind_ = TypeKind::kNull;
  bool nullable_ = true;
  TimeAttribute time_attribute_ = TimeAttribute::kNone;
  std::int8_t scale_ = 0;
  std::int32_t precision_ = 0;
  // Shared: types are copied into every column and expression. Immutable.
  std::shared_ptr<const std::vector<Field>> fields_;
  std::shared_ptr<const std::string> qualifier_;  // Of an interval; the class of STRUCTURED.
};

struct Field {
  std::string name;
  DataType type;
  std::string comment;  // Of a ROW field or table column; not part of the type's identity.
  friend bool operator==(const Field& a, const Field& b) {
    return a.name == b.name && a.type == b.type;
  }
};

// Fraction digits -> ticks per second of the 64-bit storage: 0 -> 1, 1..3 -> 1'000,
// 4..6 -> 1'000'000, 7..9 -> 1'000'000'000.
std::int64_t timestamp_ticks_per_second(int precision);
// Storage ticks of a TIMESTAMP(precision) to epoch milliseconds (floor) and back (saturating).
std::int64_t timestamp_to_millis(std::int64_t ticks, int precision);
std::int64_t timestamp_from_millis(std::int64_t millis, int precision);

// The columns of a batch or table, in order. Names need not be unique.
class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] int size() const { return static_cast<int>(fields_.size()); }
  [[nodiscard]] const Field& field(int i) const { return fields_[static_cast<std::size_t>(i)]; }
  // The index of the first column with this exact name, or -1.
  [[nodiscard]] int find(std::string_view name) const;
  // "(a INT, b STRING)"
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Schema& a, const Schema& b) { return a.fields_ == b.fields_; }

 private:
  std::vector<Field> fields_;
};
using SchemaPtr = std::shared_ptr<const Schema>;  // Shared by every batch of a stream; immutable.
inline SchemaPtr make_schema(std::vector<Field> fields) {
  return std::make_shared<const Schema>(std::move(fields));
}

}  // namespace clepsydra
