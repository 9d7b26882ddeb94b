#include "base/memory_pool.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace clepsydra {

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    reset();
    pool_ = std::move(other.pool_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

Status Reservation::resize(std::int64_t bytes) {
  CLP_CHECK(pool_ != nullptr && bytes >= 0);
  if (bytes > bytes_) {
    CLP_RETURN_IF_ERROR(pool_->try_reserve(bytes - bytes_));
  } else {
    pool_->release(bytes_ - bytes);
  }
  bytes_ = bytes;
  return Status::ok();
}

void Reservation::reset() {
  if (pool_ != nullptr && bytes_ > 0) pool_->release(bytes_);
  bytes_ = 0;
  pool_.reset();
}

std::shared_ptr<MemoryPool> MemoryPool::make_root(std::string name, std::int64_t limit_bytes) {
  return std::make_shared<MemoryPool>(Private{}, std::move(name), limit_bytes, nullptr);
}

std::shared_ptr<MemoryPool> MemoryPool::make_child(std::string_view name,
                                                   std::int64_t limit_bytes) {
  return std::make_shared<MemoryPool>(Private{}, fmt::format("{}/{}", name_, name), limit_bytes,
                                      shared_from_this());
}

MemoryPool::MemoryPool(Private /*key*/, std::string name, std::int64_t limit_bytes,
                       std::shared_ptr<MemoryPool> parent)
    : name_(std::move(name)), limit_(limit_bytes), parent_(std::move(parent)) {
  CLP_CHECK(limit_bytes >= 0);
}

MemoryPool::~MemoryPool() {
  CLP_CHECK_MSG(used_bytes() == 0, name_);
}

bool MemoryPool::take(std::int64_t bytes) {
  std::int64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  std::int64_t peak = peak_.load(std::memory_order_relaxed);
  while (used + bytes > peak &&
         !peak_.compare_exchange_weak(peak, used + bytes, std::memory_order_relaxed)) {
  }
  return true;
}

Status MemoryPool::try_reserve(std::int64_t bytes) {
  CLP_CHECK(bytes >= 0);
  for (MemoryPool* pool = this; pool != nullptr; pool = pool->parent_.get()) {
    if (pool->take(bytes)) continue;
    for (MemoryPool* taken = this; taken != pool; taken = taken->parent_.get()) {
      taken->used_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    std::string asked = pool == this ? std::string() : fmt::format(" for '{}'", name_);
    return Status::resource_exhausted(
        fmt::format("cannot take {} bytes{}: memory pool '{}' uses {} of its limit of {} bytes",
                    bytes, asked, pool->name_, pool->used_bytes(), pool->limit_));
  }
  return Status::ok();
}

void MemoryPool::release(std::int64_t bytes) {
  for (MemoryPool* pool = this; pool != nullptr; pool = pool->parent_.get()) {
    const std::int64_t before = pool->used_.fetch_sub(bytes, std::memory_order_relaxed);
    CLP_CHECK_MSG(bytes >= 0 && before >= bytes, pool->name_);
  }
}

Result<Reservation> MemoryPool::reserve(std::int64_t bytes) {
  CLP_RETURN_IF_ERROR(try_reserve(bytes));
  return Reservation(shared_from_this(), bytes);
}

}  // namespace clepsydra
