// CREATE TABLE as written to a catalog table, checked as far as it can be without opening anything.
#pragma once

#include <memory>

#include "clepsydra/status.h"
#include "sql/ast/create.h"
#include "sql/bind/environment.h"
#include "sql/bind/statement_text.h"
#include "sql/catalog/table.h"

namespace clepsydra::sql {

// The path and version are the caller's to set.
Result<std::shared_ptr<CatalogTable>> bind_create_table(const ast::CreateTable& statement,
                                                        const BindEnvironment& environment,
                                                        const StatementText& text);

}  // namespace clepsydra::sql
