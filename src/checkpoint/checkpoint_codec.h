// Checkpoints as bytes: proto/checkpoint.proto, docs/formats/checkpoint.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"

namespace clepsydra {

// Each decoder accepts any bytes, and what it returns keeps to these limits: indices and sizes are
// not negative, paths pass check_relative_path(), inline bytes and a path never stand together,
// and the checksum of inline bytes is right. Equal values give equal bytes.

// Travel inside messages. InvalidArgument for other bytes.
std::string encode_task_snapshot(const TaskSnapshot& snapshot);
Result<TaskSnapshot> decode_task_snapshot(std::string_view bytes);
std::string encode_task_restore(const TaskRestore& restore);
Result<TaskRestore> decode_task_restore(std::string_view bytes);
std::string encode_in_flight_restore(const InFlightRestore& restore);
Result<InFlightRestore> decode_in_flight_restore(std::string_view bytes);

// A `_metadata` file, in the first version that can say it all. DataLoss for every flipped, missing
// or added bit; FailedPrecondition for a file of a later version, which is named.
std::string encode_checkpoint_metadata(const CheckpointMetadata& metadata);
Result<CheckpointMetadata> decode_checkpoint_metadata(std::string_view bytes);

// The bytes of a snapshot that are kept in the metadata.
StateFile inline_state(std::string bytes);

// A path of StateFile: below its folder and nowhere else ("shared/7-0-1-2", neither "/etc/passwd"
// nor "../other"). Files are read and removed by such paths, so what comes from outside is held
// against it.
Status check_relative_path(std::string_view path);

inline constexpr std::int64_t kCheckpointMetadataBytesMax = 1LL << 30;

}  // namespace clepsydra
