// Where local stores come from: RocksDB, or a model of it in memory.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "clepsydra/status.h"
#include "state/local_store.h"

namespace clepsydra {

class FileSystem;

// Over RocksDB, in `directory`, a local path, which is made if need be. What an earlier process
// left there goes. FailedPrecondition while another process, or another opener of this one, has it;
// PermissionDenied when it cannot be written to. `files` is of the local disk and outlives what is
// made.
Result<std::unique_ptr<LocalStores>> make_rocksdb_stores(std::string_view directory,
                                                         FileSystem& files);

struct MemoryStoresOptions {
  // Asked before every operation ("write", "get", "scan", "checkpoint", "open"); what it answers is
  // the answer of the operation unless it is ok.
  std::function<Status(std::string_view operation)> fault = nullptr;
};

// In memory and the same every time: for simulation.
std::unique_ptr<LocalStores> make_memory_stores(MemoryStoresOptions options = {});

}  // namespace clepsydra
