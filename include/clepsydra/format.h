// Formats: bytes to rows and back. A connector cuts its input into chunks; a format finds records in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

class Batch;
class BatchBuilder;
class MemoryPool;

/// What a decoder did with a chunk.
struct DecodeProgress {
  std::size_t consumed = 0;      ///< Bytes of the chunk that belong to finished records (and separators).
  std::int64_t skipped_rows = 0;  ///< Bad records passed over (…ignore-parse-errors).
};

/// Decodes one stream of bytes (a split). Threads: one at a time.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  /// Appends the whole records in `chunk` to `rows`, at most `rows_max`. `at_end`: no byte follows, so an
  /// unterminated last record counts. A record longer than the format's limit is an error. Errors name
  /// record number within the stream ("line 17"), column and value; the caller adds the file.
  virtual Result<DecodeProgress> decode(std::string_view chunk, bool at_end, std::int64_t rows_max,
                                        BatchBuilder& rows) = 0;
};

/// Encodes batches. Threads: one at a time.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  /// What a file starts with (a CSV header), often nothing.
  virtual void append_header(std::string& out) = 0;
  virtual Status append(const Batch& batch, std::string& out) = 0;
};

/// A format as built from its options.
class Format {
 public:
  virtual ~Format() = default;
  /// Whether a stream may be cut at any record separator, so that a large file can be read in parallel.
  [[nodiscard]] virtual bool is_splittable() const = 0;
  virtual Result<std::unique_ptr<RowDecoder>> make_decoder(MemoryPool& pool) const = 0;
  virtual Result<std::unique_ptr<RowEncoder>> make_encoder() const = 0;
};

}  // namespace clepsydra
