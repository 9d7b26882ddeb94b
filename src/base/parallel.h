// Independent pieces of work, done by whoever has time.
#pragma once

#include <cstddef>
#include <functional>

#include "base/executor.h"
#include "clepsydra/status.h"

namespace clepsydra {

// Calls work(0) to work(count - 1), each once, on this thread and on those of `pool` that are free,
// and returns when all calls have returned. The pool need not run anything for that: this thread
// does what nobody else takes, so it may be one of the pool itself, and a pool that simulates
// leaves it everything. After a call that fails no more are begun; the error is that of the least
// number. At most `helpers_max` of the pool's threads take part.
Status for_each_in_parallel(BlockingPool& pool, std::size_t count, std::size_t helpers_max,
                            const std::function<Status(std::size_t)>& work);

}  // namespace clepsydra
