#include "connectors/filesystem/file_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "connectors/filesystem/partition_path.h"
#include "formats/format_registry.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{256} << 10;
// A folder's name of a system that runs anywhere.
constexpr std::size_t kNameBytesMax = 255;

}  // namespace

FileWriter::FileWriter(const FileSinkSpec& spec, std::unique_ptr<RowEncoder> encoder,
                       const SinkContext& context)
    : spec_(spec),
      encoder_(std::move(encoder)),
      context_(context),
      area_(context.file_system->staging_area(spec.directory)) {}

Result<std::unique_ptr<SinkWriter>> FileWriter::make(const FileSinkSpec& spec,
                                                     const SinkContext& context) {
  const Result<FileInfo> info = context.file_system->stat(spec.directory);
  if (info.is_ok() && !info->is_directory) {
    return Status::invalid_argument(
        fmt::format("cannot write to '{}': it is a file; expected a folder", spec.directory));
  }
  std::vector<int> columns;
  for (int i = 0; i < spec.file_schema->size(); ++i) columns.push_back(i);
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<Format> format,
                       FormatRegistry::built_in().make(spec.options.at("format"),
                                                       {spec.options, spec.file_schema, columns}));
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<RowEncoder> encoder, format->make_encoder());
  return std::unique_ptr<SinkWriter>(new FileWriter(spec, std::move(encoder), context));
}

// ---- Rows ----

Status FileWriter::write(const Batch& batch) {
  CLP_RETURN_IF_ERROR(roll());
  if (batch.rows() == 0) return Status::ok();
  if (!spec_.partition_keys.empty()) return write_partitioned(batch);
  return write_rows("", batch);
}

Status FileWriter::write_partitioned(const Batch& batch) {
  // In the order in which they first occur, so that equal input makes equal files.
  std::vector<std::string> partitions;
  std::vector<std::vector<std::int32_t>> rows;
  std::unordered_map<std::string, std::size_t> places;
  std::string path;
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    CLP_RETURN_IF_ERROR(append_partition(batch, row, path));
    const auto [place, is_new] = places.try_emplace(path, partitions.size());
    if (is_new) {
      partitions.push_back(path);
      rows.emplace_back();
    }
    rows[place->second].push_back(static_cast<std::int32_t>(row));
  }
  CLP_ASSIGN_OR_RETURN(const Batch values, without_keys(batch));
  if (partitions.size() == 1) return write_rows(partitions.front(), values);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(const Batch part, values.select(rows[i], *context_.pool));
    CLP_RETURN_IF_ERROR(write_rows(partitions[i], part));
  }
  return Status::ok();
}

Status FileWriter::append_partition(const Batch& batch, std::int64_t row, std::string& path) {
  path.clear();
  std::string value;
  for (const int key : spec_.partition_keys) {
    const Column& column = batch.column(key);
    value.clear();
    if (!column.is_null(row)) append_value_text(column, row, {}, value);
    if (value.empty()) value = spec_.default_partition;
    const std::size_t start = path.size();
    if (!path.empty()) path.push_back('/');
    path += partition_path({{spec_.schema->field(key).name, value}});
    if (path.size() - start > kNameBytesMax) {
      return Status::invalid_argument(
          fmt::format("column '{}' makes a partition's name of {} bytes; at most {} are possible",
                      spec_.schema->field(key).name, path.size() - start, kNameBytesMax));
    }
  }
  return Status::ok();
}

Result<Batch> FileWriter::without_keys(const Batch& batch) const {
  std::vector<Column> columns;
  for (int i = 0; i < batch.column_count(); ++i) {
    const auto& keys = spec_.partition_keys;
    if (std::find(keys.begin(), keys.end(), i) == keys.end()) columns.push_back(batch.column(i));
  }
  return batch.with_columns(spec_.file_schema, std::move(columns)).with_marks({});
}

Status FileWriter::write_rows(const std::string& partition, const Batch& rows) {
  CLP_ASSIGN_OR_RETURN(OpenFile * file, open(partition));
  CLP_RETURN_IF_ERROR(encoder_->append(rows, file->buffer));
  file->written_ms = context_.clock->now_ms();
  const auto waiting = static_cast<std::int64_t>(file->buffer.size());
  if (file->out().size() + waiting >= spec_.roll_bytes) return finish(open_.find(partition));
  return file->buffer.size() >= kFlushBytes ? flush(*file) : Status::ok();
}

Result<FileWriter::OpenFile*> FileWriter::open(const std::string& partition) {
  const auto found = open_.find(partition);
  if (found != open_.end()) return &found->second;
  if (open_.size() >= (area_ == nullptr ? kOpenFilesMax : kStagedFilesMax)) {
    CLP_RETURN_IF_ERROR(finish_oldest());
  }
  const std::string folder =
      partition.empty() ? spec_.directory : join_path(spec_.directory, partition);
  const std::string name = part_file_name(context_.job_id, context_.operator_uid, context_.attempt,
                                          context_.subtask, count_++, spec_.extension);
  OpenFile file;
  file.part.visible = join_path(folder, name);
  file.part.partition = partition;
  if (area_ == nullptr) {
    CLP_RETURN_IF_ERROR(open_hidden(folder, name, file));
  } else {
    CLP_ASSIGN_OR_RETURN(file.staged, area_->stage(file.part.visible));
  }
  encoder_->append_header(file.buffer);
  file.opened_ms = context_.clock->now_ms();
  file.written_ms = file.opened_ms;
  return &open_.emplace(partition, std::move(file)).first->second;
}

Status FileWriter::open_hidden(const std::string& folder, const std::string& name, OpenFile& file) {
  FileSystem& files = *context_.file_system;
  CLP_RETURN_IF_ERROR(files.create_directories(folder));
  file.part.hidden = join_path(folder, hidden_name(name));
  Result<std::unique_ptr<WritableFile>> opened =
      files.open_for_write(file.part.hidden, WriteMode::kCreateNew);
  if (!opened.is_ok()) {
    // It may be there all the same.
    if (opened.status().code() != StatusCode::kAlreadyExists) (void)files.remove(file.part.hidden);
    return opened.status();
  }
  file.file = *std::move(opened);
  return Status::ok();
}

// ---- Ends of files ----

Status FileWriter::flush() {
  for (auto& [partition, file] : open_) CLP_RETURN_IF_ERROR(flush(file));
  return roll();
}

Status FileWriter::flush(OpenFile& file) {
  if (file.buffer.empty()) return Status::ok();
  CLP_RETURN_IF_ERROR(file.out().append(file.buffer));
  file.buffer.clear();
  return Status::ok();
}

Status FileWriter::finish(std::map<std::string, OpenFile>::iterator open) {
  OpenFile& file = open->second;
  CLP_RETURN_IF_ERROR(flush(file));
  CLP_RETURN_IF_ERROR(file.out().sync());
  CLP_RETURN_IF_ERROR(file.out().close());
  if (file.staged != nullptr) file.part.token = file.staged->token();
  finished_.push_back(std::move(file.part));
  open_.erase(open);
  return Status::ok();
}

Status FileWriter::finish_oldest() {
  return finish(std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return a.second.written_ms < b.second.written_ms;
  }));
}

Status FileWriter::roll() {
  const std::int64_t now_ms = context_.clock->now_ms();
  if (now_ms < next_check_ms_) return Status::ok();
  next_check_ms_ = now_ms + spec_.check_ms;
  for (auto file = open_.begin(); file != open_.end();) {
    const auto next = std::next(file);
    if (now_ms - file->second.opened_ms >= spec_.rollover_ms ||
        now_ms - file->second.written_ms >= spec_.inactivity_ms) {
      CLP_RETURN_IF_ERROR(finish(file));
    }
    file = next;
  }
  return Status::ok();
}

Result<std::vector<std::string>> FileWriter::prepare_commit() {
  while (!open_.empty()) CLP_RETURN_IF_ERROR(finish(open_.begin()));
  if (area_ == nullptr) {
    std::set<std::string> partitions;
    for (const PartFile& file : finished_) partitions.insert(file.partition);
    for (const std::string& partition : partitions) CLP_RETURN_IF_ERROR(make_durable(partition));
  }
  std::vector<std::string> committables;
  for (const PartFile& file : std::exchange(finished_, {})) {
    committables.push_back(encode_file_committable(file));
  }
  if (spec_.marks_partitions || spec_.replaces) {
    committables.push_back(encode_file_committable(WriterProgress{watermark_}));
  }
  return committables;
}

// The names of the new files in their folder, and those of the folders that were made for them.
Status FileWriter::make_durable(const std::string& partition) {
  FileSystem& files = *context_.file_system;
  std::string folder = partition.empty() ? spec_.directory : join_path(spec_.directory, partition);
  CLP_RETURN_IF_ERROR(files.sync_directory(folder));
  const std::string top(directory_name(spec_.directory));
  while (folder != top && durable_.insert(folder).second) {
    folder = std::string(directory_name(folder));
    CLP_RETURN_IF_ERROR(files.sync_directory(folder));
  }
  return Status::ok();
}

// Removes what nobody will commit. A file that cannot be removed keeps its hidden name.
void FileWriter::discard() {
  for (auto& [partition, file] : open_) {
    // A staged file that was not closed goes with its object.
    if (file.file == nullptr) continue;
    (void)file.file->close();
    discard(file.part);
  }
  open_.clear();
  for (const PartFile& file : std::exchange(finished_, {})) discard(file);
}

void FileWriter::discard(const PartFile& part) {
  if (area_ == nullptr) {
    (void)context_.file_system->remove(part.hidden);
  } else {
    (void)area_->discard(part.visible, part.token);
  }
}

}  // namespace clepsydra
