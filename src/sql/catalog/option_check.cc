#include "sql/catalog/option_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/configuration.h"
#include "sql/bind/statement_text.h"

namespace clepsydra::sql {
namespace {

const std::vector<OptionDescription>& planner_options() {
  static const std::vector<OptionDescription> options = {
      {std::string(kWatermarkEmitStrategy),
       OptionKind::kEnum,
       "on-periodic",
       "when watermarks leave the source",
       {"on-periodic", "on-event"}},
      {std::string(kWatermarkIdleTimeout), OptionKind::kDuration, "",
       "a split without rows for this long does not hold watermarks back"},
      {std::string(kWatermarkAlignmentGroup), OptionKind::kString, "",
       "sources of one group read at about the same event time"},
      {std::string(kWatermarkAlignmentMaxDrift), OptionKind::kDuration, "",
       "how far a source may be ahead of its group"},
      {std::string(kWatermarkAlignmentInterval), OptionKind::kDuration, "1 s",
       "how often a group is compared"},
      {std::string(kScanParallelism), OptionKind::kInteger, "", "parallelism of the source"},
      {std::string(kSinkParallelism), OptionKind::kInteger, "", "parallelism of the sink"},
  };
  return options;
}

// "fields.#.kind" accepts "fields.price.kind".
bool key_matches(std::string_view pattern, std::string_view key) {
  const std::size_t hash = pattern.find('#');
  if (hash == std::string_view::npos) return pattern == key;
  const std::string_view before = pattern.substr(0, hash);
  const std::string_view after = pattern.substr(hash + 1);
  return key.size() > before.size() + after.size() && key.starts_with(before) &&
         key.ends_with(after);
}

Status check_kind(const OptionDescription& option, std::string_view key, const std::string& value) {
  switch (option.kind) {
    case OptionKind::kString:
      return Status::ok();
    case OptionKind::kBoolean:
      return parse_option_value<bool>(key, value).status();
    case OptionKind::kInteger:
      return parse_option_value<std::int32_t>(key, value).status();
    case OptionKind::kLong:
      return parse_option_value<std::int64_t>(key, value).status();
    case OptionKind::kDouble:
      return parse_option_value<double>(key, value).status();
    case OptionKind::kDuration:
      return parse_option_value<Duration>(key, value).status();
    case OptionKind::kMemorySize:
      return parse_option_value<MemorySize>(key, value).status();
    case OptionKind::kMap:
      return parse_option_value<StringMap>(key, value).status();
    case OptionKind::kEnum:
      break;
  }
  if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) {
    return Status::ok();
  }
  return Status::invalid_argument(fmt::format("option '{}' is '{}', expected one of {}", key, value,
                                              name_list(option.choices)));
}

// Checks one WITH clause, problem by problem.
class OptionCheck {
 public:
  OptionCheck(const TableOptions& options, const Schema* physical,
              const TableConnectorRegistry& connectors, std::size_t problems_max)
      : options_(options),
        physical_(physical),
        connectors_(connectors),
        problems_max_(problems_max) {}

  std::vector<OptionProblem> run() {
    // Without its connector nothing is known of an option, and without its format not all of them.
    if (auto problem = find_connector()) return {*std::move(problem)};
    if (auto problem = find_format()) return {*std::move(problem)};
    check_options();
    check_required();
    if (problems_.empty() && physical_ != nullptr) validate();
    return std::move(problems_);
  }

 private:
  std::optional<OptionProblem> find_connector() {
    const std::vector<std::string> names = connectors_.connector_names();
    const auto it = options_.find("connector");
    if (it == options_.end()) {
      OptionProblem problem{.key = {},
                            .message = "the WITH clause has no option 'connector'",
                            .suggestion = fmt::format("known connectors: {}", name_list(names))};
      for (const auto& [key, value] : options_) {
        if (!did_you_mean_name(key, {"connector"}).empty()) {
          problem.key = key;
          problem.suggestion = "option names are case sensitive: write 'connector'";
        }
      }
      return problem;
    }
    connector_ = connectors_.find_connector(it->second);
    if (connector_ != nullptr) {
      allow(connector_->options());
      allow(planner_options());
      keys_.emplace_back("connector");
      return std::nullopt;
    }
    return unknown("connector", it->second, names);
  }

  std::optional<OptionProblem> find_format() {
    if (!connector_->uses_format()) return std::nullopt;
    keys_.emplace_back("format");
    const std::vector<std::string> names = connectors_.format_names();
    const auto it = options_.find("format");
    if (it == options_.end()) {
      return OptionProblem{
          .key = {},
          .message = fmt::format("connector '{}' needs the option 'format'", connector_->name()),
          .suggestion = fmt::format("known formats: {}", name_list(names))};
    }
    format_ = connectors_.find_format(it->second);
    if (format_ == nullptr) return unknown("format", it->second, names);
    allow(format_->options());
    return std::nullopt;
  }

  static std::optional<OptionProblem> unknown(std::string_view key, const std::string& value,
                                              const std::vector<std::string>& names) {
    std::string suggestion = did_you_mean_name(value, names);
    if (!suggestion.empty()) suggestion += " ";
    suggestion += fmt::format("known {}s: {}", key, name_list(names));
    return OptionProblem{.key = std::string(key),
                         .in_value = true,
                         .message = fmt::format("unknown {} '{}'", key, value),
                         .suggestion = std::move(suggestion),
                         .code = StatusCode::kNotFound};
  }

  void allow(const std::vector<OptionDescription>& descriptions) {
    for (const OptionDescription& option : descriptions) {
      keys_.push_back(option.key);
      allowed_.push_back(option);
    }
  }

  [[nodiscard]] const OptionDescription* description_of(std::string_view key) const {
    for (const OptionDescription& option : allowed_) {
      if (key_matches(option.key, key)) return &option;
    }
    return nullptr;
  }

  void check_options() {
    for (const auto& [key, value] : options_) {
      if (problems_.size() >= problems_max_) return;
      if (const OptionDescription* option = description_of(key)) {
        if (const Status status = check_kind(*option, key, value); !status.is_ok()) {
          problems_.push_back(
              {.key = key, .in_value = true, .message = std::string(status.message())});
        }
        continue;
      }
      if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) continue;
      unknown_.push_back(key);
      std::string suggestion = did_you_mean_name(key, keys_);
      if (suggestion.empty())
        suggestion = fmt::format("known options: {}", name_list(sorted_keys()));
      problems_.push_back(
          {.key = key,
           .message =
               fmt::format("unknown option '{}' for connector '{}'{}", key, connector_->name(),
                           format_ == nullptr ? std::string()
                                              : fmt::format(" with format '{}'", format_->name())),
           .suggestion = std::move(suggestion)});
    }
  }

  [[nodiscard]] std::vector<std::string> sorted_keys() const {
    std::vector<std::string> keys = keys_;
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }

  void check_required() {
    for (const OptionDescription& option : allowed_) {
      if (!option.required) continue;
      if (problems_.size() >= problems_max_) return;
      const bool given = std::any_of(options_.begin(), options_.end(), [&](const auto& entry) {
        return key_matches(option.key, entry.first);
      });
      // A slip of the finger has been told as what it is.
      if (given || !did_you_mean_name(option.key, unknown_).empty()) continue;
      problems_.push_back(
          {.key = {},
           .message = fmt::format("connector '{}' needs the option '{}': {}", connector_->name(),
                                  option.key, option.description)});
    }
  }

  void validate() {
    Status status = connector_->validate(options_, *physical_);
    if (status.is_ok() && format_ != nullptr) status = format_->validate(options_, *physical_);
    if (status.is_ok()) return;
    problems_.push_back({.key = named_key(status.message()),
                         .message = std::string(status.message()),
                         .code = status.code()});
  }

  // The option that a message quotes, so that the caret can stand there.
  [[nodiscard]] std::string named_key(std::string_view message) const {
    for (const auto& [key, value] : options_) {
      if (message.find(fmt::format("'{}'", key)) != std::string_view::npos) return key;
    }
    return {};
  }

  const TableOptions& options_;
  const Schema* physical_;
  const TableConnectorRegistry& connectors_;
  const TableConnector* connector_ = nullptr;
  const TableFormat* format_ = nullptr;
  std::vector<OptionDescription> allowed_;
  std::vector<std::string> keys_;
  std::vector<std::string> unknown_;
  std::size_t problems_max_;
  std::vector<OptionProblem> problems_;
};

}  // namespace

std::vector<OptionProblem> check_table_options(const TableOptions& options, const Schema* physical,
                                               const TableConnectorRegistry& connectors,
                                               std::size_t problems_max) {
  return OptionCheck(options, physical, connectors, problems_max).run();
}

}  // namespace clepsydra::sql
