// Names of jobmanager/ for headers that only mention them.
#pragma once

namespace clepsydra {

class AlignmentGroups;
class JobManager;
class JobSupervisor;
class SinkCommits;
class SplitAssigner;
class TaskManagerClient;

}  // namespace clepsydra
