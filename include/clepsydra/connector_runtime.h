// How the runtime reaches a particular connector: by name, through the registry it was given.
#pragma once

#include <memory>
#include <string_view>

#include "clepsydra/sink.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"

namespace clepsydra {

class ValueTree;

/// Builds sources and sinks from the specs that TableConnector::scan_spec and sink_spec wrote. The
/// trees hold "connector" (the name) and whatever the connector put there; "schema" is the produced
/// or consumed schema (type_codec.h). Threads: all.
class ConnectorRuntime {
 public:
  virtual ~ConnectorRuntime() = default;
  virtual Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const = 0;
  virtual Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const = 0;
};

}  // namespace clepsydra
