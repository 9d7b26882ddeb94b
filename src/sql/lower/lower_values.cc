// Constant rows: one bounded source of one subtask.
#include <utility>

#include "sql/logical/plan_identity.h"
#include "sql/lower/lowering.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {

Result<Lowering::Lowered> lower_values(const PlanPtr& node, Lowering& lowering) {
  const auto& values = node->as<ValuesNode>();
  ValueTree columns = ValueTree::list();
  for (const Column& column : values.columns) columns.add(column_to_tree(column));
  ValueTree source = ValueTree::map();
  source.set("connector", "values");
  source.set("schema", schema_to_tree(*values.schema));
  source.set("columns", std::move(columns));
  source.set("rows", values.rows);
  OperatorSpec spec;
  spec.kind = "source";
  spec.uid = make_uid(spec.kind, values_identity(values));
  spec.name = "Values";
  spec.output = node->schema;
  spec.options = ValueTree::map();
  spec.options.set("source", std::move(source));
  spec.options.set("rowtime", -1);
  spec.options.set("bounded", true);
  return Lowering::Lowered{{lowering.add_source(std::move(spec), 1)}};
}

}  // namespace clepsydra::sql
