// SET and RESET.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {

Result<StatementResult> StatementRunner::run_set(const ast::SetOption& statement) {
  if (!statement.option) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, value] : state_.configuration.values()) {
      rows.push_back({key, std::string(printable_value(key, value))});
    }
    return text_table({"key", "value"}, rows);
  }
  const ast::Option& option = *statement.option;
  if (option.key.empty()) return text_.invalid(option.key_range, "a setting needs a name");
  // Object stores are opened by the process, for all of its jobs.
  if (option.key == kCatalogDirectory || option.key == kFunctionDirectory ||
      option.key == kStoreKind || option.key == kStorePath || option.key.starts_with("s3.")) {
    return text_.error(
        option.key_range, fmt::format("'{}' is set when the process starts", option.key),
        "give it with -D or in the configuration file", StatusCode::kFailedPrecondition);
  }
  if (const Status status = check_setting(option.key, option.value); !status.is_ok()) {
    return text_.at_place(option.value_range, status);
  }
  state_.configuration.set(option.key, option.value);
  return StatementResult(Done{fmt::format("Set '{}'.", option.key)});
}

Result<StatementResult> StatementRunner::run_reset(const ast::ResetOption& statement) {
  if (!statement.key) {
    state_.configuration = Configuration(state_.initial_configuration);
    return StatementResult(Done{"All settings are as they were at the start."});
  }
  const auto initial = state_.initial_configuration.find(*statement.key);
  if (initial == state_.initial_configuration.end()) {
    state_.configuration.remove(*statement.key);
  } else {
    state_.configuration.set(initial->first, initial->second);
  }
  return StatementResult(Done{fmt::format("Reset '{}'.", *statement.key)});
}

}  // namespace clepsydra::sql
