// SQL/JSON paths: "lax $.a[0].b", "$['a b'][*]", "$..c".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "functions/json/json_document.h"

namespace clepsydra {

// A compiled path.
class JsonPath {
 public:
  JsonPath() = default;

  // Without "lax" or "strict" in front a path is strict, as the reference has it. InvalidArgument:
  // no path at all. Unimplemented: a filter or function, or several keys in one pair of brackets.
  // The second argument is not used.
  static Result<JsonPath> compile(std::string_view path, std::string_view unused = {});

  [[nodiscard]] bool is_lax() const { return is_lax_; }
  // At most one value can match; otherwise the result is a list.
  [[nodiscard]] bool is_definite() const { return is_definite_; }

  enum class Outcome : std::uint8_t {
    kFound,
    kMissing,  // A step that names one thing does not find it; of a strict path only.
    kGaveUp,   // The path needs too many steps for this document.
  };
  // The nodes that match, in order. What a lax path does not find matches nothing.
  Outcome find(const JsonDocument& document, std::vector<std::int32_t>& matches) const;

 private:
  enum class StepKind : std::uint8_t {
    kKey,          // .name, ['name']
    kIndices,      // [0], [-1, 2]
    kSlice,        // [from:to]
    kWildcard,     // .*, [*]
    kDescendants,  // .. : the next step is tried everywhere below
  };
  struct Step {
    StepKind kind = StepKind::kWildcard;
    std::string key = {};
    std::vector<std::int64_t> indices = {};  // kSlice: from and to.
    bool has_from = false;
    bool has_to = false;
  };
  class Parser;

  struct Search;

  bool apply(Search& search, std::int32_t node, std::size_t step, bool definite) const;
  bool apply_indices(Search& search, std::int32_t node, std::size_t step, bool definite) const;
  void descend(Search& search, std::int32_t node, std::size_t step) const;

  bool is_lax_ = false;
  bool is_definite_ = true;
  std::vector<Step> steps_;
};

}  // namespace clepsydra
