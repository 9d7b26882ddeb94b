// Any bytes as the metadata of a checkpoint, as a task's snapshot and as what a task restores: an
// answer that can be written again, or an error, never a crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"
#include "checkpoint/checkpoint_codec.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

namespace {

void try_metadata(std::string_view bytes) {
  const auto metadata = decode_checkpoint_metadata(bytes);
  if (!metadata.is_ok()) return;
  CLP_CHECK(*decode_checkpoint_metadata(encode_checkpoint_metadata(*metadata)) == *metadata);
}

// A header that is right, so that what stands behind it is read.
std::string with_header(std::string_view body) {
  std::string bytes = "CLPM" + std::string(20, '\0');
  bytes += body;
  auto* header = reinterpret_cast<std::uint8_t*>(bytes.data());
  store_le<std::uint32_t>(header + 4, 1);
  store_le<std::uint64_t>(header + 16, body.size());
  store_le<std::uint64_t>(header + 8, hash64_with_seed(std::string_view(bytes).substr(16),
                                                       load_le<std::uint64_t>(header)));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_metadata(bytes);
  try_metadata(with_header(bytes));
  if (const auto snapshot = decode_task_snapshot(bytes); snapshot.is_ok()) {
    CLP_CHECK(*decode_task_snapshot(encode_task_snapshot(*snapshot)) == *snapshot);
  }
  if (const auto restore = decode_task_restore(bytes); restore.is_ok()) {
    CLP_CHECK(*decode_task_restore(encode_task_restore(*restore)) == *restore);
  }
  if (const auto restore = decode_in_flight_restore(bytes); restore.is_ok()) {
    CLP_CHECK(*decode_in_flight_restore(encode_in_flight_restore(*restore)) == *restore);
  }
  return 0;
}
