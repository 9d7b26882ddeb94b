// What goes into a function of a library and what comes out of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "functions/user/user_library.h"
#include "functions/vector.h"

namespace clepsydra {

class MemoryPool;

// The arguments of some rows, one behind the other.
class UserArguments {
 public:
  // Row i of the call is row rows[i] of the vectors, which must outlive this.
  static Result<UserArguments> gather(const UserFunction& function,
                                      std::span<const Vector* const> arguments,
                                      std::span<const std::int32_t> rows, MemoryPool& pool);
  [[nodiscard]] ClpCall call() const;

 private:
  std::int64_t rows_ = 0;
  std::vector<ClpColumn> columns_;
  std::vector<std::shared_ptr<MutableBuffer>> owned_;
};

// The rows in which no argument is NULL that the function does not take so.
void select_user_rows(const UserFunction& function, std::span<const Vector* const> arguments,
                      const Rows& rows, std::vector<std::int32_t>& out);

// The answers of a call.
class UserResults {
 public:
  static Result<std::unique_ptr<UserResults>> make(const DataType& type, std::int64_t rows,
                                                   MemoryPool& pool);
  ClpResult& abi() { return abi_; }
  // After the call, which ended with `called`: the right number of answers, each of them a value of
  // the type.
  Status check(const UserFunctionGroup& group, const Status& called) const;

  [[nodiscard]] bool is_null(std::int64_t row) const { return nulls_[row] != 0; }
  // Fixed widths: one value per row.
  [[nodiscard]] const std::uint8_t* values() const { return values_->data(); }
  [[nodiscard]] std::string_view text(std::int64_t row) const;

 private:
  struct Span {
    std::int64_t offset = -1;  // -1: not answered.
    std::int64_t size = 0;
  };
  explicit UserResults(DataType type) : type_(std::move(type)) {}
  static std::int32_t set_text(ClpResult* result, std::int64_t row, const char* data,
                               std::int64_t size);
  Status check_value(std::int64_t row) const;

  DataType type_;
  ClpResult abi_{};
  std::shared_ptr<MutableBuffer> values_;  // Fixed width.
  std::shared_ptr<MutableBuffer> null_bytes_;
  std::uint8_t* nulls_ = nullptr;
  std::shared_ptr<MutableBuffer> text_;
  std::vector<Span> spans_;
  Status problem_;
};

}  // namespace clepsydra
