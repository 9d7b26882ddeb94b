#include "operators/null_check.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace clepsydra {

Result<NullCheck> NullCheck::make(const ValueTree& options, SchemaPtr schema) {
  NullCheck check;
  check.schema_ = std::move(schema);
  if (options.find("not_null") == nullptr) return check;
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, options.get_list("not_null"));
  for (const ValueTree& item : list) {
    const std::int64_t* column = item.as_int();
    if (column == nullptr || *column < 0 || *column >= check.schema_->size()) {
      return Status::invalid_argument("'not_null' names a column that is not there");
    }
    check.columns_.push_back(static_cast<int>(*column));
  }
  return check;
}

Status NullCheck::refuse(int column) const {
  const Field& field = schema_->field(column);
  return Status::failed_precondition(
      fmt::format("column '{}' is {} and got a NULL; set 'table.exec.sink.not-null-enforcer' = "
                  "'DROP' to leave out such rows, or declare it without NOT NULL",
                  field.name, field.type.with_nullable(false).to_string()));
}

}  // namespace clepsydra
