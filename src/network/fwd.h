// Names of network/ for headers that only mention them.
#pragma once

namespace clepsydra {

class InputGate;
class LocalChannel;
class OutputGate;
class Partitioner;

}  // namespace clepsydra
