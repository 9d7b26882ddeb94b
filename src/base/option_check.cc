#include "base/option_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "base/edit_distance.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::array<std::string_view, 5> kClosed = {"clepsydra.", "execution.checkpointing.",
                                                     "execution.state-recovery.",
                                                     "restart-strategy.", "state."};

Status check_known(std::string_view key) {
  const auto stands_in = [key](std::string_view prefix) { return key.starts_with(prefix); };
  if (std::none_of(kClosed.begin(), kClosed.end(), stands_in)) return Status::ok();
  const std::vector<std::string> close = close_option_keys(key);
  return Status::invalid_argument(
      fmt::format("there is no option '{}'.{}", clip(key, 128), did_you_mean(close)));
}

}  // namespace

Status check_option(std::string_view key, std::string_view value) {
  const OptionInfo* option = find_known_option(key);
  if (option == nullptr) return check_known(key);
  if (option->type == "Boolean") return parse_option_value<bool>(key, value).status();
  if (option->type == "Integer") return parse_option_value<std::int32_t>(key, value).status();
  if (option->type == "Long") return parse_option_value<std::int64_t>(key, value).status();
  if (option->type == "Double" || option->type == "Float") {
    return parse_option_value<double>(key, value).status();
  }
  if (option->type == "Duration") return parse_option_value<Duration>(key, value).status();
  if (option->type == "MemorySize") return parse_option_value<MemorySize>(key, value).status();
  return Status::ok();
}

}  // namespace clepsydra
