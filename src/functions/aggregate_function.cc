#include "functions/aggregate_function.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/user/user_aggregate.h"
#include "functions/user/user_library.h"

namespace clepsydra {
namespace {

std::string call_text(std::string_view function, const std::vector<DataType>& argument_types,
                      bool distinct) {
  std::string types;
  for (const DataType& type : argument_types) {
    if (!types.empty()) types += ", ";
    types += type.name();
  }
  return fmt::format("{}({}{})", function, distinct ? "DISTINCT " : "", types);
}

// Whether DISTINCT makes no difference, or the function sees to it.
bool sees_all(std::string_view function) {
  constexpr std::array<std::string_view, 10> kFunctions = {"APPROX_COUNT_DISTINCT",
                                                           "ARRAY_AGG",
                                                           "ARRAY_AGG_IGNORE_NULLS",
                                                           "COLLECT",
                                                           "FIRST_VALUE",
                                                           "LAST_VALUE",
                                                           "LISTAGG",
                                                           "MAX",
                                                           "MIN",
                                                           "PERCENTILE"};
  return std::find(kFunctions.begin(), kFunctions.end(), function) != kFunctions.end();
}

AggregateFunctionPtr make_plain(std::string_view function, const std::vector<DataType>& types,
                                const DataType& result, bool distinct) {
  if (function == "COUNT" && types.size() <= 1 && result.kind() == TypeKind::kBigInt) {
    return make_count(!types.empty(), result);
  }
  if (function == "LISTAGG") return make_list_agg(types, result, distinct);
  if (function == "PERCENTILE") return make_percentile(types, result, distinct);
  if (function.starts_with("JSON_OBJECTAGG_") || function.starts_with("JSON_ARRAYAGG_")) {
    return make_json_aggregate(
        {.is_object = function.starts_with("JSON_OBJECTAGG_"),
         .keeps_nulls = function.find("_NULL_ON_NULL") != std::string_view::npos,
         .values_are_json = function.ends_with("_OF_JSON")},
        types, result);
  }
  if (types.size() != 1) return nullptr;
  if (function == "ARRAY_AGG" || function == "ARRAY_AGG_IGNORE_NULLS") {
    return make_array_agg(types[0], result, function != "ARRAY_AGG", distinct);
  }
  if (function == "COLLECT") return make_collect(types[0], result, distinct);
  if (function == "FIRST_VALUE") return make_chosen_value(Choice::kFirst, types[0], result);
  if (function == "LAST_VALUE") return make_chosen_value(Choice::kLast, types[0], result);
  if (function == "SINGLE_VALUE") return make_chosen_value(Choice::kSingle, types[0], result);
  if (function == "APPROX_COUNT_DISTINCT") return make_approximate_count(types[0], result);
  if (function.starts_with("VAR_") || function.starts_with("STDDEV_")) {
    return make_spread(
        {.is_sample = function.ends_with("_SAMP"), .is_deviation = function.starts_with("STDDEV_")},
        types[0], result);
  }
  if (function == "SUM") return make_sum(types[0], result);
  if (function == "AVG") return make_avg(types[0], result);
  if (function == "MIN" || function == "MAX")
    return make_min_max(function == "MAX", types[0], result);
  return nullptr;
}

}  // namespace

Status AggregateFunction::subtract(std::span<std::byte* const>, std::span<std::byte* const>,
                                   std::int64_t) {
  return Status::internal("subtract() of an aggregate function that cannot be inverted");
}

void AggregateFunction::destroy(std::span<std::byte* const> states, std::int64_t offset,
                                StateAllocator&) {
  for (std::byte* state : states) {
    std::memset(state + offset, 0, static_cast<std::size_t>(state_bytes()));
  }
}

Result<AggregateFunctionPtr> make_aggregate(std::string_view function,
                                            const std::vector<DataType>& argument_types,
                                            const DataType& result_type, bool distinct) {
  AggregateFunctionPtr made;
  if (is_user_function(function)) {
    CLP_ASSIGN_OR_RETURN(made, make_user_aggregate(function, argument_types, result_type));
  } else {
    made = make_plain(function, argument_types, result_type, distinct);
  }
  if (made != nullptr && distinct && !sees_all(function)) {
    // A set holds plain values; COUNT alone takes arguments of every type.
    const bool has_set = argument_types.size() == 1 && argument_types[0].fixed_width() > 0;
    made = has_set ? make_distinct(std::move(made), argument_types[0]) : nullptr;
  }
  if (made == nullptr) {
    return Status::invalid_argument(fmt::format("there is no aggregate function {} with result {}",
                                                call_text(function, argument_types, distinct),
                                                result_type.to_string()));
  }
  return made;
}

// Blocks of up to kSmallMax bytes come from slabs, in classes of powers of two with a free list
// each; larger ones from malloc, linked so that reset() finds them.
struct PoolStateAllocator::Impl {
  static constexpr std::int64_t kSlabBytes = 64L << 10;
  static constexpr std::int64_t kSmallMax = 4096;
  static constexpr std::int64_t kSmallest = 16;
  static constexpr std::size_t kClasses = 9;  // 16, 32, ... 4096.

  struct FreeBlock {
    FreeBlock* next;
  };
  // In front of slabs and large blocks; 32 bytes keep blocks at 16-byte boundaries.
  struct alignas(16) Header {
    Header* previous;
    Header* next;
    std::int64_t bytes;
  };

  explicit Impl(MemoryPool& memory) : pool(memory.shared_from_this()) {}

  static std::size_t class_of(std::int64_t bytes) {
    const auto rounded =
        std::bit_ceil(static_cast<std::uint64_t>(bytes < kSmallest ? kSmallest : bytes));
    return static_cast<std::size_t>(std::countr_zero(rounded)) - 4;
  }

  Status allocate_chunk(std::int64_t bytes, std::byte*& chunk) {
    const auto total = bytes + static_cast<std::int64_t>(sizeof(Header));
    CLP_RETURN_IF_ERROR(pool->try_reserve(total));
    auto* header = static_cast<Header*>(std::malloc(static_cast<std::size_t>(total)));
    if (header == nullptr) {
      pool->release(total);
      return Status::resource_exhausted("the machine is out of memory");
    }
    *header = {nullptr, chunks, total};
    if (chunks != nullptr) chunks->previous = header;
    chunks = header;
    chunk = reinterpret_cast<std::byte*>(header) + sizeof(Header);
    return Status::ok();
  }

  void free_chunk(std::byte* chunk) {
    auto* header = reinterpret_cast<Header*>(chunk - sizeof(Header));
    if (header->previous != nullptr) header->previous->next = header->next;
    if (header->next != nullptr) header->next->previous = header->previous;
    if (chunks == header) chunks = header->next;
    pool->release(header->bytes);
    std::free(header);
  }

  const std::shared_ptr<MemoryPool> pool;
  Header* chunks = nullptr;
  std::array<FreeBlock*, kClasses> free_blocks{};
  std::byte* slab = nullptr;  // What is left of the newest slab.
  std::int64_t slab_left = 0;
  std::int64_t used = 0;
};

PoolStateAllocator::PoolStateAllocator(MemoryPool& pool) : impl_(std::make_unique<Impl>(pool)) {}

PoolStateAllocator::~PoolStateAllocator() {
  reset();
}

Status PoolStateAllocator::allocate(std::int64_t bytes, std::byte*& block) {
  CLP_CHECK(bytes > 0);
  Impl& impl = *impl_;
  if (bytes > Impl::kSmallMax) {
    CLP_RETURN_IF_ERROR(impl.allocate_chunk(bytes, block));
    impl.used += bytes;
    return Status::ok();
  }
  const std::size_t size_class = Impl::class_of(bytes);
  const std::int64_t rounded = Impl::kSmallest << size_class;
  if (Impl::FreeBlock*& head = impl.free_blocks[size_class]; head != nullptr) {
    block = reinterpret_cast<std::byte*>(head);
    head = head->next;
  } else {
    if (impl.slab_left < rounded) {
      std::byte* slab = nullptr;
      CLP_RETURN_IF_ERROR(impl.allocate_chunk(Impl::kSlabBytes, slab));
      impl.slab = slab;
      impl.slab_left = Impl::kSlabBytes;
    }
    block = impl.slab;
    impl.slab += rounded;
    impl.slab_left -= rounded;
  }
  impl.used += bytes;
  return Status::ok();
}

void PoolStateAllocator::free(std::byte* block, std::int64_t bytes) {
  Impl& impl = *impl_;
  impl.used -= bytes;
  if (bytes > Impl::kSmallMax) {
    impl.free_chunk(block);
    return;
  }
  auto* freed = reinterpret_cast<Impl::FreeBlock*>(block);
  Impl::FreeBlock*& head = impl.free_blocks[Impl::class_of(bytes)];
  freed->next = head;
  head = freed;
}

MemoryPool& PoolStateAllocator::pool() {
  return *impl_->pool;
}

void PoolStateAllocator::reset() {
  Impl& impl = *impl_;
  while (impl.chunks != nullptr) {
    Impl::Header* next = impl.chunks->next;
    impl.pool->release(impl.chunks->bytes);
    std::free(impl.chunks);
    impl.chunks = next;
  }
  impl.free_blocks.fill(nullptr);
  impl.slab = nullptr;
  impl.slab_left = 0;
  impl.used = 0;
}

std::int64_t PoolStateAllocator::used_bytes() const {
  return impl_->used;
}

}  // namespace clepsydra
