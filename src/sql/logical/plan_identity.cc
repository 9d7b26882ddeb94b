#include "sql/logical/plan_identity.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/value_tree.h"
#include "sql/logical/expression_rewrite.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {
namespace {

// A hash of a tag and of what follows it. Pieces are told apart by their lengths.
class Digest {
 public:
  explicit Digest(std::string_view tag) { add(tag); }
  Digest& add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    hasher_.update(text);
    return *this;
  }
  Digest& add(std::uint64_t number) {
    // Little endian, whatever the machine.
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
    hasher_.update(std::string_view(bytes, sizeof bytes));
    return *this;
  }
  Digest& add(std::int64_t number) { return add(static_cast<std::uint64_t>(number)); }
  Digest& add(const std::vector<std::uint64_t>& numbers) {
    add(static_cast<std::uint64_t>(numbers.size()));
    for (const std::uint64_t number : numbers) add(number);
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const { return hasher_.digest(); }

 private:
  Hasher64 hasher_;
};

std::vector<std::uint64_t> sorted(std::vector<std::uint64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::uint64_t> as_set(std::vector<std::uint64_t> numbers) {
  numbers = sorted(std::move(numbers));
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

bool is_symmetric(std::string_view function) {
  return function == "+" || function == "*" || function == "=" || function == "<>";
}

bool is_cast(std::string_view function) {
  return function == "CAST" || function == "TRY_CAST";
}

// a > b is b < a.
std::string_view turned_around(std::string_view function) {
  if (function == ">") return "<";
  if (function == ">=") return "<=";
  return {};
}

// The operands of a AND (b AND c), or of the same with OR.
void flatten(const Expression& call, std::string_view function,
             std::vector<const Expression*>& operands) {
  std::vector<const Expression*> open = {&call};
  while (!open.empty()) {
    const Expression* next = open.back();
    open.pop_back();
    if (next->kind() != Expression::Kind::kCall || next->name() != function) {
      operands.push_back(next);
      continue;
    }
    for (const ExpressionPtr& argument : next->arguments()) open.push_back(argument.get());
  }
}

// `columns`: what the columns are that the expression reads.
std::uint64_t digest_of(const Expression& expression, const std::vector<std::uint64_t>& columns) {
  switch (expression.kind()) {
    case Expression::Kind::kColumn:
      return columns[static_cast<std::size_t>(expression.column_index())];
    case Expression::Kind::kLiteral:
      return Digest("literal").add(std::string_view(expression.to_string())).value();
    case Expression::Kind::kCall:
      break;
  }
  const std::string& function = expression.name();
  std::vector<std::uint64_t> arguments;
  if (function == "AND" || function == "OR") {
    std::vector<const Expression*> operands;
    flatten(expression, function, operands);
    for (const Expression* operand : operands) arguments.push_back(digest_of(*operand, columns));
    arguments = as_set(std::move(arguments));
    return Digest("call").add(std::string_view(function)).add(arguments).value();
  }
  for (const ExpressionPtr& argument : expression.arguments()) {
    arguments.push_back(digest_of(*argument, columns));
  }
  std::string_view name = function;
  if (const std::string_view turned = turned_around(function); !turned.empty()) {
    name = turned;
    std::reverse(arguments.begin(), arguments.end());
  }
  if (is_symmetric(name)) arguments = sorted(std::move(arguments));
  Digest digest("call");
  digest.add(name).add(arguments);
  if (is_cast(name)) {
    digest.add(std::string_view(expression.type().with_nullable(true).to_string()));
  }
  return digest.value();
}

std::uint64_t window_identity(const WindowSpec& window, std::uint64_t time) {
  return Digest("window")
      .add(window_kind_name(window.kind))
      .add(window.size_ms)
      .add(window.step_ms)
      .add(window.offset_ms)
      .add(std::string_view(window.zone))
      .add(time)
      .value();
}

}  // namespace

std::uint64_t source_identity(const ScanNode& scan, const TableConnectorRegistry& connectors) {
  Digest digest("source");
  digest.add(std::string_view(scan.table->path.to_string()));
  const std::string& name = scan.options.at("connector");
  digest.add(std::string_view(name));
  const TableConnector* connector = connectors.find_connector(name);
  CLP_CHECK(connector != nullptr);
  for (const std::string& key : connector->identity_options()) {
    const auto option = scan.options.find(key);
    digest.add(std::string_view(key));
    digest.add(option == scan.options.end() ? std::string_view()
                                            : std::string_view(option->second));
  }
  if (scan.table->watermark) {
    const auto column = static_cast<std::size_t>(scan.table->watermark->column);
    digest.add("event time").add(std::string_view(scan.table->columns[column].name));
  }
  return digest.value();
}

std::uint64_t sink_identity(const SinkNode& sink) {
  return Digest("sink")
      .add(std::string_view(sink.table->path.to_string()))
      .add(std::string_view(sink.options.at("connector")))
      .value();
}

std::uint64_t window_aggregate_identity(const WindowAggregateNode& aggregate) {
  std::vector<std::uint64_t> calls;
  for (const AggregateCall& call : aggregate.calls) calls.push_back(call.identity);
  return Digest("window aggregate")
      .add(aggregate.identity.input)
      .add(sorted(aggregate.identity.keys))
      .add(sorted(std::move(calls)))
      .value();
}

std::uint64_t values_identity(const ValuesNode& values) {
  Digest digest("values");
  digest.add(values.rows);
  for (const Column& column : values.columns) {
    digest.add(std::string_view(column_to_tree(column).encode()));
  }
  return digest.value();
}

std::uint64_t PlanIdentities::Identity::rows() const {
  return Digest("rows").add(origin).add(as_set(conditions)).value();
}

PlanIdentities::PlanIdentities(const PlanRoots& roots, const TableConnectorRegistry& connectors)
    : connectors_(connectors) {
  for (const PlanNode* node : topological_order(roots)) identities_.emplace(node, make(*node));
}

AggregateIdentity PlanIdentities::of(const AggregateNode& aggregate) const {
  const Identity& input = at(*aggregate.input());
  AggregateIdentity identity;
  identity.input = input.rows();
  for (const int key : aggregate.keys) {
    identity.keys.push_back(input.columns[static_cast<std::size_t>(key)]);
  }
  return identity;
}

std::uint64_t PlanIdentities::of(const AggregateNode& aggregate, const AggregateCall& call) const {
  const Identity& input = at(*aggregate.input());
  Digest digest("aggregate");
  digest.add(std::string_view(call.function)).add(std::int64_t{call.distinct ? 1 : 0});
  for (const int argument : call.arguments) {
    digest.add(input.columns[static_cast<std::size_t>(argument)]);
  }
  if (call.filter >= 0) {
    digest.add("filter").add(input.columns[static_cast<std::size_t>(call.filter)]);
  }
  return digest.value();
}

PlanIdentities::Identity PlanIdentities::make(const PlanNode& node) const {
  switch (node.kind) {
    case PlanKind::kScan:
      return of_scan(node.as<ScanNode>());
    case PlanKind::kValues: {
      Identity identity;
      identity.origin = values_identity(node.as<ValuesNode>());
      for (int i = 0; i < node.schema->size(); ++i) {
        identity.columns.push_back(
            Digest("column").add(identity.origin).add(std::int64_t{i}).value());
      }
      return identity;
    }
    case PlanKind::kFilter: {
      Identity identity = at(*node.input());
      for (const ExpressionPtr& part : split_conjunction(node.as<FilterNode>().condition)) {
        identity.conditions.push_back(
            Digest("filter").add(digest_of(*part, identity.columns)).value());
      }
      return identity;
    }
    case PlanKind::kProject: {
      Identity identity = at(*node.input());
      std::vector<std::uint64_t> columns;
      for (const ExpressionPtr& expression : node.as<ProjectNode>().expressions) {
        columns.push_back(digest_of(*expression, identity.columns));
      }
      identity.columns = std::move(columns);
      return identity;
    }
    case PlanKind::kWindowTableFunction:
      return of_window(node.as<WindowTableFunctionNode>());
    case PlanKind::kAggregate:
      return of_aggregate(node.as<AggregateNode>());
    case PlanKind::kUnionAll:
      return of_union(node.as<UnionAllNode>());
    case PlanKind::kWatermark:
    case PlanKind::kSink:
    case PlanKind::kCollect:
      return at(*node.input());
    case PlanKind::kWindowAggregate:
      break;
  }
  CLP_CHECK(false);
}

PlanIdentities::Identity PlanIdentities::of_scan(const ScanNode& scan) const {
  Identity identity;
  identity.origin = source_identity(scan, connectors_);
  for (const int column : scan.columns) {
    const std::string& name = scan.table->columns[static_cast<std::size_t>(column)].name;
    identity.columns.push_back(
        Digest("column").add(identity.origin).add(std::string_view(name)).value());
  }
  return identity;
}

PlanIdentities::Identity PlanIdentities::of_window(const WindowTableFunctionNode& window) const {
  Identity identity = at(*window.input());
  const std::uint64_t time = window.time_column < 0
                                 ? Digest("processing time").value()
                                 : identity.columns[static_cast<std::size_t>(window.time_column)];
  const std::uint64_t windows = window_identity(window.window, time);
  identity.conditions.push_back(windows);
  for (const WindowBound bound : {WindowBound::kStart, WindowBound::kEnd, WindowBound::kTime}) {
    identity.columns.push_back(Digest("bound").add(windows).add(window_bound_name(bound)).value());
  }
  return identity;
}

PlanIdentities::Identity PlanIdentities::of_aggregate(const AggregateNode& aggregate) const {
  const AggregateIdentity own = of(aggregate);
  Identity identity;
  identity.origin = Digest("groups").add(own.input).add(as_set(own.keys)).value();
  identity.columns = own.keys;
  for (const AggregateCall& call : aggregate.calls) {
    identity.columns.push_back(
        Digest("column").add(identity.origin).add(of(aggregate, call)).value());
  }
  return identity;
}

PlanIdentities::Identity PlanIdentities::of_union(const UnionAllNode& node) const {
  std::vector<std::uint64_t> rows;
  for (const PlanPtr& input : node.inputs) rows.push_back(at(*input).rows());
  Identity identity;
  identity.origin = Digest("union").add(sorted(std::move(rows))).value();
  for (int i = 0; i < node.schema->size(); ++i) {
    std::vector<std::uint64_t> parts;
    for (const PlanPtr& input : node.inputs) {
      parts.push_back(at(*input).columns[static_cast<std::size_t>(i)]);
    }
    identity.columns.push_back(
        Digest("column").add(identity.origin).add(sorted(std::move(parts))).value());
  }
  return identity;
}

}  // namespace clepsydra::sql
