#include "formats/csv/csv_index.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace clepsydra {
namespace {

struct Block {
  __m128i lanes[4];
};

Block load(const char* at) {
  Block block;
  for (int i = 0; i < 4; ++i) {
    block.lanes[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16L * i));
  }
  return block;
}

std::uint64_t matches(const Block& block, char wanted) {
  const __m128i pattern = _mm_set1_epi8(wanted);
  std::uint64_t mask = 0;
  for (int i = 3; i >= 0; --i) {
    const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(block.lanes[i], pattern));
    mask = mask << 16 | static_cast<std::uint64_t>(static_cast<unsigned>(bits));
  }
  return mask;
}

// Bit i of the result: parity of bits 0..i.
std::uint64_t prefix_xor(std::uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

}  // namespace

void CsvIndex::reset(std::string_view chunk) {
  chunk_ = chunk;
  indexed_ = 0;
  state_ = start_;
  separators_.clear();
}

bool CsvIndex::advance(std::size_t bytes) {
  if (indexed_ == chunk_.size()) return false;
  const std::size_t end = std::min(chunk_.size(), indexed_ + std::max<std::size_t>(bytes, 64));
  // An escape makes the meaning of a byte depend on the one before it.
  if (!has_escape_) advance_blocks(end);
  advance_bytes(end);
  return true;
}

void CsvIndex::advance_blocks(std::size_t end) {
  std::uint64_t inside = state_.inside_quotes() ? ~std::uint64_t{0} : 0;
  char last = indexed_ == 0 ? '\n' : chunk_[indexed_ - 1];
  std::size_t count = separators_.size();
  const std::size_t from = indexed_;
  while (indexed_ + 64 <= end) {
    const Block block = load(chunk_.data() + indexed_);
    std::uint64_t found = matches(block, delimiter_) | matches(block, '\n');
    if (quote_) {
      const std::uint64_t quotes = matches(block, *quote_);
      if ((quotes | inside) != 0) {
        const std::uint64_t quoted = prefix_xor(quotes) ^ inside;
        // A quote that opens must stand at the start of a field or behind the quote it doubles.
        const bool last_allows = last == delimiter_ || last == '\n' || last == *quote_;
        const std::uint64_t allowed =
            (found | quotes) << 1 | static_cast<std::uint64_t>(last_allows);
        if ((quotes & quoted & ~allowed) != 0) break;
        inside = (quoted >> 63) != 0 ? ~std::uint64_t{0} : 0;
        found &= ~quoted;
      }
    }
    if (separators_.size() < count + 64) separators_.resize(std::max<std::size_t>(count * 2, 4096));
    const auto base = static_cast<std::uint32_t>(indexed_);
    while (found != 0) {
      separators_[count++] = base + static_cast<std::uint32_t>(std::countr_zero(found));
      found &= found - 1;
    }
    last = chunk_[indexed_ + 63];
    indexed_ += 64;
  }
  separators_.resize(count);
  if (indexed_ > from) state_.resume(inside != 0, last);
}

void CsvIndex::advance_bytes(std::size_t end) {
  for (; indexed_ < end; ++indexed_) {
    if (state_.step(chunk_[indexed_])) separators_.push_back(static_cast<std::uint32_t>(indexed_));
  }
}

}  // namespace clepsydra
