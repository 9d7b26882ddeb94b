// From the times of a stream to the scale on which windows lie, and back.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/time_zone.h"

namespace clepsydra {

// Windows over TIMESTAMP lie on that column's own scale. Windows over TIMESTAMP_LTZ and processing
// time lie on the local time of a zone: a day is what the calendar says, and windows_start prints
// as its clock shows. Where clocks are put forward, windows in between stay empty; where they are
// put back, a window takes in the repeated hour and closes after it.
class WindowTime {
 public:
  // An empty zone: the scale is that of the instants themselves.
  static Result<WindowTime> make(const std::string& zone);

  // Stands for NULL and for times that have no window.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

  // The times of all rows of a TIMESTAMP or TIMESTAMP_LTZ column.
  void convert(const Column& column, std::int64_t* times) const;
  [[nodiscard]] std::int64_t of_instant(std::int64_t instant_ms) const;
  // The end of the last window that has closed at a watermark: a window closes when no later
  // instant falls into it.
  [[nodiscard]] std::int64_t closed_until(std::int64_t watermark) const;
  // The first instant from which on no instant is before `time`.
  [[nodiscard]] std::int64_t passed_instant(std::int64_t time) const;
  // The instant of a time: the earlier of two; where clocks skip it, as far after the gap as it is
  // in it.
  [[nodiscard]] std::int64_t to_instant(std::int64_t time) const;

 private:
  TimeZonePtr zone_;  // Null: none.
};

}  // namespace clepsydra
