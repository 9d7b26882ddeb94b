// Any bytes as a snapshot, as they are and with the checksums of its blocks put right, so that what
// lies behind them is reached. What can be read is read whole, also into a backend.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/memory_pool.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "stream/column_builder.h"

using namespace clepsydra;  // NOLINT(google-build-using-namespace): a program, not a header

namespace {

// Takes any columns, and keeps nothing of them.
class AnyCodec final : public RowValueCodec {
 public:
  explicit AnyCodec(std::vector<Field> fields) : fields_(std::move(fields)) {}
  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override {
    for (const Field& field : fields_) {
      CLP_ASSIGN_OR_RETURN(
          Column column,
          make_null_column(field.type, static_cast<std::int64_t>(values.size()), pool));
      out.push_back(std::move(column));
    }
    return Status::ok();
  }
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& /*memory*/) override {
    CLP_CHECK(columns.size() == fields_.size());
    for (const Column& column : columns) {
      CLP_CHECK(column.length() == static_cast<std::int64_t>(values.size()));
      CLP_CHECK(validate(column, false).is_ok());
    }
    return Status::ok();
  }
  void clear(std::span<std::byte* const> /*values*/, StateMemory& /*memory*/) override {}

 private:
  const std::vector<Field> fields_;
};

void check(const std::string& bytes, const std::shared_ptr<MemoryPool>& pool) {
  const Result<StoredSnapshot> snapshot = read_state_blocks(bytes);
  if (!snapshot.is_ok()) return;
  for (const StoredRows& state : snapshot->states) {
    for (const StoredBatch& block : state.rows) (void)state.decode_rows(block, *pool);
    for (const StoredBatch& block : state.erased) (void)state.decode_erased(block, *pool);
  }
  auto backend = StateBackendRegistry::built_in()
                     .make("hashmap", {.pool = pool.get(),
                                       .key_groups = {0, snapshot->origin.max_parallelism},
                                       .max_parallelism = snapshot->origin.max_parallelism})
                     .value();
  RestoredState state;
  state.parts.push_back({.snapshots = {bytes}});
  if (!backend->restore(std::move(state)).is_ok()) return;
  for (const StoredRows& stored : snapshot->states) {
    (void)backend->open_rows({.name = stored.schema.name,
                              .key_types = stored.schema.key_types,
                              .value_bytes = 8,
                              .codec = std::make_shared<AnyCodec>(stored.schema.fields),
                              .entry_columns = stored.schema.entry_columns});
  }
  for (const auto& [name, value] : snapshot->numbers) {
    (void)backend->open_number(name, 0, NumberMerge::kSum);
  }
  for (const auto& [name, items] : snapshot->lists) {
    (void)backend->open_list(name, ListMode::kSplit);
  }
  for (const auto& [name, timers] : snapshot->timers) (void)backend->open_timers(name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kPool = MemoryPool::make_root("fuzz", 64 << 20);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, kPool);
  for (std::size_t at = 0; at + 24 <= bytes.size();) {
    char* block = bytes.data() + at;
    const auto body = load_le<std::uint64_t>(block + 16);
    if (body > bytes.size() - at - 24) break;
    // The frame inside has a checksum of its own.
    const auto kind = load_le<std::uint16_t>(block + 6);
    if ((kind == 3 || kind == 4) && body >= 8) {
      const std::size_t frame_at = 8 + std::size_t{load_le<std::uint32_t>(block + 28)} * 16;
      if (frame_at + 32 <= body) {
        char* frame = block + 24 + frame_at;
        store_le(frame + 8,
                 hash64_with_seed(frame + 16, body - frame_at - 16, load_le<std::uint64_t>(frame)));
      }
    }
    store_le(block + 8, hash64_with_seed(block + 16, body + 8, load_le<std::uint64_t>(block)));
    at += 24 + body;
  }
  check(bytes, kPool);
  return 0;
}
