// Values of a type as those of a wider one: how what was stored is read after a column was widened.
#pragma once

#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// Each value of `from` is one of `to`, and means the same. Nullability counts for nothing. Types of
// the same values are as wide as each other.
bool can_widen(const DataType& from, const DataType& to);
// The values also keep their hash, their order and what they are equal to, so that a key stays in
// its key group. Not nested.
bool can_widen_key(const DataType& from, const DataType& to);

// Only where can_widen(). OutOfRange for a point in time that the finer unit cannot say.
Result<Column> widen(const Column& column, const DataType& to, MemoryPool& pool);

}  // namespace clepsydra
