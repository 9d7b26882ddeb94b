#include "functions/json/json_document.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace clepsydra {
namespace {

namespace ondemand = simdjson::ondemand;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  std::size_t end = skip_digits(text, at);
  if (end == at || (text[at] == '0' && end > at + 1)) return false;
  at = end;
  if (at < text.size() && text[at] == '.') {
    end = skip_digits(text, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    end = skip_digits(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

std::string_view without_blanks(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\t' ||
                            token.back() == '\r')) {
    token.remove_suffix(1);
  }
  return token;
}

}  // namespace

struct JsonDocument::Impl {
  ondemand::parser parser;
  std::vector<char> buffer;
  std::vector<JsonNode> nodes;
  std::string problem;

  // The text in brackets, so that a value at the top is read like all others.
  simdjson::padded_string_view bracketed(std::string_view text) {
    const std::size_t length = text.size() + 2;
    if (buffer.size() < length + simdjson::SIMDJSON_PADDING) {
      buffer.resize(length * 2 + simdjson::SIMDJSON_PADDING);
    }
    buffer[0] = '[';
    text.copy(buffer.data() + 1, text.size());
    buffer[length - 1] = ']';
    std::memset(buffer.data() + length, 0, simdjson::SIMDJSON_PADDING);
    return simdjson::padded_string_view(buffer.data(), length, buffer.size());
  }

  simdjson::error_code read(std::string_view text) {
    ondemand::document document;
    ondemand::array outer;
    if (const auto error = parser.iterate(bracketed(text)).get(document)) return error;
    if (const auto error = document.get_array().get(outer)) return error;
    int count = 0;
    for (simdjson::simdjson_result<ondemand::value> element : outer) {
      ondemand::value value;
      if (const auto error = element.get(value)) return error;
      if (++count > 1) return simdjson::TRAILING_CONTENT;
      if (const auto error = add(value, {}, 0)) return error;
    }
    if (count == 0) return simdjson::EMPTY;
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
      return simdjson::TRAILING_CONTENT;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code add(ondemand::value& value, std::string_view key, int depth) {
    if (depth > kNestingMax) return simdjson::DEPTH_ERROR;
    const std::size_t own = nodes.size();
    nodes.push_back({.kind = JsonKind::kNull, .next = 0, .key = key, .text = {}});
    ondemand::json_type type = ondemand::json_type::null;
    if (const auto error = value.type().get(type)) return error;
    simdjson::error_code error = simdjson::SUCCESS;
    switch (type) {
      case ondemand::json_type::array:
        nodes[own].kind = JsonKind::kArray;
        error = add_elements(value, depth);
        break;
      case ondemand::json_type::object:
        nodes[own].kind = JsonKind::kObject;
        error = add_members(value, depth);
        break;
      case ondemand::json_type::string:
        nodes[own].kind = JsonKind::kString;
        error = value.get_string().get(nodes[own].text);
        break;
      default:
        error = read_scalar(without_blanks(value.raw_json_token()), nodes[own]);
    }
    nodes[own].next = static_cast<std::int32_t>(nodes.size());
    return error;
  }

  simdjson::error_code add_elements(ondemand::value& value, int depth) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return error;
    for (simdjson::simdjson_result<ondemand::value> element : array) {
      ondemand::value inner;
      if (const auto error = element.get(inner)) return error;
      if (const auto error = add(inner, {}, depth + 1)) return error;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code add_members(ondemand::value& value, int depth) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    for (simdjson::simdjson_result<ondemand::field> member : object) {
      ondemand::field field;
      if (const auto error = std::move(member).get(field)) return error;
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return error;
      ondemand::value inner = field.value();
      if (const auto error = add(inner, key, depth + 1)) return error;
    }
    return simdjson::SUCCESS;
  }

  static simdjson::error_code read_scalar(std::string_view token, JsonNode& node) {
    if (token == "null") {
      node.kind = JsonKind::kNull;
    } else if (token == "true") {
      node.kind = JsonKind::kTrue;
    } else if (token == "false") {
      node.kind = JsonKind::kFalse;
    } else if (is_number(token)) {
      node.kind = JsonKind::kNumber;
      node.text = token;
    } else {
      return simdjson::TAPE_ERROR;
    }
    return simdjson::SUCCESS;
  }
};

JsonDocument::JsonDocument() : impl_(std::make_unique<Impl>()) {}
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

bool JsonDocument::parse(std::string_view text) {
  impl_->nodes.clear();
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) - 2) {
    impl_->problem = "a JSON text of more than 2 GiB";
    return false;
  }
  const simdjson::error_code error = impl_->read(text);
  if (error == simdjson::SUCCESS) return true;
  impl_->problem = fmt::format("not JSON ({}): {}", simdjson::error_message(error), clip(text, 64));
  return false;
}

const std::vector<JsonNode>& JsonDocument::nodes() const {
  return impl_->nodes;
}

const std::string& JsonDocument::problem() const {
  return impl_->problem;
}

}  // namespace clepsydra
