// How the files that implement columns see a value of each fixed width: as bytes to copy.
#pragma once

#include <cstdint>
#include <utility>

#include "base/check.h"
#include "stream/column.h"

namespace clepsydra {

struct Bytes16 {
  std::uint64_t low;
  std::uint64_t high;
};

// Calls f<T>() with an unsigned integer (or Bytes16) of `width` bytes.
template <typename F>
decltype(auto) visit_width(int width, F&& f) {
  switch (width) {
    case 1:
      return std::forward<F>(f).template operator()<std::uint8_t>();
    case 2:
      return std::forward<F>(f).template operator()<std::uint16_t>();
    case 4:
      return std::forward<F>(f).template operator()<std::uint32_t>();
    case 8:
      return std::forward<F>(f).template operator()<std::uint64_t>();
    default:
      CLP_CHECK(width == 16);
      return std::forward<F>(f).template operator()<Bytes16>();
  }
}

}  // namespace clepsydra
