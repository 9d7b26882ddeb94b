// Folders of partitions: "day=2024-01-31/hour=7", and the moment that one stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

class FileSystem;

// Keys and values in the order of the folders, values as they are (not escaped).
using PartitionValues = std::vector<std::pair<std::string, std::string>>;

// Characters that mean something in a path or in a pattern become %XX, as in the reference.
std::string escape_path_part(std::string_view text);
// "%XX" becomes the character again.
std::string unescape_path_part(std::string_view text);
// "key=value/key=value", both escaped.
std::string partition_path(const PartitionValues& values);
// The reverse; nothing for another path or other keys.
std::optional<PartitionValues> parse_partition_path(std::string_view path,
                                                    const std::vector<std::string>& keys);

// The value in "key=value", the name of a folder; nothing for another name or another key.
std::optional<std::string> partition_value(std::string_view name, std::string_view key);
// The values of all partitions there are below `folder`, ordered; none when it is not there.
Result<std::vector<std::vector<std::string>>> partitions_below(
    FileSystem& files, const std::string& folder, const std::vector<std::string>& keys);

// Local milliseconds that `values` stand for: `pattern` with "$key" replaced, or without a pattern
// the first value, read as a timestamp or a date.
Result<std::int64_t> partition_time(const PartitionValues& values, const std::string& pattern);

}  // namespace clepsydra
