// A result as text, in the form that was asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/console/output_format.h"
#include "stream/batch.h"
#include "stream/data_type.h"
#include "stream/time_zone.h"

namespace clepsydra::console {

struct ResultPrinterOptions {
  OutputFormat format = OutputFormat::kTsv;
  TimeZonePtr zone;  // That TIMESTAMP_LTZ is shown in; null: UTC.
  // Tableau: columns of text are this wide.
  int max_column_width = 30;
};

// Call begin(), then rows() for every batch in the order of emission, then end(). All append to
// `out` and never look at it.
//
// Threads: one at a time.
class ResultPrinter {
 public:
  virtual ~ResultPrinter() = default;
  virtual void begin(std::string& out) = 0;
  virtual void rows(const Batch& batch, std::string& out) = 0;
  virtual void end(std::string& out) = 0;
};

// The rows of a SELECT that come one after the other: tableau has an `op` column with the kind of
// change, and widths that follow from the types, as in the reference's streaming mode.
std::unique_ptr<ResultPrinter> make_stream_printer(const SchemaPtr& schema,
                                                   const ResultPrinterOptions& options);

// A whole small table at once (SHOW, DESCRIBE, EXPLAIN): tableau has widths that follow from the
// values, and shows a single value of several lines as it is.
std::string print_table(const Batch& table, const ResultPrinterOptions& options);

// The pieces of tableau that a result in sight shares.
std::vector<int> column_widths_by_type(const Schema& schema, int max_column_width);
// Visible text of every column of a row; NULL as <NULL>.
std::vector<std::string> row_cells(const Batch& batch, std::int64_t row, const TimeZone* zone);
std::string row_cell(const Batch& batch, std::int64_t row, int column, const TimeZone* zone);
std::vector<std::string> header_cells(const Schema& schema);

}  // namespace clepsydra::console
