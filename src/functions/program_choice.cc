// CASE without code of its own in any branch: every condition and value is there for all rows.
// First every row gets the number of its value, from the last condition to the first, then all
// values are picked in one pass.
#include <array>
#include <cstring>
#include <vector>

#include "base/bits.h"
#include "functions/program.h"
#include "stream/column.h"

namespace clepsydra {
namespace {

// Numbers of values have eight bits.
constexpr std::size_t kChoicesMax = 256;

// The rows where the condition is TRUE take value `number`.
void choose(const Vector& condition, Rows rows, std::uint8_t number, std::uint8_t* choices) {
  if (condition.is_constant) {
    if (condition.is_null(0) || condition.values[0] == 0) return;
    for_each_row(rows, [&](std::int32_t row) { choices[row] = number; });
    return;
  }
  const std::uint8_t* values = condition.values;
  if (condition.validity == nullptr) {
    for_each_row(
        rows, [&](std::int32_t row) { choices[row] = values[row] != 0 ? number : choices[row]; });
    return;
  }
  const std::uint8_t* valid = condition.validity;
  for_each_row(rows, [&](std::int32_t row) {
    const bool is_true = values[row] != 0 && get_bit(valid, row);
    choices[row] = is_true ? number : choices[row];
  });
}

// What is read in place of the value of a constant NULL.
constexpr std::array<std::uint64_t, 2> kNothing = {0, 0};

template <typename T>
struct Source {
  const T* values = nullptr;
  std::int32_t mask = 0;  // 0: one value for all rows; else all bits.
};

template <typename T>
std::vector<Source<T>> sources_of(const std::vector<const Vector*>& values) {
  std::vector<Source<T>> sources;
  for (const Vector* value : values) {
    const bool is_nothing = value->is_constant && value->is_null(0);
    sources.push_back(
        {.values = is_nothing ? reinterpret_cast<const T*>(kNothing.data()) : value->data<T>(),
         .mask = value->is_constant ? 0 : -1});
  }
  return sources;
}

template <typename T>
void pick(const std::vector<const Vector*>& values, Rows rows, const std::uint8_t* choices,
          T* out) {
  const std::vector<Source<T>> sources = sources_of<T>(values);
  const Source<T>* source = sources.data();
  for_each_row(rows, [&](std::int32_t row) {
    const Source<T>& chosen = source[choices[row]];
    out[row] = chosen.values[row & chosen.mask];
  });
}

void pick_views(const std::vector<const Vector*>& values, Rows rows, const std::uint8_t* choices,
                StringView16* out, Vector& result) {
  const std::vector<Source<StringView16>> sources = sources_of<StringView16>(values);
  std::vector<std::int32_t> first_blobs;
  for (const Vector* value : values) {
    first_blobs.push_back(static_cast<std::int32_t>(result.blobs.size()));
    result.blobs.insert(result.blobs.end(), value->blobs.begin(), value->blobs.end());
    result.blob_bases.insert(result.blob_bases.end(), value->blob_bases.begin(),
                             value->blob_bases.end());
  }
  if (result.blobs.empty() || first_blobs.back() == 0) {  // Views stay as they are.
    pick<StringView16>(values, rows, choices, out);
    return;
  }
  for_each_row(rows, [&](std::int32_t row) {
    const std::uint8_t choice = choices[row];
    StringView16 view = sources[choice].values[row & sources[choice].mask];
    if (!view.is_inline()) view.ref.blob += first_blobs[choice];
    out[row] = view;
  });
}

// Clears the bits of rows whose value is NULL.
void pick_validity(const std::vector<const Vector*>& values, Rows rows, const std::uint8_t* choices,
                   std::uint8_t* bits) {
  std::array<std::uint8_t, kChoicesMax> is_null{};  // By number, when it is so for all rows.
  bool differs = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]->is_constant) {
      is_null[i] = values[i]->is_null(0) ? 1 : 0;
    } else {
      differs = differs || values[i]->validity != nullptr;
    }
  }
  if (differs || !rows.is_dense()) {
    for_each_row(rows, [&](std::int32_t row) {
      if (values[choices[row]]->is_null(row)) clear_bit(bits, row);
    });
    return;
  }
  const std::int32_t whole = rows.count / 8 * 8;
  for (std::int32_t row = 0; row < whole; row += 8) {
    unsigned nulls = 0;
    for (int i = 0; i < 8; ++i) nulls |= unsigned{is_null[choices[row + i]]} << i;
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] & ~nulls);
  }
  for (std::int32_t row = whole; row < rows.count; ++row) {
    if (is_null[choices[row]] != 0) clear_bit(bits, row);
  }
}

}  // namespace

bool Program::is_flat_case(const Instruction& instruction) {
  if (instruction.expression->type().fixed_width() == 0) return false;
  if (instruction.blocks.size() % 2 == 0 || instruction.blocks.size() / 2 >= kChoicesMax) {
    return false;
  }
  for (const Block& block : instruction.blocks) {
    if (!block.code.empty()) return false;
  }
  return true;
}

Status Program::run_flat_case(Instruction& instruction, Rows rows) {
  Register& out = at(instruction.out);
  out.vector.release();
  out.vector.is_constant = false;
  if (rows.count == 0) return Status::ok();
  KernelCall call(rows, {}, out.vector, nullptr, context_, out.buffers);
  if (!call.allocate_results()) return call.status();
  std::vector<const Vector*> values;
  bool may_be_null = false;
  const std::size_t conditions = instruction.blocks.size() / 2;
  for (std::size_t i = 0; i <= conditions; ++i) {
    const std::size_t block = i < conditions ? 2 * i + 1 : 2 * conditions;  // The last is ELSE.
    values.push_back(&at(instruction.blocks[block].result).vector);
    may_be_null = may_be_null || values.back()->validity != nullptr;
  }
  choice_scratch_.resize(static_cast<std::size_t>(rows.length));
  std::uint8_t* choices = choice_scratch_.data();
  const auto otherwise = static_cast<std::uint8_t>(conditions);
  for_each_row(rows, [&](std::int32_t row) { choices[row] = otherwise; });
  for (std::size_t i = conditions; i-- > 0;) {
    choose(at(instruction.blocks[2 * i].result).vector, rows, static_cast<std::uint8_t>(i),
           choices);
  }
  switch (out.vector.type.fixed_width()) {
    case 1:
      pick(values, rows, choices, call.results<std::uint8_t>());
      break;
    case 2:
      pick(values, rows, choices, call.results<std::uint16_t>());
      break;
    case 4:
      pick(values, rows, choices, call.results<std::uint32_t>());
      break;
    case 8:
      pick(values, rows, choices, call.results<std::uint64_t>());
      break;
    default:
      if (out.vector.type.physical() == PhysicalType::kView) {
        pick_views(values, rows, choices, call.results<StringView16>(), out.vector);
      } else {
        pick(values, rows, choices, call.results<Int128>());
      }
  }
  if (may_be_null) {
    std::uint8_t* bits = call.mutable_validity();
    if (bits == nullptr) return call.status();
    pick_validity(values, rows, choices, bits);
    clean_nulls(out.vector, out.buffers, rows);
  }
  return Status::ok();
}

}  // namespace clepsydra
