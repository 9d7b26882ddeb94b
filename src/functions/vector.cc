#include "functions/vector.h"

namespace clepsydra {
namespace {
// The bitmap of a constant NULL.
constexpr std::uint8_t kNoBit = 0;
}  // namespace

void Vector::set_column(const Column& source, bool constant) {
  const ColumnData& data = source.data();
  is_constant = constant;
  values = data.values != nullptr ? data.values->data() : nullptr;
  validity = data.validity != nullptr ? data.validity->data() : nullptr;
  values_owner = data.values;
  validity_owner = data.validity;
  blobs = data.blobs;
  blob_bases.clear();
  for (const BufferPtr& blob : blobs) {
    blob_bases.push_back(reinterpret_cast<const char*>(blob->data()));
  }
  column = source;
  if (data.type.kind() == TypeKind::kNull) set_null_constant();
}

void Vector::set_null_constant() {
  is_constant = true;
  validity = &kNoBit;
}

void Vector::release() {
  values = nullptr;
  validity = nullptr;
  values_owner.reset();
  validity_owner.reset();
  blobs.clear();
  blob_bases.clear();
  column = Column();
}

}  // namespace clepsydra
