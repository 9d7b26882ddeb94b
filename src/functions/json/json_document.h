// One JSON text taken apart: its values in the order of the text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace clepsydra {

enum class JsonKind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

// A value. An array or object is followed by what it holds.
struct JsonNode {
  JsonKind kind = JsonKind::kNull;
  std::int32_t next = 0;  // The node behind this value and all that it holds.
  std::string_view key;   // Of a member of an object, without escapes.
  std::string_view text;  // kString: without escapes; kNumber: as written.

  [[nodiscard]] bool is_scalar() const { return kind < JsonKind::kArray; }
};

// Memory for one text after the other.
//
// Threads: one at a time.
class JsonDocument {
 public:
  // Levels of arrays and objects in each other; more is refused.
  static constexpr int kNestingMax = 500;

  JsonDocument();
  ~JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;

  // Reads exactly one value. False: problem() says what is wrong. The nodes are valid until the
  // next call.
  bool parse(std::string_view text);
  // Node 0 is the value itself.
  [[nodiscard]] std::span<const JsonNode> nodes() const;
  [[nodiscard]] const JsonNode& node(std::int32_t i) const {
    return nodes()[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] const std::string& problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace clepsydra
