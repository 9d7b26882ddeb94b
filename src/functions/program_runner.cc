#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/utf8.h"
#include "functions/program.h"
#include "stream/column_builder.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// Appends the columns that `expression` reads, each once.
void collect_columns(const Expression& expression, std::vector<const Expression*>& out) {
  if (expression.kind() == Expression::Kind::kColumn) {
    for (const Expression* known : out) {
      if (known->column_index() == expression.column_index()) return;
    }
    out.push_back(&expression);
  }
  for (const ExpressionPtr& argument : expression.arguments()) collect_columns(*argument, out);
}

// Whether kernels for one type may read values of another.
bool same_layout(const DataType& a, const DataType& b) {
  if (a.physical() != b.physical()) return false;
  if (!a.is_nested()) return true;
  if (a.fields().size() != b.fields().size()) return false;
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    if (!same_layout(a.fields()[i].type, b.fields()[i].type)) return false;
  }
  return true;
}

template <typename T>
void copy_rows(const Vector& from, Rows rows, std::uint8_t* to) {
  auto* out = reinterpret_cast<T*>(to);
  const T* values = from.data<T>();
  if (from.is_constant) {
    const T value = values[0];
    for_each_row(rows, [&](std::int32_t row) { out[row] = value; });
  } else {
    for_each_row(rows, [&](std::int32_t row) { out[row] = values[row]; });
  }
}

// Puts together one result from several vectors, each for some of the rows: CASE and COALESCE.
class Merger {
 public:
  Merger(KernelCall& call, Vector& out) : call_(call), out_(out) {}

  bool start() {
    out_.is_constant = false;
    out_.validity = nullptr;
    is_nested_ = out_.type.fixed_width() == 0;
    if (!is_nested_) return call_.allocate_results();
    sources_.assign(static_cast<std::size_t>(call_.rows.length), -1);
    return true;
  }

  bool add(const Vector& from, Rows rows) {
    if (rows.count == 0) return true;
    if (is_nested_) {
      for_each_row(rows, [&](std::int32_t row) {
        sources_[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(columns_.size());
      });
      columns_.push_back(&from);
      return true;
    }
    if (from.validity != nullptr && !merge_validity(from, rows)) return false;
    auto* to = call_.results<std::uint8_t>();
    if (from.is_constant && from.is_null(0)) return true;
    switch (out_.type.fixed_width()) {
      case 1:
        copy_rows<std::uint8_t>(from, rows, to);
        break;
      case 2:
        copy_rows<std::uint16_t>(from, rows, to);
        break;
      case 4:
        copy_rows<std::uint32_t>(from, rows, to);
        break;
      case 8:
        copy_rows<std::uint64_t>(from, rows, to);
        break;
      default:
        if (out_.type.physical() == PhysicalType::kView) {
          copy_views(from, rows);
        } else {
          copy_rows<Int128>(from, rows, to);
        }
    }
    return true;
  }

  bool finish() {
    if (!is_nested_) return true;
    ColumnBuilder builder(out_.type, *call_.context.pool);
    for (std::int32_t row = 0; row < call_.rows.length; ++row) {
      const std::int32_t source = sources_[static_cast<std::size_t>(row)];
      const Vector* from = source < 0 ? nullptr : columns_[static_cast<std::size_t>(source)];
      if (from == nullptr || from->is_null(row)) {
        builder.append_null();
      } else {
        builder.append_from(from->column, from->index_of(row));
      }
    }
    return call_.set_result(builder.finish());
  }

 private:
  bool merge_validity(const Vector& from, Rows rows) {
    std::uint8_t* bits = call_.mutable_validity();
    if (bits == nullptr) return false;
    for_each_row(rows, [&](std::int32_t row) {
      if (from.is_null(row)) clear_bit(bits, row);
    });
    return true;
  }

  void copy_views(const Vector& from, Rows rows) {
    const auto first_blob = static_cast<std::int32_t>(out_.blobs.size());
    out_.blobs.insert(out_.blobs.end(), from.blobs.begin(), from.blobs.end());
    out_.blob_bases.insert(out_.blob_bases.end(), from.blob_bases.begin(), from.blob_bases.end());
    auto* to = call_.results<StringView16>();
    const auto* views = from.data<StringView16>();
    for_each_row(rows, [&](std::int32_t row) {
      StringView16 view = views[from.index_of(row)];
      if (!view.is_inline()) view.ref.blob += first_blob;
      to[row] = view;
    });
  }

  KernelCall& call_;
  Vector& out_;
  bool is_nested_ = false;
  std::vector<const Vector*> columns_;
  std::vector<std::int32_t> sources_;  // By row: the vector in columns_, or -1.
};

// TRUE, FALSE or NULL of a BOOLEAN vector's row.
enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };
Truth truth_of(const Vector& vector, std::int32_t row) {
  if (vector.is_null(row)) return Truth::kUnknown;
  return vector.data<std::uint8_t>()[vector.index_of(row)] != 0 ? Truth::kTrue : Truth::kFalse;
}

// Folds one more condition into the result of an AND or OR.
class LogicMerger {
 public:
  LogicMerger(KernelCall& call, bool is_and) : call_(call), is_and_(is_and) {}

  bool add(const Vector& condition, Rows rows) {
    auto* values = call_.results<std::uint8_t>();
    if (call_.out.validity == nullptr && condition.validity == nullptr) {
      if (condition.is_constant) {
        const std::uint8_t value = condition.values[0];
        for_each_row(rows, [&](std::int32_t row) { fold(values[row], value); });
      } else {
        const std::uint8_t* more = condition.values;
        for_each_row(rows, [&](std::int32_t row) { fold(values[row], more[row]); });
      }
      return true;
    }
    std::uint8_t* bits = call_.mutable_validity();
    if (bits == nullptr) return false;
    const Truth decider = is_and_ ? Truth::kFalse : Truth::kTrue;
    for_each_row(rows, [&](std::int32_t row) {
      const Truth more = truth_of(condition, row);
      if (is_decided(row) || (more != decider && !get_bit(bits, row))) return;
      if (more == Truth::kUnknown) {
        clear_bit(bits, row);
      } else if (more == decider) {
        set_bit(bits, row);
        values[row] = decider == Truth::kTrue ? 1 : 0;
      }
    });
    return true;
  }

  // FALSE in an AND, TRUE in an OR: nothing that follows can change it.
  [[nodiscard]] bool is_decided(std::int32_t row) const {
    return !call_.out.is_null(row) && (call_.out.values[row] != 0) != is_and_;
  }

 private:
  void fold(std::uint8_t& value, std::uint8_t more) const {
    value = static_cast<std::uint8_t>(is_and_ ? value & more : value | more);
  }

  KernelCall& call_;
  const bool is_and_;
};

// Borrows a vector of indices from a program's stock for as long as a branch runs.
class IndexScratch {
 public:
  IndexScratch(std::vector<std::unique_ptr<std::vector<std::int32_t>>>& stock, std::size_t& used)
      : used_(used) {
    if (used == stock.size()) stock.push_back(std::make_unique<std::vector<std::int32_t>>());
    indices_ = stock[used].get();
    ++used;
  }
  ~IndexScratch() { --used_; }
  IndexScratch(const IndexScratch&) = delete;
  IndexScratch& operator=(const IndexScratch&) = delete;
  std::vector<std::int32_t>& operator*() { return *indices_; }

 private:
  std::vector<std::int32_t>* indices_;
  std::size_t& used_;
};

Rows rows_of(const std::vector<std::int32_t>& indices, std::int32_t length) {
  return {.indices = indices.data(),
          .count = static_cast<std::int32_t>(indices.size()),
          .length = length};
}

}  // namespace

void clean_nulls(const Vector& vector, const ResultBuffers& buffers, Rows rows) {
  if (vector.validity == nullptr || buffers.values == nullptr ||
      vector.values != buffers.values->data()) {
    return;
  }
  std::uint8_t* values = buffers.values->mutable_data();
  if (vector.type.physical() == PhysicalType::kBool8) {
    for_each_row(rows, [&](std::int32_t row) { values[row] &= 1; });
  } else if (vector.type.physical() == PhysicalType::kView) {
    auto* views = reinterpret_cast<StringView16*>(values);
    for_each_row(rows, [&](std::int32_t row) {
      if (vector.is_null(row)) views[row] = StringView16();
    });
  }
}

void split_rows(const Vector& condition, Rows rows, std::vector<std::int32_t>& taken,
                std::vector<std::int32_t>* rest) {
  // Written without branches on the data: every row goes to the end of both lists, and stays in
  // one.
  taken.resize(static_cast<std::size_t>(rows.count));
  std::size_t taken_count = 0;
  std::size_t rest_count = 0;
  std::int32_t* taken_out = taken.data();
  std::int32_t* rest_out = nullptr;
  if (rest != nullptr) {
    rest->resize(static_cast<std::size_t>(rows.count));
    rest_out = rest->data();
  }
  const std::uint8_t* values = condition.values;
  const std::uint8_t* valid = condition.validity;
  const bool constant = condition.is_constant && !condition.is_null(0) && values[0] != 0;
  for_each_row(rows, [&](std::int32_t row) {
    const bool is_true = condition.is_constant
                             ? constant
                             : values[row] != 0 && (valid == nullptr || get_bit(valid, row));
    taken_out[taken_count] = row;
    taken_count += is_true ? 1 : 0;
    if (rest_out != nullptr) {
      rest_out[rest_count] = row;
      rest_count += is_true ? 0 : 1;
    }
  });
  taken.resize(taken_count);
  if (rest != nullptr) rest->resize(rest_count);
}

Status Program::run(const Batch& batch) {
  batch_ = &batch;
  for (const std::unique_ptr<Register>& slot : registers_) {
    if (slot->source != Register::Source::kInput) continue;
    if (slot->input_column >= batch.column_count()) {
      return Status::internal(fmt::format("an expression reads column {} of a batch of {}",
                                          slot->input_column, batch.column_count()));
    }
    const Column& column = batch.column(slot->input_column);
    if (!same_layout(column.type(), slot->vector.type)) {
      return Status::internal(fmt::format("an expression reads column {} as {}, but it is {}",
                                          slot->input_column, slot->vector.type.to_string(),
                                          column.type().to_string()));
    }
    slot->vector.set_column(column, false);
  }
  const auto rows = static_cast<std::int32_t>(batch.rows());
  return run_block(main_, Rows{.count = rows, .length = rows});
}

const Vector& Program::result(int i) const {
  return at(results_[static_cast<std::size_t>(i)]).vector;
}

Result<Column> Program::take_result(int i, std::int64_t rows) {
  return to_column(at(results_[static_cast<std::size_t>(i)]), rows);
}

void Program::finish() {
  batch_ = nullptr;
  for (const std::unique_ptr<Register>& slot : registers_) {
    if (slot->source == Register::Source::kConstant) continue;
    slot->vector.release();
  }
  // What a result or another buffer still refers to has been given away.
  for (const std::unique_ptr<Register>& slot : registers_) {
    ResultBuffers& buffers = slot->buffers;
    for (std::shared_ptr<MutableBuffer>* buffer :
         {&buffers.values, &buffers.validity, &buffers.blob}) {
      if (*buffer != nullptr && buffer->use_count() > 1) buffer->reset();
    }
  }
}

Status Program::run_block(Block& block, Rows rows) {
  for (Instruction& instruction : block.code) {
    switch (instruction.op) {
      case Instruction::Op::kCall:
        CLP_RETURN_IF_ERROR(run_call(instruction, rows));
        break;
      case Instruction::Op::kAnd:
      case Instruction::Op::kOr:
        CLP_RETURN_IF_ERROR(run_logic(instruction, rows));
        break;
      case Instruction::Op::kCase:
        CLP_RETURN_IF_ERROR(is_flat_case(instruction) ? run_flat_case(instruction, rows)
                                                      : run_case(instruction, rows));
        break;
      case Instruction::Op::kCoalesce:
        CLP_RETURN_IF_ERROR(run_coalesce(instruction, rows));
        break;
    }
  }
  return Status::ok();
}

Status Program::run_call(Instruction& instruction, Rows rows) {
  Register& out = at(instruction.out);
  out.vector.release();
  out.vector.is_constant = false;
  if (rows.count == 0) return Status::ok();
  argument_scratch_.clear();
  bool all_constant = instruction.function->volatility != Volatility::kPerRow;
  bool is_null = false;
  for (const int index : instruction.arguments) {
    const Vector& argument = at(index).vector;
    argument_scratch_.push_back(&argument);
    all_constant = all_constant && argument.is_constant;
    is_null = is_null || (argument.is_constant && argument.is_null(0));
  }
  if (instruction.function->is_strict && is_null) {
    out.vector.set_null_constant();
    return Status::ok();
  }
  const Rows computed = all_constant ? Rows{.count = 1, .length = 1} : rows;
  out.vector.is_constant = all_constant;
  KernelCall call(computed, argument_scratch_, out.vector, instruction.kernel.site.get(), context_,
                  out.buffers);
  const bool done = (!instruction.function->is_strict || call.combine_validity()) &&
                    (out.vector.type.fixed_width() == 0 || call.allocate_results()) &&
                    instruction.kernel.kernel(call);
  if (!done || !call.status().is_ok()) return explain_failure(instruction, call);
  clean_nulls(out.vector, out.buffers, call.rows);
  return Status::ok();
}

// "division by zero in (a / b), where a = 7, b = 0"
Status Program::explain_failure(const Instruction& instruction, const KernelCall& call) const {
  if (call.failed_row() < 0) return call.status();
  std::string message = fmt::format("{} in {}", call.status().message(),
                                    clip(instruction.expression->to_string(), 200));
  std::vector<const Expression*> columns;
  collect_columns(*instruction.expression, columns);
  for (std::size_t i = 0; batch_ != nullptr && i < columns.size() && i < 8; ++i) {
    const Column& column = batch_->column(columns[i]->column_index());
    std::string text = "NULL";
    if (!column.is_null(call.failed_row())) {
      text.clear();
      append_value_text(column, call.failed_row(), TextStyle{.zone = context_.session_zone}, text);
    }
    message += fmt::format("{}{} = {}", i == 0 ? ", where " : ", ", columns[i]->to_string(),
                           clip(text, 64));
  }
  return {call.status().code(), std::move(message)};
}

Status Program::run_logic(Instruction& instruction, Rows rows) {
  Register& out = at(instruction.out);
  out.vector.release();
  out.vector.is_constant = false;
  if (rows.count == 0) return Status::ok();
  const bool is_and = instruction.op == Instruction::Op::kAnd;
  KernelCall call(rows, {}, out.vector, nullptr, context_, out.buffers);
  if (!call.allocate_results()) return call.status();
  // Starts as what changes nothing.
  auto* values = call.results<std::uint8_t>();
  for_each_row(rows, [&](std::int32_t row) { values[row] = is_and ? 1 : 0; });
  LogicMerger merger(call, is_and);
  IndexScratch undecided(index_scratch_, index_scratch_used_);
  for (Block& block : instruction.blocks) {
    Rows asked = rows;
    if (!block.code.empty()) {
      (*undecided).clear();
      for_each_row(rows, [&](std::int32_t row) {
        if (!merger.is_decided(row)) (*undecided).push_back(row);
      });
      if ((*undecided).empty()) break;
      if (static_cast<std::int32_t>((*undecided).size()) < rows.count) {
        asked = rows_of(*undecided, rows.length);
      }
      CLP_RETURN_IF_ERROR(run_block(block, asked));
    }
    if (!merger.add(at(block.result).vector, asked)) return call.status();
  }
  return Status::ok();
}

Status Program::run_case(Instruction& instruction, Rows rows) {
  Register& out = at(instruction.out);
  out.vector.release();
  if (rows.count == 0) return Status::ok();
  KernelCall call(rows, {}, out.vector, nullptr, context_, out.buffers);
  Merger merger(call, out.vector);
  if (!merger.start()) return call.status();
  IndexScratch taken(index_scratch_, index_scratch_used_);
  IndexScratch rest_a(index_scratch_, index_scratch_used_);
  IndexScratch rest_b(index_scratch_, index_scratch_used_);
  std::vector<std::int32_t>* rest = &*rest_a;
  std::vector<std::int32_t>* next_rest = &*rest_b;
  Rows left = rows;
  for (std::size_t i = 0; i < instruction.blocks.size() && left.count > 0; i += 2) {
    Block& block = instruction.blocks[i];
    CLP_RETURN_IF_ERROR(run_block(block, left));
    if (i + 1 == instruction.blocks.size()) {  // ELSE
      if (!merger.add(at(block.result).vector, left)) return call.status();
      break;
    }
    split_rows(at(block.result).vector, left, *taken, rest);
    const bool takes_all = rest->empty();
    const Rows chosen = takes_all ? left : rows_of(*taken, rows.length);
    Block& value = instruction.blocks[i + 1];
    CLP_RETURN_IF_ERROR(run_block(value, chosen));
    if (!merger.add(at(value.result).vector, chosen)) return call.status();
    if (takes_all) break;
    left = rows_of(*rest, rows.length);
    std::swap(rest, next_rest);
  }
  if (!merger.finish()) return call.status();
  clean_nulls(out.vector, out.buffers, rows);
  return Status::ok();
}

Status Program::run_coalesce(Instruction& instruction, Rows rows) {
  Register& out = at(instruction.out);
  out.vector.release();
  if (rows.count == 0) return Status::ok();
  KernelCall call(rows, {}, out.vector, nullptr, context_, out.buffers);
  Merger merger(call, out.vector);
  if (!merger.start()) return call.status();
  IndexScratch present(index_scratch_, index_scratch_used_);
  IndexScratch rest_a(index_scratch_, index_scratch_used_);
  IndexScratch rest_b(index_scratch_, index_scratch_used_);
  std::vector<std::int32_t>* rest = &*rest_a;
  std::vector<std::int32_t>* next_rest = &*rest_b;
  Rows left = rows;
  for (std::size_t i = 0; i < instruction.blocks.size() && left.count > 0; ++i) {
    Block& block = instruction.blocks[i];
    CLP_RETURN_IF_ERROR(run_block(block, left));
    const Vector& value = at(block.result).vector;
    if (value.validity == nullptr || i + 1 == instruction.blocks.size()) {
      if (!merger.add(value, left)) return call.status();
      break;
    }
    (*present).clear();
    rest->clear();
    for_each_row(left,
                 [&](std::int32_t row) { (value.is_null(row) ? *rest : *present).push_back(row); });
    if (!merger.add(value, rows_of(*present, rows.length))) return call.status();
    left = rows_of(*rest, rows.length);
    std::swap(rest, next_rest);
  }
  if (!merger.finish()) return call.status();
  clean_nulls(out.vector, out.buffers, rows);
  return Status::ok();
}

Result<Column> Program::to_column(Register& from, std::int64_t rows) {
  Vector& vector = from.vector;
  MemoryPool& pool = *context_.pool;
  if (vector.is_constant && vector.is_null(0)) return make_null_column(vector.type, rows, pool);
  if (!vector.column.has_value()) {
    ColumnData data;
    data.type = vector.type;
    data.length = vector.is_constant ? 1 : rows;
    if (vector.validity != nullptr) {
      data.null_count = data.length - count_set_bits(vector.validity, 0, data.length);
      if (data.null_count > 0) data.validity = vector.validity_owner;
    }
    data.values = vector.values_owner;
    data.blobs = vector.blobs;
    vector.column = Column(std::move(data));
  }
  const Column column =
      vector.column.type() == vector.type ? vector.column : vector.column.with_type(vector.type);
  if (!vector.is_constant || rows == 1) return column;
  return repeat_row(column, 0, rows, pool);
}

}  // namespace clepsydra
