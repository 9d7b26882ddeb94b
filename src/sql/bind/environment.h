// What binding and planning one statement may ask.
#pragma once

#include "clepsydra/table_connector.h"
#include "functions/expression_program.h"
#include "functions/function_registry.h"
#include "sql/catalog/catalog.h"
#include "sql/settings.h"

namespace clepsydra::sql {

// References are borrowed for the statement.
struct BindEnvironment {
  const Catalog& catalog;
  const TableConnectorRegistry& connectors;
  const FunctionRegistry& functions;
  const PlannerSettings& settings;
  EvaluationContext evaluation;  // For constant folding.
};

}  // namespace clepsydra::sql
