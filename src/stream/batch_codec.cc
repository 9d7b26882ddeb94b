#include "stream/batch_codec.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

constexpr std::uint32_t kMagic = 0x42504C43;  // "CLPB"
constexpr std::uint16_t kVersion = 1;
constexpr std::uint8_t kHasRowKinds = 1;
constexpr std::int64_t kRowsMax = std::numeric_limits<std::int32_t>::max();
// What the bytes from here on are hashed into stands just before them.
constexpr std::int64_t kChecksumAt = 8;
constexpr std::int64_t kHashedFrom = 16;

// Stored: never renumber.
enum class FrameKind : std::uint8_t {
  kBatch = 0,
  kWatermark = 1,
  kIdle = 2,
  kBarrier = 3,
  kLatencyMarker = 4,
  kEndOfInput = 5,
};

std::uint64_t frame_checksum(const std::uint8_t* frame, std::int64_t size) {
  // The first eight bytes are the seed: so they are protected too.
  return hash64_with_seed(frame + kHashedFrom, static_cast<std::size_t>(size - kHashedFrom),
                          load_le<std::uint64_t>(frame));
}

bool has_offsets(PhysicalType physical) {
  return physical == PhysicalType::kList || physical == PhysicalType::kMap;
}

// Where the values of a column begin: Int128 and views are loaded whole.
std::int64_t values_alignment(const DataType& type) {
  return type.fixed_width() == 16 ? 16 : 8;
}

// ---------------------------------------------------------------------------------------------
// Encoding: a frame is laid out twice by the same code, first to count its bytes, then to write
// them.

class FrameWriter {
 public:
  // Counts only.
  FrameWriter() = default;
  explicit FrameWriter(std::uint8_t* frame) : frame_(frame) {}

  [[nodiscard]] std::int64_t size() const { return size_; }

  template <typename T>
  void write(T value) {
    if (frame_ != nullptr) store_le(frame_ + size_, value);
    size_ += static_cast<std::int64_t>(sizeof(T));
  }
  void align(std::int64_t alignment) {
    const std::int64_t end = align_up(size_, alignment);
    if (frame_ != nullptr) std::memset(frame_ + size_, 0, static_cast<std::size_t>(end - size_));
    size_ = end;
  }
  void write_bytes(const void* bytes, std::int64_t size) {
    if (frame_ != nullptr && size > 0) {
      std::memcpy(frame_ + size_, bytes, static_cast<std::size_t>(size));
    }
    size_ += size;
  }
  void write_bits(const std::uint8_t* bits, std::int64_t offset, std::int64_t length) {
    const std::int64_t bytes = bitmap_bytes(length);
    if (frame_ != nullptr) {
      std::memset(frame_ + size_, 0, static_cast<std::size_t>(bytes));
      copy_bits(bits, offset, frame_ + size_, 0, length);
    }
    size_ += bytes;
  }
  // The next `size` bytes for the caller to fill; null when counting.
  std::uint8_t* skip(std::int64_t size) {
    std::uint8_t* at = frame_ == nullptr ? nullptr : frame_ + size_;
    size_ += size;
    return at;
  }

 private:
  std::uint8_t* frame_ = nullptr;
  std::int64_t size_ = 0;
};

void write_column(const Column& column, std::int64_t begin, std::int64_t end, FrameWriter& out);

std::int64_t count_nulls(const Column& column, std::int64_t begin, std::int64_t end) {
  if (column.type().physical() == PhysicalType::kNone) return end - begin;
  if (column.null_count() == 0) return 0;
  return end - begin - count_set_bits(column.validity(), begin, end - begin);
}

// Bytes of the strings that rows [begin, end) refer to.
std::int64_t count_string_bytes(const Column& column, std::int64_t begin, std::int64_t end) {
  const auto* views = column.values<StringView16>();
  std::int64_t bytes = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    if (!views[i].is_inline() && !column.is_null(i)) bytes += views[i].length;
  }
  return bytes;
}

void write_views(const Column& column, std::int64_t begin, std::int64_t end,
                 std::int64_t string_bytes, FrameWriter& out) {
  const auto* source = column.values<StringView16>();
  std::uint8_t* target = out.skip((end - begin) * 16);
  std::uint8_t* blob = out.skip(string_bytes);
  out.align(8);
  if (target == nullptr) return;
  std::int32_t offset = 0;
  for (std::int64_t i = begin; i < end; ++i, target += 16) {
    StringView16 view = source[i];
    if (column.is_null(i)) {
      view = StringView16();
    } else if (!view.is_inline()) {
      const std::string_view text = column.string_at(i);
      std::memcpy(blob + offset, text.data(), text.size());
      view = StringView16::make_ref(text, 0, offset);
      offset += view.length;
    }
    std::memcpy(target, &view, 16);
  }
}

void write_collections(const Column& column, std::int64_t begin, std::int64_t end,
                       FrameWriter& out) {
  const auto* offsets = column.values<std::int32_t>();
  for (std::int64_t i = begin; i <= end; ++i) {
    out.write<std::int32_t>(offsets[i] - offsets[begin]);
  }
  out.align(8);
  for (const Column& child : column.data().children) {
    write_column(child, offsets[begin], offsets[end], out);
  }
}

void write_column(const Column& column, std::int64_t begin, std::int64_t end, FrameWriter& out) {
  const PhysicalType physical = column.type().physical();
  const std::int64_t nulls = count_nulls(column, begin, end);
  const std::int64_t string_bytes =
      physical == PhysicalType::kView ? count_string_bytes(column, begin, end) : 0;
  out.write(static_cast<std::uint32_t>(end - begin));
  out.write(static_cast<std::uint32_t>(nulls));
  out.write(static_cast<std::uint64_t>(string_bytes));
  if (physical == PhysicalType::kNone) return;
  if (nulls > 0) {
    out.write_bits(column.validity(), begin, end - begin);
    out.align(8);
  }
  out.align(values_alignment(column.type()));
  if (physical == PhysicalType::kView) {
    write_views(column, begin, end, string_bytes, out);
  } else if (has_offsets(physical)) {
    write_collections(column, begin, end, out);
  } else if (physical == PhysicalType::kStruct) {
    for (const Column& child : column.data().children) write_column(child, begin, end, out);
  } else {
    const std::int64_t width = column.type().fixed_width();
    out.write_bytes(column.values<std::uint8_t>() + begin * width, (end - begin) * width);
    out.align(8);
  }
}

void write_batch(const Batch& batch, FrameWriter& out) {
  out.write(static_cast<std::uint32_t>(batch.rows()));
  out.write(static_cast<std::uint32_t>(batch.marks().size()));
  for (const Mark& mark : batch.marks()) out.write(mark.watermark);
  for (const Mark& mark : batch.marks()) out.write(mark.row);
  out.align(8);
  if (batch.row_kinds() != nullptr) {
    out.write_bytes(batch.row_kinds(), batch.rows());
    out.align(8);
  }
  for (const Column& column : batch.columns()) write_column(column, 0, batch.rows(), out);
}

struct SignalWriter {
  FrameWriter& out;
  FrameKind operator()(const WatermarkSignal& signal) const {
    out.write(signal.watermark);
    return FrameKind::kWatermark;
  }
  FrameKind operator()(const IdleSignal& signal) const {
    out.write<std::uint64_t>(signal.idle ? 1 : 0);
    return FrameKind::kIdle;
  }
  FrameKind operator()(const BarrierSignal& signal) const {
    out.write(signal.checkpoint_id);
    out.write(signal.timestamp_ms);
    out.write(static_cast<std::uint64_t>(signal.kind));
    return FrameKind::kBarrier;
  }
  FrameKind operator()(const LatencyMarkerSignal& signal) const {
    out.write(signal.marked_ns);
    out.write(signal.source_id);
    out.write(static_cast<std::int64_t>(signal.subtask));
    return FrameKind::kLatencyMarker;
  }
  FrameKind operator()(const EndOfInputSignal& /*signal*/) const { return FrameKind::kEndOfInput; }
};

FrameKind write_body(const StreamElement& element, FrameWriter& out) {
  if (const Batch* batch = as_batch(element)) {
    write_batch(*batch, out);
    return FrameKind::kBatch;
  }
  return std::visit(SignalWriter{out}, std::get<Signal>(element));
}

// ---------------------------------------------------------------------------------------------
// Decoding

Status broken(std::string_view what) {
  return Status::data_loss(fmt::format("cannot decode a frame of a stream: {}", what));
}

// Reads a frame from the front to the back; never beyond its end.
class FrameReader {
 public:
  explicit FrameReader(BufferPtr frame) : frame_(std::move(frame)), at_(kFrameHeaderBytes) {}

  [[nodiscard]] std::int64_t rest() const { return frame_->size() - at_; }

  Status require(std::int64_t bytes, std::string_view what) const {
    if (bytes >= 0 && bytes <= rest()) return Status::ok();
    return broken(
        fmt::format("{} needs {} bytes at byte {}, {} are left", what, bytes, at_, rest()));
  }
  template <typename T>
  Result<T> read(std::string_view what) {
    CLP_RETURN_IF_ERROR(require(sizeof(T), what));
    const T value = load_le<T>(frame_->data() + at_);
    at_ += static_cast<std::int64_t>(sizeof(T));
    return value;
  }
  // A slice of the frame; what follows is aligned to 8.
  Result<BufferPtr> slice(std::int64_t bytes, std::string_view what) {
    CLP_RETURN_IF_ERROR(require(bytes, what));
    BufferPtr part = Buffer::slice(frame_, at_, bytes);
    at_ += bytes;
    CLP_RETURN_IF_ERROR(align(8));
    return part;
  }
  Status align(std::int64_t alignment) {
    const std::int64_t padding = align_up(at_, alignment) - at_;
    CLP_RETURN_IF_ERROR(require(padding, "padding"));
    at_ += padding;
    return Status::ok();
  }

 private:
  BufferPtr frame_;
  std::int64_t at_;
};

Result<Column> read_column(const DataType& type, FrameReader& in);

Status read_children(FrameReader& in, ColumnData& data) {
  for (int i = 0; i < data.type.child_count(); ++i) {
    CLP_ASSIGN_OR_RETURN(Column child, read_column(data.type.child_type(i), in));
    data.children.push_back(std::move(child));
  }
  return Status::ok();
}

Status read_views(std::uint64_t string_bytes, FrameReader& in, ColumnData& data) {
  // Views and blob are written without padding in between: a view has 16 bytes.
  CLP_ASSIGN_OR_RETURN(data.values, in.slice(data.length * 16, "views of strings"));
  if (string_bytes == 0) return Status::ok();
  if (string_bytes > static_cast<std::uint64_t>(kFrameBytesMax)) {
    return broken(fmt::format("{} bytes of strings in one column", string_bytes));
  }
  CLP_ASSIGN_OR_RETURN(BufferPtr blob,
                       in.slice(static_cast<std::int64_t>(string_bytes), "bytes of strings"));
  data.blobs.push_back(std::move(blob));
  return Status::ok();
}

// Recursion: as deep as the type, which plans bound (type_codec.cc).
Result<Column> read_column(const DataType& type, FrameReader& in) {
  ColumnData data;
  data.type = type;
  CLP_ASSIGN_OR_RETURN(data.length, in.read<std::uint32_t>("length of a column"));
  CLP_ASSIGN_OR_RETURN(data.null_count, in.read<std::uint32_t>("NULLs of a column"));
  CLP_ASSIGN_OR_RETURN(const auto string_bytes, in.read<std::uint64_t>("string bytes of a column"));
  if (data.length > kRowsMax || data.null_count > data.length) {
    return broken(fmt::format("a column of {} values with {} NULLs", data.length, data.null_count));
  }
  const PhysicalType physical = type.physical();
  if (string_bytes != 0 && physical != PhysicalType::kView) {
    return broken(fmt::format("string bytes in a column of type {}", type.name()));
  }
  if (physical == PhysicalType::kNone) return Column(std::move(data));
  if (data.null_count > 0) {
    CLP_ASSIGN_OR_RETURN(data.validity, in.slice(bitmap_bytes(data.length), "validity bits"));
  }
  CLP_RETURN_IF_ERROR(in.align(values_alignment(type)));
  if (physical == PhysicalType::kView) {
    CLP_RETURN_IF_ERROR(read_views(string_bytes, in, data));
  } else if (has_offsets(physical)) {
    CLP_ASSIGN_OR_RETURN(data.values, in.slice((data.length + 1) * 4, "offsets"));
    CLP_RETURN_IF_ERROR(read_children(in, data));
  } else if (physical == PhysicalType::kStruct) {
    CLP_RETURN_IF_ERROR(read_children(in, data));
  } else {
    CLP_ASSIGN_OR_RETURN(data.values, in.slice(data.length * type.fixed_width(), "values"));
  }
  return Column(std::move(data));
}

Result<std::vector<Mark>> read_marks(std::uint32_t count, std::int64_t rows, FrameReader& in) {
  CLP_ASSIGN_OR_RETURN(const BufferPtr watermarks, in.slice(std::int64_t{count} * 8, "watermarks"));
  CLP_ASSIGN_OR_RETURN(const BufferPtr places, in.slice(std::int64_t{count} * 4, "rows of marks"));
  std::vector<Mark> marks(count);
  for (std::size_t i = 0; i < count; ++i) {
    marks[i].watermark = load_le<std::int64_t>(watermarks->data() + i * 8);
    marks[i].row = load_le<std::int32_t>(places->data() + i * 4);
    const bool ascends =
        i == 0 || (marks[i - 1].row <= marks[i].row && marks[i - 1].watermark < marks[i].watermark);
    if (marks[i].row < 0 || marks[i].row > rows || !ascends) {
      return broken(fmt::format("mark {} with watermark {} before row {} of {} is not in order", i,
                                marks[i].watermark, marks[i].row, rows));
    }
  }
  return marks;
}

Result<BufferPtr> read_row_kinds(std::int64_t rows, FrameReader& in) {
  CLP_ASSIGN_OR_RETURN(BufferPtr kinds, in.slice(rows, "row kinds"));
  for (const std::uint8_t kind : kinds->bytes()) {
    if (kind > static_cast<std::uint8_t>(RowKind::kDelete)) {
      return broken(fmt::format("row kind {}", kind));
    }
  }
  return kinds;
}

Result<StreamElement> read_batch(const SchemaPtr& schema, bool has_row_kinds, bool check_utf8,
                                 FrameReader& in) {
  CLP_ASSIGN_OR_RETURN(const std::int64_t rows, in.read<std::uint32_t>("row count"));
  CLP_ASSIGN_OR_RETURN(const std::uint32_t mark_count, in.read<std::uint32_t>("mark count"));
  if (rows > kRowsMax) return broken(fmt::format("a batch of {} rows", rows));
  CLP_ASSIGN_OR_RETURN(std::vector<Mark> marks, read_marks(mark_count, rows, in));
  BufferPtr kinds;
  if (has_row_kinds) {
    CLP_ASSIGN_OR_RETURN(kinds, read_row_kinds(rows, in));
  }
  std::vector<Column> columns;
  columns.reserve(schema->fields().size());
  for (const Field& field : schema->fields()) {
    CLP_ASSIGN_OR_RETURN(Column column, read_column(field.type, in));
    if (column.length() != rows) {
      return broken(fmt::format("column '{}' has {} rows in a batch of {}", field.name,
                                column.length(), rows));
    }
    const Status status = validate(column, check_utf8);
    if (!status.is_ok()) return status.with_context(fmt::format("column '{}'", field.name));
    columns.push_back(std::move(column));
  }
  return StreamElement(Batch(schema, rows, std::move(columns))
                           .with_row_kinds(std::move(kinds))
                           .with_marks(std::move(marks)));
}

Result<StreamElement> read_barrier(FrameReader& in) {
  BarrierSignal signal{};
  CLP_ASSIGN_OR_RETURN(signal.checkpoint_id, in.read<std::int64_t>("checkpoint"));
  CLP_ASSIGN_OR_RETURN(signal.timestamp_ms, in.read<std::int64_t>("time of a checkpoint"));
  CLP_ASSIGN_OR_RETURN(const auto kind, in.read<std::uint64_t>("kind of a checkpoint"));
  if (kind > static_cast<std::uint64_t>(CheckpointKind::kSavepoint)) {
    return broken(fmt::format("checkpoint kind {}", kind));
  }
  signal.kind = static_cast<CheckpointKind>(kind);
  return StreamElement(Signal(signal));
}

Result<StreamElement> read_latency_marker(FrameReader& in) {
  LatencyMarkerSignal signal{};
  CLP_ASSIGN_OR_RETURN(signal.marked_ns, in.read<std::int64_t>("time of a latency marker"));
  CLP_ASSIGN_OR_RETURN(signal.source_id, in.read<std::uint64_t>("source of a latency marker"));
  CLP_ASSIGN_OR_RETURN(const auto subtask, in.read<std::int64_t>("subtask of a latency marker"));
  if (subtask < 0 || subtask > std::numeric_limits<std::int32_t>::max()) {
    return broken(fmt::format("subtask {}", subtask));
  }
  signal.subtask = static_cast<std::int32_t>(subtask);
  return StreamElement(Signal(signal));
}

Result<StreamElement> read_signal(FrameKind kind, FrameReader& in) {
  switch (kind) {
    case FrameKind::kWatermark: {
      CLP_ASSIGN_OR_RETURN(const auto watermark, in.read<std::int64_t>("watermark"));
      return StreamElement(Signal(WatermarkSignal{watermark}));
    }
    case FrameKind::kIdle: {
      CLP_ASSIGN_OR_RETURN(const auto idle, in.read<std::uint64_t>("idleness"));
      if (idle > 1) return broken(fmt::format("idleness {}", idle));
      return StreamElement(Signal(IdleSignal{idle == 1}));
    }
    case FrameKind::kBarrier:
      return read_barrier(in);
    case FrameKind::kLatencyMarker:
      return read_latency_marker(in);
    case FrameKind::kEndOfInput:
      return StreamElement(Signal(EndOfInputSignal{}));
    case FrameKind::kBatch:
      break;
  }
  return broken(fmt::format("frame kind {}", static_cast<int>(kind)));
}

void hash_type(const DataType& type, Hasher64& hasher) {
  const std::int32_t parts[] = {static_cast<std::int32_t>(type.kind()), type.precision(),
                                type.scale(), static_cast<std::int32_t>(type.fields().size())};
  hasher.update(parts, sizeof(parts));
  for (const Field& field : type.fields()) {
    const auto size = static_cast<std::uint64_t>(field.name.size());
    hasher.update(&size, sizeof(size));
    hasher.update(field.name);
    hash_type(field.type, hasher);
  }
}

}  // namespace

std::uint64_t schema_fingerprint(const Schema& schema) {
  Hasher64 hasher;
  hash_type(DataType::row(schema.fields()), hasher);
  return hasher.digest();
}

BatchCodec::BatchCodec(SchemaPtr schema)
    : schema_(std::move(schema)), fingerprint_(clepsydra::schema_fingerprint(*schema_)) {}

Result<BufferPtr> BatchCodec::encode(const StreamElement& element, MemoryPool& pool) const {
  const Batch* batch = as_batch(element);
  CLP_CHECK(batch == nullptr || batch->column_count() == schema_->size());
  FrameWriter counter;
  counter.skip(kFrameHeaderBytes);
  const FrameKind kind = write_body(element, counter);
  const std::int64_t size = counter.size();
  if (size > kFrameBytesMax) {
    return Status::resource_exhausted(
        fmt::format("cannot encode a batch of {} rows: it needs {} bytes, a frame may have {}; "
                    "use smaller batches",
                    batch == nullptr ? 0 : batch->rows(), size, kFrameBytesMax));
  }
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> frame, allocate_buffer(pool, size));
  FrameWriter out(frame->mutable_data());
  out.write(kMagic);
  out.write(kVersion);
  out.write(kind);
  out.write<std::uint8_t>(batch != nullptr && batch->row_kinds() != nullptr ? kHasRowKinds : 0);
  out.write<std::uint64_t>(0);  // The checksum, once the rest is there.
  out.write(static_cast<std::uint64_t>(size - kFrameHeaderBytes));
  out.write(batch != nullptr ? fingerprint_ : std::uint64_t{0});
  write_body(element, out);
  CLP_CHECK(out.size() == size);
  store_le(frame->mutable_data() + kChecksumAt, frame_checksum(frame->data(), size));
  return BufferPtr(std::move(frame));
}

Result<std::int64_t> frame_bytes(std::span<const std::uint8_t> header) {
  if (static_cast<std::int64_t>(header.size()) < kFrameHeaderBytes) {
    return broken(fmt::format("its header has {} bytes of {}", header.size(), kFrameHeaderBytes));
  }
  const auto magic = load_le<std::uint32_t>(header.data());
  if (magic != kMagic) return broken(fmt::format("it begins with {:#010x}", magic));
  const auto version = load_le<std::uint16_t>(header.data() + 4);
  if (version != kVersion) {
    return Status::failed_precondition(
        fmt::format("cannot decode a frame of a stream: it has version {}, this process knows "
                    "version {}; run the same release on both ends",
                    version, kVersion));
  }
  const auto body = load_le<std::uint64_t>(header.data() + 16);
  if (body > static_cast<std::uint64_t>(kFrameBytesMax - kFrameHeaderBytes)) {
    return broken(fmt::format("its body has {} bytes, at most {} are allowed", body,
                              kFrameBytesMax - kFrameHeaderBytes));
  }
  return kFrameHeaderBytes + static_cast<std::int64_t>(body);
}

Result<StreamElement> BatchCodec::decode(const BufferPtr& frame, bool check_utf8,
                                         MemoryPool& pool) const {
  CLP_ASSIGN_OR_RETURN(const std::int64_t size, frame_bytes(frame->bytes()));
  if (size != frame->size()) {
    return broken(fmt::format("it has {} bytes, its header says {}", frame->size(), size));
  }
  const std::uint8_t* header = frame->data();
  if (load_le<std::uint64_t>(header + kChecksumAt) != frame_checksum(header, size)) {
    return broken("its checksum does not match its bytes");
  }
  const auto kind = static_cast<FrameKind>(header[6]);
  const std::uint8_t flags = header[7];
  const auto fingerprint = load_le<std::uint64_t>(header + 24);
  const bool is_batch = kind == FrameKind::kBatch;
  if (flags > (is_batch ? kHasRowKinds : 0)) return broken(fmt::format("unknown flags {}", flags));
  if (fingerprint != (is_batch ? fingerprint_ : 0)) {
    return Status::failed_precondition(
        fmt::format("cannot decode a frame of a stream: it has another schema ({:016x}) than {} "
                    "({:016x})",
                    fingerprint, schema_->to_string(), fingerprint_));
  }
  BufferPtr aligned = frame;
  if (reinterpret_cast<std::uintptr_t>(header) % 16 != 0) {
    CLP_ASSIGN_OR_RETURN(aligned, copy_to_buffer(pool, frame->bytes()));
  }
  FrameReader in(std::move(aligned));
  Result<StreamElement> element =
      is_batch ? read_batch(schema_, flags == kHasRowKinds, check_utf8, in) : read_signal(kind, in);
  if (element.is_ok() && in.rest() != 0) {
    return broken(fmt::format("{} bytes are left behind its end", in.rest()));
  }
  return element;
}

}  // namespace clepsydra
