// Reads typed values out of a WITH clause; keeps options in a spec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/duration.h"
#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra {

// Each is empty when the key is not set; InvalidArgument names key, value and what was expected.
std::optional<std::string> text_option(const TableOptions& options, const std::string& key);
Result<std::optional<std::int64_t>> int_option(const TableOptions& options, const std::string& key,
                                               std::int64_t min, std::int64_t max);
Result<std::optional<double>> double_option(const TableOptions& options, const std::string& key,
                                            double min, double max);
Result<std::optional<bool>> bool_option(const TableOptions& options, const std::string& key);
Result<std::optional<Duration>> duration_option(const TableOptions& options,
                                                const std::string& key);
Result<std::optional<std::int64_t>> bytes_option(const TableOptions& options,
                                                 const std::string& key);

ValueTree options_to_tree(const TableOptions& options);
Result<TableOptions> options_from_tree(const ValueTree& tree);

}  // namespace clepsydra
