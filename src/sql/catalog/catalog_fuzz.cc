// Any bytes are files of a catalog: the first byte says which, the rest is what stands in it.
// Sessions list, describe, read and drop what they find, or say what is wrong with it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "base/memory_file_system.h"
#include "sql/fake_connectors.h"
#include "sql/session.h"

using clepsydra::Result;
using clepsydra::StatementResult;

namespace {

constexpr std::size_t kFileBytesMax = 4096;
constexpr std::string_view kFirstLine = "-- Clepsydra catalog file, version 1\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kFileBytesMax) return 0;
  const clepsydra::sql::testing::FakeConnectors connectors;
  const clepsydra::SimulatedClock clock;
  clepsydra::MemoryFileSystem files(clock);
  clepsydra::Configuration configuration;
  configuration.set("clepsydra.catalog.directory", "/c");
  clepsydra::SqlSession session(connectors, clock, configuration, &files);
  const auto must = [&](std::string_view sql) {
    const Result<StatementResult> result = session.execute(sql);
    CLP_CHECK_MSG(result.is_ok(), result.status().message());
  };
  must("CREATE CATALOG f WITH ('type' = 'file')");
  must("CREATE DATABASE f.d");
  must("CREATE TABLE f.d.base (a INT) WITH ('connector' = 'datagen')");
  constexpr std::string_view kFiles[] = {"/c/f/d/t.table.sql", "/c/f/d/t.view.sql",
                                         "/c/f/d/database.sql", "/c/f/d/t.function.sql"};
  std::string text((data[0] & 0x80) != 0 ? kFirstLine : std::string_view());
  text.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  CLP_CHECK(clepsydra::write_file_atomically(files, kFiles[data[0] % 4], text).is_ok());
  must("SHOW TABLES FROM f.d");
  must("DESCRIBE DATABASE EXTENDED f.d");
  for (const std::string_view sql :
       {"DESCRIBE f.d.t", "SELECT * FROM f.d.t", "SHOW CREATE TABLE f.d.t", "SELECT f.d.t('a')",
        "CREATE TABLE f.d.u LIKE f.d.t", "ALTER TABLE f.d.t ADD (zz INT FIRST)"}) {
    const Result<StatementResult> result = session.execute(sql);
    if (result.is_ok()) continue;
    CLP_CHECK(!result.status().message().empty());
    CLP_CHECK_MSG(result.status().code() != clepsydra::StatusCode::kInternal,
                  result.status().message());
  }
  must("DROP DATABASE f.d CASCADE");
  return 0;
}
