// Names of base/ for headers that only mention them.
#pragma once

#include <memory>

namespace clepsydra {

class BlockingPool;
class Buffer;
class Clock;
class Configuration;
class Counter;
class FileSystem;
class Gauge;
class Histogram;
class MemoryPool;
class Meter;
class MetricGroup;
class MutableBuffer;
class Process;
class Random;
class RandomAccessFile;
class Reservation;
class Status;
class Steppable;
class TextOutput;
class Transport;
class ValueTree;
class Waker;
class WorkerPool;
class WritableFile;

using BufferPtr = std::shared_ptr<const Buffer>;

}  // namespace clepsydra
