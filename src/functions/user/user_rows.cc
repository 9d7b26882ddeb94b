#include "functions/user/user_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/utf8.h"
#include "functions/decimal.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kTextMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMillisPerDay = 86400000;

bool is_text(const DataType& type) {
  return type.physical() == PhysicalType::kView;
}

// Whether the rows are the vector's own, from the first one on.
bool is_straight(std::span<const std::int32_t> rows) {
  return rows.empty() ||
         (rows.front() == 0 && rows.back() == static_cast<std::int32_t>(rows.size()) - 1);
}

void copy_values(const Vector& from, int width, std::span<const std::int32_t> rows,
                 std::uint8_t* to) {
  const auto bytes = static_cast<std::size_t>(width);
  for (const std::int32_t row : rows) {
    if (from.values != nullptr) {
      std::memcpy(to, from.values + bytes * static_cast<std::size_t>(from.index_of(row)), bytes);
    }
    to += bytes;
  }
}

void copy_texts(const Vector& from, std::span<const std::int32_t> rows, ClpText* to) {
  for (const std::int32_t row : rows) {
    // What lies under a NULL may point anywhere.
    const bool is_there = from.values != nullptr && !from.is_null(row);
    // Views keep short texts inside: these stay where they are while the call runs.
    if (is_there) {
      const StringView16& view = from.data<StringView16>()[from.index_of(row)];
      const std::string_view text =
          view.is_inline() ? std::string_view(view.inlined, static_cast<std::size_t>(view.length))
                           : from.string_at(row);
      *to = {text.data(), static_cast<std::int64_t>(text.size())};
    } else {
      *to = {"", 0};
    }
    ++to;
  }
}

}  // namespace

void select_user_rows(const UserFunction& function, std::span<const Vector* const> arguments,
                      const Rows& rows, std::vector<std::int32_t>& out) {
  out.clear();
  for_each_row(rows, [&](std::int32_t row) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!function.takes_null[i] && arguments[i]->is_null(row)) return;
    }
    out.push_back(row);
  });
}

Result<UserArguments> UserArguments::gather(const UserFunction& function,
                                            std::span<const Vector* const> arguments,
                                            std::span<const std::int32_t> rows, MemoryPool& pool) {
  UserArguments gathered;
  gathered.rows_ = static_cast<std::int64_t>(rows.size());
  const bool straight = is_straight(rows);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Vector& from = *arguments[i];
    const DataType& type = function.arguments[i];
    ClpColumn column{};
    const int width =
        is_text(type) ? static_cast<int>(sizeof(ClpText)) : std::max(type.fixed_width(), 1);
    if (straight && !from.is_constant && !is_text(type) && from.values != nullptr) {
      column.values = from.values;
    } else {
      CLP_ASSIGN_OR_RETURN(
          std::shared_ptr<MutableBuffer> values,
          allocate_zeroed_buffer(pool, width * std::max(gathered.rows_, std::int64_t{1})));
      if (is_text(type)) {
        copy_texts(from, rows, reinterpret_cast<ClpText*>(values->mutable_data()));
      } else {
        copy_values(from, width, rows, values->mutable_data());
      }
      column.values = values->data();
      gathered.owned_.push_back(std::move(values));
    }
    if (function.takes_null[i] && from.validity != nullptr) {
      CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> nulls,
                           allocate_zeroed_buffer(pool, std::max(gathered.rows_, std::int64_t{1})));
      std::uint8_t* to = nulls->mutable_data();
      for (const std::int32_t row : rows) *to++ = from.is_null(row) ? 1 : 0;
      column.nulls = nulls->data();
      gathered.owned_.push_back(std::move(nulls));
    }
    gathered.columns_.push_back(column);
  }
  return gathered;
}

ClpCall UserArguments::call() const {
  return {.rows = rows_,
          .argument_count = static_cast<std::int32_t>(columns_.size()),
          .arguments = columns_.data()};
}

Result<std::unique_ptr<UserResults>> UserResults::make(const DataType& type, std::int64_t rows,
                                                       MemoryPool& pool) {
  std::unique_ptr<UserResults> made(new UserResults(type));
  const std::int64_t room = std::max(rows, std::int64_t{1});
  CLP_ASSIGN_OR_RETURN(made->null_bytes_, allocate_zeroed_buffer(pool, room));
  made->nulls_ = made->null_bytes_->mutable_data();
  if (is_text(type)) {
    made->text_ = std::make_shared<MutableBuffer>(pool.shared_from_this());
    made->spans_.resize(static_cast<std::size_t>(rows));
  } else {
    CLP_ASSIGN_OR_RETURN(made->values_, allocate_zeroed_buffer(pool, type.fixed_width() * room));
  }
  made->abi_ = {.rows = rows,
                .values = made->values_ != nullptr ? made->values_->mutable_data() : nullptr,
                .nulls = made->nulls_,
                .answered = 0,
                .set_text = set_text,
                .engine = made.get()};
  return made;
}

std::int32_t UserResults::set_text(ClpResult* result, std::int64_t row, const char* data,
                                   std::int64_t size) {
  auto& self = *static_cast<UserResults*>(result->engine);
  const auto refuse = [&](Status status) {
    if (self.problem_.is_ok()) self.problem_ = std::move(status);
    return std::int32_t{1};
  };
  if (self.text_ == nullptr) {
    return refuse(Status::invalid_argument(
        fmt::format("it answered a text, its result is {}", self.type_.name())));
  }
  if (row < 0 || row >= static_cast<std::int64_t>(self.spans_.size()) || size < 0 ||
      size > kTextMax || (data == nullptr && size > 0)) {
    return refuse(Status::invalid_argument(
        fmt::format("it answered {} bytes for row {} of {}", size, row, self.spans_.size())));
  }
  const std::int64_t offset = self.text_->size();
  if (Status grown = self.text_->resize(offset + size); !grown.is_ok()) {
    return refuse(std::move(grown));
  }
  if (size > 0) {
    std::memcpy(self.text_->mutable_data() + offset, data, static_cast<std::size_t>(size));
  }
  self.spans_[static_cast<std::size_t>(row)] = {offset, size};
  ++result->answered;
  return 0;
}

std::string_view UserResults::text(std::int64_t row) const {
  const Span& span = spans_[static_cast<std::size_t>(row)];
  return {reinterpret_cast<const char*>(text_->data()) + span.offset,
          static_cast<std::size_t>(span.size)};
}

Status UserResults::check_value(std::int64_t row) const {
  const auto at = [&]<typename T>(T) { return reinterpret_cast<const T*>(values())[row]; };
  const auto wrong = [&](std::string_view what) {
    return Status::invalid_argument(fmt::format("its answer is no {}: {}", type_.name(), what));
  };
  switch (type_.kind()) {
    case TypeKind::kBoolean:
      return at(std::uint8_t{}) <= 1 ? Status::ok() : wrong("neither 0 nor 1");
    case TypeKind::kTime:
      return at(std::int32_t{}) >= 0 && at(std::int32_t{}) < kMillisPerDay
                 ? Status::ok()
                 : wrong(fmt::format("{} ms", at(std::int32_t{})));
    case TypeKind::kDecimal: {
      const Int128 bound = decimal_power_of_ten(type_.precision());
      const Int128 digits = at(Int128{});
      return digits < bound && digits > -bound ? Status::ok() : wrong("it has too many digits");
    }
    case TypeKind::kVarchar:
      return is_valid_utf8(text(row)) ? Status::ok() : wrong("its bytes are not UTF-8");
    default:
      return Status::ok();
  }
}

Status UserResults::check(const UserFunctionGroup& group, const Status& called) const {
  // What the engine did not take says more than that the call gave up then.
  if (!problem_.is_ok()) return user_failure(group, problem_.message());
  CLP_RETURN_IF_ERROR(called);
  if (abi_.answered != abi_.rows) {
    return user_failure(group, fmt::format("it answered {} of {} rows", abi_.answered, abi_.rows));
  }
  for (std::int64_t row = 0; row < abi_.rows; ++row) {
    if (is_null(row)) {
      if (!type_.nullable()) return user_failure(group, "it answered NULL, and says it never does");
      continue;
    }
    if (text_ != nullptr && spans_[static_cast<std::size_t>(row)].offset < 0) {
      return user_failure(group, fmt::format("it gave no answer for row {}", row));
    }
    if (const Status value = check_value(row); !value.is_ok()) {
      return user_failure(group, value.message());
    }
  }
  return Status::ok();
}

}  // namespace clepsydra
