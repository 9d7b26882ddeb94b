#include "state/state_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/value_tree.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

constexpr std::uint32_t kMagic = 0x53504C43;  // "CLPS"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHashedFrom = 16;
constexpr std::size_t kHeaderBytes = static_cast<std::size_t>(kStateBlockHeaderBytes);
// What a snapshot has.
constexpr std::uint32_t kChanges = 0;
constexpr std::uint32_t kBase = 1;
constexpr std::uint32_t kChangesWithSlice = 2;
// Descriptions of a state; decoding one takes many times its bytes.
constexpr std::size_t kTreeBytesMax = 16 << 20;
// Numbers of 8 bytes per block.
constexpr std::size_t kItemsPerBlock = 1 << 20;

SchemaPtr keys_schema(const StoredSchema& schema) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < schema.key_types.size(); ++i) {
    fields.push_back({fmt::format("key{}", i), schema.key_types[i], {}});
  }
  return make_schema(std::move(fields));
}

SchemaPtr rows_schema(const StoredSchema& schema) {
  std::vector<Field> fields = keys_schema(schema)->fields();
  fields.insert(fields.end(), schema.fields.begin(), schema.fields.end());
  return make_schema(std::move(fields));
}

// ---------------------------------------------------------------------------------------------
// Writing

template <typename T>
void put(T value, std::string& out) {
  char bytes[sizeof(T)];
  store_le(bytes, value);
  out.append(bytes, sizeof(T));
}

void put_text(std::string_view text, std::string& out) {
  put(static_cast<std::uint64_t>(text.size()), out);
  out.append(text);
}

void put_padding(std::size_t start, std::string& out) {
  out.append((8 - (out.size() - start) % 8) % 8, '\0');
}

std::size_t open_block(StateBlockKind kind, std::string& out) {
  const std::size_t start = out.size();
  put(kMagic, out);
  put(kVersion, out);
  put(static_cast<std::uint16_t>(kind), out);
  out.append(kHeaderBytes - 8, '\0');
  return start;
}

}  // namespace

void StateBlockWriter::close_block(std::size_t start, std::string& out) {
  put_padding(start, out);
  char* block = out.data() + start;
  const std::size_t size = out.size() - start;
  CLP_CHECK(size <= static_cast<std::size_t>(kStateBlockBytesMax));
  store_le(block + 16, static_cast<std::uint64_t>(size - kHeaderBytes));
  store_le(block + 8, hash64_with_seed(block + kHashedFrom, size - kHashedFrom,
                                       load_le<std::uint64_t>(block)));
  ++blocks_;
}

void StateBlockWriter::begin(const StoredOrigin& origin, std::string& out) {
  CLP_CHECK(blocks_ == 0);
  const std::size_t start = open_block(StateBlockKind::kBegin, out);
  put(origin.is_base ? kBase : origin.needed ? kChangesWithSlice : kChanges, out);
  put(static_cast<std::int32_t>(origin.key_groups.begin), out);
  put(static_cast<std::int32_t>(origin.key_groups.end), out);
  put(static_cast<std::int32_t>(origin.max_parallelism), out);
  if (!origin.is_base && origin.needed) put(*origin.needed, out);
  close_block(start, out);
}

Result<std::uint32_t> StateBlockWriter::add_state(const StoredSchema& schema, std::string& out) {
  const State state{.rows = rows_schema(schema), .keys = keys_schema(schema)};
  ValueTree tree;
  tree.set("name", schema.name);
  tree.set("keys", schema_to_tree(*state.keys));
  tree.set("values", schema_to_tree(*make_schema(schema.fields)));
  const std::string bytes = tree.encode();
  if (bytes.size() > kTreeBytesMax) {
    return Status::invalid_argument(
        fmt::format("cannot store state '{}': its description has {} bytes; at most {} are "
                    "possible",
                    schema.name, bytes.size(), kTreeBytesMax));
  }
  const bool has_entries = schema.entry_columns > 0;
  const std::size_t start =
      open_block(has_entries ? StateBlockKind::kEntries : StateBlockKind::kState, out);
  put_text(bytes, out);
  if (has_entries) put(static_cast<std::uint32_t>(schema.entry_columns), out);
  close_block(start, out);
  states_.push_back(state);
  return static_cast<std::uint32_t>(states_.size() - 1);
}

Status StateBlockWriter::add_batch(StateBlockKind kind, std::uint32_t state,
                                   std::span<const NamespaceRun> runs, const SchemaPtr& schema,
                                   std::vector<Column> columns, MemoryPool& pool,
                                   std::string& out) {
  CLP_CHECK(columns.size() == static_cast<std::size_t>(schema->size()));
  std::int64_t rows = 0;
  for (const NamespaceRun& run : runs) rows += run.rows;
  const Batch batch(schema, rows, std::move(columns));
  CLP_ASSIGN_OR_RETURN(const BufferPtr frame, BatchCodec(schema).encode(batch, pool));
  const std::size_t size = kHeaderBytes + 8 + runs.size() * 16 + 8 + frame->bytes().size();
  if (size > static_cast<std::size_t>(kStateBlockBytesMax)) {
    return Status::resource_exhausted(
        fmt::format("a block of state would have {} bytes; at most {} are possible", size,
                    kStateBlockBytesMax));
  }
  const std::size_t start = open_block(kind, out);
  put(state, out);
  put(static_cast<std::uint32_t>(runs.size()), out);
  for (const NamespaceRun& run : runs) {
    put(run.ns, out);
    put(run.rows, out);
  }
  out.append(reinterpret_cast<const char*>(frame->data()), static_cast<std::size_t>(frame->size()));
  close_block(start, out);
  return Status::ok();
}

Status StateBlockWriter::add_rows(std::uint32_t state, std::span<const NamespaceRun> runs,
                                  std::vector<Column> columns, MemoryPool& pool, std::string& out) {
  return add_batch(StateBlockKind::kRows, state, runs, states_[state].rows, std::move(columns),
                   pool, out);
}

Status StateBlockWriter::add_erased(std::uint32_t state, std::span<const NamespaceRun> runs,
                                    std::vector<Column> keys, MemoryPool& pool, std::string& out) {
  return add_batch(StateBlockKind::kErased, state, runs, states_[state].keys, std::move(keys), pool,
                   out);
}

void StateBlockWriter::add_dropped(std::uint32_t state, std::span<const StateNamespace> dropped,
                                   std::string& out) {
  while (!dropped.empty()) {
    const auto part = dropped.first(std::min(dropped.size(), kItemsPerBlock));
    dropped = dropped.subspan(part.size());
    const std::size_t start = open_block(StateBlockKind::kDropped, out);
    put(state, out);
    put(static_cast<std::uint32_t>(part.size()), out);
    for (const StateNamespace ns : part) put(ns, out);
    close_block(start, out);
  }
}

void StateBlockWriter::add_number(std::string_view name, std::int64_t value, std::string& out) {
  const std::size_t start = open_block(StateBlockKind::kNumber, out);
  put(value, out);
  put_text(name, out);
  close_block(start, out);
}

Status StateBlockWriter::add_list(std::string_view name, std::span<const std::string> items,
                                  std::string& out) {
  std::size_t size = kHeaderBytes + 16 + name.size();
  for (const std::string& item : items) size += 8 + item.size();
  if (size + 8 > static_cast<std::size_t>(kStateBlockBytesMax)) {
    return Status::resource_exhausted(
        fmt::format("cannot store list '{}': it has {} bytes; at most {} are possible", name, size,
                    kStateBlockBytesMax));
  }
  const std::size_t start = open_block(StateBlockKind::kList, out);
  put(static_cast<std::uint64_t>(items.size()), out);
  put_text(name, out);
  for (const std::string& item : items) put_text(item, out);
  close_block(start, out);
  return Status::ok();
}

void StateBlockWriter::add_timers(std::string_view name, std::span<const Timer> timers,
                                  std::string& out) {
  do {
    const auto part = timers.first(std::min(timers.size(), kItemsPerBlock));
    timers = timers.subspan(part.size());
    const std::size_t start = open_block(StateBlockKind::kTimers, out);
    put(static_cast<std::uint64_t>(part.size()), out);
    for (const Timer& timer : part) {
      put(timer.time_ms, out);
      put(timer.ns, out);
    }
    put_text(name, out);
    close_block(start, out);
  } while (!timers.empty());
}

void StateBlockWriter::finish(std::string& out) {
  const std::size_t start = open_block(StateBlockKind::kEnd, out);
  put(blocks_, out);
  close_block(start, out);
}

// ---------------------------------------------------------------------------------------------
// Reading

namespace {

Status broken(std::size_t at, std::string_view what) {
  return Status::data_loss(fmt::format("the block of state at byte {} is broken: {}", at, what));
}

// The body of one block, from the front to the back; never beyond its end.
class BodyReader {
 public:
  BodyReader(std::string_view body, std::size_t block_at) : rest_(body), at_(block_at) {}

  template <typename T>
  Result<T> read() {
    if (rest_.size() < sizeof(T)) return broken(at_, "it ends early");
    const T value = load_le<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  Result<std::string_view> read_text() {
    CLP_ASSIGN_OR_RETURN(const auto length, read<std::uint64_t>());
    if (length > rest_.size()) return broken(at_, "a text is longer than the block");
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return text;
  }
  // How many items of `item_bytes` or more follow.
  template <typename T>
  Result<std::size_t> read_count(std::size_t item_bytes) {
    CLP_ASSIGN_OR_RETURN(const auto count, read<T>());
    if (count > rest_.size() / item_bytes) return broken(at_, "it has more items than bytes");
    return static_cast<std::size_t>(count);
  }
  std::string_view rest() const { return rest_; }
  // Only padding may be left.
  Status end() const {
    if (rest_.size() < 8 && rest_.find_first_not_of('\0') == std::string_view::npos) {
      return Status::ok();
    }
    return broken(at_, fmt::format("{} bytes are left over", rest_.size()));
  }
  [[nodiscard]] Status broken_here(std::string_view what) const { return broken(at_, what); }

 private:
  std::string_view rest_;
  std::size_t at_;
};

// A block without its body.
struct BlockHeader {
  StateBlockKind kind;
  std::int64_t body_bytes;
};

// `bytes`: the block, or some of it, from its header on. `rest`: bytes of the snapshot from there
// on.
Result<BlockHeader> read_header(std::string_view bytes, std::int64_t rest, std::size_t at) {
  if (bytes.size() < kHeaderBytes) return broken(at, "the snapshot ends early");
  if (load_le<std::uint32_t>(bytes.data()) != kMagic) return broken(at, "it does not begin so");
  const auto size = load_le<std::uint64_t>(bytes.data() + 16);
  const auto room = static_cast<std::uint64_t>(rest - kStateBlockHeaderBytes);
  if (size > static_cast<std::uint64_t>(kStateBlockBytesMax) || size % 8 != 0 || size > room) {
    return broken(at, fmt::format("{} bytes are said to follow, {} are there", size, room));
  }
  return BlockHeader{.kind = static_cast<StateBlockKind>(load_le<std::uint16_t>(bytes.data() + 6)),
                     .body_bytes = static_cast<std::int64_t>(size)};
}

Status check_version(std::string_view block, std::size_t at) {
  const auto version = load_le<std::uint16_t>(block.data() + 4);
  if (version == kVersion) return Status::ok();
  return Status::failed_precondition(
      fmt::format("the block of state at byte {} has version {}; this program reads version {}", at,
                  version, kVersion));
}

// `block`: the whole block.
Status check_block(std::string_view block, std::size_t at) {
  const std::uint64_t checksum = hash64_with_seed(
      block.data() + kHashedFrom, block.size() - kHashedFrom, load_le<std::uint64_t>(block.data()));
  if (load_le<std::uint64_t>(block.data() + 8) != checksum) {
    return broken(at, "its checksum is wrong");
  }
  return check_version(block, at);
}

// What comes before the frame.
struct BatchHead {
  std::uint32_t state = 0;
  std::vector<NamespaceRun> runs = {};
};

Result<BatchHead> read_batch_head(BodyReader& body) {
  BatchHead head;
  CLP_ASSIGN_OR_RETURN(head.state, body.read<std::uint32_t>());
  CLP_ASSIGN_OR_RETURN(const std::size_t runs, body.read_count<std::uint32_t>(16));
  head.runs.reserve(runs);
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    CLP_ASSIGN_OR_RETURN(const auto ns, body.read<std::int64_t>());
    CLP_ASSIGN_OR_RETURN(const auto count, body.read<std::int64_t>());
    if (count < 1 || count > std::numeric_limits<std::int32_t>::max() - rows) {
      return body.broken_here(fmt::format("{} rows of namespace {}", count, ns));
    }
    rows += count;
    head.runs.push_back({.ns = ns, .rows = count});
  }
  return head;
}

// What is left is one frame.
Status check_frame(const BodyReader& body) {
  const std::string_view rest = body.rest();
  CLP_ASSIGN_OR_RETURN(
      const std::int64_t size,
      frame_bytes({reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()}));
  if (static_cast<std::uint64_t>(size) == rest.size()) return Status::ok();
  return body.broken_here(fmt::format("its rows have {} bytes, not {}", rest.size(), size));
}

// Of a batch.
std::int64_t frame_offset(std::size_t runs) {
  return kStateBlockHeaderBytes + 8 + 16 * static_cast<std::int64_t>(runs);
}

class SnapshotReader {
 public:
  explicit SnapshotReader(const SnapshotBytes& bytes) : bytes_(bytes) {}

  Result<StoredSnapshot> run() {
    while (!has_ended_) {
      CLP_ASSIGN_OR_RETURN(const StateBlockKind kind, next_block());
      if ((blocks_ == 0) != (kind == StateBlockKind::kBegin)) {
        return broken(block_at_, "a snapshot has its beginning first, and once");
      }
      CLP_RETURN_IF_ERROR(read_block(kind));
      ++blocks_;
    }
    bytes_.close();
    if (at_ != size()) return broken(at_, "bytes follow the end of the snapshot");
    return std::move(snapshot_);
  }

  // The bytes are a beginning and states alone.
  Result<StoredSnapshot> run_outline() {
    while (at_ != size()) {
      CLP_ASSIGN_OR_RETURN(const StateBlockKind kind, next_block());
      CLP_RETURN_IF_ERROR(read_block(kind));
      ++blocks_;
    }
    return std::move(snapshot_);
  }

 private:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(bytes_.size()); }

  // Sets body_ to what follows the header at at_, whose checksum is right; or, of rows in a file,
  // to what comes before the frame, without a look at the rest.
  Result<StateBlockKind> next_block() {
    block_at_ = at_;
    const auto at = static_cast<std::int64_t>(at_);
    const std::int64_t rest = bytes_.size() - at;
    CLP_ASSIGN_OR_RETURN(const std::string_view peek,
                         bytes_.read(at, std::min(rest, kPeekBytes), room_));
    CLP_ASSIGN_OR_RETURN(const BlockHeader header, read_header(peek, rest, at_));
    const bool is_batch =
        header.kind == StateBlockKind::kRows || header.kind == StateBlockKind::kErased;
    block_bytes_ = kStateBlockHeaderBytes + header.body_bytes;
    std::int64_t wanted = block_bytes_;
    // Of another version, or damaged: the checksum tells.
    if (is_batch && !bytes_.is_in_memory() && check_version(peek, at_).is_ok()) {
      if (header.body_bytes < 8) return broken(at_, "it ends early");
      const auto runs = load_le<std::uint32_t>(peek.data() + kStateBlockHeaderBytes + 4);
      wanted = std::min(wanted, frame_offset(runs));
    }
    std::string_view block = peek.substr(0, static_cast<std::size_t>(wanted));
    if (wanted > static_cast<std::int64_t>(peek.size())) {
      CLP_ASSIGN_OR_RETURN(block, bytes_.read(at, wanted, room_));
    }
    if (wanted == block_bytes_) CLP_RETURN_IF_ERROR(check_block(block, at_));
    body_ = block.substr(kHeaderBytes);
    at_ += static_cast<std::size_t>(block_bytes_);
    return header.kind;
  }

  Status read_block(StateBlockKind kind) {
    BodyReader body(body_, block_at_);
    switch (kind) {
      case StateBlockKind::kBegin:
        return read_begin(body);
      case StateBlockKind::kState:
        return read_state(body, false);
      case StateBlockKind::kEntries:
        return read_state(body, true);
      case StateBlockKind::kRows:
        return read_batch(body, &StoredRows::rows);
      case StateBlockKind::kErased:
        return read_batch(body, &StoredRows::erased);
      case StateBlockKind::kDropped:
        return read_dropped(body);
      case StateBlockKind::kNumber:
        return read_number(body);
      case StateBlockKind::kList:
        return read_list(body);
      case StateBlockKind::kTimers:
        return read_timers(body);
      case StateBlockKind::kEnd:
        return read_end(body);
    }
    return body.broken_here(fmt::format("there is no kind {}", static_cast<int>(kind)));
  }

  Status read_begin(BodyReader& body) {
    StoredOrigin& origin = snapshot_.origin;
    CLP_ASSIGN_OR_RETURN(const auto has, body.read<std::uint32_t>());
    CLP_ASSIGN_OR_RETURN(origin.key_groups.begin, body.read<std::int32_t>());
    CLP_ASSIGN_OR_RETURN(origin.key_groups.end, body.read<std::int32_t>());
    CLP_ASSIGN_OR_RETURN(origin.max_parallelism, body.read<std::int32_t>());
    origin.is_base = has == kBase;
    if (has == kChangesWithSlice) {
      CLP_ASSIGN_OR_RETURN(origin.needed, body.read<std::uint32_t>());
    }
    if (has > kChangesWithSlice || origin.max_parallelism < 1 ||
        origin.max_parallelism > kMaxMaxParallelism || origin.key_groups.begin < 0 ||
        origin.key_groups.begin > origin.key_groups.end ||
        origin.key_groups.end > origin.max_parallelism) {
      return body.broken_here("its key groups make no sense");
    }
    return body.end();
  }

  Status read_state(BodyReader& body, bool has_entries) {
    CLP_ASSIGN_OR_RETURN(const std::string_view bytes, body.read_text());
    std::uint32_t entry_columns = 0;
    if (has_entries) {
      CLP_ASSIGN_OR_RETURN(entry_columns, body.read<std::uint32_t>());
    }
    CLP_RETURN_IF_ERROR(body.end());
    if (bytes.size() > kTreeBytesMax) return body.broken_here("its description is too long");
    StoredRows state{.snapshot = bytes_, .schema = {}, .dropped = {}, .erased = {}, .rows = {}};
    const auto read_tree = [&]() -> Status {
      CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(bytes));
      CLP_ASSIGN_OR_RETURN(state.schema.name, tree.get_string("name"));
      CLP_ASSIGN_OR_RETURN(const ValueTree keys, tree.get("keys"));
      CLP_ASSIGN_OR_RETURN(const ValueTree values, tree.get("values"));
      CLP_ASSIGN_OR_RETURN(const SchemaPtr key_schema, schema_from_tree(keys));
      CLP_ASSIGN_OR_RETURN(const SchemaPtr value_schema, schema_from_tree(values));
      for (const Field& field : key_schema->fields()) {
        state.schema.key_types.push_back(field.type);
      }
      state.schema.fields = value_schema->fields();
      return Status::ok();
    };
    if (const Status status = read_tree(); !status.is_ok()) {
      return body.broken_here(status.message());
    }
    if (has_entries && (entry_columns == 0 || entry_columns > state.schema.key_types.size())) {
      return body.broken_here(fmt::format("{} of its {} keys are of entries", entry_columns,
                                          state.schema.key_types.size()));
    }
    state.schema.entry_columns = static_cast<int>(entry_columns);
    if (snapshot_.find_state(state.schema.name) != nullptr) {
      return body.broken_here(fmt::format("state '{}' is there twice", state.schema.name));
    }
    snapshot_.states.push_back(std::move(state));
    return Status::ok();
  }

  Result<StoredRows*> read_state_number(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(const auto state, body.read<std::uint32_t>());
    if (state >= snapshot_.states.size()) return no_such_state(body, state);
    return &snapshot_.states[state];
  }
  static Status no_such_state(const BodyReader& body, std::uint32_t state) {
    return body.broken_here(fmt::format("there is no state number {}", state));
  }

  Status read_batch(BodyReader& body, std::vector<StoredBatch> StoredRows::*blocks) {
    CLP_ASSIGN_OR_RETURN(BatchHead head, read_batch_head(body));
    if (head.state >= snapshot_.states.size()) return no_such_state(body, head.state);
    if (bytes_.is_in_memory()) CLP_RETURN_IF_ERROR(check_frame(body));
    (snapshot_.states[head.state].*blocks)
        .push_back({.runs = std::move(head.runs),
                    .offset = static_cast<std::int64_t>(block_at_),
                    .bytes = block_bytes_});
    return Status::ok();
  }

  Status read_dropped(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(StoredRows* const state, read_state_number(body));
    CLP_ASSIGN_OR_RETURN(const std::size_t count, body.read_count<std::uint32_t>(8));
    for (std::size_t i = 0; i < count; ++i) {
      CLP_ASSIGN_OR_RETURN(const auto ns, body.read<std::int64_t>());
      state->dropped.push_back(ns);
    }
    return body.end();
  }

  Status read_number(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(const auto value, body.read<std::int64_t>());
    CLP_ASSIGN_OR_RETURN(const std::string_view name, body.read_text());
    snapshot_.numbers.emplace_back(name, value);
    return body.end();
  }

  Status read_list(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(const std::size_t count, body.read_count<std::uint64_t>(8));
    CLP_ASSIGN_OR_RETURN(const std::string_view name, body.read_text());
    std::vector<std::string> items;
    for (std::size_t i = 0; i < count; ++i) {
      CLP_ASSIGN_OR_RETURN(const std::string_view item, body.read_text());
      items.emplace_back(item);
    }
    snapshot_.lists.emplace_back(name, std::move(items));
    return body.end();
  }

  Status read_timers(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(const std::size_t count, body.read_count<std::uint64_t>(16));
    std::vector<Timer> timers;
    timers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      CLP_ASSIGN_OR_RETURN(const auto time_ms, body.read<std::int64_t>());
      CLP_ASSIGN_OR_RETURN(const auto ns, body.read<std::int64_t>());
      timers.push_back({.time_ms = time_ms, .ns = ns});
    }
    CLP_ASSIGN_OR_RETURN(const std::string_view name, body.read_text());
    snapshot_.timers.emplace_back(name, std::move(timers));
    return body.end();
  }

  Status read_end(BodyReader& body) {
    CLP_ASSIGN_OR_RETURN(const auto blocks, body.read<std::uint64_t>());
    if (blocks != blocks_) {
      return body.broken_here(
          fmt::format("{} blocks come before it, {} were written", blocks_, blocks));
    }
    has_ended_ = true;
    return body.end();
  }

  // Enough for the header of a block of rows, mostly.
  static constexpr std::int64_t kPeekBytes = 4096;

  const SnapshotBytes& bytes_;
  std::string room_;  // What body_ refers to, of a file.
  std::size_t at_ = 0;
  std::size_t block_at_ = 0;
  std::int64_t block_bytes_ = 0;
  std::string_view body_;
  std::uint64_t blocks_ = 0;
  bool has_ended_ = false;
  StoredSnapshot snapshot_;
};

Result<Batch> decode_batch(const StoredRows& rows, const StoredBatch& block,
                           const SchemaPtr& schema, MemoryPool& pool) {
  const std::int64_t frame_at = frame_offset(block.runs.size());
  std::int64_t shift = 0;
  CLP_ASSIGN_OR_RETURN(const BufferPtr bytes, rows.snapshot.read_aligned(block.offset, block.bytes,
                                                                         frame_at, pool, &shift));
  const std::string_view whole(reinterpret_cast<const char*>(bytes->data()) + shift,
                               static_cast<std::size_t>(block.bytes));
  const auto at = static_cast<std::size_t>(block.offset);
  // In memory this was seen to before.
  if (!rows.snapshot.is_in_memory()) {
    CLP_ASSIGN_OR_RETURN(const BlockHeader header,
                         read_header(whole, rows.snapshot.size() - block.offset, at));
    if (kStateBlockHeaderBytes + header.body_bytes != block.bytes) {
      return broken(at, "it is not what it was");
    }
    CLP_RETURN_IF_ERROR(check_block(whole, at));
    BodyReader body(whole.substr(kHeaderBytes), at);
    CLP_ASSIGN_OR_RETURN(const BatchHead head, read_batch_head(body));
    if (head.runs != block.runs) return broken(at, "it is not what it was");
    CLP_RETURN_IF_ERROR(check_frame(body));
  }
  const auto decode = [&]() -> Result<Batch> {
    const BufferPtr frame = Buffer::slice(bytes, shift + frame_at, block.bytes - frame_at);
    CLP_ASSIGN_OR_RETURN(StreamElement element, BatchCodec(schema).decode(frame, false, pool));
    Batch* batch = std::get_if<Batch>(&element);
    std::int64_t count = 0;
    for (const NamespaceRun& run : block.runs) count += run.rows;
    if (batch == nullptr || batch->rows() != count || batch->row_kinds() != nullptr ||
        !batch->marks().empty()) {
      return Status::data_loss("its rows are not those that were announced");
    }
    return std::move(*batch);
  };
  Result<Batch> batch = decode();
  if (batch.is_ok()) return batch;
  // The block was whole, so what it holds should fit what it said: nobody else's version.
  const Status& status = batch.status();
  return Status(
      status.code() == StatusCode::kFailedPrecondition ? StatusCode::kDataLoss : status.code(),
      fmt::format("cannot read rows of state '{}': {}", rows.schema.name, status.message()));
}

}  // namespace

Result<Batch> StoredRows::decode_rows(const StoredBatch& block, MemoryPool& pool) const {
  return decode_batch(*this, block, rows_schema(schema), pool);
}

Result<Batch> StoredRows::decode_erased(const StoredBatch& block, MemoryPool& pool) const {
  return decode_batch(*this, block, keys_schema(schema), pool);
}

const StoredRows* StoredSnapshot::find_state(std::string_view name) const {
  const auto found = std::find_if(states.begin(), states.end(), [name](const StoredRows& state) {
    return state.schema.name == name;
  });
  return found != states.end() ? &*found : nullptr;
}

Result<StoredSnapshot> read_state_blocks(const SnapshotBytes& bytes) {
  return SnapshotReader(bytes).run();
}

Result<StoredOutline> read_state_outline(
    const std::function<Result<std::string>(std::int64_t offset, std::int64_t bytes)>& read_at) {
  std::string outline;
  for (std::int64_t at = 0;;) {
    CLP_ASSIGN_OR_RETURN(const std::string header, read_at(at, kStateBlockHeaderBytes));
    const auto place = static_cast<std::size_t>(at);
    if (header.size() != kHeaderBytes) return broken(place, "the snapshot ends early");
    if (load_le<std::uint32_t>(header.data()) != kMagic) {
      return broken(place, "it does not begin so");
    }
    const auto kind = static_cast<StateBlockKind>(load_le<std::uint16_t>(header.data() + 6));
    const auto size = load_le<std::uint64_t>(header.data() + 16);
    if (size > static_cast<std::uint64_t>(kStateBlockBytesMax)) {
      return broken(place, fmt::format("{} bytes are said to follow", size));
    }
    const std::int64_t whole = kStateBlockHeaderBytes + static_cast<std::int64_t>(size);
    const bool is_begin = kind == StateBlockKind::kBegin;
    if (is_begin != (at == 0)) {
      return broken(place, "a snapshot has its beginning first, and once");
    }
    const bool is_state = kind == StateBlockKind::kState || kind == StateBlockKind::kEntries;
    if (is_begin || is_state) {
      if (size > kTreeBytesMax + kHeaderBytes) return broken(place, "its description is too long");
      CLP_ASSIGN_OR_RETURN(const std::string block, read_at(at, whole));
      outline += block;
    } else if (kind != StateBlockKind::kNumber && kind != StateBlockKind::kList &&
               kind != StateBlockKind::kTimers) {
      break;
    }
    at += whole;
  }
  CLP_ASSIGN_OR_RETURN(StoredSnapshot snapshot,
                       SnapshotReader(SnapshotBytes(outline)).run_outline());
  StoredOutline result{.origin = snapshot.origin, .states = {}};
  for (StoredRows& state : snapshot.states) result.states.push_back(std::move(state.schema));
  return result;
}

}  // namespace clepsydra
