// What every sink with a committer must hold to, whatever goes wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "clepsydra/sink.h"
#include "stream/batch.h"

namespace clepsydra::testing {

// A sink under test, and how to look at what it has made visible.
struct ConformingSink {
  std::string name;
  SchemaPtr schema;
  std::function<std::unique_ptr<Sink>()> make;
  // Lines of all visible rows, sorted; and names of everything else that it has left behind.
  std::function<std::vector<std::string>(FileSystem& files)> visible;
  std::function<std::vector<std::string>(FileSystem& files)> leftovers;
  // A line of `schema` for row i, as batch_of() reads and visible() answers it.
  std::function<std::string(int i)> line;
  // It writes to "s3://bucket", on the model of an object store, instead of to the model of a disk.
  bool on_objects = false;
};

// Writes, prepares, commits, repeats, aborts; and fails or kills the process before or after every
// single file operation of a whole life with checkpoints, then goes on as the engine does: rows
// must be visible exactly once. Failures are reported to GoogleTest.
void check_sink_conformance(const ConformingSink& sink);

}  // namespace clepsydra::testing
