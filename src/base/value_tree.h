// A tree of plain values: how operator options, bound expressions, split descriptions and other
// plan data travel between rooms that must not know each other's types, and between processes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// Null, bool, int64, double, string (any bytes), list, or map with unique keys in insertion order.
// Equal trees encode to equal bytes.
class ValueTree {
 public:
  using List = std::vector<ValueTree>;
  using Map = std::vector<std::pair<std::string, ValueTree>>;

  ValueTree() = default;
  // NOLINTBEGIN(google-explicit-constructor): so that literals can stand for trees.
  ValueTree(bool value) : value_(value) {}
  ValueTree(std::int64_t value) : value_(value) {}
  ValueTree(int value) : value_(std::int64_t{value}) {}
  ValueTree(double value) : value_(value) {}
  ValueTree(std::string value) : value_(std::move(value)) {}
  ValueTree(std::string_view value) : value_(std::string(value)) {}
  ValueTree(const char* value) : value_(std::string(value)) {}
  ValueTree(List value) : value_(std::move(value)) {}
  ValueTree(Map value) : value_(std::move(value)) {}
  // NOLINTEND(google-explicit-constructor)
  static ValueTree list() { return ValueTree(List{}); }
  static ValueTree map() { return ValueTree(Map{}); }

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&value_); }
  [[nodiscard]] const double* as_double() const { return std::get_if<double>(&value_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const List* as_list() const { return std::get_if<List>(&value_); }
  [[nodiscard]] const Map* as_map() const { return std::get_if<Map>(&value_); }

  // Building. set() replaces; both turn a null tree into a map or list.
  ValueTree& set(std::string key, ValueTree value);
  ValueTree& add(ValueTree value);

  // Reading a map whose shape is expected: the error names the key and the kind that was expected.
  [[nodiscard]] const ValueTree* find(
      std::string_view key) const;  // Null when absent or not a map.
  [[nodiscard]] Result<bool> get_bool(std::string_view key) const;
  [[nodiscard]] Result<std::int64_t> get_int(std::string_view key) const;
  [[nodiscard]] Result<double> get_double(std::string_view key) const;
  [[nodiscard]] Result<std::string> get_string(std::string_view key) const;
  // A null or absent list reads as empty.
  [[nodiscard]] Result<List> get_list(std::string_view key) const;
  [[nodiscard]] Result<ValueTree> get(std::string_view key) const;
  [[nodiscard]] bool get_bool_or(std::string_view key, bool fallback) const;
  [[nodiscard]] std::int64_t get_int_or(std::string_view key, std::int64_t fallback) const;
  [[nodiscard]] std::string get_string_or(std::string_view key, std::string_view fallback) const;

  // Compact binary form, version byte first; see value_tree.cc. decode() accepts any bytes and
  // answers with an error for what is not a tree, is nested more than 200 deep or has bytes left
  // over.
  [[nodiscard]] std::string encode() const;
  static Result<ValueTree> decode(std::string_view bytes);
  // One line of JSON-like text for EXPLAIN, logs and tests.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const ValueTree&, const ValueTree&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> value_;
};

}  // namespace clepsydra
