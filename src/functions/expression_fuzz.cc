// Any bytes as an expression of a plan: read, compiled and run over a batch, or refused.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/memory_pool.h"
#include "functions/expression.h"
#include "functions/expression_program.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// One column of each layout that expressions often read, three rows with a NULL.
Batch make_batch() {
  const std::vector<DataType> types = {DataType::integer(), DataType::big_int(),
                                       DataType::double_(), DataType::string(),
                                       DataType::boolean(), DataType::timestamp(3)};
  std::vector<Field> fields;
  std::vector<Column> columns;
  for (const DataType& type : types) {
    ColumnBuilder builder(type, literal_pool());
    for (int row = 0; row < 3; ++row) {
      switch (type.physical()) {
        case PhysicalType::kInt32:
          builder.append<std::int32_t>(row - 1);
          break;
        case PhysicalType::kInt64:
          builder.append<std::int64_t>(row * 1000L);
          break;
        case PhysicalType::kDouble:
          builder.append<double>(row / 2.0);
          break;
        case PhysicalType::kBool8:
          builder.append<std::uint8_t>(row == 1 ? 1 : 0);
          break;
        default:
          builder.append_string("some text of a row");
          break;
      }
    }
    builder.append_null();
    fields.push_back({"c", type, ""});
    columns.push_back(builder.finish().value());
  }
  return Batch(make_schema(std::move(fields)), 4, std::move(columns));
}

void run(std::string_view bytes) {
  static const Batch kBatch = make_batch();
  static const std::shared_ptr<MemoryPool> kPool = MemoryPool::make_root("fuzz", 64 << 20);
  const Result<ValueTree> tree = ValueTree::decode(bytes);
  if (!tree.is_ok()) return;
  const Result<ExpressionPtr> expression = expression_from_tree(*tree);
  if (!expression.is_ok()) return;
  static_cast<void>((*expression)->to_string());
  Result<ExpressionProgram> program =
      ExpressionProgram::make(std::vector<ExpressionPtr>{*expression}, {.pool = kPool.get()});
  if (!program.is_ok()) return;
  const Result<std::vector<Column>> columns = program->evaluate(kBatch);
  if (!columns.is_ok()) return;
  if (!validate((*columns)[0], false).is_ok()) __builtin_trap();
}

}  // namespace
}  // namespace clepsydra

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clepsydra::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
