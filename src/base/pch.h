// The one precompiled header, shared by all rooms. Nothing of ours belongs here, and no header may
// rely on it: the target check_headers compiles each header alone, without it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
