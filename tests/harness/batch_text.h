// Batches as text, for tests: short to write, easy to compare.
//
//   const SchemaPtr schema = schema_of("id BIGINT, name STRING, tags ARRAY<STRING>");
//   const Batch batch = batch_of(schema, {
//       "1 | ann | [a, b]",
//       "@1000",               // A mark: the watermark reaches 1000 here.
//       "-D 2 | NULL | []",    // A row kind in front; without one the row is an insert.
//   });
//   EXPECT_THAT(lines_of(batch), ElementsAre("1 | ann | [a, b]", "@1000", "-D 2 | NULL | []"));
//
// Values are written as they print (value_text.h, binary as x'0aff'), nested ones as [1, 2], {a=1,
// b=2} and (1, a), and only they are trimmed. Text that would be read as something else stands in
// single quotes, with '' for one: 'NULL', ' x ', 'a | b', '[a, b]'. lines_of() quotes what needs
// it.
//
// A mistake in a literal ends the test program with a message that shows it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/batch.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {
class MemoryPool;
}  // namespace clepsydra

namespace clepsydra::testing {

// A pool without a limit for everything that a test does not want to count. Never destroyed.
MemoryPool& test_pool();

// "DECIMAL(10, 2) NOT NULL", "MAP<STRING, INT>", "ROW<a INT, b STRING>", "TIMESTAMP(3) *ROWTIME*".
DataType type_of(std::string_view text);
// "a INT, b STRING NOT NULL"; names may stand in backquotes.
SchemaPtr schema_of(std::string_view text);

// The batch that the lines say. Of marks at one place the last stays.
Batch batch_of(SchemaPtr schema, const std::vector<std::string_view>& lines,
               MemoryPool& pool = test_pool());
Batch batch_of(std::string_view schema, const std::vector<std::string_view>& lines,
               MemoryPool& pool = test_pool());
// One value per item.
Column column_of(const DataType& type, const std::vector<std::string_view>& values,
                 MemoryPool& pool = test_pool());
Column column_of(std::string_view type, const std::vector<std::string_view>& values,
                 MemoryPool& pool = test_pool());

// Rows and marks in order, as batch_of() takes them.
std::vector<std::string> lines_of(const Batch& batch);
std::vector<std::string> lines_of(const Column& column);
std::string cell_of(const Column& column, std::int64_t row);

}  // namespace clepsydra::testing
