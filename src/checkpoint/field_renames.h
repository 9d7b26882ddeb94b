// Which fields of stored state have another name in the job that goes on from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fwd.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"
#include "state/schema_evolution.h"

namespace clepsydra {

struct OperatorRename {
  std::string op;  // Its uid or its name.
  FieldRename field;
  friend bool operator==(const OperatorRename&, const OperatorRename&) = default;
};

// Key: clepsydra.state-recovery.renamed-fields, "operator/state/old=new; ...", where a backslash
// takes its meaning from the next character. Errors name the key and the part that is wrong.
Result<std::vector<OperatorRename>> read_field_renames(const Configuration& configuration);
// FailedPrecondition: the job has no operator of such a uid or name, so the name is mistyped.
Status check_renamed_operators(const std::vector<OperatorRename>& renames, const JobGraph& graph);
// Those of one operator.
std::vector<FieldRename> renames_of(const std::vector<OperatorRename>& renames,
                                    std::string_view uid, std::string_view name);
// FailedPrecondition: none of the states that the operator has stored is the one of a rename.
Status check_renamed_states(const std::vector<FieldRename>& renames,
                            const std::vector<std::string>& stored);

}  // namespace clepsydra
