// The text that a tree was parsed from: turns what is wrong at a place into a Status with line and
// caret.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "sql/ast/location.h"
#include "sql/grammar/diagnostic.h"

namespace clepsydra::sql {

class StatementText {
 public:
  // `sql` must outlive this.
  explicit StatementText(std::string_view sql) : sql_(sql) {}

  [[nodiscard]] std::string_view sql() const { return sql_; }
  [[nodiscard]] std::string_view at(ast::SourceRange range) const {
    return range.end <= sql_.size() ? sql_.substr(range.begin, range.end - range.begin)
                                    : std::string_view();
  }

  [[nodiscard]] Status invalid(ast::SourceRange range, std::string message,
                               std::string suggestion = {}) const {
    return error(range, std::move(message), std::move(suggestion), StatusCode::kInvalidArgument);
  }
  [[nodiscard]] Status not_found(ast::SourceRange range, std::string message,
                                 std::string suggestion = {}) const {
    return error(range, std::move(message), std::move(suggestion), StatusCode::kNotFound);
  }
  // "`what` is not built yet": what the reference has and this engine has not.
  [[nodiscard]] Status not_built(ast::SourceRange range, std::string_view what,
                                 std::string suggestion = {}) const {
    return error(range, std::string(what) + " is not built yet", std::move(suggestion),
                 StatusCode::kUnimplemented);
  }
  // The same failure, with the place.
  [[nodiscard]] Status at_place(ast::SourceRange range, const Status& status,
                                std::string suggestion = {}) const {
    return error(range, std::string(status.message()), std::move(suggestion), status.code());
  }
  [[nodiscard]] Status error(ast::SourceRange range, std::string message, std::string suggestion,
                             StatusCode code) const {
    return to_status(Diagnostic{.range = range,
                                .message = std::move(message),
                                .suggestion = std::move(suggestion),
                                .code = code},
                     sql_);
  }

 private:
  std::string_view sql_;
};

// "did you mean 'order_id'?", or empty when nothing is close.
std::string did_you_mean_name(std::string_view name, const std::vector<std::string>& candidates);
// "'a', 'b', 'c'", at most 40 names.
std::string name_list(const std::vector<std::string>& names);

}  // namespace clepsydra::sql
