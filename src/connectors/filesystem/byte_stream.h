// A file as a stream of bytes, decompressed on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

class FileSystem;

// Threads: one at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills `out`; less than its size (also 0) only at the end. DataLoss for a broken archive.
  virtual Result<std::int64_t> read(std::span<std::uint8_t> out) = 0;
};

enum class Compression : std::uint8_t { kNone, kGzip, kZip };
// By the file's name: .gz, .gzip, .zip.
Compression compression_of(std::string_view path);

// Bytes [begin, end) of the file's (decompressed) content; end < 0: to its end. Of a zip archive:
// the content of all its files, in the archive's order.
Result<std::unique_ptr<ByteStream>> open_byte_stream(FileSystem& files, const std::string& path,
                                                     std::int64_t begin, std::int64_t end);

}  // namespace clepsydra
