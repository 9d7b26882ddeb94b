#include "operators/operator_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"

namespace clepsydra {

EvaluationContext OperatorContext::evaluation() const {
  // Subtasks of a job draw different numbers; the same job draws the same ones again.
  return {.pool = pool,
          .clock = clock,
          .session_zone = session_zone,
          .random_seed = hash64_with_seed(job_id, static_cast<std::uint64_t>(subtask))};
}

void OperatorRegistry::add(Entry entry) {
  std::string kind = entry.kind;
  const bool added = entries_.emplace(std::move(kind), std::move(entry)).second;
  CLP_CHECK(added);
}

Result<OperatorPtr> OperatorRegistry::make(const OperatorSpec& spec,
                                           OperatorContext& context) const {
  const auto found = entries_.find(spec.kind);
  if (found == entries_.end()) {
    std::vector<std::string_view> kinds;
    for (const auto& [kind, entry] : entries_) kinds.push_back(kind);
    return Status::not_found(fmt::format("there is no operator of kind '{}'; known: {}", spec.kind,
                                         fmt::join(kinds, ", ")));
  }
  const Entry& entry = found->second;
  if (static_cast<int>(spec.inputs.size()) != entry.inputs) {
    return Status::invalid_argument(fmt::format("an operator of kind '{}' has {} inputs, found {}",
                                                spec.kind, entry.inputs, spec.inputs.size()));
  }
  return entry.make(spec, context);
}

const OperatorRegistry& OperatorRegistry::built_in() {
  static const OperatorRegistry registry = [] {
    OperatorRegistry all;
    register_all_operators(all);
    return all;
  }();
  return registry;
}

}  // namespace clepsydra
