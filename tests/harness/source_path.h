// Where tests find their data and may write.
#pragma once

#include <string>
#include <string_view>

namespace clepsydra::testing {

// A file of the source tree: source_path("tests/golden/queries").
std::string source_path(std::string_view relative);

// A file of the build tree: build_path("bin/clepsydra").
std::string build_path(std::string_view relative);

}  // namespace clepsydra::testing
