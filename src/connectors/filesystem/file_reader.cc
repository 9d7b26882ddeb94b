// Reads one split of a file: bytes through the format's decoder, metadata columns behind.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "connectors/filesystem/byte_stream.h"
#include "connectors/filesystem/file_spec.h"
#include "connectors/filesystem/partition_columns.h"
#include "connectors/pacing.h"
#include "connectors/table_options.h"
#include "formats/format_registry.h"
#include "stream/batch.h"

namespace clepsydra {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

// What the decoder gives.
SchemaPtr decoded_part(const FileSourceSpec& spec) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < spec.order.size(); ++i) {
    if (spec.order[i] >= 0) fields.push_back(spec.produced->field(static_cast<int>(i)));
  }
  return make_schema(std::move(fields));
}

class FileReader final : public SplitReader {
 public:
  FileReader(FileSplit split, std::unique_ptr<ByteStream> stream,
             std::unique_ptr<RowDecoder> decoder, const FileSourceSpec& spec,
             std::vector<Column> partition, std::vector<Column> metadata,
             const SourceContext& context)
      : split_(std::move(split)),
        stream_(std::move(stream)),
        decoder_(std::move(decoder)),
        produced_(spec.produced),
        order_(spec.order),
        partition_(std::move(partition)),
        metadata_(std::move(metadata)),
        context_(context),
        pacing_(split_.rows_per_second),
        builder_(decoded_part(spec), *context.pool) {}

  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    const std::int64_t now = split_.rows_per_second > 0 ? context_.clock->monotonic_ns() : 0;
    const std::int64_t rows_due = pacing_.due(now, rows_max);
    if (rows_due == 0) return Poll{PollState::kNothingYet, pacing_.next_ns(now)};
    const Status decoded = decode(rows_due);
    if (!decoded.is_ok()) return decoded.with_context(fmt::format("file '{}'", split_.path));
    const std::int64_t rows = builder_.rows();
    pacing_.take(rows);
    CLP_ASSIGN_OR_RETURN(batch, builder_.finish());
    CLP_RETURN_IF_ERROR(add_constants(batch));
    const bool finished = at_end_ && begin_ == buffer_used_;
    return Poll{finished ? PollState::kEndOfSplit : PollState::kRows, 0};
  }

  [[nodiscard]] std::string position() const override {
    FileSplit split = split_;
    split.begin += consumed_;
    split.line = decoder_->line();
    if (split.first_record.empty()) split.first_record = decoder_->first_record();
    return split.encode();
  }

  [[nodiscard]] std::int64_t bytes_read() const override { return consumed_; }

 private:
  Status decode(std::int64_t rows_due) {
    while (builder_.rows() < rows_due && builder_.bytes() < context_.batch_bytes_max) {
      const std::string_view chunk(reinterpret_cast<const char*>(buffer_.data()) + begin_,
                                   buffer_used_ - begin_);
      if (!chunk.empty()) {
        CLP_ASSIGN_OR_RETURN(
            const DecodeProgress progress,
            decoder_->decode(chunk, at_end_, rows_due - builder_.rows(), builder_));
        begin_ += progress.consumed;
        consumed_ += static_cast<std::int64_t>(progress.consumed);
        if (context_.skipped_rows != nullptr) *context_.skipped_rows += progress.skipped_rows;
        if (progress.consumed > 0) continue;
      }
      if (at_end_) {
        CLP_CHECK(chunk.empty());  // At the end of the input a decoder takes everything.
        break;
      }
      CLP_RETURN_IF_ERROR(refill());
    }
    return Status::ok();
  }

  Status refill() {
    if (begin_ > 0) {
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(buffer_used_), buffer_.begin());
      buffer_used_ -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() - buffer_used_ < kBufferBytes / 2) {
      // A record longer than the buffer; the decoder ends this at its limit.
      buffer_.resize(std::max(kBufferBytes, buffer_.size() * 2));
    }
    CLP_ASSIGN_OR_RETURN(const std::int64_t bytes,
                         stream_->read(std::span(buffer_).subspan(buffer_used_)));
    buffer_used_ += static_cast<std::size_t>(bytes);
    at_end_ = bytes == 0;
    return Status::ok();
  }

  // The columns that all rows of a file share.
  Status add_constants(Batch& batch) {
    if (partition_.empty() && metadata_.empty()) return Status::ok();
    std::vector<Column> columns;
    const auto add = [&](const Column& value) -> Status {
      CLP_ASSIGN_OR_RETURN(Column column, repeat_row(value, 0, batch.rows(), *context_.pool));
      columns.push_back(std::move(column));
      return Status::ok();
    };
    for (const int place : order_) {
      if (place >= 0) {
        columns.push_back(batch.column(place));
      } else {
        CLP_RETURN_IF_ERROR(add(partition_[static_cast<std::size_t>(-1 - place)]));
      }
    }
    for (const Column& value : metadata_) CLP_RETURN_IF_ERROR(add(value));
    batch = batch.with_columns(produced_, std::move(columns));
    return Status::ok();
  }

  const FileSplit split_;
  const std::unique_ptr<ByteStream> stream_;
  const std::unique_ptr<RowDecoder> decoder_;
  const SchemaPtr produced_;
  const std::vector<int> order_;
  const std::vector<Column> partition_;  // One row each, so are the metadata.
  const std::vector<Column> metadata_;
  const SourceContext context_;
  Pacing pacing_;
  BatchBuilder builder_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t buffer_used_ = 0;
  std::int64_t consumed_ = 0;
  bool at_end_ = false;
};

Result<std::vector<Column>> metadata_values(const FileSourceSpec& spec, const FileSplit& split,
                                            const SourceContext& context) {
  std::vector<Column> values;
  if (spec.metadata.empty()) return values;
  CLP_ASSIGN_OR_RETURN(const FileInfo info, context.file_system->stat(split.path));
  for (std::size_t i = 0; i < spec.metadata.size(); ++i) {
    const std::string& key = spec.metadata[i];
    ColumnBuilder builder(spec.produced->field(static_cast<int>(spec.order.size() + i)).type,
                          *context.pool);
    if (key == "file.path") {
      builder.append_string(split.path);
    } else if (key == "file.name") {
      builder.append_string(base_name(split.path));
    } else if (key == "file.size") {
      builder.append<std::int64_t>(info.size);
    } else if (key == "file.modification-time") {
      builder.append<std::int64_t>(info.modified_ms);
    } else {
      return Status::invalid_argument(
          fmt::format("connector 'filesystem' has no metadata '{}'", key));
    }
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    values.push_back(std::move(column));
  }
  return values;
}

}  // namespace

Result<std::unique_ptr<SplitReader>> make_file_reader(const FileSourceSpec& spec,
                                                      const SourceSplit& split,
                                                      const SourceContext& context) {
  CLP_ASSIGN_OR_RETURN(FileSplit file, FileSplit::decode(split.payload));
  CLP_ASSIGN_OR_RETURN(
      const std::unique_ptr<Format> format,
      FormatRegistry::built_in().make(text_option(spec.options, "format").value_or(""),
                                      {spec.options, spec.record, spec.columns}));
  const std::string place = fmt::format("file '{}'", file.path);
  Result<std::unique_ptr<RowDecoder>> decoder = format->make_decoder(
      {.line = file.line, .at_file_start = file.begin == 0, .first_record = file.first_record},
      *context.pool);
  if (!decoder.is_ok()) return decoder.status().with_context(place);
  Result<std::unique_ptr<ByteStream>> stream =
      open_byte_stream(*context.file_system, file.path, file.begin, file.end);
  if (!stream.is_ok()) return stream.status().with_context(place);
  CLP_ASSIGN_OR_RETURN(const PartitionColumns partitions, PartitionColumns::make(spec));
  CLP_ASSIGN_OR_RETURN(std::vector<Column> partition,
                       partitions.values_of(file.path, *context.pool));
  CLP_ASSIGN_OR_RETURN(std::vector<Column> metadata, metadata_values(spec, file, context));
  return std::make_unique<FileReader>(std::move(file), *std::move(stream), *std::move(decoder),
                                      spec, std::move(partition), std::move(metadata), context);
}

}  // namespace clepsydra
