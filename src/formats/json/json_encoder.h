// Encodes rows as JSON objects, one per line.
#pragma once

#include <memory>

#include "clepsydra/format.h"
#include "formats/json/json_options.h"
#include "stream/data_type.h"

namespace clepsydra {

std::unique_ptr<RowEncoder> make_json_encoder(const JsonOptions& options, SchemaPtr record);

}  // namespace clepsydra
