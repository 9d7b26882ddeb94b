// Names of taskmanager/ for headers that only mention them.
#pragma once

namespace clepsydra {

class Mailbox;
class ResultChannel;
class ResultExchange;
class Task;
class TaskEvents;
class TaskInput;
class TaskManager;
class TaskMetrics;
struct TaskId;

}  // namespace clepsydra
