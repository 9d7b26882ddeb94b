// The events of the Nexmark auction, computed: every column of event n follows from (seed, n)
// alone, so the events are the same at any parallelism, and columns that nobody reads cost nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "stream/column.h"

namespace clepsydra {

class MemoryPool;

enum class NexmarkKind : std::uint8_t { kPerson = 0, kAuction = 1, kBid = 2 };

// The benchmark's options; names without dots and dashes, defaults as documented for the connector.
struct NexmarkOptions {
  std::int64_t seed = 0;
  std::int64_t base_time_ms = 1'436'918'400'000;  // 2015-07-15 00:00:00
  std::int64_t events = 0;                        // 0: without end.
  double rate = 10'000;                           // Events per second of event time.
  std::int64_t person_proportion = 1;
  std::int64_t auction_proportion = 3;
  std::int64_t bid_proportion = 46;
  std::int64_t person_bytes = 200;
  std::int64_t auction_bytes = 500;
  std::int64_t bid_bytes = 100;
  std::int64_t hot_auction_ratio = 2;
  std::int64_t hot_bidder_ratio = 4;
  std::int64_t hot_seller_ratio = 4;
  std::int64_t out_of_order_group = 1;
};

// Columns of the three kinds by name.
enum class NexmarkColumn : std::uint8_t {
  kPersonId,
  kPersonName,
  kPersonEmail,
  kPersonCreditCard,
  kPersonCity,
  kPersonState,
  kPersonExtra,
  kAuctionId,
  kAuctionItemName,
  kAuctionDescription,
  kAuctionInitialBid,
  kAuctionReserve,
  kAuctionExpires,
  kAuctionSeller,
  kAuctionCategory,
  kAuctionExtra,
  kBidAuction,
  kBidBidder,
  kBidPrice,
  kBidChannel,
  kBidUrl,
  kBidExtra,
  kDateTime,  // Of any kind.
};

// Division of numbers in [0, 2^53) by the same number again and again: a multiplication with its
// reciprocal, rounded up, times 2^(63 + shift).
class Divider {
 public:
  explicit Divider(std::int64_t divisor);  // At least 1.
  [[nodiscard]] std::int64_t quotient(std::int64_t n) const {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(static_cast<std::uint64_t>(n) * 2) * reciprocal_;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(product >> 64) >> shift_);
  }

 private:
  int shift_;
  std::uint64_t reciprocal_;
};

// Threads: all; immutable after make().
class NexmarkGenerator {
 public:
  static Result<std::shared_ptr<const NexmarkGenerator>> make(const NexmarkOptions& options,
                                                              MemoryPool& pool);

  [[nodiscard]] const NexmarkOptions& options() const { return options_; }
  [[nodiscard]] std::int64_t events_per_block() const { return block_; }
  // The event that stands at place `n` of the stream (out-of-order groups permute places).
  [[nodiscard]] std::int64_t event_at(std::int64_t n) const {
    return options_.out_of_order_group <= 1 ? n : permuted(n);
  }
  [[nodiscard]] NexmarkKind kind_of(std::int64_t event) const;
  // Event time in epoch milliseconds.
  [[nodiscard]] std::int64_t time_of(std::int64_t event) const;

  // One value per event, as if each were of the column's kind; of the column's own physical type.
  // Row i is NULL where `validity` (may be null) says so; its value is then unspecified.
  Result<Column> column(NexmarkColumn column, const DataType& type,
                        std::span<const std::int64_t> events, const BufferPtr& validity,
                        std::int64_t null_count, MemoryPool& pool) const;

 private:
  NexmarkGenerator() = default;
  struct Texts;
  [[nodiscard]] std::int64_t permuted(std::int64_t n) const;
  [[nodiscard]] std::uint64_t random(std::int64_t event, std::uint64_t stream) const;
  // Where in its block an event stands.
  [[nodiscard]] std::int64_t offset_of(std::int64_t event) const {
    return event - block_divider_.quotient(event) * block_;
  }
  [[nodiscard]] std::int64_t last_person(std::int64_t event) const;   // Counted from 0.
  [[nodiscard]] std::int64_t last_auction(std::int64_t event) const;  // Counted from 0.
  [[nodiscard]] std::int64_t any_person(std::int64_t event, std::uint32_t random) const;
  [[nodiscard]] std::int64_t price(std::uint64_t random) const;
  [[nodiscard]] std::int64_t number(NexmarkColumn column, std::int64_t event) const;
  StringView16 text(NexmarkColumn column, std::int64_t event) const;
  Result<Column> built_text(NexmarkColumn column, const DataType& type,
                            std::span<const std::int64_t> events, const BufferPtr& validity,
                            MemoryPool& pool) const;
  void append_email(std::int64_t event, std::string& out) const;
  void append_credit_card(std::int64_t event, std::string& out) const;
  [[nodiscard]] std::int64_t extra_bytes(std::int64_t event, std::uint64_t stream,
                                         std::int64_t used, std::int64_t wanted) const;

  NexmarkOptions options_;
  std::int64_t block_ = 50;
  Divider block_divider_{50};
  std::uint64_t seed_ = 0;
  std::int64_t horizon_events_ = 0;  // In which 100 more auctions appear.
  // Shared by all generators' columns: texts that strings are cut from, as blobs of every text
  // column.
  std::shared_ptr<const Texts> texts_;
};

}  // namespace clepsydra
