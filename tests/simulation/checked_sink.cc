#include "checked_sink.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/check.h"
#include "stream/batch.h"

namespace clepsydra::testing {
namespace {

class CheckedWriter final : public SinkWriter {
 public:
  CheckedWriter(SinkProcess& process, const Branch& branch, const Workload& workload,
                std::unique_ptr<SinkWriter> inner)
      : process_(process), branch_(branch), inner_(std::move(inner)) {
    for (std::size_t source = 0; source < workload.sources.size(); ++source) {
      for (std::size_t i = 0; i < workload.sources[source].splits.size(); ++i) {
        places_.emplace_back(source, i);
      }
    }
  }

  Status write(const Batch& batch) override {
    if (!process_.is_healed && process_.random.uniform_double() < process_.write_error) {
      process_.happened->add(Happening::kSinkError);
      return Status::unavailable("the sink has gone away");
    }
    if (branch_.has_windows) {
      look_at_windows(batch);
    } else {
      look_at_rows(batch);
    }
    return inner_->write(batch);
  }
  Status flush() override { return inner_->flush(); }
  void advance_watermark(std::int64_t watermark) override {
    if (watermark < watermark_) {
      complain(fmt::format("a watermark went back from {} to {}", watermark_, watermark));
    }
    watermark_ = watermark;
    inner_->advance_watermark(watermark);
  }
  Result<std::vector<std::string>> prepare_commit() override {
    Result<std::vector<std::string>> prepared = inner_->prepare_commit();
    if (!process_.is_healed && process_.random.uniform_double() < process_.preparation_error) {
      process_.happened->add(Happening::kPreparationError);
      return Status::unavailable("the sink has gone away at a barrier");
    }
    return prepared;
  }
  void abort() override { inner_->abort(); }

 private:
  void complain(std::string problem) {
    if (process_.problem.empty()) process_.problem = std::move(problem);
  }

  void look_at_rows(const Batch& batch) {
    if (batch.rows() == 0) return;
    const auto* keys = batch.column(0).values<std::int64_t>();
    const auto* values = batch.column(1).values<std::int64_t>();
    for (std::int64_t i = 0; i < batch.rows(); ++i) {
      const auto number = static_cast<std::size_t>(values[i] / Workload::kRowsPerSplitMax);
      if (process_.keeps_order) {
        const auto [last, is_new] = last_.try_emplace({number, keys[i]}, values[i]);
        if (!is_new && std::exchange(last->second, values[i]) >= values[i]) {
          complain(fmt::format("row {} of key {} came out of order", values[i], keys[i]));
        }
      }
      if (process_.restored == nullptr) continue;
      const auto& [source, split] = places_.at(number);
      const Positions::Split& from = process_.restored->sources[source][split];
      if (from.has_finished || values[i] % Workload::kRowsPerSplitMax < from.next) {
        complain(fmt::format("row {} is from before what was restored", values[i]));
      }
    }
  }

  void look_at_windows(const Batch& batch) {
    if (batch.rows() == 0) return;
    const auto* ends = batch.column(batch.column_count() - 1).values<std::int64_t>();
    for (std::int64_t i = 0; i < batch.rows(); ++i) {
      if (ends[i] - 1 > watermark_) continue;
      complain(
          fmt::format("a window that ends at {} came after the watermark {}", ends[i], watermark_));
    }
  }

  SinkProcess& process_;
  const Branch& branch_;
  const std::unique_ptr<SinkWriter> inner_;
  std::vector<std::pair<std::size_t, std::size_t>> places_;  // (source, split) by number.
  std::int64_t watermark_ = kMinWatermark;
  std::map<std::pair<std::size_t, std::int64_t>, std::int64_t> last_;  // By split and key.
};

class CheckedSink final : public Sink {
 public:
  CheckedSink(SinkProcess& process, const Branch& branch, const Workload& workload,
              std::unique_ptr<Sink> inner)
      : process_(process), branch_(branch), workload_(workload), inner_(std::move(inner)) {}

  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const override {
    Result<std::unique_ptr<SinkWriter>> writer = inner_->open_writer(context);
    if (!writer.is_ok()) return writer.status();
    return std::make_unique<CheckedWriter>(process_, branch_, workload_, *std::move(writer));
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(const SinkContext& context) const override {
    return inner_->make_committer(context);
  }

 private:
  SinkProcess& process_;
  const Branch& branch_;
  const Workload& workload_;
  const std::unique_ptr<Sink> inner_;
};

}  // namespace

std::unique_ptr<Sink> make_checked_sink(SinkProcess& process, const Branch& branch,
                                        const Workload& workload, std::unique_ptr<Sink> inner) {
  return std::make_unique<CheckedSink>(process, branch, workload, std::move(inner));
}

}  // namespace clepsydra::testing
