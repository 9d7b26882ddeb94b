// What checkpoints and savepoints hold, as text for people: `clepsydra checkpoint list`,
// `checkpoint inspect`, `savepoint inspect`, `savepoint diff`.
#pragma once

#include <string>
#include <string_view>

#include "base/fwd.h"
#include "clepsydra/status.h"

namespace clepsydra {

// All three read files and block. Each answer is whole lines. Names come from the job and may hold
// anything: who prints to a terminal makes them harmless.

// The completed checkpoints of a job's folder, one line each, also those that cannot be used.
Result<std::string> list_checkpoints_text(FileSystem& files, std::string_view folder);

// One checkpoint or savepoint, found as find_checkpoint() does: its tasks and operators, and of
// their state names, types, entries and sizes. What cannot be read is said at its place.
Result<std::string> checkpoint_text(FileSystem& files, std::string_view path);

// What `b` has that `a` has not, the reverse, and what differs: operators by uid, states by name.
Result<std::string> checkpoint_difference_text(FileSystem& files, std::string_view a,
                                               std::string_view b);

}  // namespace clepsydra
