// A session over FakeConnectors with short ways to ask it, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/configuration.h"
#include "sql/fake_connectors.h"
#include "sql/session.h"

namespace clepsydra::sql::testing {

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : session_(connectors_, clock_, configuration_) {}

  // Must work.
  StatementResult run(std::string_view sql);
  // "a INT, b STRING NOT NULL": names and types of a SELECT's result.
  std::string types_of(std::string_view query);
  QueryJob query(std::string_view sql);
  InsertJob insert(std::string_view sql);
  // The rows of a SHOW, DESCRIBE or EXPLAIN as text, columns joined by " | ".
  std::vector<std::string> rows(std::string_view sql);
  // The one cell of EXPLAIN and SHOW CREATE.
  std::string text(std::string_view sql);
  // The message of what must fail, with its code in front: "InvalidArgument: ...".
  std::string error(std::string_view sql);
  // The orders table of the reference's corpora.
  void create_orders();

  FakeConnectors connectors_;
  SimulatedClock clock_;
  Configuration configuration_;
  SqlSession session_;
};

// Runs a script; "name type" per line for the columns of its last SELECT.
std::string columns_of_script(SqlSession& session, std::string_view script);

// The operators of a graph: "Source: t[1]".
std::vector<std::string> node_names(const StreamGraph& graph);

}  // namespace clepsydra::sql::testing
