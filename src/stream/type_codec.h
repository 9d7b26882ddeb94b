// Types, schemas and one-row columns as value trees: the form in which plans carry them.
#pragma once

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

ValueTree type_to_tree(const DataType& type);
Result<DataType> type_from_tree(const ValueTree& tree);
ValueTree schema_to_tree(const Schema& schema);
Result<SchemaPtr> schema_from_tree(const ValueTree& tree);
// A column of any length (literals have one row). The tree holds type and values.
ValueTree column_to_tree(const Column& column);
Result<Column> column_from_tree(const ValueTree& tree, MemoryPool& pool);

}  // namespace clepsydra
