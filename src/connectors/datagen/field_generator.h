// One column of generated data: random within bounds, or a sequence. Every value follows from the
// seed and the number of its row, so the rows are the same at any parallelism.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "stream/column_builder.h"
#include "stream/data_type.h"

namespace clepsydra {

class FieldGenerator {
 public:
  // Reads "fields.<path>.kind" and so on. Adds the keys it knows to `used`.
  static Result<FieldGenerator> make(const std::string& path, const DataType& type,
                                     const TableOptions& options, std::set<std::string>& used);

  // Rows of a sequence; none for random fields, which never end.
  [[nodiscard]] std::optional<std::int64_t> rows() const { return rows_; }
  // Appends the value of row `row`. `now_ms`: what TIMESTAMP fields are near.
  void append(std::int64_t row, std::uint64_t seed, std::int64_t now_ms,
              ColumnBuilder& builder) const;

 private:
  void append_random(std::uint64_t random, std::int64_t row, std::uint64_t seed,
                     std::int64_t now_ms, ColumnBuilder& builder) const;
  void append_sequence(std::int64_t row, ColumnBuilder& builder) const;
  void append_text(std::uint64_t random, ColumnBuilder& builder) const;

  DataType type_;
  std::uint64_t stream_ = 0;  // From the path: every field has random numbers of its own.
  std::optional<std::int64_t> rows_;
  std::int64_t start_ = 0;
  Int128 min_ = 0;
  Int128 max_ = 0;
  double min_double_ = 0;
  double max_double_ = 1;
  std::int64_t max_past_ms_ = 0;
  std::int64_t length_ = 100;
  bool variable_length_ = false;
  double null_rate_ = 0;
  std::vector<FieldGenerator> children_;
};

}  // namespace clepsydra
