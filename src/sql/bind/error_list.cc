#include "sql/bind/error_list.h"

#include <algorithm>
#include <string_view>

namespace clepsydra::sql {
namespace {

// In front of every error of a message but its first.
constexpr std::string_view kAlso = "\nalso ";

}  // namespace

void ErrorList::add(ast::SourceRange part, const Status& outcome) {
  if (outcome.is_ok()) return;
  failed_ = true;
  std::string_view rest = outcome.message();
  while (!rest.empty() && !is_full()) {
    const std::size_t end = std::min(rest.find(kAlso), rest.size());
    const std::string_view message = rest.substr(0, end);
    rest.remove_prefix(std::min(end + kAlso.size(), rest.size()));
    // What two clauses refer to is wrong once: WINDOW w AS (...).
    const bool is_known = std::any_of(errors_.begin(), errors_.end(),
                                      [&](const Error& error) { return error.message == message; });
    if (!is_known) errors_.push_back({part.begin, outcome.code(), std::string(message)});
  }
}

Status ErrorList::status() const {
  if (!failed_) return Status::ok();
  if (errors_.empty()) return told_elsewhere();
  std::vector<Error> errors = errors_;
  std::stable_sort(errors.begin(), errors.end(),
                   [](const Error& a, const Error& b) { return a.begin < b.begin; });
  StatusCode code = errors[0].code;
  std::string message;
  for (const Error& error : errors) {
    if (code == StatusCode::kUnimplemented) code = error.code;
    if (!message.empty()) message += kAlso;
    message += error.message;
  }
  return {code, std::move(message)};
}

}  // namespace clepsydra::sql
