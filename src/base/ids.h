// Identities of 16 bytes, written as 32 lower-case hex digits, as the reference
// does.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bits.h"
#include "base/random.h"
#include "clepsydra/status.h"

namespace clepsydra {

namespace internal {
std::string to_hex(const std::array<std::uint8_t, 16>& bytes);
Result<std::array<std::uint8_t, 16>> parse_hex_id(std::string_view kind, std::string_view text);
}  // namespace internal

// `Kind` keeps identities of different things apart; Kind::kName names it in
// messages.
template <typename Kind>
class HexId {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  HexId() = default;  // All zero: "none".
  explicit HexId(const Bytes& bytes) : bytes_(bytes) {}
  static HexId make(Random& random) {
    HexId id;
    store_le(id.bytes_.data(), random.next_u64());
    store_le(id.bytes_.data() + 8, random.next_u64());
    return id;
  }
  static Result<HexId> parse(std::string_view text) {
    Result<Bytes> bytes = internal::parse_hex_id(Kind::kName, text);
    if (!bytes.is_ok()) return bytes.status();
    return HexId(*bytes);
  }

  [[nodiscard]] std::string to_string() const { return internal::to_hex(bytes_); }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] bool is_none() const { return bytes_ == Bytes{}; }
  friend auto operator<=>(const HexId&, const HexId&) = default;

 private:
  Bytes bytes_{};
};

struct JobIdKind {
  static constexpr std::string_view kName = "job id";
};
struct OperatorIdKind {
  static constexpr std::string_view kName = "operator id";
};
struct ExecutionIdKind {
  static constexpr std::string_view kName = "execution id";
};

using JobId = HexId<JobIdKind>;
using OperatorId = HexId<OperatorIdKind>;
using ExecutionId = HexId<ExecutionIdKind>;

}  // namespace clepsydra

template <typename Kind>
struct std::hash<clepsydra::HexId<Kind>> {
  std::size_t operator()(const clepsydra::HexId<Kind>& id) const noexcept {
    return static_cast<std::size_t>(
        clepsydra::mix64(clepsydra::load_le<std::uint64_t>(id.bytes().data()) ^
                         clepsydra::load_le<std::uint64_t>(id.bytes().data() + 8)));
  }
};
