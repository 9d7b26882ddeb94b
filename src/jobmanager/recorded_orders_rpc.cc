#include "jobmanager/recorded_orders_rpc.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "checkpoint/checkpoint_codec.h"
#include "control.pb.h"

namespace clepsydra::testing {
namespace {

RecordedOrder decode(const proto::ToTaskManager& message) {
  using Kind = RecordedOrder::Kind;
  RecordedOrder order;
  switch (message.kind_case()) {
    case proto::ToTaskManager::kDeploy:
      order.kind = Kind::kDeploy;
      order.attempt = static_cast<int>(message.deploy().job().attempt());
      order.vertices.assign(message.deploy().vertices().begin(), message.deploy().vertices().end());
      for (const std::string& bytes : message.deploy().restores()) {
        order.restores.push_back(decode_task_restore(bytes).value());
      }
      break;
    case proto::ToTaskManager::kCancelJob:
      order.kind = Kind::kCancel;
      order.attempt = static_cast<int>(message.cancel_job().job().attempt());
      break;
    case proto::ToTaskManager::kAssignSplits: {
      const proto::AssignSplits& from = message.assign_splits();
      order.kind = Kind::kSplits;
      order.attempt = static_cast<int>(from.task().attempt());
      order.task = {static_cast<int>(from.task().vertex()),
                    static_cast<int>(from.task().subtask())};
      for (const proto::Split& split : from.splits()) {
        order.splits.push_back({split.id(), split.payload(), split.progress()});
      }
      order.no_more_splits = from.no_more_splits();
      break;
    }
    case proto::ToTaskManager::kTriggerCheckpoint: {
      const proto::TriggerCheckpoint& from = message.trigger_checkpoint();
      order.kind = Kind::kTrigger;
      order.attempt = static_cast<int>(from.job().attempt());
      order.checkpoint = from.checkpoint();
      order.checkpoint_kind = static_cast<CheckpointKind>(from.kind());
      order.folder = from.folder();
      order.as_base = from.as_base();
      for (const auto& task : from.tasks()) {
        order.tasks.push_back({static_cast<int>(task.vertex()), static_cast<int>(task.subtask())});
      }
      break;
    }
    case proto::ToTaskManager::kCheckpointEnded:
      order.kind = Kind::kEndCheckpoint;
      order.attempt = static_cast<int>(message.checkpoint_ended().job().attempt());
      order.checkpoint = message.checkpoint_ended().checkpoint();
      order.completed = message.checkpoint_ended().completed();
      break;
    default:
      break;
  }
  return order;
}

}  // namespace

std::string RecordedOrder::to_string() const {
  std::string text;
  switch (kind) {
    case Kind::kDeploy:
      return fmt::format("deploy {}", attempt);
    case Kind::kCancel:
      return fmt::format("cancel {}", attempt);
    case Kind::kSplits:
      text = fmt::format("splits {}/{}:", task.vertex, task.subtask);
      for (const SourceSplit& split : splits) text += " " + split.id;
      return text + (no_more_splits ? " end" : "");
    case Kind::kTrigger:
      text = fmt::format("trigger {}:", checkpoint);
      for (const SubtaskIndex& each : tasks) {
        text += fmt::format(" {}/{}", each.vertex, each.subtask);
      }
      return text;
    case Kind::kEndCheckpoint:
      return fmt::format("{} {}", completed ? "completed" : "aborted", checkpoint);
    case Kind::kOther:
      return "another";
  }
  return text;
}

Status RecordingTransport::send(std::string_view /*from*/, std::string_view /*to*/,
                                std::string bytes) {
  if (!reachable) return Status::unavailable("nobody listens");
  proto::ToTaskManager message;
  CLP_CHECK(message.ParseFromString(bytes));
  orders.push_back(decode(message));
  return Status::ok();
}

}  // namespace clepsydra::testing
