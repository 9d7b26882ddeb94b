#include "operators/window/window_columns.h"

#include "stream/column_builder.h"

namespace clepsydra {

std::int64_t window_property_value(WindowProperty property, std::int64_t window_start,
                                   std::int64_t window_end, const DataType& type,
                                   const WindowTime& time) {
  std::int64_t value = property == WindowProperty::kStart ? window_start
                       : property == WindowProperty::kEnd ? window_end
                                                          : window_end - 1;
  if (type.kind() == TypeKind::kTimestampLtz) value = time.to_instant(value);
  return timestamp_from_millis(value, type.precision());
}

Result<Column> window_property_column(WindowProperty property, std::int64_t window_start,
                                      std::int64_t window_end, const DataType& type,
                                      const WindowTime& time, std::int64_t rows, MemoryPool& pool) {
  const std::int64_t value = window_property_value(property, window_start, window_end, type, time);
  ColumnBuilder builder(type, pool);
  builder.reserve(rows);
  for (std::int64_t i = 0; i < rows; ++i) builder.append(value);
  return builder.finish();
}

}  // namespace clepsydra
