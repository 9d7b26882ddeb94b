// The text that a tree was parsed from: turns what is wrong at a place into a Status with line and
// caret.
#pragma once

#include <algorithm>
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
  explicit StatementText(std::string_view sql) : sql_(sql), shown_(sql), own_bytes_(sql.size()) {}
  // The statement at `statement` of `shown`, and behind it in `sql` a text that it goes with, such
  // as the definition of a table that it changes. What is wrong in that is shown at `place`, which
  // is a place of `shown`.
  StatementText(std::string_view sql, std::string_view shown, ast::SourceRange statement,
                ast::SourceRange place)
      : sql_(sql),
        shown_(shown),
        shift_(statement.begin),
        own_bytes_(statement.end - statement.begin),
        place_(place) {}

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
    std::string message(what);
    message += " is not built yet";
    return error(range, std::move(message), std::move(suggestion), StatusCode::kUnimplemented);
  }
  // The same failure, with the place.
  [[nodiscard]] Status at_place(ast::SourceRange range, const Status& status,
                                std::string suggestion = {}) const {
    return error(range, std::string(status.message()), std::move(suggestion), status.code());
  }
  [[nodiscard]] Status error(ast::SourceRange range, std::string message, std::string suggestion,
                             StatusCode code) const {
    if (range.begin > own_bytes_) {
      message += " (in '" + std::string(at(range).substr(0, kQuotedMax)) + "')";
      range = place_;
    } else {
      range = {range.begin + shift_, std::min(range.end, own_bytes_) + shift_};
    }
    return to_status(Diagnostic{.range = range,
                                .message = std::move(message),
                                .suggestion = std::move(suggestion),
                                .code = code},
                     shown_);
  }

 private:
  static constexpr std::size_t kQuotedMax = 64;

  std::string_view sql_;    // What ranges point into.
  std::string_view shown_;  // What messages show.
  std::size_t shift_ = 0;   // From the one to the other.
  std::size_t own_bytes_;
  ast::SourceRange place_;
};

// "did you mean 'order_id'?", or empty when nothing is close.
std::string did_you_mean_name(std::string_view name, const std::vector<std::string>& candidates);
// "'a', 'b', 'c'", at most 40 names.
std::string name_list(const std::vector<std::string>& names);

}  // namespace clepsydra::sql
