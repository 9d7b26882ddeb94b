#include "functions/json/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::size_t kStepsMax = 200;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the word and the blanks behind it off the front of `text`; ignores case.
bool take_word(std::string_view& text, std::string_view word) {
  if (text.size() <= word.size() || !is_blank(text[word.size()])) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text[i] | 0x20) != word[i]) return false;
  }
  text = trimmed(text.substr(word.size()));
  return true;
}

std::int32_t count_elements(const JsonDocument& document, std::int32_t array) {
  std::int32_t count = 0;
  const std::int32_t end = document.node(array).next;
  for (std::int32_t i = array + 1; i < end; i = document.node(i).next) ++count;
  return count;
}

}  // namespace

class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Status parse(JsonPath& path) {
    if (text_.empty()) return wrong("is empty");
    // A path may leave out its "$.".
    if (text_.front() == '$' || text_.front() == '@') {
      ++at_;
    } else if (text_.front() != '[') {
      CLP_RETURN_IF_ERROR(name(path));
    }
    while (at_ < text_.size()) {
      if (path.steps_.size() >= kStepsMax) return wrong("has too many steps");
      if (text_[at_] == '[') {
        CLP_RETURN_IF_ERROR(brackets(path));
      } else if (text_[at_] == '.') {
        CLP_RETURN_IF_ERROR(dots(path));
      } else {
        return wrong("needs '.' or '[' between its steps");
      }
    }
    return Status::ok();
  }

 private:
  Status wrong(std::string_view what) const {
    return Status::invalid_argument(fmt::format("the path \"{}\" {}", clip(text_, 64), what));
  }
  Status not_built(std::string_view what) const {
    return Status::unimplemented(
        fmt::format("{} in the path \"{}\" is not built yet", what, clip(text_, 64)));
  }

  Status dots(JsonPath& path) {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      path.steps_.push_back({.kind = StepKind::kDescendants});
      path.is_definite_ = false;
      if (at_ < text_.size() && text_[at_] == '[') return brackets(path);
    }
    return name(path);
  }

  Status name(JsonPath& path) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '.' && text_[at_] != '[' && text_[at_] != '(') {
      if (is_blank(text_[at_])) return wrong("has a blank outside of ['...']");
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '(') return not_built("a function");
    const std::string_view key = text_.substr(begin, at_ - begin);
    if (key.empty()) return wrong("lacks a name");
    add_key(path, std::string(key), key == "*");
    return Status::ok();
  }

  static void add_key(JsonPath& path, std::string key, bool is_wildcard) {
    if (is_wildcard) {
      path.steps_.push_back({.kind = StepKind::kWildcard});
      path.is_definite_ = false;
    } else {
      path.steps_.push_back({.kind = StepKind::kKey, .key = std::move(key)});
    }
  }

  Status brackets(JsonPath& path) {
    ++at_;
    skip_blanks();
    if (at_ == text_.size()) return wrong("lacks a ']'");
    const char c = text_[at_];
    if (c == '?') return not_built("a filter");
    if (c == '\'' || c == '"') {
      CLP_RETURN_IF_ERROR(quoted(path, c));
    } else if (c == '*') {
      ++at_;
      add_key(path, {}, true);
    } else {
      CLP_RETURN_IF_ERROR(numbers(path));
    }
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != ']') return wrong("lacks a ']'");
    ++at_;
    return Status::ok();
  }

  Status quoted(JsonPath& path, char quote) {
    std::string key;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      key += text_[at_];
    }
    if (at_ == text_.size()) return wrong("lacks a closing quote");
    ++at_;
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == ',') return not_built("a list of keys");
    add_key(path, std::move(key), false);
    return Status::ok();
  }

  // 0 or -1, 2 or from:to.
  Status numbers(JsonPath& path) {
    Step step{.kind = StepKind::kIndices};
    std::int64_t number = 0;
    bool has_number = take_number(number);
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      step.kind = StepKind::kSlice;
      step.has_from = has_number;
      step.indices.push_back(number);
      step.has_to = take_number(number);
      step.indices.push_back(number);
      path.is_definite_ = false;
    } else {
      if (!has_number) return wrong("has neither a number nor a quoted key in brackets");
      step.indices.push_back(number);
      while (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        if (!take_number(number)) return wrong("lacks a number behind a comma");
        step.indices.push_back(number);
        path.is_definite_ = false;
      }
    }
    path.steps_.push_back(std::move(step));
    return Status::ok();
  }

  bool take_number(std::int64_t& number) {
    skip_blanks();
    std::int32_t value = 0;
    const char* end = text_.data() + text_.size();
    const auto [rest, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc()) return false;
    at_ = static_cast<std::size_t>(rest - text_.data());
    number = value;
    skip_blanks();
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

Result<JsonPath> JsonPath::compile(std::string_view path, std::string_view /*unused*/) {
  JsonPath compiled;
  std::string_view text = trimmed(path);
  if (take_word(text, "lax")) {
    compiled.is_lax_ = true;
  } else {
    take_word(text, "strict");
  }
  CLP_RETURN_IF_ERROR(Parser(text).parse(compiled));
  return compiled;
}

struct JsonPath::Search {
  const JsonDocument& document;
  std::vector<std::int32_t>& matches;
  // Several ".." in a path may visit every value many times over.
  std::int64_t visits_left = 10'000'000;
};

JsonPath::Outcome JsonPath::find(const JsonDocument& document,
                                 std::vector<std::int32_t>& matches) const {
  matches.clear();
  Search search{.document = document, .matches = matches};
  const bool found = apply(search, 0, 0, !is_lax_);
  if (search.visits_left < 0) return Outcome::kGaveUp;
  return found ? Outcome::kFound : Outcome::kMissing;
}

// `definite`: what is missing from here on is an error.
bool JsonPath::apply(Search& search, std::int32_t node, std::size_t step, bool definite) const {
  if (--search.visits_left < 0) return false;
  if (step == steps_.size()) {
    search.matches.push_back(node);
    return true;
  }
  const JsonDocument& document = search.document;
  const Step& own = steps_[step];
  const JsonNode& value = document.node(node);
  switch (own.kind) {
    case StepKind::kKey: {
      if (value.kind != JsonKind::kObject) return !definite;
      std::int32_t found = -1;  // Of a key that occurs twice the last one counts.
      const JsonNode* nodes = document.nodes().data();
      for (std::int32_t i = node + 1; i < value.next; i = nodes[i].next) {
        if (nodes[i].key == own.key) found = i;
      }
      return found < 0 ? !definite : apply(search, found, step + 1, definite);
    }
    case StepKind::kWildcard:
      if (value.is_scalar()) return true;
      for (std::int32_t i = node + 1; i < value.next; i = document.node(i).next) {
        apply(search, i, step + 1, false);
      }
      return true;
    case StepKind::kIndices:
    case StepKind::kSlice:
      return apply_indices(search, node, step, definite);
    case StepKind::kDescendants:
      descend(search, node, step);
      return true;
  }
  return false;
}

bool JsonPath::apply_indices(Search& search, std::int32_t node, std::size_t step,
                             bool definite) const {
  const Step& own = steps_[step];
  const JsonDocument& document = search.document;
  if (document.node(node).kind != JsonKind::kArray) return !definite;
  if (own.kind == StepKind::kIndices && own.indices.size() == 1 && own.indices[0] >= 0) {
    // From the front there is no need to count all elements.
    const JsonNode* nodes = document.nodes().data();
    const std::int32_t end = nodes[node].next;
    std::int32_t at = node + 1;
    for (std::int64_t i = own.indices[0]; i > 0 && at < end; --i) at = nodes[at].next;
    return at < end ? apply(search, at, step + 1, definite) || !definite : !definite;
  }
  const std::int64_t count = count_elements(document, node);
  const auto element = [&](std::int64_t index) {
    std::int32_t at = node + 1;
    for (std::int64_t i = 0; i < index; ++i) at = document.node(at).next;
    return at;
  };
  if (own.kind == StepKind::kSlice) {
    std::int64_t from = own.has_from ? own.indices[0] : 0;
    std::int64_t to = own.has_to ? own.indices[1] : count;
    if (from < 0) from = std::max<std::int64_t>(0, from + count);
    if (to < 0) to += count;
    to = std::min(to, count);
    if (from >= to) return true;
    std::int32_t at = element(from);
    for (std::int64_t i = from; i < to; ++i, at = document.node(at).next) {
      apply(search, at, step + 1, false);
    }
    return true;
  }
  definite = definite && own.indices.size() == 1;
  for (const std::int64_t wanted : own.indices) {
    const std::int64_t index = wanted < 0 ? wanted + count : wanted;
    const bool found =
        index >= 0 && index < count && apply(search, element(index), step + 1, definite);
    if (!found && definite) return false;
  }
  return true;
}

// Tries the step behind ".." on the value and on all that it holds, outer values first.
void JsonPath::descend(Search& search, std::int32_t node, std::size_t step) const {
  const std::int32_t end = search.document.node(node).next;
  for (std::int32_t i = node; i < end && search.visits_left >= 0; ++i) {
    if (!search.document.node(i).is_scalar()) apply(search, i, step + 1, false);
  }
}

}  // namespace clepsydra
