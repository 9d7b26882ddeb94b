// Whatever a server answers: a tree or an error, and what is escaped is read as it was.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/object_store/object_files.h"
#include "base/object_store/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace clepsydra;  // NOLINT(google-build-using-namespace): one function.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<XmlElement> tree = parse_xml(text);
  if (tree.is_ok()) {
    const Result<XmlElement> again = parse_xml("<a>" + escape_xml(tree->text) + "</a>");
    // Line ends are read as "\n", whatever they were.
    if (tree->text.find('\r') == std::string::npos) {
      CLP_CHECK(again.is_ok() && again->text == tree->text);
    }
  }
  (void)StagedUpload::decode(text);
  return 0;
}
