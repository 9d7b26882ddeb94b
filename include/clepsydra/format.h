// Formats: bytes to rows and back. A connector cuts its input into chunks; a format finds records
// in them.
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
  std::size_t consumed = 0;  ///< Bytes of the chunk that belong to finished records and separators.
  std::int64_t skipped_rows = 0;  ///< Bad records passed over (…ignore-parse-errors).
};

/// Where in a file a decoder starts.
struct DecoderStart {
  std::int64_t line = 1;  ///< Number of the first line, for messages.
  bool at_file_start = true;
  std::string first_record =
      {};  ///< Of the file, when not at its start and the format asked for it.
};

/// Decodes one stream of bytes (a split). Threads: one at a time.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  /// Appends the whole records in `chunk` to `rows` until it has `rows_max` rows. `at_end`: no byte
  /// follows, so an unterminated last record counts. Consuming nothing of a chunk that is not at
  /// its end asks for a longer one. A record longer than the format's limit is an error. Errors
  /// name line, column and value; the caller adds the file.
  virtual Result<DecodeProgress> decode(std::string_view chunk, bool at_end, std::int64_t rows_max,
                                        BatchBuilder& rows) = 0;
  /// The number of the next line, for a position to continue from.
  [[nodiscard]] virtual std::int64_t line() const = 0;
  /// What DecoderStart::first_record must be to continue, of a decoder that has read the file's
  /// start and whose format asks for it.
  [[nodiscard]] virtual std::string first_record() const { return {}; }
};

/// Finds where records start, without decoding, so that a file can be cut. Threads: one at a time.
class RecordScanner {
 public:
  virtual ~RecordScanner() = default;
  /// Passes over bytes that are not to be cut.
  virtual void skip(std::string_view bytes) = 0;
  /// The offset in `bytes` of the first record that starts after a separator in them; passes over
  /// what stands before it. npos: there is none, and all bytes were passed over.
  virtual std::size_t find_start(std::string_view bytes) = 0;
  /// Lines that ended in what was passed over.
  [[nodiscard]] virtual std::int64_t lines() const = 0;
};

/// Encodes batches. Threads: one at a time.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  /// What a file starts with (a CSV header), often nothing.
  virtual void append_header(std::string& out) = 0;
  virtual Status append(const Batch& batch, std::string& out) = 0;
};

/// A format as built from its options for one table.
class Format {
 public:
  virtual ~Format() = default;
  /// Decodes into the columns that were asked for. Fails when the start lacks what the format
  /// needs.
  virtual Result<std::unique_ptr<RowDecoder>> make_decoder(const DecoderStart& start,
                                                           MemoryPool& pool) const = 0;
  virtual Result<std::unique_ptr<RowEncoder>> make_encoder() const = 0;
  /// Null when a file must be read from its start.
  [[nodiscard]] virtual std::unique_ptr<RecordScanner> make_scanner() const = 0;
  /// Whether DecoderStart::first_record is needed to start in the middle.
  [[nodiscard]] virtual bool needs_first_record() const = 0;
};

}  // namespace clepsydra
