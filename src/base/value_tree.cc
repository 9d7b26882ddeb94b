#include "base/value_tree.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

// version byte, then one node: tag byte, then
//   kInt: zigzag varint; kDouble: 8 bytes little endian; kString: varint length, bytes;
//   kList: varint count, nodes; kMap: varint count, (varint length, key bytes, node) each.
constexpr char kVersion = 1;
constexpr int kMaxDepth = 200;
enum Tag : std::uint8_t { kNull, kFalse, kTrue, kInt, kDouble, kString, kList, kMap };

void put_varint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_bytes(std::string_view bytes, std::string& out) {
  put_varint(bytes.size(), out);
  out.append(bytes);
}

void put_node(const ValueTree& tree, std::string& out) {
  if (const bool* b = tree.as_bool()) {
    out.push_back(static_cast<char>(*b ? kTrue : kFalse));
  } else if (const std::int64_t* i = tree.as_int()) {
    out.push_back(static_cast<char>(kInt));
    put_varint((static_cast<std::uint64_t>(*i) << 1) ^ static_cast<std::uint64_t>(*i >> 63), out);
  } else if (const double* d = tree.as_double()) {
    out.push_back(static_cast<char>(kDouble));
    const auto bits = std::bit_cast<std::uint64_t>(*d);
    for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
  } else if (const std::string* s = tree.as_string()) {
    out.push_back(static_cast<char>(kString));
    put_bytes(*s, out);
  } else if (const ValueTree::List* list = tree.as_list()) {
    out.push_back(static_cast<char>(kList));
    put_varint(list->size(), out);
    for (const ValueTree& item : *list) put_node(item, out);
  } else if (const ValueTree::Map* map = tree.as_map()) {
    out.push_back(static_cast<char>(kMap));
    put_varint(map->size(), out);
    for (const auto& [key, value] : *map) {
      put_bytes(key, out);
      put_node(value, out);
    }
  } else {
    out.push_back(static_cast<char>(kNull));
  }
}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  Result<ValueTree> run() {
    if (rest_.empty() || rest_.front() != kVersion) return broken("version 1");
    rest_.remove_prefix(1);
    CLP_ASSIGN_OR_RETURN(ValueTree tree, node(0));
    if (!rest_.empty()) return broken("the end");
    return tree;
  }

 private:
  Status broken(std::string_view expected) const {
    return Status::data_loss(
        fmt::format("cannot decode a value tree of {} bytes: expected {} at byte {}", size_,
                    expected, size_ - rest_.size()));
  }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  bool bytes(std::string& value) {
    std::uint64_t length = 0;
    if (!varint(length) || length > rest_.size()) return false;
    value.assign(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return true;
  }

  Result<ValueTree> node(int depth) {
    if (depth > kMaxDepth) return broken("at most 200 levels");
    if (rest_.empty()) return broken("a value");
    const auto tag = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    switch (tag) {
      case kNull:
        return ValueTree();
      case kFalse:
        return ValueTree(false);
      case kTrue:
        return ValueTree(true);
      case kInt: {
        std::uint64_t raw = 0;
        if (!varint(raw)) return broken("an integer");
        return ValueTree(static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1)));
      }
      case kDouble: {
        if (rest_.size() < 8) return broken("8 bytes of a double");
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < 8; ++i) {
          bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
        }
        rest_.remove_prefix(8);
        return ValueTree(std::bit_cast<double>(bits));
      }
      case kString: {
        std::string text;
        if (!bytes(text)) return broken("a string");
        return ValueTree(std::move(text));
      }
      case kList: {
        std::uint64_t count = 0;
        if (!varint(count) || count > rest_.size()) return broken("a list length");
        ValueTree::List list;
        list.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
          CLP_ASSIGN_OR_RETURN(ValueTree item, node(depth + 1));
          list.push_back(std::move(item));
        }
        return ValueTree(std::move(list));
      }
      case kMap: {
        std::uint64_t count = 0;
        if (!varint(count) || count > rest_.size()) return broken("a map length");
        ValueTree::Map map;
        map.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
          std::string key;
          if (!bytes(key)) return broken("a map key");
          CLP_ASSIGN_OR_RETURN(ValueTree value, node(depth + 1));
          map.emplace_back(std::move(key), std::move(value));
        }
        return ValueTree(std::move(map));
      }
      default:
        return broken("a known tag");
    }
  }

  std::string_view rest_;
  std::size_t size_;
};

void print(const ValueTree& tree, std::string& out) {
  if (const bool* b = tree.as_bool()) {
    out += *b ? "true" : "false";
  } else if (const std::int64_t* i = tree.as_int()) {
    out += fmt::format("{}", *i);
  } else if (const double* d = tree.as_double()) {
    out += fmt::format("{}", *d);
  } else if (const std::string* s = tree.as_string()) {
    out += fmt::format("\"{}\"", *s);
  } else if (const ValueTree::List* list = tree.as_list()) {
    out += '[';
    for (std::size_t k = 0; k < list->size(); ++k) {
      if (k > 0) out += ", ";
      print((*list)[k], out);
    }
    out += ']';
  } else if (const ValueTree::Map* map = tree.as_map()) {
    out += '{';
    for (std::size_t k = 0; k < map->size(); ++k) {
      if (k > 0) out += ", ";
      out += (*map)[k].first;
      out += ": ";
      print((*map)[k].second, out);
    }
    out += '}';
  } else {
    out += "null";
  }
}

Status wrong_kind(std::string_view key, const ValueTree* found, std::string_view expected) {
  if (found == nullptr) {
    return Status::invalid_argument(
        fmt::format("plan value '{}' is missing; expected {}", key, expected));
  }
  return Status::invalid_argument(fmt::format("plan value '{}' is {}; expected {}", key,
                                              found->to_string().substr(0, 64), expected));
}

}  // namespace

ValueTree& ValueTree::set(std::string key, ValueTree value) {
  if (is_null()) value_ = Map{};
  Map* map = std::get_if<Map>(&value_);
  CLP_CHECK(map != nullptr);
  for (auto& entry : *map) {
    if (entry.first == key) {
      entry.second = std::move(value);
      return *this;
    }
  }
  map->emplace_back(std::move(key), std::move(value));
  return *this;
}

ValueTree& ValueTree::add(ValueTree value) {
  if (is_null()) value_ = List{};
  List* list = std::get_if<List>(&value_);
  CLP_CHECK(list != nullptr);
  list->push_back(std::move(value));
  return *this;
}

const ValueTree* ValueTree::find(std::string_view key) const {
  const Map* map = as_map();
  if (map == nullptr) return nullptr;
  for (const auto& [name, value] : *map) {
    if (name == key) return &value;
  }
  return nullptr;
}

Result<bool> ValueTree::get_bool(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr || found->as_bool() == nullptr) return wrong_kind(key, found, "a boolean");
  return *found->as_bool();
}

Result<std::int64_t> ValueTree::get_int(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr || found->as_int() == nullptr) return wrong_kind(key, found, "an integer");
  return *found->as_int();
}

Result<double> ValueTree::get_double(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr || found->as_double() == nullptr) return wrong_kind(key, found, "a double");
  return *found->as_double();
}

Result<std::string> ValueTree::get_string(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr || found->as_string() == nullptr) return wrong_kind(key, found, "a string");
  return *found->as_string();
}

Result<ValueTree::List> ValueTree::get_list(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr || found->is_null()) return List{};
  if (found->as_list() == nullptr) return wrong_kind(key, found, "a list");
  return *found->as_list();
}

Result<ValueTree> ValueTree::get(std::string_view key) const {
  const ValueTree* found = find(key);
  if (found == nullptr) return wrong_kind(key, found, "a value");
  return *found;
}

bool ValueTree::get_bool_or(std::string_view key, bool fallback) const {
  const ValueTree* found = find(key);
  return found != nullptr && found->as_bool() != nullptr ? *found->as_bool() : fallback;
}

std::int64_t ValueTree::get_int_or(std::string_view key, std::int64_t fallback) const {
  const ValueTree* found = find(key);
  return found != nullptr && found->as_int() != nullptr ? *found->as_int() : fallback;
}

std::string ValueTree::get_string_or(std::string_view key, std::string_view fallback) const {
  const ValueTree* found = find(key);
  return found != nullptr && found->as_string() != nullptr ? *found->as_string()
                                                           : std::string(fallback);
}

std::string ValueTree::encode() const {
  std::string out(1, kVersion);
  put_node(*this, out);
  return out;
}

Result<ValueTree> ValueTree::decode(std::string_view bytes) {
  return Decoder(bytes).run();
}

std::string ValueTree::to_string() const {
  std::string out;
  print(*this, out);
  return out;
}

}  // namespace clepsydra
