#include "base/ids.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace clepsydra::internal {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(const std::array<std::uint8_t, 16>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<std::array<std::uint8_t, 16>> parse_hex_id(std::string_view kind, std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < 16; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    bytes[i] = static_cast<std::uint8_t>((high << 4) | (low & 15));
  }
  if (!good) {
    return Status::invalid_argument(
        fmt::format("\"{}\" is no {}: expected 32 hexadecimal digits", clip(text, 64), kind));
  }
  return bytes;
}

}  // namespace clepsydra::internal
