// docs/reference/functions.md, and its examples.
#pragma once

#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "tests/golden/engine.h"

namespace clepsydra::golden {

// The page, made of the functions' table entries.
std::string function_reference();

// Runs the example of every function; prints those that answer something else. The number of
// those.
int run_function_examples(Engine& engine);

}  // namespace clepsydra::golden
