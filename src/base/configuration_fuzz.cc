// Any bytes as config.yaml, -D settings, option values and paths: an answer or an error, never a
// crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/configuration.h"
#include "base/duration.h"
#include "base/edit_distance.h"
#include "base/file_system.h"
#include "base/utf8.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto yaml = Configuration::from_yaml(text); yaml.is_ok()) {
    for (const auto& [key, value] : yaml->values()) {
      (void)parse_option_value<StringList>(key, value);
      (void)parse_option_value<StringMap>(key, value);
    }
  }
  Configuration configuration;
  (void)configuration.set_from_assignment(text);
  (void)parse_option_value<StringList>("key", text);
  (void)parse_option_value<StringMap>("key", text);
  (void)parse_option_value<double>("key", text);
  if (const auto duration = parse_duration(text); duration.is_ok()) {
    CLP_CHECK(*parse_duration(format_duration(*duration)) == *duration);
  }
  if (const auto bytes = parse_memory_size(text); bytes.is_ok()) {
    CLP_CHECK(*parse_memory_size(format_memory_size(*bytes)) == *bytes);
  }
  (void)local_path(text);
  (void)close_option_keys(text);
  CLP_CHECK(is_valid_utf8(clip(text, 64)));
  CLP_CHECK(is_valid_utf8(replace_invalid_utf8(text)));
  return 0;
}
