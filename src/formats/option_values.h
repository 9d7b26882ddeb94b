// Reads typed values out of a WITH clause, with the same error texts in every format.
#pragma once

#include <string>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra {

// Null when the key is not set.
const std::string* find_option(const TableOptions& options, const char* key);
// `value` stays as it is when the key is not set.
Status read_boolean_option(const TableOptions& options, const char* key, bool& value);

}  // namespace clepsydra
