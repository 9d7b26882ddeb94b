#include "tests/harness/source_path.h"

#include <string>
#include <string_view>

namespace clepsydra::testing {

std::string source_path(std::string_view relative) {
  return std::string(CLEPSYDRA_SOURCE_DIRECTORY "/").append(relative);
}

std::string build_path(std::string_view relative) {
  return std::string(CLEPSYDRA_BINARY_DIRECTORY "/").append(relative);
}

}  // namespace clepsydra::testing
