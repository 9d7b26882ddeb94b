// Watermarks of one input among several, written as marks of the merged stream.
#pragma once

#include "stream/batch.h"
#include "stream/watermark.h"

namespace clepsydra {

// `batch` of input `input`, with the marks that the merged stream has at its rows: a mark stays
// where it makes the merged watermark advance, with the merged value. Rows make an idle input
// active.
Batch merge_marks(Batch batch, int input, WatermarkMerger& merger);

}  // namespace clepsydra
