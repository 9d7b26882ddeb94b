#include "connectors/filesystem/file_sink.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/table_options.h"
#include "formats/format_registry.h"
#include "stream/batch.h"
#include "stream/type_codec.h"

namespace clepsydra {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{256} << 10;
constexpr std::int64_t kRollBytes = std::int64_t{128} << 20;

struct FileSinkSpec {
  TableOptions options;
  SchemaPtr schema;
  std::string directory;
  std::int64_t roll_bytes = kRollBytes;
};

// A finished file under its hidden name, and the name it will have.
struct Committable {
  std::string hidden;
  std::string visible;

  [[nodiscard]] std::string encode() const {
    return ValueTree::map().set("hidden", hidden).set("visible", visible).encode();
  }
  static Result<Committable> decode(const std::string& bytes) {
    CLP_ASSIGN_OR_RETURN(const ValueTree tree, ValueTree::decode(bytes));
    Committable file;
    CLP_ASSIGN_OR_RETURN(file.hidden, tree.get_string("hidden"));
    CLP_ASSIGN_OR_RETURN(file.visible, tree.get_string("visible"));
    return file;
  }
};

class FileWriter final : public SinkWriter {
 public:
  FileWriter(const FileSinkSpec& spec, std::unique_ptr<RowEncoder> encoder,
             const SinkContext& context)
      : spec_(spec), encoder_(std::move(encoder)), context_(context) {}
  ~FileWriter() override { discard(); }

  Status write(const Batch& batch) override {
    if (batch.rows() == 0) return Status::ok();
    CLP_RETURN_IF_ERROR(open());
    CLP_RETURN_IF_ERROR(encoder_->append(batch, buffer_));
    if (buffer_.size() >= kFlushBytes) CLP_RETURN_IF_ERROR(flush());
    if (file_->size() >= spec_.roll_bytes) CLP_RETURN_IF_ERROR(finish_file());
    return Status::ok();
  }

  Status flush() override {
    if (!file_ || buffer_.empty()) return Status::ok();
    CLP_RETURN_IF_ERROR(file_->append(buffer_));
    buffer_.clear();
    return Status::ok();
  }

  Result<std::vector<std::string>> prepare_commit() override {
    CLP_RETURN_IF_ERROR(finish_file());
    return std::exchange(finished_, {});
  }

  void abort() override { discard(); }

 private:
  Status open() {
    if (file_) return Status::ok();
    FileSystem& files = *context_.file_system;
    CLP_RETURN_IF_ERROR(files.create_directories(spec_.directory));
    const std::string name = fmt::format("part-{}-{}-{}-{}.{}", context_.job_id, context_.attempt,
                                         context_.subtask, count_++, extension());
    current_ = {join_path(spec_.directory, fmt::format(".{}.inprogress", name)),
                join_path(spec_.directory, name)};
    CLP_ASSIGN_OR_RETURN(file_, files.open_for_write(current_.hidden, WriteMode::kTruncate));
    encoder_->append_header(buffer_);
    return Status::ok();
  }

  [[nodiscard]] std::string extension() const { return spec_.options.at("format"); }

  Status finish_file() {
    if (!file_) return Status::ok();
    CLP_RETURN_IF_ERROR(flush());
    CLP_RETURN_IF_ERROR(file_->sync());
    CLP_RETURN_IF_ERROR(file_->close());
    file_.reset();
    finished_.push_back(current_.encode());
    return Status::ok();
  }

  // Removes what nobody will commit. A file that cannot be removed keeps its hidden name.
  void discard() {
    buffer_.clear();
    if (file_) {
      (void)file_->close();
      file_.reset();
      (void)context_.file_system->remove(current_.hidden);
    }
    for (const std::string& bytes : std::exchange(finished_, {})) {
      const Result<Committable> file = Committable::decode(bytes);
      if (file.is_ok()) (void)context_.file_system->remove(file->hidden);
    }
  }

  const FileSinkSpec spec_;
  const std::unique_ptr<RowEncoder> encoder_;
  const SinkContext context_;
  std::unique_ptr<WritableFile> file_;
  Committable current_;
  std::string buffer_;
  std::vector<std::string> finished_;
  int count_ = 0;
};

class FileCommitter final : public SinkCommitter {
 public:
  FileCommitter(std::string directory, FileSystem& files)
      : directory_(std::move(directory)), files_(files) {}

  Status commit(std::span<const std::string> committables) override {
    for (const std::string& bytes : committables) {
      CLP_ASSIGN_OR_RETURN(const Committable file, Committable::decode(bytes));
      CLP_ASSIGN_OR_RETURN(const bool hidden_exists, files_.exists(file.hidden));
      if (!hidden_exists) {
        // A repeated commit: the first one's answer was lost.
        CLP_ASSIGN_OR_RETURN(const bool visible_exists, files_.exists(file.visible));
        if (visible_exists) continue;
        return Status::data_loss(fmt::format("cannot commit '{}': its hidden file '{}' has gone",
                                             file.visible, file.hidden));
      }
      CLP_RETURN_IF_ERROR(files_.rename(file.hidden, file.visible));
    }
    return committables.empty() ? Status::ok() : files_.sync_directory(directory_);
  }

  void abort(std::span<const std::string> committables) override {
    for (const std::string& bytes : committables) {
      const Result<Committable> file = Committable::decode(bytes);
      if (file.is_ok()) (void)files_.remove(file->hidden);
    }
  }

 private:
  const std::string directory_;
  FileSystem& files_;
};

class FileSink final : public Sink {
 public:
  explicit FileSink(FileSinkSpec spec) : spec_(std::move(spec)) {}

  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    const Result<FileInfo> info = context.file_system->stat(spec_.directory);
    if (info.is_ok() && !info->is_directory) {
      return Status::invalid_argument(
          fmt::format("cannot write to '{}': it is a file; expected a folder", spec_.directory));
    }
    std::vector<int> columns;
    for (int i = 0; i < spec_.schema->size(); ++i) columns.push_back(i);
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<Format> format,
                         FormatRegistry::built_in().make(spec_.options.at("format"),
                                                         {spec_.options, spec_.schema, columns}));
    CLP_ASSIGN_OR_RETURN(std::unique_ptr<RowEncoder> encoder, format->make_encoder());
    return std::make_unique<FileWriter>(spec_, std::move(encoder), context);
  }

  Result<std::unique_ptr<SinkCommitter>> make_committer(const SinkContext& context) const override {
    return std::make_unique<FileCommitter>(spec_.directory, *context.file_system);
  }

 private:
  const FileSinkSpec spec_;
};

}  // namespace

ValueTree file_sink_spec(const TableOptions& options, const Schema& schema) {
  return ValueTree::map()
      .set("connector", "filesystem")
      .set("schema", schema_to_tree(schema))
      .set("options", options_to_tree(options));
}

Result<std::unique_ptr<Sink>> make_file_sink(const ValueTree& tree) {
  FileSinkSpec spec;
  CLP_ASSIGN_OR_RETURN(const ValueTree options, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(spec.options, options_from_tree(options));
  CLP_ASSIGN_OR_RETURN(const ValueTree schema, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(spec.schema, schema_from_tree(schema));
  CLP_ASSIGN_OR_RETURN(spec.directory, local_path(text_option(spec.options, "path").value_or("")));
  if (!spec.options.contains("format")) {
    return Status::invalid_argument("connector 'filesystem' needs the option 'format'");
  }
  CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> roll,
                       bytes_option(spec.options, "sink.rolling-policy.file-size"));
  spec.roll_bytes = roll.value_or(kRollBytes);
  return std::make_unique<FileSink>(std::move(spec));
}

}  // namespace clepsydra
