// Stream elements as bytes: what travels between processes and what spills. docs/formats/batch.md
// specifies every byte.
#pragma once

#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "stream/data_type.h"
#include "stream/stream_element.h"

namespace clepsydra {

class MemoryPool;

inline constexpr std::int64_t kFrameHeaderBytes = 32;
// No frame is larger. A batch that would be is refused; the bounds on batches are far below.
inline constexpr std::int64_t kFrameBytesMax = 1LL << 30;

// Encodes and decodes the elements of one stream. Both ends know its schema; frames carry only a
// fingerprint of it.
//
// Threads: all; immutable.
class BatchCodec {
 public:
  explicit BatchCodec(SchemaPtr schema);

  // One frame in a buffer of its own. String bytes that no row refers to are left out.
  // Errors: ResourceExhausted when the pool has no room or the frame would pass kFrameBytesMax.
  Result<BufferPtr> encode(const StreamElement& element, MemoryPool& pool) const;

  // The element of a frame, all of it checked: every length, offset and value, and the UTF-8 of
  // text when asked. Columns are slices of `frame` where its memory is aligned as a pool's is, else
  // of a copy. Errors: DataLoss for broken bytes; FailedPrecondition for another version or schema.
  Result<StreamElement> decode(const BufferPtr& frame, bool check_utf8, MemoryPool& pool) const;

  [[nodiscard]] std::uint64_t schema_fingerprint() const { return fingerprint_; }

 private:
  SchemaPtr schema_;
  std::uint64_t fingerprint_;
};

// Bytes of the whole frame that begins with `header`, kFrameHeaderBytes to kFrameBytesMax: how much
// a reader has to wait for. The header is checked as far as that goes, but not its checksum.
Result<std::int64_t> frame_bytes(std::span<const std::uint8_t> header);

// Of column names and of what defines values (not of nullability, time attributes, interval
// qualifiers).
std::uint64_t schema_fingerprint(const Schema& schema);

}  // namespace clepsydra
