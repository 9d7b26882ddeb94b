// Any bytes, under any options the first byte picks: an answer or an error, and columns that hold
// together.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/memory_pool.h"
#include "formats/format_registry.h"
#include "stream/batch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace clepsydra;  // NOLINT(google-build-using-namespace): one function, nothing else
                              // here.
  if (size == 0) return 0;
  const unsigned bits = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TableOptions options;
  if ((bits & 1) != 0) options["csv.ignore-parse-errors"] = "true";
  if ((bits & 2) != 0) options["csv.escape-character"] = "\\";
  if ((bits & 4) != 0) options["csv.header"] = "match";
  if ((bits & 8) != 0) options["csv.null-literal"] = "N";
  if ((bits & 16) != 0) options["csv.trim-spaces"] = "true";
  if ((bits & 32) != 0) options["csv.allow-comments"] = "true";
  const SchemaPtr schema = make_schema({{"a", DataType::integer(), ""},
                                        {"b", DataType::string(), ""},
                                        {"c", DataType::array(DataType::timestamp(3)), ""}});
  const auto pool = MemoryPool::make_root("fuzz", std::int64_t{1} << 28);
  const auto format = FormatRegistry::built_in().make("csv", {options, schema, {0, 1, 2}});
  CLP_CHECK(format.is_ok());
  const auto decoder = (*format)->make_decoder({}, *pool);
  CLP_CHECK(decoder.is_ok());
  BatchBuilder builder(schema, *pool);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto progress = (*decoder)->decode(text.substr(begin), true, 3, builder);
    const Result<Batch> batch = builder.finish();
    if (!progress.is_ok()) return 0;
    CLP_CHECK(batch.is_ok());
    for (const Column& column : batch->columns()) CLP_CHECK(validate(column, true).is_ok());
    CLP_CHECK(progress->consumed > 0);
    begin += progress->consumed;
  }
  return 0;
}
