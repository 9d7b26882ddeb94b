// The configuration of a process: config.yaml, then -D.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "clepsydra/status.h"

namespace clepsydra {

// `directory` (may be absent) holds config.yaml; `settings` are "key=value" and win. Every key and
// value is checked; errors name the file or the option.
Result<Configuration> read_configuration(const std::optional<std::string>& directory,
                                         const std::vector<std::string>& settings,
                                         FileSystem& files);

}  // namespace clepsydra
