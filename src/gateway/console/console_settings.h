// The settings of the console itself: the keys sql-client.*, spelled and meant as in the reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clepsydra/status.h"
#include "gateway/console/syntax_colors.h"

namespace clepsydra {
class Configuration;
}  // namespace clepsydra

namespace clepsydra::console {

enum class ResultMode : std::uint8_t {
  kTable,      // The result as it is now, to move, sort and search in.
  kChangelog,  // Every change of it, newest last, likewise.
  kTableau,    // Every change of it, printed as it comes.
};

struct ConsoleSettings {
  ResultMode mode = ResultMode::kTable;
  std::size_t table_rows_max = 1'000'000;  // Kept of a result in kTable and kChangelog.
  bool verbose = false;
  bool print_time_cost = true;
  bool line_numbers = false;
  ColorSchema colors = ColorSchema::none();
};

// Errors name key, value and what is expected.
Result<ConsoleSettings> read_console_settings(const Configuration& configuration);

// Checks a value of one of these keys; other keys are free.
Status check_console_setting(std::string_view key, std::string_view value);

inline constexpr std::string_view kPrintTimeCostKey = "sql-client.display.print-time-cost";

}  // namespace clepsydra::console
