// The recorded calls of scalar_calls.tsv, over literals and over columns.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "functions/expression_program.h"
#include "functions/function_registry.h"
#include "stream/column_builder.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using testing::cell_of;
using testing::column_of;
using testing::source_path;
using testing::test_pool;
using testing::type_of;

struct Call {
  std::string name;
  std::string function;
  DataType type;
  std::string result;
  std::vector<ExpressionPtr> arguments;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = line.find('\t', begin);
    parts.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

// "+1 02:03:04.500" in milliseconds, "+2-03" in months: the harness reads no intervals.
std::int64_t interval_of(const std::string& text) {
  char sign = 0;
  std::int64_t parts[5] = {};
  char mark = 0;
  std::istringstream in(text);
  in >> sign;
  for (std::int64_t& part : parts) {
    if (!(in >> part)) break;
    in.get(mark);
  }
  const bool months = text.find('-', 1) != std::string::npos && text.find(':') == std::string::npos;
  const std::int64_t value =
      months ? parts[0] * 12 + parts[1]
             : ((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60'000 + parts[3] * 1000 + parts[4];
  return sign == '-' ? -value : value;
}

Column cells_of(const DataType& type, const std::vector<std::string>& cells) {
  if (type.kind() != TypeKind::kIntervalDayTime && type.kind() != TypeKind::kIntervalYearMonth) {
    return column_of(type, std::vector<std::string_view>(cells.begin(), cells.end()));
  }
  ColumnBuilder builder(type, test_pool());
  for (const std::string& cell : cells) {
    if (cell == "NULL") {
      builder.append_null();
    } else if (type.kind() == TypeKind::kIntervalDayTime) {
      builder.append<std::int64_t>(interval_of(cell));
    } else {
      builder.append<std::int32_t>(static_cast<std::int32_t>(interval_of(cell)));
    }
  }
  return builder.finish().value();
}

std::vector<Call> recorded_calls() {
  std::ifstream file(source_path("src/functions/scalar_calls.tsv"));
  std::vector<Call> calls;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::vector<std::string> parts = split(line);
    Call call{parts[0], parts[1], type_of(parts[2]), parts[3], {}};
    for (std::size_t i = 4; i + 1 < parts.size(); i += 2) {
      call.arguments.push_back(
          parts[i] == "NULL" ? null_literal(DataType::null())
                             : Expression::literal(cells_of(type_of(parts[i]), {parts[i + 1]})));
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<ExpressionPtr> resolve(const Call& call, std::vector<ExpressionPtr> arguments) {
  const FunctionRegistry& registry = FunctionRegistry::built_in();
  if (call.function == "CAST" || call.function == "TRY_CAST") {
    return registry.cast(arguments[0], call.type, call.function == "TRY_CAST");
  }
  return registry.resolve(call.function, std::move(arguments));
}

std::vector<std::string> evaluate(const ExpressionPtr& expression, const Batch& batch) {
  const SystemClock clock;
  Result<ExpressionProgram> program = ExpressionProgram::make(
      std::vector<ExpressionPtr>{expression}, {.pool = &test_pool(), .clock = &clock});
  if (!program.is_ok()) return {program.status().to_string()};
  const Result<std::vector<Column>> columns = program->evaluate(batch);
  if (!columns.is_ok()) return {columns.status().to_string()};
  EXPECT_TRUE(validate((*columns)[0], true).is_ok());
  std::vector<std::string> cells;
  for (std::int64_t row = 0; row < batch.rows(); ++row)
    cells.push_back(cell_of((*columns)[0], row));
  return cells;
}

TEST(ScalarCallsTest, literals_give_the_recorded_type_and_value) {
  const std::vector<Call> calls = recorded_calls();
  ASSERT_GT(calls.size(), 1000);
  for (const Call& call : calls) {
    SCOPED_TRACE(call.name);
    const Result<ExpressionPtr> expression = resolve(call, call.arguments);
    ASSERT_TRUE(expression.is_ok()) << expression.status().to_string();
    EXPECT_EQ((*expression)->type().to_string(), call.type.to_string());
    EXPECT_EQ(evaluate(*expression, Batch(make_schema({}), 1, {})),
              std::vector<std::string>{call.result});
  }
}

// The same values in columns with a NULL between them: rows that are NULL must neither fail nor
// disturb the others.
struct ColumnCall {
  std::vector<ExpressionPtr> arguments;
  std::vector<Field> fields;
  std::vector<Column> columns;
};

// Equal arguments become one column: NaN = NaN is TRUE only of one column. With `all` false only
// the first argument becomes a column: what decides on the type (the digits of ROUND) stays a
// literal.
ColumnCall over_columns(const Call& call, bool all) {
  ColumnCall made;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const ExpressionPtr& literal = call.arguments[i];
    const DataType type = literal->type().with_nullable(true);
    std::size_t same = 0;
    while (same < i && !(*call.arguments[same] == *literal)) ++same;
    if (same < i) {
      made.arguments.push_back(made.arguments[same]);
    } else if (type.kind() == TypeKind::kNull || (!all && !made.fields.empty())) {
      made.arguments.push_back(literal);
    } else {
      const std::string cell = cell_of(literal->literal_value(), 0);
      made.arguments.push_back(Expression::column(static_cast<int>(made.fields.size()), type, "c"));
      made.fields.push_back({"c", type, ""});
      made.columns.push_back(cells_of(type, {cell, "NULL", cell}));
    }
  }
  return made;
}

TEST(ScalarCallsTest, columns_with_nulls_give_the_recorded_value) {
  int checked = 0;
  for (const Call& call : recorded_calls()) {
    SCOPED_TRACE(call.name);
    for (const bool all : {true, false}) {
      const ColumnCall columns = over_columns(call, all);
      const Result<ExpressionPtr> expression = resolve(call, columns.arguments);
      if (!expression.is_ok() || !(*expression)->type().same_values(call.type)) continue;
      const std::vector<std::string> cells =
          evaluate(*expression, Batch(make_schema(columns.fields), 3, columns.columns));
      ASSERT_EQ(cells.size(), 3) << cells[0];
      EXPECT_EQ(cells[0], call.result);
      EXPECT_EQ(cells[2], call.result);
      ++checked;
    }
  }
  EXPECT_GT(checked, 2000);
}

}  // namespace
}  // namespace clepsydra
