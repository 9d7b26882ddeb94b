#include "sql/plan/json_compiled_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "sql/plan/secret_options.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {
namespace {

using Json = nlohmann::ordered_json;  // Keys in the order in which they were set.

// What a plan has that older releases may read too.
constexpr int kVersionWithoutSecrets = 1;
constexpr int kDepthMax = 200;  // As ValueTree::decode().
// What JSON has no value for: {"$hex": "00ff"}, {"$double": "NaN"}; a map whose first key begins
// with $ is {"$map": {...}}.
constexpr const char* kHex = "$hex";
constexpr const char* kDouble = "$double";
constexpr const char* kMap = "$map";
// {"$secret": ["text", {"table": [catalog, database, table], "option": "password"}]}: a text with
// the value that the table's option has when the plan is executed.
constexpr const char* kSecret = "$secret";

// ---- Trees of values ----

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

Result<std::string> bytes_of(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const std::size_t high = kDigits.find(hex[i]);
    const std::size_t low = kDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) break;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  if (2 * bytes.size() == hex.size()) return bytes;
  return Status::invalid_argument(fmt::format("'{}' is no hexadecimal text", clip(hex, 64)));
}

std::string_view double_name(double value) {
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

Result<ValueTree> double_of(std::string_view name) {
  if (name == "NaN") return ValueTree(std::numeric_limits<double>::quiet_NaN());
  if (name == "Infinity") return ValueTree(std::numeric_limits<double>::infinity());
  if (name == "-Infinity") return ValueTree(-std::numeric_limits<double>::infinity());
  return Status::invalid_argument(fmt::format("'{}' is no number", clip(name, 64)));
}

Json text_to_json(const std::string& text) {
  const std::vector<TextPart> parts = split_at_secrets(text);
  const bool is_readable = is_valid_utf8(text);
  if (is_readable && parts.size() == 1 && !parts[0].secret) return text;
  if (!is_readable) return Json{{kHex, hex_of(text)}};
  Json list = Json::array();
  for (const TextPart& part : parts) {
    if (!part.secret) {
      list.push_back(part.text);
      continue;
    }
    const ObjectPath& table = part.secret->table;
    list.push_back(Json{{"table", Json::array({table.catalog, table.database, table.object})},
                        {"option", part.secret->option}});
  }
  return Json{{kSecret, std::move(list)}};
}

// Whether the text of a plan has secrets in it: older releases do not read them.
bool has_secrets(const Json& json) {
  if (json.is_object() && json.size() == 1 && json.begin().key() == kSecret) return true;
  return json.is_structured() && std::any_of(json.begin(), json.end(), has_secrets);
}

Json to_json(const ValueTree& tree) {
  if (const bool* value = tree.as_bool()) return *value;
  if (const std::int64_t* value = tree.as_int()) return *value;
  if (const double* value = tree.as_double()) {
    if (std::isfinite(*value)) return *value;
    return Json{{kDouble, double_name(*value)}};
  }
  if (const std::string* value = tree.as_string()) {
    return text_to_json(*value);
  }
  if (const ValueTree::List* list = tree.as_list()) {
    Json array = Json::array();
    for (const ValueTree& item : *list) array.push_back(to_json(item));
    return array;
  }
  if (const ValueTree::Map* map = tree.as_map()) {
    Json object = Json::object();
    for (const auto& [key, value] : *map) object[key] = to_json(value);
    if (map->empty() || !map->front().first.starts_with('$')) return object;
    Json wrapped = Json::object();
    wrapped[kMap] = std::move(object);
    return wrapped;
  }
  return nullptr;
}

std::optional<TextPart> part_from(const Json& json) {
  if (json.is_string()) return TextPart{json.get<std::string>(), std::nullopt};
  if (!json.is_object() || json.size() != 2 || !json.contains("table") ||
      !json.contains("option")) {
    return std::nullopt;
  }
  const Json& table = json["table"];
  const bool is_path =
      table.is_array() && table.size() == 3 &&
      std::all_of(table.begin(), table.end(), [](const Json& name) { return name.is_string(); });
  if (!is_path || !json["option"].is_string()) return std::nullopt;
  return TextPart{{},
                  SecretOption{{table[0].get<std::string>(), table[1].get<std::string>(),
                                table[2].get<std::string>()},
                               json["option"].get<std::string>()}};
}

// The text, with marks where secrets stand.
Result<ValueTree> text_from(const Json& list) {
  std::vector<TextPart> parts;
  for (const Json& item : list) {
    std::optional<TextPart> part = part_from(item);
    if (!part) return Status::invalid_argument("a secret that is no option of a table");
    parts.push_back(*std::move(part));
  }
  return ValueTree(join_parts(parts));
}

Result<ValueTree> from_json(const Json& json, int depth);

Result<ValueTree> map_from(const Json& object, int depth) {
  ValueTree tree = ValueTree::map();
  for (const auto& [key, value] : object.items()) {
    CLP_ASSIGN_OR_RETURN(ValueTree item, from_json(value, depth + 1));
    tree.set(key, std::move(item));
  }
  return tree;
}

Result<ValueTree> from_json(const Json& json, int depth) {
  if (depth > kDepthMax) {
    return Status::invalid_argument(fmt::format("values are nested more than {} deep", kDepthMax));
  }
  switch (json.type()) {
    case Json::value_t::null:
      return ValueTree();
    case Json::value_t::boolean:
      return ValueTree(json.get<bool>());
    case Json::value_t::number_integer:
      return ValueTree(json.get<std::int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) break;
      return ValueTree(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return ValueTree(json.get<double>());
    case Json::value_t::string:
      return ValueTree(json.get<std::string>());
    case Json::value_t::array: {
      ValueTree list = ValueTree::list();
      for (const Json& item : json) {
        CLP_ASSIGN_OR_RETURN(ValueTree value, from_json(item, depth + 1));
        list.add(std::move(value));
      }
      return list;
    }
    case Json::value_t::object: {
      if (json.empty() || !json.begin().key().starts_with('$')) return map_from(json, depth);
      const std::string& key = json.begin().key();
      const Json& value = json.begin().value();
      if (json.size() == 1 && key == kMap && value.is_object()) return map_from(value, depth);
      if (json.size() == 1 && key == kSecret && value.is_array()) return text_from(value);
      if (json.size() != 1 || !value.is_string()) break;
      const std::string text = value.get<std::string>();
      if (key == kDouble) return double_of(text);
      if (key != kHex) break;
      CLP_ASSIGN_OR_RETURN(std::string bytes, bytes_of(text));
      return ValueTree(std::move(bytes));
    }
    case Json::value_t::binary:
    case Json::value_t::discarded:
      break;
  }
  return Status::invalid_argument("a value that no plan has");
}

// ---- Writing ----

Json node_to_json(const StreamNode& node) {
  Json inputs = Json::array();
  for (const SchemaPtr& input : node.spec.inputs) inputs.push_back(to_json(schema_to_tree(*input)));
  return Json{{"uid", node.spec.uid},
              {"kind", node.spec.kind},
              {"name", node.spec.name},
              {"parallelism", node.parallelism},
              {"maxParallelism", node.max_parallelism},
              {"mayChain", node.may_chain},
              {"inputs", std::move(inputs)},
              {"output", node.spec.output == nullptr ? Json(nullptr)
                                                     : to_json(schema_to_tree(*node.spec.output))},
              {"options", to_json(node.spec.options)}};
}

Json edge_to_json(const StreamEdge& edge) {
  return Json{{"from", edge.from},
              {"to", edge.to},
              {"toInput", edge.to_input},
              {"partitioning", partitioning_name(edge.partitioning)},
              {"keys", edge.keys}};
}

// ---- Reading ----

// The top of a document, or an object in it; errors say where.
class Reader {
 public:
  Reader(const ValueTree& tree, std::string place) : tree_(tree), place_(std::move(place)) {}

  [[nodiscard]] Status wrong(const Status& status) const {
    return place_.empty() ? status : status.with_context(place_);
  }
  template <typename Get>
  auto get(Get get) const -> decltype(get(std::declval<const ValueTree&>())) {
    auto value = get(tree_);
    if (value.is_ok()) return value;
    return wrong(value.status());
  }
  [[nodiscard]] Result<std::string> text(std::string_view key) const {
    return get([&](const ValueTree& tree) { return tree.get_string(key); });
  }
  [[nodiscard]] Result<bool> flag(std::string_view key) const {
    return get([&](const ValueTree& tree) { return tree.get_bool(key); });
  }
  [[nodiscard]] Result<int> integer(std::string_view key) const {
    CLP_ASSIGN_OR_RETURN(const std::int64_t value,
                         get([&](const ValueTree& tree) { return tree.get_int(key); }));
    if (value >= INT32_MIN && value <= INT32_MAX) return static_cast<int>(value);
    return wrong(Status::invalid_argument(fmt::format("'{}' is {}", key, value)));
  }
  [[nodiscard]] Result<ValueTree::List> list(std::string_view key) const {
    return get([&](const ValueTree& tree) { return tree.get_list(key); });
  }

 private:
  const ValueTree& tree_;
  const std::string place_;
};

Result<StreamNode> node_from(const ValueTree& tree, const std::string& place) {
  const Reader reader(tree, place);
  StreamNode node;
  CLP_ASSIGN_OR_RETURN(node.spec.uid, reader.text("uid"));
  CLP_ASSIGN_OR_RETURN(node.spec.kind, reader.text("kind"));
  CLP_ASSIGN_OR_RETURN(node.spec.name, reader.text("name"));
  CLP_ASSIGN_OR_RETURN(node.parallelism, reader.integer("parallelism"));
  CLP_ASSIGN_OR_RETURN(node.max_parallelism, reader.integer("maxParallelism"));
  CLP_ASSIGN_OR_RETURN(node.may_chain, reader.flag("mayChain"));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List inputs, reader.list("inputs"));
  for (const ValueTree& input : inputs) {
    Result<SchemaPtr> schema = schema_from_tree(input);
    if (!schema.is_ok()) return reader.wrong(schema.status());
    node.spec.inputs.push_back(*std::move(schema));
  }
  CLP_ASSIGN_OR_RETURN(const ValueTree output,
                       reader.get([](const ValueTree& from) { return from.get("output"); }));
  if (!output.is_null()) {
    Result<SchemaPtr> schema = schema_from_tree(output);
    if (!schema.is_ok()) return reader.wrong(schema.status());
    node.spec.output = *std::move(schema);
  }
  CLP_ASSIGN_OR_RETURN(node.spec.options,
                       reader.get([](const ValueTree& from) { return from.get("options"); }));
  return node;
}

Result<Partitioning> partitioning_from(std::string_view name) {
  for (const Partitioning partitioning :
       {Partitioning::kForward, Partitioning::kRebalance, Partitioning::kHash,
        Partitioning::kBroadcast, Partitioning::kGlobal}) {
    if (partitioning_name(partitioning) == name) return partitioning;
  }
  return Status::invalid_argument(fmt::format("unknown partitioning '{}'", clip(name, 64)));
}

Result<StreamEdge> edge_from(const ValueTree& tree, const std::string& place) {
  const Reader reader(tree, place);
  StreamEdge edge;
  CLP_ASSIGN_OR_RETURN(edge.from, reader.integer("from"));
  CLP_ASSIGN_OR_RETURN(edge.to, reader.integer("to"));
  CLP_ASSIGN_OR_RETURN(edge.to_input, reader.integer("toInput"));
  CLP_ASSIGN_OR_RETURN(const std::string partitioning, reader.text("partitioning"));
  const Result<Partitioning> found = partitioning_from(partitioning);
  if (!found.is_ok()) return reader.wrong(found.status());
  edge.partitioning = *found;
  CLP_ASSIGN_OR_RETURN(const ValueTree::List keys, reader.list("keys"));
  for (const ValueTree& key : keys) {
    if (key.as_int() == nullptr || *key.as_int() < 0 || *key.as_int() > INT32_MAX) {
      return reader.wrong(Status::invalid_argument("a key is no column"));
    }
    edge.keys.push_back(static_cast<int>(*key.as_int()));
  }
  return edge;
}

// "line 3, column 7"
std::string place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0.
  return fmt::format("line {}, column {}", line, std::max<std::size_t>(1, before.size() - begin));
}

Result<ValueTree> parse(std::string_view text) {
  // The library throws; nothing of that leaves here.
  try {
    return from_json(Json::parse(text), 0);
  } catch (const Json::parse_error& error) {
    return Status::invalid_argument(fmt::format("{}: this is no JSON", place_of(text, error.byte)));
  } catch (const Json::exception& error) {
    return Status::invalid_argument(fmt::format("this is no JSON: {}", error.what()));
  }
}

Status check_version(const ValueTree& tree) {
  const ValueTree* version = tree.find("planVersion");
  if (version == nullptr || version->as_int() == nullptr) {
    return Status::invalid_argument("this is no plan: it has no 'planVersion'");
  }
  const std::int64_t found = *version->as_int();
  if (found == kVersionWithoutSecrets || found == kCompiledPlanVersion) return Status::ok();
  return Status::unimplemented(
      fmt::format("the plan has version {}; this release reads versions {} and {}: {}", found,
                  kVersionWithoutSecrets, kCompiledPlanVersion,
                  found > kCompiledPlanVersion ? "run it with the release that compiled it, or a "
                                                 "later one"
                                               : "compile it again"));
}

}  // namespace

std::string write_compiled_plan(const InsertJob& job) {
  Json nodes = Json::array();
  for (const StreamNode& node : job.graph.nodes) nodes.push_back(node_to_json(node));
  Json edges = Json::array();
  for (const StreamEdge& edge : job.graph.edges) edges.push_back(edge_to_json(edge));
  const int version = has_secrets(nodes) ? kCompiledPlanVersion : kVersionWithoutSecrets;
  const Json plan = {{"planVersion", version},     {"name", job.graph.name},
                     {"targets", job.targets},     {"bounded", job.is_bounded},
                     {"guarantee", job.guarantee}, {"nodes", std::move(nodes)},
                     {"edges", std::move(edges)}};
  return plan.dump(1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

Result<InsertJob> read_compiled_plan(std::string_view text) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, parse(text));
  CLP_RETURN_IF_ERROR(check_version(tree));
  const Reader reader(tree, "");
  InsertJob job;
  CLP_ASSIGN_OR_RETURN(job.graph.name, reader.text("name"));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List targets, reader.list("targets"));
  for (const ValueTree& target : targets) {
    if (target.as_string() == nullptr) {
      return Status::invalid_argument("a name among the 'targets' is no text");
    }
    job.targets.push_back(*target.as_string());
  }
  CLP_ASSIGN_OR_RETURN(job.is_bounded, reader.flag("bounded"));
  CLP_ASSIGN_OR_RETURN(job.guarantee, reader.text("guarantee"));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List nodes, reader.list("nodes"));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(StreamNode node, node_from(nodes[i], fmt::format("node {}", i)));
    job.graph.nodes.push_back(std::move(node));
  }
  CLP_ASSIGN_OR_RETURN(const ValueTree::List edges, reader.list("edges"));
  for (std::size_t i = 0; i < edges.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(StreamEdge edge, edge_from(edges[i], fmt::format("edge {}", i)));
    job.graph.edges.push_back(std::move(edge));
  }
  CLP_RETURN_IF_ERROR(job.graph.validate());
  return job;
}

}  // namespace clepsydra::sql
