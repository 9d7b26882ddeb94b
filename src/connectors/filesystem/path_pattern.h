// A regular expression over whole paths ("source.path.regex-pattern").
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

class PathPattern {
 public:
  // InvalidArgument with the place of the mistake.
  static Result<PathPattern> make(const std::string& pattern);
  ~PathPattern();
  PathPattern(PathPattern&&) noexcept;
  PathPattern& operator=(PathPattern&&) noexcept;
  [[nodiscard]] bool matches(std::string_view path) const;

 private:
  struct Code;
  explicit PathPattern(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace clepsydra
