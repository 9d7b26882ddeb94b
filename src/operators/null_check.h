// Refuses NULL in columns that are declared NOT NULL: what a table or a result promises must hold.
#pragma once

#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "operators/fwd.h"
#include "stream/batch.h"
#include "stream/data_type.h"

namespace clepsydra {

// Threads: task thread only.
class NullCheck {
 public:
  // `options`: those of the operator; its list "not_null" holds columns of `schema`. Absent: none.
  static Result<NullCheck> make(const ValueTree& options, SchemaPtr schema);

  // FailedPrecondition that names the first such column with a NULL.
  [[nodiscard]] Status check(const Batch& batch) const {
    for (const int column : columns_) {
      if (batch.column(column).null_count() > 0) return refuse(column);
    }
    return Status::ok();
  }

 private:
  [[nodiscard]] Status refuse(int column) const;

  SchemaPtr schema_;
  std::vector<int> columns_;
};

}  // namespace clepsydra
