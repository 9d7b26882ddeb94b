#include "sql/session_fixture.h"

#include <fmt/format.h>

#include <utility>

#include "sql/grammar/parser.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::sql::testing {

StatementResult SessionTest::run(std::string_view sql) {
  Result<StatementResult> result = session_.execute(sql);
  if (!result.is_ok()) {
    ADD_FAILURE() << sql << "\n" << result.status().to_string();
    return Done{};
  }
  return *std::move(result);
}

QueryJob SessionTest::query(std::string_view sql) {
  StatementResult result = run(sql);
  if (auto* job = std::get_if<QueryJob>(&result)) return std::move(*job);
  ADD_FAILURE() << "not a query: " << sql;
  return {};
}

InsertJob SessionTest::insert(std::string_view sql) {
  StatementResult result = run(sql);
  if (auto* job = std::get_if<InsertJob>(&result)) return std::move(*job);
  ADD_FAILURE() << "not an insert: " << sql;
  return {};
}

std::string SessionTest::types_of(std::string_view sql) {
  const QueryJob job = query(sql);
  if (!job.schema) return {};
  std::string out;
  for (const Field& field : job.schema->fields()) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", field.name, field.type.to_string());
  }
  return out;
}

std::vector<std::string> SessionTest::rows(std::string_view sql) {
  StatementResult result = run(sql);
  const auto* table = std::get_if<TableResult>(&result);
  if (table == nullptr) {
    ADD_FAILURE() << "not a table: " << sql;
    return {};
  }
  std::vector<std::string> lines;
  std::string names;
  for (const Field& field : table->rows.schema()->fields()) {
    names += (names.empty() ? "" : " | ") + field.name;
  }
  lines.push_back(names);
  for (std::int64_t row = 0; row < table->rows.rows(); ++row) {
    std::string line;
    for (int c = 0; c < table->rows.column_count(); ++c) {
      if (c > 0) line += " | ";
      const Column& column = table->rows.column(c);
      line += column.type().is_character() ? std::string(column.string_at(row))
                                           : clepsydra::testing::cell_of(column, row);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string SessionTest::text(std::string_view sql) {
  const std::vector<std::string> lines = rows(sql);
  return lines.size() == 2 ? lines[1] : std::string();
}

std::string SessionTest::error(std::string_view sql) {
  const Result<StatementResult> result = session_.execute(sql);
  return result.is_ok() ? "no error" : result.status().to_string();
}

void SessionTest::create_orders() {
  run("CREATE TABLE orders (order_id INT, user_id INT, product STRING, amount INT, price DOUBLE, "
      "ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH "
      "('connector' = 'filesystem', 'path' = '/data/orders.csv', 'format' = 'csv')");
}

std::string columns_of_script(SqlSession& session, std::string_view script) {
  grammar::ScriptReader reader(script);
  std::string last;
  while (true) {
    Result<std::optional<grammar::ScriptStatement>> next = reader.next();
    if (!next.is_ok()) {
      ADD_FAILURE() << next.status().to_string();
      return {};
    }
    if (!*next) return last;
    const Result<StatementResult> result = session.execute(*(*next)->statement, script);
    if (!result.is_ok()) {
      ADD_FAILURE() << result.status().to_string();
      return {};
    }
    if (const auto* job = std::get_if<QueryJob>(&*result)) {
      last.clear();
      for (const Field& field : job->schema->fields()) {
        last +=
            fmt::format("{}{} {}", last.empty() ? "" : "\n", field.name, field.type.to_string());
      }
    }
  }
}

std::vector<std::string> node_names(const StreamGraph& graph) {
  std::vector<std::string> names;
  for (const StreamNode& node : graph.nodes) names.push_back(node.spec.name);
  return names;
}

}  // namespace clepsydra::sql::testing
