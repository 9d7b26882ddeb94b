// PARTITION (day = '2024-01-31', hour) of INSERT and SHOW PARTITIONS.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "sql/ast/statement.h"
#include "sql/bind/environment.h"
#include "sql/bind/statement_text.h"
#include "sql/catalog/table.h"

namespace clepsydra::sql {

// Columns of the table that were given a value, cast to their types.
using PartitionValues = std::map<int, ExpressionPtr>;
Result<PartitionValues> bind_partition(const std::vector<ast::PartitionValue>& partition,
                                       const CatalogTable& table,
                                       const BindEnvironment& environment,
                                       const StatementText& text);
// The same as texts, by the names of the columns.
Result<std::map<std::string, std::string>> bind_partition_texts(
    const std::vector<ast::PartitionValue>& partition, const CatalogTable& table,
    const BindEnvironment& environment, const StatementText& text);

}  // namespace clepsydra::sql
