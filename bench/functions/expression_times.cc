// How long expressions take, for bench/functions/run: reads tab-separated SQL expressions from each
// line of standard input, computes them over all rows, and answers with nanoseconds of CPU per row,
// or with "error" and why.
//
//   expression_times <batches> [<file for the rows as text>]
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "bench/functions/bench_rows.h"
#include "clepsydra/table_connector.h"
#include "functions/expression_program.h"
#include "sql/bind/expression_binder.h"
#include "sql/fake_connectors.h"
#include "sql/grammar/parser.h"

namespace clepsydra::bench {
namespace {

constexpr std::int64_t kBatchesMax = 4096;
constexpr std::size_t kLineBytesMax = 1 << 16;

class Bench {
 public:
  explicit Bench(std::int64_t batches) : batches_(make_bench_rows(batches)) {}

  [[nodiscard]] const std::vector<Batch>& rows() const { return batches_; }

  // Nanoseconds of CPU per row of one pass over all rows. The first call for a line compiles it.
  Result<double> measure(const std::string& line) {
    auto found = programs_.find(line);
    if (found == programs_.end()) {
      CLP_ASSIGN_OR_RETURN(ExpressionProgram program, compile(line));
      found = programs_.emplace(line, std::move(program)).first;
    }
    const std::clock_t start = std::clock();
    for (const Batch& batch : batches_) {
      CLP_RETURN_IF_ERROR(found->second.evaluate(batch).status());
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    return seconds * 1e9 / static_cast<double>(std::ssize(batches_) * kBatchRows);
  }

 private:
  Result<ExpressionProgram> compile(std::string_view line) {
    const sql::BindEnvironment environment = {.catalog = catalog_,
                                              .connectors = connectors_,
                                              .functions = FunctionRegistry::built_in(),
                                              .settings = settings_,
                                              .evaluation = {.pool = &literal_pool()}};
    const int columns = static_cast<int>(bench_schema()->fields().size());
    const sql::Scope scope(bench_schema(), {{.name = {"t"}, .first = 0, .count = columns}});
    std::vector<ExpressionPtr> expressions;
    while (!line.empty()) {
      const std::string_view sql = line.substr(0, line.find('\t'));
      line.remove_prefix(std::min(line.size(), sql.size() + 1));
      CLP_ASSIGN_OR_RETURN(const ast::ExpressionPtr parsed, grammar::parse_expression(sql));
      const sql::StatementText text(sql);
      sql::ExpressionBinder binder(environment, text, scope, nullptr, "SELECT");
      CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, binder.bind(*parsed));
      expressions.push_back(std::move(bound));
    }
    return ExpressionProgram::make(expressions, {.pool = pool_.get()});
  }

  std::vector<Batch> batches_;
  std::map<std::string, ExpressionProgram> programs_;
  const std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("bench");
  const sql::Catalog catalog_;
  const sql::testing::FakeConnectors connectors_;
  const sql::PlannerSettings settings_;
};

Status write_rows(const Bench& bench, const char* path) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return Status::unavailable(fmt::format("cannot open '{}'", path));
  const Status written = write_bench_rows(bench.rows(), file);
  if (std::fclose(file) != 0) return Status::unavailable(fmt::format("cannot write '{}'", path));
  return written;
}

int run(int argc, char** argv) {
  std::int64_t batches = 0;
  if (argc < 2 || argc > 3 ||
      std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), batches).ec != std::errc() ||
      batches < 1 || batches > kBatchesMax) {
    fmt::print(stderr, "usage: expression_times <batches, 1 to {}> [<file>]\n", kBatchesMax);
    return 2;
  }
  Bench bench(batches);
  if (argc == 3) {
    if (const Status status = write_rows(bench, argv[2]); !status.is_ok()) {
      fmt::print(stderr, "{}\n", status.message());
      return 1;
    }
  }
  fmt::print("ready\n");
  std::fflush(stdout);
  std::string line(kLineBytesMax, '\0');
  while (std::fgets(line.data(), static_cast<int>(line.size()), stdin) != nullptr) {
    std::string text(line.c_str());
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const Result<double> nanoseconds = bench.measure(text);
    if (nanoseconds.is_ok()) {
      fmt::print("{:.4f}\n", *nanoseconds);
    } else {
      std::string message(nanoseconds.status().message());
      for (char& c : message) c = c == '\n' ? ' ' : c;
      fmt::print("error {}\n", message);
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace clepsydra::bench

int main(int argc, char** argv) {
  return clepsydra::bench::run(argc, argv);
}
