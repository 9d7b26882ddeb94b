// Any text as a value of every type that can be read. What is read must print as something that
// reads as the same value, and a zone's name or file must be one or not.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column_builder.h"
#include "stream/time_zone.h"
#include "stream/value_text.h"
#include "stream/zone_rules.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

namespace {

const std::vector<DataType>& types() {
  static const std::vector<DataType> kTypes = {
      DataType::boolean(),       DataType::tiny_int(),      DataType::small_int(),
      DataType::integer(),       DataType::big_int(),       DataType::float_(),
      DataType::double_(),       DataType::decimal(38, 10), DataType::decimal(5, 2),
      DataType::decimal(38, 0),  DataType::date(),          DataType::time(3),
      DataType::timestamp(0),    DataType::timestamp(3),    DataType::timestamp(9),
      DataType::timestamp_ltz(6)};
  return kTypes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kPool = MemoryPool::make_root("fuzz", 64 << 20);
  static const TimeZonePtr kZone = find_time_zone("+05:45").value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const DataType& type : types()) {
    ColumnBuilder builder(type, *kPool);
    const Status status = append_parsed_value(text, builder, kZone.get());
    CLP_CHECK(builder.length() == (status.is_ok() ? 1 : 0));
    if (!status.is_ok()) continue;
    const Column value = builder.finish().value();
    std::string printed;
    append_value_text(value, 0, {.zone = kZone.get()}, printed);
    // An offset can carry an instant out of the years that can be read.
    if (type.kind() == TypeKind::kTimestampLtz && printed.find('-') != 4) continue;
    const Status again = append_parsed_value(printed, builder, kZone.get());
    CLP_CHECK_MSG(again.is_ok(), again.to_string());
    std::string reprinted;
    append_value_text(builder.finish().value(), 0, {.zone = kZone.get()}, reprinted);
    CLP_CHECK_MSG(printed == reprinted, printed + " and " + reprinted);
  }
  std::string escaped;
  append_tsv_escaped(text, escaped);
  CLP_CHECK(std::count(escaped.begin(), escaped.end(), '\t') == 0);
  if (const auto zone = find_time_zone(text); zone.is_ok()) {
    for (const std::int64_t millis : {INT64_MIN / 2, std::int64_t{0}, INT64_MAX / 2}) {
      CLP_CHECK(std::abs((*zone)->offset_at_instant(millis)) < 86'400);
      CLP_CHECK(std::abs((*zone)->offset_of_local(millis)) < 86'400);
    }
  }
  if (const auto rules = ZoneRules::parse(text); rules.is_ok()) {
    for (const std::int64_t second : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
      (void)rules->offset_at_instant(second);
      (void)rules->offset_of_local(second);
    }
  }
  return 0;
}
