#include "gateway/console/console_settings.h"

#include <fmt/format.h>

#include <string>

#include "base/check.h"
#include "base/configuration.h"

namespace clepsydra {

template <>
struct EnumNames<console::ResultMode> {
  static constexpr std::pair<std::string_view, console::ResultMode> kNames[] = {
      {"TABLE", console::ResultMode::kTable},
      {"CHANGELOG", console::ResultMode::kChangelog},
      {"TABLEAU", console::ResultMode::kTableau}};
};

namespace console {
namespace {

constexpr std::int32_t kTableRowsMax = 100'000'000;

constexpr ConfigOption<ResultMode> kMode{"sql-client.execution.result-mode", "TABLE",
                                         "how results are shown"};
constexpr ConfigOption<std::int32_t> kTableRows{"sql-client.execution.max-table-result.rows",
                                                "1000000", "rows kept of a result that is shown"};
constexpr ConfigOption<bool> kVerbose{"sql-client.verbose", "false", "say more"};
constexpr ConfigOption<bool> kPrintTimeCost{kPrintTimeCostKey, "true", "say how long a query took"};
constexpr ConfigOption<bool> kLineNumbers{"sql-client.display.show-line-numbers", "false",
                                          "number the lines of a statement"};
constexpr ConfigOption<std::string> kColors{"sql-client.display.color-schema", "DEFAULT",
                                            "colours of what is typed"};

}  // namespace

Result<ConsoleSettings> read_console_settings(const Configuration& configuration) {
  ConsoleSettings settings;
  CLP_ASSIGN_OR_RETURN(settings.mode, configuration.get(kMode));
  CLP_ASSIGN_OR_RETURN(const std::int32_t rows, configuration.get(kTableRows));
  if (rows < 1 || rows > kTableRowsMax) {
    return Status::invalid_argument(fmt::format("'{}' must be between 1 and {}, but is {}",
                                                kTableRows.key, kTableRowsMax, rows));
  }
  settings.table_rows_max = static_cast<std::size_t>(rows);
  CLP_ASSIGN_OR_RETURN(settings.verbose, configuration.get(kVerbose));
  CLP_ASSIGN_OR_RETURN(settings.print_time_cost, configuration.get(kPrintTimeCost));
  CLP_ASSIGN_OR_RETURN(settings.line_numbers, configuration.get(kLineNumbers));
  CLP_ASSIGN_OR_RETURN(const std::string colors, configuration.get(kColors));
  CLP_ASSIGN_OR_RETURN(settings.colors, ColorSchema::find(colors));
  return settings;
}

Status check_console_setting(std::string_view key, std::string_view value) {
  Configuration one;
  one.set(std::string(key), std::string(value));
  return read_console_settings(one).status();
}

}  // namespace console
}  // namespace clepsydra
