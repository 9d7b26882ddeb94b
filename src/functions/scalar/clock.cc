// The functions that read the clock: all rows of a batch get the same time; and CURRENT_WATERMARK.
#include "base/clock.h"

#include <fmt/format.h>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/session_zone.h"
#include "functions/time_units.h"

namespace clepsydra {
namespace {

enum class Moment : std::uint8_t { kInstant, kLocalTimestamp, kDate, kTime, kSeconds };

template <Moment kMoment>
bool now_kernel(KernelCall& call) {
  if (call.context.clock == nullptr) {
    return call.fail(Status::internal("an expression reads the clock where there is none"));
  }
  const std::int64_t now = call.context.clock->now_ms();
  const std::int64_t local = ticks_to_local(call.context.session_zone, now, 3);
  if constexpr (kMoment == Moment::kInstant) {
    *call.results<std::int64_t>() = now;
  } else if constexpr (kMoment == Moment::kLocalTimestamp) {
    *call.results<std::int64_t>() = local;
  } else if constexpr (kMoment == Moment::kDate) {
    *call.results<std::int32_t>() = static_cast<std::int32_t>(floor_div(local, kMillisPerDay));
  } else if constexpr (kMoment == Moment::kTime) {
    const std::int64_t of_day = floor_mod(local, kMillisPerDay);
    *call.results<std::int32_t>() =
        static_cast<std::int32_t>(of_day / kMillisPerSecond * kMillisPerSecond);
  } else {
    *call.results<std::int64_t>() = floor_div(now, kMillisPerSecond);
  }
  return true;
}

template <Moment kMoment>
Result<BoundKernel> bind_now(const CallBinding&) {
  return plain_kernel(now_kernel<kMoment>);
}

Result<DataType> derive_proctime(CallTyping&) {
  return DataType::timestamp_ltz(3).with_nullable(false).with_time_attribute(
      TimeAttribute::kProctime);
}

// ---- CURRENT_WATERMARK ----

Result<DataType> derive_watermark(CallTyping& call) {
  const DataType& type = call.type(0);
  if (type.time_attribute() != TimeAttribute::kRowtime) {
    return Status::invalid_argument(
        fmt::format("CURRENT_WATERMARK takes a rowtime attribute, found {}", type.to_string()));
  }
  return type.kind() == TypeKind::kTimestampLtz ? DataType::timestamp_ltz(3)
                                                : DataType::timestamp(3);
}

// Where an operator has no watermarks there is none yet.
bool watermark_kernel(KernelCall& call) {
  const WatermarkView none;
  const WatermarkView& view = call.context.watermarks != nullptr ? *call.context.watermarks : none;
  auto* out = call.results<std::int64_t>();
  std::int64_t watermark = view.before;
  std::size_t next = 0;
  for_each_row(call.rows, [&](std::int32_t row) {
    for (; next < view.marks.size() && view.marks[next].row <= row; ++next) {
      watermark = view.marks[next].watermark;
    }
    out[row] = watermark;
    if (watermark == kMinWatermark) call.set_null(row);
  });
  return call.status().is_ok();
}

Result<BoundKernel> bind_watermark(const CallBinding&) {
  return plain_kernel(watermark_kernel);
}

constexpr ScalarFunction now_entry(std::string_view name, std::string_view result,
                                   Result<BoundKernel> (*bind)(const CallBinding&),
                                   std::string_view description, std::string_view aliases = {}) {
  return {.name = name,
          .arguments_min = 0,
          .arguments_max = 0,
          .result = result,
          .bind = bind,
          .volatility = Volatility::kPerBatch,
          .signature = name,
          .description = description,
          .aliases = aliases};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&)) {
  entry.derive = derive;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    now_entry("CURRENT_TIMESTAMP", "TIMESTAMP_LTZ(3)", bind_now<Moment::kInstant>,
              "The instant now.", "NOW CURRENT_ROW_TIMESTAMP"),
    now_entry("LOCALTIMESTAMP", "TIMESTAMP(3)", bind_now<Moment::kLocalTimestamp>,
              "The time now in the session's time zone."),
    now_entry("CURRENT_DATE", "DATE", bind_now<Moment::kDate>, "Today in the session's time zone."),
    now_entry("LOCALTIME", "TIME(0)", bind_now<Moment::kTime>,
              "The time of day now in the session's time zone.", "CURRENT_TIME"),
    now_entry("UNIX_TIMESTAMP_NOW", "BIGINT", bind_now<Moment::kSeconds>,
              "Epoch seconds now: UNIX_TIMESTAMP()."),
    with_types(now_entry("PROCTIME", "", bind_now<Moment::kInstant>,
                         "The processing time, as a time attribute."),
               derive_proctime),
    {.name = "CURRENT_WATERMARK",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_watermark,
     .bind = bind_watermark,
     .is_strict = false,
     .volatility = Volatility::kPerRow,
     .signature = "CURRENT_WATERMARK(rowtime)",
     .description = "The watermark that the row came after, where it is computed; NULL before the "
                    "first one."},
};

}  // namespace

std::span<const ScalarFunction> clock_functions() {
  return kFunctions;
}

}  // namespace clepsydra
