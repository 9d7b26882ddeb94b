// Names of state/ for headers that only mention them.
#pragma once

namespace clepsydra {

class KeyedRows;
class KeyedStateBackend;
class StateBackendRegistry;
class StateMemory;
class TimerService;

}  // namespace clepsydra
