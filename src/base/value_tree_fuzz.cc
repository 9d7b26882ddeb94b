// Any bytes as an encoded value tree; what decodes must encode and decode to the same again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/value_tree.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto tree = ValueTree::decode(bytes); tree.is_ok()) {
    const std::string encoded = tree->encode();
    // By bytes: a NaN is not equal to itself.
    CLP_CHECK(ValueTree::decode(encoded)->encode() == encoded);
    (void)tree->to_string();
  }
  std::string decoded;
  if (decode_base64(bytes, decoded)) {
    std::string again;
    append_base64(decoded, again);
    CLP_CHECK(decode_base64(again, decoded));
  }
  return 0;
}
