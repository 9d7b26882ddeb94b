// The rows of a result, kept to be shown, and the place that is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/console/keys.h"
#include "stream/batch.h"
#include "stream/data_type.h"
#include "stream/time_zone.h"

namespace clepsydra::console {

struct ResultTableOptions {
  TimeZonePtr zone;  // That TIMESTAMP_LTZ is shown in; null: UTC.
  int max_column_width = 30;
  std::size_t rows_max = 500;  // The oldest go first.
  // Each change is a row of its own with its kind in a column `op`. Otherwise changes are applied:
  // -U and -D take the row away that they name.
  bool shows_changes = true;
  bool has_updates = false;  // There may be other changes than +I.
  // The last line says where one is and what keys there are.
  bool has_keys = false;
};

// Where rows are kept: changes as they came, or the rows that they leave. In result_table.cc.
class RowStore;

// Rows become text only when they are shown, sorted or searched (applied changes: when they come).
//
// Threads: one at a time.
class ResultTable {
 public:
  // While rows still come, sorting and searching look at this many of the newest.
  static constexpr std::size_t kSearchedRowsMax = 20'000;

  ResultTable(SchemaPtr schema, const ResultTableOptions& options);
  ~ResultTable();
  ResultTable(const ResultTable&) = delete;
  ResultTable& operator=(const ResultTable&) = delete;

  void add(Batch batch);
  // No more rows will come. Begins at the first row, unless somebody has looked elsewhere already.
  void complete();

  // A table of at most `lines_max` lines and `columns` columns.
  [[nodiscard]] std::vector<std::string> lines(std::size_t lines_max, int columns);
  // Moves, sorts and searches; true when somebody wants to leave.
  bool handle(const Key& key);
  void show_keys() { options_.has_keys = true; }
  void hide_keys() { options_.has_keys = false; }

  [[nodiscard]] std::int64_t received() const { return received_; }
  [[nodiscard]] std::size_t size() const;  // Rows kept.
  // All kept rows in their order, columns as wide as their values.
  [[nodiscard]] std::string whole_text() const;

 private:
  bool handle_search(const Key& key);
  void handle_move(const Key& key);
  void move(std::int64_t rows);
  void sort_by(std::optional<std::size_t> column, bool is_descending);
  // Which rows are shown, when it is not simply all of them.
  void update_view();
  [[nodiscard]] std::size_t shown_rows() const;
  [[nodiscard]] std::vector<std::string> cells_at(std::size_t shown) const;
  [[nodiscard]] std::string keys_line(std::size_t room) const;

  const SchemaPtr schema_;
  ResultTableOptions options_;
  const std::vector<int> widths_;
  const std::unique_ptr<RowStore> store_;
  std::int64_t received_ = 0;
  bool is_complete_ = false;

  std::size_t top_ = 0;
  bool follows_end_ = true;
  std::size_t left_ = 0;  // First column shown.
  std::size_t page_ = 1;  // Rows that fitted last.
  std::optional<std::size_t> sort_column_;
  bool is_descending_ = false;
  std::string search_;
  std::optional<std::string> typed_search_;       // While it is typed.
  std::optional<std::vector<std::size_t>> view_;  // Rows of the store; of no use when stale.
  bool is_stale_ = false;
};

}  // namespace clepsydra::console
