// Plans kept in files: COMPILE PLAN writes one, EXECUTE PLAN runs it. docs/formats/compiled_plan.md
// has the layout.
#pragma once

#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "sql/session.h"

namespace clepsydra::sql {

inline constexpr int kCompiledPlanVersion = 2;

// All but the configuration: that of the session counts which runs it. Secrets that are hidden
// (secret_options.h) are named, here and in what is read.
std::string write_compiled_plan(const InsertJob& job);
// Accepts any text; what it answers is valid. Unimplemented for a version that this release does
// not know, InvalidArgument with line and column or the place in the document for anything else.
Result<InsertJob> read_compiled_plan(std::string_view text);

}  // namespace clepsydra::sql
