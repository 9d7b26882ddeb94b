// Column names and types of queries against what the reference answered for them
// (tests/golden/queries).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sql/session_fixture.h"
#include "tests/harness/source_path.h"

namespace clepsydra::sql::testing {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// "name type" per column, from the lines "# columns: a<tab>b" and "# types: ...".
std::string expected_columns(const std::string& expected) {
  std::vector<std::string> names;
  std::vector<std::string> types;
  for (const std::string& line : split(expected, '\n')) {
    if (line.starts_with("# columns: ")) names = split(line.substr(11), '\t');
    if (line.starts_with("# types: ")) types = split(line.substr(9), '\t');
  }
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < types.size(); ++i) {
    out += (out.empty() ? "" : "\n") + names[i] + " " + types[i];
  }
  return out;
}

TEST_F(SessionTest, golden_queries_have_the_columns_of_the_reference) {
  const std::filesystem::path folder = clepsydra::testing::source_path("tests/golden/queries");
  int checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".sql") continue;
    SCOPED_TRACE(entry.path().string());
    std::string script = read_file(entry.path());
    // Batch mode is refused; names and types do not depend on the mode.
    if (script.find("'batch'") != std::string::npos) continue;
    std::filesystem::path expected = entry.path();
    expected.replace_extension(".expected");
    Configuration configuration;
    FakeConnectors connectors;
    SqlSession session(connectors, clock_, configuration);
    EXPECT_EQ(columns_of_script(session, script), expected_columns(read_file(expected)));
    ++checked;
  }
  EXPECT_GE(checked, 17);
}

}  // namespace
}  // namespace clepsydra::sql::testing
