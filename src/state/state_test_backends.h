// The state backends as tests have them: each kind of them passes the same suites.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/keyed_state.h"
#include "state/snapshot_bytes.h"
#include "state/state_backend.h"

namespace clepsydra::testing {

// "hashmap"; "rocksdb" over a model of its store, and "rocksdb_disk" over the real one, both with
// so little memory that every row that is not in use goes to the store at once; "rocksdb_cached"
// over a model, with some rows in memory and some not.
std::vector<std::string> state_backend_kinds();
// `options.local` is filled here.
std::unique_ptr<KeyedStateBackend> make_test_backend(std::string_view kind,
                                                     StateBackendOptions options);

// The same in files of a file system in memory.
std::vector<SnapshotBytes> in_files(const std::vector<std::string>& snapshots);

// Values of so many bytes, a multiple of 8, that hold nothing beside them.
std::shared_ptr<RowValueCodec> make_words_codec(std::int64_t value_bytes);

}  // namespace clepsydra::testing
