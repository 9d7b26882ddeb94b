// SQL in colours while it is typed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra::console {

enum class SyntaxPart : std::uint8_t {
  kPlain,
  kKeyword,
  kQuotedName,
  kString,
  kNumber,
  kComment,
  kHint
};

// A run of bytes of one kind.
struct SyntaxSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  SyntaxPart part = SyntaxPart::kPlain;
};

// Without the plain parts, in order. Text that is no SQL (yet) is coloured as far as it is.
std::vector<SyntaxSpan> syntax_spans(std::string_view sql);

// A colour schema: the escape sequence that begins a part, empty for none. The names are the
// reference's values of 'sql-client.display.color-schema'; DEFAULT uses the colours of the
// terminal's own palette.
class ColorSchema {
 public:
  // Any case. The error names all.
  static Result<ColorSchema> find(std::string_view name);
  static std::vector<std::string> names();
  // No colours at all.
  static ColorSchema none();

  [[nodiscard]] std::string_view begin(SyntaxPart part) const;
  [[nodiscard]] bool has_colors() const { return !codes_.empty(); }

 private:
  explicit ColorSchema(std::vector<std::string_view> codes) : codes_(std::move(codes)) {}
  std::vector<std::string_view> codes_;  // By part; empty: none at all.
};

inline constexpr std::string_view kColorsEnd = "\x1b[0m";

}  // namespace clepsydra::console
