// The errors of one statement that have nothing to do with each other, told together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "sql/ast/location.h"

namespace clepsydra::sql {

// What is wrong with the parts of something whose parts can be looked at one by one: the items of a
// SELECT, the arguments of a call. Whoever binds them adds each part's outcome and goes on; what is
// made of the parts is not looked at once one has failed, so that no error follows from another.
//
// Threads: one.
class ErrorList {
 public:
  // Errors that are told of one statement.
  static constexpr std::size_t kErrorsMax = 10;

  // The error of what uses something that has failed and is told elsewhere: nothing is said of it.
  static Status told_elsewhere() { return {StatusCode::kInvalidArgument, {}}; }

  // The outcome of what stands at `part`, which may be several errors itself.
  void add(ast::SourceRange part, const Status& outcome);
  [[nodiscard]] bool failed() const { return failed_; }
  // No more of them would be told: time to stop looking.
  [[nodiscard]] bool is_full() const { return errors_.size() >= kErrorsMax; }
  // Ok; or what was added by place, "also" in front of all but the first. One error alone is as it
  // was. The code is that of the first; what is wrong goes before what is not built.
  [[nodiscard]] Status status() const;

 private:
  struct Error {
    std::size_t begin;  // Of the part.
    StatusCode code;
    std::string message;
  };

  std::vector<Error> errors_;
  bool failed_ = false;
};

}  // namespace clepsydra::sql
