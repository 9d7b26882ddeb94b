#include "operators/window/aggregate_row.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "stream/column_builder.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

Result<std::vector<DataType>> types_of_arguments(const ValueTree& call,
                                                 const std::vector<int>& arguments,
                                                 const Schema& input, bool partials) {
  std::vector<DataType> types;
  if (call.find("argument_types") != nullptr) {
    CLP_ASSIGN_OR_RETURN(const ValueTree::List trees, call.get_list("argument_types"));
    for (const ValueTree& tree : trees) {
      CLP_ASSIGN_OR_RETURN(DataType type, type_from_tree(tree));
      types.push_back(std::move(type));
    }
    if (types.size() != arguments.size()) {
      return Status::invalid_argument(
          fmt::format("{} arguments and {} argument_types", arguments.size(), types.size()));
    }
    return types;
  }
  if (partials) {
    return Status::invalid_argument("argument_types are needed where partial results are merged");
  }
  for (const int column : arguments) types.push_back(input.field(column).type);
  return types;
}

Status check_column(std::int64_t column, const Schema& input) {
  if (column < 0 || column >= input.size()) {
    return Status::invalid_argument(
        fmt::format("column {} of an input with {} columns", column, input.size()));
  }
  return Status::ok();
}

Result<std::vector<int>> argument_columns(const ValueTree& call, const Schema& input,
                                          bool partials) {
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, call.get_list("arguments"));
  std::vector<int> columns;
  for (const ValueTree& item : list) {
    const std::int64_t* column = item.as_int();
    if (column == nullptr) return Status::invalid_argument("an argument is not a column index");
    if (!partials) CLP_RETURN_IF_ERROR(check_column(*column, input));
    columns.push_back(static_cast<int>(*column));
  }
  return columns;
}

bool has_type(const DataType& type, bool (*is_wanted)(const DataType&)) {
  if (is_wanted(type)) return true;
  for (const Field& field : type.fields()) {
    if (has_type(field.type, is_wanted)) return true;
  }
  return false;
}

bool is_decimal(const DataType& type) {
  return type.kind() == TypeKind::kDecimal;
}

bool is_bytes(const DataType& type) {
  return type.kind() == TypeKind::kVarbinary;
}

bool any_has(const std::vector<DataType>& types, bool (*is_wanted)(const DataType&)) {
  return std::any_of(types.begin(), types.end(),
                     [&](const DataType& type) { return has_type(type, is_wanted); });
}

// What the columns of an accumulator depend on beside their own types: bytes that only the function
// reads (hashes, those of libraries) on the types that it was given, numbers that were added up
// exactly on what their units are.
std::string meaning_of(std::string_view name, const std::vector<DataType>& arguments,
                       const std::vector<DataType>& state) {
  if (name == "COUNT" || any_has(state, is_decimal)) return {};
  const bool is_opaque = any_has(state, is_bytes) && !any_has(arguments, is_bytes);
  const bool is_sum = name == "SUM" || name == "AVG";
  std::vector<std::string> parts;
  for (const DataType& type : arguments) {
    if (is_opaque) {
      parts.push_back(type.name());
    } else if (is_decimal(type)) {
      parts.push_back(is_sum ? fmt::format("scale {}", type.scale()) : type.name());
    } else if (type.is_integer()) {
      parts.emplace_back("integers");
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Names, and meanings where both have one: earlier versions did not store them.
bool is_readable(const Field& stored, const Field& now) {
  return stored.name == now.name &&
         (stored.comment == now.comment || stored.comment.empty() || now.comment.empty());
}

std::string text_of(std::span<const Field> fields) {
  std::vector<std::string> texts;
  for (const Field& field : fields) {
    texts.push_back(fmt::format("{} {}", field.name, field.type.name()));
    if (!field.comment.empty()) texts.back() += fmt::format(" ({})", field.comment);
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

Result<AggregateRow> AggregateRow::make(const ValueTree::List& calls, const Schema& input,
                                        bool partials) {
  AggregateRow row;
  for (const ValueTree& tree : calls) {
    CLP_ASSIGN_OR_RETURN(const std::string name, tree.get_string("function"));
    const auto make_call = [&]() -> Result<Call> {
      Call call;
      CLP_ASSIGN_OR_RETURN(call.arguments, argument_columns(tree, input, partials));
      CLP_ASSIGN_OR_RETURN(const std::vector<DataType> types,
                           types_of_arguments(tree, call.arguments, input, partials));
      const std::int64_t filter = tree.get_int_or("filter", -1);
      if (filter >= 0 && !partials) {
        CLP_RETURN_IF_ERROR(check_column(filter, input));
        if (input.field(static_cast<int>(filter)).type.kind() != TypeKind::kBoolean) {
          return Status::invalid_argument("its FILTER is not BOOLEAN");
        }
        call.filter = static_cast<int>(filter);
      }
      CLP_ASSIGN_OR_RETURN(const ValueTree type_tree, tree.get("type"));
      CLP_ASSIGN_OR_RETURN(const DataType type, type_from_tree(type_tree));
      const bool distinct = tree.get_bool_or("distinct", false);
      CLP_ASSIGN_OR_RETURN(call.function, make_aggregate(name, types, type, distinct));
      call.name = distinct ? name + " DISTINCT" : name;
      call.meaning = meaning_of(call.name, types, call.function->state_types());
      return call;
    };
    Result<Call> call = make_call();
    if (!call.is_ok()) return call.status().with_context(fmt::format("aggregate {}", name));
    call->offset = row.value_bytes_;
    row.value_bytes_ += call->function->state_bytes();
    row.calls_.push_back(*std::move(call));
  }
  return row;
}

bool AggregateRow::is_invertible() const {
  return std::all_of(calls_.begin(), calls_.end(),
                     [](const Call& call) { return call.function->is_invertible(); });
}

bool AggregateRow::is_order_sensitive() const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [](const Call& call) { return call.function->is_order_sensitive(); });
}

bool AggregateRow::has_out_of_line() const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [](const Call& call) { return call.function->has_out_of_line(); });
}

int AggregateRow::state_columns() const {
  std::size_t columns = 0;
  for (const Call& call : calls_) columns += call.function->state_types().size();
  return static_cast<int>(columns);
}

Status AggregateRow::update(std::span<std::byte* const> values, const std::int32_t* rows,
                            const Batch& batch, StateMemory& memory) {
  for (std::byte* value : values) ++row_count(value);
  StateMemoryAllocator allocator(memory);
  for (const Call& call : calls_) {
    arguments_.clear();
    for (const int column : call.arguments) arguments_.push_back(batch.column(column));
    const AggregateInput input{
        .states = values,
        .offset = call.offset,
        .rows = rows,
        .arguments = arguments_,
        .filter = call.filter >= 0 ? &batch.column(call.filter) : nullptr,
    };
    CLP_RETURN_IF_ERROR(call.function->update(input, allocator));
  }
  arguments_.clear();  // Keeps no batch alive.
  return Status::ok();
}

Status AggregateRow::merge_partials(std::span<std::byte* const> values, const std::int32_t* rows,
                                    const Batch& batch, int rows_column, StateMemory& memory) {
  const auto* counts = batch.column(rows_column).values<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    row_count(values[i]) += counts[rows != nullptr ? rows[i] : static_cast<std::int64_t>(i)];
  }
  StateMemoryAllocator allocator(memory);
  int column = rows_column + 1;
  for (const Call& call : calls_) {
    arguments_.clear();
    for (std::size_t i = 0; i < call.function->state_types().size(); ++i) {
      arguments_.push_back(batch.column(column++));
    }
    const AggregateInput input{
        .states = values, .offset = call.offset, .rows = rows, .arguments = arguments_};
    CLP_RETURN_IF_ERROR(call.function->merge_columns(input, allocator));
  }
  arguments_.clear();
  return Status::ok();
}

Status AggregateRow::merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
                           StateMemory& memory) {
  for (std::size_t i = 0; i < into.size(); ++i) row_count(into[i]) += row_count(from[i]);
  StateMemoryAllocator allocator(memory);
  for (const Call& call : calls_) {
    CLP_RETURN_IF_ERROR(call.function->merge(into, from, call.offset, allocator));
  }
  return Status::ok();
}

Status AggregateRow::subtract(std::span<std::byte* const> into, std::span<std::byte* const> from) {
  for (std::size_t i = 0; i < into.size(); ++i) row_count(into[i]) -= row_count(from[i]);
  for (const Call& call : calls_) {
    CLP_RETURN_IF_ERROR(call.function->subtract(into, from, call.offset));
  }
  return Status::ok();
}

void AggregateRow::destroy(std::span<std::byte* const> values, StateMemory& memory) {
  StateMemoryAllocator allocator(memory);
  for (const Call& call : calls_) {
    if (call.function->has_out_of_line()) call.function->destroy(values, call.offset, allocator);
  }
}

std::vector<Field> AggregateRow::partial_fields() const {
  std::vector<Field> fields = {{"rows", DataType::big_int().with_nullable(false), {}}};
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const std::vector<DataType>& types = calls_[i].function->state_types();
    for (std::size_t part = 0; part < types.size(); ++part) {
      fields.push_back(
          {fmt::format("{} {} {}", i, calls_[i].name, part), types[part], calls_[i].meaning});
    }
  }
  return fields;
}

Status AggregateRow::write_partials(std::span<std::byte* const> values, MemoryPool& pool,
                                    std::vector<Column>& out) {
  ColumnBuilder counts(DataType::big_int().with_nullable(false), pool);
  counts.reserve(static_cast<std::int64_t>(values.size()));
  for (std::byte* value : values) counts.append(row_count(value));
  CLP_ASSIGN_OR_RETURN(Column column, counts.finish());
  out.push_back(std::move(column));
  for (const Call& call : calls_) {
    CLP_RETURN_IF_ERROR(call.function->write_state(values, call.offset, pool, out));
  }
  return Status::ok();
}

Status AggregateRow::emit(std::span<std::byte* const> values, MemoryPool& pool,
                          std::vector<Column>& out) {
  for (const Call& call : calls_) {
    CLP_ASSIGN_OR_RETURN(Column column, call.function->emit(values, call.offset, pool));
    out.push_back(std::move(column));
  }
  return Status::ok();
}

AggregateRowCodec::AggregateRowCodec(std::shared_ptr<AggregateRow> aggregates)
    : aggregates_(std::move(aggregates)), schema_(make_schema(aggregates_->partial_fields())) {}

Status AggregateRowCodec::check_stored(std::span<const Field> stored) const {
  const std::vector<Field>& now = fields();
  if (std::equal(stored.begin(), stored.end(), now.begin(), now.end(), is_readable)) {
    return Status::ok();
  }
  return Status::failed_precondition(fmt::format("aggregates were stored as ({}) and are ({}) now",
                                                 text_of(stored), text_of(now)));
}

Status AggregateRowCodec::write(std::span<std::byte* const> values, MemoryPool& pool,
                                std::vector<Column>& out) {
  return aggregates_->write_partials(values, pool, out);
}

Status AggregateRowCodec::read(std::span<const Column> columns, std::span<std::byte* const> values,
                               StateMemory& memory) {
  const Batch batch(schema_, static_cast<std::int64_t>(values.size()),
                    {columns.begin(), columns.end()});
  return aggregates_->merge_partials(values, nullptr, batch, 0, memory);
}

void AggregateRowCodec::clear(std::span<std::byte* const> values, StateMemory& memory) {
  aggregates_->destroy(values, memory);
  for (std::byte* value : values) {
    std::memset(value, 0, static_cast<std::size_t>(aggregates_->value_bytes()));
  }
}

}  // namespace clepsydra
