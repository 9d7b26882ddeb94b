// The whole engine in this process, asked one statement at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/configuration.h"
#include "clepsydra/status.h"
#include "main/local_cluster.h"
#include "sql/session.h"

namespace clepsydra::golden {

// Where a statement was refused.
enum class Stage : std::uint8_t {
  kParsing,
  kPlanning,
  kRunning,
};
// As the corpora name it: "parse", "validation", "runtime".
std::string_view error_class(Stage stage);

struct Answer {
  Status status;
  Stage stage = Stage::kParsing;  // Of an error.
  std::string type;               // Of the first column.
  std::string value;              // Of the first row, as the corpora write it; "" without a row.
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> make();

  // A new session: no tables, no settings.
  void restart_session();
  // Every statement of a script must work, but for what is not built yet.
  Status run_script(std::string_view script);
  // Runs one statement to its end.
  Answer ask(std::string_view statement);

 private:
  explicit Engine(std::unique_ptr<LocalCluster> cluster);
  // Runs a job; `result_name` is empty for one that only writes.
  Status run(const StreamGraph& graph, std::string_view result_name, Answer& answer);

  const SystemClock clock_;
  std::unique_ptr<LocalCluster> cluster_;
  Configuration configuration_;
  std::unique_ptr<SqlSession> session_;
};

}  // namespace clepsydra::golden
