#include "functions/kernels.h"

#include <fmt/format.h>

#include <vector>

#include "functions/type_rules.h"

namespace clepsydra {

Status wrong_types(const CallTyping& call) {
  std::vector<DataType> types;
  for (const ExpressionPtr& argument : call.arguments) types.push_back(argument->type());
  return Status::invalid_argument(
      fmt::format("{} does not take ({})", call.name, type_list(types)));
}

Status no_kernel(const CallBinding& call) {
  std::vector<DataType> types;
  for (const ExpressionPtr& argument : call.call.arguments()) types.push_back(argument->type());
  return Status::invalid_argument(fmt::format("there is no {}({}) with result {}", call.call.name(),
                                              type_list(types), call.call.type().to_string()));
}

}  // namespace clepsydra
