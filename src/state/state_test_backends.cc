#include "state/state_test_backends.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/local_file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "state/local_stores.h"
#include "stream/column_builder.h"

namespace clepsydra::testing {
namespace {

// Removes its directory when the test program ends.
class DiskStores {
 public:
  DiskStores()
      : directory_(::testing::TempDir() + "state_test_" +
                   std::to_string(Random::from_entropy().next_u64())),
        stores_(make_rocksdb_stores(directory_, files_).value()) {}
  ~DiskStores() {
    stores_.reset();
    static_cast<void>(files_.remove_all(directory_));
  }
  DiskStores(const DiskStores&) = delete;
  DiskStores& operator=(const DiskStores&) = delete;
  LocalStores& stores() { return *stores_; }

 private:
  LocalFileSystem files_;
  const std::string directory_;
  std::unique_ptr<LocalStores> stores_;
};

class WordsCodec final : public RowValueCodec {
 public:
  explicit WordsCodec(std::int64_t value_bytes) {
    for (std::int64_t i = 0; i < value_bytes / 8; ++i) {
      fields_.push_back({"word" + std::to_string(i), DataType::big_int().with_nullable(false), {}});
    }
  }
  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  [[nodiscard]] bool is_flat() const override { return true; }
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      ColumnBuilder builder(fields_[i].type, pool);
      for (const std::byte* value : values) {
        builder.append(reinterpret_cast<const std::int64_t*>(value)[i]);
      }
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      out.push_back(std::move(column));
    }
    return Status::ok();
  }
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& /*memory*/) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      for (std::size_t row = 0; row < values.size(); ++row) {
        reinterpret_cast<std::int64_t*>(values[row])[i] = columns[i].values<std::int64_t>()[row];
      }
    }
    return Status::ok();
  }
  void clear(std::span<std::byte* const> values, StateMemory& /*memory*/) override {
    for (std::byte* value : values) std::memset(value, 0, fields_.size() * 8);
  }

 private:
  std::vector<Field> fields_;
};

}  // namespace

std::shared_ptr<RowValueCodec> make_words_codec(std::int64_t value_bytes) {
  return std::make_shared<WordsCodec>(value_bytes);
}

std::vector<SnapshotBytes> in_files(const std::vector<std::string>& snapshots) {
  static SimulatedClock clock;
  static MemoryFileSystem files(clock);
  static int written = 0;
  std::vector<SnapshotBytes> all;
  for (const std::string& bytes : snapshots) {
    // One after the other: nobody keeps more than the last few.
    const std::string path = "/snapshots/" + std::to_string(written++ % 1000);
    EXPECT_TRUE(files.create_directories("/snapshots").is_ok());
    EXPECT_TRUE(files.write_atomically(path, bytes).is_ok());
    all.emplace_back(files, path, static_cast<std::int64_t>(bytes.size()));
  }
  return all;
}

std::vector<std::string> state_backend_kinds() {
  return {"hashmap", "rocksdb", "rocksdb_cached", "rocksdb_disk"};
}

std::unique_ptr<KeyedStateBackend> make_test_backend(std::string_view kind,
                                                     StateBackendOptions options) {
  static const std::unique_ptr<LocalStores> models = make_memory_stores();
  static DiskStores disk;
  static int backends = 0;
  options.local.stores = kind == "rocksdb_disk" ? &disk.stores() : models.get();
  options.local.name = "backend_" + std::to_string(++backends);
  options.local.cached_bytes = kind == "rocksdb_cached" ? 8 << 10 : 0;
  options.snapshot_rows_min = 0;  // Few rows do what many would.
  auto made = StateBackendRegistry::built_in().make(kind.substr(0, kind.find('_')), options);
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return std::move(made).value();
}

}  // namespace clepsydra::testing
