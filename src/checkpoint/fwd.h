// Names of checkpoint/ for headers that only mention them.
#pragma once

namespace clepsydra {

class BarrierAligner;
class CheckpointCoordinator;
class CheckpointStorage;
class CompletedCheckpointStore;
struct CheckpointMetadata;
struct CheckpointOptions;
struct OperatorSnapshot;
struct RecoveryOptions;
struct StateFile;
struct TaskRestore;
struct TaskSnapshot;

}  // namespace clepsydra
