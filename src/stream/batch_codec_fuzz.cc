// Any bytes as a frame, as they are and with the checksum and schema put right, so that what lies
// behind them is reached. What decodes must be sound, print, and encode and decode to the same
// again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "base/memory_pool.h"
#include "stream/batch_codec.h"
#include "stream/value_text.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

namespace {

SchemaPtr fuzzed_schema() {
  const DataType text = DataType::string();
  return make_schema({{"a", DataType::boolean(), ""},
                      {"b", text, ""},
                      {"c", DataType::array(text), ""},
                      {"d", DataType::map(DataType::integer(), DataType::bytes()), ""},
                      {"e",
                       DataType::row({{"f", DataType::date(), ""},
                                      {"g", DataType::multiset(DataType::decimal(10, 2)), ""}}),
                       ""},
                      {"h", DataType::null(), ""},
                      {"i", DataType::timestamp(9), ""},
                      {"j", DataType::double_(), ""}});
}

std::string text_of(const Batch& batch) {
  std::string text;
  for (const Column& column : batch.columns()) {
    // Rows without bytes are cheap to claim; a few of them say as much as all.
    for (std::int64_t row = 0; row < std::min<std::int64_t>(batch.rows(), 1000); ++row) {
      if (column.is_null(row)) {
        text += "NULL";
      } else {
        append_value_text(column, row, {}, text);
      }
      text += '|';
    }
  }
  return text;
}

void check(const BatchCodec& codec, const std::vector<std::uint8_t>& bytes, MemoryPool& pool) {
  const BufferPtr frame = copy_to_buffer(pool, bytes).value();
  const Result<StreamElement> element = codec.decode(frame, true, pool);
  if (!element.is_ok()) return;
  const Result<BufferPtr> encoded = codec.encode(*element, pool);
  CLP_CHECK_MSG(encoded.is_ok(), encoded.status().to_string());
  const Result<StreamElement> again = codec.decode(*encoded, true, pool);
  CLP_CHECK_MSG(again.is_ok(), again.status().to_string());
  if (const Batch* batch = as_batch(*element)) {
    const Batch& copy = *as_batch(*again);
    CLP_CHECK(copy.rows() == batch->rows() && copy.marks() == batch->marks());
    CLP_CHECK(text_of(copy) == text_of(*batch));
  } else {
    CLP_CHECK(std::get<Signal>(*again) == std::get<Signal>(*element));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BatchCodec kCodec(fuzzed_schema());
  static const auto kPool = MemoryPool::make_root("fuzz", 64 << 20);
  std::vector<std::uint8_t> frame(data, data + size);
  check(kCodec, frame, *kPool);
  if (frame.size() < static_cast<std::size_t>(kFrameHeaderBytes)) return 0;
  const auto put = [&frame](std::size_t at, std::uint64_t value) {
    std::memcpy(frame.data() + at, &value, sizeof(value));
  };
  std::memcpy(frame.data(), "CLPB\1\0", 6);
  put(16, frame.size() - static_cast<std::size_t>(kFrameHeaderBytes));
  put(24, frame[6] == 0 ? kCodec.schema_fingerprint() : 0);
  std::uint64_t seed = 0;
  std::memcpy(&seed, frame.data(), sizeof(seed));
  put(8, hash64_with_seed(frame.data() + 16, frame.size() - 16, seed));
  check(kCodec, frame, *kPool);
  return 0;
}
