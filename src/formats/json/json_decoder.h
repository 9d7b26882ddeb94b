// Decodes JSON objects, one per line, into the columns that a query reads.
#pragma once

#include <cstdint>
#include <memory>

#include "clepsydra/format.h"
#include "clepsydra/status.h"
#include "formats/format_registry.h"
#include "formats/json/json_options.h"

namespace clepsydra {

std::unique_ptr<RowDecoder> make_json_decoder(const JsonOptions& options,
                                              const FormatRequest& request,
                                              std::int64_t first_line);

}  // namespace clepsydra
