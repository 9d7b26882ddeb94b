// The XML that S3 answers, as a tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

struct XmlElement {
  std::string name;  // Without the prefix of a namespace.
  std::string text;  // Of the element itself.
  std::vector<XmlElement> children;

  // Null when there is none.
  [[nodiscard]] const XmlElement* find(std::string_view child) const;
  // Empty when there is none.
  [[nodiscard]] std::string_view text_of(std::string_view child) const;
};

// At most 16 levels; a document type or a broken document is DataLoss.
Result<XmlElement> parse_xml(std::string_view text);
// "a&b" -> "a&amp;b"
std::string escape_xml(std::string_view text);

}  // namespace clepsydra
