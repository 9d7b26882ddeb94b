// What was in flight at one end of an edge, as bytes: docs/formats/checkpoint.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "network/in_flight.h"
#include "stream/batch_codec.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// One channel of the edge.
struct InFlightOf {
  int peer = 0;  // The subtask at the other end.
  InFlightChannel content = {};
};

// Threads: one call at a time.
class InFlightEncoder {
 public:
  // `schema`: of what the edge sends. The pool outlives it.
  InFlightEncoder(SchemaPtr schema, std::vector<InFlightOf> channels, MemoryPool& pool);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  // Appends about `bytes_max` more bytes to `out`. True: that was all.
  Result<bool> encode_some(std::int64_t bytes_max, std::string& out);

 private:
  const BatchCodec codec_;
  std::vector<InFlightOf> channels_;
  MemoryPool& pool_;
  std::int64_t rows_ = 0;
  bool has_header_ = false;
  std::size_t channel_ = 0;
  std::size_t element_ = 0;
};

// DataLoss for other bytes; FailedPrecondition for rows of another schema.
Result<std::vector<InFlightOf>> decode_in_flight(const std::string& bytes, const SchemaPtr& schema,
                                                 MemoryPool& pool);

}  // namespace clepsydra
