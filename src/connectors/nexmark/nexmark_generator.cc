#include "connectors/nexmark/nexmark_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kFirstId = 1000;  // Of persons and auctions.
constexpr std::int64_t kHotBlock = 100;  // Hot ids change once per so many ids.
constexpr std::int64_t kActivePersons = 1000;
constexpr std::int64_t kInFlightAuctions = 100;
constexpr std::int64_t kLead = 10;  // Ids that do not exist yet.
constexpr std::int64_t kFirstCategory = 10;
constexpr std::int64_t kCategories = 5;
constexpr std::int64_t kChannels = 10'000;
constexpr std::size_t kTextBytes = std::size_t{1} << 16;
constexpr std::size_t kLongestCut = 4096;

constexpr std::array<std::string_view, 11> kFirstNames = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> kLastNames = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, 10> kCities = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, 4> kHotChannels = {"Google", "Facebook", "Baidu", "Apple"};

// The finaliser of MurmurHash3's relative "Mix13" (D. Stafford), as in SplitMix64.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}

// Uniform in [0, n) from 32 random bits.
std::int64_t below(std::uint32_t random, std::int64_t n) {
  return static_cast<std::int64_t>(
      static_cast<std::uint64_t>(random) * static_cast<std::uint64_t>(n) >> 32);
}
std::uint32_t low(std::uint64_t random) {
  return static_cast<std::uint32_t>(random);
}
std::uint32_t high(std::uint64_t random) {
  return static_cast<std::uint32_t>(random >> 32);
}

std::uint32_t reverse_bits(std::uint32_t x) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= (x >> i & 1U) << (31 - i);
  return reversed;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Independent sequences of random numbers per event.
enum Stream : std::uint64_t {
  kBidIds = 1,
  kBidPrice,
  kBidChannel,
  kBidSize,
  kBidCut,
  kAuctionIds,
  kAuctionPrice,
  kAuctionLength,
  kAuctionName,
  kAuctionText,
  kAuctionSize,
  kAuctionCut,
  kPersonNames,
  kPersonMail,
  kPersonCard,
  kPersonPlace,
  kPersonSize,
  kPersonCut,
};

}  // namespace

Divider::Divider(std::int64_t divisor)
    : shift_(static_cast<int>(std::bit_width(static_cast<std::uint64_t>(divisor))) - 1) {
  __extension__ using Wide = unsigned __int128;
  const auto d = static_cast<Wide>(static_cast<std::uint64_t>(divisor));
  reciprocal_ = static_cast<std::uint64_t>(((static_cast<Wide>(1) << (63 + shift_)) + d - 1) / d);
}

// Blob 0: the text that everything is cut from. Blob 1: channel names and urls.
struct NexmarkGenerator::Texts {
  BufferPtr text;
  BufferPtr channels;
  std::vector<BufferPtr> blobs;
  std::vector<StringView16> names;  // first x last
  std::vector<StringView16> cities;
  std::vector<StringView16> states;
  std::vector<StringView16> channel_names;  // kHotChannels, then channel-0 ...
  std::vector<StringView16> channel_urls;

  [[nodiscard]] StringView16 cut(std::uint32_t random, std::int64_t bytes) const {
    const auto length = static_cast<std::size_t>(std::clamp<std::int64_t>(bytes, 0, kLongestCut));
    const auto offset = static_cast<std::size_t>(below(random, kTextBytes - kLongestCut));
    return view(text, 0, offset, length);
  }
  static StringView16 view(const BufferPtr& blob, std::int32_t index, std::size_t offset,
                           std::size_t length) {
    const std::string_view bytes(reinterpret_cast<const char*>(blob->data()) + offset, length);
    if (length <= static_cast<std::size_t>(StringView16::kInlineMax))
      return StringView16::make_inline(bytes);
    return StringView16::make_ref(bytes, index, static_cast<std::int32_t>(offset));
  }
};

Result<std::shared_ptr<const NexmarkGenerator>> NexmarkGenerator::make(
    const NexmarkOptions& options, MemoryPool& pool) {
  std::shared_ptr<NexmarkGenerator> generator(new NexmarkGenerator);
  generator->options_ = options;
  generator->block_ =
      options.person_proportion + options.auction_proportion + options.bid_proportion;
  generator->block_divider_ = Divider(generator->block_);
  generator->seed_ = mix(static_cast<std::uint64_t>(options.seed) * 0x9E3779B97F4A7C15ULL + 1);
  generator->horizon_events_ = kInFlightAuctions * generator->block_ / options.auction_proportion;

  const auto texts = std::make_shared<Texts>();
  std::string text;
  for (std::size_t i = 0; text.size() < kTextBytes; ++i) {
    const std::uint64_t random = mix(generator->seed_ + i);
    for (int k = 0; k < 8; ++k) {
      text.push_back(static_cast<char>(
          'a' + below(static_cast<std::uint32_t>(random >> (8 * k) & 0xFF) << 24, 26)));
    }
  }
  const auto copy = [&pool](const std::string& bytes) {
    return copy_to_buffer(pool,
                          {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  };
  CLP_ASSIGN_OR_RETURN(texts->text, copy(text));

  std::string channels;
  std::vector<std::pair<std::size_t, std::size_t>> names;
  std::vector<std::pair<std::size_t, std::size_t>> urls;
  const auto add = [&channels](std::vector<std::pair<std::size_t, std::size_t>>& places,
                               std::string_view bytes) {
    places.emplace_back(channels.size(), bytes.size());
    channels += bytes;
  };
  const auto hot = static_cast<std::int64_t>(kHotChannels.size());
  for (std::int64_t i = 0; i < hot + kChannels; ++i) {
    std::uint64_t random = mix(generator->seed_ ^ mix(static_cast<std::uint64_t>(i) + 0x5EED));
    std::string url = "https://www.nexmark.com";
    for (int directory = 0; directory < 3; ++directory) {
      url.push_back('/');
      const int letters = 3 + static_cast<int>(random & 1);
      random = mix(random + 1);
      for (int k = 0; k < letters; ++k) {
        url.push_back(static_cast<char>('a' + below(low(random), 26)));
        random = mix(random + 1);
      }
    }
    url += "/item.htm?query=1";
    if (i < hot) {
      add(names, kHotChannels[static_cast<std::size_t>(i)]);
    } else {
      const auto reversed =
          static_cast<std::int32_t>(reverse_bits(static_cast<std::uint32_t>(i - hot)));
      add(names, fmt::format("channel-{}", i - hot));
      if (below(low(random), 10) > 0) {
        url += fmt::format("&channel_id={}", std::abs(static_cast<std::int64_t>(reversed)));
      }
    }
    add(urls, url);
  }
  CLP_ASSIGN_OR_RETURN(texts->channels, copy(channels));
  for (const auto& [offset, length] : names) {
    texts->channel_names.push_back(Texts::view(texts->channels, 1, offset, length));
  }
  for (const auto& [offset, length] : urls) {
    texts->channel_urls.push_back(Texts::view(texts->channels, 1, offset, length));
  }
  std::string people;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const std::string_view first : kFirstNames) {
    for (const std::string_view last : kLastNames) {
      const std::string name = fmt::format("{} {}", first, last);
      places.emplace_back(people.size(), name.size());
      people += name;
    }
  }
  for (const std::string_view city : kCities) {
    places.emplace_back(people.size(), city.size());
    people += city;
  }
  CLP_ASSIGN_OR_RETURN(const BufferPtr people_blob, copy(people));
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto& list = i < kFirstNames.size() * kLastNames.size() ? texts->names : texts->cities;
    list.push_back(Texts::view(people_blob, 2, places[i].first, places[i].second));
  }
  for (const std::string_view state : kStates)
    texts->states.push_back(StringView16::make_inline(state));
  texts->blobs = {texts->text, texts->channels, people_blob};
  generator->texts_ = texts;
  return std::shared_ptr<const NexmarkGenerator>(std::move(generator));
}

std::uint64_t NexmarkGenerator::random(std::int64_t event, std::uint64_t stream) const {
  return mix(seed_ ^ mix(static_cast<std::uint64_t>(event) * 0x9E3779B97F4A7C15ULL + stream));
}

std::int64_t NexmarkGenerator::permuted(std::int64_t n) const {
  const std::int64_t group = options_.out_of_order_group;
  const std::int64_t start = n / group * group;
  return start + n % group * 953 % group;
}

NexmarkKind NexmarkGenerator::kind_of(std::int64_t event) const {
  const std::int64_t offset = offset_of(event);
  if (offset < options_.person_proportion) return NexmarkKind::kPerson;
  return offset < options_.person_proportion + options_.auction_proportion ? NexmarkKind::kAuction
                                                                           : NexmarkKind::kBid;
}

std::int64_t NexmarkGenerator::time_of(std::int64_t event) const {
  return options_.base_time_ms +
         static_cast<std::int64_t>(static_cast<double>(event) * 1000.0 / options_.rate);
}

std::int64_t NexmarkGenerator::last_person(std::int64_t event) const {
  const std::int64_t block = block_divider_.quotient(event);
  const std::int64_t offset = std::min(event - block * block_, options_.person_proportion - 1);
  return block * options_.person_proportion + offset;
}

std::int64_t NexmarkGenerator::last_auction(std::int64_t event) const {
  const std::int64_t block = block_divider_.quotient(event);
  const std::int64_t offset = event - block * block_ - options_.person_proportion;
  // Before the first auction of a block: the last one of the block before.
  if (offset < 0) return block * options_.auction_proportion - 1;
  return block * options_.auction_proportion + std::min(offset, options_.auction_proportion - 1);
}

std::int64_t NexmarkGenerator::any_person(std::int64_t event, std::uint32_t random) const {
  const std::int64_t persons = last_person(event) + 1;
  const std::int64_t active = std::min(persons, kActivePersons);
  return persons - active + below(random, active + kLead);
}

// round(100 * 10^(6u)), u uniform in [0, 1): 10^(6u) = 2^i * 2^f by a polynomial, so that the same
// bits come out everywhere (a library's pow may differ in the last one).
std::int64_t NexmarkGenerator::price(std::uint64_t random) const {
  constexpr double kLog2Of1e6 = 19.931568569324174;
  const double exponent = static_cast<double>(random >> 11) * 0x1p-53 * kLog2Of1e6;
  const auto whole = static_cast<std::int64_t>(exponent);
  const double x = (exponent - static_cast<double>(whole)) * 0.6931471805599453;
  // exp(x) on [0, ln 2): Taylor to x^9, below 1e-9 relative error.
  double sum = 1.0 / 362880;
  sum = sum * x + 1.0 / 40320;
  sum = sum * x + 1.0 / 5040;
  sum = sum * x + 1.0 / 720;
  sum = sum * x + 1.0 / 120;
  sum = sum * x + 1.0 / 24;
  sum = sum * x + 1.0 / 6;
  sum = sum * x + 0.5;
  sum = sum * x + 1;
  sum = sum * x + 1;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative, and the same in every process.
  return static_cast<std::int64_t>(sum * 100.0 * static_cast<double>(std::int64_t{1} << whole) +
                                   0.5);
}

std::int64_t NexmarkGenerator::extra_bytes(std::int64_t event, std::uint64_t stream,
                                           std::int64_t used, std::int64_t wanted) const {
  if (used > wanted) return 0;
  const std::int64_t average = wanted - used;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative, and the same in every process.
  const auto delta = static_cast<std::int64_t>(static_cast<double>(average) * 0.2 + 0.5);
  return average - delta + (delta == 0 ? 0 : below(low(random(event, stream)), 2 * delta));
}

// Inlined where the column is a constant: what is left is the arithmetic of that column.
[[gnu::always_inline]] inline std::int64_t NexmarkGenerator::number(NexmarkColumn column,
                                                                    std::int64_t event) const {
  switch (column) {
    case NexmarkColumn::kPersonId:
      return last_person(event) + kFirstId;
    case NexmarkColumn::kAuctionId:
      return last_auction(event) + kFirstId;
    case NexmarkColumn::kAuctionInitialBid:
      return price(random(event, kAuctionPrice));
    case NexmarkColumn::kAuctionReserve:
      return price(random(event, kAuctionPrice)) + price(random(event, kAuctionPrice + 64));
    case NexmarkColumn::kAuctionExpires: {
      const std::int64_t time = time_of(event);
      const std::int64_t horizon = time_of(event + horizon_events_) - time;
      return time + 1 +
             below(low(random(event, kAuctionLength)), std::max<std::int64_t>(horizon * 2, 1));
    }
    case NexmarkColumn::kAuctionSeller: {
      const std::uint64_t r = random(event, kAuctionIds);
      if (below(low(r) << 16, options_.hot_seller_ratio) > 0) {
        return last_person(event) / kHotBlock * kHotBlock + kFirstId;
      }
      return any_person(event, high(r)) + kFirstId;
    }
    case NexmarkColumn::kAuctionCategory:
      return kFirstCategory + below(low(random(event, kAuctionIds + 64)), kCategories);
    case NexmarkColumn::kBidAuction: {
      const std::uint64_t r = random(event, kBidIds);
      const std::int64_t last = last_auction(event);
      if (below(low(r) << 16, options_.hot_auction_ratio) > 0) {
        return floor_div(last, kHotBlock) * kHotBlock + kFirstId;
      }
      const std::int64_t first = std::max<std::int64_t>(last - kInFlightAuctions, 0);
      return first + below(high(r), last - first + 1 + kLead) + kFirstId;
    }
    case NexmarkColumn::kBidBidder: {
      // The offset of the first person counts twice, as in the benchmark: bidder = person id +
      // 1000.
      const std::uint64_t r = random(event, kBidIds + 64);
      if (below(low(r) << 16, options_.hot_bidder_ratio) > 0) {
        return last_person(event) / kHotBlock * kHotBlock + 1 + 2 * kFirstId;
      }
      return any_person(event, high(r)) + 2 * kFirstId;
    }
    case NexmarkColumn::kBidPrice:
      return price(random(event, kBidPrice));
    case NexmarkColumn::kDateTime:
      return time_of(event);
    default:
      return 0;
  }
}

StringView16 NexmarkGenerator::text(NexmarkColumn column, std::int64_t event) const {
  const Texts& texts = *texts_;
  const auto pick = [](const std::vector<StringView16>& list, std::uint32_t random) {
    return list[static_cast<std::size_t>(below(random, static_cast<std::int64_t>(list.size())))];
  };
  const auto channel = [&](const std::vector<StringView16>& list) {
    const std::uint64_t r = random(event, kBidChannel);
    const auto hot = static_cast<std::int64_t>(kHotChannels.size());
    const std::int64_t index = (r & 1) != 0 ? below(high(r), hot) : hot + below(high(r), kChannels);
    return list[static_cast<std::size_t>(index)];
  };
  switch (column) {
    case NexmarkColumn::kPersonName:
      return pick(texts.names, low(random(event, kPersonNames)));
    case NexmarkColumn::kPersonCity:
      return pick(texts.cities, low(random(event, kPersonPlace)));
    case NexmarkColumn::kPersonState:
      return pick(texts.states, high(random(event, kPersonPlace)));
    case NexmarkColumn::kPersonExtra: {
      // id, name, email address, credit card, city, state, as they are in this event.
      const std::int64_t used = 8 + text(NexmarkColumn::kPersonName, event).length + 17 + 19 +
                                text(NexmarkColumn::kPersonCity, event).length + 2;
      return texts.cut(low(random(event, kPersonCut)),
                       extra_bytes(event, kPersonSize, used, options_.person_bytes));
    }
    case NexmarkColumn::kAuctionItemName: {
      const std::uint64_t r = random(event, kAuctionName);
      return texts.cut(low(r), 3 + below(high(r), 18));
    }
    case NexmarkColumn::kAuctionDescription: {
      const std::uint64_t r = random(event, kAuctionText);
      return texts.cut(low(r), 3 + below(high(r), 98));
    }
    case NexmarkColumn::kAuctionExtra: {
      const std::int64_t used = 8 * 7 + text(NexmarkColumn::kAuctionItemName, event).length +
                                text(NexmarkColumn::kAuctionDescription, event).length;
      return texts.cut(low(random(event, kAuctionCut)),
                       extra_bytes(event, kAuctionSize, used, options_.auction_bytes));
    }
    case NexmarkColumn::kBidChannel:
      return channel(texts.channel_names);
    case NexmarkColumn::kBidUrl:
      return channel(texts.channel_urls);
    case NexmarkColumn::kBidExtra:
      // Only the four numbers count as used.
      return texts.cut(low(random(event, kBidCut)),
                       extra_bytes(event, kBidSize, 32, options_.bid_bytes));
    default:
      return {};
  }
}

void NexmarkGenerator::append_email(std::int64_t event, std::string& out) const {
  std::uint64_t random_bits = random(event, kPersonMail);
  const auto letters = [&](int count) {
    for (int i = 0; i < count; ++i) {
      out.push_back(static_cast<char>('a' + below(low(random_bits), 26)));
      random_bits = mix(random_bits + 1);
    }
  };
  letters(7);
  out.push_back('@');
  letters(5);
  out += ".com";
}

void NexmarkGenerator::append_credit_card(std::int64_t event, std::string& out) const {
  std::uint64_t random_bits = random(event, kPersonCard);
  for (int group = 0; group < 4; ++group) {
    if (group > 0) out.push_back(' ');
    std::int64_t digits = below(low(random_bits), 10'000);
    char text[4];
    for (int i = 3; i >= 0; --i) {
      text[i] = static_cast<char>('0' + digits % 10);
      digits /= 10;
    }
    out.append(text, 4);
    random_bits = mix(random_bits + 1);
  }
}

// Calls visit(row) for every row that is not NULL; a null `validity` has none.
template <typename Visit>
void for_each_valid(const BufferPtr& validity, std::int64_t rows, Visit visit) {
  if (!validity) {
    for (std::int64_t row = 0; row < rows; ++row) visit(row);
    return;
  }
  // Most rows are of one kind: whole words of NULLs are passed over.
  for (std::int64_t start = 0; start < rows; start += 64) {
    std::uint64_t bits = 0;
    const std::int64_t bytes = std::min<std::int64_t>((rows - start + 7) / 8, 8);
    std::memcpy(&bits, validity->data() + start / 8, static_cast<std::size_t>(bytes));
    for (; bits != 0; bits &= bits - 1) visit(start + std::countr_zero(bits));
  }
}

// The only texts that are put together byte by byte.
Result<Column> NexmarkGenerator::built_text(NexmarkColumn column, const DataType& type,
                                            std::span<const std::int64_t> events,
                                            const BufferPtr& validity, MemoryPool& pool) const {
  ColumnBuilder builder(type, pool);
  std::string scratch;
  std::int64_t next = 0;
  for_each_valid(validity, static_cast<std::int64_t>(events.size()), [&](std::int64_t row) {
    for (; next < row; ++next) builder.append_null();
    ++next;
    scratch.clear();
    const std::int64_t event = events[static_cast<std::size_t>(row)];
    if (column == NexmarkColumn::kPersonEmail) {
      append_email(event, scratch);
    } else {
      append_credit_card(event, scratch);
    }
    builder.append_string(scratch);
  });
  for (; next < static_cast<std::int64_t>(events.size()); ++next) builder.append_null();
  return builder.finish();
}

Result<Column> NexmarkGenerator::column(NexmarkColumn column, const DataType& type,
                                        std::span<const std::int64_t> events,
                                        const BufferPtr& validity, std::int64_t null_count,
                                        MemoryPool& pool) const {
  if (column == NexmarkColumn::kPersonEmail || column == NexmarkColumn::kPersonCreditCard) {
    return built_text(column, type, events, validity, pool);
  }
  const auto rows = static_cast<std::int64_t>(events.size());
  ColumnData data;
  data.type = type;
  data.length = rows;
  data.validity = validity;
  data.null_count = null_count;
  const bool is_text = type.physical() == PhysicalType::kView;
  CLP_CHECK(is_text || type.physical() == PhysicalType::kInt64);
  const std::int64_t bytes = rows * (is_text ? 16 : 8);
  // What is NULL is zero: an empty text.
  CLP_ASSIGN_OR_RETURN(
      const std::shared_ptr<MutableBuffer> values,
      null_count == 0 ? allocate_buffer(pool, bytes) : allocate_zeroed_buffer(pool, bytes));
  const auto fill = [&]<NexmarkColumn kColumn>() {
    // Where nearly all rows count, a loop without gaps is faster than one that looks for them.
    const BufferPtr& wanted = null_count * 4 < rows ? nullptr : validity;
    if (is_text) {
      auto* out = reinterpret_cast<StringView16*>(values->mutable_data());
      for_each_valid(wanted, rows, [&](std::int64_t row) {
        out[row] = text(kColumn, events[static_cast<std::size_t>(row)]);
      });
    } else {
      auto* out = reinterpret_cast<std::int64_t*>(values->mutable_data());
      for_each_valid(wanted, rows, [&](std::int64_t row) {
        out[row] = number(kColumn, events[static_cast<std::size_t>(row)]);
      });
    }
  };
  // The switch over columns is outside the loops once the compiler has seen the constant.
  const auto fill_column = [&]<std::size_t... kColumns>(std::index_sequence<kColumns...>) {
    static_cast<void>(((static_cast<std::size_t>(column) == kColumns &&
                        (fill.template operator()<static_cast<NexmarkColumn>(kColumns)>(), true)) ||
                       ...));
  };
  fill_column(std::make_index_sequence<static_cast<std::size_t>(NexmarkColumn::kDateTime) + 1>());
  data.values = values;
  if (is_text) data.blobs = texts_->blobs;
  return Column(std::move(data));
}

}  // namespace clepsydra
