#include "sql/plan/secret_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "base/utf8.h"

namespace clepsydra::sql {
namespace {

// A mark: kMark, catalog, database, table and option each with kEnd behind it. Texts that people
// write have no such characters; marks never leave a plan.
constexpr std::string_view kMark = "\x01secret\x02";
constexpr char kEnd = '\x02';
constexpr std::size_t kNames = 4;

// Reads the mark that `text` begins with, and takes it off.
std::optional<SecretOption> take_mark(std::string_view& text) {
  std::string_view rest = text.substr(kMark.size());
  std::array<std::string, kNames> names;
  for (std::string& name : names) {
    const std::size_t end = rest.find(kEnd);
    if (end == std::string_view::npos) return std::nullopt;
    name = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  text = rest;
  return SecretOption{{names[0], names[1], names[2]}, names[3]};
}

Result<TableOptions> with_marks(const CatalogTable& table, TableOptions options) {
  for (auto& [key, value] : options) {
    if (!is_secret_key(key)) continue;
    const auto own = table.options.find(key);
    if (own == table.options.end() || own->second != value) {
      return Status::failed_precondition(
          fmt::format("a plan would hold the value of '{}' that a hint gives to table '{}': plans "
                      "have no passwords and the like, and the catalog could not give it when the "
                      "plan is executed; write it into the table's WITH",
                      key, table.path.to_string()));
    }
    const std::string names = table.path.to_string() + key;
    if (names.find_first_of("\x01\x02") != std::string::npos) {
      return Status::unimplemented(
          fmt::format("a plan cannot name '{}' of table '{}': control characters in names", key,
                      table.path.to_string()));
    }
    value = join_parts({{.text = {}, .secret = SecretOption{table.path, key}}});
  }
  return options;
}

Result<PlanPtr> hide(const PlanPtr& node) {
  if (const auto* scan = node->as_if<ScanNode>()) {
    CLP_ASSIGN_OR_RETURN(TableOptions options, with_marks(*scan->table, scan->options));
    if (options == scan->options) return node;
    auto hidden =
        std::make_shared<ScanNode>(scan->table, std::move(options), scan->columns, scan->schema);
    hidden->partition_conditions = scan->partition_conditions;
    return PlanPtr(std::move(hidden));
  }
  if (const auto* sink = node->as_if<SinkNode>()) {
    CLP_ASSIGN_OR_RETURN(TableOptions options, with_marks(*sink->table, sink->options));
    if (options == sink->options) return node;
    return PlanPtr(
        std::make_shared<SinkNode>(sink->input(), sink->table, std::move(options), sink->replaced));
  }
  return node;
}

Result<std::string> value_of(const Catalog& catalog, const SecretOption& secret) {
  const std::string what =
      fmt::format("a plan has no passwords and the like: '{}' comes from table '{}'", secret.option,
                  secret.table.to_string());
  if (!is_secret_key(secret.option)) {
    return Status::invalid_argument(fmt::format("'{}' of table '{}' is no secret",
                                                clip(secret.option, 64),
                                                clip(secret.table.to_string(), 64)));
  }
  const CatalogObject object = catalog.find(secret.table);
  if (!object.table) {
    return Status::failed_precondition(
        fmt::format("{}, which is not in the catalog; create it first", what));
  }
  const auto found = object.table->options.find(secret.option);
  if (found == object.table->options.end()) {
    return Status::failed_precondition(fmt::format(
        "{}, which does not have it; ALTER TABLE ... SET ('{}' = '...')", what, secret.option));
  }
  return found->second;
}

Result<ValueTree> reveal(const Catalog& catalog, const ValueTree& tree) {
  if (const std::string* text = tree.as_string()) {
    if (text->find(kMark) == std::string::npos) return tree;
    std::string revealed;
    for (const TextPart& part : split_at_secrets(*text)) {
      if (!part.secret) {
        revealed += part.text;
        continue;
      }
      CLP_ASSIGN_OR_RETURN(const std::string value, value_of(catalog, *part.secret));
      revealed += value;
    }
    return ValueTree(std::move(revealed));
  }
  if (const ValueTree::List* list = tree.as_list()) {
    ValueTree revealed = ValueTree::list();
    for (const ValueTree& item : *list) {
      CLP_ASSIGN_OR_RETURN(ValueTree value, reveal(catalog, item));
      revealed.add(std::move(value));
    }
    return revealed;
  }
  if (const ValueTree::Map* map = tree.as_map()) {
    ValueTree::Map revealed;
    for (const auto& [key, item] : *map) {
      CLP_ASSIGN_OR_RETURN(ValueTree value, reveal(catalog, item));
      revealed.emplace_back(key, std::move(value));
    }
    return ValueTree(std::move(revealed));
  }
  return tree;
}

}  // namespace

std::vector<TextPart> split_at_secrets(std::string_view text) {
  std::vector<TextPart> parts;
  std::string plain;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find(kMark), text.size());
    plain += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    std::optional<SecretOption> secret = take_mark(text);
    if (!secret) {
      plain += text.substr(0, kMark.size());
      text.remove_prefix(kMark.size());
      continue;
    }
    if (!plain.empty()) parts.push_back({.text = std::exchange(plain, {}), .secret = {}});
    parts.push_back({.text = {}, .secret = std::move(secret)});
  }
  if (!plain.empty() || parts.empty()) parts.push_back({.text = std::move(plain), .secret = {}});
  return parts;
}

std::string join_parts(const std::vector<TextPart>& parts) {
  std::string text;
  for (const TextPart& part : parts) {
    text += part.text;
    if (!part.secret) continue;
    const ObjectPath& table = part.secret->table;
    text += kMark;
    for (const std::string& name :
         {table.catalog, table.database, table.object, part.secret->option}) {
      text += name;
      text += kEnd;
    }
  }
  return text;
}

Result<PlanRoots> hide_secrets(const PlanRoots& roots) {
  return rewrite_bottom_up(
      roots, [](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> { return hide(node); });
}

Status reveal_secrets(const Catalog& catalog, InsertJob& job) {
  for (StreamNode& node : job.graph.nodes) {
    CLP_ASSIGN_OR_RETURN(node.spec.options, reveal(catalog, node.spec.options));
  }
  return Status::ok();
}

}  // namespace clepsydra::sql
