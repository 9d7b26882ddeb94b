#include "checkpoint/field_renames.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "base/utf8.h"
#include "graph/job_graph.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::string> kRenamedFields{
    "clepsydra.state-recovery.renamed-fields", "",
    "fields of state that were stored under another name: 'operator/state/old=new; ...'"};
constexpr std::size_t kBytesMax = 1 << 20;
constexpr std::string_view kSpaces = " \t\r\n";

Status wrong(std::string_view part) {
  return Status::invalid_argument(fmt::format(
      "option '{}' has '{}', expected 'operator/state/old=new', and ';' between several",
      kRenamedFields.key, clip(part, 64)));
}

// Up to the next ';' that is not escaped, without the spaces around it.
std::string_view take_part(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != ';') end += text[end] == '\\' ? 2 : 1;
  std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!part.empty() && kSpaces.find(part.front()) != kSpaces.npos) part.remove_prefix(1);
  while (!part.empty() && kSpaces.find(part.back()) != kSpaces.npos) part.remove_suffix(1);
  return part;
}

// Operator, state, old and new name.
Result<OperatorRename> read_part(std::string_view part) {
  constexpr std::string_view kSeparators = "//=";
  std::vector<std::string> names(1);
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\') {
      if (++i == part.size()) return wrong(part);
      names.back().push_back(part[i]);
    } else if (part[i] == '/' || part[i] == '=') {
      const std::size_t at = names.size() - 1;
      if (at >= kSeparators.size() || part[i] != kSeparators[at]) return wrong(part);
      names.emplace_back();
    } else {
      names.back().push_back(part[i]);
    }
  }
  if (names.size() != kSeparators.size() + 1) return wrong(part);
  for (const std::string& name : names) {
    if (name.empty()) return wrong(part);
  }
  return OperatorRename{names[0], {names[1], names[2], names[3]}};
}

}  // namespace

Result<std::vector<OperatorRename>> read_field_renames(const Configuration& configuration) {
  CLP_ASSIGN_OR_RETURN(const std::string value, configuration.get(kRenamedFields));
  if (value.size() > kBytesMax) return wrong(value);
  std::vector<OperatorRename> renames;
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view part = take_part(rest);
    if (part.empty()) continue;
    CLP_ASSIGN_OR_RETURN(OperatorRename rename, read_part(part));
    renames.push_back(std::move(rename));
  }
  return renames;
}

Status check_renamed_operators(const std::vector<OperatorRename>& renames, const JobGraph& graph) {
  for (const OperatorRename& rename : renames) {
    const auto is_meant = [&rename](const ChainedOperator& chained) {
      return chained.spec.uid == rename.op || chained.spec.name == rename.op;
    };
    const bool is_there =
        std::any_of(graph.vertices.begin(), graph.vertices.end(), [&](const JobVertex& vertex) {
          return std::any_of(vertex.operators.begin(), vertex.operators.end(), is_meant);
        });
    if (is_there) continue;
    return Status::failed_precondition(
        fmt::format("option '{}' has the operator '{}', and the job has none of this id or name "
                    "(EXPLAIN shows them)",
                    kRenamedFields.key, clip(rename.op, 64)));
  }
  return Status::ok();
}

std::vector<FieldRename> renames_of(const std::vector<OperatorRename>& renames,
                                    std::string_view uid, std::string_view name) {
  std::vector<FieldRename> found;
  for (const OperatorRename& rename : renames) {
    if (rename.op == uid || rename.op == name) found.push_back(rename.field);
  }
  return found;
}

Status check_renamed_states(const std::vector<FieldRename>& renames,
                            const std::vector<std::string>& stored) {
  for (const FieldRename& rename : renames) {
    if (std::find(stored.begin(), stored.end(), rename.state) != stored.end()) continue;
    return Status::failed_precondition(fmt::format(
        "option '{}' has the state '{}' and those that are stored are '{}'", kRenamedFields.key,
        clip(rename.state, 64), clip(fmt::format("{}", fmt::join(stored, "', '")), 300)));
  }
  return Status::ok();
}

}  // namespace clepsydra
