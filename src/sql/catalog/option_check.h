// The WITH clause of a table against what its connector and format accept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra::sql {

struct OptionProblem {
  std::string key = {};   // The option it is about; empty: the clause as a whole.
  bool in_value = false;  // The value is wrong, not the key.
  std::string message = {};
  std::string suggestion = {};
  StatusCode code = StatusCode::kInvalidArgument;
};

// Options that the planner itself reads, whatever the connector.
inline constexpr std::string_view kWatermarkEmitStrategy = "scan.watermark.emit.strategy";
inline constexpr std::string_view kWatermarkIdleTimeout = "scan.watermark.idle-timeout";
inline constexpr std::string_view kWatermarkAlignmentGroup = "scan.watermark.alignment.group";
inline constexpr std::string_view kWatermarkAlignmentMaxDrift =
    "scan.watermark.alignment.max-drift";
inline constexpr std::string_view kWatermarkAlignmentInterval =
    "scan.watermark.alignment.update-interval";
inline constexpr std::string_view kScanParallelism = "scan.parallelism";
inline constexpr std::string_view kSinkParallelism = "sink.parallelism";

// Connector and format known, every key known, every value of its kind, nothing required missing,
// then the connector's and the format's own validate(), which is not asked when `physical`, null,
// could not be made. All that is wrong and follows from nothing else here, at most `problems_max`.
std::vector<OptionProblem> check_table_options(const TableOptions& options, const Schema* physical,
                                               const TableConnectorRegistry& connectors,
                                               std::size_t problems_max);

}  // namespace clepsydra::sql
