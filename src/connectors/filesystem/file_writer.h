// Writes the rows of one subtask into files that nobody sees, one per partition at a time: hidden
// ones on a disk, staged ones on an object store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "clepsydra/format.h"
#include "clepsydra/sink.h"
#include "connectors/filesystem/file_sink_spec.h"
#include "connectors/filesystem/part_file.h"
#include "stream/batch.h"

namespace clepsydra {

// A file ends at every barrier, and by size and time before. A barrier's files are durable, names
// and all, when prepare_commit() returns.
//
// Threads: the task's.
class FileWriter final : public SinkWriter {
 public:
  // Beyond so many open files the one that was written to longest ago is ended.
  static constexpr std::size_t kOpenFilesMax = 256;
  // Of staged ones each may hold a part in memory until it is large enough to go up.
  static constexpr std::size_t kStagedFilesMax = 16;

  static Result<std::unique_ptr<SinkWriter>> make(const FileSinkSpec& spec,
                                                  const SinkContext& context);
  ~FileWriter() override { discard(); }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  Status write(const Batch& batch) override;
  Status flush() override;
  void advance_watermark(std::int64_t watermark) override { watermark_ = watermark; }
  Result<std::vector<std::string>> prepare_commit() override;
  void abort() override { discard(); }

 private:
  struct OpenFile {
    PartFile part;
    std::unique_ptr<WritableFile> file;  // Or
    std::unique_ptr<StagedFile> staged;
    [[nodiscard]] WritableFile& out() const { return file != nullptr ? *file : *staged; }
    std::string buffer;
    std::int64_t opened_ms = 0;
    std::int64_t written_ms = 0;
  };

  FileWriter(const FileSinkSpec& spec, std::unique_ptr<RowEncoder> encoder,
             const SinkContext& context);
  // Rows of one partition; without partition keys in their columns.
  Status write_rows(const std::string& partition, const Batch& rows);
  Status write_partitioned(const Batch& batch);
  Status append_partition(const Batch& batch, std::int64_t row, std::string& path);
  Result<Batch> without_keys(const Batch& batch) const;
  Result<OpenFile*> open(const std::string& partition);
  Status open_hidden(const std::string& folder, const std::string& name, OpenFile& file);
  Status flush(OpenFile& file);
  Status finish(std::map<std::string, OpenFile>::iterator file);
  Status finish_oldest();
  // Ends files by time.
  Status roll();
  Status make_durable(const std::string& partition);
  void discard();
  void discard(const PartFile& part);

  const FileSinkSpec spec_;
  const std::unique_ptr<RowEncoder> encoder_;
  const SinkContext context_;
  StagingArea* const area_;               // Null: on a disk.
  std::map<std::string, OpenFile> open_;  // By partition.
  std::vector<PartFile> finished_;        // Since the last barrier.
  std::set<std::string> durable_;         // Folders whose own names are on stable storage.
  std::int64_t count_ = 0;
  std::int64_t next_check_ms_ = 0;
  std::int64_t watermark_ = kMinWatermark;
};

}  // namespace clepsydra
