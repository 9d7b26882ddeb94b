#include "happenings.h"

#include <fmt/format.h>

#include "base/check.h"

namespace clepsydra::testing {

std::string_view happening_name(Happening happening) {
  switch (happening) {
    case Happening::kDeath:
      return "deaths between steps";
    case Happening::kDeathInRecovery:
      return "deaths in recovery";
    case Happening::kDeathInFileOperation:
      return "deaths in file operations";
    case Happening::kPowerCut:
      return "power cuts";
    case Happening::kSourceError:
      return "failed sources";
    case Happening::kSinkError:
      return "failed sinks";
    case Happening::kPreparationError:
      return "sinks failed at a barrier";
    case Happening::kLocalStoreError:
      return "failures of local stores";
    case Happening::kRegionAlone:
      return "attempts of one region alone";
    case Happening::kReadError:
      return "read errors";
    case Happening::kWriteError:
      return "write errors";
    case Happening::kRenameError:
      return "rename errors";
    case Happening::kTornWrite:
      return "torn writes";
    case Happening::kLostAnswer:
      return "lost answers";
    case Happening::kStaleListing:
      return "stale listings";
    case Happening::kSlowStorage:
      return "slow pieces of work";
    case Happening::kDiskFull:
      return "writes to a full disk";
    case Happening::kRot:
      return "flipped bits";
    case Happening::kWentBack:
      return "times behind what was visible";
    case Happening::kOutOfOrder:
      return "jobs with rows out of order";
    case Happening::kLateRows:
      return "with late rows";
    case Happening::kKeyFlips:
      return "with keys that turn hot";
    case Happening::kIdleSplit:
      return "with an idle split";
    case Happening::kStall:
      return "stalls of sources";
    case Happening::kSlowSink:
      return "lives with a slow sink";
    case Happening::kBackpressure:
      return "with backpressure";
    case Happening::kClockJump:
      return "clock jumps";
    case Happening::kCheckpointTimeout:
      return "checkpoint timeouts";
    case Happening::kCancel:
      return "cancels";
    case Happening::kSavepoint:
      return "savepoints";
    case Happening::kStop:
      return "stops with a savepoint";
    case Happening::kDrain:
      return "with --drain";
    case Happening::kFailedDrain:
      return "drains that failed";
    case Happening::kHalfDrain:
      return "half-way";
    case Happening::kRescale:
      return "changes of parallelism";
    case Happening::kOtherTasks:
      return "changes of what shares a task";
    case Happening::kOtherBackend:
      return "changes of the state backend";
  }
  CLP_CHECK_MSG(false, "no such happening");
  return "";
}

std::string Happenings::describe() const {
  constexpr std::size_t kColumns = 100;
  std::string text;
  std::string line;
  for (std::size_t i = 0; i < kHappenings; ++i) {
    const std::string part =
        fmt::format("{} {}", counts_[i], happening_name(static_cast<Happening>(i)));
    if (!line.empty() && line.size() + 2 + part.size() > kColumns) {
      text += line + ",\n";
      line.clear();
    }
    line += (line.empty() ? "" : ", ") + part;
  }
  return text + line;
}

}  // namespace clepsydra::testing
