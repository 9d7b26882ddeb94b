// The only file that sees yaml-cpp.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::size_t kBytesMax = 1U << 20;
constexpr int kDepthMax = 100;
// Aliases can repeat a part of the file exponentially often.
constexpr std::size_t kKeysMax = 100'000;

Status error_at(const YAML::Mark& mark, std::string_view what) {
  return Status::invalid_argument(
      fmt::format("cannot read the configuration: line {}, column {}: {}", mark.line + 1,
                  mark.column + 1, what));
}

// A part of a list as Configuration's list parser reads it back.
std::string quoted_if_needed(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_of(";'\"") == std::string::npos &&
                     text.front() != ' ' && text.back() != ' ';
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

class Flattener {
 public:
  explicit Flattener(Configuration& out) : out_(out) {}

  Status add(const std::string& key, const YAML::Node& node, int depth) {
    if (depth > kDepthMax) return error_at(node.Mark(), "nested more than 100 levels deep");
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return add_map(key, node, depth);
      case YAML::NodeType::Sequence:
        return add_list(key, node);
      case YAML::NodeType::Scalar:
        return set(key, node, node.Scalar());
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return Status::ok();  // "key:" with nothing behind it sets nothing.
  }

 private:
  Status add_map(const std::string& prefix, const YAML::Node& map, int depth) {
    for (const auto& entry : map) {
      if (!entry.first.IsScalar() || entry.first.Scalar().empty()) {
        return error_at(entry.first.Mark(), "a key must be plain text");
      }
      const std::string& name = entry.first.Scalar();
      CLP_RETURN_IF_ERROR(
          add(prefix.empty() ? name : prefix + "." + name, entry.second, depth + 1));
    }
    return Status::ok();
  }

  Status add_list(const std::string& key, const YAML::Node& list) {
    std::string text;
    for (const auto& item : list) {
      if (!item.IsScalar()) {
        return error_at(item.Mark(), fmt::format("the list '{}' may hold plain values only", key));
      }
      if (!text.empty()) text += ';';
      text += quoted_if_needed(item.Scalar());
    }
    return set(key, list, std::move(text));
  }

  Status set(const std::string& key, const YAML::Node& node, std::string value) {
    if (out_.contains(key)) {
      return error_at(node.Mark(), fmt::format("the key '{}' is set twice", clip(key, 64)));
    }
    if (out_.values().size() >= kKeysMax) return error_at(node.Mark(), "more than 100000 keys");
    out_.set(key, std::move(value));
    return Status::ok();
  }

  Configuration& out_;
};

}  // namespace

Result<Configuration> Configuration::from_yaml(std::string_view text) {
  if (text.size() > kBytesMax) {
    return Status::resource_exhausted(fmt::format(
        "cannot read the configuration: {} bytes, expected at most {}", text.size(), kBytesMax));
  }
  if (!is_valid_utf8(text)) {
    return Status::invalid_argument(fmt::format(
        "cannot read the configuration: byte {} is not UTF-8", first_invalid_utf8(text)));
  }
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    Configuration configuration;
    if (root.IsNull()) return configuration;
    if (!root.IsMap()) return error_at(root.Mark(), "expected 'key: value' lines");
    CLP_RETURN_IF_ERROR(Flattener(configuration).add("", root, 0));
    return configuration;
  } catch (const YAML::Exception& error) {
    return error_at(error.mark, error.msg);
  }
}

}  // namespace clepsydra
