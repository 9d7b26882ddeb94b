// Writes a table into a folder: files under hidden names until they are committed, then under their
// own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/sink.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/data_type.h"

namespace clepsydra {

// TableConnector::set_replaced().
void set_replaced_rows(const ReplacedRows& replaced, ValueTree& spec);

// `partition_keys`: columns that become folders, in their order.
Result<ValueTree> file_sink_spec(const TableOptions& options, const Schema& schema,
                                 const std::vector<std::string>& partition_keys);
Result<std::unique_ptr<Sink>> make_file_sink(const ValueTree& spec);

}  // namespace clepsydra
