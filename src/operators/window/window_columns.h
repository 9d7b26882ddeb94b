// The columns window_start, window_end and window_time.
#pragma once

#include <cstdint>

#include "clepsydra/status.h"
#include "operators/window/window_time.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

enum class WindowProperty : std::uint8_t { kStart, kEnd, kTime };

// The value of a property as a TIMESTAMP or TIMESTAMP_LTZ holds it. Start and end of a TIMESTAMP
// are as windows lie; a TIMESTAMP_LTZ is the instant. window_time is the last millisecond of the
// window.
std::int64_t window_property_value(WindowProperty property, std::int64_t window_start,
                                   std::int64_t window_end, const DataType& type,
                                   const WindowTime& time);

// `rows` times the same value.
Result<Column> window_property_column(WindowProperty property, std::int64_t window_start,
                                      std::int64_t window_end, const DataType& type,
                                      const WindowTime& time, std::int64_t rows, MemoryPool& pool);

}  // namespace clepsydra
