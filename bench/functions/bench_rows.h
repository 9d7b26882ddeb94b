// The rows that expressions are measured on: the same ones in every run.
#pragma once

#include <cstdio>
#include <vector>

#include "clepsydra/status.h"
#include "stream/batch.h"

namespace clepsydra::bench {

inline constexpr std::int64_t kBatchRows = 4096;

// Columns: a, b BIGINT, neither 0; x, y DOUBLE; p, q DECIMAL(18, 4); s STRING of 20 bytes, url of
// 60, j of 300 (a JSON object); t TIMESTAMP(3). The last row is NULL in all, so that no engine may
// take a column to be without NULLs.
SchemaPtr bench_schema();
std::vector<Batch> make_bench_rows(std::int64_t batches);

// One line of tab-separated texts a row; \N is NULL.
Status write_bench_rows(const std::vector<Batch>& batches, std::FILE* file);

}  // namespace clepsydra::bench
