// Calls of functions that users wrote.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "functions/user/user_library.h"
#include "sql/bind/expression_binder.h"

namespace clepsydra::sql {

Result<const UserFunctionGroup*> ExpressionBinder::find_user_call(
    const ast::FunctionCall& call) const {
  const CatalogFunction* found = nullptr;
  const Catalog& catalog = environment_.catalog;
  std::vector<std::string> parts;
  for (const ast::Identifier& part : call.name.parts) parts.push_back(part.name);
  parts.back() = small_letters(parts.back());
  if (parts.size() == 1) found = catalog.find_system_function(parts[0]);
  if (found == nullptr) {
    // As in the reference, what is built in comes before what a catalog has.
    const std::string name = call.upper_name();
    if (!name.empty() &&
        (environment_.functions.is_scalar(name) || environment_.functions.is_aggregate(name) ||
         is_over_function(name) || is_json_call(name))) {
      return nullptr;
    }
    const Result<ObjectPath> path = catalog.locate(parts);
    // Without a database in use there are still the built-in functions.
    if (!path.is_ok()) return nullptr;
    const Result<const CatalogFunction*> in_catalog = catalog.find_function(*path);
    if (!in_catalog.is_ok()) return text_.at_place(call.name.range(), in_catalog.status());
    found = *in_catalog;
  }
  if (found == nullptr) return nullptr;
  Result<const UserFunctionGroup*> group =
      find_user_functions(user_function_name(found->library, found->identifier));
  if (!group.is_ok()) return text_.at_place(call.name.range(), group.status());
  return group;
}

Result<ExpressionPtr> ExpressionBinder::bind_user_call(const ast::FunctionCall& node,
                                                       const UserFunctionGroup& group) {
  if (node.over) {
    return text_.not_built(node.range,
                           fmt::format("OVER with '{}', a function of a library", group.name));
  }
  if (group.is_aggregate) return bind_aggregate_call(node, &group);
  CLP_RETURN_IF_ERROR(refuse_call_extras(node));
  if (node.quantifier != ast::CallQuantifier::kNone || node.filter) {
    return text_.invalid(node.range, fmt::format("DISTINCT, ALL and FILTER belong to aggregates; "
                                                 "{} is not one",
                                                 group.name));
  }
  std::vector<const ast::Expression*> written;
  for (const ast::Argument& argument : node.arguments) {
    if (argument.value->kind == ast::ExpressionKind::kStar) {
      return text_.invalid(argument.value->range, fmt::format("{}(*) has no meaning", group.name));
    }
    written.push_back(argument.value.get());
  }
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(written));
  Result<ExpressionPtr> bound = resolve_user_scalar(group, std::move(arguments));
  if (!bound.is_ok()) return text_.at_place(node.range, bound.status());
  return bound;
}

}  // namespace clepsydra::sql
