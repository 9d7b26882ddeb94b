// Any bytes as a path and a JSON text, separated by a zero byte: neither may crash, take for ever,
// or write JSON that is not read again as the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "functions/json/json_document.h"
#include "functions/json/json_path.h"
#include "functions/json/json_text.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string_view text =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  JsonDocument document;
  const bool is_json = document.parse(text);
  if (is_json) {
    std::string written;
    append_json(document, 0, JsonOrder::kAsWritten, written);
    JsonDocument again;
    CLP_CHECK_MSG(again.parse(written), written);
    std::string twice;
    append_json(again, 0, JsonOrder::kAsWritten, twice);
    CLP_CHECK(written == twice);
  }
  const Result<JsonPath> path = JsonPath::compile(input.substr(0, end));
  if (!path.is_ok() || !is_json) return 0;
  std::vector<std::int32_t> matches;
  path->find(document, matches);
  for (const std::int32_t match : matches) {
    CLP_CHECK(match >= 0 && match < static_cast<std::int32_t>(document.nodes().size()));
  }
  return 0;
}
