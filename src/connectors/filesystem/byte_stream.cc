#include "connectors/filesystem/byte_stream.h"

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kInputBytes = 256L << 10;
// Of one zip archive; an archive with more is likelier an attack than data.
constexpr zip_int64_t kZipEntriesMax = 100'000;

class PlainStream final : public ByteStream {
 public:
  PlainStream(std::unique_ptr<RandomAccessFile> file, std::int64_t begin, std::int64_t end)
      : file_(std::move(file)), offset_(begin), end_(end) {}

  Result<std::int64_t> read(std::span<std::uint8_t> out) override {
    if (end_ >= 0) {
      const std::int64_t left = std::max<std::int64_t>(0, end_ - offset_);
      if (static_cast<std::int64_t>(out.size()) > left)
        out = out.first(static_cast<std::size_t>(left));
    }
    if (out.empty()) return std::int64_t{0};
    CLP_ASSIGN_OR_RETURN(const std::int64_t bytes, file_->read_at(offset_, out));
    offset_ += bytes;
    return bytes;
  }

 private:
  std::unique_ptr<RandomAccessFile> file_;
  std::int64_t offset_;
  std::int64_t end_;
};

class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(std::unique_ptr<RandomAccessFile> file)
      : file_(std::move(file)), input_(kInputBytes) {
    // 32: a gzip or zlib header, found out by itself.
    open_ = inflateInit2(&zlib_, MAX_WBITS + 32) == Z_OK;
  }
  ~GzipStream() override {
    if (open_) inflateEnd(&zlib_);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  Result<std::int64_t> read(std::span<std::uint8_t> out) override {
    if (!open_) return Status::resource_exhausted("cannot start decompression: out of memory");
    zlib_.next_out = out.data();
    zlib_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1U << 30));
    const uInt wanted = zlib_.avail_out;
    while (zlib_.avail_out > 0 && !finished_) {
      if (zlib_.avail_in == 0) {
        CLP_ASSIGN_OR_RETURN(const std::int64_t bytes, file_->read_at(offset_, input_));
        offset_ += bytes;
        if (bytes == 0) {
          if (between_members_) {
            finished_ = true;
            break;
          }
          return Status::data_loss(fmt::format(
              "the compressed data ends in the middle, after {} bytes; is the file whole?",
              offset_));
        }
        zlib_.next_in = input_.data();
        zlib_.avail_in = static_cast<uInt>(bytes);
      }
      between_members_ = false;
      const int code = inflate(&zlib_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        // A file may hold several members, one behind the other.
        between_members_ = true;
        inflateReset(&zlib_);
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return Status::data_loss(fmt::format("the file is not valid gzip data at byte {}: {}",
                                             offset_ - zlib_.avail_in,
                                             zlib_.msg != nullptr ? zlib_.msg : "unknown error"));
      }
    }
    return static_cast<std::int64_t>(wanted - zlib_.avail_out);
  }

 private:
  std::unique_ptr<RandomAccessFile> file_;
  std::vector<std::uint8_t> input_;
  std::int64_t offset_ = 0;
  z_stream zlib_{};
  bool open_ = false;
  bool finished_ = false;
  bool between_members_ = true;  // An empty file has no member.
};

// libzip reads through our file system by a callback.
struct ZipFile {
  std::unique_ptr<RandomAccessFile> file;
  std::int64_t size = 0;
  std::int64_t offset = 0;
  zip_error_t error{};
};

zip_int64_t zip_callback(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto* source = static_cast<ZipFile*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      source->offset = 0;
      return 0;
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_READ: {
      const auto bytes = static_cast<std::size_t>(std::min<zip_uint64_t>(length, 1U << 30));
      const Result<std::int64_t> read =
          source->file->read_at(source->offset, {static_cast<std::uint8_t*>(data), bytes});
      if (!read.is_ok()) {
        zip_error_set(&source->error, ZIP_ER_READ, 0);
        return -1;
      }
      source->offset += *read;
      return *read;
    }
    case ZIP_SOURCE_SEEK: {
      const zip_int64_t offset = zip_source_seek_compute_offset(
          static_cast<zip_uint64_t>(source->offset), static_cast<zip_uint64_t>(source->size), data,
          length, &source->error);
      if (offset < 0) return -1;
      source->offset = offset;
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return source->offset;
    case ZIP_SOURCE_STAT: {
      auto* stat = static_cast<zip_stat_t*>(data);
      zip_stat_init(stat);
      stat->size = static_cast<zip_uint64_t>(source->size);
      stat->valid = ZIP_STAT_SIZE;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&source->error, data, length);
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(
          ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
          ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    default:
      zip_error_set(&source->error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

class ZipStream final : public ByteStream {
 public:
  static Result<std::unique_ptr<ByteStream>> make(std::unique_ptr<RandomAccessFile> file) {
    std::unique_ptr<ZipStream> stream(new ZipStream);
    CLP_ASSIGN_OR_RETURN(stream->file_.size, file->size());
    stream->file_.file = std::move(file);
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_function_create(zip_callback, &stream->file_, &error);
    stream->archive_ =
        source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
    if (stream->archive_ == nullptr) {
      const Status status = Status::data_loss(
          fmt::format("the file is not a zip archive: {}", zip_error_strerror(&error)));
      if (source != nullptr) zip_source_free(source);
      zip_error_fini(&error);
      return status;
    }
    zip_error_fini(&error);
    stream->entries_ = zip_get_num_entries(stream->archive_, 0);
    if (stream->entries_ > kZipEntriesMax) {
      return Status::invalid_argument(fmt::format(
          "the zip archive has {} entries; at most {} are read", stream->entries_, kZipEntriesMax));
    }
    return std::unique_ptr<ByteStream>(std::move(stream));
  }
  ~ZipStream() override {
    if (entry_ != nullptr) zip_fclose(entry_);
    if (archive_ != nullptr) zip_discard(archive_);
  }
  ZipStream(const ZipStream&) = delete;
  ZipStream& operator=(const ZipStream&) = delete;

  Result<std::int64_t> read(std::span<std::uint8_t> out) override {
    std::int64_t total = 0;
    while (static_cast<std::size_t>(total) < out.size()) {
      if (entry_ == nullptr) {
        if (next_ >= entries_) break;
        entry_ = zip_fopen_index(archive_, static_cast<zip_uint64_t>(next_), 0);
        if (entry_ == nullptr) return broken(zip_strerror(archive_));
      }
      const zip_int64_t bytes =
          zip_fread(entry_, out.data() + total, out.size() - static_cast<std::size_t>(total));
      if (bytes < 0) return broken(zip_file_strerror(entry_));
      total += bytes;
      if (bytes == 0) {
        zip_fclose(entry_);
        entry_ = nullptr;
        ++next_;
      }
    }
    return total;
  }

 private:
  ZipStream() = default;
  Status broken(const char* reason) const {
    const char* name = zip_get_name(archive_, static_cast<zip_uint64_t>(next_), 0);
    return Status::data_loss(fmt::format("cannot read '{}' in the zip archive: {}",
                                         name != nullptr ? name : "an entry", reason));
  }

  ZipFile file_;
  zip_t* archive_ = nullptr;
  zip_file_t* entry_ = nullptr;
  zip_int64_t next_ = 0;
  zip_int64_t entries_ = 0;
};

Status skip(ByteStream& stream, std::int64_t bytes) {
  std::vector<std::uint8_t> scratch(kInputBytes);
  while (bytes > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::int64_t>(bytes, kInputBytes));
    CLP_ASSIGN_OR_RETURN(const std::int64_t read, stream.read(std::span(scratch).first(part)));
    if (read == 0)
      return Status::data_loss("the file is shorter than the position to continue from");
    bytes -= read;
  }
  return Status::ok();
}

bool ends_with_any_case(std::string_view text, std::string_view ending) {
  if (text.size() < ending.size()) return false;
  return std::equal(ending.begin(), ending.end(),
                    text.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

}  // namespace

Compression compression_of(std::string_view path) {
  if (ends_with_any_case(path, ".gz") || ends_with_any_case(path, ".gzip"))
    return Compression::kGzip;
  return ends_with_any_case(path, ".zip") ? Compression::kZip : Compression::kNone;
}

Result<std::unique_ptr<ByteStream>> open_byte_stream(FileSystem& files, const std::string& path,
                                                     std::int64_t begin, std::int64_t end) {
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.open_for_read(path));
  const Compression compression = compression_of(path);
  if (compression == Compression::kNone) {
    return std::make_unique<PlainStream>(std::move(file), begin, end);
  }
  CLP_CHECK(end < 0);  // Compressed files are never cut.
  std::unique_ptr<ByteStream> stream;
  if (compression == Compression::kGzip) {
    stream = std::make_unique<GzipStream>(std::move(file));
  } else {
    CLP_ASSIGN_OR_RETURN(stream, ZipStream::make(std::move(file)));
  }
  CLP_RETURN_IF_ERROR(skip(*stream, begin));
  return stream;
}

}  // namespace clepsydra
